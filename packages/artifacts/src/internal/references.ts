/**
 * What a manifest names, by its media type.
 *
 * OCI image specification, manifest.md and image-index.md; distribution's documentation, "Image manifest version 2, schema
 * 2"; the withdrawn artifact manifests of OCI and ORAS, whose blobs a copy must not lose.
 */
import { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** The content that a manifest needs. Not its subject, which may be missing. */
export interface References {
  readonly manifests: ReadonlyArray<Descriptor>
  readonly blobs: ReadonlyArray<Descriptor>
}

const artifactTypes: ReadonlySet<string> = new Set([MediaType.ociArtifactManifest, MediaType.orasArtifactManifest])

const decodeArtifact = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ blobs: Schema.optionalKey(Schema.NullOr(Schema.Array(Descriptor))) }))
)

/** Media types of manifests. An entry of an index with another type may be a blob. */
const manifestTypes: ReadonlySet<string> = new Set([
  MediaType.ociImageManifest,
  MediaType.ociImageIndex,
  MediaType.dockerManifest,
  MediaType.dockerManifestList,
  MediaType.dockerSchema1Manifest,
  MediaType.dockerSchema1SignedManifest,
  ...artifactTypes
])

/** Whether a descriptor must be that of a manifest. */
export const isManifest = ({ mediaType }: Pick<Descriptor, "mediaType">): boolean =>
  manifestTypes.has(MediaType.essence(mediaType).toLowerCase())

const imageTypes: ReadonlySet<string> = new Set([MediaType.ociImageManifest, MediaType.dockerManifest])

/** Whether a descriptor is that of an image or an artifact, which names only blobs. */
export const isImage = ({ mediaType }: Pick<Descriptor, "mediaType">): boolean =>
  imageTypes.has(MediaType.essence(mediaType).toLowerCase())

const configTypes: ReadonlySet<string> = new Set([MediaType.ociImageConfig, MediaType.dockerImageConfig])

/** Whether a descriptor is that of the configuration of an image, not of another artifact. */
export const isImageConfig = ({ mediaType }: Pick<Descriptor, "mediaType">): boolean =>
  configTypes.has(MediaType.essence(mediaType))

/**
 * The type of a manifest: its artifact type, otherwise its media type.
 *
 * OCI image specification, descriptor.md, `artifactType`: for an image manifest, an index states the media type of its
 * configuration, as crane does. For an image, its own media type says more.
 */
export const statedType = ({ artifactType, mediaType }: Descriptor): string =>
  artifactType === undefined || isImageConfig({ mediaType: artifactType }) ? mediaType : artifactType

const decoder = new TextDecoder()

/** What a manifest names, or why that is unknown. */
export const referencesOf = ({ bytes, descriptor }: Manifest.Raw): Result.Result<References, string> => {
  const text = decoder.decode(bytes)
  if (artifactTypes.has(MediaType.essence(descriptor.mediaType))) {
    return decodeArtifact(text).pipe(
      Result.map(({ blobs }) => ({ manifests: [], blobs: blobs ?? [] })),
      Result.mapError(() => "an artifact manifest that cannot be read")
    )
  }
  const view = Manifest.view(descriptor.mediaType, text)
  return view._tag === "UnknownManifest" ? Result.fail(view.problem) : Result.succeed(Manifest.references(view))
}

const foreign = /nondistributable|\.rootfs\.foreign\./

/** Whether a layer may not be distributed, so that registries need not hold it (base layers of Windows). */
export const isForeign = ({ mediaType }: Pick<Descriptor, "mediaType">): boolean => foreign.test(mediaType)

/** The content that a store must have before it accepts a manifest. For an unreadable manifest, nothing is known. */
export const neededBy = (manifest: Manifest.Raw, isSparse: boolean): References =>
  Result.match(referencesOf(manifest), {
    onFailure: () => ({ manifests: [], blobs: [] }),
    onSuccess: ({ blobs, manifests }) => ({
      manifests: isSparse ? [] : manifests,
      blobs: blobs.filter((blob) => !isForeign(blob))
    })
  })
