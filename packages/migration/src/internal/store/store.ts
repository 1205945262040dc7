/**
 * The state of runs: inventories, plans and outcomes.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { MigrationError } from "../../MigrationError.ts"
import * as Accesses from "./access.ts"
import * as Artifacts from "./artifacts.ts"
import * as Batches from "./batches.ts"
import type { Broken } from "./broken.ts"
import * as Carriers from "./carriers.ts"
import * as Outcomes from "./outcomes.ts"
import * as Repositories from "./repositories.ts"
import * as Runs from "./runs.ts"
import * as Tables from "./tables.ts"

export type { Known, Planned, Settled } from "./artifacts.ts"
export type { Batch, Task } from "./batches.ts"
export type { NewRepository, Pair, Repository } from "./repositories.ts"
export type { Run } from "./runs.ts"

/** How long a lock of a process that was killed or hangs stays valid, unless the caller says otherwise. */
export const defaultLockExpiration = Duration.seconds(10)

const storeOf = Effect.fnUntraced(function* (
  lockExpiration: Duration.Input = defaultLockExpiration,
  broken: Broken = Deferred.makeUnsafe()
) {
  const access = yield* Accesses.make(lockExpiration, broken)
  const { settle: settleArtifacts, ...artifacts } = Artifacts.make(access)
  const { add, carrier } = yield* Carriers.make(access)

  /** Writes the outcomes of artifacts and the places of their blobs in one transaction. */
  const settle = (
    settled: ReadonlyArray<Artifacts.Settled>,
    arrivals: ReadonlyArray<Carriers.Arrival>
  ): Effect.Effect<void, MigrationError> =>
    access.inTransaction(Effect.andThen(settleArtifacts(settled), add(arrivals)))

  return {
    ...Runs.make(access),
    ...Repositories.make(access),
    ...artifacts,
    ...Batches.make(access),
    ...Outcomes.make(access),
    carrier,
    settle
  }
})

export type Store = Effect.Success<ReturnType<typeof storeOf>>

/** Opens the store to work on runs. */
export const make = Effect.fnUntraced(function* (lockExpiration?: Duration.Input, broken?: Broken) {
  yield* Accesses.guarded(Tables.prepare)
  return yield* storeOf(lockExpiration, broken)
})

/** Opens the store to read only. None if the database has no runs. */
export const read = Effect.fnUntraced(function* () {
  const hasTables = yield* Accesses.guarded(Tables.check)
  return hasTables ? Option.some(yield* storeOf()) : Option.none<Store>()
})
