/**
 * Images that are made when they are read, so that a million of them take no memory. An image has a base that all repositories
 * share, a layer that its repository shares, and a layer and a configuration of its own. Its digests look like those of content, and
 * have its number in them.
 */
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Tag from "@effect-acr/client/Tag"

type Kind = "manifest" | "config" | "layer" | "shared" | "base"

const kinds: ReadonlyArray<Kind> = ["manifest", "config", "layer", "shared", "base"]

/** How many bases there are. */
const bases = 20

/** Bytes of a blob of each kind. */
const sizes: { readonly [kind in Kind]: number } = {
  manifest: 0,
  config: 3000,
  layer: 5_000_000,
  shared: 30_000_000,
  base: 40_000_000
}

const hash = (number: number): string => (Math.imul(number + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, "0")

export const digestOf = (kind: Kind, number: number): Digest.Digest => {
  const place = kinds.indexOf(kind)
  const scattered = `${hash(number * kinds.length + place)}${hash(number * 31 + place)}`
  return Digest.Digest.make(`sha256:${scattered}${place}${number.toString(16).padStart(47, "0")}`, {
    disableChecks: true
  })
}

export const parse = (digest: string): { readonly kind: Kind | undefined; readonly number: number } => ({
  kind: kinds[Number(digest[23])],
  number: Number.parseInt(digest.slice(24), 16)
})

export const tagOf = (number: number): Tag.Tag => Tag.Tag.make(`v1.${number}`, { disableChecks: true })

const encoder = new TextEncoder()

const descriptor = (kind: Kind, number: number, mediaType: string): string =>
  `{"mediaType":"${mediaType}","digest":"${digestOf(kind, number)}","size":${sizes[kind]}}`

/** The manifest of an image, by its number and that of its repository. */
export const manifestOf = (number: number, repository: number): Manifest.Raw => {
  const layers = [
    descriptor("base", repository % bases, MediaType.ociImageLayerGzip),
    descriptor("shared", repository, MediaType.ociImageLayerGzip),
    descriptor("layer", number, MediaType.ociImageLayerGzip)
  ]
  const config = descriptor("config", number, MediaType.ociImageConfig)
  const bytes = encoder.encode(
    `{"schemaVersion":2,"mediaType":"${MediaType.ociImageManifest}","config":${config},"layers":[${layers.join(",")}]}`
  )
  const digest = digestOf("manifest", number)
  return { bytes, descriptor: { mediaType: MediaType.ociImageManifest, digest, size: bytes.length } }
}
