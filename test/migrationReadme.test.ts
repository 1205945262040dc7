/**
 * The first program of a migration, as the guide and the README of the package have it.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Migration from "@effect-acr/migration/Migration"
import * as SqliteClient from "@effect-acr/migration/SqliteClient"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { temporaryFolder } from "./support/command.ts"
import { pair, runProgram } from "./support/pagePrograms.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

for (const file of ["docs/migration.md", "packages/migration/README.md"]) {
  it.live(`${file} moves a registry`, () =>
    Effect.gen(function* () {
      const text = yield* Effect.promise(() => readFile(join(root, file), "utf8"))
      const [, code = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(text) ?? []
      const registries = yield* pair()
      const [source, target] = registries
      const filename = join(yield* temporaryFolder, "run.sqlite")
      const program = code
        .replace("old.azurecr.io", source?.loginServer ?? "")
        .replace("new.azurecr.io", target?.loginServer ?? "")
        .replace("old-to-new.sqlite", filename)
      yield* runProgram(program, registries, [])
      const outcomes = yield* Stream.runCollect(Migration.report("old-to-new")).pipe(
        Effect.provide(SqliteClient.layer({ filename }))
      )
      assert.deepEqual(
        outcomes.map(({ state, tags }) => [state, ...tags]),
        [["verified", "1.0"]]
      )
      const moved = Option.getOrThrow(yield* target?.contents("samples/hello") ?? Effect.succeedNone)
      assert.strictEqual(moved.tags[0]?.digest, outcomes[0]?.digest)
    }).pipe(Effect.scoped)
  )
}
