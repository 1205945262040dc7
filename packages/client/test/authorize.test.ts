/**
 * Tokens that are requested in advance, and logins for other tools.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { layerTransport, RegistryContent } from "../src/RegistryContent.ts"
import * as TokenScope from "../src/TokenScope.ts"
import { Transport } from "../src/Transport.ts"
import { challenge, endpoint, Journal, json, properties, registry, type Script } from "./support/registry.ts"

/** A JSON Web Token with these claims. */
const jwt = (claims: object): string => ["e30", btoa(JSON.stringify(claims)).replace(/=+$/, ""), "c2ln"].join(".")

/** ACR, with refresh tokens with these claims. */
const acr =
  (claims: object): Script =>
  ({ authorization, url }, count) => {
    switch (url.pathname) {
      case "/oauth2/exchange":
        return json({ refresh_token: jwt({ ...claims, jti: count }) })
      case "/oauth2/token":
        return json({ access_token: `access-${count}` })
      case "/v2/":
        return authorization === undefined ? challenge("") : json({})
      default:
        return authorization === undefined ? challenge("repository:alpine:metadata_read") : properties()
    }
  }

const repositories = Array.from({ length: 25 }, (_, index) => `app-${String(index).padStart(2, "0")}`)

const requests = Effect.map(Journal, (journal) =>
  journal.map(({ body, method, url }) => ({
    request: `${method} ${url.pathname}`,
    scope: new URLSearchParams(body).get("scope") ?? ""
  }))
)

describe("scopes requested in advance", () => {
  it.effect("are combined, ten repositories in one token, which the operations use", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      const { repositoryProperties } = yield* ContainerRegistry
      yield* authorize(repositories.map((name) => TokenScope.repository(name, "metadata_read")))
      const asked = yield* requests
      assert.deepStrictEqual(
        asked.map(({ request }) => request),
        ["GET /v2/", "POST /oauth2/exchange", ...Array(3).fill("POST /oauth2/token")]
      )
      assert.deepStrictEqual(
        asked.slice(2).map(({ scope }) => scope.split(" ").length),
        [10, 10, 5]
      )
      assert.strictEqual(
        asked[4]?.scope,
        repositories
          .slice(20)
          .map((name) => `repository:${name}:metadata_read`)
          .join(" ")
      )
      yield* Effect.forEach(repositories, repositoryProperties)
      assert.strictEqual((yield* Journal).length, 5 + repositories.length)
      // A repeated call sends nothing.
      yield* authorize(repositories.map((name) => TokenScope.repository(name, "metadata_read")))
      assert.strictEqual((yield* Journal).length, 5 + repositories.length)
    }).pipe(Effect.provide(registry(acr({}))))
  )

  it.effect("send nothing if the registry uses no tokens", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      yield* authorize([TokenScope.catalog])
      yield* authorize([TokenScope.catalog])
      assert.deepStrictEqual(
        (yield* requests).map(({ request }) => request),
        ["GET /v2/"]
      )
    }).pipe(Effect.provide(registry(() => json({}))))
  )

  it.effect("for all repositories are refused if rights are granted by repository", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      const { reason } = yield* Effect.flip(authorize(["repository:*:pull"]))
      assert.strictEqual(reason._tag, "InvalidRequest")
      assert.include(reason.message, "repository:*:pull")
      assert.include(reason.message, "ABAC")
      assert.deepStrictEqual(
        (yield* requests).map(({ request }) => request),
        ["GET /v2/", "POST /oauth2/exchange"]
      )
      // The list of repositories is a separate right.
      yield* authorize([TokenScope.catalog, TokenScope.repository("alpine", "pull")])
    }).pipe(Effect.provide(registry(acr({ aad_identity: "6d4b" }))))
  )

  it.effect("for all repositories are refused without the token that a registry writes into them", () =>
    Effect.gen(function* () {
      const { repositoryProperties } = yield* ContainerRegistry
      const { reason } = yield* Effect.flip(repositoryProperties("alpine"))
      assert.strictEqual(reason._tag, "InvalidRequest")
      assert.include(reason.message, "ABAC")
      assert.notInclude(JSON.stringify(reason), "planted-access")
    }).pipe(
      Effect.provide(
        registry((asked, count) => {
          if (asked.url.pathname === "/oauth2/token") return json({ access_token: "planted-access" })
          const isRefused = asked.authorization === "Bearer planted-access"
          return isRefused ? challenge("repository:*:planted-access") : acr({ aad_identity: "6d4b" })(asked, count)
        })
      )
    )
  )

  it.effect("for all repositories are requested otherwise", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      yield* authorize(["repository:*:pull"])
      assert.strictEqual((yield* requests)[2]?.scope, "repository:*:pull")
    }).pipe(Effect.provide(registry(acr({}))))
  )
})

describe("a login for other tools", () => {
  const issued = Date.UTC(2026, 0, 1)
  const threeHours = { iat: issued / 1000, exp: issued / 1000 + 3 * 3600 }

  it.effect("is a new refresh token, with ACR's user name for tokens", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(issued)
      const { login, repositoryProperties } = yield* ContainerRegistry
      yield* repositoryProperties("alpine")
      yield* TestClock.adjust("2 hours")
      const given = yield* login
      assert.strictEqual(given.loginServer, "myregistry.azurecr.io")
      assert.strictEqual(given.username, "00000000-0000-0000-0000-000000000000")
      // By this machine's clock, not the registry's.
      assert.deepStrictEqual(given.expiresAt, Option.some(DateTime.makeUnsafe(issued + 5 * 3600_000)))
      assert.strictEqual(Redacted.value(given.password), jwt({ ...threeHours, jti: 1 }))
      assert.notInclude(JSON.stringify(given), Redacted.value(given.password))
      const other = yield* login
      assert.notStrictEqual(Redacted.value(other.password), Redacted.value(given.password))
    }).pipe(Effect.provide(registry(acr(threeHours))))
  )

  it.effect("may be the first operation", () =>
    Effect.gen(function* () {
      const { login } = yield* ContainerRegistry
      const { expiresAt } = yield* login
      assert.isTrue(Option.isNone(expiresAt))
      assert.deepStrictEqual(
        (yield* requests).map(({ request }) => request),
        ["GET /v2/", "POST /oauth2/exchange"]
      )
    }).pipe(Effect.provide(registry(acr({}))))
  )

  const token = jwt(threeHours)
  it.effect("may be the program's own refresh token", () =>
    Effect.gen(function* () {
      const { login } = yield* ContainerRegistry
      const { expiresAt, password } = yield* login
      assert.strictEqual(Redacted.value(password), token)
      assert.deepStrictEqual(expiresAt, Option.some(DateTime.makeUnsafe(issued + 3 * 3600_000)))
    }).pipe(Effect.provide(registry(acr({}), { credentials: Credentials.layerRefreshToken(Redacted.make(token)) })))
  )

  const others = [
    ["a password", Credentials.layerPassword({ username: "contoso", password: Redacted.make("word") })],
    ["an access token", Credentials.layerAccessToken(Redacted.make("token"))],
    ["an anonymous caller", Credentials.layerAnonymous]
  ] as const
  for (const [name, credentials] of others) {
    it.effect(`is not issued for ${name}`, () =>
      Effect.gen(function* () {
        const { login } = yield* ContainerRegistry
        const { reason } = yield* Effect.flip(login)
        assert.strictEqual(reason._tag, "CredentialUnavailable")
        assert.include(reason.message, "only an identity of Entra ID has a refresh token")
      }).pipe(Effect.provide(registry(acr({}), { credentials })))
    )
  }

  it.effect("is not issued by another registry", () =>
    Effect.gen(function* () {
      const { login } = yield* ContainerRegistry
      const { reason } = yield* Effect.flip(login)
      assert.strictEqual(reason._tag, "CredentialUnavailable")
      assert.include(reason.message, `${endpoint} is not Azure Container Registry`)
    }).pipe(Effect.provide(registry(() => json({}))))
  )
})

describe("two registries in one program", () => {
  it.effect("have separate transports, however they are provided", () =>
    Effect.gen(function* () {
      const inner = "https://inner.azurecr.io"
      const endpointOf = Effect.map(
        Effect.all([ContainerRegistry, RegistryContent, Transport]),
        ([one, two, three]) => {
          assert.isDefined(two)
          return [one.endpoint, three.endpoint]
        }
      )
      const content = layerTransport()
      const at = (address: string) => content.pipe(Layer.provideMerge(registry(acr({}), { endpoint: address })))
      const both = Effect.all([endpointOf, endpointOf.pipe(Effect.provide(at(inner)))]).pipe(
        Effect.provide(at(endpoint))
      )
      assert.deepStrictEqual(yield* both, [
        [endpoint, endpoint],
        [inner, inner]
      ])
    })
  )
})
