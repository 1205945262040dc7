/**
 * Shows what the storage of a repository is made of: its layers, the largest first, each counted once however many
 * images share it.
 */
import {
  ContainerRegistry,
  Digest,
  Manifest,
  type ManifestProperties,
  RegistryContent,
  type RegistryError,
  type Tag
} from "@effect-acr/client"
import { Array, Config, Console, Effect, Stream } from "effect"
import { distinct, sizeOf } from "./support/descriptors.ts"
import { count, formatSize } from "./support/numbers.ts"
import { RegistryLive, run } from "./support/registry.ts"
import { table } from "./support/table.ts"

/** The manifests of a repository, by digest. */
type Manifests = ReadonlyMap<Digest.Digest, Manifest.Content>

/** Reads manifests and those that they refer to, each once, eight at a time. */
const readManifests = (
  repository: string,
  digests: ReadonlyArray<Digest.Digest>,
  known: Manifests = new Map()
): Effect.Effect<Manifests, RegistryError.RegistryError, RegistryContent.RegistryContent> =>
  Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    const unknown = Array.dedupe(digests).filter((digest) => !known.has(digest))
    if (unknown.length === 0) return known
    const answers = yield* Effect.forEach(
      unknown,
      (digest) =>
        Effect.asSome(content.manifest(repository, digest)).pipe(
          // Deleted in the meantime, or never there: an index may name what was never pushed.
          Effect.catchReason("RegistryError", "NotFound", () => Effect.succeedNone)
        ),
      { concurrency: 8 }
    )
    const found = Array.getSomes(answers)
    const inside = found.flatMap(({ manifest }) => Manifest.references(manifest).manifests)
    return yield* readManifests(
      repository,
      inside.map(({ digest }) => digest),
      new Map([...known, ...found.map((content) => [content.descriptor.digest, content] as const)])
    )
  })

/** A manifest and all that it refers to. */
const under = (manifests: Manifests, digest: Digest.Digest): ReadonlyArray<Digest.Digest> => {
  const found = manifests.get(digest)
  const inside = found === undefined ? [] : Manifest.references(found.manifest).manifests
  return [digest, ...inside.flatMap((entry) => under(manifests, entry.digest))]
}

/** One image, of one platform. */
interface Image {
  readonly manifest: Manifest.ImageManifest
  /** Those that name it, or the index that it is in. */
  readonly tags: ReadonlyArray<Tag.Tag>
}

const imagesOf = (
  listed: ReadonlyArray<ManifestProperties.ManifestProperties>,
  manifests: Manifests
): ReadonlyArray<Image> => {
  const named = Array.groupBy(
    listed.flatMap(({ digest, tags }) => under(manifests, digest).map((part) => ({ part, tags }))),
    ({ part }) => part
  )
  return [...manifests].flatMap(([digest, { manifest }]) =>
    manifest._tag === "ImageManifest" ? [{ manifest, tags: (named[digest] ?? []).flatMap(({ tags }) => tags) }] : []
  )
}

const layersOf = (images: ReadonlyArray<Image>) =>
  Object.values(
    Array.groupBy(
      images.flatMap(({ manifest, tags }) => distinct(manifest.layers).map((layer) => ({ layer, tags }))),
      ({ layer }) => layer.digest
    )
  ).map((uses) => ({
    ...uses[0].layer,
    images: uses.length,
    tags: [...new Set(uses.flatMap(({ tags }) => tags))]
  }))

/** What a repository stores, and what one would think that it stores. */
const storageOf = (images: ReadonlyArray<Image>, manifests: Manifests) => {
  const layers = layersOf(images).toSorted((left, right) => right.size - left.size)
  const restBytes =
    sizeOf(distinct(images.map(({ manifest }) => manifest.config))) +
    sizeOf([...manifests.values()].map(({ descriptor }) => descriptor))
  return {
    layers,
    restBytes,
    totalBytes: sizeOf(layers) + restBytes,
    imageByImageBytes: sizeOf(images.flatMap(({ manifest }) => manifest.layers)) + restBytes
  }
}

/** The newest few, and how many more there are. */
const some = (tags: ReadonlyArray<Tag.Tag>): string => {
  if (tags.length === 0) return "(none)"
  const more = tags.length - 4
  return [...tags.slice(0, 4), ...(more > 0 ? [`and ${more} more`] : [])].join(" ")
}

export const storageByLayer = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/api"))

  const listed = yield* Stream.runCollect(registry.manifests(repository, { orderBy: "newest" }))
  const manifests = yield* readManifests(
    repository,
    listed.map(({ digest }) => digest)
  )
  const images = imagesOf(listed, manifests)
  const { imageByImageBytes, layers, restBytes, totalBytes } = storageOf(images, manifests)

  yield* Console.log(
    `${registry.loginServer}/${repository}: ${count(images.length, "image")} of ${count(layers.length, "layer")}\n`
  )
  yield* Console.log(
    table(
      [
        { title: "LAYER", side: "left" },
        { title: "SIZE", side: "right" },
        { title: "IMAGES", side: "right" },
        { title: "TAGS", side: "left" }
      ],
      layers.map(({ digest, images, size, tags }) => [
        Digest.hex(digest).slice(0, 12),
        formatSize(size),
        String(images),
        some(tags)
      ])
    )
  )
  yield* Console.log(`\n${formatSize(restBytes)} of manifests and configurations`)
  yield* Console.log(
    `${formatSize(totalBytes)} in all; image by image one would count ${formatSize(imageByImageBytes)}`
  )
})

if (import.meta.main) run(storageByLayer, RegistryLive)
