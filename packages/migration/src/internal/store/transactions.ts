/**
 * Transactions that neither a process that hangs nor a database that hangs keeps open.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { type Broken, failing } from "./broken.ts"

/** How long a broken database has for a statement that begins or ends a transaction, in case it responds again. */
const lastWait = Duration.seconds(1)

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
export const bounded = (
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
