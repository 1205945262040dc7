/**
 * Durable execution on `effect/workflow`.
 *
 * Each pass is prepared by one workflow and each batch is copied by another, with one activity each. Their messages are in the
 * database, so that a process that starts finds what a killed one left.
 */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as EntityId from "effect/cluster/EntityId"
import * as Sharding from "effect/cluster/Sharding"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { MigrationError } from "../MigrationError.ts"
import * as Cluster from "./cluster.ts"
import { failureIn } from "./store/access.ts"

// An execution is in the shard that its key gives with the number of shards: with another number, it would never be found.
const shards = Schema.Int

/** A pass to prepare. */
const pass = {
  run: Schema.Int,
  pass: Schema.Int,
  attempt: Schema.Int,
  isFirst: Schema.Boolean,
  isLast: Schema.Boolean,
  shards
}

/** A batch to copy. `place` is what puts it into its shard. */
const batch = {
  run: Schema.Int,
  pass: Schema.Int,
  batch: Schema.Int,
  attempt: Schema.Int,
  shards,
  place: Schema.Int
}

// An execution that failed is final for its key, so that another attempt has another key.
const MigratePass = Workflow.make("MigratePass", {
  payload: pass,
  success: Schema.Int,
  error: MigrationError,
  idempotencyKey: ({ attempt, pass, run, shards }) => `${shards}/${run}/${pass}/${attempt}`
})

const MigrateBatch = Workflow.make("MigrateBatch", {
  payload: batch,
  success: Schema.Int,
  error: MigrationError,
  idempotencyKey: ({ attempt, batch, pass, place, run, shards }) =>
    `${shards}/${run}/${pass}/${batch}/${attempt}/${place}`
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

const activities = (worker: Worker) =>
  Layer.mergeAll(
    MigratePass.toLayer((payload) =>
      Activity.make({ name: "prepare", success: Schema.Int, error: MigrationError, execute: worker.prepare(payload) })
    ),
    MigrateBatch.toLayer((payload) =>
      Activity.make({ name: "copy", success: Schema.Int, error: MigrationError, execute: worker.copy(payload) })
    )
  )

/** Runs the workflows in this process. */
const runnerOf = (worker: Worker, options: Cluster.Options) =>
  activities(worker).pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provideMerge(Cluster.shardingOf(options))
  )

/** A program that has a cluster of its own has the same layers, which are not those of this run. */
const local = { local: true }

/** Runs what executes workflows, with this process as a runner of them. */
export const running = (worker: Worker, options: Cluster.Options, driving: Cluster.Driving) =>
  Effect.andThen(
    Cluster.awaitTurn(options),
    Effect.provide(
      options.process._tag === "Alone" ? driving.drive : Cluster.once(driving),
      runnerOf(worker, options),
      local
    )
  ).pipe(
    Effect.provide(Cluster.storageOf(options), local),
    Effect.catchTags({
      ConfigError: ({ message }) => {
        const description = `the environment has settings of a cluster that cannot be used: ${message}`
        return Effect.fail(new MigrationError({ problem: "StoreFailed", description }))
      },
      ServeError: ({ cause }) => {
        const description = `this process cannot be a runner: ${cause instanceof Error ? cause.message : String(cause)}`
        return Effect.fail(new MigrationError({ problem: "RunnerFailed", description }))
      }
    }),
    // The storage of the cluster has no errors of its own.
    Effect.catchDefect((defect) => {
      const failure = failureIn(defect)
      return failure === undefined ? Effect.die(defect) : Effect.fail(failure)
    })
  )

/** An execution that the engine gave up ends with a defect, which is final for its key as a failure is. */
const orInterrupted = Effect.catchDefect((defect: unknown) => {
  const failure = failureIn(defect)
  if (failure !== undefined) return Effect.fail(failure)
  const description = `the engine stopped: ${defect instanceof Error ? defect.message : String(defect)}`
  return Effect.fail(new MigrationError({ problem: "Interrupted", description }))
})

export const prepare = (payload: PassPayload) => orInterrupted(MigratePass.execute(payload))

/**
 * Copies a batch, in the shard whose turn it is: by chance alone, one process would be done while others still have batches
 * that wait. The shard is given by the key, so that places are tried until one leads there.
 */
export const copy = (payload: Omit<BatchPayload, "place">) =>
  Effect.gen(function* () {
    const sharding = yield* Sharding.Sharding
    const wanted = (payload.batch % payload.shards) + 1
    const isInTurn = (id: string) => sharding.getShardId(EntityId.make(id), "default").id === wanted
    let place = 0
    while (!isInTurn(yield* MigrateBatch.executionId({ ...payload, place }))) place++
    return yield* orInterrupted(MigrateBatch.execute({ ...payload, place }))
  })
