/**
 * What the registry knows of a manifest from its content and from that of its configuration.
 */
import { readFile } from "node:fs/promises"
import { Digest } from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { blobOf, type Description, type Repository, type Store, type StoredManifest } from "./store.ts"

/** OCI distribution specification, "Pushing manifests". */
export const maxManifestBytes = 4 * 1024 * 1024

/** The repository of a manifest, if it exists already. */
type Holder = Pick<Repository, "blobs"> | undefined

/** The platform in the image's configuration. A repository may lack a configuration that has `urls`. */
const platformOf = async (store: Store, holder: Holder, manifest: Manifest.Manifest) => {
  if (manifest._tag !== "ImageManifest") return undefined
  const blob = blobOf(store, holder, manifest.config.digest)
  if (blob === undefined || blob.size > maxManifestBytes) return undefined
  const config = ImageConfig.parse(await readFile(blob.file, "utf8"))
  return Result.isSuccess(config) ? config.success : undefined
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

/** What a manifest says of itself as a referrer. */
const referrerOf = (
  mediaType: MediaType.MediaType,
  bytes: Uint8Array,
  view: Manifest.Manifest
): Pick<StoredManifest, "artifactType" | "annotations" | "subject"> => {
  if (view._tag === "UnknownManifest") {
    const artifact = artifactTypes.includes(MediaType.essence(mediaType))
      ? Option.getOrUndefined(decodeArtifact(new TextDecoder().decode(bytes)))
      : undefined
    return {
      artifactType: artifact?.artifactType,
      annotations: artifact?.annotations,
      subject: artifact?.subject?.digest
    }
  }
  return {
    artifactType: view.artifactType ?? (view._tag === "ImageManifest" ? view.config.mediaType : undefined),
    annotations: view.annotations,
    subject: view.subject?.digest
  }
}

export const describe = async (
  store: Store,
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
    bytes,
    mediaType,
    imageSize: blobs.reduce((sum, { size }) => sum + size, bytes.length),
    architecture: platform?.architecture,
    os: platform?.os,
    configMediaType: image?.config.mediaType,
    ...referrerOf(mediaType, bytes, view),
    references: manifests,
    blobs: blobs.map(({ digest }) => digest)
  }
}
