/**
 * Finds images by platform: from a tag or a digest through indexes to the manifest and the configuration of one image.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import * as ImageConfig from "../../ImageConfig.ts"
import * as Manifest from "../../Manifest.ts"
import * as MediaType from "../../MediaType.ts"
import * as Platform from "../../Platform.ts"
import { InvalidRequest, InvalidResponse, NotFound, type Reason, RegistryError, TooLarge } from "../../RegistryError.ts"
import type * as Transport from "../../Transport.ts"
import * as Arguments from "../api/arguments.ts"
import { named } from "../http/named.ts"
import { attributesOf, completeSpan, serverAt } from "../http/telemetry.ts"
import { distance, isKnown } from "../schema/platforms.ts"
import { problemOf } from "../schema/problem.ts"
import { refusedValue } from "../schema/refused.ts"
import type * as Blobs from "./blobs.ts"
import type * as Manifests from "./manifests.ts"

/**
 * The image of one platform.
 *
 * @category models
 * @since 0.1.0
 */
export interface Image {
  /**
   * The media type, digest and size of the image's own manifest. `platform` is that of the index, if an index lists the
   * image with a platform.
   */
  readonly descriptor: Descriptor
  /** The manifest of the image. */
  readonly manifest: Manifest.ImageManifest
  /** The configuration of the image. For an artifact, `os` and `architecture` are empty texts. */
  readonly config: ImageConfig.ImageConfig
  /**
   * The size of the configuration and of all layers as the registry stores them, in bytes: what a pull transfers, besides
   * manifests. A layer that is listed twice counts once.
   */
  readonly size: number
}

/**
 * Options for finding an image.
 *
 * @category options
 * @since 0.1.0
 */
export interface ImageOptions {
  /** The platform to run the image on: `linux/arm64`, `linux/arm/v7`. Defaults to that of the only image. */
  readonly platform?: Platform.Input
}

const operation = "RegistryContent.image"

/** Indexes of indexes have two levels. More than a few are a mistake or an attack. */
const mostLevels = 8

/** Each index costs a request, and may list thousands of others. */
const mostIndexes = 100

/** Platforms that an error names. */
const mostNamed = 50

/** Configurations are a few KiB large. The limit is that of manifests. */
const mostConfigBytes = 4 * 1024 * 1024

const imageTypes = [MediaType.ociImageManifest, MediaType.dockerManifest]
const indexTypes = [MediaType.ociImageIndex, MediaType.dockerManifestList]

const configTypes = [MediaType.ociImageConfig, MediaType.dockerImageConfig]

/** Whether a descriptor is that of an image. Artifacts have the media type of images, but another artifact type. */
const isImage = ({ artifactType, mediaType }: Descriptor): boolean =>
  imageTypes.includes(MediaType.essence(mediaType)) &&
  (artifactType === undefined || configTypes.includes(artifactType))
const isIndex = ({ mediaType }: Descriptor): boolean => indexTypes.includes(MediaType.essence(mediaType))

const fail = (reason: Reason) => Effect.fail(new RegistryError({ operation, reason }))

/* The choices that errors name */

/** Adds to an error where the image was searched, if no request in the error does. A program may search many. */
const placed =
  (place: string) =>
  (error: RegistryError): RegistryError => {
    const { reason, request } = error
    if (request !== undefined) return error
    const description = `${place}: ${reason.description}`
    switch (reason._tag) {
      case "NotFound":
        return new RegistryError({ ...error, reason: new NotFound({ ...reason, description }) })
      case "InvalidRequest":
        return new RegistryError({ ...error, reason: new InvalidRequest({ ...reason, description }) })
      case "InvalidResponse":
        return new RegistryError({ ...error, reason: new InvalidResponse({ description }) })
      default:
        return error
    }
  }

/**
 * The name of a platform, with the version, because images for Windows differ by it. The texts are those of the
 * registry.
 */
const shown = (platform: Platform.Platform): string => {
  const version = platform["os.version"]
  return [Platform.format(platform), ...(version === undefined ? [] : [version])].map(refusedValue).join(" ")
}

/** The distinct names of platforms, in the order in which they were found. */
type Names = ReadonlySet<string>

const withoutPlatform = "images without a platform (name one by its digest)"

const listOf = (names: Names): string => {
  const all = [...names]
  if (all.length === 0) return "no platform is named"
  return `there are ${all.slice(0, mostNamed).join(", ")}${all.length > mostNamed ? " and more" : ""}`
}

const noneFor = (wanted: Platform.Platform, names: Names) =>
  new NotFound({ resource: "manifest", description: `no image for ${shown(wanted)}: ${listOf(names)}` })

/** Describes a manifest that is not an image. */
const kindOf = ({ descriptor, manifest }: Manifest.Content): string =>
  manifest._tag === "UnknownManifest"
    ? `${refusedValue(MediaType.essence(descriptor.mediaType))}: ${manifest.problem}`
    : manifest._tag === "ImageIndex"
      ? "an index"
      : "an image"

/* What an index offers */

/**
 * The best entry for a platform. Entries of other types count only if there is no image, so that the error describes
 * them.
 */
const bestOf = (entries: ReadonlyArray<Descriptor>, wanted: Platform.Platform): ReadonlyArray<Descriptor> =>
  Option.toArray(
    Option.orElse(Platform.bestMatch(entries.filter(isImage), wanted), () => Platform.bestMatch(entries, wanted))
  )

/** At most two entries with different digests: two are enough to show that the choice is ambiguous. */
const firstTwo = (entries: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> => {
  const [first] = entries
  if (first === undefined) return []
  const other = entries.find(({ digest }) => digest !== first.digest)
  return other === undefined ? [first] : [first, other]
}

/** Whether an entry counts if the program names no platform: an image that is not an attestation. */
const isCandidate = (entry: Descriptor): boolean =>
  isImage(entry) && (entry.platform === undefined || isKnown(entry.platform))

/** The candidates among the entries of one or several indexes. */
const candidatesOf = (
  entries: ReadonlyArray<Descriptor>,
  wanted: Platform.Platform | undefined
): ReadonlyArray<Descriptor> => (wanted === undefined ? firstTwo(entries.filter(isCandidate)) : bestOf(entries, wanted))

/** Whether no other index can have a better entry. */
const isExact = ({ platform, ...entry }: Descriptor, wanted: Platform.Platform): boolean =>
  isImage(entry) && platform !== undefined && distance(platform, wanted) === 0

/** Whether an index within an index may contain the wanted image. */
const mayHold = ({ platform }: Descriptor, wanted: Platform.Platform | undefined): boolean =>
  platform === undefined || (wanted === undefined ? isKnown(platform) : Platform.matches(platform, wanted))

/** The candidates of indexes. */
interface Offer {
  readonly candidates: ReadonlyArray<Descriptor>
  readonly names: Names
}

/** Whether an entry is an index to read. */
const isFollowed = (entry: Descriptor, wanted: Platform.Platform | undefined): boolean =>
  isIndex(entry) && mayHold(entry, wanted)

/** Adds the platforms of an index, up to one more than an error names, which shows that there are more. */
const addNames = (names: Names, entries: ReadonlyArray<Descriptor>): Names => {
  const all = new Set(names)
  for (const entry of entries) {
    if (all.size > mostNamed) break
    if (entry.platform !== undefined) {
      if (isKnown(entry.platform)) all.add(shown(entry.platform))
    } else if (isImage(entry)) all.add(withoutPlatform)
  }
  return all
}

const addIndex = (offer: Offer, index: Manifest.ImageIndex, wanted: Platform.Platform | undefined): Offer => {
  const { manifests } = Manifest.references(index)
  const entries = manifests.filter((entry) => !isIndex(entry))
  return {
    candidates: [...offer.candidates, ...candidatesOf(entries, wanted)],
    // An index that is read adds its platforms itself.
    names: addNames(
      offer.names,
      manifests.filter((entry) => !isFollowed(entry, wanted))
    )
  }
}

const choose = (
  { candidates, names }: Offer,
  wanted: Platform.Platform | undefined
): Effect.Effect<Descriptor, RegistryError> => {
  const [entry, ...others] = candidatesOf(candidates, wanted)
  if (entry === undefined) {
    const none = new NotFound({ resource: "manifest", description: "the index lists no image" })
    return fail(wanted === undefined ? none : noneFor(wanted, names))
  }
  if (others.length === 0) return Effect.succeed(entry)
  const description = `the index lists several images, so a platform is needed: ${listOf(names)}`
  return fail(new InvalidRequest({ description, argument: "platform" }))
}

/** The sizes of all blobs, each counted once. */
const sizeOf = (manifest: Manifest.ImageManifest): number => {
  const sizes = new Map(Manifest.references(manifest).blobs.map(({ digest, size }) => [digest, size]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** The digests of nested indexes, outermost first. */
type Path = ReadonlyArray<Digest.Digest>

/** An index that was read. */
interface Place {
  readonly path: Path
  readonly index: Manifest.ImageIndex
}

const tooDeep = (path: Path) =>
  new InvalidResponse({ description: `indexes are nested more than ${mostLevels} levels deep: ${path.join(" > ")}` })

const tooMany = () =>
  new InvalidResponse({ description: `there are more than ${mostIndexes} indexes, including nested ones` })

const notListed = (content: Manifest.Content, listed: "image" | "index") =>
  new InvalidResponse({
    description: `${content.descriptor.digest} is listed as an ${listed}, but is ${kindOf(content)}`
  })

export const make = (
  transport: Pick<Transport.Service, "endpoint" | "loginServer">,
  parts: Pick<ReturnType<typeof Manifests.make>, "manifest"> & Pick<ReturnType<typeof Blobs.make>, "blobBytes">
) => {
  const repositoryName = Arguments.repositoryAt(transport.endpoint)
  const asLookUp = completeSpan(serverAt(new URL(transport.endpoint)), true)

  const read = (repository: string, tagOrDigest: string): Effect.Effect<Manifest.Content, RegistryError> =>
    Effect.mapError(parts.manifest(repository, tagOrDigest), named(operation))

  const readConfig = Effect.fnUntraced(function* (
    repository: string,
    descriptor: Descriptor
  ): Effect.fn.Return<ImageConfig.ImageConfig, RegistryError> {
    if (descriptor.size > mostConfigBytes) {
      return yield* fail(new TooLarge({ description: "the configuration of the image", limitBytes: mostConfigBytes }))
    }
    const download = parts.blobBytes(repository, descriptor, { maxSize: mostConfigBytes })
    const bytes = yield* Effect.mapError(download, named(operation))
    const config = ImageConfig.parse(new TextDecoder().decode(bytes))
    if (Result.isSuccess(config)) return config.success
    const description = `the configuration of the image cannot be read: ${problemOf(config.failure)}`
    return yield* fail(new InvalidResponse({ description }))
  })

  const readIndex = Effect.fnUntraced(function* (
    repository: string,
    digest: Digest.Digest,
    path: Path
  ): Effect.fn.Return<Place, RegistryError> {
    if (path.length > mostLevels) return yield* fail(tooDeep(path))
    const content = yield* read(repository, digest)
    if (content.manifest._tag !== "ImageIndex") return yield* fail(notListed(content, "index"))
    return { path, index: content.manifest }
  })

  /**
   * Finds the entry of an image. Entries of an index are preferred to those of indexes within it, which cost requests.
   */
  const find = Effect.fnUntraced(function* (
    repository: string,
    root: Place,
    wanted: Platform.Platform | undefined
  ): Effect.fn.Return<Descriptor, RegistryError> {
    const known = new Set<Digest.Digest>(root.path)
    const waiting: Array<{ readonly path: Path; readonly digest: Digest.Digest }> = []
    let offer: Offer = { candidates: [], names: new Set() }
    let place = root
    while (true) {
      offer = addIndex(offer, place.index, wanted)
      const exact = wanted === undefined ? undefined : offer.candidates.find((entry) => isExact(entry, wanted))
      if (exact !== undefined) return exact
      for (const entry of place.index.manifests) {
        if (!isFollowed(entry, wanted) || known.has(entry.digest)) continue
        known.add(entry.digest)
        if (known.size > mostIndexes) return yield* fail(tooMany())
        waiting.push({ digest: entry.digest, path: [...place.path, entry.digest] })
      }
      const next = waiting.shift()
      if (next === undefined) return yield* choose(offer, wanted)
      place = yield* readIndex(repository, next.digest, next.path)
    }
  })

  const complete = Effect.fnUntraced(function* (
    repository: string,
    descriptor: Descriptor,
    manifest: Manifest.ImageManifest
  ): Effect.fn.Return<Image, RegistryError> {
    yield* Effect.annotateCurrentSpan(attributesOf({ digest: descriptor.digest }))
    return { descriptor, manifest, config: yield* readConfig(repository, manifest.config), size: sizeOf(manifest) }
  })

  /** The image of an index. The platform in the index counts, not the one in the configuration. */
  const ofIndex = Effect.fnUntraced(function* (
    repository: string,
    { digest }: Descriptor,
    index: Manifest.ImageIndex,
    wanted: Platform.Platform | undefined
  ): Effect.fn.Return<Image, RegistryError> {
    const entry = yield* find(repository, { path: [digest], index }, wanted)
    const content = yield* read(repository, entry.digest)
    if (content.manifest._tag !== "ImageManifest") return yield* fail(notListed(content, "image"))
    const { platform } = entry
    const descriptor = platform === undefined ? content.descriptor : { ...content.descriptor, platform }
    return yield* complete(repository, descriptor, content.manifest)
  })

  /** An image that no index lists. Its configuration states its platform. */
  const ofManifest = Effect.fnUntraced(function* (
    repository: string,
    descriptor: Descriptor,
    manifest: Manifest.ImageManifest,
    wanted: Platform.Platform | undefined
  ): Effect.fn.Return<Image, RegistryError> {
    const image = yield* complete(repository, descriptor, manifest)
    if (wanted === undefined || Platform.matches(image.config, wanted)) return image
    return yield* fail(noneFor(wanted, new Set(isKnown(image.config) ? [shown(image.config)] : [])))
  })

  const imageOf = (
    name: string,
    content: Manifest.Content,
    wanted: Platform.Platform | undefined
  ): Effect.Effect<Image, RegistryError> => {
    switch (content.manifest._tag) {
      case "ImageManifest":
        return ofManifest(name, content.descriptor, content.manifest, wanted)
      case "ImageIndex":
        return ofIndex(name, content.descriptor, content.manifest, wanted)
      case "UnknownManifest":
        return fail(new InvalidResponse({ description: `the manifest is not an image: ${kindOf(content)}` }))
    }
  }

  const image = Effect.fn("RegistryContent.image")(function* (
    repository: string,
    tagOrDigest: string,
    options: ImageOptions = {}
  ): Effect.fn.Return<Image, RegistryError> {
    const name = yield* repositoryName(operation, repository)
    const reference = yield* Arguments.tagOrDigest(operation, tagOrDigest)
    const wanted = options.platform === undefined ? undefined : yield* Arguments.platform(operation, options.platform)
    yield* Effect.annotateCurrentSpan(attributesOf({ repository: name, reference }))
    const place = `${transport.loginServer}/${name}${Digest.isDigest(reference) ? "@" : ":"}${reference}`
    return yield* Effect.mapError(imageOf(name, yield* read(name, reference), wanted), placed(place))
  }, asLookUp)

  return { image }
}
