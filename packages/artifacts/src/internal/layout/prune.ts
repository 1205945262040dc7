/**
 * Finds and removes the garbage of a layout.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type LayoutError, UnknownManifest } from "../../LayoutError.ts"
import { mostManifestBytes } from "../contents.ts"
import { isManifest, referencesOf } from "../references.ts"
import type * as Catalog from "./catalog.ts"
import type * as ContentFiles from "./content.ts"
import { ingestFolder, isAbsent } from "./disk.ts"
import * as Index from "./index.ts"
import type * as Subjects from "./subjects.ts"

/**
 * What `prune` removed or, in a dry run, would remove.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PruneReport = Schema.Struct({
  /** The manifests and blobs, with their sizes in bytes. */
  removed: Schema.Array(Schema.Struct({ digest: Digest.Digest, size: Schema.Natural })),
  /** Their total size, in bytes. */
  bytes: Schema.Natural,
  /** Whether it was a dry run: nothing was removed. */
  isDryRun: Schema.Boolean
})

/**
 * The report of one `prune`.
 *
 * @category models
 * @since 0.1.0
 */
export type PruneReport = typeof PruneReport.Type

/** A file in a folder of blobs. */
interface BlobFile {
  readonly digest: Digest.Digest
  /** In bytes. */
  readonly size: number
  /** Whether it is younger than the grace time. */
  readonly isYoung: boolean
}

type Content = ReturnType<typeof ContentFiles.make>

/** Whether a file is younger than `minAge`, by its modification time. */
const isYoungAt = (nowMillis: number, minAge: Duration.Duration, { mtime }: FileSystem.File.Info): boolean =>
  Option.exists(mtime, (date) => nowMillis - date.getTime() < Duration.toMillis(minAge))

const namesIn = (files: FileSystem.FileSystem, folder: string, content: Content) =>
  files.readDirectory(folder).pipe(
    Effect.catchIf(isAbsent, () => Effect.succeed<Array<string>>([])),
    Effect.mapError(content.ofFile)
  )

const statIn = (files: FileSystem.FileSystem, file: string, content: Content) =>
  files.stat(file).pipe(
    Effect.asSome,
    Effect.catchIf(isAbsent, () => Effect.succeedNone),
    Effect.mapError(content.ofFile)
  )

/** Lists the blobs of a layout. Files with other names are ignored. */
const listBlobs = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  folder: string,
  content: Content,
  minAge: Duration.Duration
): Effect.Effect<ReadonlyArray<BlobFile>, LayoutError> =>
  Effect.gen(function* () {
    const nowMillis = yield* Clock.currentTimeMillis
    const found: Array<BlobFile> = []
    for (const algorithm of ["sha256", "sha512"]) {
      const names = yield* namesIn(files, path.join(folder, "blobs", algorithm), content)
      for (const name of names.toSorted()) {
        const digest = Digest.parse(`${algorithm}:${name}`)
        if (Result.isFailure(digest)) continue
        const info = yield* statIn(files, path.join(folder, "blobs", algorithm, name), content)
        if (Option.isNone(info) || info.value.type !== "File") continue
        found.push({
          digest: digest.success,
          size: Number(ByteSize.toBigInt(info.value.size)),
          isYoung: isYoungAt(nowMillis, minAge, info.value)
        })
      }
    }
    return found
  })

/** Removes temporary files of killed processes. */
export const sweepIngest = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  ingest: string,
  content: Content,
  minAge: Duration.Duration
): Effect.Effect<void, LayoutError> =>
  Effect.gen(function* () {
    const nowMillis = yield* Clock.currentTimeMillis
    for (const name of yield* namesIn(files, ingest, content)) {
      const file = path.join(ingest, name)
      const info = yield* statIn(files, file, content)
      if (Option.isNone(info) || info.value.type !== "File" || isYoungAt(nowMillis, minAge, info.value)) continue
      yield* Effect.mapError(files.remove(file, { force: true }), content.ofFile)
    }
  })

type BySubject = ReadonlyMap<Digest.Digest, ReadonlyMap<Digest.Digest, Descriptor>>

const unknown = (content: Content, what: string) =>
  content.failure(
    new UnknownManifest({
      description: `${what} cannot be understood: what it names is unknown, and nothing is removed`
    })
  )

const decodeDigest = Schema.decodeUnknownOption(Schema.Struct({ digest: Schema.String }))

/** Fails if an entry that names something cannot be read. */
const assertRead = (content: Content, index: Index.Index): Effect.Effect<void, LayoutError> =>
  Effect.gen(function* () {
    for (const entry of index.unread()) {
      const found = decodeDigest(entry)
      if (Option.isSome(found)) return yield* unknown(content, `the entry ${found.value.digest} of index.json`)
    }
  })

/** The content that some manifests reach: the manifests that they name, their blobs, and their referrers. */
const reach = (
  content: Content,
  roots: ReadonlyArray<Descriptor>,
  referrers: BySubject
): Effect.Effect<ReadonlySet<Digest.Digest>, LayoutError> =>
  Effect.gen(function* () {
    const reached = new Set<Digest.Digest>()
    const waiting = [...roots]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (reached.has(next.digest)) continue
      reached.add(next.digest)
      for (const referrer of referrers.get(next.digest)?.values() ?? []) waiting.push(referrer)
      const raw = yield* content.manifest(next.digest, Option.some(next.mediaType))
      const named = Option.flatMap(raw, (manifest) => Result.getSuccess(referencesOf(manifest)))
      if (Option.isNone(named)) {
        // Blobs and missing manifests name nothing. An entry without a media type may be a manifest by its content.
        const mayName = isManifest(next) || Option.exists(raw, ({ descriptor }) => isManifest(descriptor))
        if (!mayName || Option.isNone(yield* content.sizeOf(next.digest))) continue
        return yield* unknown(content, `the manifest ${next.digest}`)
      }
      waiting.push(...named.value.manifests)
      for (const { digest } of named.value.blobs) reached.add(digest)
    }
    return reached
  })

/** The manifests among files that are too young to be garbage: an image that is being written may need older blobs. */
const youngManifests = (
  content: Content,
  blobs: ReadonlyArray<BlobFile>
): Effect.Effect<ReadonlyArray<Descriptor>, LayoutError> =>
  Effect.map(
    Effect.forEach(
      blobs.filter(({ isYoung, size }) => isYoung && size <= mostManifestBytes),
      ({ digest }) =>
        Effect.map(
          content.manifest(digest, Option.none()),
          Option.map(({ descriptor }) => descriptor)
        )
    ),
    (found) => found.flatMap(Option.toArray)
  )

/** Whether an entry has a name other than that of a list of referrers. */
const isTagged = (entry: Descriptor): boolean => Index.namesOf(entry).some((name) => !Referrer.mayBeList(name, entry))

/** The parts of a layout that pruning works on. */
interface Parts {
  readonly files: FileSystem.FileSystem
  readonly path: Path.Path
  readonly folder: string
  readonly content: Content
  readonly catalog: ReturnType<typeof Catalog.make>
  readonly subjects: ReturnType<typeof Subjects.make<LayoutError>>
}

/** What to prune. */
interface Pruning {
  readonly isDryRun: boolean
  readonly untagged: boolean
  readonly minAge: Duration.Duration
}

export const reportOf = (garbage: ReadonlyArray<BlobFile>, isDryRun: boolean): PruneReport => ({
  removed: garbage.map(({ digest, size }) => ({ digest, size })),
  bytes: garbage.reduce((sum, { size }) => sum + size, 0),
  isDryRun
})

export const make = ({ catalog, content, files, folder, path, subjects }: Parts) => {
  /** Finds the garbage, and the index without it. */
  const decide = ({ minAge, untagged }: Pruning) =>
    Effect.gen(function* () {
      const before = yield* catalog.readText
      const index = yield* catalog.parse(before)
      yield* assertRead(content, index)
      const { referrers } = yield* subjects.wholeSurvey(index)
      const blobs = yield* listBlobs(files, path, folder, content, minAge)
      const young = yield* youngManifests(content, blobs)
      const roots = untagged ? index.entries().filter(isTagged) : index.entries()
      const reached = yield* reach(content, [...roots, ...young], referrers)
      const lists = new Set<string>(Array.from(reached, Referrer.tag))
      const isKept = (entry: Descriptor) => reached.has(entry.digest) || lists.has(Index.nameOf(entry) ?? "")
      for (const entry of index.entries()) {
        if (!isKept(entry)) index.apply({ _tag: "Remove", digest: entry.digest })
      }
      const kept = new Set([...reached, ...index.entries().map(({ digest }) => digest)])
      return { before, index, garbage: blobs.filter(({ digest, isYoung }) => !isYoung && !kept.has(digest)) }
    })

  return Effect.fnUntraced(function* (pruning: Pruning): Effect.fn.Return<PruneReport, LayoutError> {
    if (pruning.isDryRun) return reportOf((yield* decide(pruning)).garbage, true)
    let removed: ReadonlyArray<BlobFile> = []
    yield* catalog.locked((isHeld) =>
      Effect.gen(function* () {
        const { before, garbage, index } = yield* decide(pruning)
        if (!(yield* catalog.publish(index, before, isHeld))) return false
        for (const { digest } of garbage) yield* content.remove(digest)
        removed = garbage
        return true
      })
    )
    yield* sweepIngest(files, path, path.join(folder, ingestFolder), content, pruning.minAge)
    return reportOf(removed, false)
  })
}
