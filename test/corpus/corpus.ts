/**
 * How the documents of the corpus are described: what a tool makes, and what is to be read of it.
 */
import { createHash } from "node:crypto"

/** A document as a registry gives it. */
export interface CorpusDocument {
  /** Which tool makes it, and in which form. */
  readonly name: string
  /** The `Content-Type` with which it comes. */
  readonly contentType: string | undefined
  /** Its text, byte for byte. */
  readonly text: string
  /** The media type that it has, where that is not the `Content-Type`. */
  readonly mediaType?: string
  /** What its digest is of, where that is not its text. */
  readonly digested?: string
  /** What is read of it: a view without its tag, or why there is none. */
  readonly view: View
}

type View =
  | { readonly _tag: "ImageManifest"; readonly fields: object }
  | { readonly _tag: "ImageIndex"; readonly fields: object }
  | { readonly _tag: "UnknownManifest"; readonly problem: string }

export const types = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  empty: "application/vnd.oci.empty.v1+json",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerImage: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  schema1: "application/vnd.docker.distribution.manifest.v1+json",
  schema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws"
}

export const sha256 = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

/** A descriptor of a content that need not exist. */
export const pointer = (mediaType: string, size: number, more: object = {}) => ({
  mediaType,
  digest: sha256(`${mediaType} ${size}`),
  size,
  ...more
})

/** The descriptor of `{}`: OCI image specification, manifest.md, "Guidance for an Empty Descriptor". */
export const emptyConfig = { mediaType: types.empty, digest: sha256("{}"), size: 2, data: "e30=" }

/** Tools write JSON compactly, or with an indentation of their own. */
const written = (document: object, indent?: number): string => JSON.stringify(document, undefined, indent)

/** What may be in a manifest of any kind. `undefined` leaves a field out. */
interface Parts {
  readonly mediaType?: string | undefined
  readonly artifactType?: string
  readonly subject?: object
  readonly annotations?: object
}

/** An image manifest that is read as it is written. */
export const image = (
  name: string,
  parts: Parts & { readonly config: object; readonly layers: ReadonlyArray<object> },
  indent?: number
): CorpusDocument => {
  const fields = { schemaVersion: 2, mediaType: types.image, ...parts }
  return {
    name,
    contentType: fields.mediaType ?? types.image,
    text: written(fields, indent),
    view: { _tag: "ImageManifest", fields }
  }
}

/** An index that is read as it is written. */
export const index = (
  name: string,
  parts: Parts & { readonly manifests: ReadonlyArray<object> },
  indent?: number
): CorpusDocument => {
  const fields = { schemaVersion: 2, mediaType: types.index, ...parts }
  return {
    name,
    contentType: fields.mediaType ?? types.index,
    text: written(fields, indent),
    view: { _tag: "ImageIndex", fields }
  }
}

/** A document of which there is no view. */
export const unread = (
  name: string,
  contentType: string,
  document: object,
  problem: string,
  indent?: number
): CorpusDocument => ({
  name,
  contentType,
  text: written(document, indent),
  view: { _tag: "UnknownManifest", problem }
})
