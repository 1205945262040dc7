/**
 * Access to the database: errors of runs, transactions, and rows by the hundred.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { MigrationError } from "../../MigrationError.ts"
import { isFull } from "../../SqliteClient.ts"

/** Rows that one statement writes. SQLite takes 32,766 parameters, and PostgreSQL 65,535. */
const rowsAtOnce = 500

/** How often a transaction is tried again that a deadlock ended. */
const mostDeadlocks = 5

const failure = (error: SqlError | MigrationError): MigrationError => {
  if (error._tag === "MigrationError") return error
  if (isFull(error)) {
    const description = "the disk of the database is full: free space on it, and run again to continue"
    return new MigrationError({ problem: "StoreFull", description })
  }
  return error.reason._tag === "LockTimeoutError"
    ? new MigrationError({ problem: "Locked", description: "another process has locked the database" })
    : new MigrationError({ problem: "StoreFailed", description: `the database failed: ${error.message}` })
}

/** What the database said, in an error or a defect of something that works with it. */
export const failureIn = (error: unknown): MigrationError | undefined => {
  if (error instanceof SqlError) return failure(error)
  return Predicate.hasProperty(error, "cause") ? failureIn(error.cause) : undefined
}

export const guarded = <A, R>(
  effect: Effect.Effect<A, SqlError | MigrationError, R>
): Effect.Effect<A, MigrationError, R> => Effect.mapError(effect, failure)

/** Runs a statement for some rows at a time, and returns the rows that it returns. */
export const inChunks = <Row, A>(
  rows: ReadonlyArray<Row>,
  statement: (chunk: Arr.NonEmptyArray<Row>) => Effect.Effect<ReadonlyArray<A>, SqlError>
): Effect.Effect<ReadonlyArray<A>, SqlError> =>
  Effect.map(Effect.forEach(Arr.chunksOf(rows, rowsAtOnce), statement), Arr.flatten)

/** The database of a store, and how to write to it. */
export interface Access {
  readonly sql: SqlClient.SqlClient
  /** Two processes may write the same rows in another order. PostgreSQL then ends the transaction of one of them. */
  readonly inTransaction: <A>(effect: Effect.Effect<A, SqlError | MigrationError>) => Effect.Effect<A, MigrationError>
  /** Keeps the numbers that a transaction gives out from other processes. SQLite has one writer anyway. */
  readonly lock: (table: string) => Effect.Effect<void, SqlError>
  /** An integer as it is: SQLite gets numbers of JavaScript as fractions, and would divide by them. */
  readonly whole: (number: number) => Fragment
  readonly insertAll: (table: string, rows: ReadonlyArray<Record<string, unknown>>) => Effect.Effect<void, SqlError>
}

export const make: Effect.Effect<Access, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return {
    sql,
    inTransaction: (effect) =>
      guarded(
        Effect.retry(sql.withTransaction(effect), {
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
})
