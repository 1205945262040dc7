/**
 * Copies of many manifests: memory, and work that grows with what is copied and no faster.
 */
import { fileURLToPath } from "node:url"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as MemoryStore from "@effect-acr/artifacts/MemoryStore"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { putArtifact } from "./support/artifacts.ts"
import { run, temporaryFolder } from "./support/command.ts"

const mebibyte = 1024 * 1024
const planProcess = fileURLToPath(new URL("./support/planProcess.ts", import.meta.url))
const Outcome = Schema.fromJsonString(Schema.Struct({ nodes: Schema.Natural, bytes: Schema.Finite }))

it.live(
  "a plan of 10,000 manifests and blobs takes at most 64 MiB",
  () =>
    Effect.gen(function* () {
      const { bytes, nodes } = yield* run(process.execPath, ["--expose-gc", planProcess, "2000"]).pipe(
        Effect.flatMap(Schema.decodeEffect(Outcome))
      )
      assert.isAtLeast(nodes, 10_000)
      assert.isAtMost(bytes, 64 * mebibyte)
    }),
  60_000
)

/** Copies an image under many tags into a layout in one batch, and counts operations on files. */
const operationsFor = (tags: number) =>
  Effect.gen(function* () {
    const source = MemoryStore.make()
    yield* putArtifact(source, "v1")
    const files = yield* FileSystem.FileSystem
    const folder = yield* temporaryFolder
    let operations = 0
    let indexes = 0
    const counted = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.tap(effect, () => Effect.sync(() => void operations++))
    const counting = FileSystem.make({
      ...files,
      stat: (path) => counted(files.stat(path)),
      readFile: (path) => counted(files.readFile(path)),
      readDirectory: (path, options) => counted(files.readDirectory(path, options)),
      makeDirectory: (path, options) => counted(files.makeDirectory(path, options)),
      open: (path, options) => Effect.tap(files.open(path, options), () => Effect.sync(() => void operations++)),
      rename: (from, to) =>
        Effect.tap(files.rename(from, to), () =>
          Effect.sync(() => {
            operations++
            if (to.endsWith("index.json")) indexes++
          })
        )
    })
    yield* Effect.gen(function* () {
      const layout = yield* ImageLayout.open(folder)
      const names = Array.from({ length: tags }, (_, number) => `t${number}`)
      yield* layout.batch(
        Effect.forEach(names, (tag) => Copy.run(source, layout, "v1", { tags: [tag] }), { discard: true })
      )
      assert.lengthOf(yield* Stream.runCollect(layout.tags), tags)
    }).pipe(Effect.provideService(FileSystem.FileSystem, counting))
    return { operations, indexes }
  })

it.live(
  "1,000 tags go into a layout in linear time, and the index is written once",
  () =>
    Effect.gen(function* () {
      const few = yield* operationsFor(100)
      const many = yield* operationsFor(1000)
      assert.deepStrictEqual([few.indexes, many.indexes], [1, 1])
      assert.isAtMost(many.operations, few.operations * 10)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  60_000
)
