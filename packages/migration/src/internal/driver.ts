/**
 * Drives a run from pass to pass. All of its state is in the database.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Struct from "effect/Struct"
import { MigrationError } from "../MigrationError.ts"
import type { State, Summary } from "../MigrationReport.ts"
import { Rules } from "../MigrationRules.ts"
import * as Copying from "./copy.ts"
import * as Engine from "./engine.ts"
import type { Places } from "./places.ts"
import { prepare } from "./prepare.ts"
import { nothingSelected, selectionOf } from "./selection.ts"
import { noRules } from "./store/runs.ts"
import type { Batch, Run, Store } from "./store/store.ts"
import { summaryOf } from "./summary.ts"

/**
 * An event of a run.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | {
      /** A pass begins: both places are listed and compared. */
      readonly _tag: "PassBegan"
      /** The pass, from 1. */
      readonly pass: number
    }
  | {
      /** A repository was listed. */
      readonly _tag: "Listed"
      /** The repository at the source. */
      readonly source: string
      /** The repository at the target. */
      readonly target: string
      /** The number of its artifacts. */
      readonly artifacts: number
      /** The number of artifacts to copy. */
      readonly planned: number
      /**
       * Tags of the target that the rules select and the source lacks. They are not changed. Those of lists of referrers are not
       * here: copies of referrers set them.
       */
      readonly extraTags: ReadonlyArray<string>
    }
  | {
      /** An artifact was read back from the target. */
      readonly _tag: "ReadBack"
      /** The repository at the target. */
      readonly target: string
      /** The digest at the source. */
      readonly digest: Digest.Digest
      /**
       * `whole`; `repaired` if the target had other bytes and accepted the right ones; `damaged` if it did not accept them;
       * `unread` if it could not be read.
       */
      readonly outcome: "whole" | "repaired" | "damaged" | "unread"
      /** What happened, unless it is whole. */
      readonly detail?: string
    }
  | {
      /** The pass is planned, or its copies continue after a stop. */
      readonly _tag: "Planned"
      /** The pass, from 1. */
      readonly pass: number
      /** The number of artifacts left to copy. */
      readonly artifacts: number
      /** The number of batches. */
      readonly batches: number
      /** The progress of the run now. */
      readonly summary: Summary
    }
  | {
      /** An artifact is done. */
      readonly _tag: "ArtifactDone"
      /** Its repository at the source. */
      readonly source: string
      /** Its repository at the target. */
      readonly target: string
      /** Its digest at the source. */
      readonly digest: Digest.Digest
      /** Its state. */
      readonly state: State
      /** The bytes of blobs that were sent for it. Blobs that the target mounted do not count. */
      readonly sentBytes: number
      /** The duration of its copy in milliseconds, retries included. */
      readonly millis: number
      /** The kind of failure, as in the report. */
      readonly class?: string
      /** What happened, unless it was simply copied. */
      readonly detail?: string
    }
  | {
      /**
       * A copy failed for a reason that may pass, such as a registry that cannot be reached, and is tried again: at most three times, on
       * top of the client's own retries.
       */
      readonly _tag: "AttemptFailed"
      /** The repository at the source. */
      readonly source: string
      /** The repository at the target. */
      readonly target: string
      /** The digest at the source. */
      readonly digest: Digest.Digest
      /** What happened. */
      readonly detail: string
    }
  | {
      /** A batch is done. */
      readonly _tag: "BatchDone"
      /** The number of the batch. */
      readonly batch: number
    }
  | {
      /** With several processes: how far all of them are. Every ten seconds, and at the end of each stream. */
      readonly _tag: "Counted"
      /** The progress of the run now. */
      readonly summary: Summary
    }
  | {
      /** The run has ended. */
      readonly _tag: "RunDone"
      /** The outcome of the whole run. */
      readonly summary: Summary
    }

const RulesText = Schema.fromJsonString(Schema.toCodecJson(Rules))

export const formatRules = (rules: Rules): Effect.Effect<string, MigrationError> =>
  Effect.mapError(
    Schema.encodeEffect(RulesText)(rules),
    ({ message }) => new MigrationError({ problem: "InvalidRules", description: message })
  )

const readRules = ({ rules }: Pick<Run, "rules">): Effect.Effect<Rules, MigrationError> =>
  rules === noRules
    ? Effect.fail(nothingSelected("the rules of this run select nothing"))
    : Effect.mapError(
        Schema.decodeEffect(RulesText)(rules),
        ({ message }) => new MigrationError({ problem: "InvalidRules", description: message })
      )

export interface Parts {
  readonly store: Store
  readonly places: Places
  /** The rules of this process. Those of other processes may have other limits. */
  readonly rules: Rules
  /** Emits events in order. */
  readonly emit: (...events: ReadonlyArray<Event>) => Effect.Effect<void>
  /** The shards of the cluster. */
  readonly shards: number
  /** The number of batches started in all processes, with those that wait for their turn in a process. */
  readonly batchesAhead: number
}

/** The number of batches that a process copies concurrently. */
export const batchesAtOnce = 4

const eventOf = ({ digest, millis, repository: { source, target }, settled }: Copying.Copied): Event => ({
  _tag: "ArtifactDone",
  source,
  target,
  digest,
  state: settled.state,
  sentBytes: settled.sent ?? 0,
  millis,
  ...(settled.class === undefined ? {} : { class: settled.class }),
  ...(settled.detail === undefined ? {} : { detail: settled.detail })
})

/** The implementation of a process's workflows. */
export const makeWorker = Effect.fnUntraced(function* ({ emit, places, rules: own, store }: Parts) {
  const rulesOf = (run: Run) =>
    Effect.map(readRules(run), (stored): Rules => ({
      ...Struct.omit(stored, ["limits", "verify"]),
      ...Struct.pick(own, ["limits", "verify"])
    }))
  // Not the scope of the first batch: others use the copier after it ends.
  const scope = yield* Effect.scope
  // One copier per pass: all batches of the process share its limits, and each pass may have new repositories.
  const copiers = yield* Cache.make({
    capacity: 8,
    lookup: (key: string) =>
      Effect.gen(function* () {
        const run = yield* store.byId(Number(key.split("/")[0]))
        const rules = yield* rulesOf(run)
        const copier = Copying.make({
          store,
          places,
          rules,
          run,
          onSettled: (copied) => emit(...copied.map(eventOf)),
          onRetry: ({ detail, digest, repository: { source, target } }) =>
            emit({ _tag: "AttemptFailed", source, target, digest, detail })
        })
        return yield* Scope.provide(copier, scope)
      })
  })
  const turns = yield* Semaphore.make(batchesAtOnce)
  const worker: Engine.Worker = {
    prepare: ({ attempt, isFirst, isLast, pass, run: id, shards }) =>
      Effect.gen(function* () {
        const run = yield* store.byId(id)
        // An obsolete workflow of a killed process: the run has gone further.
        if (run.phase !== "inventory" || run.pass !== pass || run.attempt !== attempt) return 0
        const rules = yield* rulesOf(run)
        yield* emit({ _tag: "PassBegan", pass })
        return yield* prepare({
          store,
          places,
          rules,
          run,
          isFirst,
          isLast,
          isPlan: false,
          shards,
          onListed: ({ artifacts, extraTags, planned, repository: { source, target } }) =>
            emit({ _tag: "Listed", source, target, artifacts, planned, extraTags }),
          onReadBack: ({ repository: { target }, ...found }) => emit({ _tag: "ReadBack", target, ...found })
        }).pipe(
          Effect.tapError(({ problem }) =>
            problem === "NothingSelected" ? store.during(run, store.forgetRules(run)) : Effect.void
          )
        )
      }),
    copy: ({ batch, pass, run }) =>
      Cache.get(copiers, `${run}/${pass}`).pipe(
        Effect.flatMap((copy) => copy(batch)),
        Effect.tap(() => emit({ _tag: "BatchDone", batch })),
        // Before the failure is stored, which is final for the key. It affects the batches of all processes.
        Effect.tapError(({ problem }) => (problem === "Interrupted" ? Effect.void : store.repeatBatches(run))),
        turns.withPermit
      )
  }
  return worker
})

/** The maximum number of copying passes in one call. The later ones copy new pushes, and retry transient failures. */
const mostPasses = 5

const copyBatches = ({ batchesAhead, shards, store }: Parts, run: Run) =>
  Effect.gen(function* () {
    const batches = yield* store.openBatches(run.id)
    const copyBatch = (batch: Batch) =>
      Engine.copy({ run: run.id, pass: run.pass, batch: batch.id, attempt: batch.attempt, shards }).pipe(
        Effect.tapError(({ problem }) => (problem === "Interrupted" ? store.repeatBatch(batch) : Effect.void)),
        Effect.andThen(store.closeBatch(batch.id))
      )
    yield* Effect.forEach(batches, copyBatch, { concurrency: batchesAhead, discard: true })
  })

/** The maximum number of restarts in one call after the engine stopped. */
const mostInterruptions = 5

const formatSelection = (rules: Rules) => formatRules(selectionOf(rules))

/** Begins a run, or the next pass of a finished one. Returns its number. */
export const begin = (store: Store, name: string, rules: Rules): Effect.Effect<number, MigrationError> =>
  Effect.gen(function* () {
    const selection = yield* formatSelection(rules)
    const isSame = (others: string) =>
      readRules({ rules: others }).pipe(
        Effect.flatMap(formatSelection),
        Effect.map((other) => other === selection),
        Effect.orElseSucceed(() => false)
      )
    const run = yield* store.begin(name, yield* formatRules(rules), isSame)
    if (run.phase === "done") yield* store.advance(run, { phase: "inventory", pass: run.pass + 1, attempt: 0 })
    return run.id
  })

/** Fails if other processes of the run have another number of shards: each would wait for work that the others never find. */
export const agreeOnShards = (store: Store, id: number, shards: number): Effect.Effect<void, MigrationError> =>
  Effect.flatMap(store.agreedShards(id, shards), (agreed) => {
    if (agreed === shards) return Effect.void
    const description = `this process has ${shards} shards, and the run has ${agreed} until it ends: give that number in all processes`
    return Effect.fail(new MigrationError({ problem: "RunnerFailed", description }))
  })

/** Emits how much of a pass is left to copy. After a stop, that is what is still planned. */
const emitPlanned = Effect.fnUntraced(function* ({ emit, store }: Parts, run: Run, planned?: number) {
  const batches = (yield* store.openBatches(run.id)).length
  const summary = yield* summaryOf(store, run)
  const artifacts = planned ?? summary.totals.find(({ state }) => state === "planned")?.count ?? 0
  yield* emit({ _tag: "Planned", pass: run.pass, artifacts, batches, summary })
})

const driveOnce = (parts: Parts, id: number) =>
  Effect.gen(function* () {
    const { emit, shards, store } = parts
    const begun = yield* store.byId(id)
    if (begun.phase === "copy") yield* emitPlanned(parts, begun)
    // The list of a process that stopped may be old, and was not the first one of this call.
    if (begun.phase === "inventory") yield* store.advance(begun, { attempt: begun.attempt + 1 })
    const first = begun.pass
    // The pass after the copying ones only lists: what the target lost, or what moved meanwhile, stays planned.
    const last = first + mostPasses
    while (true) {
      const run = yield* store.byId(id)
      if (run.phase === "done") return yield* emit({ _tag: "RunDone", summary: yield* summaryOf(store, run) })
      if (run.phase === "inventory") {
        const { attempt, pass } = run
        const isLast = pass >= last
        const planned = yield* Engine.prepare({ run: id, pass, attempt, isFirst: pass === first, isLast, shards })
        yield* emitPlanned(parts, run, planned)
        yield* store.advance(run, { phase: planned === 0 || isLast ? "done" : "copy" })
      } else {
        yield* copyBatches(parts, run)
        yield* store.advance(run, { phase: "inventory", pass: run.pass + 1, attempt: 0 })
      }
    }
  })

/** Emits how far all processes of a run are: the other events of a process are its own. */
export const emitCounted = ({ emit, store }: Parts, id: number): Effect.Effect<void, MigrationError> =>
  Effect.gen(function* () {
    const run = yield* store.byId(id)
    yield* emit({ _tag: "Counted", summary: yield* summaryOf(store, run) })
  })

/** Counting costs a scan of the artifacts. */
const countedEvery = Duration.seconds(10)

/** Emits how far all processes are again and again. A count that fails is left out: the work itself reports its failures. */
export const counting = (parts: Parts, id: number): Effect.Effect<never> =>
  Effect.forever(Effect.andThen(Effect.sleep(countedEvery), Effect.ignore(emitCounted(parts, id))))

/** Drives a run that has begun to its end. */
export const drive = (parts: Parts, id: number) =>
  Effect.retry(driveOnce(parts, id), {
    times: mostInterruptions,
    while: ({ problem }) => problem === "Interrupted"
  })
