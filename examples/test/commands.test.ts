/**
 * Examples as one runs them: each by its file and by its name.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { examples } from "../support/examples.ts"

const folder = fileURLToPath(new URL("..", import.meta.url))

/** Runs a file of the examples as a user would. */
const node = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly output: string }>((resume) => {
    const child = execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) =>
      resume(Effect.succeed({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }))
    )
    return Effect.sync(() => child.kill())
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

  it.live("what follows a name is for the example", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("run.ts", "clean-up", "--dry-run")
      assert.include(output, "contoso/api:1.0.0: old releases")
      assert.strictEqual(code, 0)
    })
  )

  it.live("an argument that can't be right ends a script with a message and a code", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("clean-up.ts", "--rule", "rules.json")
      assert.strictEqual(code, 1)
      assert.include(output, "Did you mean this?\n    --rules")
    })
  )

  it.live("no file is left out", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const names = (yield* files.readDirectory(folder)).filter((name) => name.endsWith(".ts"))
      assert.sameMembers(names, [...examples.map(({ name }) => `${name}.ts`), "quickstart.ts", "run.ts"])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
