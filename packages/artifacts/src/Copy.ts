/**
 * Copies artifacts between stores: images with their platforms, signatures and SBOMs.
 *
 * What a tag names is whole at any time. Blobs come first, then the manifests that name them, then referrers behind their
 * subjects, and the tags last. An interrupted copy leaves content without a tag, and the next one sends only what is missing.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import type { BlobOutcome } from "@effect-acr/client/RegistryContent"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { type ContentStore, MissingContent, type Reader } from "./ContentStore.ts"
import { at, CopyError } from "./CopyError.ts"
import { type Graph, GraphError, type GraphNode, type GraphOptions } from "./Graph.ts"
import * as Raws from "./internal/raws.ts"
import { markingSource, OfSource } from "./internal/sides.ts"
import { walk } from "./internal/walk.ts"

/**
 * A manifest or a blob that a copy accounted for.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CopiedNode = Schema.Struct({
  /** The digest of the content. */
  digest: Digest.Digest,
  /** Whether it is a manifest or a blob: one digest can be both. */
  kind: Schema.Literals(["manifest", "blob"]),
  /** The media type, as the manifest that names it states it. */
  mediaType: MediaType.MediaType,
  /** The size, in bytes. */
  size: Schema.Natural,
  /** How the target has come to hold it: it was there, it was mounted from another repository, or it was sent. */
  outcome: Schema.Literals(["present", "mounted", "sent"])
})

/**
 * One manifest or blob that a copy accounted for.
 *
 * @category models
 * @since 0.1.0
 */
export type CopiedNode = typeof CopiedNode.Type

/**
 * A tag that a copy was asked for.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CopiedTag = Schema.Struct({
  /** The tag at the target. */
  tag: Schema.String,
  /** `set`: it names the copy now. `unchanged`: it did before. `kept`: it names something else, and was to be kept. */
  outcome: Schema.Literals(["set", "unchanged", "kept"]),
  /** What it named before, if it existed. */
  previous: Schema.optionalKey(Digest.Digest)
})

/**
 * One tag that a copy was asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type CopiedTag = typeof CopiedTag.Type

/**
 * What a copy did. Each manifest and each blob stands in it once. Of an image that the target had, its blobs are not looked
 * at and not listed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  /** The manifest that was copied. */
  root: Digest.Digest,
  /** Manifests and blobs, in the order in which they were done. */
  nodes: Schema.Array(CopiedNode),
  /** The tags. */
  tags: Schema.Array(CopiedTag)
})

/**
 * The report of one copy.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

/**
 * A tag of the target names something else, and must not be moved.
 *
 * @category errors
 * @since 0.1.0
 */
export class TagExists extends Schema.TaggedError<TagExists>("@effect-acr/artifacts/TagExists")("TagExists", {
  /** The tag. */
  tag: Schema.String,
  /** What it names. */
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
  /** The tags at the target. Defaults to the tag of the source, or to none if the source is named by a digest. */
  readonly tags?: ReadonlyArray<string>
  /** What to do with a tag that names something else: `overwrite` (the default), `keep` it, or `fail` with `TagExists`. */
  readonly onTag?: "overwrite" | "keep" | "fail"
  /** Which referrers go along: all (`true`, the default), none, or some. */
  readonly referrers?: boolean | GraphOptions["referrers"]
  /**
   * What a manifest at the target stands for. `exists` (the default): with it, all that it names is there, and is put again
   * only if the target refuses something for lack of it. `walk`: each manifest and each blob is looked for.
   */
  readonly trust?: "exists" | "walk"
  /** How many blobs are sent at the same time, at least 1. Defaults to 6. */
  readonly concurrency?: number
}

/** What any copy may fail with, besides the errors of the stores. */
type Own = GraphError | MissingContent | TagExists

const defaultConcurrency = 6

/** Manifests that are put at the same time. */
const putsAtOnce = 8

const referrersIn = ({ referrers = true }: Options): GraphOptions => {
  if (referrers === false) return {}
  return { referrers: referrers === true ? {} : (referrers ?? {}) }
}

/** Runs an effect for each key once, however many ask for it. */
const onces = <A, E>() => {
  const running = new Map<string, Deferred.Deferred<A, E>>()
  return {
    /** Waits for one that was begun before. */
    wait: (key: string): Effect.Effect<void, E> =>
      Effect.suspend(() => {
        const known = running.get(key)
        return known === undefined ? Effect.void : Effect.asVoid(Deferred.await(known))
      }),
    run: (key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const known = running.get(key)
        if (known !== undefined) return Deferred.await(known)
        const own = Deferred.makeUnsafe<A, E>()
        running.set(key, own)
        return Effect.onExit(effect, (exit) => Deferred.done(own, exit))
      })
  }
}

const missing = (description: string, path: ReadonlyArray<Digest.Digest>) =>
  new GraphError({ problem: "Missing", path, description })

/**
 * Copies what a tag or a digest names from one store to another, and reports what was done. Fails with `CopyError`, which
 * says on which side.
 *
 * **Details**
 *
 * Bytes are copied as they are, so that digests stay the same. Blobs that the target has are not read. Between two
 * repositories of one registry, blobs are mounted. A blob that several manifests name is looked for once.
 *
 * **Example** (Promoting an image with its signatures and SBOMs)
 *
 * ```ts
 * import { Copy, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * const promote = Effect.gen(function* () {
 *   const staging = yield* Repository.open("staging.azurecr.io/shop/api")
 *   const production = yield* Repository.open("production.azurecr.io/shop/api")
 *   return yield* Copy.run(staging, production, "v1.4.0", { tags: ["v1.4.0", "stable"] })
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
): Effect.Effect<Report, CopyError<E1 | E2 | Own>> =>
  Effect.gen(function* () {
    const { onTag = "overwrite", trust = "exists" } = options
    const tags = options.tags ?? (Digest.isDigest(tagOrDigest) ? [] : [tagOrDigest])
    const found = yield* Effect.mapError(source.resolve(tagOrDigest), at("source"))
    if (Option.isNone(found)) return yield* at("source")(missing(`${tagOrDigest} is not there`, []))
    const root = found.value

    const wanted = yield* Effect.forEach(tags, (tag) => tagAt(target, tag, root.digest, onTag), {
      concurrency: putsAtOnce
    })
    const isTagged = wanted.some(({ outcome }) => outcome === "unchanged")

    const raws = Raws.make(source)
    const isKnown = ({ digest }: Descriptor): Effect.Effect<boolean, OfTarget<E2>> => {
      if (trust === "walk") return Effect.succeed(false)
      if (isTagged && digest === root.digest) return Effect.succeed(true)
      return Effect.mapBoth(target.resolve(digest), { onFailure: ofTarget, onSuccess: Option.isSome })
    }
    const graph = yield* Effect.mapError(
      walk(source, root, referrersIn(options), { isKnown, onManifest: raws.keep }),
      sided
    )

    const copying = makeCopying(source, target, raws, options.concurrency ?? defaultConcurrency)
    const toSet = wanted.filter(({ outcome }) => outcome === "set").map(({ tag }) => tag)
    const first = graph.nodes.get(graph.root)
    const hasReferrers = Array.from(graph.nodes.values()).some(({ referrers }) => referrers.length > 0)
    // Without referrers, the root can be put by its tags at once.
    const isLast = (node: GraphNode) => node === first && !hasReferrers && toSet.length > 0
    yield* copying.all(graph, isLast)
    if (first !== undefined && toSet.length > 0) yield* copying.put(first, toSet)
    return { root: root.digest, nodes: copying.nodes(), tags: wanted }
  })

/** What is to become of a tag. */
const tagAt = <E>(
  target: ContentStore<E>,
  tag: string,
  root: Digest.Digest,
  onTag: NonNullable<Options["onTag"]>
): Effect.Effect<CopiedTag, CopyError<E | TagExists>> =>
  Effect.flatMap(Effect.mapError(target.resolve(tag), at("target")), (found) => {
    if (Option.isNone(found)) return Effect.succeed<CopiedTag>({ tag, outcome: "set" })
    const { digest } = found.value
    if (digest === root) return Effect.succeed<CopiedTag>({ tag, outcome: "unchanged", previous: digest })
    if (onTag === "fail") return Effect.fail(at("target")(new TagExists({ tag, digest })))
    return Effect.succeed<CopiedTag>({ tag, outcome: onTag === "keep" ? "kept" : "set", previous: digest })
  })

/** An error of the target, on its way through a walk of the source. */
class OfTarget<out E> {
  readonly _tag = "OfTarget"
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

const ofTarget = <E>(cause: E): OfTarget<E> => new OfTarget(cause)

const sided = <E1, E2>(error: E1 | OfTarget<E2> | GraphError): CopyError<E1 | E2 | GraphError> =>
  error instanceof OfTarget ? at("target")(error.cause) : at("source")(error)

/** Copies what a graph holds, each manifest and each blob once. */
const makeCopying = <E1, E2>(
  source: Reader<E1>,
  target: ContentStore<E2>,
  raws: ReturnType<typeof Raws.make<E1>>,
  concurrency: number
) => {
  type Failure = CopyError<E1 | E2 | Own>
  const done = new Map<string, CopiedNode>()
  const blobs = onces<void, Failure>()
  const manifests = onces<void, Failure>()
  const sending = Semaphore.makeUnsafe(concurrency)

  const note = (kind: CopiedNode["kind"], { digest, mediaType, size }: Descriptor, outcome: BlobOutcome): void =>
    void done.set(`${kind} ${digest}`, { digest, kind, mediaType, size, outcome })

  const sendBlob = (blob: Descriptor): Effect.Effect<void, Failure> =>
    target.putBlob(blob, markingSource(source.blob(blob)), { from: [source.origin] }).pipe(
      Effect.mapBoth({
        onFailure: (error): Failure =>
          error instanceof OfSource
            ? at("source", Option.some(blob.digest))<E1 | E2 | Own>(error.cause)
            : at("target", Option.some(blob.digest))<E1 | E2 | Own>(error),
        onSuccess: (outcome) => note("blob", blob, outcome)
      }),
      sending.withPermit
    )

  const copyBlob = (blob: Descriptor) => blobs.run(blob.digest, sendBlob(blob))

  const rawOf = (node: GraphNode): Effect.Effect<Manifest.Raw, Failure> =>
    Effect.flatMap(
      Effect.mapError(raws.get(node.descriptor), at("source", Option.some(node.descriptor.digest))),
      Option.match({
        onSome: Effect.succeed,
        onNone: () => {
          const { digest } = node.descriptor
          return Effect.fail<Failure>(
            at("source", Option.some(digest))(missing(`${digest} is no longer there`, [digest]))
          )
        }
      })
    )

  /** Puts what a manifest names and the target lacks, although it seemed to be there. */
  const heal = (node: GraphNode, { digests }: MissingContent): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const isMissing = ({ digest }: Descriptor) => digests.length === 0 || digests.includes(digest)
      yield* Effect.forEach(
        node.children.filter(isMissing),
        (child) => Effect.flatMap(Effect.mapError(walk(source, child, {}), at("source")), (graph) => putAll(graph)),
        { discard: true }
      )
      yield* Effect.forEach(node.blobs.filter(isMissing), sendBlob, { discard: true })
    })

  const putRaw = (raw: Manifest.Raw, tags: ReadonlyArray<string>) => target.putManifest(raw, { tags })

  /** Puts a manifest. If the target lacks what it names, that is put once more, and then the manifest. */
  const put = (node: GraphNode, tags: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const { digest } = node.descriptor
      const raw = yield* rawOf(node)
      const failed = at("target", Option.some(digest))<E1 | E2 | Own>
      yield* Effect.catch(putRaw(raw, tags), (error) =>
        error instanceof MissingContent
          ? Effect.andThen(heal(node, error), Effect.mapError(putRaw(raw, tags), failed))
          : Effect.fail(failed(error))
      )
    })

  /** Puts a graph without asking what is there. */
  const putAll = (graph: Graph): Effect.Effect<void, Failure> =>
    Effect.forEach(
      graph.nodes.values(),
      (node) =>
        Effect.gen(function* () {
          yield* Effect.forEach(node.blobs, copyBlob, { concurrency: "unbounded", discard: true })
          const raw = yield* rawOf(node)
          yield* Effect.mapError(putRaw(raw, []), at("target", Option.some(node.descriptor.digest))<E1 | E2 | Own>)
        }),
      { discard: true }
    )

  const copyNode = (node: GraphNode, isLast: boolean): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const { blobs, children, descriptor, isKnown, subject } = node
      // These come before it in the graph, so that all of them have begun.
      for (const { digest } of children) yield* manifests.wait(digest)
      if (Option.isSome(subject) && subject.value !== descriptor.digest) yield* manifests.wait(subject.value)
      if (isKnown) return note("manifest", descriptor, "present")
      yield* Effect.forEach(blobs, copyBlob, { concurrency: "unbounded", discard: true })
      if (!isLast) yield* put(node, [])
      note("manifest", descriptor, "sent")
    })

  return {
    nodes: () => [...done.values()],
    put,
    /** Copies a graph, but puts the last of its manifests not yet. */
    all: (graph: Graph, isLast: (node: GraphNode) => boolean): Effect.Effect<void, Failure> =>
      Effect.forEach(
        graph.nodes.values(),
        (node) => manifests.run(node.descriptor.digest, copyNode(node, isLast(node))),
        { concurrency: putsAtOnce, discard: true }
      )
  }
}
