/**
 * Makes an index of images in a store: finds their platforms, and refuses what cannot be in one index.
 */
import type { Annotations } from "@effect-acr/client/Annotations"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import {
  ArtifactError,
  DuplicatePlatform,
  NoImages,
  NoPlatform,
  NotAnImage,
  NotFound,
  type Reason
} from "../../ArtifactError.ts"
import type { ContentStore, MissingContent, Reader } from "../../ContentStore.ts"
import { platformOf, readConfig } from "../configs.ts"
import { attestedDigest, numbering } from "../platforms.ts"
import { isImage, isImageConfig } from "../references.ts"
import { lacksIt } from "../storeName.ts"

/**
 * How to make an OCI image index.
 *
 * @category options
 * @since 0.1.0
 */
export interface OciIndexOptions {
  /** The format. Defaults to `oci`, which can list Docker images too. */
  readonly mediaType?: "oci"
  /** The tags to set for the index. Defaults to none. */
  readonly tags?: ReadonlyArray<string>
  /** Annotations of the index. Defaults to none. */
  readonly annotations?: Annotations
  /** The artifact type of the index. Defaults to none: it is an index of images. */
  readonly artifactType?: MediaType.MediaType
  /** The manifest to which the index refers as its subject. Defaults to none. */
  readonly subject?: Descriptor
}

/**
 * How to make a Docker manifest list, which has neither annotations nor a subject.
 *
 * @category options
 * @since 0.1.0
 */
export interface DockerIndexOptions {
  /** The format. All images must be Docker images. */
  readonly mediaType: "docker"
  /** The tags to set for the list. Defaults to none. */
  readonly tags?: ReadonlyArray<string>
}

/**
 * How to make an index.
 *
 * @category options
 * @since 0.1.0
 */
export type IndexOptions = OciIndexOptions | DockerIndexOptions

/** Indexes of indexes have two levels. */
const mostLevels = 16

/** Images that are read at the same time. */
const readsAtOnce = 8

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const fail = (image: string, reason: Reason) => Effect.fail(new ArtifactError({ image, reason }))

const notAnImage = (image: string, description: string) => fail(image, new NotAnImage({ description }))

/** An entry of the new index, and the image of the caller from which it comes. */
interface Entry {
  readonly image: string
  readonly descriptor: Descriptor
}

/** The entry of an image, with the platform in its configuration. */
const entryOf = <E>(
  store: Reader<E>,
  image: string,
  descriptor: Descriptor,
  { config }: Manifest.ImageManifest
): Effect.Effect<Entry, E | ArtifactError> =>
  Effect.gen(function* () {
    const { digest } = descriptor
    if (!isImageConfig(config)) {
      return yield* notAnImage(image, `${digest} has a configuration of type ${config.mediaType}`)
    }
    const parsed = yield* readConfig(store, config)
    if (Result.isFailure(parsed)) {
      return yield* notAnImage(image, `the configuration of ${digest} ${parsed.failure}`)
    }
    const platform = platformOf(parsed.success)
    if (Option.isNone(platform)) {
      const description = `the configuration of ${digest} does not name an operating system and an architecture`
      return yield* fail(image, new NoPlatform({ description }))
    }
    return { image, descriptor: { ...descriptor, platform: platform.value } }
  })

/** The fields of an entry are kept. Attestations are about another entry, and have no platform of their own. */
const isComplete = (entry: Descriptor): boolean =>
  (isImage(entry) && entry.platform !== undefined) || entry.annotations?.[attestedDigest] !== undefined

/** The entries that one manifest contributes. Manifests that were read before contribute nothing again. */
const entriesOf = <E>(
  store: Reader<E>,
  image: string,
  descriptor: Descriptor,
  level: number,
  seen: Set<Digest.Digest>
): Effect.Effect<ReadonlyArray<Entry>, E | ArtifactError> =>
  Effect.gen(function* () {
    if (seen.has(descriptor.digest)) return []
    seen.add(descriptor.digest)
    const raw = yield* store.manifest(descriptor)
    if (Option.isNone(raw)) {
      return yield* fail(image, new NotFound({ description: `the store has no ${descriptor.digest}` }))
    }
    const { mediaType, size } = raw.value.descriptor
    const manifest = Manifest.view(mediaType, decoder.decode(raw.value.bytes))
    switch (manifest._tag) {
      case "UnknownManifest":
        return yield* notAnImage(image, `${descriptor.digest} has no view: ${manifest.problem}`)
      case "ImageManifest":
        return [yield* entryOf(store, image, { ...descriptor, mediaType, size }, manifest)]
      case "ImageIndex": {
        if (level === mostLevels) return yield* notAnImage(image, `indexes in ${mostLevels} levels`)
        const entries = yield* Effect.forEach(manifest.manifests, (entry) =>
          isComplete(entry)
            ? Effect.succeed([{ image, descriptor: entry }])
            : entriesOf(store, image, entry, level + 1, seen)
        )
        return entries.flat()
      }
    }
  })

const resolved = <E>(store: Reader<E>, image: string): Effect.Effect<ReadonlyArray<Entry>, E | ArtifactError> =>
  Effect.gen(function* () {
    const found = yield* store.resolve(image)
    if (Option.isNone(found)) {
      return yield* fail(image, new NotFound({ description: lacksIt(store.origin) }))
    }
    const { digest, mediaType, size } = found.value
    return yield* entriesOf(store, image, { mediaType, digest, size }, 1, new Set())
  })

const expectDistinct = (entries: ReadonlyArray<Entry>): Effect.Effect<void, ArtifactError> =>
  Effect.gen(function* () {
    const numberOf = numbering()
    /** The images by the numbers of their platforms. */
    const found = new Map<number, string>()
    for (const {
      descriptor: { platform },
      image
    } of entries) {
      const number = platform === undefined ? undefined : numberOf(platform)
      if (platform === undefined || number === undefined) continue
      const first = found.get(number)
      found.set(number, image)
      if (first === undefined) continue
      const description = `${first} is for ${Platform.format(platform)} already`
      return yield* fail(image, new DuplicatePlatform({ description, platform }))
    }
  })

const expectDocker = (entries: ReadonlyArray<Entry>): Effect.Effect<void, ArtifactError> => {
  const other = entries.find(({ descriptor }) => MediaType.essence(descriptor.mediaType) !== MediaType.dockerManifest)
  if (other === undefined) return Effect.void
  const { digest, mediaType } = other.descriptor
  return notAnImage(other.image, `${digest} is of type ${mediaType}, and a Docker manifest list has only Docker images`)
}

const documentOf = (manifests: ReadonlyArray<Descriptor>, options: IndexOptions): Manifest.ImageIndex => {
  if (options.mediaType === "docker") {
    return { ...Manifest.index({ manifests }), mediaType: MediaType.dockerManifestList }
  }
  const { annotations, artifactType, subject } = options
  return Manifest.index({
    manifests,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations })
  })
}

/** Makes an index, and puts it into the store. */
export const index = <E>(
  store: ContentStore<E>,
  images: ReadonlyArray<string>,
  options: IndexOptions = {}
): Effect.Effect<Descriptor, E | MissingContent | ArtifactError> =>
  Effect.gen(function* () {
    const entries = (yield* Effect.forEach(images, (image) => resolved(store, image), {
      concurrency: readsAtOnce
    })).flat()
    if (entries.length === 0) {
      return yield* fail(images.join(", "), new NoImages({ description: "there is no image to list" }))
    }
    yield* expectDistinct(entries)
    if (options.mediaType === "docker") yield* expectDocker(entries)
    const document = documentOf(
      entries.map(({ descriptor }) => descriptor),
      options
    )
    const bytes = encoder.encode(Manifest.format(document))
    const startHash = yield* Hasher.Hasher
    const descriptor: Descriptor = {
      mediaType: document.mediaType ?? MediaType.ociImageIndex,
      digest: Hasher.digest(startHash, "sha256", bytes),
      size: bytes.length
    }
    yield* store.putManifest({ bytes, descriptor }, { tags: options.tags ?? [] })
    return descriptor
  })
