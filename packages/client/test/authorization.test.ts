/**
 * Logins: which tokens are requested, when, and how long they are used.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Digest from "../src/Digest.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import * as RegistryContentModule from "../src/RegistryContent.ts"
import { never } from "../src/RetryPolicy.ts"
import { content, sha256 } from "./support/content.ts"
import {
  type Asked,
  challenge,
  endpoint,
  entra,
  Journal,
  json,
  properties,
  registry,
  type Script,
  behindOAuth
} from "./support/registry.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

/** A JSON Web Token with the times of issue and expiry, in seconds. */
const jwt = (claims: { readonly iat?: number; readonly exp: number }, unique: number): string =>
  ["e30", btoa(JSON.stringify({ ...claims, jti: String(unique) })).replace(/=+$/, ""), "c2lnbmF0dXJl"].join(".")

interface Lives {
  readonly access: (count: number) => object
  readonly refresh: (count: number) => object
}

/** ACR's token service with custom answers. */
const granting =
  (lives: Lives): Script =>
  ({ authorization, url }, count) => {
    switch (url.pathname) {
      case "/oauth2/exchange":
        return json(lives.refresh(count))
      case "/oauth2/token":
        return json(lives.access(count))
      default:
        return authorization === undefined ? challenge("repository:alpine:metadata_read") : properties()
    }
  }

const forms = (asked: ReadonlyArray<Asked>, path: string) =>
  asked.filter(({ url }) => url.pathname === path).map(({ body }) => Object.fromEntries(new URLSearchParams(body)))

const countOf = (path: string) =>
  Effect.map(Journal, (journal) => journal.filter(({ url }) => url.pathname === path).length)

describe("the requests to ACR", () => {
  it.effect("begin with the operation itself, then the exchange, then a token for the challenge's scopes", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* read).name, "alpine")
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ authorization, method, url }) => [method, url.pathname, authorization]),
        [
          ["GET", "/acr/v1/alpine", undefined],
          ["POST", "/oauth2/exchange", undefined],
          ["POST", "/oauth2/token", undefined],
          ["GET", "/acr/v1/alpine", "Bearer access-0"]
        ]
      )
      assert.deepStrictEqual(forms(journal, "/oauth2/exchange"), [
        { grant_type: "access_token", service: "myregistry.azurecr.io", access_token: "entra-token" }
      ])
      assert.deepStrictEqual(forms(journal, "/oauth2/token"), [
        {
          grant_type: "refresh_token",
          service: "myregistry.azurecr.io",
          scope: "repository:alpine:metadata_read",
          refresh_token: "refresh-0"
        }
      ])
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: (count) => ({ refresh_token: `refresh-${count}` }),
            access: (count) => ({ access_token: `access-${count}` })
          })
        )
      )
    )
  )

  it.effect("include a token for another repository in advance", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* read
      yield* registry.repositoryProperties("busybox")
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.slice(4).map(({ method, url }) => [method, url.pathname]),
        [
          ["POST", "/oauth2/token"],
          ["GET", "/acr/v1/busybox"]
        ]
      )
      assert.deepStrictEqual(
        forms(journal, "/oauth2/token").map(({ scope }) => scope),
        ["repository:alpine:metadata_read", "repository:busybox:metadata_read"]
      )
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: () => ({ refresh_token: "refresh" }),
            access: () => ({ access_token: "access" })
          })
        )
      )
    )
  )
})

it.effect("for a mount include a token that may also read the other repository", () =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    const digest = Digest.Digest.make(sha256("content"))
    yield* registry.mountBlob("alpine", { digest, from: "busybox" })
    yield* registry.mountBlob("alpine", { digest, from: "debian" })
    assert.deepStrictEqual(
      forms(yield* Journal, "/oauth2/token").map(({ scope }) => scope),
      ["repository:alpine:pull,push repository:busybox:pull", "repository:alpine:pull,push repository:debian:pull"]
    )
  }).pipe(
    Effect.provide(content(behindOAuth("repository:alpine:pull,push", () => new Response(null, { status: 201 }))))
  )
)

describe("a token", () => {
  const year2026 = Date.UTC(2026, 0, 1)

  it.effect("is used until a minute before its expiry, then renewed, by the clock of its issuer", () =>
    Effect.gen(function* () {
      // The issuer's clock is a day ahead of this one.
      yield* TestClock.setTime(year2026)
      yield* read
      yield* TestClock.adjust("74 minutes")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/token"), 1)
      yield* TestClock.adjust("1 minute")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/token"), 2)
      assert.strictEqual(yield* countOf("/oauth2/exchange"), 1)
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: (count) => ({
              refresh_token: jwt({ iat: year2026 / 1000, exp: year2026 / 1000 + 3 * 3600 }, count)
            }),
            access: (count) => ({
              access_token: jwt({ iat: year2026 / 1000 + 86_400, exp: year2026 / 1000 + 86_400 + 75 * 60 + 30 }, count)
            })
          })
        )
      )
    )
  )

  it.effect("that is exchanged for others is exchanged again after its own expiry", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(year2026)
      yield* read
      yield* TestClock.adjust("3 hours")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/exchange"), 2)
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: (count) => ({
              refresh_token: jwt({ iat: year2026 / 1000, exp: year2026 / 1000 + 3 * 3600 }, count)
            }),
            access: (count) => ({ access_token: `opaque-${count}`, expires_in: 300 })
          })
        )
      )
    )
  )

  it.effect("without any date is used for less than a minute", () =>
    Effect.gen(function* () {
      yield* read
      yield* TestClock.adjust("53 seconds")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/token"), 1)
      yield* TestClock.adjust("1 second")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/token"), 2)
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: () => ({ refresh_token: "refresh" }),
            access: (count) => ({ access_token: `opaque-${count}` })
          })
        )
      )
    )
  )

  for (const [name, life] of [
    ["that has ended already", { exp: 1 }],
    ["that ends before it was issued", { iat: 2_000_000_000, exp: 1_000_000_000 }]
  ] as const) {
    it.effect(`${name} serves only the waiting request`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(year2026)
        yield* read
        yield* read
        assert.strictEqual(yield* countOf("/oauth2/token"), 2)
      }).pipe(
        Effect.provide(
          registry(
            granting({
              refresh: () => ({ refresh_token: "refresh" }),
              access: (count) => ({ access_token: jwt(life, count) })
            })
          )
        )
      )
    )
  }

  it.effect("that promises a thousand years is renewed after a day", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(year2026)
      yield* read
      yield* TestClock.adjust("1 day")
      yield* read
      assert.strictEqual(yield* countOf("/oauth2/token"), 2)
    }).pipe(
      Effect.provide(
        registry(
          granting({
            refresh: () => ({ refresh_token: "refresh", expires_in: 1e12 }),
            access: () => ({ access_token: "access", expires_in: 1e12 })
          })
        )
      )
    )
  )
})

it.effect("is requested again after the request of an earlier operation failed", () =>
  Effect.gen(function* () {
    assert.strictEqual((yield* Effect.flip(read)).reason._tag, "Unavailable")
    assert.strictEqual((yield* read).name, "alpine")
  }).pipe(
    Effect.provide(
      registry(
        (asked, count) =>
          asked.url.pathname === "/oauth2/token" && count === 0
            ? new Response(null, { status: 500 })
            : behindOAuth("repository:alpine:metadata_read", properties)(asked, count),
        { retry: never }
      )
    )
  )
)

describe("a caller whose token has too little scope", () => {
  const refusing = behindOAuth("repository:alpine:metadata_read", () =>
    challenge("repository:alpine:metadata_read", ',error="insufficient_scope"')
  )
  for (const [name, credentials, reason] of [
    ["lacks a login if it is anonymous", Credentials.layerAnonymous, "Unauthenticated"],
    ["lacks a permission if it is authenticated", entra, "Forbidden"]
  ] as const) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(read)).reason._tag, reason)
      }).pipe(Effect.provide(registry(refusing, { credentials })))
    )
  }
})

describe("a token with wider scope", () => {
  const image = JSON.stringify({ schemaVersion: 2, config: null, layers: [] })
  const manifest = () => new Response(image, { headers: { "content-type": "application/vnd.example+json" } })
  const pushThenPull = Effect.gen(function* () {
    const content = yield* RegistryContent
    yield* content.putManifest("alpine", image, { mediaType: "application/vnd.example+json", tag: "v1" })
    yield* content.manifest("alpine", "v1")
    yield* content.manifest("alpine", "v1")
    return forms(yield* Journal, "/oauth2/token").map(({ scope }) => scope)
  })

  it.effect("serves narrower requests", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* pushThenPull, ["repository:alpine:pull,push"])
    }).pipe(
      Effect.provide(
        content(
          behindOAuth("repository:alpine:pull,push", ({ method }) =>
            method === "PUT" ? new Response(null, { status: 201 }) : manifest()
          )
        )
      )
    )
  )

  it.effect("that the registry refuses is replaced by one with the exact scope", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* pushThenPull, ["repository:alpine:pull,push", "repository:alpine:pull"])
    }).pipe(
      Effect.provide(
        content(
          behindOAuth("repository:alpine:pull,push", ({ authorization, method }) => {
            if (method === "PUT") return new Response(null, { status: 201 })
            return authorization === "Bearer token-0"
              ? challenge("repository:alpine:pull", ',error="insufficient_scope"')
              : manifest()
          })
        )
      )
    )
  )
})

describe("a registry that cannot be reached", () => {
  it.effect("fails all operations that wait for its first answer with the first failure", () =>
    Effect.gen(function* () {
      const operations = [
        ...Array.from({ length: 9 }, () => Effect.asVoid(read)),
        Effect.flatMap(ContainerRegistry, (registry) => Effect.asVoid(registry.deleteTag("alpine", "v1")))
      ]
      const fiber = yield* Effect.forkChild(
        Effect.forEach(operations, (operation) => Effect.flip(operation), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("31 seconds")
      const errors = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        errors.map(({ operation, reason }) => `${operation} ${reason._tag}`),
        [
          ...Array.from({ length: 9 }, () => "ContainerRegistry.repositoryProperties Unavailable"),
          "ContainerRegistry.deleteTag Unavailable"
        ]
      )
      assert.lengthOf(yield* Journal, 1)
    }).pipe(Effect.provide(registry(() => "stall", { retry: { ...never, attemptTimeout: "30 seconds" } })))
  )

  it.effect("is probed by the next operation if the first one is interrupted", () => {
    let isUp = false
    return Effect.gen(function* () {
      const first = yield* Effect.forkChild(read)
      const second = yield* Effect.forkChild(read)
      yield* TestClock.adjust(0)
      isUp = true
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(second)).name, "alpine")
    }).pipe(Effect.provide(registry(() => (isUp ? properties() : "stall"))))
  })
})

describe("the first request of all", () => {
  it.live("keeps no operation waiting when it is interrupted at any point", () =>
    Effect.gen(function* () {
      // A fibre yields after 2048 steps: with a number of steps before it, the request is interrupted at each point in
      // turn.
      for (let steps = 1900; steps < 2060; steps++) {
        yield* Effect.gen(function* () {
          let step = 0
          const walk: Effect.Effect<void> = Effect.suspend(() => (++step < steps ? walk : Effect.void))
          const context = yield* Effect.context<ContainerRegistry>()
          const fiber = Effect.runForkWith(context)(Effect.andThen(walk, read))
          fiber.interruptUnsafe()
          yield* Fiber.await(fiber)
          assert.strictEqual((yield* read).name, "alpine", `after ${steps} steps`)
        }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", () => properties()))))
      }
    })
  )

  it.effect("does not wait for its own content: a blob is copied within a registry that does not mount", () => {
    const bytes = new Uint8Array(3 * 1024 * 1024).fill(7)
    const digest = sha256(bytes)
    const client = HttpClient.make((request) =>
      Effect.gen(function* () {
        const answer = (
          status: number,
          headers: { readonly [name: string]: string } = {},
          body?: Uint8Array<ArrayBuffer>
        ) => HttpClientResponse.fromWeb(request, new Response(body ?? null, { status, headers }))
        const location = "/v2/b/blobs/uploads/1"
        switch (request.method) {
          case "HEAD":
            return answer(404)
          case "POST":
            return answer(202, { location })
          case "PATCH":
            if (request.body._tag === "Stream") yield* Effect.orDie(Stream.runDrain(request.body.stream))
            return answer(202, { location, range: `0-${bytes.length - 1}` })
          case "PUT":
            return answer(201)
          default:
            return answer(200, { "content-length": String(bytes.length) }, bytes)
        }
      })
    )
    return Effect.gen(function* () {
      const service = yield* RegistryContent
      const source = service.blobSource("a", { digest: Digest.Digest.make(digest), size: bytes.length })
      const copied = yield* service.uploadBlob("b", source, { digest, mountFrom: "a" })
      assert.strictEqual(copied.size, bytes.length)
    }).pipe(
      Effect.provide(
        RegistryContentModule.layer({ endpoint: "https://open.example" }).pipe(
          Layer.provide([Credentials.layerAnonymous, Layer.succeed(HttpClient.HttpClient, client)])
        )
      )
    )
  })
})

describe("a registry with anonymous reads", () => {
  const wantsPassword = new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } })
  const readable: Script = ({ method }) => (method === "GET" ? properties() : wantsPassword.clone())
  const remove = Effect.flatMap(ContainerRegistry, (registry) => registry.deleteTag("alpine", "v1"))

  const given: ReadonlyArray<readonly [string, Layer.Layer<Credentials.Credentials>]> = [
    ["an anonymous caller", Credentials.layerAnonymous],
    ["an identity of Entra ID", entra],
    ["a refresh token", Credentials.layerRefreshToken(Redacted.make("refresh"))]
  ]
  for (const [name, credentials] of given) {
    for (const readsFirst of [true, false]) {
      it.effect(`is still read by ${name} ${readsFirst ? "that read before" : "whose first"} write was refused`, () =>
        Effect.gen(function* () {
          if (readsFirst) yield* read
          const error = yield* Effect.flip(remove)
          assert.strictEqual(error.reason._tag, "Unauthenticated")
          assert.include(error.reason.message, "a user name and a password")
          assert.strictEqual((yield* read).name, "alpine")
          assert.strictEqual((yield* Journal).filter(({ method }) => method === "DELETE").length, 1)
        }).pipe(Effect.provide(registry(readable, { credentials })))
      )
    }
  }
})

describe("an operation that waits for a token", () => {
  it.effect("may be interrupted without affecting the others", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<Redacted.Redacted<string>>()
      const asked: Array<string> = []
      const slow = Credentials.layerEntra(
        Effect.suspend(() => {
          asked.push("asked")
          return Deferred.await(gate)
        })
      )
      yield* Effect.gen(function* () {
        const [leaves, stays] = yield* Effect.all([Effect.forkChild(read), Effect.forkChild(read)])
        yield* TestClock.adjust(0)
        yield* Fiber.interrupt(leaves)
        yield* TestClock.adjust(0)
        yield* Deferred.succeed(gate, Redacted.make("entra-token"))
        assert.strictEqual((yield* Fiber.join(stays)).name, "alpine")
        assert.isAtMost(asked.length, 2)
      }).pipe(
        Effect.provide(
          registry(
            granting({
              refresh: () => ({ refresh_token: "refresh" }),
              access: () => ({ access_token: "access" })
            }),
            { credentials: slow }
          )
        )
      )
    })
  )
})

describe("other registries", () => {
  const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make("the-password") })
  const basic = `Basic ${btoa("contoso:the-password")}`

  it.effect("that require Basic get the password with each request", () =>
    Effect.gen(function* () {
      yield* read
      yield* read
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ authorization }) => authorization),
        [undefined, basic, basic]
      )
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization }) =>
            authorization === undefined
              ? new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } })
              : properties(),
          { credentials: password }
        )
      )
    )
  )

  it.effect("that refuse the password are not sent it again", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason._tag, "Unauthenticated")
      assert.strictEqual((yield* Journal).length, 2)
    }).pipe(
      Effect.provide(
        registry(() => new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="registry"' } }), {
          credentials: password,
          retry: never
        })
      )
    )
  )

  it.effect("that require no login are sent none", () =>
    Effect.gen(function* () {
      yield* read
      yield* read
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ authorization }) => authorization),
        [undefined, undefined]
      )
    }).pipe(Effect.provide(registry(properties, { credentials: password })))
  )

  it.effect("with a token service elsewhere that the user trusts are sent the password there", () =>
    Effect.gen(function* () {
      yield* read
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ authorization, url }) => [url.origin + url.pathname, authorization]),
        [
          [`${endpoint}/acr/v1/alpine`, undefined],
          ["https://auth.example.com/token", basic],
          [`${endpoint}/acr/v1/alpine`, "Bearer granted"]
        ]
      )
      assert.deepStrictEqual(Array.from(journal[1]?.url.searchParams ?? []), [
        ["account", "me"],
        ["service", "registry"],
        ["scope", "repository:alpine:metadata_read,pull,push"],
        ["scope", "repository:other:pull"]
      ])
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization, url }) =>
            url.host === "auth.example.com"
              ? json({ token: "granted" })
              : authorization === "Bearer granted"
                ? properties()
                : new Response(null, {
                    status: 401,
                    headers: {
                      "www-authenticate":
                        'Bearer realm="https://auth.example.com/token?account=me",service="registry",' +
                        'scope="repository:alpine:pull,push repository:other:pull", Basic realm="registry"'
                    }
                  }),
          { credentials: password, trustedRealms: ["https://auth.example.com"] }
        )
      )
    )
  )

  for (const [part, secret] of [
    ["host", "azurecr"],
    ["path", "oauth2"],
    ["query", "account"],
    ["service", "depot"],
    ["scope", "alpine"]
  ] as const) {
    it.effect(`that refuse a token get the next one from the same service, whose ${part} contains the password`, () =>
      Effect.gen(function* () {
        yield* read
        yield* read
        const requests = (yield* Journal).filter(({ url }) => url.pathname === "/oauth2/token")
        const [first, second] = requests.map(({ url }) => url.href)
        assert.lengthOf(requests, 2)
        assert.strictEqual(second, first)
      }).pipe(
        Effect.provide(
          registry(
            ({ authorization, url }, count) => {
              if (url.pathname === "/oauth2/token") return json({ token: `granted-${count}` })
              return authorization === `Bearer granted-${Math.floor(count / 2)}`
                ? properties()
                : new Response(null, {
                    status: 401,
                    headers: {
                      "www-authenticate": `Bearer realm="${endpoint}/oauth2/token?account=me",service="depot",scope="repository:alpine:metadata_read"`
                    }
                  })
            },
            {
              credentials: Credentials.layerPassword({ username: "contoso", password: Redacted.make(secret) }),
              retry: never
            }
          )
        )
      )
    )
  }

  it.effect("with a trusted token service elsewhere get no Entra token, even if that service imitates ACR's", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "Refused")
      assert.isTrue((yield* Journal).every(({ url }) => url.origin === endpoint))
    }).pipe(
      Effect.provide(
        registry(
          ({ url }) =>
            url.origin === endpoint
              ? new Response(null, {
                  status: 401,
                  headers: {
                    "www-authenticate": 'Bearer realm="https://auth.example.com/oauth2/token",service="registry"'
                  }
                })
              : json({ refresh_token: "refresh", access_token: "access" }),
          { trustedRealms: ["https://auth.example.com"] }
        )
      )
    )
  )
})
