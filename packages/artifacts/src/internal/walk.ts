/**
 * Walks the graph of an artifact: level by level, each manifest once.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import { constFalse } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"
import { manifestOrBlob } from "./entry.ts"
import { isImage, isManifest, type References, referencesOf } from "./references.ts"

/**
 * A manifest of a graph.
 *
 * @category models
 * @since 0.1.0
 */
export interface GraphNode {
  /** Its descriptor, with the platform and the annotations of the index that names it, if one does. */
  readonly descriptor: Descriptor
  /** The manifests that it names, in its order. */
  readonly children: ReadonlyArray<Descriptor>
  /** The blobs that it names, in its order. */
  readonly blobs: ReadonlyArray<Descriptor>
  /** Its subject, if it is a referrer. */
  readonly subject: Option.Option<Digest.Digest>
  /** The manifests of the graph that refer to it as their subject. */
  readonly referrers: ReadonlyArray<Digest.Digest>
}

/**
 * The manifests of an artifact, each once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Graph {
  /** The digest of the root manifest. */
  readonly root: Digest.Digest
  /** The manifests by digest, in an order in which they can be put: each after those that it names. */
  readonly nodes: ReadonlyMap<Digest.Digest, GraphNode>
}

/**
 * A graph could not be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class GraphError extends Schema.TaggedError<GraphError>("@effect-acr/artifacts/GraphError")("GraphError", {
  /**
   * `Missing`: a manifest does not exist. `Unreadable`: what a manifest names cannot be determined. `TooDeep` and `TooLarge`: the
   * graph has more levels or more manifests than the limit.
   */
  problem: Schema.Literals(["Missing", "Unreadable", "TooDeep", "TooLarge"]),
  /** The manifests from the root to the one that failed. */
  path: Schema.Array(Digest.Digest),
  /** What happened, for people to read. */
  description: Schema.String
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return this.path.length === 0 ? this.description : `${this.description} (${this.path.join(" > ")})`
  }
}

/**
 * How to read a graph.
 *
 * @category options
 * @since 0.1.0
 */
export interface GraphOptions {
  /** Which referrers of each manifest to follow. Defaults to none. */
  readonly referrers?: {
    /** Their artifact types. Defaults to all. */
    readonly artifactTypes?: ReadonlyArray<string>
    /**
     * How many levels of referrers to follow: 1 follows only direct referrers. Defaults to all. A graph with more than 16 levels of
     * manifests fails with `TooDeep`.
     */
    readonly depth?: number
  }
  /** How many manifests the graph may have. Defaults to 100,000. */
  readonly maxManifests?: number
}

/**
 * What another store has: nothing (`absent`), the manifest itself (`there`), or also all that it names (`whole`). A `whole`
 * manifest is not read, unless referrers are wanted and it is the root or an index.
 */
export type Presence = "absent" | "there" | "whole"

/** A manifest of a graph, compared with what another store has. */
export interface WalkedNode extends GraphNode {
  readonly presence: Presence
  /** Whether it names manifests that are left out of the graph. */
  readonly isSparse: boolean
}

/** A graph, compared with what another store has. */
export interface Walked extends Graph {
  readonly nodes: ReadonlyMap<Digest.Digest, WalkedNode>
}

/** Options of a walk for copies. */
export interface Hooks<out E> {
  /** What the other store has of a manifest. */
  readonly presence: (manifest: Descriptor) => Effect.Effect<Presence, E>
  /** Whether an entry of an index is left out. */
  readonly isLeftOut: (manifest: Descriptor) => boolean
}

/** Indexes of indexes have two levels, and the signature of an SBOM two more. */
const mostLevels = 16

/** The most manifests of a graph, and of a list of referrers, which may have no end. */
export const defaultMaxManifests = 100_000

/** The limit of all manifests together, in bytes. Their descriptors are kept, which takes a few times as much memory. */
const mostBytes = 256 * 1024 * 1024

/** Manifests that are read at the same time. */
const readsAtOnce = 8

/** A manifest that is still to be read. */
interface Step {
  readonly descriptor: Descriptor
  /** The digests from the root to this one. */
  readonly path: ReadonlyArray<Digest.Digest>
  /** How many subject edges lie between the root and this one. */
  readonly referrersDepth: number
  /** Whether the other store has the index that names it, with all that the index names. */
  readonly isWhole: boolean
}

/** The result of a step. A blob is an entry of an index that is not a manifest. */
type Found =
  | { readonly _tag: "Blob"; readonly step: Step }
  | { readonly _tag: "Manifest"; readonly step: Step; readonly node: WalkedNode; readonly next: ReadonlyArray<Step> }

const fail = (problem: GraphError["problem"], path: Step["path"], description: string) =>
  Effect.fail(new GraphError({ problem, path, description }))

const wants =
  (types: ReadonlyArray<string> | undefined) =>
  ({ artifactType }: Descriptor): boolean =>
    types === undefined || (artifactType !== undefined && types.includes(artifactType))

/** The referrers of a manifest to follow. */
const referrersOf = <E>(
  reader: Reader<E>,
  { descriptor, referrersDepth }: Step,
  { maxManifests: most = defaultMaxManifests, referrers }: GraphOptions
): Effect.Effect<ReadonlyArray<Descriptor>, E> => {
  if (referrers === undefined || referrersDepth >= (referrers.depth ?? Infinity)) return Effect.succeed([])
  const { artifactTypes } = referrers
  // A store can filter by one type.
  const [only, ...others] = artifactTypes ?? []
  const listed = reader.referrers(
    descriptor.digest,
    only !== undefined && others.length === 0 ? { artifactType: only } : {}
  )
  // A list may have no end.
  return listed.pipe(Stream.filter(wants(artifactTypes)), Stream.take(most + 1), Stream.runCollect)
}

const follow = ({ path }: Step, descriptor: Descriptor, referrersDepth: number, isWhole: boolean): Step => ({
  descriptor,
  path: [...path, descriptor.digest],
  referrersDepth,
  isWhole
})

/** What a manifest names. */
const namedBy = (raw: Manifest.Raw, step: Step): Effect.Effect<References, GraphError> => {
  const type = MediaType.essence(raw.descriptor.mediaType)
  return Result.match(referencesOf(raw), {
    onFailure: (problem) =>
      fail("Unreadable", step.path, `it is not known what a manifest of type ${type} names: ${problem}`),
    onSuccess: Effect.succeed
  })
}

const nothingNamed: References = { manifests: [], blobs: [] }

const visit = <E, E2>(
  reader: Reader<E>,
  step: Step,
  options: GraphOptions,
  hooks: Hooks<E2>
): Effect.Effect<Found, E | E2 | GraphError> =>
  Effect.gen(function* () {
    const { descriptor, path, referrersDepth } = step
    if (path.length > mostLevels)
      return yield* fail("TooDeep", path, `manifests are nested more than ${mostLevels} deep`)
    // A store that is asked whether it has a blob as a manifest may fail.
    const mayBeBlob = path.length > 1 && !isManifest(descriptor)
    const presence = step.isWhole ? "whole" : mayBeBlob ? "absent" : yield* hooks.presence(descriptor)
    // The root may be a referrer itself, whose subject only its manifest names.
    const mayNameSubject = path.length === 1 || !isImage(descriptor)
    const isRead = presence !== "whole" || (options.referrers !== undefined && mayNameSubject)
    const reading = isRead ? reader.manifest(descriptor) : Effect.succeedNone
    const read = yield* mayBeBlob && isRead ? manifestOrBlob(reader, descriptor, reading) : reading
    if (read._tag === "Blob") return { _tag: "Blob", step }
    if (isRead && Option.isNone(read))
      return yield* fail("Missing", path, `the manifest ${descriptor.digest} is not there`)
    const named = Option.isSome(read) ? yield* namedBy(read.value, step) : nothingNamed
    const children = named.manifests.filter((child) => !hooks.isLeftOut(child))
    const referrers = yield* referrersOf(reader, step, options)
    return {
      _tag: "Manifest",
      step,
      node: {
        descriptor: Option.isSome(read) ? { ...descriptor, ...read.value.descriptor } : descriptor,
        children,
        blobs: named.blobs,
        subject: Option.map(Option.flatMap(read, Referrer.fromManifest), ({ subject }) => subject),
        referrers: referrers.map(({ digest }) => digest),
        presence,
        isSparse: children.length < named.manifests.length
      },
      next: [
        ...children.map((child) => follow(step, child, referrersDepth, presence === "whole")),
        ...referrers.map((referrer) => follow(step, referrer, referrersDepth + 1, false))
      ]
    }
  })

/** Entries of an index that turned out to be blobs are blobs of the index. */
const withBlobs = (node: WalkedNode, isBlob: (digest: Digest.Digest) => boolean): WalkedNode => ({
  ...node,
  children: node.children.filter(({ digest }) => !isBlob(digest)),
  blobs: [...node.blobs, ...node.children.filter(({ digest }) => isBlob(digest))]
})

/** Whether a manifest may have a given subject. The subject of a manifest that was not read is unknown. */
const mayBeAbout = ({ presence, subject }: WalkedNode, digest: Digest.Digest): boolean =>
  presence === "whole" ? Option.isNone(subject) || subject.value === digest : Option.contains(subject, digest)

/** A list of referrers may name manifests that have another subject. */
const withoutStrangers = (node: WalkedNode, nodes: ReadonlyMap<Digest.Digest, WalkedNode>): WalkedNode => ({
  ...node,
  referrers: node.referrers.filter((digest) => {
    const referrer = nodes.get(digest)
    return referrer !== undefined && mayBeAbout(referrer, node.descriptor.digest)
  })
})

/** The nodes in an order in which each comes after those that it names, and referrers after their subjects. */
const ordered = (
  root: Digest.Digest,
  nodes: ReadonlyMap<Digest.Digest, WalkedNode>
): ReadonlyMap<Digest.Digest, WalkedNode> => {
  const placed = new Map<Digest.Digest, WalkedNode>()
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

const noHooks: Hooks<never> = {
  presence: () => Effect.succeed("absent"),
  isLeftOut: constFalse
}

/** Reads the graph that begins with a manifest. */
export const walk = <E, E2 = never>(
  reader: Reader<E>,
  root: Descriptor,
  options: GraphOptions,
  hooks: Hooks<E2> = noHooks
): Effect.Effect<Walked, E | E2 | GraphError> =>
  Effect.gen(function* () {
    const { maxManifests: most = defaultMaxManifests } = options
    const nodes = new Map<Digest.Digest, WalkedNode>()
    const blobs = new Set<Digest.Digest>()
    const seen = new Set<Digest.Digest>([root.digest])
    let bytes = 0
    let listed = 0

    /** Counts immediately, since a single level may exceed the memory. */
    const counted = (one: Found): Effect.Effect<Found, GraphError> =>
      Effect.suspend((): Effect.Effect<Found, GraphError> => {
        if (one._tag === "Blob") return Effect.succeed(one)
        const { node, step } = one
        listed += node.referrers.length
        // A manifest has one subject, so that there are at most as many referrers as manifests.
        if (listed > most) return fail("TooLarge", step.path, `the graph lists more than ${most} referrers`)
        if (node.presence !== "whole") bytes += node.descriptor.size
        if (bytes <= mostBytes) return Effect.succeed(one)
        return fail("TooLarge", step.path, `the manifests of the graph have more than ${mostBytes} bytes`)
      })

    let level: ReadonlyArray<Step> = [{ descriptor: root, path: [root.digest], referrersDepth: 0, isWhole: false }]
    while (level.length > 0) {
      const found = yield* Effect.forEach(
        level,
        (step) => Effect.flatMap(visit(reader, step, options, hooks), counted),
        {
          concurrency: readsAtOnce
        }
      )
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
    const all = new Map(
      Array.from(nodes, ([digest, node]) => [digest, withoutStrangers(withBlobs(node, isBlob), nodes)] as const)
    )
    return { root: root.digest, nodes: ordered(root.digest, all) }
  })
