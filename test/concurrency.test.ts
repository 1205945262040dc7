/**
 * Blobs that are copied within one registry, one request at a time, on real connections.
 */
import { randomBytes } from "node:crypto"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"

const clients = {
  "the client for Node": NodeRegistryHttpClient.layer,
  fetch: FetchHttpClient.layer,
  "Effect's client on node:http": NodeHttpClient.layerNodeHttp,
  "Effect's client on undici": NodeHttpClient.layerUndici
}

const bytes = randomBytes(3 * 1024 * 1024)

describe("with a limit of one request at a time, blobs are copied within a registry", () => {
  for (const [name, client] of Object.entries(clients)) {
    const Content = Layer.unwrap(
      AcrEmulator.AcrEmulator.useSync(({ endpoint, logins }) =>
        RegistryContent.layer({ endpoint, maxConcurrentRequests: 1 }).pipe(
          Layer.provide(Credentials.layerEntra(Effect.succeed(logins.entraToken), { loginServers: ["127.0.0.1"] })),
          Layer.provide(client)
        )
      )
    ).pipe(Layer.provideMerge(AcrEmulator.layer()))

    it.live(`by ${name}`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent.RegistryContent
        const blob = yield* content.uploadBlob("samples", BlobSource.fromBytes(bytes))
        const sources = [
          content.blobSource("samples", blob),
          BlobSource.fromStream(content.blob("samples", blob)),
          content.blobSource("samples", blob),
          BlobSource.fromStream(content.blob("samples", blob))
        ]
        const copies = yield* Effect.forEach(
          sources,
          (source, index) => content.uploadBlob(`mirror-${index}`, source, { chunkSize: 1024 * 1024 }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          copies.map(({ digest }) => digest),
          sources.map(() => blob.digest)
        )
        const { openUploads } = yield* AcrEmulator.AcrEmulator
        assert.strictEqual(yield* openUploads, 0)
      }).pipe(Effect.provide(Content))
    )
  }
})
