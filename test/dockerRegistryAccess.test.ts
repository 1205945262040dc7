/**
 * How the client gets in at docker-registry, and where it does not.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import { json, type Operation, type Page, page } from "@effect-acr/client/Operation"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import { Transport } from "@effect-acr/client/Transport"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isInstalled } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { withheld } from "./support/dockerRegistryTokens.ts"

const wrongPassword = Credentials.layerPassword({ ...Docker.login, password: Redacted.make("wrong") })

const upload = Effect.flatMap(RegistryContent, (content) =>
  content.uploadBlob("access", BlobSource.fromString("something"))
)

/** Why a client that is set up otherwise gets nowhere. */
const reasonWith = <R>(client: Layer.Layer<RegistryContent, RegistryError, R>) =>
  upload.pipe(
    Effect.provide(client, { local: true }),
    Effect.flip,
    Effect.map(({ reason }) => reason._tag)
  )

/** The repositories of the whole registry: an endpoint that this library does not wrap. */
const catalog: Operation<Page<string>> = {
  name: "test.catalog",
  method: "GET",
  path: "/v2/_catalog?n=2",
  scopes: ["registry:catalog:*"],
  bucket: "read",
  missing: "endpoint",
  success: [200],
  repeat: "always",
  decode: page((response) =>
    Effect.map(
      json(Schema.Struct({ repositories: Schema.Array(Schema.String) }))(response),
      ({ repositories }) => repositories
    )
  )
}

const repositories = ["a", "b/c", "d", "e/f/g", "h"]

describe.runIf(isInstalled("docker-registry"))("access to docker-registry", () => {
  layer(Docker.layer({ access: "anonymous", relativeUrls: false }), { excludeTestServices: true })("anyone", (it) => {
    it.effect("is asked without a login, which it does not require", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* upload).size, "something".length)
      }).pipe(Effect.provide(Docker.layerContent({ credentials: wrongPassword })))
    )

    it.effect("leads from page to page, through an endpoint that is not wrapped", () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        for (const repository of repositories) yield* content.uploadBlob(repository, BlobSource.fromString("something"))
        const { list } = yield* Transport
        const listed = yield* Stream.runCollect(list(catalog))
        assert.deepStrictEqual(
          listed.filter((name) => repositories.includes(name)),
          repositories
        )
      }).pipe(Effect.provide(Docker.layerContent()))
    )
  })

  layer(Docker.layer({ access: "htpasswd", relativeUrls: true }), { excludeTestServices: true })("htpasswd", (it) => {
    it.effect("refuses anonymous callers and wrong passwords, and accepts the right one", () =>
      Effect.gen(function* () {
        const anonymous = Docker.layerContent({ credentials: Credentials.layerAnonymous })
        assert.strictEqual(yield* reasonWith(anonymous), "Unauthenticated")
        const wrong = Docker.layerContent({ credentials: wrongPassword })
        assert.strictEqual(yield* reasonWith(wrong), "Unauthenticated")
        assert.strictEqual((yield* Effect.provide(upload, Docker.layerContent())).size, "something".length)
      })
    )
  })

  layer(Docker.layer({ access: "token", relativeUrls: true }), { excludeTestServices: true })("tokens", (it) => {
    const tokenRequests = Docker.DockerRegistry.use(({ tokens }) => tokens?.requests ?? Effect.succeed([]))

    it.effect("are not had from an origin that is not trusted", () =>
      Effect.gen(function* () {
        const before = yield* tokenRequests
        for (const trustedRealms of [[], ["https://127.0.0.1"], ["https://localhost:1"]]) {
          assert.strictEqual(yield* reasonWith(Docker.layerContent({ trustedRealms })), "Refused")
        }
        assert.deepStrictEqual(yield* tokenRequests, before)
      })
    )

    it.effect("are not had with a wrong password, or none", () =>
      Effect.gen(function* () {
        for (const credentials of [wrongPassword, Credentials.layerAnonymous]) {
          assert.strictEqual(yield* reasonWith(Docker.layerContent({ credentials })), "Unauthenticated")
        }
      })
    )

    it.effect("are requested once for the rights that are needed, and one to push serves to pull", () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const before = yield* tokenRequests
        const { digest } = yield* content.uploadBlob("rights", BlobSource.fromString("something"))
        for (let times = 0; times < 3; times++) {
          yield* content.uploadBlob("rights", BlobSource.fromString(`something ${times}`))
          yield* content.headBlob("rights", digest)
        }
        yield* content.deleteBlob("rights", digest)
        assert.deepStrictEqual((yield* tokenRequests).slice(before.length), [
          "repository:rights:pull,push",
          "repository:rights:delete"
        ])
      }).pipe(Effect.provide(Docker.layerContent(), { local: true }))
    )

    it.effect("that lack the right are answered with Forbidden", () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const error = yield* Effect.flip(content.uploadBlob(withheld, BlobSource.fromString("something")))
        assert.strictEqual(error.reason._tag, "Forbidden")
      }).pipe(Effect.provide(Docker.layerContent()))
    )
  })
})
