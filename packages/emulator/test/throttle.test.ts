/**
 * Rate limits: which requests count together, and what refused requests get as an answer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import type * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, basicOf, codeOf, emulator } from "./support/ask.ts"

const digest = `sha256:${"0".repeat(64)}`

const requests = {
  read: askAsAdmin("GET", "/acr/v1/_catalog"),
  head: askAsAdmin("HEAD", "/v2/a/manifests/v1"),
  write: askAsAdmin("PATCH", "/acr/v1/none", { body: "{}" }),
  push: askAsAdmin("PUT", "/v2/a/manifests/v1", { body: "{}" }),
  delete: askAsAdmin("DELETE", "/acr/v1/none"),
  referrers: askAsAdmin("GET", `/v2/a/referrers/${digest}`),
  oauth: ask("POST", "/oauth2/token", { body: "" })
}

/** The requests that are turned away if each is made once, in this order. */
const turnedAway = Effect.fnUntraced(function* (names: ReadonlyArray<keyof typeof requests>) {
  const away: Array<string> = []
  for (const name of names) {
    const { status } = yield* requests[name]
    if (status === 429) away.push(name)
  }
  return away
})

const limited = (rateLimits: AcrEmulator.Options["rateLimits"]) =>
  emulator(rateLimits === undefined ? {} : { rateLimits })

describe("too many requests", () => {
  it.live("are refused with the seconds to wait", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* turnedAway(["read", "read"]), [])
      const third = yield* requests.read
      assert.strictEqual(third.status, 429)
      assert.strictEqual(yield* codeOf(third), "TOOMANYREQUESTS")
      const seconds = Number(third.headers["retry-after"])
      assert.isAtLeast(seconds, 1)
      assert.isAtMost(seconds, 30)
      assert.strictEqual((yield* requests.delete).status, 404)
    }).pipe(Effect.provide(limited({ read: 2 })))
  )

  it.effect("are answered again as time goes by, one by one", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* turnedAway(["read", "read", "read"]), ["read"])
      assert.strictEqual((yield* requests.read).headers["retry-after"], "30")
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual((yield* requests.read).headers["retry-after"], "1")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* turnedAway(["read", "read"]), ["read"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* turnedAway(["read", "read", "read"]), ["read"])
    }).pipe(Effect.provide(limited({ read: 2 })))
  )

  it.live("are all of them where none is allowed, with seconds that can be read", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* requests.read).headers["retry-after"], "60")
    }).pipe(Effect.provide(limited({ read: 0 })))
  )

  it.live("do not carry anything out", () =>
    Effect.gen(function* () {
      const upload = yield* askAsAdmin("POST", "/v2/a/blobs/uploads/")
      assert.strictEqual(upload.status, 429)
      assert.strictEqual((yield* requests.read).text, '{"repositories":null}')
    }).pipe(Effect.provide(limited({ write: 0 })))
  )
})

describe("a limit", () => {
  for (const [kind, counted] of [
    ["read", ["read", "head", "referrers"]],
    ["write", ["write", "push"]],
    ["delete", ["delete"]],
    ["referrers", ["referrers"]],
    ["oauth", ["oauth"]]
  ] as const) {
    it.live(`of kind "${kind}" is for its kind alone`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* turnedAway(["read", "head", "write", "push", "delete", "referrers", "oauth"]), [
          ...counted
        ])
      }).pipe(Effect.provide(limited({ [kind]: 0 })))
    )
  }
})

const reader = {
  username: "reader",
  password: Redacted.make("a-password"),
  scopeMap: [{ repository: "a", actions: ["content/read"] }]
} as const

const path = `/v2/a/referrers/${digest}`

/** How many requests of a caller are answered before one is turned away. */
const answered = Effect.fnUntraced(function* (request: ReturnType<typeof ask>) {
  let count = 0
  while ((yield* request).status !== 429) count += 1
  return count
})

describe("a tier", () => {
  // ACR's documentation, "Azure Container Registry SKUs": 500 lists of referrers a minute, 250 for each identity.
  it.effect("limits each identity to its share, and all of them to that of the registry", () =>
    Effect.gen(function* () {
      const asReader = ask("GET", path, { headers: basicOf(reader) })
      assert.strictEqual(yield* answered(askAsAdmin("GET", path)), 250)
      // The request that was turned away above counts for the registry.
      assert.strictEqual(yield* answered(asReader), 249)
      assert.strictEqual((yield* requests.read).status, 200)
    }).pipe(Effect.provide(emulator({ tier: "basic", scopeMapTokens: [reader] })))
  )

  it.effect("is overridden by explicit limits", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* answered(askAsAdmin("GET", path)), 3)
    }).pipe(Effect.provide(emulator({ tier: "premium", rateLimits: { referrers: 3 } })))
  )
})
