/**
 * The files of artifacts that `push` and `attach` make.
 */
import type { FileInput } from "@effect-acr/artifacts/Artifact"
import * as Artifact from "@effect-acr/artifacts/Artifact"
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import type { StoreError } from "./problem.ts"
import * as State from "./progress/state.ts"

/** The argument that names files. */
export const argument = Argument.String("file").pipe(
  Argument.withDescription("A file or a folder, optionally with its media type: sbom.json:application/spdx+json")
)

export const annotationFlag = Flag.KeyValuePair("annotation").pipe(
  Flag.withDescription("An annotation of the manifest. It can be repeated"),
  Flag.withDefault({})
)

const isMediaType = (text: string): boolean => Result.isSuccess(MediaType.parse(text))

/** A drive letter of Windows, whose colon is part of the path. */
const isDrive = (text: string): boolean => /^[a-z]$/i.test(text)

/**
 * Reads `path:media/type`. The part behind the last colon is a media type if it reads as one, unless the whole text is the path of
 * a file that is there: `logs:a/b.txt`.
 */
export const parse = (text: string, isThere: boolean): FileInput => {
  const colon = text.lastIndexOf(":")
  const path = text.slice(0, colon)
  const mediaType = text.slice(colon + 1)
  if (isThere || colon < 1 || isDrive(path) || !isMediaType(mediaType)) return { path: text }
  return { path, mediaType }
}

/** The sums of what a push would send. */
export const predicted = (store: ContentStore<StoreError>, options: Artifact.PackOptions) =>
  Effect.gen(function* () {
    const { blobs, manifest } = yield* Artifact.pack(options)
    const outcomes = yield* Effect.forEach([...blobs, manifest], ({ descriptor }) =>
      Effect.map(
        descriptor === manifest.descriptor ? store.keeps(descriptor) : store.has(descriptor),
        (isThere): State.Node => ({ size: descriptor.size, outcome: isThere ? "present" : "sent" })
      )
    )
    return { descriptor: manifest.descriptor, sums: State.sumsOf(outcomes) }
  }).pipe(Effect.scoped)

/** Reads the files of a call. */
export const inputs = Effect.fnUntraced(function* (texts: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  return yield* Effect.forEach(texts, (text) =>
    Effect.map(
      Effect.orElseSucceed(files.exists(text), () => false),
      (isThere) => parse(text, isThere)
    )
  )
})
