/**
 * Access to the database: errors, transactions, and bulk statements.
 */
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { MigrationError } from "../../MigrationError.ts"
import { isFull } from "../../SqliteClient.ts"

/** The number of rows that one statement writes. SQLite allows 32,766 parameters, PostgreSQL 65,535. */
const rowsAtOnce = 500

/** The maximum number of retries of a transaction that ended with a deadlock. */
const mostDeadlocks = 5

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: disk_full, idle_in_transaction_session_timeout */
const fullState = "53100"
const idleState = "25P03"

const hasState = ({ reason: { cause } }: SqlError, state: string): boolean =>
  Predicate.hasProperty(cause, "code") && cause.code === state

const isDiskFull = (error: SqlError): boolean => isFull(error) || hasState(error, fullState)

/** What the database itself says. Its client says only that a query failed. */
const messageOf = ({ message, reason: { cause } }: SqlError): string =>
  cause instanceof Error ? cause.message : message

const failure = (error: SqlError | MigrationError): MigrationError => {
  if (error._tag === "MigrationError") return error
  if (error.reason.cause instanceof MigrationError) return error.reason.cause
  if (isDiskFull(error)) {
    const description = "the disk of the database is full: free space on it, and run again to continue"
    return new MigrationError({ problem: "StoreFull", description })
  }
  if (hasState(error, idleState)) {
    const description = "this process hung in a transaction, which the database has ended"
    return new MigrationError({ problem: "Interrupted", description })
  }
  return error.reason._tag === "LockTimeoutError"
    ? new MigrationError({ problem: "Locked", description: "another process has locked the database" })
    : new MigrationError({ problem: "StoreFailed", description: `the database failed: ${messageOf(error)}` })
}

/** The database's error inside another error or defect. */
export const failureIn = (error: unknown): MigrationError | undefined => {
  if (error instanceof SqlError || error instanceof MigrationError) return failure(error)
  return Predicate.hasProperty(error, "cause") ? failureIn(error.cause) : undefined
}

export const guarded = <A, R>(
  effect: Effect.Effect<A, SqlError | MigrationError, R>
): Effect.Effect<A, MigrationError, R> => Effect.mapError(effect, failure)

/** Runs a statement for chunks of rows, and returns all rows that it returns. */
export const inChunks = <Row, A>(
  rows: ReadonlyArray<Row>,
  statement: (chunk: Arr.NonEmptyArray<Row>) => Effect.Effect<ReadonlyArray<A>, SqlError>
): Effect.Effect<ReadonlyArray<A>, SqlError> =>
  Effect.map(Effect.forEach(Arr.chunksOf(rows, rowsAtOnce), statement), Arr.flatten)

/** The database of a store, with the means to write to it. */
export interface Access {
  readonly sql: SqlClient.SqlClient
  /** Runs a transaction. If this process hangs in it, PostgreSQL ends it, since other processes wait for its locks. */
  readonly transaction: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | SqlError | MigrationError>
  /** A transaction that retries deadlocks: if two processes write the same rows in different orders, PostgreSQL ends one of the transactions. */
  readonly inTransaction: <A>(effect: Effect.Effect<A, SqlError | MigrationError>) => Effect.Effect<A, MigrationError>
  /** Keeps other processes from assigning the same row numbers. SQLite has one writer anyway. */
  readonly lock: (table: string) => Effect.Effect<void, SqlError>
  /** A literal integer: SQLite gets numbers of JavaScript as floats, and would not divide by them as integers. */
  readonly whole: (number: number) => Fragment
  readonly insertAll: (table: string, rows: ReadonlyArray<Record<string, unknown>>) => Effect.Effect<void, SqlError>
}

/**
 * Fails if the database is taken to be broken, because it failed again and again, or does not respond when the run is interrupted.
 */
export type Broken = Deferred.Deferred<never, MigrationError>

/** Waits until the database is taken to be broken, and fails. */
const failing = (broken: Broken): Effect.Effect<never, SqlError> =>
  Effect.mapError(
    Deferred.await(broken),
    (cause) => new SqlError({ reason: new ConnectionError({ cause, message: cause.message }) })
  )

/** Waits for the database until it is taken to be broken, also in an effect that cannot be interrupted. */
export const unlessBroken = <A, E>(broken: Broken, effect: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
  Effect.suspend(() => (Deferred.isDoneUnsafe(broken) ? failing(broken) : Effect.raceFirst(effect, failing(broken))))

/** How long a broken database has for a statement that begins or ends a transaction, in case it responds again. */
const lastWait = Duration.seconds(1)

/** How long the database may take to end the work of an interrupted run, whose activities have five seconds of it. */
const longestEnd = Duration.seconds(8)

/** Takes the database to be broken if it keeps an interrupted effect from ending. */
export const endingBy =
  (broken: Broken) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkChild(effect), (fiber) =>
        Effect.onInterrupt(restore(Fiber.join(fiber)), () =>
          Effect.raceFirst(
            Fiber.interrupt(fiber),
            Effect.gen(function* () {
              yield* Effect.sleep(longestEnd)
              const description = "the database does not respond"
              yield* Deferred.fail(broken, new MigrationError({ problem: "StoreFailed", description }))
              return yield* Effect.never
            })
          )
        )
      )
    )

/** PostgreSQL confirms COMMIT in a transaction that has failed, and says that it rolled back. */
const isRolledBack = (result: unknown): boolean =>
  Predicate.hasProperty(result, "command") && result.command === "ROLLBACK"

/**
 * Transactions on PostgreSQL that end if it hangs. Those of the client of the database wait for BEGIN, COMMIT and ROLLBACK without
 * an end, and cannot be interrupted meanwhile.
 */
const makeWithTransaction = (client: SqlClient.SqlClient, broken: Broken): SqlClient.SqlClient["withTransaction"] => {
  // The connection must not stay in a transaction, so they are sent in any case.
  const run = (connection: Connection, statement: string) =>
    Effect.raceFirst(
      connection.executeRaw(statement, []),
      Effect.tapError(failing(broken), () => Effect.sleep(lastWait))
    )
  const rollback = (connection: Connection) => Effect.asVoid(run(connection, "ROLLBACK"))
  return SqlClient.makeWithTransaction({
    transactionService: client.transactionService,
    spanAttributes: [],
    acquireConnection: (restore) => restore(client.reserve),
    // Without ROLLBACK, a BEGIN that is late would put the next statement of the connection into the transaction.
    begin: (connection) =>
      Effect.asVoid(Effect.tapError(run(connection, "BEGIN"), () => Effect.ignore(rollback(connection)))),
    savepoint: (connection, id) => Effect.asVoid(run(connection, `SAVEPOINT effect_sql_${id}`)),
    releaseSavepoint: (connection, id) => Effect.asVoid(run(connection, `RELEASE SAVEPOINT effect_sql_${id}`)),
    commit: (connection) =>
      Effect.flatMap(run(connection, "COMMIT"), (result) =>
        isRolledBack(result)
          ? Effect.fail(
              new SqlError({ reason: new UnknownError({ cause: new Error("the transaction was rolled back") }) })
            )
          : Effect.void
      ),
    onCommitFailure: rollback,
    rollback,
    rollbackSavepoint: (connection, id) => Effect.asVoid(run(connection, `ROLLBACK TO SAVEPOINT effect_sql_${id}`))
  })
}

/**
 * A client whose transactions PostgreSQL ends if this process pauses for so long in one that it is taken to hang, and that do not
 * wait for PostgreSQL if that hangs.
 */
export const limitPauses = (
  client: SqlClient.SqlClient,
  longestPause: Duration.Input,
  broken: Broken
): SqlClient.SqlClient => {
  const millis = String(Duration.toMillis(Duration.fromInputUnsafe(longestPause)))
  const withTransaction = client.onDialectOrElse({
    pg: (): SqlClient.SqlClient["withTransaction"] => {
      const limit = client`SELECT set_config('idle_in_transaction_session_timeout', ${millis}, true)`
      const transaction = makeWithTransaction(client, broken)
      return (effect) => transaction(Effect.andThen(limit, effect))
    },
    orElse: () => client.withTransaction
  })
  return new Proxy(client, {
    get: (target, name): unknown => (name === "withTransaction" ? withTransaction : Reflect.get(target, name))
  })
}

/** Gives access to the database. A process that pauses for so long in a transaction is taken to hang. */
export const make = Effect.fnUntraced(function* (longestPause: Duration.Input, broken: Broken) {
  const sql = limitPauses(yield* SqlClient.SqlClient, longestPause, broken)
  const transaction: Access["transaction"] = (effect) =>
    sql.withTransaction(effect).pipe(
      // If the connection is lost, the transaction cannot be rolled back, which is a defect for the client of the database.
      Effect.catchDefect((defect) => {
        const failure = failureIn(defect)
        return failure === undefined ? Effect.die(defect) : Effect.fail(failure)
      })
    )
  const access: Access = {
    sql,
    transaction,
    inTransaction: (effect) =>
      guarded(
        Effect.retry(transaction(effect), {
          times: mostDeadlocks,
          while: (error) => error._tag === "SqlError" && error.reason._tag === "DeadlockError"
        })
      ),
    lock: (table) =>
      sql.onDialectOrElse({
        pg: () => Effect.asVoid(sql`LOCK TABLE ${sql(table)} IN SHARE ROW EXCLUSIVE MODE`),
        orElse: () => Effect.void
      }),
    whole: (number) => sql.literal(number.toFixed(0)),
    insertAll: (table, rows) =>
      Effect.asVoid(inChunks(rows, (chunk) => sql`INSERT INTO ${sql(table)} ${sql.insert(chunk)}`))
  }
  return access
})
