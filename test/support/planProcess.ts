/**
 * A process that plans the copy of an index with many images, and prints how much memory that took, in bytes, besides the source.
 *
 * Arguments: how many images.
 */
import { createHash } from "node:crypto"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as MemoryStore from "@effect-acr/artifacts/MemoryStore"
import * as Digest from "@effect-acr/client/Digest"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { peakMemoryBytes } from "./peakMemory.ts"

const images = Number(process.argv[2])

const digestOf = (content: string | Uint8Array) =>
  Digest.Digest.make(`sha256:${createHash("sha256").update(content).digest("hex")}`)

const pointer = (mediaType: MediaType.MediaType, name: string): Descriptor => ({
  mediaType,
  digest: digestOf(name),
  size: 1000
})

const rawOf = (
  mediaType: MediaType.MediaType,
  manifest: Manifest.ImageManifest | Manifest.ImageIndex
): Manifest.Raw => {
  const bytes = new TextEncoder().encode(Manifest.format(manifest))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}

const raws = new Map<string, Manifest.Raw>()
const manifests = Array.from({ length: images }, (_, number) => {
  const layers = [0, 1, 2].map((layer) => pointer(MediaType.ociImageLayerGzip, `layer ${number} ${layer}`))
  const config = pointer(MediaType.ociImageConfig, `config ${number}`)
  const raw = rawOf(MediaType.ociImageManifest, Manifest.image({ config, layers }))
  raws.set(raw.descriptor.digest, raw)
  return raw.descriptor
})
const index = rawOf(MediaType.ociImageIndex, Manifest.index({ manifests }))
raws.set(index.descriptor.digest, index)

const source: MemoryStore.MemoryStore = {
  ...MemoryStore.make("source"),
  resolve: () => Effect.succeedSome(index.descriptor),
  manifest: ({ digest }) => Effect.sync(() => Option.fromUndefinedOr(raws.get(digest)))
}

// What the source took is no matter of the plan.
globalThis.gc?.()
const before = process.memoryUsage().rss
const report = await Effect.runPromise(
  Copy.run(source, MemoryStore.make("target"), "v1", { isDryRun: true, referrers: false })
)
console.log(JSON.stringify({ nodes: report.nodes.length, bytes: peakMemoryBytes() - before }))
