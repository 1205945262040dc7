/**
 * What the registry knows of a manifest from its content and from that of its configuration.
 */
import { readFile } from "node:fs/promises"
import type { Digest } from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import type { MediaType } from "@effect-acr/client/MediaType"
import * as Result from "effect/Result"
import type { Store, StoredManifest } from "./store.ts"

/** OCI distribution specification, "Pushing manifests". */
export const maxManifestBytes = 4 * 1024 * 1024

/** What the image runs on, as its configuration tells. */
const platformOf = async (store: Store, manifest: Manifest.Manifest) => {
  if (manifest._tag !== "ImageManifest") return undefined
  const blob = store.blobs.get(manifest.config.digest)
  if (blob === undefined || blob.size > maxManifestBytes) return undefined
  const config = ImageConfig.parse(await readFile(blob.file, "utf8"))
  return Result.isSuccess(config) ? config.success : undefined
}

export const describe = async (
  store: Store,
  bytes: Uint8Array,
  mediaType: MediaType,
  digest: Digest,
  view: Manifest.Manifest
): Promise<Omit<StoredManifest, "createdTime" | "lastUpdateTime" | "attributes">> => {
  const platform = await platformOf(store, view)
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
