/**
 * Copies artifacts between stores: images with their platforms, signatures and SBOMs.
 *
 * What a tag of the target names is complete at any time: blobs are sent first, then the manifests that name them, then referrers
 * after their subjects, and tags are set last. An interrupted copy leaves content without a tag, and the next copy sends only
 * what is missing.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Platform from "@effect-acr/client/Platform"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ContentStore, type MissingContent, namesList, type Origin, type Reader } from "./ContentStore.ts"
import { at, type CopyError } from "./CopyError.ts"
import * as Choice from "./internal/copy/choice.ts"
import type { PlatformNotFound } from "./internal/copy/choice.ts"
import * as Engine from "./internal/copy/engine.ts"
import * as Raws from "./internal/copy/raws.ts"
import type { CopiedTag, Event, Report } from "./internal/copy/report.ts"
import * as SignatureTags from "./internal/copy/signatureTags.ts"
import { withUnlisted } from "./internal/copy/unlisted.ts"
import { tagOf } from "./internal/imageNames.ts"
import { platformOf } from "./internal/platformImage.ts"
import { isImage } from "./internal/references.ts"
import { isAskedFreely } from "./internal/sides.ts"
import { nameOf } from "./internal/storeName.ts"
import { type GraphError, type GraphOptions, type Presence, walk, type Walked } from "./internal/walk.ts"

export { PlatformNotFound } from "./internal/copy/choice.ts"
export { CopiedNode, CopiedTag, Event, Report, type Total, totals } from "./internal/copy/report.ts"

/**
 * A tag of the target names another manifest, and `onTag` is `fail`.
 *
 * @category errors
 * @since 0.1.0
 */
export class TagExists extends Schema.TaggedError<TagExists>("@effect-acr/artifacts/TagExists")("TagExists", {
  /** The tag. */
  tag: Schema.String,
  /** The manifest that it names at the target. */
  digest: Digest.Digest
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return `the tag ${this.tag} names ${this.digest} already`
  }
}

/**
 * How to copy.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The tags to set at the target. Defaults to the tag of the source, or to none if the source is named by a digest or a number.
   * If the source is a full name, such as `docker.io/library/alpine:3.20`, and the target is a repository, the tag is `3.20`.
   */
  readonly tags?: ReadonlyArray<string>
  /**
   * What to do if a tag of the target names another manifest: `overwrite` it (the default), `keep` it, or `fail` with
   * `TagExists`. If all tags are kept, nothing is sent. Lists of referrers under tags of registries are never overwritten, but kept.
   */
  readonly onTag?: "overwrite" | "keep" | "fail"
  /** Which referrers are copied: all (`true`, the default), none, or some. */
  readonly referrers?: boolean | GraphOptions["referrers"]
  /**
   * Whether to copy the tags under which cosign 2 stores signatures, attestations and SBOMs (`sha256-….sig`, `.att`, `.sbom`).
   * Defaults to false: finding them takes three requests for each manifest, or a list of all tags.
   */
  readonly cosignTags?: boolean
  /** The platforms of an index to copy, such as `linux/arm64`, with their attestations. Defaults to all. */
  readonly platforms?: ReadonlyArray<Platform.Input>
  /**
   * How to copy an index if `platforms` leaves some of its images out. `rewrite` (the default): the target gets a new index that
   * lists only the chosen images. It has another digest, and the referrers of the original are not copied. `sparse`: the target
   * gets the original index, which many registries refuse if images are missing.
   */
  readonly index?: "rewrite" | "sparse"
  /** Whether to copy layers that may not be distributed, as far as the source has them. Defaults to false. */
  readonly foreignLayers?: boolean
  /**
   * What to conclude from a manifest that the target has. `exists` (the default): the target also has everything that the
   * manifest names; content is put again only if the target refuses a manifest that needs it. `walk`: look for each manifest and
   * each blob. The images of an index are always looked for where that takes no requests, as in a layout, and where the index may
   * be sparse.
   */
  readonly trust?: "exists" | "walk"
  /**
   * Repositories, besides the source, from which the target may mount blobs without a transfer: each is the `origin` of another
   * repository of the target's registry.
   */
  readonly mountFrom?: ReadonlyArray<Origin>
  /** How many blobs to send at the same time, at least 1. Defaults to 6. */
  readonly concurrency?: number
  /** How many manifests the artifact may have, with its referrers. Defaults to 100,000. */
  readonly maxManifests?: number
  /** Whether to only report what the copy would do, without writing. Defaults to false. */
  readonly isDryRun?: boolean
}

/**
 * The causes of a `CopyError` that are not errors of a store. A copy fails with `CopyError<E | Fault>`.
 *
 * @category errors
 * @since 0.1.0
 */
export type Fault = GraphError | MissingContent | TagExists | PlatformNotFound

const defaultConcurrency = 6

/** With zero or `NaN`, nothing would ever be sent. */
const atLeastOne = (count: number): number => (count >= 1 ? count : 1)

/** Tags that are looked up at the same time. */
const lookupsAtOnce = 8

/** How many events wait for the reader of a stream before the copy pauses. */
const bufferedEvents = 64

const graphOptions = ({ maxManifests, referrers = true }: Options): GraphOptions => ({
  ...(maxManifests === undefined ? {} : { maxManifests }),
  ...(referrers === false ? {} : { referrers: referrers === true ? {} : (referrers ?? {}) })
})

/** A store that predicts the outcome of each blob, and writes nothing. */
const dryRun = <E>(target: ContentStore<E>): ContentStore<E> => ({
  ...target,
  putManifest: () => Effect.succeed({ listedBy: Option.none() }),
  putBlob: (blob, _, { from = [] } = {}) =>
    Effect.map(target.has(blob), (isThere) => {
      if (isThere) return "present"
      return from.some((origin) => isBeside(origin, target.origin)) ? "mounted" : "sent"
    }),
  batch: identity
})

const isBeside = (origin: Origin, other: Origin): boolean =>
  origin.place === other.place && origin.repository !== other.repository && other.repository !== ""

/** Whether both stores are the same, so that only tags can differ. */
const isSame = (source: Reader<unknown>, target: Reader<unknown>): boolean =>
  source === target ||
  (source.origin.repository !== "" &&
    source.origin.place === target.origin.place &&
    source.origin.repository === target.origin.repository)

/** The manifest that a tag or a digest names at the source. */
const resolve = <E>(source: Reader<E>, tagOrDigest: string): Effect.Effect<Descriptor, CopyError<E | GraphError>> =>
  Effect.gen(function* () {
    const found = yield* Effect.mapError(source.resolve(tagOrDigest), at("source")<E | GraphError>)
    if (Option.isSome(found)) return found.value
    const isEmpty = yield* Effect.match(Stream.runHead(source.tags), {
      onFailure: () => false,
      onSuccess: Option.isNone
    })
    const store = nameOf(source.origin)
    // Archives often hold images without a name. A repository is named by its registry.
    const others =
      source.origin.repository === "" ? " Without a tag, use a digest; in an archive or a layout also @0" : ""
    const description = isEmpty
      ? `${tagOrDigest} is not there, and ${store} has no tags: does it exist?${others}`
      : `${store} has no tag or digest ${tagOrDigest}`
    return yield* at("source")<E | GraphError>(Engine.missing(description, []))
  })

/** The tags that a reference gives to what it names. A repository has the tag of a full name, such as `alpine:3.20`. */
const tagsOf = (reference: string, target: Reader<unknown>): ReadonlyArray<string> => {
  if (Digest.isDigest(reference) || /^@\d+$/.test(reference)) return []
  return [isAskedFreely(target) ? reference : (tagOf(reference) ?? reference)]
}

/** What the copy will do with a tag. */
const tagAt = <E>(
  target: ContentStore<E>,
  tag: string,
  root: Digest.Digest,
  onTag: NonNullable<Options["onTag"]>
): Effect.Effect<CopiedTag, CopyError<E | TagExists>> =>
  Effect.flatMap(Effect.mapError(target.resolve(tag), at("target")<E | TagExists>), (found) => {
    if (Option.isNone(found)) return Effect.succeed<CopiedTag>({ tag, outcome: "set" })
    const { digest } = found.value
    if (digest === root) return Effect.succeed<CopiedTag>({ tag, outcome: "unchanged", previous: digest })
    if (onTag === "fail") return Effect.fail(at("target")<E | TagExists>(new TagExists({ tag, digest })))
    if (onTag === "keep") return Effect.succeed<CopiedTag>({ tag, outcome: "kept", previous: digest })
    // The referrers of another manifest, or of the copy itself, would no longer be found. A layout finds them without the list.
    const isList = isAskedFreely(target)
      ? Effect.succeed(false)
      : Effect.mapError(namesList(target, tag, found.value), at("target")<E | TagExists>)
    return Effect.map(isList, (is): CopiedTag => ({ tag, outcome: is ? "kept" : "moved", previous: digest }))
  })

const choose = <E>(source: Reader<E>, root: Descriptor, { index = "rewrite", platforms }: Options) =>
  platforms === undefined
    ? Effect.succeed(Choice.whole(root))
    : Effect.flatMap(Effect.forEach(platforms, platformOf), (wanted) => Choice.choose(source, root, wanted, index))

/** An error of the target, on its way through a walk of the source. */
class OfTarget<out E> {
  readonly _tag = "OfTarget"
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

const ofTarget = <E>(cause: E): OfTarget<E> => new OfTarget(cause)

const sided = <E1, E2>(error: E1 | OfTarget<E2>): CopyError<E1 | E2> =>
  error instanceof OfTarget ? at("target")<E1 | E2>(error.cause) : at("source")<E1 | E2>(error)

/** A graph to copy, and its tags. */
interface Unit {
  readonly graph: Walked
  readonly tags: ReadonlyArray<CopiedTag>
}

/** Whether all tags of a graph keep naming other manifests, so that no tag would name the graph. */
const isInVain = ({ tags }: Pick<Unit, "tags">): boolean =>
  tags.length > 0 && tags.every(({ outcome }) => outcome === "kept")

/** The tags that are to be set. */
const unset = (tags: ReadonlyArray<CopiedTag>): ReadonlyArray<string> =>
  tags.filter(({ outcome }) => outcome === "set" || outcome === "moved").map(({ tag }) => tag)

/** The size of what the target may lack. */
const bytesOf = (units: ReadonlyArray<Unit>): number => {
  const sizes = new Map<string, number>()
  for (const { graph } of units) {
    for (const { blobs, descriptor, presence } of graph.nodes.values()) {
      if (presence === "whole") continue
      if (presence === "absent") sizes.set(`manifest ${descriptor.digest}`, descriptor.size)
      for (const { digest, size } of blobs) sizes.set(`blob ${digest}`, size)
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

const copy = <E1, E2>(
  from: Reader<E1>,
  to: ContentStore<E2>,
  tagOrDigest: string,
  options: Options,
  emit: (event: Event) => Effect.Effect<void>
): Effect.Effect<Report, CopyError<E1 | E2 | Fault>> =>
  Effect.gen(function* () {
    const { isDryRun = false, onTag = "overwrite", trust = "exists" } = options
    const toFailure = at("source")<E1 | E2 | Fault>
    const target = isDryRun ? dryRun(to) : to
    const isOneStore = isSame(from, to)
    const isOfParts = options.platforms !== undefined && options.index === "sparse"
    const isMaybeSparse = isOfParts || isAskedFreely(to)
    const raws = Raws.make(from)
    const source = raws.reader

    const found = yield* resolve(source, tagOrDigest)
    const choice = yield* Effect.mapError(choose(source, found, options), toFailure)
    for (const raw of choice.made) raws.add(raw)
    const isLeftOut = ({ digest }: Descriptor): boolean => choice.leftOut.has(digest)

    /** Compares a graph and its tags with what the target has. */
    const compare = (root: Descriptor, names: ReadonlyArray<string>, graphs: GraphOptions) =>
      Effect.gen(function* () {
        const tags = yield* Effect.forEach(new Set(names), (tag) => tagAt(target, tag, root.digest, onTag), {
          concurrency: lookupsAtOnce
        })
        if (isInVain({ tags })) return { graph: { root: root.digest, nodes: new Map() }, tags }
        const isTagged = tags.some(({ outcome }) => outcome === "unchanged")
        const presence = (manifest: Descriptor): Effect.Effect<Presence, OfTarget<E2>> => {
          if (isOneStore && choice.made.length === 0) return Effect.succeed("whole")
          // The images of an index have tags of signatures as well. A look for referrers reads the index in any case.
          const isRead = isMaybeSparse || (options.cosignTags === true && graphs.referrers === undefined)
          const isDoubted = trust === "walk" || (isRead && !isImage(manifest))
          const there: Presence = isDoubted ? "there" : "whole"
          // A registry has what its tags name; a layout may have lost it.
          if (isTagged && manifest.digest === root.digest && !isAskedFreely(to)) return Effect.succeed(there)
          return Effect.mapBoth(target.keeps(manifest), {
            onFailure: ofTarget,
            onSuccess: (isKept) => (isKept ? there : "absent")
          })
        }
        const graph = yield* Effect.mapError(
          walk(source, root, graphs, { presence, isLeftOut }),
          sided<E1 | GraphError, E2>
        )
        // A layout lists what it keeps.
        if (isAskedFreely(to)) return { graph, tags }
        return { graph: yield* Effect.mapError(withUnlisted(target, graph), at("target")<E1 | E2 | GraphError>), tags }
      })

    const names = options.tags ?? tagsOf(tagOrDigest, to)
    const main = yield* compare(choice.root, names, isOneStore ? {} : graphOptions(options))
    const signed =
      options.cosignTags === true && !isOneStore
        ? yield* Effect.mapError(SignatureTags.find(source, [...main.graph.nodes.keys()]), toFailure)
        : []
    const signatures = yield* Effect.forEach(signed, ({ descriptor, tag }) => compare(descriptor, [tag], {}))
    const units: ReadonlyArray<Unit> = [...signatures, main]

    const engine = Engine.make({
      source,
      target,
      mountFrom: [source.origin, ...(options.mountFrom ?? [])],
      concurrency: atLeastOne(options.concurrency ?? defaultConcurrency),
      withForeignLayers: options.foreignLayers ?? false,
      isLeftOut,
      emit
    })
    const manifests = units.reduce((sum, { graph }) => sum + graph.nodes.size, 0)
    yield* emit({ _tag: "Planned", root: choice.root.digest, manifests, bytes: bytesOf(units) })
    for (const manifest of choice.leftOut.values()) yield* engine.skip(manifest, "platform")

    const settled = yield* Effect.forEach(units, (unit) =>
      Effect.gen(function* () {
        const { graph, tags } = unit
        const hasReferrers = Array.from(graph.nodes.values()).some(({ referrers }) => referrers.length > 0)
        const isMaybeList = !isAskedFreely(to) && unset(tags).some(Referrer.isTag)
        // Sending content may take hours. Meanwhile another program may have set a tag that this copy must not move, and the
        // copies of referrers a list under it.
        const isCareful = (onTag !== "overwrite" || isMaybeList) && !isDryRun && unset(tags).length > 0
        const isLater = hasReferrers || isCareful
        // Putting the root sets its tags: at once if it has no referrers, otherwise after them.
        yield* engine.copy(graph, isLater ? [] : unset(tags))
        const last = isCareful
          ? yield* Effect.forEach(
              tags,
              (one) =>
                one.outcome === "set" ? tagAt(target, one.tag, graph.root, onTag) : Effect.succeed<CopiedTag>(one),
              { concurrency: lookupsAtOnce }
            )
          : tags
        const root = graph.nodes.get(graph.root)
        if (isLater && unset(last).length > 0 && root !== undefined) yield* engine.put(root, unset(last))
        for (const tag of last) yield* emit({ _tag: "TagDone", tag })
        return last
      })
    )

    const report: Report = {
      source: found.digest,
      root: choice.root.digest,
      nodes: engine.nodes(),
      tags: settled.flat(),
      isDryRun
    }
    return report
  })

/** Copies in a batch of the target, so that a layout writes its index once. The copy ends with the batch. */
const inBatch = <E1, E2>(
  source: Reader<E1>,
  target: ContentStore<E2>,
  tagOrDigest: string,
  options: Options,
  emit: (event: Event) => Effect.Effect<void>
): Effect.Effect<Report, CopyError<E1 | E2 | Fault>> =>
  Effect.result(copy(source, target, tagOrDigest, options, emit)).pipe(
    options.isDryRun === true ? identity : target.batch,
    Effect.mapError(at("target")<E1 | E2 | Fault>),
    Effect.flatMap(Effect.fromResult),
    Effect.tap((report) => emit({ _tag: "Finished", report }))
  )

/**
 * Copies the artifact that a tag or a digest names from one store to another, and returns a report.
 *
 * **When to use**
 *
 * Use to promote, mirror, back up and restore images and artifacts. Use `events` to show the progress.
 *
 * **Details**
 *
 * Bytes are copied unchanged, so that digests stay the same. The tag is resolved once: if it moves during the copy, the copy is
 * not affected. Blobs that the target has are not read. Between two repositories of one registry, blobs are mounted. A blob that
 * several manifests name is looked up, sent and hashed once. Concurrent copies to the same opened repository send a shared blob
 * once.
 *
 * If the target has the artifact under the same tag, the copy requests only the tag, the manifest or index that it names, and the
 * referrers of both sides. Referrers that the target has and does not list are put again, which lists them. So is the artifact itself
 * if it is a referrer.
 *
 * If the target refuses a manifest because it lacks content that seemed present, the copy puts that content once more, as long as
 * each refusal is about other content.
 *
 * Fails with `CopyError`, which names the side and the manifest or blob that failed. `Effect.catchReason("CopyError", …)` handles
 * the reason of a registry's error. Other causes are `GraphError`, `TagExists`, `PlatformNotFound` and `MissingContent`.
 *
 * **Gotchas**
 *
 * If the source lacks the tag or the digest, the cause is a `GraphError` with the problem `Missing`, not the `NotFound` of a
 * registry.
 *
 * If `platforms` causes the index to be rewritten, signatures and SBOMs of the original index are not copied, and the report does
 * not list them.
 *
 * `onTag: "keep"` and `"fail"` read the tags before anything is sent, and again right before they are set. If another program
 * sets a tag between the second read and the request, the copy overwrites that tag. If `"fail"` fails at the second read, the
 * content that was sent stays without the tag.
 *
 * **Example** (Promoting an image with its signatures and SBOMs)
 *
 * ```ts
 * import { Copy, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const promote = Effect.gen(function* () {
 *   const staging = yield* Repository.open("staging.azurecr.io/shop/api")
 *   const production = yield* Repository.open("production.azurecr.io/shop/api")
 *   return yield* Copy.run(staging, production, "v1.4.0", { tags: ["v1.4.0", "stable"], cosignTags: true })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <E1, E2>(
  source: Reader<E1>,
  target: ContentStore<E2>,
  tagOrDigest: string,
  options: Options = {}
): Effect.Effect<Report, CopyError<E1 | E2 | Fault>> => inBatch(source, target, tagOrDigest, options, () => Effect.void)

/**
 * Copies like `run`, as a stream of events. The copy runs while the stream is read, and pauses when its reader does.
 *
 * **When to use**
 *
 * Use to show the progress of a copy. `run` is simpler if the report is enough.
 *
 * **Details**
 *
 * `Planned` comes first; its `bytes` is the size of the manifests and blobs that the target may lack. `Progress` has the number
 * of bytes read of one blob, counted from its beginning; it decreases if a transfer restarts. `NodeDone` follows each manifest
 * and blob, and `TagDone` each tag. `Finished` comes last, with the report.
 *
 * **Gotchas**
 *
 * `bytes` of `Planned` is an upper bound: manifests, and blobs that the target has or mounts, send no `Progress`. A percentage of
 * it may stay below 100, so take `Finished` as the end.
 *
 * **Example** (Showing how much is sent)
 *
 * ```ts
 * import { type ContentStore, Copy } from "@effect-acr/artifacts"
 * import { Console, Stream } from "effect"
 *
 * export const shown = <E>(source: ContentStore.Reader<E>, target: ContentStore.ContentStore<E>) =>
 *   Copy.events(source, target, "v1.4.0").pipe(
 *     Stream.runForEach((event) =>
 *       event._tag === "NodeDone" ? Console.log(event.node.outcome, event.node.digest) : Console.log(event._tag)
 *     )
 *   )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const events = <E1, E2>(
  source: Reader<E1>,
  target: ContentStore<E2>,
  tagOrDigest: string,
  options: Options = {}
): Stream.Stream<Event, CopyError<E1 | E2 | Fault>> =>
  Stream.callback<Event, CopyError<E1 | E2 | Fault>>(
    (queue) =>
      inBatch(source, target, tagOrDigest, options, (event) => Effect.asVoid(Queue.offer(queue, event))).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      ),
    { bufferSize: bufferedEvents, strategy: "suspend" }
  )
