/**
 * The client without the package for Node: `fetch` and hashes in JavaScript, as elsewhere.
 */
import { createHash, randomBytes } from "node:crypto"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Registry from "@effect-acr/client/Registry"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { requests } from "./support/emulator.ts"

const Fetching = Layer.unwrap(
  AcrEmulator.AcrEmulator.useSync(({ endpoint, logins }) =>
    Registry.layer({
      endpoint,
      idleTimeout: "5 seconds",
      retry: { schedule: Schedule.recurs(3), maxRetryAfter: "1 second", attemptTimeout: "5 seconds" }
    }).pipe(
      Layer.provide(Credentials.layerEntra(Effect.succeed(logins.entraToken), { loginServers: ["127.0.0.1"] })),
      Layer.provide(FetchHttpClient.layer)
    )
  )
).pipe(Layer.provideMerge(AcrEmulator.layer()))

const large = randomBytes(5_000_000)
const digest = `sha256:${createHash("sha256").update(large).digest("hex")}`

describe("by fetch", () => {
  it.live("an image goes up and comes down, by redirects to storage, and is deleted", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const content = yield* RegistryContent.RegistryContent
      const sources = [
        BlobSource.fromBytes(large),
        BlobSource.fromString("small"),
        BlobSource.fromString(""),
        BlobSource.fromStream(Stream.fromIterable([large.subarray(0, 10), large.subarray(10, 3_000_000)]))
      ]
      const layers = yield* Effect.forEach(sources, (source) =>
        content.uploadBlob("alpine", source, { chunkSize: 1_000_000 })
      )
      assert.strictEqual(layers[0]?.digest, digest)
      const config = yield* content.uploadBlob("alpine", BlobSource.fromString("{}"))
      yield* content.putManifest("alpine", Manifest.image({ config, layers }), { tag: "v1" })
      for (const layer of layers) {
        assert.strictEqual((yield* content.blobBytes("alpine", layer)).length, layer.size)
      }
      yield* registry.deleteManifest("alpine", "v1")
      const error = yield* Effect.flip(content.resolve("alpine", "v1"))
      assert.strictEqual(error.reason._tag, "NotFound")
    }).pipe(Effect.provide(Fetching))
  )

  it.live("transfers survive cuts, resets and stalls", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.inject({ method: "PATCH", consequence: { _tag: "ResetRequest", afterBytes: 1_000_000 } })
      yield* emulator.inject({ method: "PUT", consequence: { _tag: "LostAnswer" } })
      yield* emulator.inject({ path: "/blobs/", consequence: { _tag: "CutBody", afterBytes: 2_000_000 } })
      yield* emulator.inject({ path: "/blobs/", consequence: { _tag: "StallBody", afterBytes: 1_000_000 } })
      const descriptor = yield* content.uploadBlob("alpine", BlobSource.fromBytes(large))
      assert.isTrue(Buffer.from(yield* content.blobBytes("alpine", descriptor)).equals(large))
      const made = yield* requests
      assert.strictEqual(made.filter((request) => request.startsWith("GET /blobs/")).length, 3)
    }).pipe(Effect.provide(Fetching))
  )

  it.live("an upload that is interrupted leaves no session", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      yield* Effect.exit(
        content.uploadBlob("alpine", BlobSource.fromBytes(large), {
          onProgress: ({ doneBytes }) => (doneBytes > 2_000_000 ? Effect.interrupt : Effect.void)
        })
      )
      assert.strictEqual(
        yield* Effect.repeat(openUploads, {
          until: (open) => open === 0,
          schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 500 }))
        }),
        0
      )
    }).pipe(Effect.provide(Fetching))
  )
})
