/**
 * A docker-registry that has its tokens from the emulator, as registries have them from a service of another origin.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Manifest from "@effect-acr/client/Manifest"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { isInstalled } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { requests } from "./support/emulator.ts"

const adminUser = { username: "contoso", password: Redacted.make("a-password") }

const Registry = Layer.unwrap(
  AcrEmulator.AcrEmulator.useSync(({ certificate, endpoint, loginServer }) =>
    Docker.layer({
      access: "anonymous",
      relativeUrls: false,
      tokensFrom: {
        realm: `${endpoint}/oauth2/token`,
        service: loginServer,
        issuer: "Azure Container Registry",
        certificate: Option.getOrThrow(certificate)
      }
    })
  )
).pipe(Layer.provideMerge(AcrEmulator.layer({ https: true, adminUser })))

const contentFor = (credentials: Layer.Layer<Credentials.Credentials>) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const docker = yield* Docker.DockerRegistry
      const emulator = yield* AcrEmulator.AcrEmulator
      const ca = [docker.certificate, Option.getOrThrow(emulator.certificate)]
      return RegistryContent.layer({ endpoint: docker.endpoint, trustedRealms: [emulator.endpoint] }).pipe(
        Layer.provide(credentials),
        Layer.provide(NodeRegistryHttpClient.layerOptions({ ca }))
      )
    })
  ).pipe(Layer.provideMerge(Registry))

describe.runIf(isInstalled("docker-registry"))("docker-registry, with tokens of the emulator", () => {
  it.live("takes an image and gives it back", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const config = yield* content.uploadBlob("samples/image", BlobSource.fromString("{}"))
      const layer = yield* content.uploadBlob("samples/image", BlobSource.fromBytes(new Uint8Array(2_000_000).fill(7)))
      const { descriptor: pushed } = yield* content.putManifest(
        "samples/image",
        Manifest.image({ config, layers: [layer] }),
        {
          tag: "v1"
        }
      )
      assert.deepStrictEqual(yield* content.resolve("samples/image", "v1"), pushed)
      assert.strictEqual((yield* content.blobBytes("samples/image", layer)).length, 2_000_000)
      assert.deepStrictEqual(yield* requests, ["GET /oauth2/token 200"])
    }).pipe(Effect.provide(contentFor(Credentials.layerPassword(adminUser))))
  )

  it.live("turns away logins that the emulator does not know", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const error = yield* Effect.flip(content.resolve("samples/image", "v1"))
      assert.strictEqual(error.reason._tag, "Unauthenticated")
    }).pipe(Effect.provide(contentFor(Credentials.layerPassword({ ...adminUser, password: Redacted.make("wrong") }))))
  )
})
