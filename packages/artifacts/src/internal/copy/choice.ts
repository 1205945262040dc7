/**
 * The part of an index that a copy includes, by platform: the index unchanged but without some of its images (sparse), or a new
 * index that lists only the chosen images (rewritten).
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import { constFalse } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Reader } from "../../ContentStore.ts"
import { platformOf, readConfig } from "../configs.ts"
import { select } from "../platforms.ts"
import { isImage } from "../references.ts"
import { type Graph, type GraphError, type GraphNode, walk } from "../walk.ts"

/**
 * An index has no image for a platform, or an image has another platform.
 *
 * @category errors
 * @since 0.1.0
 */
export class PlatformNotFound extends Schema.TaggedError<PlatformNotFound>("@effect-acr/artifacts/PlatformNotFound")(
  "PlatformNotFound",
  {
    /** The platforms without an image, such as `linux/arm64/v8`. */
    wanted: Schema.Array(Schema.String),
    /** The platforms of the index or the image. */
    available: Schema.Array(Schema.String)
  }
) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    const available = this.available.length === 0 ? "no platform is named" : `there are ${this.available.join(", ")}`
    if (this.wanted.length === 0) return `no platform is chosen: ${available}`
    const unread = this.wanted.find((platform) => Result.isFailure(Platform.fromInput(platform)))
    return unread === undefined
      ? `no image for ${this.wanted.join(", ")}: ${available}`
      : `"${unread}" is no platform: expected os/architecture, such as linux/arm64`
  }
}

/** What a copy includes. */
export interface Choice {
  /** The manifest to copy. */
  readonly root: Descriptor
  /** New indexes to put, which the source does not have. */
  readonly made: ReadonlyArray<Manifest.Raw>
  /** The entries of indexes that are not copied. */
  readonly leftOut: ReadonlyMap<Digest.Digest, Descriptor>
}

export const whole = (root: Descriptor): Choice => ({ root, made: [], leftOut: new Map() })

const named = (platform: Platform.Platform): string => Platform.format(platform)

const notFound = (wanted: ReadonlyArray<Platform.Platform>, available: ReadonlyArray<Platform.Platform>) =>
  Effect.fail(new PlatformNotFound({ wanted: wanted.map(named), available: [...new Set(available.map(named))] }))

/** An image outside of an index is copied if it has one of the platforms. */
const ofImage = <E>(
  source: Reader<E>,
  root: Descriptor,
  { blobs: [config] }: GraphNode,
  platforms: ReadonlyArray<Platform.Platform>
): Effect.Effect<Choice, E | PlatformNotFound> =>
  Effect.gen(function* () {
    const read = config === undefined ? Option.none() : Result.getSuccess(yield* readConfig(source, config))
    const platform = Option.flatMap(read, platformOf)
    if (Option.exists(platform, (own) => platforms.some((wanted) => Platform.matches(own, wanted)))) return whole(root)
    return yield* notFound(platforms, Option.toArray(platform))
  })

const decodeDocument = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** An index without some of its entries, and with others changed. Its other fields are unchanged. */
const rewritten = (
  { bytes, descriptor }: Manifest.Raw,
  entryOf: (digest: unknown) => "kept" | "leftOut" | Manifest.Raw,
  startHash: Hasher.Start
): Option.Option<Manifest.Raw> =>
  Option.map(decodeDocument(decoder.decode(bytes)), (document) => {
    const entries: ReadonlyArray<unknown> = Array.isArray(document["manifests"]) ? document["manifests"] : []
    const manifests = entries.flatMap((entry) => {
      if (!Predicate.isObject(entry)) return []
      const changed = entryOf(entry["digest"])
      if (changed === "leftOut") return []
      if (changed === "kept") return [entry]
      return [{ ...entry, digest: changed.descriptor.digest, size: changed.bytes.length }]
    })
    const own = encoder.encode(JSON.stringify({ ...document, manifests }))
    const digest = Hasher.digest(startHash, Digest.algorithm(descriptor.digest), own)
    return { bytes: own, descriptor: { mediaType: descriptor.mediaType, digest, size: own.length } }
  })

/** Rewrites the indexes of a graph, nested ones first. */
const rewrite = <E>(
  source: Reader<E>,
  graph: Graph,
  leftOut: ReadonlyMap<Digest.Digest, Descriptor>
): Effect.Effect<ReadonlyMap<string, Manifest.Raw>, E> =>
  Effect.gen(function* () {
    const startHash = yield* Hasher.Hasher
    const made = new Map<string, Manifest.Raw>()
    const isLeftOut = new Set<string>(leftOut.keys())
    const entryOf = (digest: unknown) => {
      if (typeof digest !== "string" || isLeftOut.has(digest)) return "leftOut"
      return made.get(digest) ?? "kept"
    }
    for (const { children, descriptor } of graph.nodes.values()) {
      if (!children.some(({ digest }) => isLeftOut.has(digest) || made.has(digest))) continue
      const raw = yield* source.manifest(descriptor)
      const index = Option.flatMap(raw, (raw) => rewritten(raw, entryOf, startHash))
      if (Option.isSome(index)) made.set(descriptor.digest, index.value)
    }
    return made
  })

const hooks = {
  // Images are not read to choose among them.
  presence: (manifest: Descriptor) => Effect.succeed(isImage(manifest) ? ("whole" as const) : ("absent" as const)),
  isLeftOut: constFalse
}

/**
 * Chooses the images of some platforms. Entries without a platform, such as attestations, stay if they are about an image that
 * stays.
 */
export const choose = <E>(
  source: Reader<E>,
  root: Descriptor,
  platforms: ReadonlyArray<Platform.Platform>,
  index: "rewrite" | "sparse"
): Effect.Effect<Choice, E | GraphError | PlatformNotFound> =>
  Effect.gen(function* () {
    if (isImage(root)) {
      const graph = yield* walk(source, root, {})
      const node = graph.nodes.get(root.digest)
      return node === undefined ? whole(root) : yield* ofImage(source, root, node, platforms)
    }
    const graph = yield* walk(source, root, {}, hooks)
    const isInner = ({ digest }: Descriptor): boolean => (graph.nodes.get(digest)?.children.length ?? 0) > 0
    const entries = [...graph.nodes.values()].flatMap(({ children }) => children)
    const leaves = entries.filter((entry) => !isInner(entry))
    const { kept, missing } = select(leaves, platforms)
    // An empty list of platforms would leave an empty index.
    if (missing.length > 0 || kept.size === 0) {
      const available = leaves.flatMap(({ platform }) => (platform === undefined ? [] : [platform]))
      return yield* notFound(missing, available)
    }
    const leftOut = new Map<Digest.Digest, Descriptor>()
    // Nested indexes come first, so that an index that becomes empty is left out as well.
    const isLeftOut = (entry: Descriptor): boolean =>
      isInner(entry) ? leftOut.has(entry.digest) : !kept.has(entry.digest)
    for (const { children, descriptor } of graph.nodes.values()) {
      for (const child of children) if (isLeftOut(child)) leftOut.set(child.digest, child)
      if (descriptor.digest !== root.digest && children.length > 0 && children.every(isLeftOut)) {
        leftOut.set(descriptor.digest, descriptor)
      }
    }
    if (index === "sparse" || leftOut.size === 0) return { root, made: [], leftOut }
    const made = yield* rewrite(source, graph, leftOut)
    return { root: made.get(root.digest)?.descriptor ?? root, made: [...made.values()], leftOut }
  })
