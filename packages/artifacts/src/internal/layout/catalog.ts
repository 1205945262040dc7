/**
 * The index of a layout on disk: read again after it changed, and changed under the lock.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Referrer from "@effect-acr/client/Referrer"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { MissingContent } from "../../ContentStore.ts"
import { ContentMissing, InvalidIndex, LayoutError, Locked } from "../../LayoutError.ts"
import type { References } from "../references.ts"
import type * as ContentFiles from "./content.ts"
import * as Disk from "./disk.ts"
import * as Index from "./index.ts"
import type * as Locks from "./lock.ts"

export type Change =
  | {
      readonly _tag: "Put"
      readonly descriptor: Descriptor
      readonly tags: ReadonlyArray<string>
      /** The content that must exist. */
      readonly needed: References
      readonly referrer: Option.Option<Referrer.Referrer>
    }
  | { readonly _tag: "Untag"; readonly tag: string }
  | {
      readonly _tag: "Remove"
      readonly digest: Digest.Digest
      readonly referrer: Option.Option<Referrer.Referrer>
    }

/** Changes that are kept until a batch ends. */
interface Batch {
  readonly index: Index.Index
  readonly changes: Array<Change>
  /** Manifests that are removed when the batch ends. */
  readonly removed: Set<Digest.Digest>
  /** Whether the batch still collects changes. A fiber may outlive the batch in which it began. */
  isOpen: boolean
}

/** The batches in which a fiber runs, by the layouts that they are for. */
const CurrentBatches = Context.Reference<ReadonlyMap<object, Batch>>(
  "@effect-acr/artifacts/ImageLayout/CurrentBatches",
  {
    defaultValue: () => new Map()
  }
)

/** How often a change is repeated if its lock was lost before it was published. */
const mostAttempts = 5

/** The tags of an index, without those of lists of referrers. */
export const tagsIn = (index: Index.Index): ReadonlyArray<string> =>
  index.tags().filter((tag) => !index.find(tag).every((found) => Referrer.mayBeList(tag, found)))

/** The entries of manifests that no tag names, each once. */
export const untaggedIn = (index: Index.Index): ReadonlyArray<Descriptor> => {
  const tagged = new Set(index.tags().flatMap((tag) => index.find(tag).map(({ digest }) => digest)))
  const untagged = index.entries().filter(({ digest }) => !tagged.has(digest))
  return Array.from(new Map(untagged.map((entry) => [entry.digest, entry])).values())
}

/** Enough for hundreds of thousands of entries. The file is read as a whole. */
const mostIndexBytes = 128 * 1024 * 1024

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Notes whether a change removes a manifest, or adds it again. */
const noteRemoval = (removed: Set<Digest.Digest>, change: Change): void => {
  if (change._tag === "Put") removed.delete(change.descriptor.digest)
  if (change._tag === "Remove") removed.add(change.digest)
}

const applyTo = (index: Index.Index, change: Change): void =>
  index.apply(
    change._tag === "Put" ? { ...change, children: change.needed.manifests.map(({ digest }) => digest) } : change
  )

/** How far apart, in milliseconds, two writes must be to differ in their times: the tick of a slow kernel, and more. */
const clockOfDisks = 20

export const make = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  folder: string,
  disk: ReturnType<typeof Disk.make>,
  content: ReturnType<typeof ContentFiles.make>,
  lock: Locks.Lock,
  putVersion: Effect.Effect<void, LayoutError>,
  startHash: Hasher.Start
) => {
  const file = path.join(folder, "index.json")
  const self = {}
  const oneCommit = Semaphore.makeUnsafe(1)
  let cached: { readonly stamp: string; readonly index: Index.Index } | undefined

  /** A stamp that changes with the file: another file is renamed into its place, or it is overwritten at a later time. */
  const stampOf: Effect.Effect<{ readonly text: string; readonly modified: number }, LayoutError> = files
    .stat(file)
    .pipe(
      Effect.map(({ ino, mtime, size }) => {
        const modified = Option.match(mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
        return { text: [Option.getOrElse(ino, () => 0n), modified, ByteSize.toBigInt(size)].join(" "), modified }
      }),
      Effect.catchIf(Disk.isAbsent, () => Effect.succeed({ text: "absent", modified: 0 })),
      Effect.mapError(content.ofFile)
    )

  const invalid = (description: string) => Effect.fail(content.failure(new InvalidIndex({ description })))

  const readText: Effect.Effect<Option.Option<string>, LayoutError> = Effect.gen(function* () {
    const isThere = yield* Effect.mapError(files.exists(file), content.ofFile)
    if (!isThere) return Option.none()
    const size = yield* content.sizeAt(file)
    if (Option.isNone(size)) return yield* invalid("index.json is not a file")
    if (size.value > mostIndexBytes) return yield* invalid(`index.json has ${size.value} bytes, more than 128 MiB`)
    return Option.some(yield* Effect.mapError(files.readFileString(file), content.ofFile))
  })

  const parse = (text: Option.Option<string>): Effect.Effect<Index.Index, LayoutError> =>
    Option.match(text, {
      onNone: () => Effect.succeed(Index.empty()),
      onSome: (json) =>
        Result.match(Index.parse(json), {
          onSuccess: Effect.succeed,
          onFailure: (problem) => invalid(`index.json cannot be read: ${problem}`)
        })
    })

  const fresh = Effect.flatMap(readText, parse)

  const onDisk: Effect.Effect<Index.Index, LayoutError> = Effect.gen(function* () {
    const { modified, text: stamp } = yield* stampOf
    if (cached?.stamp === stamp) return cached.index
    const now = yield* Clock.currentTimeMillis
    const index = yield* fresh
    // A file that changed meanwhile is read again the next time, and so is one that was written just now:
    // if another program writes as many bytes over it at the same time by the disk's clock, its stamp stays.
    cached = now - modified > clockOfDisks ? { stamp, index } : undefined
    return index
  })

  const batch = Effect.map(CurrentBatches, (batches) => {
    const own = batches.get(self)
    return own?.isOpen === true ? own : undefined
  })

  /** The index, with the changes of the batch in which the fiber runs. */
  const current: Effect.Effect<Index.Index, LayoutError> = Effect.flatMap(batch, (own) =>
    own === undefined ? onDisk : Effect.succeed(own.index)
  )

  /** Whether the batch in which the fiber runs has removed a manifest whose file is still there. */
  const isRemoved = (digest: Digest.Digest): Effect.Effect<boolean> =>
    Effect.map(batch, (own) => own?.removed.has(digest) === true)

  /** The content that a manifest needs and the layout lacks. */
  const missingFor = ({ blobs, manifests }: References): Effect.Effect<ReadonlyArray<Digest.Digest>, LayoutError> =>
    Effect.map(
      Effect.filter([...manifests, ...blobs], ({ digest }) => Effect.map(content.sizeOf(digest), Option.isNone)),
      (missing) => missing.map(({ digest }) => digest)
    )

  /** Why a change is impossible: the layout lacks content that a manifest names. */
  const missingOf = (change: Change): Effect.Effect<Option.Option<MissingContent>, LayoutError> =>
    Effect.gen(function* () {
      if (change._tag !== "Put") return Option.none()
      const { blobs, manifests } = change.needed
      // Another program may have removed the manifest itself since it was written.
      const digests = yield* missingFor({ blobs, manifests: [change.descriptor, ...manifests] })
      if (digests.length === 0) return Option.none()
      return Option.some(new MissingContent({ manifest: change.descriptor.digest, digests }))
    })

  /** The list of referrers under the tag of a subject. */
  const listOf = (index: Index.Index, subject: Digest.Digest): Effect.Effect<ReadonlyArray<Descriptor>, LayoutError> =>
    Effect.gen(function* () {
      const [list] = index.find(Referrer.tag(subject))
      if (list === undefined) return []
      const raw = yield* content.manifest(list.digest, Option.some(list.mediaType))
      if (Option.isNone(raw)) return []
      const view = Manifest.view(list.mediaType, decoder.decode(raw.value.bytes))
      return view._tag === "ImageIndex" ? view.manifests : []
    })

  /** Writes the lists of referrers that changes affect, each once. */
  const updateLists = (index: Index.Index, changes: ReadonlyArray<Change>): Effect.Effect<void, LayoutError> =>
    Effect.gen(function* () {
      const lists = new Map<Digest.Digest, Map<string, Descriptor>>()
      for (const change of changes) {
        if (change._tag === "Untag" || Option.isNone(change.referrer)) continue
        const { descriptor, subject } = change.referrer.value
        const list =
          lists.get(subject) ?? new Map((yield* listOf(index, subject)).map((entry) => [entry.digest, entry] as const))
        if (change._tag === "Put") list.set(descriptor.digest, descriptor)
        else list.delete(descriptor.digest)
        lists.set(subject, list)
      }
      for (const [subject, list] of lists) {
        const entries = [...list.values()].toSorted((left, right) => (left.digest < right.digest ? -1 : 1))
        const descriptor = entries.length === 0 ? Option.none() : Option.some(yield* putList(entries))
        index.apply({ _tag: "Replace", tag: Referrer.tag(subject), descriptor })
      }
    })

  const putList = (entries: ReadonlyArray<Descriptor>): Effect.Effect<Descriptor, LayoutError> =>
    Effect.gen(function* () {
      const bytes = encoder.encode(Manifest.format(Manifest.index({ manifests: entries })))
      const digest = Hasher.digest(startHash, "sha256", bytes)
      yield* content.put({ digest, size: bytes.length }, BlobSource.fromBytes(bytes))
      return { mediaType: MediaType.ociImageIndex, digest, size: bytes.length }
    })

  /** Writes the index under the lock, if it differs from the file. Returns whether the lock was held to the end. */
  const publish = (
    index: Index.Index,
    before: Option.Option<string>,
    isHeld: Effect.Effect<boolean>
  ): Effect.Effect<boolean, LayoutError> =>
    Effect.gen(function* () {
      // An index of another program is formatted differently, and is left alone if nothing changes.
      if (Option.isSome(before) && !index.isChanged()) return true
      for (const algorithm of ["sha256", "sha512"]) yield* disk.syncFolder(path.join(folder, "blobs", algorithm))
      yield* putVersion
      const bytes = encoder.encode(index.format())
      const isWritten = yield* Effect.mapError(
        disk.write(file, { content: Stream.make(bytes), size: bytes.length, isAllowed: isHeld }),
        content.ofFile
      )
      if (isWritten) yield* disk.syncFolder(folder)
      cached = undefined
      return isWritten
    })

  /** Applies changes under the lock to the current content of the file. */
  const attempt = (
    changes: ReadonlyArray<Change>,
    isHeld: Effect.Effect<boolean>
  ): Effect.Effect<boolean, LayoutError | MissingContent> =>
    Effect.gen(function* () {
      const before = yield* readText
      const index = yield* parse(before)
      const removed = new Set<Digest.Digest>()
      const made: Array<Change> = []
      const failed: Array<MissingContent> = []
      for (const change of changes) {
        const missing = yield* missingOf(change)
        if (Option.isSome(missing)) {
          failed.push(missing.value)
          continue
        }
        applyTo(index, change)
        noteRemoval(removed, change)
        made.push(change)
      }
      yield* updateLists(index, made)
      if (!(yield* publish(index, before, isHeld))) return false
      for (const digest of removed) yield* content.remove(digest)
      // One impossible change of a batch does not prevent the others.
      const [first] = failed
      return first === undefined ? true : yield* first
    })

  /** Runs an effect under the lock, and again if the lock was lost before its change was published (`false`). */
  const locked = <E>(
    use: (isHeld: Effect.Effect<boolean>) => Effect.Effect<boolean, E>
  ): Effect.Effect<void, E | LayoutError> =>
    lock.withLock(use).pipe(
      Effect.repeat({ until: (isDone) => isDone, schedule: Schedule.recurs(mostAttempts) }),
      Effect.mapError((error) => (error instanceof PlatformError ? content.ofFile(error) : error)),
      Effect.filterOrFail(identity, () =>
        content.failure(new Locked({ description: `other programs broke the lock ${mostAttempts} times` }))
      ),
      Effect.asVoid,
      oneCommit.withPermit
    )

  const commit = (changes: ReadonlyArray<Change>): Effect.Effect<void, LayoutError | MissingContent> =>
    changes.length === 0 ? Effect.void : locked((isHeld) => attempt(changes, isHeld))

  /** Applies a change, now or at the end of the batch in which the fiber runs. */
  const change = (one: Change): Effect.Effect<void, LayoutError | MissingContent> =>
    Effect.gen(function* () {
      const own = yield* batch
      if (own === undefined) return yield* commit([one])
      const missing = yield* missingOf(one)
      if (Option.isSome(missing)) return yield* missing.value
      if (!own.isOpen) return yield* commit([one])
      applyTo(own.index, one)
      noteRemoval(own.removed, one)
      own.changes.push(one)
    })

  const ofBatch = (error: LayoutError | MissingContent): LayoutError => {
    if (error instanceof LayoutError) return error
    const [digest = error.manifest] = error.digests
    return content.failure(new ContentMissing({ digest, description: error.message }))
  }

  /** Runs an effect whose changes are applied together when it ends, even if it fails. */
  const inBatch = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LayoutError, R> =>
    Effect.gen(function* () {
      if ((yield* batch) !== undefined) return yield* effect
      const batches = yield* CurrentBatches
      const own: Batch = { index: yield* fresh, changes: [], removed: new Set(), isOpen: true }
      return yield* Effect.acquireUseRelease(
        Effect.succeed(own),
        () => Effect.provideService(effect, CurrentBatches, new Map([...batches, [self, own]])),
        () =>
          Effect.suspend(() => {
            own.isOpen = false
            return Effect.mapError(commit(own.changes), ofBatch)
          })
      )
    })

  return { current, change, inBatch, isRemoved, locked, publish, readText, parse }
}
