/**
 * The driver of node:sqlite: types, streams, transactions, and errors that a caller can tell apart.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../src/SqliteClient.ts"

const memory = SqliteClient.layer({ filename: ":memory:" })

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "acr-sqlite-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** The journal mode of a database that the client has opened. */
const modeOf = (filename: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS things (id INTEGER)`
    return (yield* sql`PRAGMA journal_mode`.values)[0]?.[0]
  }).pipe(Effect.provide(SqliteClient.layer({ filename })))

const numbers = Arr.makeBy(1000, (id) => ({ id }))

describe("SqliteClient", () => {
  it.effect("creates a file that its owner alone can read", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const filename = join(folder, "state.sqlite")
      const modes = Effect.gen(function* () {
        yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE TABLE things (id INTEGER)`)
        const names = yield* Effect.promise(() => readdir(folder))
        return yield* Effect.forEach(names, (name) => Effect.promise(() => stat(join(folder, name))))
      }).pipe(Effect.provide(SqliteClient.layer({ filename })))
      // With the log of what is written.
      assert.isTrue((yield* modes).every(({ mode }) => (mode & 0o077) === 0))
    }).pipe(Effect.scoped)
  )

  it.effect("writes a log ahead in a database that it creates, and leaves the mode of others", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const [own, other] = [join(folder, "own.sqlite"), join(folder, "other.sqlite")]
      const database = new DatabaseSync(other)
      database.exec("CREATE TABLE theirs (id INTEGER)")
      database.close()
      assert.deepEqual([yield* modeOf(own), yield* modeOf(own), yield* modeOf(other)], ["wal", "wal", "delete"])
    }).pipe(Effect.scoped)
  )

  it.effect("keeps numbers, texts, bytes and nulls", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, content BLOB, is_new INTEGER)`
      yield* sql`INSERT INTO things ${sql.insert([
        { id: 1, name: "one", content: Uint8Array.of(1, 2), is_new: true },
        { id: 2, name: null, content: null, is_new: false }
      ])}`
      assert.deepEqual(
        (yield* sql`SELECT * FROM things ORDER BY id`).map((row) => ({ ...row })),
        [
          { id: 1, name: "one", content: Uint8Array.of(1, 2), is_new: 1 },
          { id: 2, name: null, content: null, is_new: 0 }
        ]
      )
      assert.deepEqual(yield* sql`SELECT id, name FROM things WHERE id = ${1}`.values, [[1, "one"]])
      const [safe] = yield* sql`SELECT 9007199254740993 AS large`.pipe(
        Effect.provideService(SqlClient.SafeIntegers, true)
      )
      assert.strictEqual(safe?.["large"], 9007199254740993n)
    }).pipe(Effect.provide(memory))
  )

  it.effect("streams all rows, and none", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE numbers (id INTEGER PRIMARY KEY)`
      assert.lengthOf(yield* Stream.runCollect(sql`SELECT id FROM numbers`.stream), 0)
      yield* sql`INSERT INTO numbers ${sql.insert(numbers)}`
      const found = yield* Stream.runCollect(sql<{ readonly id: number }>`SELECT id FROM numbers ORDER BY id`.stream)
      assert.deepEqual(
        found.map(({ id }) => id),
        numbers.map(({ id }) => id)
      )
    }).pipe(Effect.provide(memory))
  )

  it.effect("takes back a transaction that fails, and says which constraint was violated", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE numbers (id INTEGER PRIMARY KEY)`
      const twice = sql.withTransaction(
        Effect.andThen(sql`INSERT INTO numbers VALUES (1)`, sql`INSERT INTO numbers VALUES (1)`)
      )
      assert.strictEqual((yield* Effect.flip(twice)).reason._tag, "ConstraintError")
      assert.deepEqual(yield* sql`SELECT count(*) FROM numbers`.values, [[0]])
    }).pipe(Effect.provide(memory))
  )

  it.effect("tells a full disk", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE numbers (id INTEGER PRIMARY KEY, filling BLOB)`
      yield* sql`PRAGMA max_page_count = 8`
      const error = yield* Effect.flip(
        sql`INSERT INTO numbers ${sql.insert({ id: 1, filling: new Uint8Array(100_000) })}`
      )
      assert.isTrue(SqliteClient.isFull(error))
    }).pipe(Effect.provide(memory))
  )

  it.effect("tells a file that another connection has locked, and one that cannot be opened", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const filename = join(folder, "db.sqlite")
      const opened = SqliteClient.layer({ filename, busyTimeout: 10 })
      const write = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE IF NOT EXISTS numbers (id INTEGER PRIMARY KEY)`
      })
      yield* Effect.provide(write, opened)
      const error = yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        return yield* sql.withTransaction(
          Effect.andThen(
            sql`INSERT INTO numbers VALUES (1)`,
            Effect.flip(
              Effect.gen(function* () {
                const other = yield* SqlClient.SqlClient
                yield* other`INSERT INTO numbers VALUES (2)`
              }).pipe(Effect.provide(SqliteClient.layer({ filename, busyTimeout: 10 })))
            )
          )
        )
      }).pipe(Effect.provide(opened))
      assert.strictEqual(error.reason._tag, "LockTimeoutError")
      const missing = SqliteClient.layer({ filename: join(folder, "missing", "db.sqlite") })
      const unopened = yield* Effect.flip(Effect.provide(write, missing))
      assert.strictEqual(unopened.reason._tag, "ConnectionError")
    })
  )
})
