/**
 * Every example does what it says, on the emulator.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { deleteImages } from "./delete-images.ts"
import { helloWorld } from "./hello-world.ts"
import { listTagsAnonymously } from "./list-tags-anonymously.ts"
import { setArtifactProperties } from "./set-artifact-properties.ts"
import { EmulatorLive } from "./support/registry.ts"

const Identity = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(EmulatorLive))
const Nobody = AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }).pipe(Layer.provide(EmulatorLive))

const printed = Effect.map(TestConsole.logLines, (lines) => lines.map(String))

/** Runs a file of this folder as a user would. */
const node = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly output: string }>((resume) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: fileURLToPath(new URL(".", import.meta.url)) },
      (error, stdout, stderr) =>
        resume(Effect.succeed({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }))
    )
    return Effect.sync(() => child.kill())
  })

describe("examples", () => {
  it.effect("hello-world lists all repositories", () =>
    Effect.gen(function* () {
      yield* helloWorld
      assert.deepStrictEqual(yield* printed, [
        "contoso/api",
        "contoso/web",
        "contoso/worker",
        "library/hello-world",
        "tools/cli"
      ])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("list-tags-anonymously lists the newest tag first, with full references", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* ContainerRegistry.ContainerRegistry
      yield* listTagsAnonymously
      const references = (yield* printed).map((line) => line.split(" ")[0])
      assert.sameMembers(references.slice(0, 2), [
        `${loginServer}/library/hello-world:v2`,
        `${loginServer}/library/hello-world:latest`
      ])
      assert.strictEqual(references[2], `${loginServer}/library/hello-world:v1`)
    }).pipe(Effect.provide(Nobody))
  )

  it.effect("set-artifact-properties finds the lock holding, and leaves none behind", () =>
    Effect.gen(function* () {
      yield* setArtifactProperties
      assert.deepStrictEqual(
        (yield* printed).map((line) => line.split(":")[0]),
        ["library/hello-world", "It can't be deleted", "Unlocked again"]
      )
      const registry = yield* ContainerRegistry.ContainerRegistry
      const tag = yield* registry.tagProperties("library/hello-world", "latest")
      assert.deepStrictEqual([tag.canWrite, tag.canDelete], [true, true])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("delete-images keeps the newest three of each repository, and multi-platform images whole", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const tags = (repository: string) =>
        registry.tags(repository).pipe(
          Stream.map(({ name }) => name),
          Stream.runCollect
        )
      const before = yield* registry.repositoryProperties("library/hello-world")
      yield* deleteImages
      assert.sameMembers(yield* tags("contoso/api"), ["1.2.0", "2.0.0", "2.0.1", "latest"])
      assert.sameMembers(yield* tags("contoso/worker"), ["0.3.0", "0.3.1", "0.4.0", "latest"])
      assert.sameMembers(yield* tags("contoso/web"), ["2026.10", "2026.11", "latest"])
      const after = yield* registry.repositoryProperties("library/hello-world")
      assert.strictEqual(after.manifestCount, before.manifestCount)
      assert.strictEqual((yield* printed).length, 5)
    }).pipe(Effect.provide(Identity))
  )
})

describe("as commands", () => {
  it.live("each file runs by itself, and by its name", () =>
    Effect.gen(function* () {
      const alone = yield* node("hello-world.ts")
      const byName = yield* node("run.ts", "hello-world")
      assert.deepStrictEqual(alone, byName)
      assert.include(alone.output, "tools/cli")
      assert.strictEqual(alone.code, 0)
    })
  )

  it.live("a name that is none tells the names", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("run.ts", "hello")
      assert.strictEqual(code, 2)
      assert.include(output, "set-artifact-properties")
    })
  )

  it.live("the quickstart goes through all of them", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("quickstart.ts")
      assert.strictEqual(code, 0)
      for (const step of ["1. List", "2. List", "3. Lock", "4. Delete"]) assert.include(output, step)
    })
  )
})
