/**
 * State files that can only be read, and databases of other programs.
 */
import { spawn } from "node:child_process"
import { chmod, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { temporaryFolder } from "../../../test/support/command.ts"
import * as Migration from "../src/Migration.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { makeWorld } from "./support/world.ts"

const reader = fileURLToPath(new URL("support/reading.ts", import.meta.url))

/** Any user but root, whose rights no mode of a file limits. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Reads a state file as a user who may not write, and returns what is printed. */
const readState = (filename: string) =>
  Effect.callback<string>((resume) => {
    const child = spawn(process.execPath, [reader, filename], { ...unprivileged, stdio: ["ignore", "pipe", "pipe"] })
    let text = ""
    child.stdout.on("data", (chunk) => (text += String(chunk)))
    child.stderr.on("data", (chunk) => (text += String(chunk)))
    // This user may have no right to reach the workspace.
    child.on("error", (error) => resume(Effect.die(error)))
    child.on("close", () => resume(Effect.succeed(text)))
    return Effect.sync(() => child.kill())
  })

describe.skipIf(process.platform === "win32")("a state file that can only be read", () => {
  it.live("has its status and its report, also in a folder that can only be read", () =>
    Effect.gen(function* () {
      const { filename, folder, run, seed } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* Effect.scoped(run())
      yield* Effect.promise(() => chmod(filename, 0o444))
      yield* Effect.promise(() => chmod(folder, 0o555))
      const before = yield* Effect.promise(() => readFile(filename))
      assert.strictEqual(yield* readState(filename), "done\nshop/api verified\n")
      yield* Effect.promise(() => chmod(folder, 0o777))
      assert.strictEqual(yield* readState(filename), "done\nshop/api verified\n")
      assert.deepEqual(yield* Effect.promise(() => readFile(filename)), before)
    }).pipe(Effect.scoped)
  )
})

describe("a database without runs", () => {
  it.live("gets no tables by a question for a run", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "empty.sqlite")
      const database = SqliteClient.layer({ filename })
      const problem = yield* Effect.flip(Effect.provide(Migration.status("test"), database))
      assert.deepInclude(problem, { _tag: "MigrationError", problem: "UnknownRun" })
      const tables = yield* Effect.provide(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT name FROM sqlite_schema`),
        database
      )
      assert.deepEqual(tables, [])
    }).pipe(Effect.scoped)
  )

  it.live("has none while another process makes its tables", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      // Tables are made in a transaction of their own, after that of their version.
      yield* sql`CREATE TABLE migration_versions (migration_id INTEGER PRIMARY KEY, created_at TEXT, name TEXT)`
      assert.propertyVal(yield* Effect.flip(Migration.status("test")), "problem", "UnknownRun")
    }).pipe(Effect.provide(SqliteClient.layer({ filename: ":memory:" })))
  )

  it.live("of another program keeps its bytes when it is opened and read", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const filename = join(folder, "other.sqlite")
      yield* Effect.sync(() => {
        const other = new DatabaseSync(filename)
        other.exec("CREATE TABLE things (id INTEGER)")
        other.close()
      })
      const before = yield* Effect.promise(() => readFile(filename))
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT * FROM things`).pipe(
        Effect.provide(SqliteClient.layer({ filename }))
      )
      assert.deepEqual(yield* Effect.promise(() => readFile(filename)), before)
      assert.deepEqual(yield* Effect.promise(() => readdir(folder)), ["other.sqlite"])
    }).pipe(Effect.scoped)
  )
})
