/**
 * An artifact as a graph: its manifests, what they name, and what refers to them.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Reader } from "./ContentStore.ts"
import { isManifest, referencesOf } from "./internal/references.ts"

/**
 * A manifest of a graph.
 *
 * @category models
 * @since 0.1.0
 */
export interface Node {
  /** Its descriptor, with the platform and the annotations of the index that names it, if one does. */
  readonly descriptor: Descriptor
  /** The manifests that it names, in its order. */
  readonly children: ReadonlyArray<Descriptor>
  /** The blobs that it names, in its order. */
  readonly blobs: ReadonlyArray<Descriptor>
  /** The manifest that it is about, if it is a referrer. */
  readonly subject: Option.Option<Digest.Digest>
  /** The manifests of the graph that are about it. */
  readonly referrers: ReadonlyArray<Digest.Digest>
}

/**
 * The manifests of an artifact, each once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Graph {
  /** The digest of the manifest that the graph begins with. */
  readonly root: Digest.Digest
  /** The manifests by their digests, in the order in which they can be put: each after those that it names. */
  readonly nodes: ReadonlyMap<Digest.Digest, Node>
}

/**
 * What cannot be followed in a graph.
 *
 * @category errors
 * @since 0.1.0
 */
export class GraphError extends Schema.TaggedError<GraphError>("@effect-acr/artifacts/GraphError")("GraphError", {
  /**
   * `Missing`: a manifest that another one names is not there. `Unreadable`: it is not known what a manifest names.
   * `TooDeep` and `TooLarge`: the graph has more levels or more manifests than the limit.
   */
  problem: Schema.Literals(["Missing", "Unreadable", "TooDeep", "TooLarge"]),
  /** The manifests from the root to the one that is concerned. */
  path: Schema.Array(Digest.Digest),
  /** What happened, for a person to read. */
  description: Schema.String
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return `${this.description} (${this.path.join(" > ")})`
  }
}

/**
 * How to read a graph.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Which referrers to follow, from each manifest. Defaults to none. */
  readonly referrers?: {
    /** Their artifact types. Defaults to all. */
    readonly artifactTypes?: ReadonlyArray<string>
    /** How many referrers may refer to each other in a row, at least 1. Defaults to 4. */
    readonly depth?: number
  }
  /** How many manifests the graph may have. Defaults to 100,000. */
  readonly maxManifests?: number
}

/** Indexes of indexes have two levels. */
const mostLevels = 16

const defaultReferrersDepth = 4
const defaultMaxManifests = 100_000

/** Manifests that are read at the same time. */
const readsAtOnce = 8

/** A manifest that is still to be read. */
interface Step {
  readonly descriptor: Descriptor
  /** The digests from the root to this one. */
  readonly path: ReadonlyArray<Digest.Digest>
  /** How many subject edges lie between the root and this one. */
  readonly referrersDepth: number
}

/** What a step has found. A blob is an entry of an index that is no manifest. */
type Found =
  | { readonly _tag: "Blob"; readonly step: Step }
  | { readonly _tag: "Manifest"; readonly step: Step; readonly node: Node; readonly next: ReadonlyArray<Step> }

const fail = (problem: GraphError["problem"], path: Step["path"], description: string) =>
  Effect.fail(new GraphError({ problem, path, description }))

const wants =
  (types: ReadonlyArray<string> | undefined) =>
  ({ artifactType }: Descriptor): boolean =>
    types === undefined || (artifactType !== undefined && types.includes(artifactType))

/** The referrers of a manifest that are to be followed. */
const referrersOf = <E>(
  reader: Reader<E>,
  { descriptor, referrersDepth }: Step,
  { referrers }: Options
): Effect.Effect<ReadonlyArray<Descriptor>, E> => {
  if (referrers === undefined || referrersDepth >= (referrers.depth ?? defaultReferrersDepth)) return Effect.succeed([])
  const { artifactTypes } = referrers
  // A store can leave out what is of no interest, if that is one type.
  const [only, ...others] = artifactTypes ?? []
  const listed = reader.referrers(
    descriptor.digest,
    only !== undefined && others.length === 0 ? { artifactType: only } : {}
  )
  return Stream.runCollect(Stream.filter(listed, wants(artifactTypes)))
}

const nodeOf = (
  step: Step,
  raw: Manifest.Raw,
  referrers: ReadonlyArray<Descriptor>
): Effect.Effect<Extract<Found, { readonly _tag: "Manifest" }>, GraphError> =>
  Effect.gen(function* () {
    const { descriptor, path, referrersDepth } = step
    const named = referencesOf(raw)
    if (Result.isFailure(named)) {
      const type = MediaType.essence(raw.descriptor.mediaType)
      return yield* fail("Unreadable", path, `it is not known what a manifest of type ${type} names: ${named.failure}`)
    }
    const { blobs, manifests } = named.success
    const follow = (descriptor: Descriptor, depth: number): Step => ({
      descriptor,
      path: [...path, descriptor.digest],
      referrersDepth: depth
    })
    return {
      _tag: "Manifest",
      step,
      node: {
        descriptor: { ...descriptor, ...raw.descriptor },
        children: manifests,
        blobs,
        subject: Option.map(Referrer.fromManifest(raw), ({ subject }) => subject),
        referrers: referrers.map(({ digest }) => digest)
      },
      next: [
        ...manifests.map((child) => follow(child, referrersDepth)),
        ...referrers.map((referrer) => follow(referrer, referrersDepth + 1))
      ]
    }
  })

const visit = <E>(reader: Reader<E>, step: Step, options: Options): Effect.Effect<Found, E | GraphError> =>
  Effect.gen(function* () {
    const { descriptor, path } = step
    if (path.length > mostLevels)
      return yield* fail("TooDeep", path, `manifests are nested more than ${mostLevels} deep`)
    const raw = yield* reader.manifest(descriptor)
    if (Option.isSome(raw)) return yield* nodeOf(step, raw.value, yield* referrersOf(reader, step, options))
    // An index may list blobs, under types that need not be known.
    if (!isManifest(descriptor) && path.length > 1 && (yield* reader.has(descriptor))) return { _tag: "Blob", step }
    return yield* fail("Missing", path, `the manifest ${descriptor.digest} is not there`)
  })

/** Entries of an index that turned out to be blobs are blobs of the index. */
const withBlobs = (node: Node, isBlob: (digest: Digest.Digest) => boolean): Node => ({
  ...node,
  children: node.children.filter(({ digest }) => !isBlob(digest)),
  blobs: [...node.blobs, ...node.children.filter(({ digest }) => isBlob(digest))]
})

/** The nodes in an order in which each comes after those that it names, and referrers after their subjects. */
const ordered = (root: Digest.Digest, nodes: ReadonlyMap<Digest.Digest, Node>): ReadonlyMap<Digest.Digest, Node> => {
  const placed = new Map<Digest.Digest, Node>()
  const entered = new Set<Digest.Digest>()
  const waiting: Array<{ readonly digest: Digest.Digest; readonly isDone: boolean }> = [{ digest: root, isDone: false }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { digest, isDone } = next
    const node = nodes.get(digest)
    if (node === undefined) continue
    if (isDone) {
      placed.set(digest, node)
      for (const referrer of node.referrers.toReversed()) waiting.push({ digest: referrer, isDone: false })
    } else if (!entered.has(digest)) {
      entered.add(digest)
      waiting.push({ digest, isDone: true })
      for (const child of node.children.toReversed()) waiting.push({ digest: child.digest, isDone: false })
    }
  }
  return placed
}

/**
 * Reads the graph of an artifact: the manifest, those that it names, and their referrers if they are wanted. Fails with
 * `GraphError` if a manifest is missing or cannot be read.
 *
 * **Details**
 *
 * Manifests are read, blobs are not. Each manifest is read once, however many others name it. Descriptors are kept, and the
 * bytes of manifests are not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = <E>(
  reader: Reader<E>,
  root: Descriptor,
  options: Options = {}
): Effect.Effect<Graph, E | GraphError> =>
  Effect.gen(function* () {
    const most = options.maxManifests ?? defaultMaxManifests
    const nodes = new Map<Digest.Digest, Node>()
    const blobs = new Set<Digest.Digest>()
    const seen = new Set<Digest.Digest>([root.digest])
    let level: ReadonlyArray<Step> = [{ descriptor: root, path: [root.digest], referrersDepth: 0 }]
    while (level.length > 0) {
      const found = yield* Effect.forEach(level, (step) => visit(reader, step, options), { concurrency: readsAtOnce })
      const next: Array<Step> = []
      for (const one of found) {
        if (one._tag === "Blob") {
          blobs.add(one.step.descriptor.digest)
          continue
        }
        nodes.set(one.step.descriptor.digest, one.node)
        for (const step of one.next) {
          if (seen.has(step.descriptor.digest)) continue
          seen.add(step.descriptor.digest)
          next.push(step)
          if (seen.size > most) return yield* fail("TooLarge", step.path, `the graph has more than ${most} manifests`)
        }
      }
      level = next
    }
    const isBlob = (digest: Digest.Digest) => blobs.has(digest)
    const all = new Map(Array.from(nodes, ([digest, node]) => [digest, withBlobs(node, isBlob)] as const))
    return { root: root.digest, nodes: ordered(root.digest, all) }
  })

/**
 * The blobs of a graph, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const blobs = ({ nodes }: Graph): ReadonlyArray<Descriptor> => {
  const all = new Map<Digest.Digest, Descriptor>()
  for (const { blobs } of nodes.values()) {
    for (const blob of blobs) if (!all.has(blob.digest)) all.set(blob.digest, blob)
  }
  return [...all.values()]
}

/**
 * The size of a graph in bytes: its manifests, and its blobs, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (graph: Graph): number =>
  [...graph.nodes.values()].reduce((sum, { descriptor }) => sum + descriptor.size, 0) +
  blobs(graph).reduce((sum, { size }) => sum + size, 0)
