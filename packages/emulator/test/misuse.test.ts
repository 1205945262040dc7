/**
 * Accidental misuse: numbers that are too large, clocks that go back, silent connections.
 */
import { readdir } from "node:fs/promises"
import * as Http from "node:http"
import * as Net from "node:net"
import { join } from "node:path"
import { Control } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, emulator } from "./support/ask.ts"
import { answersTo } from "./support/connection.ts"
import { digestOf, open, push } from "./support/content.ts"
import { folder } from "./support/folder.ts"
import { manifestOf, mediaType, pushConfig, pushManifest } from "./support/images.ts"

const controlled = (options: Control.Options = {}) => Control.layer(options).pipe(Layer.provideMerge(emulator()))

/** The status of a request to the control API. */
const control = Effect.fnUntraced(function* (
  method: "GET" | "POST" | "PUT",
  path: string,
  { body, headers = {} }: { readonly body?: object; readonly headers?: { readonly [name: string]: string } } = {}
) {
  const { endpoint } = yield* Control.Control
  const request = HttpClientRequest.make(method)(endpoint + path, {
    headers,
    body: body === undefined ? HttpBody.empty : HttpBody.text(JSON.stringify(body), "application/json")
  })
  return (yield* HttpClient.execute(request)).status
})

/** The status for a request that names another host than the one that it goes to. */
const statusFor = (endpoint: string, host: string) =>
  Effect.callback<number | undefined, Error>((resume) => {
    Http.get(`${endpoint}/health`, { headers: { host } }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    }).on("error", (error) => resume(Effect.fail(error)))
  })

/** Opens a connection. The effect `closed` waits until it is closed. */
const connectTo = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: Net.Socket; readonly closed: Effect.Effect<void> }>((resume) => {
      const { hostname, port } = new URL(endpoint)
      const socket = Net.connect(Number(port), hostname)
      const closed = new Promise<void>((resolve) => socket.on("error", () => undefined).on("close", () => resolve()))
      socket.resume().on("connect", () => resume(Effect.succeed({ socket, closed: Effect.promise(() => closed) })))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** Opens a connection and says nothing on it. */
const silentConnection = Effect.fnUntraced(function* (endpoint: string) {
  const silent = yield* connectTo(endpoint)
  // The server knows of it once it has closed one that came later and made no sense.
  const later = yield* connectTo(endpoint)
  later.socket.write("nonsense\r\n\r\n")
  yield* later.closed
  return silent
})

const minuteOf = (time: DateTime.Utc): string => DateTime.formatIso(time).slice(0, 16)

describe("a clock", () => {
  it.live("is not set to a time that no timestamp says", () =>
    Effect.gen(function* () {
      for (const time of ["+012000-01-01T00:00:00Z", "+275760-09-13T00:00:00Z", "-000001-01-01T00:00:00Z"]) {
        assert.strictEqual(yield* control("PUT", "/clock", { body: { time } }), 400, time)
      }
      for (const by of ["Infinity", "-Infinity"]) {
        assert.strictEqual(yield* control("POST", "/clock/adjust", { body: { by } }), 400, by)
      }
    }).pipe(Effect.provide(controlled()))
  )

  it.live("stops at the end of the year 9999, and goes back from there", () =>
    Effect.gen(function* () {
      const { adjustTime, setTime, time } = yield* AcrEmulator.AcrEmulator
      assert.strictEqual(yield* control("POST", "/clock/adjust", { body: { by: "10000000000 days" } }), 204)
      assert.strictEqual((yield* ask("GET", "/v2/")).status, 401)
      assert.strictEqual(yield* control("GET", "/clock"), 200)
      assert.strictEqual(minuteOf(yield* time), "9999-12-31T23:59")
      yield* adjustTime(Duration.infinity)
      yield* adjustTime(Duration.negativeInfinity)
      assert.strictEqual(minuteOf(yield* time), "0001-01-01T00:00")
      assert.strictEqual((yield* ask("GET", "/v2/")).status, 401)
      yield* setTime(DateTime.makeUnsafe("2030-01-01T00:00:00Z"))
      assert.strictEqual(minuteOf(yield* time), "2030-01-01T00:00")
    }).pipe(Effect.provide(controlled()))
  )

  it.live("can be before the time at which a seed is said to have been pushed", () =>
    Effect.gen(function* () {
      const body = { repository: "a", tags: ["1"], pushedAt: "9999999999999 days" }
      assert.strictEqual(yield* control("POST", "/seed", { body }), 200)
    }).pipe(Effect.provide(controlled()))
  )

  it.live("that was set back removes no request from a limit", () =>
    Effect.gen(function* () {
      const { adjustTime } = yield* AcrEmulator.AcrEmulator
      yield* adjustTime("8 days")
      assert.strictEqual((yield* ask("GET", "/v2/")).status, 401)
      yield* adjustTime("-8 days")
      assert.strictEqual((yield* ask("GET", "/v2/")).status, 401)
    }).pipe(Effect.provide(emulator({ rateLimits: { read: 60 } })))
  )

  it.live("that was set back lets later deletions expire", () =>
    Effect.gen(function* () {
      const { adjustTime, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["x", "y"] })
      yield* adjustTime("365 days")
      yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/x")
      yield* adjustTime("-365 days")
      yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/y")
      yield* adjustTime("8 days")
      const { text } = yield* askAsAdmin("GET", "/acr/v1/_deleted/a/_tags")
      assert.include(text, `"tag":"x"`)
      assert.notInclude(text, `"tag":"y"`)
    }).pipe(Effect.provide(emulator({ softDelete: { retention: "7 days" } })))
  )

  it.live("that was set back lets unneeded content and idle uploads be removed", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const act = Effect.gen(function* () {
        const { adjustTime, openUploads } = yield* AcrEmulator.AcrEmulator
        const abandon = Effect.fnUntraced(function* (content: string) {
          const { digest } = yield* push(content)
          assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/blobs/${digest}`)).status, 202)
          yield* open
        })
        yield* adjustTime("365 days")
        yield* abandon("one")
        yield* adjustTime("-365 days")
        yield* abandon("two")
        yield* adjustTime("25 hours")
        yield* ask("GET", "/v2/")
        return yield* openUploads
      })
      // The sweep is over when the emulator has stopped.
      const openUploads = yield* Effect.provide(act, emulator({ directory }))
      const files = yield* Effect.promise(() => readdir(join(directory, "blobs", "sha256")))
      assert.deepStrictEqual(files, [digestOf("one").slice("sha256:".length)])
      assert.strictEqual(openUploads, 1)
    })
  )

  it.effect("that stands still gives each of many changes a later time", () =>
    Effect.gen(function* () {
      const { contents } = yield* AcrEmulator.AcrEmulator
      yield* pushConfig
      yield* pushManifest("first", "first")
      const some = Array.from({ length: 250 }, () => "GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")
      for (let sent = 0; sent < 10_000; sent += some.length) yield* answersTo(...some)
      yield* pushManifest("last", "last")
      const { tags } = yield* Effect.flatMap(contents("a"), Effect.fromOption)
      const [first = "", last = ""] = tags.map(({ lastUpdateTime }) => lastUpdateTime)
      assert.match(last, /\.\d{7}Z$/)
      assert.isTrue(first < last)
      const page = yield* askAsAdmin("GET", "/acr/v1/a/_tags?n=1&orderby=timeasc")
      const [, next = ""] = /<([^>]+)>/.exec(page.headers["link"] ?? "") ?? []
      assert.include((yield* askAsAdmin("GET", next)).text, `"name":"last"`)
    }).pipe(Effect.provide(emulator()))
  )
})

const layer = (content: string) => ({
  mediaType: "application/vnd.oci.image.layer.v1.tar",
  digest: digestOf(content),
  size: Number.MAX_SAFE_INTEGER
})

describe("a manifest", () => {
  it.live("that claims sizes beyond all numbers does not make its folder unreadable", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const claim = Effect.gen(function* () {
        yield* pushConfig
        yield* push("one")
        yield* push("two")
        const manifest = { ...JSON.parse(manifestOf("large")), layers: [layer("one"), layer("two")] }
        const body = HttpBody.text(JSON.stringify(manifest), mediaType)
        assert.strictEqual((yield* askAsAdmin("PUT", "/v2/a/manifests/large", { body })).status, 201)
      })
      yield* Effect.provide(claim, emulator({ directory }))
      const { repositories } = yield* AcrEmulator.make({ directory })
      assert.strictEqual((yield* repositories)[0]?.tagCount, 1)
    })
  )

  it.live("that names the same one twice, which does so too, is measured fast", () =>
    Effect.gen(function* () {
      yield* pushConfig
      yield* pushManifest("0", "innermost")
      let inner = { mediaType, text: manifestOf("innermost") }
      for (let depth = 1; depth <= 64; depth += 1) {
        const descriptor = { mediaType: inner.mediaType, digest: digestOf(inner.text), size: inner.text.length }
        const index = "application/vnd.oci.image.index.v1+json"
        const text = JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [descriptor, descriptor] })
        const body = HttpBody.text(text, index)
        assert.strictEqual((yield* askAsAdmin("PUT", `/v2/a/manifests/${depth}`, { body })).status, 201)
        inner = { mediaType: index, text }
      }
      const { contents } = yield* AcrEmulator.AcrEmulator
      const { manifests } = yield* Effect.flatMap(contents("a"), Effect.fromOption)
      assert.isTrue(manifests.every(({ imageSize }) => Number.isSafeInteger(imageSize)))
    }).pipe(Effect.provide(emulator()))
  )
})

const Journal = Schema.fromJsonString(Schema.Array(Schema.Struct({ query: Schema.String })))

describe("a journal", () => {
  it.live("has no login that a client put into its query, and the query to its end", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* Control.Control
      yield* ask("GET", "/oauth2/token?service=a?b&password=hunter2&refresh_token=abc.def&scope=c")
      const reply = yield* ask("GET", `${endpoint}/journal`)
      const [entry] = yield* Schema.decodeEffect(Journal)(reply.text)
      assert.strictEqual(entry?.query, "service=a?b&password=redacted&refresh_token=redacted&scope=c")
    }).pipe(Effect.provide(controlled()))
  )
})

describe("a name of the control API", () => {
  it.live("is the same in capitals", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* Control.Control
      const { port } = new URL(endpoint)
      for (const host of ["registry.test", "Registry.Test"]) {
        assert.strictEqual(yield* statusFor(endpoint, `${host}:${port}`), 200, host)
      }
      assert.strictEqual(yield* statusFor(endpoint, `other.test:${port}`), 421)
    }).pipe(Effect.provide(controlled({ hosts: ["Registry.test"] })))
  )
})

describe("an emulator", () => {
  for (const https of [false, true]) {
    it.live(`stops although a connection says nothing: ${https ? "https" : "http"}`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { endpoint } = yield* Scope.provide(AcrEmulator.make({ https }), scope)
        const { closed } = yield* silentConnection(endpoint)
        yield* Scope.close(scope, Exit.void)
        yield* closed
      })
    )
  }
})

describe("a page", () => {
  it.live("has the usual size if its number is none", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      for (const repository of ["a", "b", "c"]) yield* seed({ repository })
      for (const n of ["%20", "0x1", "1e0", "1.0", "NaN", "+1"]) {
        const { headers, text } = yield* askAsAdmin("GET", `/acr/v1/_catalog?n=${n}`)
        assert.deepStrictEqual([text, headers["link"]], ['{"repositories":["a","b","c"]}', undefined], n)
      }
    }).pipe(Effect.provide(emulator()))
  )
})
