/**
 * What the registry knows of a manifest from its content and from that of its configuration.
 */
import { readFile } from "node:fs/promises"
import type { Digest } from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import type { MediaType } from "@effect-acr/client/MediaType"
import * as Result from "effect/Result"
import { blobOf, type Repository, type Store, type StoredManifest } from "./store.ts"

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

export const describe = async (
  store: Store,
  holder: Holder,
  bytes: Uint8Array,
  mediaType: MediaType,
  digest: Digest,
  view: Manifest.Manifest
): Promise<Omit<StoredManifest, "createdTime" | "lastUpdateTime" | "attributes">> => {
  const platform = await platformOf(store, holder, view)
  const image = view._tag === "ImageManifest" ? view : undefined
  const known = view._tag === "UnknownManifest" ? undefined : view
  const { blobs, manifests } = Manifest.references(view)
  return {
    digest,
    bytes,
    mediaType,
    imageSize: blobs.reduce((sum, { size }) => sum + size, bytes.length),
    architecture: platform?.architecture,
    os: platform?.os,
    configMediaType: image?.config.mediaType,
    artifactType: known?.artifactType ?? image?.config.mediaType,
    annotations: known?.annotations,
    subject: known?.subject?.digest,
    references: manifests
  }
}
