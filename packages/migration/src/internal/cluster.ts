/**
 * The processes of a run: one that works alone, or several that share the work. Only this file and `engine` import
 * `effect/cluster` and `effect/workflow`, which are unstable.
 *
 * Each run has its own cluster: one process that holds the lock of a single shard, or runners that share the shards.
 */
import * as NodeClusterHttp from "@effect/platform-node/NodeClusterHttp"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Cause from "effect/Cause"
import type { PersistenceError } from "effect/cluster/ClusterError"
import * as HttpRunner from "effect/cluster/HttpRunner"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as RunnerServer from "effect/cluster/RunnerServer"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as ShardId from "effect/cluster/ShardId"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Snowflake from "effect/cluster/Snowflake"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import type * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import { MigrationError } from "../MigrationError.ts"
import { failureIn, limitPauses } from "./store/access.ts"

/** A process that works alone. */
interface Alone {
  readonly _tag: "Alone"
  /** Its name, for the lock and for messages. */
  readonly owner: string
}

/** A process that works with others. */
interface Together {
  readonly _tag: "Together"
  /** Where it listens and the others reach it. */
  readonly host: string
  readonly port: number
  /** The same number in all of them. */
  readonly shards: number
}

export interface Options {
  /** The number of the run. */
  readonly run: number
  readonly process: Alone | Together
  /** How long the lock of a killed process stays valid. */
  readonly lockExpiration: Duration.Duration
}

/** A unique, readable name of a process. */
export const ownerOf = (host: string, pid: number, started: string): string => `${host}-pid-${pid}-since-${started}`

/** The number of shards. A process that works alone needs a single one: of several, a second process would get some. */
export const shardsOf = ({ process }: Options): number => (process._tag === "Alone" ? 1 : process.shards)

/** The port of a process that works alone. It listens nowhere. */
const noPort = 0

/** The owner of locks. The default of the cluster is the same for all processes, so that both would hold the lock. */
const addressOf = ({ process }: Options): RunnerAddress.RunnerAddress =>
  process._tag === "Alone" ? RunnerAddress.make(process.owner, noPort) : RunnerAddress.make(process.host, process.port)

/**
 * How long a process waits for its activities when it ends. With several processes, also when another one joins, which waits for
 * its part of the work.
 */
const terminationTimeout = { Alone: Duration.seconds(5), Together: Duration.seconds(1) }

const settingsOf = (options: Options): Partial<ShardingConfig.ShardingConfig["Service"]> => {
  const { lockExpiration, process } = options
  return {
    runnerAddress: Option.some(addressOf(options)),
    shardsPerGroup: shardsOf(options),
    shardLockExpiration: lockExpiration,
    shardLockRefreshInterval: Duration.divideUnsafe(lockExpiration, 3),
    refreshAssignmentsInterval: Duration.min(Duration.seconds(1), lockExpiration),
    entityMessagePollInterval: Duration.seconds(1),
    entityTerminationTimeout: terminationTimeout[process._tag],
    simulateRemoteSerialization: false
  }
}

/** Ends the work of this process, where the cluster would try forever without a word. */
export type Broken = Deferred.Deferred<never, MigrationError>

const failureOf = (error: PersistenceError | SqlError): MigrationError =>
  failureIn(error) ??
  new MigrationError({ problem: "StoreFailed", description: `the database failed: ${error.message}` })

/** How often an operation fails in a row until the database is taken to be broken. The next attempt after a lost connection succeeds. */
const mostFailures = 5

/** Whether a row is there already: another process took over the work of this one while it hung, and has answered. */
const isThere = ({ cause }: PersistenceError): boolean =>
  cause instanceof SqlError && cause.reason._tag === "UniqueViolation"

/** Ends the work if an operation of the cluster's storage fails again and again. */
const unlessBroken = <Arguments extends ReadonlyArray<unknown>, A>(
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
        register: unlessBroken(broken, storage.register),
        unregister: (address) =>
          Effect.suspend(() => {
            hasLeft = true
            return storage.unregister(address)
          }),
        getRunners: Effect.suspend(() => (hasLeft ? Effect.never : storage.getRunners))
      })
    })
  ).pipe(Layer.orDie)

const prefixOf = ({ run }: Options): string => `cluster_${run}`

/**
 * The database, where a process that hangs holds no rows of messages for as long as its locks: the process that gets its locks sends
 * the messages again, and would find them locked.
 */
const database = ({ lockExpiration }: Options) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.map(SqlClient.SqlClient, (client) => limitPauses(client, Duration.divideUnsafe(lockExpiration, 2)))
  )

/** The messages of a run, in the database. */
const messageStorage = (prefix: string, broken: Broken) =>
  Layer.effect(
    MessageStorage.MessageStorage,
    Effect.flatMap(SqlMessageStorage.makeEncoded({ prefix }), (storage) =>
      MessageStorage.makeEncoded({
        ...storage,
        saveReply: unlessBroken(broken, storage.saveReply),
        unprocessedMessages: unlessBroken(broken, storage.unprocessedMessages)
      })
    )
  ).pipe(Layer.provide(Snowflake.layerGenerator))

/** The storage of a run's cluster in the database. */
export const storageOf = (options: Options, broken: Broken) => {
  const prefix = prefixOf(options)
  return Layer.mergeAll(runnerStorage(prefix, broken), messageStorage(prefix, broken)).pipe(
    Layer.provide([database(options), ShardingConfig.layerFromEnv(settingsOf(options)), NodeCrypto.layerDigest])
  )
}

/**
 * The messages to other processes. The connection to one that hangs, or whose machine or network is gone, stays open. Once it no
 * longer belongs to the cluster, others do what it was asked, and the answer is in the database.
 */
const runners = Layer.effect(
  Runners.Runners,
  Effect.map(Runners.Runners, (reached) => {
    const departures = new Map<string, Deferred.Deferred<void>>()
    const departureOf = (address: RunnerAddress.RunnerAddress) => {
      const departure = departures.get(String(address)) ?? Deferred.makeUnsafe<void>()
      departures.set(String(address), departure)
      return departure
    }
    return Runners.Runners.of({
      ...reached,
      notify: (options) =>
        Option.match(options.address, {
          onNone: () => reached.notify(options),
          onSome: (address) =>
            Effect.raceFirst(
              Effect.as(reached.notify(options), true),
              Effect.as(Deferred.await(departureOf(address)), false)
            ).pipe(
              Effect.flatMap((isAnswered) =>
                isAnswered ? Effect.void : reached.notify({ ...options, address: Option.none() })
              )
            )
        }),
      onRunnerUnavailable: (address) =>
        Effect.andThen(
          reached.onRunnerUnavailable(address),
          Effect.suspend(() => {
            const departure = departureOf(address)
            departures.delete(String(address))
            return Deferred.succeed(departure, undefined)
          })
        )
    })
  })
).pipe(Layer.provide(Runners.layerRpc))

/** Processes that communicate by HTTP. A process that cannot be reached finds its messages in the database. */
const together = HttpRouter.serve(
  RunnerServer.layer.pipe(
    Layer.provideMerge(Sharding.layer),
    Layer.provideMerge(runners),
    Layer.provide(RpcServer.layerProtocolHttp({ path: "/" }))
  ),
  { disableLogger: true, disableListenLog: true }
).pipe(
  Layer.provide(HttpRunner.layerClientProtocolHttpDefault),
  Layer.provide([NodeClusterHttp.layerHttpServer, NodeHttpClient.layerUndici, RpcSerialization.layerSchemaBinary()])
)

const alone = Sharding.layer.pipe(Layer.provideMerge(Runners.layerNoop))

export const shardingOf = (options: Options) =>
  (options.process._tag === "Alone" ? alone : together).pipe(
    // An expired lock shows that its process was killed.
    Layer.provide([RunnerHealth.layerNoop, ShardingConfig.layerFromEnv(settingsOf(options))])
  )

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

/** The effect that executes the workflows. */
export interface Driving {
  readonly drive: Effect.Effect<void, MigrationError, WorkflowEngine.WorkflowEngine | Sharding.Sharding>
  /** Whether it has ended, in this process or another one. */
  readonly isOver: Effect.Effect<boolean, MigrationError>
}

/** Drives the run in one process of the cluster. If that process ends, another one takes over. */
export const once = ({ drive, isOver }: Driving) =>
  Effect.gen(function* () {
    const sharding = yield* Sharding.Sharding
    const ended = yield* Deferred.make<void, MigrationError>()
    const untilEnd = Effect.matchCauseEffect(drive, {
      // It is interrupted when its shard moves to another process, which starts it again.
      onFailure: (cause) => (Cause.hasInterrupts(cause) ? Effect.void : Deferred.failCause(ended, cause)),
      onSuccess: () => Deferred.succeed(ended, undefined)
    })
    yield* sharding.registerSingleton("drive", untilEnd)
    const others = Effect.sleep("1 second").pipe(Effect.andThen(isOver), Effect.repeat({ until: (is) => is }))
    yield* Effect.raceFirst(Deferred.await(ended), others)
  }).pipe(Effect.scoped)
