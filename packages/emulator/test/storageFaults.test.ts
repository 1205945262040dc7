/**
 * Faults of the storage, to which downloads are redirected: each once, and the registry itself goes on.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, emulator } from "./support/ask.ts"
import { locationOf, push } from "./support/content.ts"
import { inject } from "./support/faults.ts"

const content = "0123456789"

/** Downloads from the storage alone. */
const downloads = { method: "GET", path: "/blobs/" }

/** The blob from its beginning: the redirect, then the download. */
const download = Effect.fnUntraced(function* (digest: string) {
  const redirect = yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`)
  assert.strictEqual(redirect.status, 307)
  return yield* ask("GET", locationOf(redirect))
})

it.live("a download is cut, once", () =>
  Effect.gen(function* () {
    const { digest } = yield* push(content)
    yield* inject({ _tag: "CutBody", afterBytes: 4 }, downloads)
    assert.strictEqual((yield* Effect.exit(download(digest)))._tag, "Failure")
    assert.strictEqual((yield* download(digest)).text, content)
  }).pipe(Effect.provide(emulator()))
)

it.live("a download stalls, once", () =>
  Effect.gen(function* () {
    const { journal } = yield* AcrEmulator.AcrEmulator
    const { digest } = yield* push(content)
    yield* inject({ _tag: "StallBody", afterBytes: 4 }, downloads)
    const address = locationOf(yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`))
    const stalled = yield* HttpClient.get(address)
    const first = yield* Stream.runHead(stalled.stream)
    assert.strictEqual(Buffer.from(Option.getOrThrow(first)).toString(), content.slice(0, 4))
    assert.strictEqual(stalled.headers["content-length"], "10")
    assert.strictEqual((yield* ask("GET", address)).text, content)
    assert.deepStrictEqual(
      (yield* journal).slice(-3).map(({ server, status }) => [server, status]),
      [
        ["registry", 307],
        ["storage", 200],
        ["storage", 200]
      ]
    )
  }).pipe(Effect.provide(emulator()))
)

it.live("a download is corrupted, once", () =>
  Effect.gen(function* () {
    const { digest } = yield* push(content)
    yield* inject({ _tag: "CorruptBody", atByte: 4 }, { path: /^\/blobs\/sha256\/[0-9a-f]{64}\/data$/g })
    assert.strictEqual((yield* download(digest)).text, "0123556789")
    assert.strictEqual((yield* download(digest)).text, content)
  }).pipe(Effect.provide(emulator()))
)

it.live("a link has expired, once", () =>
  Effect.gen(function* () {
    const { digest } = yield* push(content)
    const body = '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code></Error>'
    yield* inject({ _tag: "Answer", status: 403, headers: { "Content-Type": "application/xml" }, body }, downloads)
    const refused = yield* download(digest)
    assert.deepStrictEqual([refused.status, refused.text], [403, body])
    assert.strictEqual((yield* download(digest)).text, content)
  }).pipe(Effect.provide(emulator()))
)

it.live("faults of the registry's paths leave the storage alone", () =>
  Effect.gen(function* () {
    const { digest } = yield* push(content)
    const address = locationOf(yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`))
    yield* inject({ _tag: "Answer", status: 503 }, { path: "/v2/" })
    assert.strictEqual((yield* ask("GET", address)).text, content)
    assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`)).status, 503)
  }).pipe(Effect.provide(emulator()))
)
