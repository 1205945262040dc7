/**
 * What a runtime is asked to do with a registry: an image goes up and comes back, and an upload is given up halfway.
 *
 * This file and its neighbours stand in the fresh project, beside the packed packages.
 */
import { BlobSource, Manifest, RegistryContent } from "@effect-acr/client"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

/** More than sockets and windows hold. */
export const large = Uint8Array.from({ length: 5_000_000 }, (_, index) => (index * index) % 251)

/** A file of several times the memory that it is read into. */
export const file = Uint8Array.from({ length: 30_000_000 }, (_, index) => large[index % large.length] ?? 0)

const sources = [
  BlobSource.fromBytes(large),
  BlobSource.fromStream(Stream.fromIterable([large.subarray(0, 10), large.subarray(10, 2_000_000)])),
  BlobSource.fromString("")
]

/** A digest by the cryptography of the runtime: the library has checked it by another. */
export const sha256 = (bytes: Uint8Array) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", Uint8Array.from(bytes))),
    (hash) => `sha256:${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("")}`
  )

/** Prints what came back: the digests of the manifest and of the layers. */
export const transfer = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const layers = yield* Effect.forEach(sources, (source) => content.uploadBlob("samples/image", source))
  const config = yield* content.uploadBlob("samples/image", BlobSource.fromString("{}"))
  yield* content.putManifest("samples/image", Manifest.image({ config, layers }), { tag: "demo" })

  const { bytes, manifest } = yield* content.manifest("samples/image", "demo")
  const blobs = manifest._tag === "ImageManifest" ? manifest.layers : []
  const pulled = yield* Effect.forEach(blobs, (blob) => content.blobBytes("samples/image", blob))
  yield* Console.log(JSON.stringify(yield* Effect.forEach([bytes, ...pulled], sha256)))

  const isHalfway = yield* Deferred.make<void>()
  const upload = yield* Effect.forkChild(
    content.uploadBlob("samples/half", BlobSource.fromBytes(large), {
      onProgress: ({ doneBytes }) =>
        doneBytes < 2_000_000 ? Effect.void : Effect.andThen(Deferred.succeed(isHalfway, undefined), Effect.never)
    })
  )
  yield* Deferred.await(isHalfway)
  yield* Fiber.interrupt(upload)
})
