/**
 * An image in a folder, each blob in a file named after its digest: what `skopeo copy dir:` reads and writes.
 */
import { createHash, randomBytes } from "node:crypto"
import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Schema from "effect/Schema"

const Blob = Schema.Struct({ mediaType: Schema.String, digest: Schema.String, size: Schema.Int })

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    schemaVersion: Schema.Literal(2),
    mediaType: Schema.String,
    config: Blob,
    layers: Schema.Array(Blob)
  })
)

export const manifestType = "application/vnd.oci.image.manifest.v1+json"

export const blobFile = (folder: string, digest: string): string => join(folder, digest.replace("sha256:", ""))
export const manifestFile = (folder: string): string => join(folder, "manifest.json")

/** The blobs that a manifest names. */
export const blobsOf = (manifest: string) => {
  const { config, layers } = Schema.decodeSync(Manifest)(manifest)
  return [...layers, config]
}

const sha256 = (content: Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** How layers are packed. Skopeo compresses a layer that is `tar` when it pushes one. */
export type Packing = "tar" | "tar+gzip"

/** Writes an image that no registry has seen. */
export const writeImage = async (
  folder: string,
  layers: number,
  layerBytes: number,
  packing: Packing = "tar"
): Promise<void> => {
  const write = async (mediaType: string, content: Uint8Array) => {
    const digest = sha256(content)
    await writeFile(blobFile(folder, digest), content)
    return { mediaType, digest, size: content.length }
  }
  const descriptors = []
  const diffs = []
  for (let index = 0; index < layers; index++) {
    const content = randomBytes(layerBytes)
    // Random bytes do not get smaller: level 0 stores them.
    const packed = packing === "tar" ? content : gzipSync(content, { level: 0 })
    descriptors.push(await write(`application/vnd.oci.image.layer.v1.${packing}`, packed))
    diffs.push(sha256(content))
  }
  const config = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffs } }
  const manifest = Schema.encodeSync(Manifest)({
    schemaVersion: 2,
    mediaType: manifestType,
    config: await write("application/vnd.oci.image.config.v1+json", Buffer.from(JSON.stringify(config))),
    layers: descriptors
  })
  await writeFile(manifestFile(folder), manifest)
  await writeFile(join(folder, "version"), "Directory Transport Version: 1.1\n")
}

export const readManifest = (folder: string): Promise<string> => readFile(manifestFile(folder), "utf8")

/** Writes such an image into an OCI image layout, under the tag `v1`. */
export const writeLayout = async (
  folder: string,
  layers: number,
  layerBytes: number,
  packing: Packing = "tar"
): Promise<void> => {
  const blobs = join(folder, "blobs/sha256")
  await mkdir(blobs, { recursive: true })
  await writeImage(folder, layers, layerBytes, packing)
  const manifest = await readManifest(folder)
  for (const { digest } of blobsOf(manifest)) await rename(blobFile(folder, digest), blobFile(blobs, digest))
  const digest = createHash("sha256").update(manifest).digest("hex")
  await rename(manifestFile(folder), join(blobs, digest))
  const annotations = { "org.opencontainers.image.ref.name": "v1" }
  const entry = { mediaType: manifestType, digest: `sha256:${digest}`, size: manifest.length, annotations }
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }))
}
