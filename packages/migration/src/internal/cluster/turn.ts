/**
 * The turn of a process: a run has one process that works alone, or several that share it, and never both.
 */
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { MigrationError } from "../../MigrationError.ts"
import { addressOf, noPort, type Options, prefixOf } from "./options.ts"
import { failureOf } from "./storage.ts"

/** The storage rounds to seconds. */
const resolution = Duration.seconds(2)

const lookInterval = Duration.millis(250)

/**
 * Removes the locks of processes that were killed before the clock was set back: they would last until the clock reaches their time. A
 * process that works has renewed its lock since. On PostgreSQL, a lock ends with the connection of its process.
 */
const removeFutureLocks = (options: Options) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const remove = (table: string, time: string) =>
      sql`DELETE FROM ${sql(`${prefixOf(options)}_${table}`)} WHERE ${sql(time)} > datetime('now', '+1 second')`
    yield* sql.onDialectOrElse({
      sqlite: () => Effect.andThen(remove("locks", "acquired_at"), remove("runners", "last_heartbeat")),
      orElse: () => Effect.void
    })
  })

/**
 * Waits until no process works that excludes this one. Fails with the name of the other process if it still works when the lock
 * of a killed process would have expired.
 */
export const awaitTurn = (
  options: Options
): Effect.Effect<void, MigrationError, RunnerStorage.RunnerStorage | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { lockExpiration, process } = options
    const storage = yield* RunnerStorage.RunnerStorage
    const others = Effect.map(storage.getRunners, (runners) => runners.map(([{ address }]) => address))
    // A process that was killed may no longer be listed while its lock still holds.
    const named = Effect.map(others, (addresses) =>
      addresses.length === 0
        ? ""
        : `: ${addresses.map(({ host, port }) => (port === noPort ? host : `${host}:${port}`)).join(", ")}`
    )
    const isFree =
      process._tag === "Alone"
        ? Effect.map(
            storage.acquire(addressOf(options), [ShardId.make("default", 1)]),
            (acquired) => acquired.length > 0
          )
        : Effect.map(others, (addresses) => addresses.every(({ port }) => port !== noPort))
    if (yield* isFree) return
    const longest = Duration.sum(lockExpiration, resolution)
    yield* Effect.logWarning(`waits at most ${Duration.format(longest)} for the lock of another process${yield* named}`)
    const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(longest)
    while (!(yield* isFree)) {
      if ((yield* Clock.currentTimeMillis) > end) {
        yield* removeFutureLocks(options)
        if (yield* isFree) return
        const description = `another process works on this run${yield* named}`
        return yield* new MigrationError({ problem: "Locked", description })
      }
      yield* Effect.sleep(lookInterval)
    }
  }).pipe(Effect.catchTag(["PersistenceError", "SqlError"], (error) => Effect.fail(failureOf(error))))
