/**
 * Fills a registry with images, by the same steps as a push.
 */
import * as Descriptor from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Platform from "@effect-acr/client/Platform"
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import { Tag } from "@effect-acr/client/Tag"
import * as Result from "effect/Result"
import type { SeedImage } from "../SeedImage.ts"
import * as Contents from "./contents.ts"
import type { Distribution } from "./distribution.ts"
import { holdBlob, openRepository, putTag, type Store, touchRepository } from "./store.ts"

const encoder = new TextEncoder()

/** The image's digest: that of the index if it runs on several platforms. */
export const seed = async (
  parts: { readonly store: Store; readonly distribution: Distribution },
  image: SeedImage,
  nowMillis: number
): Promise<Digest.Digest> => {
  const { distribution, store } = parts
  const stamp = store.stamp(image.pushedAtMillis ?? nowMillis)
  const repository = RepositoryName.make(image.repository)

  const pushBlob = async (mediaType: MediaType.MediaType, content: string | Uint8Array) => {
    const bytes = typeof content === "string" ? encoder.encode(content) : content
    const digest = Digest.Digest.make(Contents.digestOf(bytes))
    await Contents.put(store, digest, bytes, () =>
      store.commit([...openRepository(store, repository, stamp), ...holdBlob(repository, digest, bytes.length)])
    )
    return Descriptor.Descriptor.make({ mediaType, digest, size: bytes.length })
  }

  const pushManifest = async (
    manifest: Manifest.ImageManifest | Manifest.ImageIndex,
    mediaType: MediaType.MediaType
  ) => {
    const bytes = encoder.encode(Manifest.format(manifest))
    const digest = Digest.Digest.make(Contents.digestOf(bytes))
    const { status } = await distribution.putManifest(image.repository, digest, mediaType, bytes, stamp)
    if (status !== 201) throw new Error(`the registry refused the manifest with ${status}`)
    return Descriptor.Descriptor.make({ mediaType, digest, size: bytes.length })
  }

  const pushImage = async (platform: Platform.Platform) => {
    const layers = image.layers ?? [`${image.repository} for ${Platform.format(platform)} of ${stamp}\n`]
    const config = ImageConfig.format({
      architecture: platform.architecture,
      os: platform.os,
      created: stamp,
      rootfs: {
        type: "layers",
        diff_ids: layers.map((layer) =>
          Digest.Digest.make(Contents.digestOf(typeof layer === "string" ? encoder.encode(layer) : layer))
        )
      },
      history: []
    })
    const manifest = Manifest.image({
      config: await pushBlob(MediaType.ociImageConfig, config),
      layers: await Promise.all(layers.map((layer) => pushBlob(MediaType.ociImageLayer, layer)))
    })
    return { ...(await pushManifest(manifest, MediaType.ociImageManifest)), platform }
  }

  const platforms = (image.platforms ?? ["linux/amd64"]).map((platform) => Result.getOrThrow(Platform.parse(platform)))
  const images = []
  for (const platform of platforms) images.push(await pushImage(platform))
  const [only, ...others] = images
  const digest =
    only !== undefined && others.length === 0
      ? only.digest
      : (await pushManifest(Manifest.index({ manifests: images }), MediaType.ociImageIndex)).digest
  const tags = (image.tags ?? []).map((tag) => Tag.make(tag))
  store.commit([
    ...touchRepository(store, repository, stamp),
    ...tags.map((tag) => putTag(store, repository, tag, digest, stamp))
  ])
  return digest
}
