/**
 * Which files of a layout are garbage.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import type { LayoutError } from "../../LayoutError.ts"
import { referencesOf } from "../references.ts"
import * as ContentFiles from "./content.ts"

/** A file in a folder of blobs. */
export interface BlobFile {
  readonly digest: Digest.Digest
  /** In bytes. */
  readonly size: number
  /** Whether it is younger than the grace time. */
  readonly isYoung: boolean
}

type Content = ReturnType<typeof ContentFiles.make>

/** The time at which a file counts as old, by its modification time. */
const isYoungAt = (nowMillis: number, minAge: Duration.Duration, { mtime }: FileSystem.File.Info): boolean =>
  Option.exists(mtime, (date) => nowMillis - date.getTime() < Duration.toMillis(minAge))

const namesIn = (files: FileSystem.FileSystem, folder: string, content: Content) =>
  files.readDirectory(folder).pipe(
    Effect.catchIf(ContentFiles.isAbsent, () => Effect.succeed<Array<string>>([])),
    Effect.mapError(content.ofFile)
  )

const statIn = (files: FileSystem.FileSystem, file: string, content: Content) =>
  files.stat(file).pipe(
    Effect.asSome,
    Effect.catchIf(ContentFiles.isAbsent, () => Effect.succeedNone),
    Effect.mapError(content.ofFile)
  )

/** Lists the blobs of a layout. Files with other names are none of its business. */
export const listBlobs = (
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
        const info = yield* statIn(files, content.pathOf(digest.success), content)
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

/** Removes what killed processes left behind in the folder in which files are written first. */
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

type Subjects = ReadonlyMap<Digest.Digest, ReadonlyArray<Descriptor>>

/** What some manifests reach: those that they name, their blobs, and their referrers. */
export const reach = (
  content: Content,
  roots: ReadonlyArray<Descriptor>,
  referrers: Subjects
): Effect.Effect<ReadonlySet<Digest.Digest>, LayoutError> =>
  Effect.gen(function* () {
    const reached = new Set<Digest.Digest>()
    const waiting = [...roots]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (reached.has(next.digest)) continue
      reached.add(next.digest)
      waiting.push(...(referrers.get(next.digest) ?? []))
      const raw = yield* content.manifest(next.digest, Option.some(next.mediaType))
      // A manifest that is missing or that cannot be read names nothing.
      const named = Option.flatMap(raw, (manifest) => Result.getSuccess(referencesOf(manifest)))
      if (Option.isNone(named)) continue
      waiting.push(...named.value.manifests)
      for (const { digest } of named.value.blobs) reached.add(digest)
    }
    return reached
  })

/** The manifests among files that are too young to be garbage: an image that is being written reaches older blobs. */
export const youngManifests = (
  content: Content,
  blobs: ReadonlyArray<BlobFile>
): Effect.Effect<ReadonlyArray<Descriptor>, LayoutError> =>
  Effect.map(
    Effect.forEach(
      blobs.filter(({ isYoung, size }) => isYoung && size <= ContentFiles.mostManifestBytes),
      ({ digest }) =>
        Effect.map(
          content.manifest(digest, Option.none()),
          Option.map(({ descriptor }) => descriptor)
        )
    ),
    (found) => found.flatMap(Option.toArray)
  )
