/**
 * The files of a folder that keeps a registry: what is written when, and what other programs read.
 */
import { spawnSync } from "node:child_process"
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as NodeHasher from "@effect-acr/node/NodeHasher"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { digestOf, push } from "./support/content.ts"
import { folder } from "./support/folder.ts"
import { manifestOf, pushConfig, pushManifest } from "./support/images.ts"

const logOf = (directory: string): string => join(directory, "registry.jsonl")

const read = (...path: ReadonlyArray<string>) => Effect.promise(() => readFile(join(...path), "utf8"))

const sizeOfLog = (directory: string) => Effect.promise(async () => (await stat(logOf(directory))).size)

/** All files except the heartbeat, with their sizes and times. */
const filesIn = (directory: string) =>
  Effect.promise(async () => {
    const names = await readdir(directory, { recursive: true })
    const files = names.filter((name) => !name.startsWith("registry.lock.")).toSorted()
    return Promise.all(
      files.map(async (name) => {
        const { mtimeMs, size } = await stat(join(directory, name))
        return [name, size, mtimeMs]
      })
    )
  })

const open = (directory: string) => Effect.scoped(Layer.build(AcrEmulator.layer({ directory })))

const tagsOf = Effect.map(askAsAdmin("GET", "/v2/a/tags/list?n=1000"), ({ text }) => text)

const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0

describe("a push", () => {
  it.live("writes as much to a large registry as to a small one", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        const costOf = Effect.fnUntraced(function* (name: string) {
          const before = yield* sizeOfLog(directory)
          assert.strictEqual(yield* pushManifest(name, name), 201)
          return (yield* sizeOfLog(directory)) - before
        })
        const first = yield* costOf("v0000")
        const names = Array.from({ length: 500 }, (_, at) => `v${String(at + 1).padStart(4, "0")}`)
        yield* Effect.forEach(names, (name) => pushManifest(name, name), { concurrency: 8 })
        assert.strictEqual(yield* costOf("v9999"), first)
        assert.isBelow(first, 2048)
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )
})

describe("a request that changes nothing", () => {
  it.live("writes nothing", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("v1", "v1")
        const before = yield* filesIn(directory)
        for (const path of [
          "/v2/",
          "/v2/_catalog",
          "/v2/a/tags/list",
          "/v2/a/manifests/v1",
          `/v2/a/blobs/${digestOf("{}")}`,
          "/acr/v1/_catalog",
          "/acr/v1/a/_manifests",
          "/acr/v1/a/_tags/v1"
        ]) {
          assert.strictEqual((yield* askAsAdmin("GET", path)).status, 200, path)
        }
        assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/v2")).status, 404)
        assert.deepStrictEqual(yield* filesIn(directory), before)
      }).pipe(Effect.provide(emulator({ directory, blobs: "direct" })))
    })
  )
})

describe("an emulator that is asked and not changed", () => {
  it.live("leaves a folder as it was", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("v1", "v1")
      }).pipe(Effect.provide(emulator({ directory })))
      const contents = Effect.map(filesIn(directory), (files) => files.filter(([name]) => name !== "registry-uploads"))
      const before = yield* contents
      assert.strictEqual(yield* Effect.provide(tagsOf, emulator({ directory })), '{"name":"a","tags":["v1"]}')
      assert.deepStrictEqual(yield* contents, before)
    })
  )
})

describe("the file of changes", () => {
  it.live("loses a line that was not written to its end, and no other", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("v1", "v1")
      }).pipe(Effect.provide(emulator({ directory })))
      yield* Effect.promise(() => appendFile(logOf(directory), '[{"_tag":"RemoveTag","repository":"a","name":"v1"}]'))
      const beforeTheStop = yield* Effect.gen(function* () {
        assert.strictEqual(yield* tagsOf, '{"name":"a","tags":["v1"]}')
        yield* pushManifest("v2", "v2")
        return yield* read(logOf(directory))
      }).pipe(Effect.provide(emulator({ directory })))
      // A killed emulator does not write the file anew.
      yield* Effect.promise(() => writeFile(logOf(directory), beforeTheStop))
      assert.strictEqual(yield* Effect.provide(tagsOf, emulator({ directory })), '{"name":"a","tags":["v1","v2"]}')
    })
  )

  it.live("is compacted when it is much longer than the state, and index.json is written with it", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        yield* pushManifest("v1", "one")
        const one = yield* sizeOfLog(directory)
        // Each push moves the tag: three changes.
        yield* Effect.forEach(
          Array.from({ length: 600 }),
          (_, at) => pushManifest("v1", at % 2 === 0 ? "two" : "one"),
          {
            discard: true
          }
        )
        assert.isBelow(yield* sizeOfLog(directory), 400 * one)
        assert.include(yield* read(directory, "index.json"), '"a:v1"')
        assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text, manifestOf("one"))
      }).pipe(Effect.provide(emulator({ directory })))
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text, manifestOf("one"))
        assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/manifests/${digestOf(manifestOf("two"))}`)).status, 200)
      }).pipe(Effect.provide(emulator({ directory })))
    })
  )

  it.live("is not continued by an emulator whose file another one replaced", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* pushConfig
        const text = yield* read(logOf(directory))
        yield* Effect.promise(async () => {
          await rm(logOf(directory))
          await writeFile(logOf(directory), text)
        })
        assert.strictEqual(yield* pushManifest("v1", "v1"), 500)
        assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).status, 404)
        assert.strictEqual(yield* read(logOf(directory)), text)
      }).pipe(Effect.provide(emulator({ directory })))
      assert.strictEqual(yield* Effect.provide(tagsOf, emulator({ directory })), '{"name":"a","tags":[]}')
    })
  )
})

describe("a folder that is not as an emulator left it", () => {
  it.live("is refused if it is a layout of another program", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.promise(async () => {
        await mkdir(directory)
        await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}')
        await writeFile(join(directory, "index.json"), '{"schemaVersion":2,"manifests":[]}')
      })
      const error = yield* Effect.flip(open(directory))
      assert.strictEqual(error._tag, "DirectoryError")
      assert.include(error.message, "image layout of another program")
      assert.strictEqual(yield* read(directory, "index.json"), '{"schemaVersion":2,"manifests":[]}')
    })
  )

  it.live("is refused if content is missing, which the error names", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* pushConfig.pipe(Effect.provide(emulator({ directory })))
      const file = join(directory, "blobs", digestOf("{}").replace(":", "/"))
      yield* Effect.promise(() => rm(file))
      const error = yield* Effect.flip(open(directory))
      assert.strictEqual(error.message, `${directory} can't hold a registry: ${file} is missing`)
    })
  )
})

describe("index.json", () => {
  const filled = Effect.gen(function* () {
    const directory = yield* folder
    yield* Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "library/alpine", tags: ["3.20", "latest"], platforms: ["linux/amd64", "linux/arm64"] })
      yield* seed({ repository: "hello", tags: ["v1"] })
      yield* push("{}")
      yield* pushManifest(digestOf(manifestOf("untagged")), "untagged")
    }).pipe(Effect.provide(emulator({ directory })))
    return directory
  })

  it.live("lists the images under repository and tag, as ImageLayout reads them", () =>
    Effect.gen(function* () {
      const layout = yield* ImageLayout.open(yield* filled)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), [
        "hello:v1",
        "library/alpine:3.20",
        "library/alpine:latest"
      ])
      for (const reference of ["hello:v1", "library/alpine:3.20", digestOf(manifestOf("untagged"))]) {
        assert.strictEqual((yield* layout.resolve(reference))._tag, "Some", reference)
      }
      const { removed } = yield* layout.prune({ isDryRun: true, minAge: 0 })
      assert.deepStrictEqual(removed, [])
    }).pipe(Effect.provide([NodeServices.layer, NodeHasher.layer]))
  )

  it.live.skipIf(!hasSkopeo)("is read by skopeo", () =>
    Effect.gen(function* () {
      const directory = yield* filled
      for (const name of ["hello:v1", "library/alpine:latest"]) {
        const { status, stderr } = spawnSync("skopeo", ["inspect", "--raw", `oci:${directory}:${name}`], {
          encoding: "utf8"
        })
        assert.strictEqual(status, 0, stderr)
      }
    })
  )
})
