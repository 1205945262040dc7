/**
 * Copies images that other tools made into a registry: from a folder in OCI layout, or from an archive.
 */
import type { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import { type Digest, isDigest } from "@effect-acr/client/Digest"
import * as RepositoryName from "@effect-acr/client/RepositoryName"
import * as Tag from "@effect-acr/client/Tag"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeHasher from "@effect-acr/node/NodeHasher"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { SeedError } from "../SeedError.ts"
import { SeedContents, type SeededImage } from "../SeedImage.ts"
import { check, isTaken, pushedAtMillis } from "./seed.ts"
import * as Target from "./seedTarget.ts"

/** An image of the source, and its place in the registry. */
interface Image {
  readonly reference: string
  readonly digest: Digest
  readonly repository: RepositoryName.RepositoryName
  readonly tags: ReadonlyArray<Tag.Tag>
}

const checkContents = check(Schema.toType(SeedContents))

const Files = Layer.mergeAll(NodeServices.layer, NodeHasher.layer, NodeCompression.layer)

/** Tags of cosign's signatures. They are copied with their images. */
const isAttached = (name: string): boolean => /^sha256-[0-9a-f]{64}\./.test(name)

/** The registry in a name, as in `docker.io/library/alpine:3.20`: a host with a dot or a port, or `localhost`. */
const registry = /^(?:localhost|[^/]*[.:][^/]*)\//

/** A name such as `shop/api:1.4.0`, with or without a registry. The repository is empty in a tag alone. */
const splitName = (name: string): { readonly repository: string; readonly tag: string } => {
  const path = name.replace(registry, "")
  const colon = path.lastIndexOf(":")
  return { repository: path.slice(0, Math.max(0, colon)), tag: path.slice(colon + 1) }
}

const namesNoRepository = (name: string): string =>
  `${name} names no repository: set the repository to put the images into`

/** The place of an image. An image that is named by its number or its digest has no tag. */
const placeOf = (
  reference: string,
  given: string | undefined
): Result.Result<Pick<Image, "repository" | "tags">, string> => {
  const name = splitName(reference)
  const repository = given ?? name.repository
  if (reference.startsWith("@") || isDigest(reference)) {
    return given === undefined
      ? Result.fail(namesNoRepository(`the image ${reference}`))
      : Result.succeed({ repository: RepositoryName.RepositoryName.make(given), tags: [] })
  }
  if (repository === "") return Result.fail(namesNoRepository(reference))
  return Result.all({ repository: RepositoryName.parse(repository), tag: Tag.parse(name.tag) }).pipe(
    Result.map(({ repository, tag }) => ({ repository, tags: [tag] })),
    Result.mapError(({ message }) => `${reference} is not the name of an image: ${message}`)
  )
}

/** Refuses two images for one tag, because one of them would be lost. */
const conflictOf = (images: ReadonlyArray<Image>): string | undefined => {
  const taken = new Map<string, Image>()
  for (const image of images) {
    for (const tag of image.tags) {
      const place = `${image.repository}:${tag}`
      const other = taken.get(place)
      if (other !== undefined && other.digest !== image.digest) {
        return `${other.reference} and ${image.reference} are different images, and both would be ${place}`
      }
      taken.set(place, image)
    }
  }
  return undefined
}

type Source = Reader<LayoutError | ArchiveError>

const open = (path: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    // A folder that is missing would be an empty layout.
    const { type } = yield* files.stat(path)
    const source: Source = type === "Directory" ? yield* ImageLayout.open(path) : yield* ImageArchive.read(path)
    return source
  })

/** The names of images without a name: their numbers. */
const numbersIn = (source: Source): Stream.Stream<string, LayoutError | ArchiveError> =>
  Stream.iterate(0, (index) => index + 1).pipe(
    Stream.map((index) => `@${index}`),
    Stream.takeWhileEffect((number) => Effect.map(source.resolve(number), Option.isSome))
  )

/** The requested names, or all. If there are no names, the numbers. */
const referencesIn = (
  source: Source,
  { images, repository }: SeedContents
): Effect.Effect<ReadonlyArray<string>, LayoutError | ArchiveError> =>
  Effect.gen(function* () {
    if (images !== undefined) return images
    const names = yield* Stream.runCollect(source.tags)
    if (names.length === 0) return yield* Stream.runCollect(numbersIn(source))
    return names.filter((name) => repository !== undefined || !isAttached(name))
  })

/**
 * Copies the images of a folder or an archive, with their referrers and signatures. Bytes and digests stay the same.
 */
export const seedFrom = (
  parts: Target.Parts,
  input: SeedContents,
  nowMillis: number
): Effect.Effect<ReadonlyArray<SeededImage>, SeedError> =>
  Effect.gen(function* () {
    const contents = yield* checkContents(input)
    const failure = (description: string, cause?: unknown): SeedError =>
      new SeedError({ seed: contents.from, description, ...(cause === undefined ? {} : { cause }) })
    const caused = (cause: { readonly message: string }): SeedError => failure(cause.message, cause)

    const source = yield* Effect.mapError(open(contents.from), caused)
    const references = yield* Effect.mapError(referencesIn(source, contents), caused)
    if (references.length === 0) return yield* failure("there is no image in it")
    const images = yield* Effect.forEach(references, (reference) =>
      Effect.gen(function* () {
        const found = yield* Effect.mapError(source.resolve(reference), caused)
        if (Option.isNone(found)) return yield* failure(`there is no image ${reference} in it`)
        const place = yield* Effect.mapError(Effect.fromResult(placeOf(reference, contents.repository)), failure)
        return { reference, digest: found.value.digest, ...place }
      })
    )
    const twice = conflictOf(images)
    if (twice !== undefined) return yield* failure(twice)

    const millis = pushedAtMillis(contents, nowMillis)
    const stamp = () => parts.store.stamp(millis)
    return yield* Effect.forEach(images, ({ digest, reference, repository, tags }) =>
      Effect.gen(function* () {
        const { onTag = "keep" } = contents
        if (!isTaken(parts.store.repositories.get(repository), tags, contents, digest)) {
          const target = Target.make(parts, { repository, seed: contents.from, stamp })
          yield* Copy.run(source, target, reference, { tags, onTag, cosignTags: true, foreignLayers: true }).pipe(
            Effect.mapError((error) =>
              error.cause instanceof SeedError ? error.cause : failure(`${reference}: ${error.message}`, error)
            )
          )
        }
        return { repository, tags, digest }
      })
    )
  }).pipe(Effect.provide(Files), Effect.scoped)
