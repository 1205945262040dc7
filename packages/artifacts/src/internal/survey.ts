/**
 * Reads the manifests of several artifacts, each once, and continues if one is missing or unreadable.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"
import { manifestOrBlob } from "./entry.ts"
import { isManifest, type References, referencesOf } from "./references.ts"
import { type Finding, type Reading, readingOf } from "./validation/finding.ts"
import { type Graph, GraphError, type GraphNode } from "./walk.ts"

/** What was read. */
export interface Survey {
  /** The manifests that were read, by digest, without missing ones. */
  readonly nodes: ReadonlyMap<Digest.Digest, GraphNode>
  /** The manifests from a root to a manifest. */
  readonly paths: ReadonlyMap<Digest.Digest, ReadonlyArray<Digest.Digest>>
  /** What is wrong with manifests. */
  readonly findings: ReadonlyArray<Finding>
}

/** How to read. */
export interface Options {
  /** Whether to list the referrers of each manifest. */
  readonly withReferrers: boolean
}

/** A manifest to read. */
interface Step {
  readonly descriptor: Descriptor
  /** The digests from the root to this one. */
  readonly path: ReadonlyArray<Digest.Digest>
  /** How many subject edges lie between the root and this one. */
  readonly referrersDepth: number
}

type Found =
  | { readonly _tag: "Blob" }
  | { readonly _tag: "Nothing"; readonly finding: Finding }
  | {
      readonly _tag: "Manifest"
      readonly node: GraphNode
      readonly findings: ReadonlyArray<Finding>
      readonly next: ReadonlyArray<Step>
    }

/** Indexes of indexes have two levels. */
const mostLevels = 16

/** Signatures of SBOMs of images. */
const mostReferrersDepth = 4

const mostManifests = 100_000

/** Manifests that are read at the same time. */
const readsAtOnce = 8

const findingOf = ({ descriptor, path }: Step, reading: Reading): Finding => ({
  kind: "manifest",
  digest: descriptor.digest,
  path: path.slice(0, -1),
  ...reading
})

/** An error about the content of a manifest becomes a finding. */
const findingInstead = <A, E>(reading: Effect.Effect<A, E>): Effect.Effect<Result.Result<A, Reading>, E> =>
  reading.pipe(
    Effect.map((read) => Result.succeed(read)),
    Effect.catch((error) => {
      const found = readingOf(error)
      return found === undefined ? Effect.fail(error) : Effect.succeed(Result.fail(found))
    })
  )

/** What is wrong with a manifest, apart from what it names. */
const differences = (step: Step, { bytes, descriptor }: Manifest.Raw): ReadonlyArray<Finding> => {
  const wanted = step.descriptor
  const expectedType = MediaType.essence(wanted.mediaType)
  const actualType = MediaType.essence(descriptor.mediaType)
  return [
    ...(wanted.size === bytes.length
      ? []
      : [
          findingOf(step, {
            problem: "SizeDiffers",
            description: "it has another size than the manifest that names it states",
            expected: String(wanted.size),
            actual: String(bytes.length)
          })
        ]),
    ...(expectedType === actualType
      ? []
      : [
          findingOf(step, {
            problem: "MediaTypeDiffers",
            description: "it has another media type than the manifest that names it states",
            expected: expectedType,
            actual: actualType
          })
        ])
  ]
}

const nothingNamed: References = { manifests: [], blobs: [] }

const visit = <E>(reader: Reader<E>, step: Step, { withReferrers }: Options): Effect.Effect<Found, E | GraphError> =>
  Effect.gen(function* () {
    const { descriptor, path, referrersDepth } = step
    if (path.length > mostLevels) {
      const description = `manifests are nested more than ${mostLevels} deep`
      return yield* new GraphError({ problem: "TooDeep", path, description })
    }
    const mayBeBlob = path.length > 1 && !isManifest(descriptor)
    const reading = reader.manifest(descriptor)
    const read = yield* findingInstead(mayBeBlob ? manifestOrBlob(reader, descriptor, reading) : reading)
    if (Result.isFailure(read)) return { _tag: "Nothing", finding: findingOf(step, read.failure) }
    if (read.success._tag === "Blob") return { _tag: "Blob" }
    if (Option.isNone(read.success)) {
      return { _tag: "Nothing", finding: findingOf(step, { problem: "Missing", description: "it is not there" }) }
    }
    const raw = read.success.value
    const named = referencesOf(raw)
    const { blobs, manifests } = Result.getOrElse(named, () => nothingNamed)
    const unreadable = Result.isFailure(named)
      ? [findingOf(step, { problem: "Unreadable", description: `it is not known what it names: ${named.failure}` })]
      : []
    const listed =
      withReferrers && referrersDepth < mostReferrersDepth
        ? yield* Stream.runCollect(Stream.take(reader.referrers(descriptor.digest), mostManifests))
        : []
    const follow = (next: Descriptor, depth: number): Step => ({
      descriptor: next,
      path: [...path, next.digest],
      referrersDepth: depth
    })
    return {
      _tag: "Manifest",
      node: {
        descriptor: { ...descriptor, ...raw.descriptor },
        children: manifests,
        blobs,
        subject: Option.map(Referrer.fromManifest(raw), ({ subject }) => subject),
        referrers: listed.map(({ digest }) => digest)
      },
      findings: [...differences(step, raw), ...unreadable],
      next: [
        ...manifests.map((child) => follow(child, referrersDepth)),
        ...listed.map((referrer) => follow(referrer, referrersDepth + 1))
      ]
    }
  })

/** A list of referrers may name manifests that have another subject. */
const settled = (
  node: GraphNode,
  nodes: ReadonlyMap<Digest.Digest, GraphNode>,
  blobs: ReadonlySet<Digest.Digest>
): GraphNode => ({
  ...node,
  children: node.children.filter(({ digest }) => !blobs.has(digest)),
  blobs: [...node.blobs, ...node.children.filter(({ digest }) => blobs.has(digest))],
  referrers: node.referrers.filter((digest) =>
    Option.contains(
      Option.flatMap(Option.fromUndefinedOr(nodes.get(digest)), ({ subject }) => subject),
      node.descriptor.digest
    )
  )
})

/** Reads manifests and what they name, level by level. */
export const survey = <E>(
  reader: Reader<E>,
  roots: ReadonlyArray<Descriptor>,
  options: Options
): Effect.Effect<Survey, E | GraphError> =>
  Effect.gen(function* () {
    const nodes = new Map<Digest.Digest, GraphNode>()
    const paths = new Map<Digest.Digest, ReadonlyArray<Digest.Digest>>()
    const blobs = new Set<Digest.Digest>()
    const findings: Array<Finding> = []
    const seen = new Set<Digest.Digest>()
    const unseen = (steps: ReadonlyArray<Step>): ReadonlyArray<Step> =>
      steps.filter(({ descriptor: { digest } }) => {
        if (seen.has(digest)) return false
        seen.add(digest)
        return true
      })
    let level = unseen(roots.map((descriptor) => ({ descriptor, path: [descriptor.digest], referrersDepth: 0 })))
    while (level.length > 0) {
      if (seen.size > mostManifests) {
        const description = `there are more than ${mostManifests} manifests`
        return yield* new GraphError({ problem: "TooLarge", path: [], description })
      }
      const found = yield* Effect.forEach(
        level,
        (step) => Effect.map(visit(reader, step, options), (one) => ({ step, one })),
        { concurrency: readsAtOnce }
      )
      const next: Array<Step> = []
      for (const { one, step } of found) {
        const { digest } = step.descriptor
        if (one._tag === "Blob") blobs.add(digest)
        if (one._tag === "Nothing") findings.push(one.finding)
        if (one._tag !== "Manifest") continue
        nodes.set(digest, one.node)
        paths.set(digest, step.path)
        findings.push(...one.findings)
        next.push(...one.next)
      }
      level = unseen(next)
    }
    return {
      nodes: new Map(Array.from(nodes, ([digest, node]) => [digest, settled(node, nodes, blobs)] as const)),
      paths,
      findings
    }
  })

/** The graph of one root: the manifests that it names and their referrers, as far as they were read. */
export const graphOf = (nodes: ReadonlyMap<Digest.Digest, GraphNode>, root: Digest.Digest): Graph => {
  const own = new Map<Digest.Digest, GraphNode>()
  const waiting = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const node = nodes.get(next)
    if (node === undefined || own.has(next)) continue
    own.set(next, node)
    waiting.push(...node.children.map(({ digest }) => digest), ...node.referrers)
  }
  return { root, nodes: own }
}
