/**
 * What manifests refer to.
 */
import type { Descriptor, Manifest } from "@effect-acr/client"

/** An index refers to other manifests, an image to blobs: its configuration and its layers. */
export const referredTo = (manifest: Manifest.Manifest) => ({
  manifests: manifest._tag === "ImageIndex" ? manifest.manifests : [],
  blobs: manifest._tag === "ImageManifest" ? [manifest.config, ...manifest.layers] : []
})

/** Each content once, however often it is referred to. */
export const distinct = (contents: ReadonlyArray<Descriptor.Descriptor>): ReadonlyArray<Descriptor.Descriptor> => [
  ...new Map(contents.map((content) => [content.digest, content])).values()
]

/** In bytes. */
export const sizeOf = (contents: ReadonlyArray<Descriptor.Descriptor>): number =>
  contents.reduce((sum, { size }) => sum + size, 0)
