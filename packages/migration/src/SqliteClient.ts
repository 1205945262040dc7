/**
 * A `SqlClient` on the SQLite that is part of Node, for databases in one file or in memory.
 *
 * @since 0.1.0
 */
import { closeSync, existsSync, openSync } from "node:fs"
import { pathToFileURL } from "node:url"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import type * as NodeSqlite from "node:sqlite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"

/**
 * How to open a database.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The path of the file, or `:memory:`. A missing file is created, readable by its owner only. Its folder must exist. */
  readonly filename: string
  /**
   * How long a statement waits for a lock of another process. It blocks this process meanwhile. Defaults to 5 seconds.
   */
  readonly busyTimeout?: Duration.Input
}

/** Creates a missing file, readable by its owner only: it holds names of repositories and messages of registries. */
const create = (filename: string): void => {
  if (filename === ":memory:") return
  try {
    closeSync(openSync(filename, "a", 0o600))
  } catch {
    // SQLite reports the same problem, with a code that callers know.
  }
}

/** The number of prepared statements that are cached. */
const mostStatements = 200

/** The number of rows that a stream reads at a time. */
const rowsAtOnce = 128

const inputOf = (value: unknown): SQLInputValue => {
  if (value === undefined || value === null) return null
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "string") return value
  if (value instanceof Uint8Array) return value
  return value instanceof Date ? value.toISOString() : String(value)
}

/** SQLite's own code under the name that Effect's classification expects. Node names it `errcode`. */
class SqliteFailure extends Error {
  readonly errno: number | undefined
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = "SqliteFailure"
    this.errno =
      Predicate.hasProperty(cause, "errcode") && typeof cause.errcode === "number" ? cause.errcode : undefined
  }
}

const failure =
  (operation: string) =>
  (error: unknown): SqlError => {
    const cause = new SqliteFailure(error)
    return new SqlError({ reason: classifySqliteError(cause, { message: cause.message, operation }) })
  }

/** https://www.sqlite.org/rescode.html#full */
const fullCode = 13

/**
 * Checks whether an error says that the disk is full, or the database has reached its maximum size.
 *
 * @category guards
 * @since 0.1.0
 */
export const isFull = ({ reason }: SqlError): boolean =>
  reason.cause instanceof SqliteFailure && ((reason.cause.errno ?? 0) & 0xff) === fullCode

/** Imported with the first database: an old Node lacks the module, and would fail before it can name the required version. */
const sqlite = Effect.tryPromise({ try: () => import("node:sqlite"), catch: failure("open") })

/** https://www.sqlite.org/rescode.html: codes of a file, or a folder, that this process may not write. */
const unwritable: ReadonlySet<number> = new Set([3, 8, 14, 23])

const isUnwritable = (error: unknown): boolean =>
  Predicate.hasProperty(error, "errcode") && typeof error.errcode === "number" && unwritable.has(error.errcode & 0xff)

/** Whether a database has nothing in it. That of another program keeps its journal mode, which would change its file. */
const isNew = (database: DatabaseSync): boolean => database.prepare("PRAGMA page_count").get()?.["page_count"] === 0

const openWritable = ({ DatabaseSync: Database }: typeof NodeSqlite, filename: string, timeout: number) => {
  create(filename)
  const database = new Database(filename, { timeout })
  try {
    if (isNew(database)) database.exec("PRAGMA journal_mode = WAL")
    // A killed process loses nothing that it committed; a machine that loses power may lose the last commits.
    database.exec("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")
    // Digests are random, so writes touch pages all over the tree: rarer checkpoints write each page less often.
    database.exec("PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = -16384")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Opens a file that this process can only read. Readers of a database in WAL mode write a file beside it. Where they cannot, SQLite
 * reads the file as one that nothing changes, unless a log shows that a process is writing.
 */
const openReadable = ({ DatabaseSync: Database }: typeof NodeSqlite, filename: string, timeout: number) => {
  const options = { timeout, readOnly: true }
  const database = new Database(filename, options)
  try {
    isNew(database)
    return database
  } catch (error) {
    database.close()
    if (existsSync(`${filename}-wal`)) throw error
    const location = pathToFileURL(filename)
    location.searchParams.set("immutable", "1")
    return new Database(location, options)
  }
}

const open = Effect.fnUntraced(function* ({ busyTimeout = "5 seconds", filename }: Options) {
  const module = yield* sqlite
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(busyTimeout))
  return yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        try {
          return openWritable(module, filename, timeout)
        } catch (error) {
          if (!isUnwritable(error) || !existsSync(filename)) throw error
          return openReadable(module, filename, timeout)
        }
      },
      catch: failure("open")
    }),
    (database) => Effect.sync(() => database.close())
  )
})

interface SqliteConnection extends Connection {
  readonly database: DatabaseSync
}

/** Runs a statement. */
const run = <A>(
  statementOf: (sql: string) => StatementSync,
  sql: string,
  use: (statement: StatementSync) => A
): Effect.Effect<A, SqlError> =>
  Effect.flatMap(SqlClient.SafeIntegers, (isSafe) =>
    Effect.try({
      try: () => {
        const statement = statementOf(sql)
        statement.setReadBigInts(isSafe)
        return use(statement)
      },
      catch: failure("execute")
    })
  )

/** Runs a statement for its rows. */
const rows =
  (statementOf: (sql: string) => StatementSync): Connection["execute"] =>
  (sql, params, transformRows) =>
    Effect.map(
      run(statementOf, sql, (statement) => statement.all(...params.map(inputOf))),
      (found) => (transformRows === undefined ? found : transformRows(found))
    )

const connect = (database: DatabaseSync): SqliteConnection => {
  const kept = new Map<string, StatementSync>()

  const prepare = (sql: string): StatementSync => {
    const found = kept.get(sql) ?? database.prepare(sql)
    kept.delete(sql)
    kept.set(sql, found)
    const [oldest] = kept.keys()
    if (kept.size > mostStatements && oldest !== undefined) kept.delete(oldest)
    return found
  }

  const once = (sql: string): StatementSync => database.prepare(sql)

  const values: Connection["executeValues"] = (sql, params) =>
    // Not a cached statement: returning arrays is a setting of the statement, and others share the cached one.
    run(once, sql, (statement) => {
      statement.setReturnArrays(true)
      return statement.all(...params.map(inputOf)).map((row) => Object.values(row))
    })

  return {
    database,
    execute: rows(prepare),
    executeUnprepared: rows(once),
    executeValues: values,
    executeValuesUnprepared: values,
    executeRaw: (sql, params) => run(prepare, sql, (statement) => statement.run(...params.map(inputOf))),
    executeStream: (sql, params, transformRows) =>
      Stream.unwrap(
        Effect.map(
          run(once, sql, (statement) => statement.iterate(...params.map(inputOf))),
          (iterator) =>
            Stream.paginate(iterator, (rest) =>
              Effect.try({
                try: () => {
                  const page: Array<object> = []
                  let isDone = false
                  while (page.length < rowsAtOnce && !isDone) {
                    const next = rest.next()
                    isDone = next.done === true
                    if (next.done !== true) page.push(next.value)
                  }
                  const shown = transformRows === undefined ? page : transformRows(page)
                  return [shown, isDone ? Option.none() : Option.some(rest)] as const
                },
                catch: failure("stream")
              })
            )
        )
      )
  }
}

/**
 * Opens a database until the scope closes. For building custom layers. Most programs want `layer`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope | Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const connection = connect(yield* open(options))
    const acquirers = SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: Semaphore.makeUnsafe(1),
      isTransaction: ({ database }) => database.isTransaction
    })
    return yield* SqlClient.make({
      ...acquirers,
      compiler: Statement.makeCompilerSqlite(),
      // Takes the write lock at once: a transaction that reads first may be unable to get it later.
      beginTransaction: "BEGIN IMMEDIATE",
      driver: "node-sqlite",
      spanAttributes: [
        ["db.system.name", "sqlite"],
        ["db.namespace", options.filename]
      ]
    })
  })

/**
 * A `SqlClient` on the SQLite that is part of Node, with `synchronous = NORMAL`. Statements run one at a time.
 *
 * **When to use**
 *
 * Use for a migration on one machine. Processes on several machines need PostgreSQL.
 *
 * **Details**
 *
 * A new database is in WAL mode. An existing one keeps its journal mode. A file or folder that this process may not write is opened
 * read-only.
 *
 * Fails with the reason `LockTimeoutError` if another process holds the lock for longer than `busyTimeout`. `isFull` recognizes
 * a full disk.
 *
 * **Example** (A database in a file)
 *
 * ```ts
 * import { SqliteClient } from "@effect-acr/migration"
 * import { Effect } from "effect"
 * import { SqlClient } from "effect/sql"
 *
 * export const count = Effect.gen(function* () {
 *   const sql = yield* SqlClient.SqlClient
 *   return yield* sql<{ readonly count: number }>`SELECT count(*) AS count FROM sqlite_schema`
 * }).pipe(Effect.provide(SqliteClient.layer({ filename: "migration.sqlite" })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
