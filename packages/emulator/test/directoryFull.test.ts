/**
 * A full disk: a small file system in memory, which root can mount on Linux.
 */
import { appendFileSync } from "node:fs"
import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { canMount, smallDisk } from "../../../test/support/smallDisk.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { digestOf, open, push, withDigest } from "./support/content.ts"
import { manifestOf, pushConfig, pushManifest } from "./support/images.ts"

/** Fills a disk to its last byte. */
const fill = (at: string): void => {
  for (const size of [65_536, 4096, 1]) {
    const bytes = Buffer.alloc(size)
    try {
      while (true) appendFileSync(join(at, "filler"), bytes)
    } catch {
      // Full for pieces of this size.
    }
  }
}

const tags = Effect.map(askAsAdmin("GET", "/v2/a/tags/list?n=1000"), ({ text }) => text)

const statusOf = (...request: Parameters<typeof askAsAdmin>) =>
  Effect.map(askAsAdmin(...request), ({ status }) => status)

/** The requests that work on a full disk. */
const pullsGoOn = Effect.gen(function* () {
  assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/kept")).text, manifestOf("kept"))
  assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/blobs/${digestOf("{}")}`)).text, "{}")
  assert.strictEqual(yield* statusOf("GET", "/oauth2/token?scope=repository:a:pull"), 401)
  assert.strictEqual(yield* statusOf("GET", "/acr/v1/a/_manifests"), 200)
})

/** Pushes tags until one is refused, and returns those that were not. */
const pushUntilRefused = Effect.fnUntraced(function* (prefix: string) {
  const pushed: Array<string> = []
  for (let at = 0; at < 1000; at++) {
    const status = yield* pushManifest(`${prefix}-${at}`, "kept")
    if (status !== 201) {
      assert.strictEqual(status, 500)
      return pushed
    }
    pushed.push(`${prefix}-${at}`)
  }
  return assert.fail("the disk takes everything")
})

/** Locks and unlocks a tag, with less to write than a push, until that is refused. The last answer is what counts. */
const lockUntilRefused = Effect.gen(function* () {
  for (let at = 1; at < 100; at++) {
    const body = JSON.stringify({ deleteEnabled: at % 2 === 0 })
    const status = yield* statusOf("PATCH", "/acr/v1/a/_tags/moves", { body })
    if (status === 200) continue
    assert.strictEqual(status, 500)
    assert.include((yield* askAsAdmin("GET", "/acr/v1/a/_tags/moves")).text, `"deleteEnabled":${at % 2 === 1}`)
    return
  }
  return assert.fail("the disk takes everything")
})

const listOf = (names: ReadonlyArray<string>): string => JSON.stringify({ name: "a", tags: names.toSorted() })

const options = { blobs: "direct" } as const

describe.skipIf(!canMount)("a full disk (on Linux, as root)", () => {
  it.live("still serves pulls, keeps nothing of refused requests, and accepts pushes again once there is room", () =>
    Effect.gen(function* () {
      const at = yield* smallDisk
      const directory = join(at, "registry")
      const kept = yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("kept", "kept")
        yield* pushManifest("moves", "kept")
        const location = yield* open
        fill(at)

        const fitted = yield* pushUntilRefused("full")
        yield* pullsGoOn
        // Content does not fit, in one request or in an upload.
        assert.strictEqual(yield* pushManifest("moves", "another"), 500)
        const content = "x".repeat(8192)
        const atOnce = `/v2/a/blobs/uploads/?digest=${digestOf(content)}`
        assert.strictEqual(yield* statusOf("POST", atOnce, { body: content }), 500)
        assert.strictEqual(yield* statusOf("PATCH", location, { body: content }), 500)
        yield* lockUntilRefused
        assert.strictEqual(yield* statusOf("HEAD", `/v2/a/blobs/${digestOf(content)}`), 404)
        assert.strictEqual(yield* tags, listOf(["kept", "moves", ...fitted]))
        assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/moves")).text, manifestOf("kept"))
        return ["kept", "moves", ...fitted]
      }).pipe(Effect.provide(emulator({ ...options, directory })))

      // Another emulator starts on the full disk.
      yield* Effect.gen(function* () {
        yield* pullsGoOn
        assert.strictEqual(yield* tags, listOf(kept))
        assert.deepStrictEqual(
          yield* Effect.promise(() => readdir(join(directory, "blobs/sha256"))).pipe(
            Effect.map((names) => names.toSorted())
          ),
          [digestOf("{}"), digestOf(manifestOf("kept"))].map((digest) => digest.slice(7)).toSorted()
        )

        // With room again it goes on by itself.
        yield* Effect.promise(() => rm(join(at, "filler")))
        assert.strictEqual(yield* pushManifest("moves", "another"), 201)
        yield* push("x".repeat(8192))
        assert.strictEqual(yield* statusOf("DELETE", "/acr/v1/a/_tags/kept"), 202)
      }).pipe(Effect.provide(emulator({ ...options, directory })))

      yield* Effect.gen(function* () {
        assert.strictEqual(yield* tags, listOf(kept.filter((tag) => tag !== "kept")))
        assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/moves")).text, manifestOf("another"))
      }).pipe(Effect.provide(emulator({ ...options, directory })))
      assert.include(yield* Effect.promise(() => readFile(join(directory, "index.json"), "utf8")), '"a:moves"')
    })
  )

  it.live("lets an upload resume where it was", () =>
    Effect.gen(function* () {
      const at = yield* smallDisk
      yield* Effect.gen(function* () {
        const content = "0123456789".repeat(1000)
        const started = yield* askAsAdmin("PATCH", yield* open, { body: content.slice(0, 5000) })
        fill(at)
        const refused = yield* askAsAdmin("PATCH", started.headers["location"] ?? "", { body: content.slice(5000) })
        assert.strictEqual(refused.status, 500)
        yield* Effect.promise(() => rm(join(at, "filler")))
        // The location of the refused request is used up; the upload tells another one, and how far it is.
        const progress = yield* askAsAdmin("GET", started.headers["location"] ?? "")
        const received = Number(progress.headers["range"]?.split("-")[1]) + 1
        assert.isAtLeast(received, 5000)
        const done = yield* askAsAdmin("PUT", withDigest(progress.headers["location"] ?? "", digestOf(content)), {
          body: content.slice(received)
        })
        assert.strictEqual(done.status, 201)
        assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/blobs/${digestOf(content)}`)).text, content)
      }).pipe(Effect.provide(emulator({ ...options, directory: join(at, "registry") })))
    })
  )
})
