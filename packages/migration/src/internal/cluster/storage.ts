/**
 * What a cluster keeps in the database: its processes, locks, messages and answers.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { PersistenceError } from "effect/cluster/ClusterError"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Snowflake from "effect/cluster/Snowflake"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { MigrationError } from "../../MigrationError.ts"
import { failureIn } from "../store/access.ts"
import { type Broken, unlessBroken } from "../store/broken.ts"
import * as Transactions from "../store/transactions.ts"
import { type Options, prefixOf, settingsOf } from "./options.ts"

export const failureOf = (error: PersistenceError | SqlError): MigrationError =>
  failureIn(error) ??
  new MigrationError({ problem: "StoreFailed", description: `the database failed: ${error.message}` })

/** An operation that ends where the database hangs. The cluster waits for some without interruption, such as when it closes. */
const responding =
  <Arguments extends ReadonlyArray<unknown>, A>(
    broken: Broken,
    operation: (...args: Arguments) => Effect.Effect<A, PersistenceError>
  ) =>
  (...args: Arguments): Effect.Effect<A, PersistenceError> =>
    Effect.catchTag(unlessBroken(broken, operation(...args)), "SqlError", (cause) =>
      Effect.fail(new PersistenceError({ cause }))
    )

/** How often an operation fails in a row until the database is taken to be broken. The next attempt after a lost connection succeeds. */
const mostFailures = 5

/** Whether a row is there already: another process took over the work of this one while it hung, and has answered. */
const isThere = ({ cause }: PersistenceError): boolean =>
  cause instanceof SqlError && cause.reason._tag === "UniqueViolation"

/** Ends the work if an operation of the cluster's storage fails again and again: the cluster would try forever without a word. */
const limitFailures = <Arguments extends ReadonlyArray<unknown>, A>(
  broken: Broken,
  operation: (...args: Arguments) => Effect.Effect<A, PersistenceError>
) => {
  let failures = 0
  return (...args: Arguments): Effect.Effect<A, PersistenceError> =>
    operation(...args).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          failures = 0
        })
      ),
      Effect.tapError((error) => {
        failures = isThere(error) ? 0 : failures + 1
        return failures < mostFailures ? Effect.void : Deferred.fail(broken, failureOf(error))
      })
    )
}

/**
 * The processes of a run, in the database. A process that has left no longer looks for others: the cluster would warn that there
 * are none.
 */
const runnerStorage = (prefix: string, broken: Broken) =>
  Layer.effect(
    RunnerStorage.RunnerStorage,
    Effect.map(SqlRunnerStorage.make({ prefix }), (storage) => {
      let hasLeft = false
      return RunnerStorage.RunnerStorage.of({
        ...storage,
        register: limitFailures(broken, storage.register),
        unregister: (address) =>
          Effect.suspend(() => {
            hasLeft = true
            return responding(broken, storage.unregister)(address)
          }),
        getRunners: Effect.suspend(() => (hasLeft ? Effect.never : storage.getRunners))
      })
    })
  ).pipe(Layer.orDie)

/**
 * The database, where a process that hangs holds no rows of messages for as long as its locks: the process that gets its locks sends
 * the messages again, and would find them locked.
 */
const database = ({ lockExpiration }: Options, broken: Broken) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.map(SqlClient.SqlClient, (client) =>
      Transactions.bounded(client, Duration.divideUnsafe(lockExpiration, 2), broken)
    )
  )

/** The messages of a run, in the database. */
const messageStorage = (prefix: string, broken: Broken) =>
  Layer.effect(
    MessageStorage.MessageStorage,
    Effect.flatMap(SqlMessageStorage.makeEncoded({ prefix }), (storage) =>
      MessageStorage.makeEncoded({
        saveEnvelope: responding(broken, storage.saveEnvelope),
        saveReply: limitFailures(broken, responding(broken, storage.saveReply)),
        clearReplies: responding(broken, storage.clearReplies),
        requestIdForPrimaryKey: responding(broken, storage.requestIdForPrimaryKey),
        repliesFor: responding(broken, storage.repliesFor),
        repliesForUnfiltered: responding(broken, storage.repliesForUnfiltered),
        unprocessedMessages: limitFailures(broken, responding(broken, storage.unprocessedMessages)),
        unprocessedMessagesById: responding(broken, storage.unprocessedMessagesById),
        resetRequests: responding(broken, storage.resetRequests),
        resetAddresses: responding(broken, storage.resetAddresses),
        clearAddress: responding(broken, storage.clearAddress),
        resetShards: responding(broken, storage.resetShards),
        withTransaction: storage.withTransaction
      })
    )
  ).pipe(Layer.provide(Snowflake.layerGenerator))

/** The storage of a run's cluster in the database. */
export const storageOf = (options: Options, broken: Broken) => {
  const prefix = prefixOf(options)
  return Layer.mergeAll(runnerStorage(prefix, broken), messageStorage(prefix, broken)).pipe(
    Layer.provide([database(options, broken), ShardingConfig.layerFromEnv(settingsOf(options)), NodeCrypto.layerDigest])
  )
}
