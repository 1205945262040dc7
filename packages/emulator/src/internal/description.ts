/**
 * Reads what the registry needs from the content of a manifest and of its configuration.
 */
import { readFile } from "node:fs/promises"
import { Digest } from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { blobOf, type Description, type Repository, type Store } from "./store.ts"

/** OCI distribution specification, "Pushing manifests". */
export const maxManifestBytes = 4 * 1024 * 1024

/** The repository of a manifest, if it exists already. */
type Holder = Pick<Repository, "blobs"> | undefined

/** The platform in the image's configuration. A repository may lack a configuration that has `urls`. */
const platformOf = async (store: Pick<Store, "blobs">, holder: Holder, manifest: Manifest.Manifest) => {
  if (manifest._tag !== "ImageManifest") return undefined
  const blob = blobOf(store, holder, manifest.config.digest)
  if (blob === undefined || blob.size > maxManifestBytes) return undefined
  const config = ImageConfig.parse(await readFile(blob.file, "utf8"))
  return Result.isSuccess(config) ? config.success : undefined
}

const decodeObject = Schema.decodeOption(Schema.fromJsonString(Schema.JsonObject))

const isObject = Schema.is(Schema.JsonObject)

/** A manifest's text, with a size added to its configuration if it has none. */
const withConfigSize = (text: string): string => {
  const manifest = Option.getOrUndefined(decodeObject(text))
  if (manifest === undefined || !isObject(manifest["config"]) || manifest["config"]["size"] !== undefined) return text
  return JSON.stringify({ ...manifest, config: Object.assign({ size: 0 }, manifest["config"]) })
}

/**
 * Parses a manifest as the registry does. ACR accepts a configuration without `size`: the README of Azure's Python
 * client has `sizeInBytes` instead.
 */
export const viewOf = (mediaType: MediaType.MediaType, text: string): ReturnType<typeof Manifest.parse> =>
  Result.orElse(Manifest.parse(mediaType, text), () => Manifest.parse(mediaType, withConfigSize(text)))

/**
 * The bytes of a manifest's own blobs in its image. ACR counts only the layers of a pushed image. A sum that is no
 * longer a safe integer could not be read from a folder.
 */
const blobsSizeOf = (view: Manifest.Manifest, bytes: Uint8Array): number => {
  if (view._tag === "UnknownManifest") return bytes.length
  const blobs = view._tag === "ImageManifest" ? view.layers : Manifest.references(view).blobs
  return Math.min(
    blobs.reduce((sum, { size }) => sum + size, 0),
    Number.MAX_SAFE_INTEGER
  )
}

/** Both were withdrawn before a release, and still lie in registries. */
const artifactTypes = [MediaType.ociArtifactManifest, MediaType.orasArtifactManifest]

/** What makes an artifact manifest a referrer. The client has no view of these manifests. */
const ArtifactManifest = Schema.Struct({
  artifactType: Schema.optionalKey(Schema.String),
  subject: Schema.optionalKey(Schema.Struct({ digest: Digest })),
  annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

const decodeArtifact = Schema.decodeOption(Schema.fromJsonString(ArtifactManifest))

/** The fields of a manifest as a referrer. */
const referrerOf = (
  mediaType: MediaType.MediaType,
  bytes: Uint8Array,
  view: Manifest.Manifest
): Pick<Description, "artifactType" | "annotations" | "subject"> => {
  if (view._tag === "UnknownManifest") {
    const artifact = artifactTypes.includes(MediaType.essence(mediaType))
      ? Option.getOrUndefined(decodeArtifact(new TextDecoder().decode(bytes)))
      : undefined
    const { subject, ...rest } = artifact ?? {}
    return { ...rest, ...(subject === undefined ? {} : { subject: subject.digest }) }
  }
  const artifactType = view.artifactType ?? (view._tag === "ImageManifest" ? view.config.mediaType : undefined)
  return {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(view.annotations === undefined ? {} : { annotations: view.annotations }),
    ...(view.subject === undefined ? {} : { subject: view.subject.digest })
  }
}

export const describe = async (
  store: Pick<Store, "blobs">,
  holder: Holder,
  bytes: Uint8Array,
  mediaType: MediaType.MediaType,
  digest: Digest,
  view: Manifest.Manifest
): Promise<Description> => {
  const platform = await platformOf(store, holder, view)
  const image = view._tag === "ImageManifest" ? view : undefined
  const { blobs, manifests } = Manifest.references(view)
  return {
    digest,
    size: bytes.length,
    mediaType,
    blobsSize: blobsSizeOf(view, bytes),
    ...(platform?.architecture === undefined ? {} : { architecture: platform.architecture }),
    ...(platform?.os === undefined ? {} : { os: platform.os }),
    ...(image === undefined ? {} : { configMediaType: image.config.mediaType }),
    ...referrerOf(mediaType, bytes, view),
    references: manifests.map(({ digest, platform, size }) => ({
      digest,
      size,
      ...(platform === undefined ? {} : { platform: { architecture: platform.architecture, os: platform.os } })
    })),
    blobs: blobs.map(({ digest }) => digest)
  }
}
