/**
 * A registry that outlives its emulator, in a folder.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpBody from "effect/http/HttpBody"
import { emulatorFile } from "../../../test/support/programs.ts"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { digestOf, open, push, withDigest } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const patch = (path: string, update: object) =>
  askAsAdmin("PATCH", path, { body: HttpBody.uint8Array(Buffer.from(JSON.stringify(update)), "application/json") })

/** The observable state of a registry, without its address. */
const everything = Effect.gen(function* () {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const replies = yield* Effect.forEach(
    [
      "/acr/v1/_catalog",
      "/acr/v1/a",
      "/acr/v1/a/_tags",
      "/acr/v1/a/_manifests",
      "/acr/v1/a/_manifests?orderby=timedesc",
      "/acr/v1/library%2Falpine",
      "/acr/v1/library%2Falpine/_tags",
      "/acr/v1/library%2Falpine/_manifests",
      "/v2/library/alpine/manifests/multi",
      "/v2/library/alpine/manifests/single",
      `/v2/a/blobs/${digestOf("a blob", "sha512")}`,
      `/v2/a/blobs/${digestOf("a blob")}`
    ],
    (path) => askAsAdmin("GET", path)
  )
  return replies.map(({ status, text }) => [status, text.replaceAll(loginServer, "registry")])
})

/** Runs the command until it has printed how to log in. */
const runCommand = (...flags: ReadonlyArray<string>) =>
  Effect.callback<void>((resume) => {
    const child = spawn(process.execPath, [emulatorFile, ...flags], { stdio: ["ignore", "pipe", "inherit"] })
    child.stdout.once("data", () => child.kill("SIGINT"))
    child.once("exit", () => resume(Effect.void))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const seedOne = (repository: string) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository, tags: ["v1"] }))

const names = Effect.map(askAsAdmin("GET", "/v2/_catalog"), ({ text }) => text)

const read = (path: string) => Effect.promise(() => readFile(path))

/** Two repositories with images, locks, a tag that is gone, and blobs. */
const fill = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  yield* seed({ repository: "library/alpine", tags: ["multi"], platforms: ["linux/amd64", "linux/arm64"] })
  const digest = yield* seed({ repository: "library/alpine", tags: ["single", "gone"] })
  assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/library%2Falpine/_tags/gone")).status, 202)
  yield* patch("/acr/v1/library%2Falpine/_tags/single", { deleteEnabled: false })
  yield* patch(`/acr/v1/library%2Falpine/_manifests/${digest}`, { writeEnabled: false })
  yield* push("a blob")
  yield* askAsAdmin("PUT", withDigest(yield* open, digestOf("a blob", "sha512")), { body: "a blob" })
  yield* patch("/acr/v1/a", { listEnabled: false })
})

describe("a registry in a folder", () => {
  it.live("is there again", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const before = yield* Effect.andThen(fill, everything).pipe(
        Effect.provide(emulator({ directory, blobs: "direct" }))
      )
      const after = yield* everything.pipe(Effect.provide(emulator({ directory, blobs: "direct" })))
      assert.deepStrictEqual(after, before)
      assert.deepStrictEqual(
        before.map(([status]) => status),
        Array.from(before, () => 200)
      )
    })
  )

  it.live("can be filled by several, one after another", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* seedOne("a").pipe(Effect.provide(emulator({ directory })))
      yield* Effect.andThen(seedOne("b"), seedOne("c")).pipe(Effect.provide(emulator({ directory })))
      yield* askAsAdmin("DELETE", "/acr/v1/b").pipe(Effect.provide(emulator({ directory })))
      assert.strictEqual(yield* names.pipe(Effect.provide(emulator({ directory }))), '{"repositories":["a","c"]}')
    })
  )

  it.live("keeps content as an OCI image layout does, and nothing of uploads that did not finish", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const { digest, manifest } = yield* Effect.gen(function* () {
        yield* fill
        yield* open
        const manifest = yield* askAsAdmin("GET", "/v2/library/alpine/manifests/single")
        return { digest: digestOf(manifest.text), manifest: manifest.text }
      }).pipe(Effect.provide(emulator({ directory })))

      const file = (digest: string) => join(directory, "blobs", ...digest.split(":"))
      assert.strictEqual(String(yield* read(file(digest))), manifest)
      assert.strictEqual(String(yield* read(file(digestOf("a blob")))), "a blob")
      assert.strictEqual(String(yield* read(file(digestOf("a blob", "sha512")))), "a blob")
      assert.deepStrictEqual(JSON.parse(String(yield* read(join(directory, "oci-layout")))), {
        imageLayoutVersion: "1.0.0"
      })
      const hashes = yield* Effect.promise(() => readdir(join(directory, "blobs/sha256")))
      for (const hash of hashes) {
        const content = yield* read(file(`sha256:${hash}`))
        assert.strictEqual(createHash("sha256").update(content).digest("hex"), hash)
      }
      assert.deepStrictEqual((yield* Effect.promise(() => readdir(directory))).toSorted(), [
        "blobs",
        "index.json",
        "oci-layout",
        "registry.jsonl"
      ])
    })
  )

  it.live("has what was answered written down by then", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        const saved = Effect.promise(() => readFile(join(directory, "registry.jsonl"), "utf8"))
        yield* fill
        assert.include(yield* saved, '"single"')
        const { inject } = yield* AcrEmulator.AcrEmulator
        yield* inject({ method: "DELETE", consequence: { _tag: "LostAnswer" } })
        assert.strictEqual(
          (yield* Effect.exit(askAsAdmin("DELETE", "/acr/v1/library%2Falpine/_tags/multi")))._tag,
          "Failure"
        )
        assert.include(String((yield* saved).trim().split("\n").at(-1)), '"name":"multi"')
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )

  it.live("is not touched if it cannot be read", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* fill.pipe(Effect.provide(emulator({ directory })))
      const file = join(directory, "registry.jsonl")
      for (const text of [
        "{\n",
        '{"version":2}\n',
        '{"version":1}\n[{"_tag":"AddContent","digest":"sha256:../b","size":1}]\n',
        '{"version":1}\n[{"_tag":"Unheard"}]\n[]\n',
        ""
      ]) {
        yield* Effect.promise(() => writeFile(file, text))
        const error = yield* Effect.flip(Effect.scoped(Layer.build(AcrEmulator.layer({ directory }))))
        assert.strictEqual(error._tag, "DirectoryError")
        assert.match(error.message, new RegExp(`^${directory} can't hold a registry: .`))
        assert.strictEqual(yield* Effect.promise(() => readFile(file, "utf8")), text)
      }
      assert.isTrue(existsSync(join(directory, "oci-layout")))
    })
  )

  it.live("is named where it can't be made", () =>
    Effect.gen(function* () {
      const file = yield* folder
      yield* Effect.promise(() => writeFile(file, ""))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(AcrEmulator.layer({ directory: file }))))
      assert.strictEqual(error._tag, "DirectoryError")
      assert.match(error.message, new RegExp(`^${file} can't hold a registry: E`))
    })
  )

  it.live.runIf(process.platform === "linux")("refuses a folder that the file system makes none of", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(AcrEmulator.make({ directory: "/proc/none/registry" })))
      assert.strictEqual(error._tag, "DirectoryError")
      assert.match(error.message, /ENOENT/)
    })
  )

  it.live("is what the command serves", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* runCommand("--port", "0", "--directory", directory)
      assert.deepStrictEqual((yield* Effect.promise(() => readdir(directory))).toSorted(), [
        "blobs",
        "index.json",
        "oci-layout",
        "registry.jsonl"
      ])
      yield* seedOne("a").pipe(Effect.provide(emulator({ directory })))
      yield* runCommand("--port", "0", "--directory", directory)
      assert.strictEqual(yield* names.pipe(Effect.provide(emulator({ directory }))), '{"repositories":["a"]}')
    })
  )
})
