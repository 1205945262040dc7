/**
 * The processes of a run: one that works alone, or several that share the work. Only this folder and `engine` import
 * `effect/cluster` and `effect/workflow`, which are unstable.
 *
 * Each run has its own cluster: one process that holds the lock of a single shard, or runners that share the shards.
 */
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import type * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

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
export const noPort = 0

/** The owner of locks. The default of the cluster is the same for all processes, so that both would hold the lock. */
export const addressOf = ({ process }: Options): RunnerAddress.RunnerAddress =>
  process._tag === "Alone" ? RunnerAddress.make(process.owner, noPort) : RunnerAddress.make(process.host, process.port)

/**
 * How long a process waits for its activities when it ends. With several processes, also when another one joins, which waits for
 * its part of the work.
 */
const terminationTimeout = { Alone: Duration.seconds(5), Together: Duration.seconds(1) }

export const settingsOf = (options: Options): Partial<ShardingConfig.ShardingConfig["Service"]> => {
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

/** The prefix of the tables of a run. */
export const prefixOf = ({ run }: Options): string => `cluster_${run}`
