/**
 * Logging in: which tokens each login gets, and what they allow.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, type Asked, basicOf, codeOf, emulator, form } from "./support/ask.ts"

const RefreshToken = Schema.fromJsonString(Schema.Struct({ refresh_token: Schema.String }))
const AccessToken = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))

const exchange = Effect.gen(function* () {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const reply = yield* ask("POST", "/oauth2/exchange", {
    body: form({
      grant_type: "access_token",
      service: loginServer,
      access_token: Redacted.value(logins.entraToken)
    })
  })
  return (yield* Schema.decodeEffect(RefreshToken)(reply.text)).refresh_token
})

const accessToken = Effect.fnUntraced(function* (scope: string, fields: { readonly [name: string]: string }) {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const reply = yield* ask("POST", "/oauth2/token", { body: form({ service: loginServer, scope, ...fields }) })
  assert.strictEqual(reply.status, 200)
  return (yield* Schema.decodeEffect(AccessToken)(reply.text)).access_token
})

const ownersToken = Effect.fnUntraced(function* (scope: string) {
  return yield* accessToken(scope, { grant_type: "refresh_token", refresh_token: yield* exchange })
})

const bearer = (token: string): Asked => ({ headers: { authorization: `Bearer ${token}` } })

const seeded = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  return yield* seed({ repository: "samples/alpine", tags: ["v1"] })
})

describe("a request without a token", () => {
  it.live("is challenged for the scope of its path", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
      for (const [method, path, scope] of [
        ["GET", "/acr/v1/_catalog", "registry:catalog:*"],
        ["GET", "/acr/v1/samples%2Falpine", "repository:samples/alpine:metadata_read"],
        ["PATCH", "/acr/v1/samples%2Falpine/_tags/v1", "repository:samples/alpine:metadata_write"],
        ["DELETE", "/acr/v1/samples%2Falpine", "repository:samples/alpine:delete"],
        ["GET", "/v2/samples/alpine/manifests/v1", "repository:samples/alpine:pull"],
        ["PUT", "/v2/samples/alpine/manifests/v1", "repository:samples/alpine:pull,push"]
      ] as const) {
        const reply = yield* ask(method, path)
        assert.strictEqual(reply.status, 401, path)
        assert.strictEqual(
          reply.headers["www-authenticate"],
          `Bearer realm="${endpoint}/oauth2/token",service="${loginServer}",scope="${scope}"`
        )
        assert.strictEqual(yield* codeOf(reply), "UNAUTHORIZED")
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a token", () => {
  it.live("opens what its scope names, and no more", () =>
    Effect.gen(function* () {
      yield* seeded
      const token = yield* ownersToken("repository:samples/alpine:metadata_read")
      assert.strictEqual((yield* ask("GET", "/acr/v1/samples%2Falpine", bearer(token))).status, 200)
      for (const [method, path] of [
        ["DELETE", "/acr/v1/samples%2Falpine"],
        ["GET", "/acr/v1/other"],
        ["GET", "/acr/v1/_catalog"],
        ["GET", "/v2/samples/alpine/manifests/v1"]
      ] as const) {
        const reply = yield* ask(method, path, bearer(token))
        assert.strictEqual(reply.status, 401, path)
        assert.include(reply.headers["www-authenticate"], 'error="insufficient_scope"')
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of several scopes opens all of them", () =>
    Effect.gen(function* () {
      yield* seeded
      const token = yield* ownersToken("repository:samples/alpine:pull,metadata_read registry:catalog:*")
      for (const path of ["/acr/v1/_catalog", "/acr/v1/samples%2Falpine", "/v2/samples/alpine/tags/list"]) {
        assert.strictEqual((yield* ask("GET", path, bearer(token))).status, 200, path)
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of wildcards opens what its holder may, whatever the repository and the action", () =>
    Effect.gen(function* () {
      yield* seeded
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "other", tags: ["v1"] })
      const one = yield* ownersToken("repository:samples/alpine:*")
      assert.strictEqual((yield* ask("GET", "/v2/samples/alpine/tags/list", bearer(one))).status, 200)
      assert.strictEqual((yield* ask("GET", "/v2/other/tags/list", bearer(one))).status, 401)
      const puller = yield* ownersToken("repository:other:pull")
      assert.strictEqual((yield* ask("GET", "/v2/other/manifests/v1", bearer(puller))).status, 200)
      // https://github.com/Azure/acr/issues/423
      assert.strictEqual((yield* ask("GET", "/v2/other/tags/list", bearer(puller))).status, 401)
      const any = yield* ownersToken("repository:*:pull,metadata_read")
      assert.strictEqual((yield* ask("GET", "/v2/other/tags/list", bearer(any))).status, 200)
      assert.strictEqual((yield* ask("DELETE", "/acr/v1/other", bearer(any))).status, 401)
      const anonymous = yield* accessToken("repository:*:*", { grant_type: "password" })
      assert.strictEqual((yield* ask("GET", "/v2/other/tags/list", bearer(anonymous))).status, 200)
      assert.strictEqual((yield* ask("DELETE", "/acr/v1/other", bearer(anonymous))).status, 401)
    }).pipe(Effect.provide(emulator({ anonymousPull: true })))
  )

  it.live("that was revoked, or never granted, is invalid", () =>
    Effect.gen(function* () {
      const { revokeAccessTokens } = yield* AcrEmulator.AcrEmulator
      const token = yield* ownersToken("registry:catalog:*")
      yield* revokeAccessTokens
      for (const unknown of [token, "invented"]) {
        const reply = yield* ask("GET", "/acr/v1/_catalog", bearer(unknown))
        assert.strictEqual(reply.status, 401)
        assert.include(reply.headers["www-authenticate"], 'error="invalid_token"')
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has an end", () =>
    Effect.gen(function* () {
      const token = yield* ownersToken("registry:catalog:*")
      assert.strictEqual((yield* ask("GET", "/acr/v1/_catalog", bearer(token))).status, 401)
    }).pipe(Effect.provide(emulator({ accessTokenLifetime: 0 })))
  )
})

describe("the token service", () => {
  it.live("refuses unknown identities without an explanation", () =>
    Effect.gen(function* () {
      const { loginServer, revokeRefreshTokens } = yield* AcrEmulator.AcrEmulator
      const refreshToken = yield* exchange
      yield* revokeRefreshTokens
      for (const [path, fields] of [
        ["/oauth2/exchange", { grant_type: "access_token", access_token: "wrong" }],
        ["/oauth2/token", { grant_type: "refresh_token", refresh_token: refreshToken }],
        ["/oauth2/token", { grant_type: "refresh_token" }]
      ] as const) {
        const reply = yield* ask("POST", path, { body: form({ service: loginServer, ...fields }) })
        assert.deepStrictEqual([reply.status, reply.text], [401, ""])
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("refuses another registry's service", () =>
    Effect.gen(function* () {
      const { logins } = yield* AcrEmulator.AcrEmulator
      const reply = yield* ask("POST", "/oauth2/exchange", {
        body: form({
          grant_type: "access_token",
          service: "other.azurecr.io",
          access_token: Redacted.value(logins.entraToken)
        })
      })
      assert.strictEqual(reply.status, 401)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("grants anonymous callers a token for public actions with anonymous pull", () =>
    Effect.gen(function* () {
      yield* seeded
      const anonymous = { grant_type: "password", refresh_token: "" }
      const token = yield* accessToken("repository:samples/alpine:pull,push,metadata_read,delete", anonymous)
      assert.strictEqual((yield* ask("GET", "/v2/samples/alpine/tags/list", bearer(token))).status, 200)
      assert.strictEqual((yield* ask("GET", "/acr/v1/samples%2Falpine", bearer(token))).status, 200)
      assert.strictEqual((yield* ask("DELETE", "/acr/v1/samples%2Falpine", bearer(token))).status, 401)
      assert.strictEqual((yield* ask("PUT", "/v2/samples/alpine/manifests/v1", bearer(token))).status, 401)
    }).pipe(Effect.provide(emulator({ anonymousPull: true })))
  )

  // The status is that of Azure/AKS, issue 4459, and the body that of azure-sdk-for-python,
  // sdk/containerregistry/azure-containerregistry/TROUBLESHOOTING.md, "Anonymous access issues".
  it.live("grants no token to anonymous callers otherwise, nor with a wrong password", () =>
    Effect.gen(function* () {
      yield* seeded
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const message = "authentication required, visit https://aka.ms/acr/authorization for more information."
      const refusal = JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message }] })
      const scope = "repository:samples/alpine:pull"
      const path = `/oauth2/token?service=${loginServer}&scope=${scope}`
      const wrong = { username: "admin", password: Redacted.make("not the password") }
      const post = (fields: { readonly username?: string; readonly password?: string }) =>
        ask("POST", "/oauth2/token", { body: form({ service: loginServer, scope, grant_type: "password", ...fields }) })
      for (const reply of [
        yield* ask("GET", path),
        yield* ask("GET", path, { headers: { authorization: `Basic ${btoa(":")}` } }),
        yield* ask("GET", path, { headers: basicOf(wrong) }),
        yield* post({}),
        yield* post({ username: "admin", password: "wrong" })
      ]) {
        assert.deepStrictEqual([reply.status, reply.text], [401, refusal])
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a password", () => {
  const reader = {
    username: "reader",
    password: Redacted.make("a-password"),
    scopeMap: [{ repository: "samples/*", actions: ["content/read", "metadata/read"] }]
  } as const

  it.live("of the admin user opens everything, directly and by a token", () =>
    Effect.gen(function* () {
      yield* seeded
      const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
      const headers = basicOf(logins.adminUser)
      assert.strictEqual((yield* ask("GET", "/acr/v1/_catalog", { headers })).status, 200)
      const reply = yield* ask(
        "GET",
        `/oauth2/token?service=${loginServer}&scope=${encodeURIComponent("repository:samples/alpine:delete")}`,
        { headers }
      )
      const { access_token } = yield* Schema.decodeEffect(AccessToken)(reply.text)
      assert.strictEqual((yield* ask("DELETE", "/acr/v1/samples%2Falpine", bearer(access_token))).status, 202)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a scope-map token opens what its map says", () =>
    Effect.gen(function* () {
      yield* seeded
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "other", tags: ["v1"] })
      const headers = basicOf(reader)
      assert.strictEqual((yield* ask("GET", "/v2/samples/alpine/manifests/v1", { headers })).status, 200)
      assert.strictEqual((yield* ask("GET", "/v2/other/manifests/v1", { headers })).status, 401)
      assert.strictEqual((yield* ask("DELETE", "/acr/v1/samples%2Falpine", { headers })).status, 401)
      assert.strictEqual((yield* ask("GET", "/acr/v1/_catalog", { headers })).status, 401)
    }).pipe(Effect.provide(emulator({ scopeMapTokens: [reader] })))
  )

  it.live("that is a refresh token logs in as docker does", () =>
    Effect.gen(function* () {
      const headers = basicOf({
        username: "00000000-0000-0000-0000-000000000000",
        password: Redacted.make(yield* exchange)
      })
      assert.strictEqual((yield* ask("GET", "/v2/", { headers })).status, 200)
    }).pipe(Effect.provide(emulator()))
  )
})
