/**
 * Durable execution on `effect/workflow` and `effect/cluster`, both unstable: nothing else imports them.
 *
 * Each pass is prepared by one workflow and each batch is copied by another, with one activity each. Their messages are in the
 * database, so that a runner that starts finds what a killed one left. The cluster's lock of the one shard decides which
 * process works.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { MigrationError } from "../MigrationError.ts"

/** A pass to prepare. */
const pass = { run: Schema.Int, pass: Schema.Int, attempt: Schema.Int, isFirst: Schema.Boolean }

/** A batch to copy. */
const batch = { run: Schema.Int, pass: Schema.Int, batch: Schema.Int, attempt: Schema.Int }

// An execution that failed is final for its key, so that another attempt has another key.
const MigratePass = Workflow.make("MigratePass", {
  payload: pass,
  success: Schema.Int,
  error: MigrationError,
  idempotencyKey: ({ attempt, pass, run }) => `${run}/${pass}/${attempt}`
})

const MigrateBatch = Workflow.make("MigrateBatch", {
  payload: batch,
  success: Schema.Int,
  error: MigrationError,
  idempotencyKey: ({ attempt, batch, pass, run }) => `${run}/${pass}/${batch}/${attempt}`
})

export type PassPayload = (typeof MigratePass.payloadSchema)["Type"]

export type BatchPayload = (typeof MigrateBatch.payloadSchema)["Type"]

/** What the workflows do. Both may run again from the beginning after a kill. */
export interface Worker {
  /** Prepares a pass, and returns how many artifacts are to be copied. */
  readonly prepare: (payload: PassPayload) => Effect.Effect<number, MigrationError>
  /** Copies a batch, and returns how many artifacts it had. */
  readonly copy: (payload: BatchPayload) => Effect.Effect<number, MigrationError>
}

export interface Options {
  /** How long the lock of a killed process is waited for. */
  readonly lockExpiration: Duration.Duration
  /** The name of this process in the lock. */
  readonly owner: string
}

/** A name that no other process has, for people to read. */
export const ownerOf = (host: string, pid: number, started: number): string => `${host}-pid-${pid}-${started}`

/** How long a process that ends waits for its activities. */
const terminationTimeout = Duration.seconds(5)

const activities = (worker: Worker) =>
  Layer.mergeAll(
    MigratePass.toLayer((payload) =>
      Activity.make({ name: "prepare", success: Schema.Int, error: MigrationError, execute: worker.prepare(payload) })
    ),
    MigrateBatch.toLayer((payload) =>
      Activity.make({ name: "copy", success: Schema.Int, error: MigrationError, execute: worker.copy(payload) })
    )
  )

/** Runs the workflows in this process, as long as no other one does. */
const layer = (worker: Worker, { lockExpiration, owner }: Options) =>
  activities(worker).pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provideMerge(
      SingleRunner.layer({
        runnerStorage: "sql",
        shardingConfig: {
          // The address is the owner of the lock. With the default, two processes would be one to the storage.
          runnerAddress: Option.some(RunnerAddress.make(owner, 0)),
          // Of several shards, each process would get some.
          shardsPerGroup: 1,
          shardLockExpiration: lockExpiration,
          shardLockRefreshInterval: Duration.divideUnsafe(lockExpiration, 3),
          refreshAssignmentsInterval: Duration.min(Duration.seconds(1), lockExpiration),
          entityMessagePollInterval: Duration.seconds(1),
          entityTerminationTimeout: terminationTimeout,
          simulateRemoteSerialization: false
        }
      })
    ),
    Layer.provide(NodeCrypto.layerDigest)
  )

/** Runs an effect that executes workflows, with this process as their runner. */
export const running =
  (worker: Worker, options: Options) =>
  <A, R>(effect: Effect.Effect<A, MigrationError, R>) =>
    effect.pipe(
      Effect.provide(layer(worker, options)),
      Effect.catchTag("ConfigError", ({ message }) => {
        const description = `the environment has settings of a cluster that cannot be used: ${message}`
        return Effect.fail(new MigrationError({ problem: "StoreFailed", description }))
      })
    )

/** An execution that the engine gave up ends with a defect, which is final for its key as a failure is. */
const orInterrupted = Effect.catchDefect((defect: unknown) => {
  const description = `the engine stopped: ${defect instanceof Error ? defect.message : String(defect)}`
  return Effect.fail(new MigrationError({ problem: "Interrupted", description }))
})

export const prepare = (payload: PassPayload) => orInterrupted(MigratePass.execute(payload))

export const copy = (payload: BatchPayload) => orInterrupted(MigrateBatch.execute(payload))

interface LockRow {
  readonly address: string
  readonly acquired: string
}

/** Locks of the cluster's storage. There is no table before the first runner. */
const locks = (sql: SqlClient.SqlClient): Effect.Effect<ReadonlyArray<LockRow>> =>
  Effect.orElseSucceed(
    sql<LockRow>`SELECT address, acquired_at AS acquired FROM cluster_locks ORDER BY acquired_at DESC`,
    (): ReadonlyArray<LockRow> => []
  )

const lookInterval = Duration.millis(250)

/**
 * Waits until no other process works on the database. Fails with the owner and the time if one does: its lock is renewed while
 * this one waits. A killed process does not renew its lock.
 */
export const awaitTurn = ({ lockExpiration }: Options): Effect.Effect<void, MigrationError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    if (sql.onDialectOrElse({ sqlite: () => false, orElse: () => true })) return
    const [held] = yield* locks(sql)
    if (held === undefined) return
    const isExpired = (now: number) => now - Date.parse(`${held.acquired}Z`) > Duration.toMillis(lockExpiration)
    while (!isExpired(yield* Clock.currentTimeMillis)) {
      yield* Effect.sleep(lookInterval)
      const [current] = yield* locks(sql)
      if (current === undefined) return
      if (current.address !== held.address || current.acquired !== held.acquired) {
        const description = `${current.address} works on the database, seen at ${current.acquired} UTC`
        return yield* new MigrationError({ problem: "Locked", description })
      }
    }
  })
