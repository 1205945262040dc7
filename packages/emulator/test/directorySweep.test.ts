/**
 * Unneeded content is removed after a time, by the clock of the program.
 */
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, basicOf, emulator } from "./support/ask.ts"
import { digestOf, open, push, uploads } from "./support/content.ts"
import { eventually } from "./support/faults.ts"
import { folder } from "./support/folder.ts"
import { manifestOf, pushConfig, pushManifest } from "./support/images.ts"

const fileOf = (directory: string, content: string): string =>
  join(directory, "blobs", digestOf(content).replace(":", "/"))

const statusOf = (...request: Parameters<typeof askAsAdmin>) =>
  Effect.map(askAsAdmin(...request), ({ status }) => status)

/** Any request lets the emulator look at what waits. */
const anything = askAsAdmin("GET", "/v2/")

const head = (content: string) => statusOf("HEAD", `/v2/a/blobs/${digestOf(content)}`)

/** Waits, in real time, until a file is gone. */
const isGone = (directory: string, content: string) =>
  Effect.asVoid(
    eventually(
      Effect.sync(() => existsSync(fileOf(directory, content))),
      (exists) => !exists
    )
  ).pipe(TestClock.withLive)

/** Lets files go that are about to: a file that may go is removed before one that may go later. */
const settle = Effect.gen(function* () {
  yield* anything
  yield* anything
})

describe("content", () => {
  it.effect("that is unneeded is removed from the folder once all links to it have expired", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("kept", "kept")
        yield* pushManifest("gone", "gone")
        yield* push("shared")
        yield* askAsAdmin("POST", `/v2/b/blobs/uploads/?mount=${digestOf("shared")}&from=a`)
        const link = (yield* askAsAdmin("GET", `/v2/a/blobs/${digestOf("shared")}`)).headers["location"] ?? ""
        yield* askAsAdmin("DELETE", `/v2/a/manifests/${digestOf(manifestOf("gone"))}`)
        yield* askAsAdmin("DELETE", `/v2/a/blobs/${digestOf("shared")}`)
        yield* TestClock.adjust("19 minutes")
        yield* settle
        assert.isTrue(existsSync(fileOf(directory, manifestOf("gone"))))

        yield* TestClock.adjust("1 minute")
        yield* anything
        yield* isGone(directory, manifestOf("gone"))
        // The other repository has it.
        assert.isTrue(existsSync(fileOf(directory, "shared")))

        yield* askAsAdmin("DELETE", "/acr/v1/b")
        yield* TestClock.adjust("-1 minutes")
        assert.strictEqual((yield* ask("GET", link)).text, "shared")
        yield* TestClock.adjust("21 minutes")
        yield* anything
        yield* isGone(directory, "shared")
        assert.isTrue(existsSync(fileOf(directory, manifestOf("kept"))))
        assert.isTrue(existsSync(fileOf(directory, "{}")))
        // It may come again.
        yield* push("shared")
        assert.strictEqual(yield* head("shared"), 200)
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )

  it.effect("that an emulator left unneeded is removed by the next one", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* push("dropped").pipe(Effect.provide(emulator({ directory })))
      yield* askAsAdmin("DELETE", `/v2/a/blobs/${digestOf("dropped")}`).pipe(Effect.provide(emulator({ directory })))
      assert.isTrue(existsSync(fileOf(directory, "dropped")))
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("20 minutes")
        yield* anything
        yield* isGone(directory, "dropped")
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )

  it.effect("in the trash stays until it expires", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("v1", "one")
        yield* askAsAdmin("DELETE", "/acr/v1/a")
        yield* TestClock.adjust("6 days")
        yield* settle
        assert.isTrue(existsSync(fileOf(directory, manifestOf("one"))))
        assert.isTrue(existsSync(fileOf(directory, "{}")))
        yield* TestClock.adjust("1 day")
        yield* anything
        yield* TestClock.adjust("20 minutes")
        yield* anything
        yield* isGone(directory, manifestOf("one"))
        yield* isGone(directory, "{}")
      }).pipe(Effect.provide(emulator({ directory, softDelete: {} })))
    })
  )
})

describe("a blob that no manifest names", () => {
  it.effect("stays for a day after a client has checked it, and is then unknown", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* push("lonely")
        yield* push("{}")
        yield* pushManifest("v1", "one")
        yield* TestClock.adjust("23 hours")
        // A client that pushes a manifest next asks for its blobs.
        assert.strictEqual(yield* head("lonely"), 200)
        yield* TestClock.adjust("23 hours")
        assert.strictEqual(yield* head("lonely"), 200)
        yield* TestClock.adjust("1 day")
        assert.strictEqual(yield* head("lonely"), 404)
        assert.strictEqual(yield* head("{}"), 200)
        yield* TestClock.adjust("20 minutes")
        yield* anything
        yield* isGone(directory, "lonely")

        // What the last manifest that names it leaves behind begins to wait then.
        yield* askAsAdmin("DELETE", `/v2/a/manifests/${digestOf(manifestOf("one"))}`)
        yield* TestClock.adjust("23 hours")
        assert.strictEqual(yield* pushManifest("v2", "two"), 201)
        yield* TestClock.adjust("10 days")
        assert.strictEqual(yield* head("{}"), 200)
      }).pipe(Effect.provide(emulator({ directory })))
      assert.strictEqual(yield* head("lonely").pipe(Effect.provide(emulator({ directory }))), 404)
    })
  )
})

describe("an upload", () => {
  it.effect("that is idle for a day is discarded", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        const { openUploads } = yield* AcrEmulator.AcrEmulator
        const [still, used] = [yield* open, yield* open]
        yield* TestClock.adjust("23 hours")
        assert.strictEqual(yield* statusOf("GET", used), 204)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* statusOf("GET", still), 404)
        assert.strictEqual(yield* statusOf("GET", used), 204)
        assert.strictEqual(yield* openUploads, 1)
        yield* eventually(
          Effect.promise(() => readdir(join(directory, "registry-uploads"))),
          (files) => files.length === 1
        ).pipe(TestClock.withLive)
        assert.strictEqual(yield* statusOf("POST", uploads), 202)
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )
})

const Token = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))

const catalog = (token: string) =>
  Effect.map(ask("GET", "/acr/v1/_catalog", { headers: { authorization: `Bearer ${token}` } }), ({ status }) => status)

describe("a token", () => {
  it.effect("that lives longer than expired ones is still valid", () =>
    Effect.gen(function* () {
      const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
      const login = Effect.gen(function* () {
        const reply = yield* ask("GET", `/oauth2/token?service=${loginServer}&scope=registry:catalog:*`, {
          headers: basicOf(logins.adminUser)
        })
        return (yield* Schema.decodeEffect(Token)(reply.text)).access_token
      })
      const first = yield* login
      yield* TestClock.adjust("50 minutes")
      const second = yield* login
      yield* TestClock.adjust("30 minutes")
      const third = yield* login
      assert.deepStrictEqual(yield* Effect.forEach([first, second, third], catalog), [401, 200, 200])
    }).pipe(Effect.provide(emulator()))
  )
})
