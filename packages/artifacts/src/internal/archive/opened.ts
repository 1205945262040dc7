/**
 * An archive as a store: by its OCI image layout, or by the `manifest.json` of `docker save`.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import type * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ArchiveError, ContentMissing, NotAnArchive, UnsupportedArchive } from "../../ArchiveError.ts"
import type { Reader } from "../../ContentStore.ts"
import { decodeVersion, layoutVersion } from "../contents.ts"
import { familiarName, imageName } from "../imageNames.ts"
import { tagsIn, untaggedIn } from "../layout/catalog.ts"
import * as Index from "../layout/index.ts"
import * as Subjects from "../layout/subjects.ts"
import * as Unread from "../layout/unread.ts"
import { isImage } from "../references.ts"
import * as ArchiveContent from "./content.ts"
import { failure, invalid } from "./entries.ts"
import * as Images from "./images.ts"

/**
 * The formats of archives.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = "oci" | "docker"

/**
 * An archive of images as a store to read from.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageArchive<out E = ArchiveError> extends Reader<E> {
  /** The description that was read: an OCI image layout, or the `manifest.json` of `docker save`. */
  readonly format: Format
  /**
   * Whether the images have the digests of the registry from which they came. The `manifest.json` of `docker save` has neither
   * these digests nor the compressed layers: the manifests of such an archive are generated, with new digests.
   */
  readonly hasOriginalDigests: boolean
}

/**
 * How to read an archive.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions {
  /** Which description of the images to read if the archive has both. Defaults to the OCI image layout, which keeps digests. */
  readonly format?: Format
  /**
   * How much of a stream or a compressed file to keep in a temporary file at most. Defaults to 64 GiB. Limited because a small
   * file can decompress to more than a disk holds.
   */
  readonly maxBytes?: ByteSize.Input
}

const mostIndexBytes = 128 * 1024 * 1024
const mostVersionBytes = 64 * 1024

/** The limit of containerd. */
const mostManifestJsonBytes = 20 * 1024 * 1024

const decoder = new TextDecoder()

/** The index of an archive, and where the content is. */
interface Catalog {
  readonly format: Format
  readonly index: Index.Index
  readonly places: ArchiveContent.Places
}

const encodeIndex = (manifests: ReadonlyArray<Descriptor>): string => Manifest.format(Manifest.index({ manifests }))

const parseIndex = (name: string, text: string): Effect.Effect<Index.Index, ArchiveError> =>
  Effect.mapError(Effect.fromResult(Index.parse(text)), (problem) =>
    invalid(name, `index.json cannot be read: ${problem}`)
  )

const readText = <E>({ entries, name }: Images.Source<E>, file: string, most: number) =>
  Effect.map(
    ArchiveContent.readSmall(entries, file, most, name),
    Option.map((bytes) => decoder.decode(bytes))
  )

/** The OCI image layout in an archive; none if there is none. */
const ofLayout = <E>(archive: Images.Source<E>): Effect.Effect<Option.Option<Catalog>, E | ArchiveError> =>
  Effect.gen(function* () {
    const { name } = archive
    const version = yield* readText(archive, "oci-layout", mostVersionBytes)
    if (Option.isNone(version)) return Option.none()
    const decoded = decodeVersion(version.value)
    if (Option.isNone(decoded)) return yield* invalid(name, "the file oci-layout cannot be read")
    if (decoded.value.imageLayoutVersion !== layoutVersion) {
      const description = `the layout has version ${decoded.value.imageLayoutVersion}, and ${layoutVersion} is known`
      return yield* failure(name)(new UnsupportedArchive({ description, found: "OtherVersion" }))
    }
    const json = yield* readText(archive, "index.json", mostIndexBytes)
    if (Option.isNone(json)) return Option.none()
    const index = yield* parseIndex(name, json.value)
    return Option.some({ format: "oci", index, places: ArchiveContent.noPlaces })
  })

/** The images that `docker save` lists in an archive; none if it lists none. */
const ofImages = <E>(archive: Images.Source<E>): Effect.Effect<Option.Option<Catalog>, E | ArchiveError> =>
  Effect.gen(function* () {
    const { entries, name } = archive
    const json = yield* ArchiveContent.readSmall(entries, "manifest.json", mostManifestJsonBytes, name)
    if (Option.isNone(json)) return Option.none()
    // Layers are read once to hash them, and again to copy them.
    yield* entries.keepAll
    const images = yield* Images.read(archive, json.value)
    const index = yield* parseIndex(name, encodeIndex(images.listed))
    return Option.some({ format: "docker", index, places: images })
  })

/**
 * Whether a layout describes its images. Docker 25 wrote manifests without layers (https://github.com/moby/moby/issues/47065), and
 * no manifest at all for images that were saved by their digest (https://github.com/moby/moby/issues/47210).
 */
const isComplete = <E>(
  archive: Images.Source<E>,
  { index, places }: Catalog
): Effect.Effect<boolean, E | ArchiveError> =>
  Effect.gen(function* () {
    const { entries, name, startHash } = archive
    const listed = index.entries()
    if (listed.length === 0) return false
    const content = ArchiveContent.make(entries, name, places, startHash)
    // One image may have many names.
    for (const [digest, mediaType] of new Map(listed.filter(isImage).map((one) => [one.digest, one.mediaType]))) {
      const raw = yield* content.manifest(digest, Option.some(mediaType))
      const isEmpty = Option.exists(raw, ({ bytes }) => {
        const view = Manifest.view(mediaType, decoder.decode(bytes))
        return view._tag === "ImageManifest" && view.artifactType === undefined && view.layers.length === 0
      })
      if (isEmpty) return false
    }
    return true
  })

const catalogOf = <E>(
  archive: Images.Source<E>,
  format: Format | undefined
): Effect.Effect<Catalog, E | ArchiveError> =>
  Effect.gen(function* () {
    const layout = format === "docker" ? Option.none() : yield* ofLayout(archive)
    if (Option.isSome(layout) && (format === "oci" || (yield* isComplete(archive, layout.value)))) return layout.value
    const images = format === "oci" ? Option.none() : yield* ofImages(archive)
    // An empty layout is valid if the archive has no other description.
    const found = Option.orElse(images, () => layout)
    if (Option.isSome(found)) return found.value
    if (Option.isSome(yield* archive.entries.size("repositories"))) {
      const description = "the archive is of Docker before version 1.10: it has no manifest.json"
      return yield* failure(archive.name)(new UnsupportedArchive({ description, found: "OldDockerArchive" }))
    }
    const missing = {
      oci: "the archive lacks oci-layout or index.json: leave out the option format to read any archive of images",
      docker: "the archive has no manifest.json: leave out the option format to read any archive of images",
      any: "this is not an archive of images: it has no manifest.json, and lacks oci-layout or index.json"
    }
    const description = missing[format ?? "any"]
    return yield* failure(archive.name)(new NotAnArchive({ description, found: "OtherArchive" }))
  })

/** The names by which each image is found: its tag, or its full name where images of other names have the same tag. */
const namesIn = (index: Index.Index): ReadonlyArray<string> =>
  tagsIn(index).flatMap((tag) => {
    const found = index.find(tag)
    const names = found.flatMap(({ annotations }) => annotations?.[imageName] ?? [])
    return found.length > 1 && names.length === found.length ? names.map(familiarName) : [tag]
  })

/** Whether an error is about content that is missing, or is not what its digest names. */
const isDamage = (error: unknown): boolean =>
  error instanceof ArchiveError && (error.reason._tag === "ContentDiffers" || error.reason._tag === "ContentMissing")

export const open = <E>(
  archive: Images.Source<E>,
  { format }: ReadOptions
): Effect.Effect<ImageArchive<E | ArchiveError>, E | ArchiveError> =>
  Effect.gen(function* () {
    const { entries, name, startHash } = archive
    const catalog = yield* catalogOf(archive, format)
    const { index, places } = catalog
    const content = ArchiveContent.make(entries, name, places, startHash)

    const manifest = (digest: Digest.Digest) =>
      content.manifest(
        digest,
        Option.map(index.entry(digest), ({ mediaType }) => mediaType)
      )

    /** A complete archive has everything that `index.json` lists. An index within it may be sparse. */
    const listed = ({ digest, mediaType }: Descriptor) =>
      Effect.tap(content.manifest(digest, Option.some(mediaType)), (raw) =>
        Effect.gen(function* () {
          if (Option.isSome(raw) || Option.isNone(index.entry(digest)) || (yield* content.has(digest))) return
          const description = `index.json lists ${digest}, which is not in the archive: is the archive truncated?`
          return yield* failure(name)(new ContentMissing({ digest, description }))
        })
      )

    const subjects = Subjects.make<E | ArchiveError>(listed, isDamage)

    return {
      format: catalog.format,
      hasOriginalDigests: catalog.format === "oci",
      origin: { place: name, repository: "" },
      resolve: (reference) =>
        Digest.isDigest(reference)
          ? Effect.map(
              manifest(reference),
              Option.map(({ descriptor }) => descriptor)
            )
          : Effect.mapError(Effect.fromResult(Index.theOne(reference, index.find(reference))), failure(name)),
      manifest: ({ digest }) => manifest(digest),
      blob: content.blob,
      has: ({ digest }) => content.has(digest),
      tags: Stream.fromIterableEffect(Effect.as(Unread.warn(name, index), namesIn(index))),
      untagged: Stream.fromIterable(untaggedIn(index)),
      referrers: (subject, { artifactType } = {}) =>
        Stream.fromIterableEffect(subjects.referrersOf(index, subject, artifactType))
    }
  })
