/**
 * Access to the database: errors, and statements in transactions and in bulk.
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { MigrationError } from "../../MigrationError.ts"
import { isFull } from "../../SqliteClient.ts"
import type { Broken } from "./broken.ts"
import * as Transactions from "./transactions.ts"

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

/** Gives access to the database. A process that pauses for so long in a transaction is taken to hang. */
export const make = Effect.fnUntraced(function* (longestPause: Duration.Input, broken: Broken) {
  const sql = Transactions.bounded(yield* SqlClient.SqlClient, longestPause, broken)
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
