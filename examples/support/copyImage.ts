/**
 * How an image gets from one repository to another, be it of another registry.
 */
import { type Descriptor, type Digest, Manifest, type RegistryContent, type RegistryError } from "@effect-acr/client"
import { Data, Effect, Ref } from "effect"
import { distinct } from "./descriptors.ts"

/** A repository of a registry. */
export interface Place {
  readonly content: RegistryContent.Service
  readonly repository: string
}

/** How the place calls one of its images: `myregistry.azurecr.io/library/alpine:3.20`. */
export const nameIn = ({ content, repository }: Place, tag: string): string =>
  `${content.loginServer}/${repository}:${tag}`

/** An image, and the manifests that it refers to: of these each comes after those that it refers to itself. */
interface Image {
  readonly image: Manifest.Content
  readonly inside: ReadonlyArray<Manifest.Content>
}

/** A manifest that this program cannot read: what it refers to is not known, so that a copy would not be whole. */
export class UnreadableManifest extends Data.TaggedError("UnreadableManifest")<{
  readonly reference: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.reference} has no view: ${this.problem}`
  }
}

const readImage = (
  place: Place,
  reference: string
): Effect.Effect<Image, RegistryError.RegistryError | UnreadableManifest> =>
  Effect.gen(function* () {
    const image = yield* place.content.manifest(place.repository, reference)
    if (image.manifest._tag === "UnknownManifest") {
      return yield* new UnreadableManifest({ reference, problem: image.manifest.problem })
    }
    const inside = yield* Effect.forEach(Manifest.references(image.manifest).manifests, ({ digest }) =>
      readImage(place, digest)
    )
    return { image, inside: inside.flatMap((found) => [...found.inside, found.image]) }
  })

/** The blobs of an image: what its platforms share stands there once. */
const blobsOf = ({ image, inside }: Image): ReadonlyArray<Descriptor.Descriptor> =>
  distinct([...inside, image].flatMap(({ manifest }) => Manifest.references(manifest).blobs))

/**
 * Copies a blob, and tells whether it had to be sent: one that is there already is not read at all. A connection that
 * breaks is no reason to begin anew.
 */
const copyBlob = Effect.fnUntraced(function* (from: Place, to: Place, blob: Descriptor.Descriptor) {
  const sent = yield* Ref.make(false)
  yield* to.content.uploadBlob(to.repository, from.content.blobSource(from.repository, blob), {
    digest: blob.digest,
    onProgress: () => Ref.set(sent, true)
  })
  return yield* Ref.get(sent)
})

/**
 * Copies an image: its blobs, then its manifests, as registries take them in this order alone. The tag comes with the
 * last of these, so that nobody ever finds half an image under it.
 */
export const copyImage = Effect.fnUntraced(function* (
  from: Place,
  to: Place,
  reference: string,
  options: { readonly tag?: string } = {}
) {
  const found = yield* readImage(from, reference)
  const blobs = blobsOf(found)
  const sent = yield* Effect.filter(blobs, (blob) => copyBlob(from, to, blob), { concurrency: 4 })
  yield* Effect.forEach(found.inside, (manifest) => to.content.putManifest(to.repository, manifest))
  yield* to.content.putManifest(to.repository, found.image, options)
  return { ...found, blobs, sent }
})

/** Reads an image back: its manifests are what their digests name, and no blob is missing. */
export const verifyImage = Effect.fnUntraced(function* (place: Place, digest: Digest.Digest) {
  const blobs = blobsOf(yield* readImage(place, digest))
  yield* Effect.forEach(blobs, (blob) => place.content.headBlob(place.repository, blob.digest), {
    concurrency: 4,
    discard: true
  })
})
