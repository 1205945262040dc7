/**
 * Puts the manifests of a graph and their blobs, each once and in an order that a store accepts.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import * as Predicate from "effect/Predicate"
import { type ContentStore, MissingContent, type Origin, type Reader } from "../../ContentStore.ts"
import { at, type CopyError } from "../../CopyError.ts"
import { isForeign } from "../references.ts"
import { GraphError, type Hooks, walk, type Walked, type WalkedNode } from "../walk.ts"
import { putRepaired } from "../repair.ts"
import { sourceOf } from "./content.ts"
import * as Onces from "./onces.ts"
import type { CopiedNode, Event } from "./report.ts"
import { isAskedFreely, marking, OfSource } from "../sides.ts"

/** Faults that the engine itself finds. */
export type Fault = GraphError | MissingContent

/** The source, the target and the options of a copy. */
export interface Job<out E1, out E2> {
  readonly source: Reader<E1>
  readonly target: ContentStore<E2>
  /** Repositories from which the target may mount blobs, the likeliest first. */
  readonly mountFrom: ReadonlyArray<Origin>
  /** How many blobs are sent at the same time. */
  readonly concurrency: number
  readonly withForeignLayers: boolean
  readonly isLeftOut: Hooks<never>["isLeftOut"]
  readonly emit: (event: Event) => Effect.Effect<void>
}

/**
 * Manifests that are put at the same time. Where clients maintain the list of referrers, those that wait are listed together, and
 * each replacement of the list takes a wait of up to 300 milliseconds.
 */
const putsAtOnce = 32

export const missing = (description: string, path: ReadonlyArray<Digest.Digest>) =>
  new GraphError({ problem: "Missing", path, description })

/**
 * Whether a store found that content does not match its digest. The store hashes what the source returns, so that the source is
 * at fault, unless a registry reports the mismatch in a response.
 */
const isOfContent = (error: unknown): boolean =>
  Predicate.hasProperty(error, "reason") &&
  (Predicate.isTagged(error.reason, "ContentMismatch") || Predicate.isTagged(error.reason, "ContentDiffers")) &&
  !(Predicate.hasProperty(error, "response") && error.response !== undefined)

/** Each content once: an image may have a layer twice. */
const distinct = (blobs: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> => [
  ...new Map(blobs.map((blob) => [blob.digest, blob])).values()
]

export const make = <E1, E2>(job: Job<E1, E2>) => {
  type Failure = CopyError<E1 | E2 | Fault>
  const { emit, source, target } = job
  const done = new Map<string, CopiedNode>()
  const blobs = Onces.make<void, Failure>()
  const manifests = Onces.make<void, Failure>()
  // With one partition, it wakes only the blob that is next. A plain semaphore looks at all that wait, each time that one ends.
  const sending = PartitionedSemaphore.makeUnsafe<"blobs">({ permits: job.concurrency })

  const failed = (side: "source" | "target", { digest }: Pick<Descriptor, "digest">) =>
    at(side, Option.some(digest))<E1 | E2 | Fault>

  const note = (
    kind: CopiedNode["kind"],
    { digest, mediaType, size }: Descriptor,
    outcome: Pick<CopiedNode, "outcome" | "reason">
  ): Effect.Effect<void> => {
    const node: CopiedNode = { digest, kind, mediaType, size, ...outcome }
    done.set(`${kind} ${digest}`, node)
    return emit({ _tag: "NodeDone", node })
  }

  const sendBlob = (blob: Descriptor): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      let isRead = false
      const content = marking(yield* sourceOf(source, blob), {
        onOpen: () => {
          isRead = true
        },
        onRead: (bytes) => emit({ _tag: "Progress", digest: blob.digest, bytes, size: blob.size })
      })
      const outcome = yield* Effect.mapError(target.putBlob(blob, content, { from: job.mountFrom }), (error) =>
        error instanceof OfSource
          ? failed("source", blob)(error.cause)
          : failed(isRead && isOfContent(error) ? "source" : "target", blob)(error)
      )
      yield* note("blob", blob, { outcome })
    }).pipe(sending.withPermit("blobs"))

  const copyBlob = (blob: Descriptor): Effect.Effect<void, Failure> =>
    blobs.run(
      blob.digest,
      isForeign(blob) && !job.withForeignLayers
        ? note("blob", blob, { outcome: "skipped", reason: "foreign" })
        : sendBlob(blob)
    )

  const copyBlobs = (node: WalkedNode) =>
    Effect.forEach(node.blobs, copyBlob, { concurrency: "unbounded", discard: true })

  const rawOf = ({ descriptor }: WalkedNode): Effect.Effect<Manifest.Raw, Failure> =>
    source.manifest(descriptor).pipe(
      Effect.flatMap((raw) =>
        Effect.fromOption(raw, () => missing(`${descriptor.digest} is no longer there`, [descriptor.digest]))
      ),
      Effect.mapError(failed("source", descriptor))
    )

  /** Puts a manifest unchanged, regardless of what the target may lack. */
  const putRaw = ({ isSparse }: WalkedNode, raw: Manifest.Raw, tags: ReadonlyArray<string>) =>
    target.putManifest(raw, { tags, isSparse })

  /** Sends blobs without checking whether they were sent before. A target never lacks layers that may not be distributed. */
  const sendAgain = (again: ReadonlyArray<Descriptor>): Effect.Effect<void, Failure> =>
    Effect.forEach(
      again.filter((blob) => job.withForeignLayers || !isForeign(blob)),
      sendBlob,
      { concurrency: "unbounded", discard: true }
    )

  /** Puts a graph again without checking what the target has. */
  const putAgain = (graph: Walked): Effect.Effect<void, Failure> =>
    Effect.forEach(
      graph.nodes.values(),
      (node) =>
        Effect.gen(function* () {
          yield* sendAgain(node.blobs)
          const raw = yield* rawOf(node)
          yield* Effect.mapError(putRaw(node, raw, []), failed("target", node.descriptor))
          yield* note("manifest", node.descriptor, { outcome: "sent" })
        }),
      { discard: true }
    )

  /** Puts a manifest that another one names, with all below it. */
  const putChildAgain = (child: Descriptor): Effect.Effect<void, Failure> =>
    walk(source, child, {}, { presence: () => Effect.succeed("absent"), isLeftOut: job.isLeftOut }).pipe(
      Effect.mapError(failed("source", child)),
      Effect.flatMap(putAgain)
    )

  /** Puts a manifest, and content that it names if the target lacks that although it seemed present. */
  const put = (node: WalkedNode, tags: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const { blobs, children, descriptor } = node
      const raw = yield* rawOf(node)
      const toFailure = failed("target", descriptor)
      const parts = [
        ...children.map((child) => ({ ...child, putAgain: putChildAgain(child) })),
        ...distinct(blobs).map((blob) => ({ ...blob, putAgain: sendAgain([blob]) }))
      ]
      yield* putRepaired(
        () =>
          Effect.mapError(putRaw(node, raw, tags), (error) =>
            error instanceof MissingContent ? error : toFailure(error)
          ),
        parts
      ).pipe(Effect.mapError((error) => (error instanceof MissingContent ? toFailure(error) : error)))
    })

  const copyNode = (
    node: WalkedNode,
    tags: ReadonlyArray<string>,
    nodes: Walked["nodes"]
  ): Effect.Effect<void, Failure> =>
    Effect.gen(function* () {
      const { children, descriptor, presence, subject } = node
      // They come before it in the graph, so that all of them have been started.
      for (const { digest } of children) yield* manifests.wait(digest)
      if (Option.isSome(subject) && subject.value !== descriptor.digest) yield* manifests.wait(subject.value)
      if (presence !== "whole") yield* copyBlobs(node)
      // A layout lists manifests on their own until an index that names them is put.
      const isFilled =
        presence === "there" &&
        isAskedFreely(target) &&
        children.some(({ digest }) => nodes.get(digest)?.presence === "absent")
      if (presence === "absent" || isFilled || tags.length > 0) yield* put(node, tags)
      yield* note("manifest", descriptor, { outcome: presence === "absent" ? "sent" : "present" })
    })

  return {
    /** The nodes done so far, in order. */
    nodes: (): ReadonlyArray<CopiedNode> => [...done.values()],
    skip: (manifest: Descriptor, reason: NonNullable<CopiedNode["reason"]>): Effect.Effect<void> =>
      note("manifest", manifest, { outcome: "skipped", reason }),
    put,
    /** Copies a graph. Putting its root sets these tags. */
    copy: (graph: Walked, tags: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
      Effect.gen(function* () {
        // Several cosign tags may name one manifest, which was put with only the first of them.
        const again = manifests.has(graph.root) && tags.length > 0 ? graph.nodes.get(graph.root) : undefined
        yield* Effect.forEach(
          graph.nodes.values(),
          (node) => {
            const { digest } = node.descriptor
            return manifests.run(digest, copyNode(node, digest === graph.root ? tags : [], graph.nodes))
          },
          { concurrency: putsAtOnce, discard: true }
        )
        if (again !== undefined) yield* put(again, tags)
      })
  }
}
