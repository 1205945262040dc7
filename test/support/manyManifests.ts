/**
 * Repositories of many manifests: releases of several platforms, with referrers and signatures, and Docker images.
 */
import { createHash } from "node:crypto"
import { Agent, request } from "node:http"
import * as Digest from "@effect-acr/client/Digest"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"

const encoder = new TextEncoder()

/** The configuration of all images. */
export const configText = "{}"

const descriptorOf = (mediaType: MediaType.MediaType, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`),
  size: bytes.length
})

const config = descriptorOf(MediaType.ociImageConfig, encoder.encode(configText))

/** A manifest, and the tags that name it. */
export interface Push {
  readonly bytes: Uint8Array
  /** What it refers to, if it is a referrer. */
  readonly subject?: Digest.Digest
  readonly descriptor: Descriptor
  readonly tags: ReadonlyArray<string>
}

const push = (mediaType: MediaType.MediaType, text: string, tags: ReadonlyArray<string> = []): Push => {
  const bytes = encoder.encode(text)
  return { bytes, descriptor: descriptorOf(mediaType, bytes), tags }
}

const image = (name: string, others: { readonly subject?: Descriptor; readonly tags?: ReadonlyArray<string> } = {}) => {
  const { subject, tags } = others
  const manifest = Manifest.image({
    config,
    layers: [],
    annotations: { name },
    ...(subject === undefined ? {} : { subject })
  })
  const made = push(MediaType.ociImageManifest, Manifest.format(manifest), tags)
  return subject === undefined ? made : { ...made, subject: subject.digest }
}

/** A Docker image names no other manifest, so that it is not read. */
const dockerImage = (number: number, tags: number): Push =>
  push(
    MediaType.dockerManifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.dockerManifest,
      config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
      layers: [],
      annotations: { name: `image ${number}` }
    }),
    Array.from(
      { length: Math.floor((number + 1) * tags) - Math.floor(number * tags) },
      (_, tag) => `docker-${number}-${tag}`
    )
  )

/** How many manifests a release has, and how many of them have a tag. */
export const perRelease = { manifests: 5, tags: 2 }

/** An index with two images, a referrer, and a signature under a tag. */
const release = (number: number, tag: string): ReadonlyArray<Push> => {
  const children = [image(`amd64 ${number}`), image(`arm64 ${number}`)]
  const index = push(
    MediaType.ociImageIndex,
    Manifest.format(Manifest.index({ manifests: children.map(({ descriptor }) => descriptor) })),
    [tag]
  )
  return [
    ...children,
    index,
    image(`bill of materials ${number}`, { subject: index.descriptor }),
    image(`signature ${number}`, { tags: [`${Referrer.tag(index.descriptor.digest)}.sig`] })
  ]
}

export interface Amounts {
  readonly releases: number
  /** How many of the releases have a tag that begins with `old-`. */
  readonly old: number
  readonly dockerImages: number
  /** How many tags a Docker image has on average. Defaults to 1. */
  readonly tagsPerImage?: number
  /** The number of the first release and of the first Docker image. Defaults to 0. */
  readonly first?: number
}

/** The pushes that make a repository, release by release: within one, what is needed comes first. */
export const pushesOf = ({
  dockerImages,
  first = 0,
  old,
  releases,
  tagsPerImage = 1
}: Amounts): ReadonlyArray<ReadonlyArray<Push>> => [
  ...Array.from({ length: releases }, (_, number) =>
    release(first + number, number < old ? `old-${first + number}` : `release-${first + number}`)
  ),
  ...Array.from({ length: dockerImages }, (_, number) => [dockerImage(first + number, tagsPerImage)])
]

/** Sends pushes by bare requests: a client that checks its answers would take most of a test's time. */
export const send = (
  place: {
    readonly endpoint: string
    readonly repository: string
    readonly authorization: string
  },
  pushes: ReadonlyArray<ReadonlyArray<Push>>
): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 16 })),
    (agent) => {
      const put = ({ bytes, descriptor }: Push, reference: string) =>
        Effect.promise(
          () =>
            new Promise<void>((resolve, reject) => {
              request(
                `${place.endpoint}/v2/${place.repository}/manifests/${reference}`,
                {
                  agent,
                  method: "PUT",
                  headers: { authorization: place.authorization, "content-type": descriptor.mediaType }
                },
                (response) => {
                  response.resume()
                  if (response.statusCode === 201) response.once("end", resolve)
                  else reject(new Error(`the push was answered ${response.statusCode}`))
                }
              )
                .once("error", reject)
                .end(bytes)
            })
        )
      return Effect.forEach(
        pushes,
        (group) =>
          Effect.forEach(
            group,
            (one) =>
              Effect.forEach(one.tags.length > 0 ? one.tags : [one.descriptor.digest], (reference) =>
                put(one, reference)
              ),
            { discard: true }
          ),
        { concurrency: 16, discard: true }
      )
    },
    (agent) => Effect.sync(() => agent.destroy())
  )
