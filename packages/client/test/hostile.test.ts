/**
 * A registry that misbehaves: always the right reason, no secret sent elsewhere, and no hanging operation.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import type { Reason, RegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import type * as Transport from "../src/Transport.ts"
import {
  behindOAuth,
  challenge,
  endpoint,
  entra,
  Journal,
  json,
  properties,
  registry,
  type Script
} from "./support/registry.ts"

const scope = "repository:alpine:metadata_read"
const password = Credentials.layerPassword({ username: "contoso", password: Redacted.make("the-password") })

const failWith = (
  effect: Effect.Effect<unknown, RegistryError, ContainerRegistry>,
  script: Script,
  options: Partial<Transport.Options> & { readonly credentials?: typeof entra } = {}
): Effect.Effect<Reason> =>
  Effect.gen(function* () {
    const { reason } = yield* Effect.flip(effect)
    // All requests went to the registry.
    for (const { url } of yield* Journal) assert.strictEqual(url.origin, endpoint)
    return reason
  }).pipe(Effect.provide(registry(script, { retry: never, ...options })), Effect.orDie)

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))
const list = Effect.flatMap(ContainerRegistry, (registry) => Stream.runCollect(registry.repositories()))

const catalogPage = (link: string): Response => json({ repositories: ["alpine"] }, { headers: { link } })

describe("a link to the next page", () => {
  const elsewhere = [
    "https://evil.example/acr/v1/_catalog?last=alpine",
    "//evil.example/acr/v1/_catalog?last=alpine",
    "http://myregistry.azurecr.io/acr/v1/_catalog?last=alpine",
    "https://myregistry.azurecr.io:8443/acr/v1/_catalog?last=alpine",
    "https://myregistry.azurecr.io@evil.example/acr/v1/_catalog",
    "https://myregistry.azurecr.io.evil.example/acr/v1/_catalog",
    String.raw`\\evil.example\acr\v1\_catalog`,
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "https://[broken"
  ]
  for (const target of elsewhere) {
    it.effect(`to ${target} is refused`, () =>
      Effect.gen(function* () {
        const reason = yield* failWith(
          list,
          behindOAuth("registry:catalog:*", () => catalogPage(`<${target}>; rel="next"`))
        )
        assert.strictEqual(reason._tag, "Refused")
      })
    )
  }

  it.effect("with a user name is followed without it", () =>
    Effect.gen(function* () {
      const names = yield* list
      assert.deepStrictEqual(names.map(String), ["alpine", "alpine"])
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.slice(-1).map(({ url }) => url.href),
        [`${endpoint}/acr/v1/_catalog?last=alpine`]
      )
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("registry:catalog:*", ({ url }) =>
            url.searchParams.has("last")
              ? json({ repositories: ["alpine"] })
              : catalogPage(`<https://me:secret@myregistry.azurecr.io/acr/v1/_catalog?last=alpine>; rel="next"`)
          )
        )
      )
    )
  )

  it.effect("to the page itself is an error", () =>
    Effect.gen(function* () {
      const reason = yield* failWith(
        list,
        behindOAuth("registry:catalog:*", ({ url }) => catalogPage(`<${url.pathname}${url.search}>; rel="next"`))
      )
      assert.strictEqual(reason._tag, "InvalidResponse")
    })
  )

  it.effect("to an earlier page is an error", () =>
    Effect.gen(function* () {
      const reason = yield* failWith(
        list,
        behindOAuth("registry:catalog:*", ({ url }) => {
          const turn = url.searchParams.get("turn")
          return catalogPage(`</acr/v1/_catalog?turn=${turn === null || turn === "2" ? 1 : 2}>; rel="next"`)
        })
      )
      assert.strictEqual(reason._tag, "InvalidResponse")
    })
  )
})

/** A body of one gibibyte, and how much of it was read. */
const gibibyte = (): { readonly body: ReadableStream<Uint8Array>; readonly takenBytes: () => number } => {
  const chunk = new Uint8Array(64 * 1024).fill(0x20)
  let taken = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken >= 1024 ** 3) return controller.close()
      taken += chunk.length
      controller.enqueue(chunk)
    }
  })
  return { body, takenBytes: () => taken }
}

describe("a body", () => {
  for (const [status, reason] of [
    [400, "InvalidRequest"],
    [404, "NotFound"],
    [500, "Unavailable"]
  ] as const) {
    it.effect(`of 1 GiB with a ${status} is cut after some kilobytes`, () =>
      Effect.gen(function* () {
        const { body, takenBytes } = gibibyte()
        const failed = yield* failWith(
          read,
          behindOAuth(scope, () => new Response(body, { status }))
        )
        assert.strictEqual(failed._tag, reason)
        assert.isBelow(takenBytes(), 1024 ** 2)
      })
    )
  }

  it.effect("of 1 GiB with a 200 is too large, and at most 17 MiB of it are read", () =>
    Effect.gen(function* () {
      const { body, takenBytes } = gibibyte()
      const failed = yield* failWith(
        read,
        behindOAuth(scope, () => new Response(body))
      )
      assert.strictEqual(failed._tag, "TooLarge")
      assert.isAtMost(takenBytes(), 17 * 1024 ** 2)
    })
  )

  for (const [status, reason] of [
    [400, "InvalidRequest"],
    [403, "Forbidden"],
    [502, "Unavailable"]
  ] as const) {
    it.effect(`of HTML with a ${status} is ${reason}, and not quoted`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(
          read,
          behindOAuth(
            scope,
            () =>
              new Response("<html><body>Azure says no</body></html>", {
                status,
                headers: { "content-type": "text/html" }
              })
          )
        )
        assert.strictEqual(failed._tag, reason)
        assert.notInclude(failed.message, "html")
      })
    )
  }

  it.effect("of HTML with a 404 is a missing endpoint, not a missing repository", () =>
    Effect.gen(function* () {
      const failed = yield* failWith(
        read,
        behindOAuth(scope, () => new Response("<html>nginx</html>", { status: 404 }))
      )
      assert.strictEqual(failed._tag === "NotFound" ? failed.resource : failed._tag, "endpoint")
    })
  )

  const unreadable: ReadonlyArray<readonly [string, string]> = [
    ["HTML", "<html></html>"],
    ["nothing", ""],
    ["half a document", '{"registry":"myregistry.azurecr.io","imageName"'],
    ["a list", "[]"],
    ["null", "null"],
    ["another document", '{"repositories":[]}'],
    ["a name that is none", '{"imageName":"../../etc","createdTime":"2023-03-07T02:03:10Z"}'],
    ["a time that is none", '{"registry":"r","imageName":"alpine","createdTime":"soon","lastUpdateTime":"soon"}'],
    ["100,000 brackets", "[".repeat(100_000)]
  ]
  for (const [name, text] of unreadable) {
    it.effect(`of ${name} with a 200 is InvalidResponse`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(
          read,
          behindOAuth(scope, () => new Response(text, { headers: { "content-type": "application/json" } }))
        )
        assert.strictEqual(failed._tag, "InvalidResponse")
      })
    )
  }

  const oddErrors: ReadonlyArray<readonly [string, string]> = [
    ["null", "null"],
    ["errors that are null", '{"errors":null}'],
    ["errors without a message", '{"errors":[{"code":"DENIED","message":null}]}'],
    ["errors of another shape", '{"errors":{"code":1}}'],
    ["details of any shape", '{"errors":[{"code":"DENIED","message":"no","detail":[[{"a":null}]]}]}']
  ]
  for (const [name, text] of oddErrors) {
    it.effect(`of ${name} with a 403 is Forbidden`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(
          read,
          behindOAuth(scope, () => new Response(text, { status: 403 }))
        )
        assert.strictEqual(failed._tag, "Forbidden")
      })
    )
  }
})

const kibibyte = 1024

describe("the token endpoint", () => {
  for (const path of ["/oauth2/exchange", "/oauth2/token"]) {
    const granting =
      (token: string): Script =>
      (asked, count) =>
        asked.url.pathname === path
          ? json({ access_token: token, refresh_token: token })
          : behindOAuth(scope, properties)(asked, count)

    it.effect(`that grants a token of 64 KiB on ${path} is read`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* read).name, "alpine")
      }).pipe(Effect.provide(registry(granting("t".repeat(64 * kibibyte)))))
    )

    it.effect(`that grants a longer one on ${path} is InvalidResponse, and the token is not sent`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(read)
        assert.strictEqual(error.reason._tag, "InvalidResponse")
        assert.isBelow(error.message.length, 1000)
        for (const { authorization = "", body } of yield* Journal) {
          assert.isBelow(authorization.length + body.length, kibibyte)
        }
      }).pipe(Effect.provide(registry(granting("t".repeat(64 * kibibyte + 1)), { retry: never })))
    )

    it.effect(`that answers endlessly on ${path} is TooLarge after at most 512 KiB`, () => {
      const { body, takenBytes } = gibibyte()
      return Effect.gen(function* () {
        const failed = yield* failWith(read, (asked, count) =>
          asked.url.pathname === path ? new Response(body) : behindOAuth(scope, properties)(asked, count)
        )
        assert.strictEqual(failed._tag, "TooLarge")
        assert.isAtMost(takenBytes(), 512 * kibibyte)
      })
    })

    it.effect(`that answers 401 with nothing on ${path} is Unauthenticated`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(read, (asked, count) =>
          asked.url.pathname === path
            ? new Response(null, { status: 401 })
            : behindOAuth(scope, () => json({}))(asked, count)
        )
        assert.strictEqual(failed._tag, "Unauthenticated")
      })
    )

    for (const [name, text] of [
      ["HTML", "<html></html>"],
      ["no token", "{}"],
      ["an empty token", '{"access_token":"","refresh_token":""}'],
      ["a number for a token", '{"access_token":1,"refresh_token":1}']
    ] as const) {
      it.effect(`that grants ${name} on ${path} is InvalidResponse`, () =>
        Effect.gen(function* () {
          const failed = yield* failWith(read, (asked, count) =>
            asked.url.pathname === path
              ? new Response(text, { status: 200 })
              : behindOAuth(scope, () => json({}))(asked, count)
          )
          assert.strictEqual(failed._tag, "InvalidResponse")
        })
      )
    }

    it.effect(`that redirects ${path} is not followed`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(read, (asked, count) =>
          asked.url.pathname === path
            ? new Response(null, { status: 307, headers: { location: "https://evil.example/" } })
            : behindOAuth(scope, () => json({}))(asked, count)
        )
        assert.strictEqual(failed._tag, "Refused")
      })
    )
  }

  it.effect("that grants a token that no header can contain is InvalidResponse", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(read)
      assert.strictEqual(reason._tag, "InvalidResponse")
    }).pipe(
      Effect.provide(
        registry(
          ({ authorization, url }) =>
            url.pathname.startsWith("/oauth2/")
              ? json({ refresh_token: "refresh-\ud800", access_token: "access-\ud800" })
              : authorization === undefined
                ? challenge("repository:alpine:metadata_read")
                : json({ errors: [{ code: "DENIED", message: authorization }] }, { status: 403 }),
          { retry: never }
        )
      )
    )
  )

  it.effect("whose tokens are refused at once fails the operation after one renewal", () =>
    Effect.gen(function* () {
      let asked = 0
      const failed = yield* failWith(
        read,
        behindOAuth(scope, () => {
          asked += 1
          return challenge(scope)
        })
      )
      assert.strictEqual(failed._tag, "Unauthenticated")
      assert.strictEqual(asked, 2)
    })
  )
})

const bearer =
  (realm: string): Script =>
  ({ authorization }) => {
    assert.isUndefined(authorization)
    return new Response(null, {
      status: 401,
      headers: { "www-authenticate": `Bearer realm="${realm}",service="myregistry.azurecr.io",scope="${scope}"` }
    })
  }

describe("a realm", () => {
  const foreign = [
    "https://evil.example/oauth2/token",
    "http://myregistry.azurecr.io/oauth2/token",
    "https://myregistry.azurecr.io:444/oauth2/token",
    "https://myregistry.azurecr.io.evil.example/oauth2/token",
    "https://myregistry.azurecr.io@evil.example/oauth2/token",
    "https://me:secret@myregistry.azurecr.io/oauth2/token",
    "https://auth.docker.io/token",
    "http://169.254.169.254/oauth2/token",
    "http://[::ffff:169.254.169.254]/oauth2/token",
    "http://0.0.0.0/oauth2/token",
    "http://127.0.0.1/oauth2/token",
    "file:///etc/passwd"
  ]
  for (const realm of foreign) {
    for (const [who, credentials] of [
      ["an Entra token", entra],
      ["a password", password],
      ["nothing", Credentials.layerAnonymous]
    ] as const) {
      it.effect(`at ${realm} is sent nothing, with ${who}`, () =>
        Effect.gen(function* () {
          const failed = yield* failWith(read, bearer(realm), { credentials })
          assert.strictEqual(failed._tag, "Refused")
        })
      )
    }
  }

  for (const realm of ["", "oauth2/token", "not a url"]) {
    it.effect(`of "${realm}" is InvalidResponse`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* failWith(read, bearer(realm)))._tag, "InvalidResponse")
      })
    )
  }

  it.effect("that changes to another origin later is refused as well", () =>
    Effect.gen(function* () {
      const failed = yield* failWith(
        read,
        behindOAuth(scope, () => bearer("https://evil.example/oauth2/token")(unauthenticated, 0))
      )
      assert.strictEqual(failed._tag, "Refused")
    })
  )

  it.effect("at another path of the registry gets no Entra token", () =>
    Effect.gen(function* () {
      const failed = yield* failWith(read, bearer(`${endpoint}/elsewhere`))
      assert.strictEqual(failed._tag, "Refused")
    })
  )
})

const unauthenticated = {
  method: "GET",
  url: new URL(endpoint),
  authorization: undefined,
  range: null,
  accept: undefined,
  contentRange: undefined,
  contentType: undefined,
  clientRequestId: undefined,
  body: ""
}

describe("a challenge", () => {
  it.effect("of 1 MiB is read to its first 8 KiB", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(read)
      assert.strictEqual(failed.reason._tag, "Unauthenticated")
      const asked = (yield* Journal).filter(({ url }) => url.pathname === "/oauth2/token")
      assert.strictEqual(asked.length, 1)
      for (const { body } of asked) assert.isBelow(body.length, 16 * kibibyte)
    }).pipe(
      Effect.provide(
        registry(
          ({ url }) =>
            url.pathname === "/oauth2/exchange"
              ? json({ refresh_token: "refresh" })
              : url.pathname === "/oauth2/token"
                ? new Response(null, { status: 401 })
                : new Response(null, {
                    status: 401,
                    headers: {
                      "www-authenticate": `Bearer realm="${endpoint}/oauth2/token",service=${"s".repeat(3000)},scope=${"a".repeat(1024 ** 2)}`
                    }
                  }),
          { retry: never }
        )
      )
    )
  )

  it.effect("of another kind is InvalidResponse", () =>
    Effect.gen(function* () {
      const failed = yield* failWith(
        read,
        () => new Response(null, { status: 401, headers: { "www-authenticate": "Negotiate" } })
      )
      assert.strictEqual(failed._tag, "InvalidResponse")
    })
  )

  it.effect("that is missing makes the 401 the result", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* failWith(read, () => new Response(null, { status: 401 })))._tag, "Unauthenticated")
    })
  )

  it.effect("of Basic gets no Entra token", () =>
    Effect.gen(function* () {
      const failed = yield* failWith(read, ({ authorization }) => {
        assert.isUndefined(authorization)
        return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } })
      })
      assert.strictEqual(failed._tag, "Unauthenticated")
    })
  )

  it.effect("cannot inject parameters into the token request", () =>
    Effect.gen(function* () {
      yield* Effect.flip(read)
      const journal = yield* Journal
      const tokenRequest = journal.find(({ url }) => url.pathname === "/oauth2/token")
      assert.strictEqual(tokenRequest?.url.searchParams.get("service"), "a&scope=evil#")
      assert.deepStrictEqual(tokenRequest?.url.searchParams.getAll("scope"), [
        "repository:a&b=c:pull",
        "repository:alpine:metadata_read"
      ])
      assert.strictEqual(tokenRequest?.url.hash, "")
    }).pipe(
      Effect.provide(
        registry(
          ({ url }) =>
            url.pathname === "/oauth2/token"
              ? new Response(null, { status: 401 })
              : new Response(null, {
                  status: 401,
                  headers: {
                    "www-authenticate": `Bearer realm="${endpoint}/oauth2/token",service="a&scope=evil#",scope="repository:a&b=c:pull"`
                  }
                }),
          { retry: never, credentials: password }
        )
      )
    )
  )
})

describe("a redirect", () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it.effect(`${status} of an API call is not followed`, () =>
      Effect.gen(function* () {
        const failed = yield* failWith(
          read,
          behindOAuth(
            scope,
            () => new Response(null, { status, headers: { location: "https://evil.example/steal?me=1" } })
          )
        )
        assert.strictEqual(failed._tag, "Refused")
      })
    )
  }
})

describe("an endpoint", () => {
  for (const address of [
    "http://myregistry.azurecr.io",
    "ftp://myregistry.azurecr.io",
    "https://myregistry.azurecr.io/path",
    "https://myregistry.azurecr.io/?query",
    "https://user:password@myregistry.azurecr.io",
    "http://0.0.0.0:5000",
    "http://127.0.0.1.evil.example",
    "",
    "not an endpoint"
  ]) {
    it.effect(`of "${address}" is refused before anything is sent`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Effect.scoped(
            Effect.provide(
              read,
              registry(() => json({}), { endpoint: address })
            )
          )
        )
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.notInclude(error.message, "password")
      })
    )
  }

  for (const address of [
    "myregistry.azurecr.io",
    "HTTPS://MyRegistry.azurecr.io/",
    "https://myregistry.azurecr.io:443"
  ]) {
    it.effect(`of "${address}" is ${endpoint}`, () =>
      Effect.gen(function* () {
        const registry = yield* ContainerRegistry
        assert.strictEqual(registry.endpoint, endpoint)
        assert.strictEqual(registry.loginServer, "myregistry.azurecr.io")
      }).pipe(Effect.provide(registry(() => json({}), { endpoint: address })))
    )
  }
})
