/**
 * The names and formats of the files of an OCI image layout, for programs that write a layout themselves.
 *
 * OCI image specification, image-layout.md.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type { Digest } from "@effect-acr/client/Digest"
import { blobName, layoutVersion } from "./internal/contents.ts"
import * as Index from "./internal/layout/index.ts"

/**
 * The name of the file that marks a folder as an image layout.
 *
 * @category constants
 * @since 0.1.0
 */
export const versionFile = "oci-layout"

/**
 * The content of `oci-layout`.
 *
 * @category constants
 * @since 0.1.0
 */
export const version: string = JSON.stringify({ imageLayoutVersion: layoutVersion })

/**
 * The name of the file that lists the images of a layout.
 *
 * @category constants
 * @since 0.1.0
 */
export const indexFile = "index.json"

/**
 * A manifest to list in a layout.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** The manifest. */
  readonly descriptor: Descriptor
  /**
   * The names under which to list it, as annotations `org.opencontainers.image.ref.name`. A manifest without names is listed
   * once.
   */
  readonly names: ReadonlyArray<string>
}

/**
 * Returns the path of a blob or a manifest in a layout, with slashes.
 *
 * @category getters
 * @since 0.1.0
 */
export const blobPath = (digest: Digest): string => blobName(digest)

/**
 * Formats the content of `index.json`.
 *
 * **When to use**
 *
 * Use to make a layout of blobs that exist already, such as the storage of a registry. Otherwise use `ImageLayout`, which writes
 * blobs and index together.
 *
 * **Details**
 *
 * The entries are sorted: the same entries produce the same text. If several manifests have the same name, the last one keeps it.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatIndex = (entries: Iterable<Entry>): string => {
  const index = Index.empty()
  for (const { descriptor, names } of entries) index.apply({ _tag: "Put", descriptor, tags: names, children: [] })
  return index.format()
}
