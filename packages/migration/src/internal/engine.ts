/**
 * Durable execution on `effect/workflow`.
 *
 * One workflow prepares a pass and one copies each batch, with one activity each. Their messages are in the database, so that a
 * new process finds the work of a killed one.
 */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as EntityId from "effect/cluster/EntityId"
import * as Sharding from "effect/cluster/Sharding"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { MigrationError } from "../MigrationError.ts"
import * as Driving from "./cluster/driving.ts"
import type { Options } from "./cluster/options.ts"
import { shardingOf } from "./cluster/runners.ts"
import { storageOf } from "./cluster/storage.ts"
import { awaitTurn } from "./cluster/turn.ts"
import { failureIn } from "./store/access.ts"
import type { Broken } from "./store/broken.ts"

// The key and the number of shards decide the shard of an execution: with another number, it would never be found.
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

/** A batch to copy. `place` is chosen so that the key falls into the wanted shard. */
const batch = {
  run: Schema.Int,
  pass: Schema.Int,
  batch: Schema.Int,
  attempt: Schema.Int,
  shards,
  place: Schema.Int
}

// The failure of an execution is final for its key, so each attempt has its own key.
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

/** The implementation of the workflows. After a kill, both may run again from the beginning. */
export interface Worker {
  /** Prepares a pass, and returns the number of artifacts to copy. */
  readonly prepare: (payload: PassPayload) => Effect.Effect<number, MigrationError>
  /** Copies a batch, and returns the number of its artifacts. */
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
const runnerOf = (worker: Worker, options: Options) =>
  activities(worker).pipe(Layer.provideMerge(ClusterWorkflowEngine.layer), Layer.provideMerge(shardingOf(options)))

/** Not memoized: a program with its own cluster has the same layers, and must not share them with this run. */
const local = { local: true }

/** Drives the workflows, with this process as a runner. */
export const running = (worker: Worker, options: Options, driving: Driving.Driving, broken: Broken) =>
  Effect.gen(function* () {
    const driven = Effect.provide(
      options.process._tag === "Alone" ? driving.drive : Driving.once(driving),
      runnerOf(worker, options),
      local
    )
    yield* Effect.andThen(awaitTurn(options), Effect.raceFirst(driven, Deferred.await(broken))).pipe(
      Effect.provide(storageOf(options, broken), local)
    )
  }).pipe(
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
    // The storage of the cluster reports errors of the database as defects.
    Effect.catchDefect((defect) => {
      const failure = failureIn(defect)
      return failure === undefined ? Effect.die(defect) : Effect.fail(failure)
    })
  )

/** An execution that the engine abandoned ends with a defect, which is final for its key, as a failure is. */
const orInterrupted = Effect.catchDefect((defect: unknown) => {
  const failure = failureIn(defect)
  if (failure !== undefined) return Effect.fail(failure)
  const description = `the engine stopped: ${defect instanceof Error ? defect.message : String(defect)}`
  return Effect.fail(new MigrationError({ problem: "Interrupted", description }))
})

export const prepare = (payload: PassPayload) => orInterrupted(MigratePass.execute(payload))

/**
 * Copies a batch in the next shard in turn: with random shards, one process would finish while batches of others still wait. The
 * key decides the shard, so places are tried until one gives the wanted shard.
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
