/**
 * Runs, with their rules and progress.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { MigrationError } from "../../MigrationError.ts"
import { type Access, guarded } from "./access.ts"

/** The rules of a run whose rules selected nothing. */
export const noRules = ""

type Phase = "inventory" | "copy" | "done"

export interface Run {
  readonly id: number
  readonly rules: string
  readonly pass: number
  readonly phase: Phase
  /** Counts the preparations of a pass: the result of a workflow's execution is final. */
  readonly attempt: number
}

export const make = ({ inTransaction, lock, sql, transaction }: Access) => {
  const find = (name: string): Effect.Effect<Option.Option<Run>, MigrationError> =>
    guarded(
      Effect.map(sql<Run>`SELECT id, rules, pass, phase, attempt FROM migration_runs WHERE name = ${name}`, Arr.head)
    )

  const byId = (id: number): Effect.Effect<Run, MigrationError> =>
    guarded(
      Effect.flatMap(sql<Run>`SELECT id, rules, pass, phase, attempt FROM migration_runs WHERE id = ${id}`, ([run]) =>
        run === undefined
          ? Effect.fail(new MigrationError({ problem: "UnknownRun", description: `there is no run ${id}` }))
          : Effect.succeed(run)
      )
    )

  /** Finds or begins a run by name. `isSame` decides whether rules whose text differs may replace those of the run. */
  const begin = (
    name: string,
    rules: string,
    isSame: (others: string) => Effect.Effect<boolean, MigrationError> = () => Effect.succeed(false)
  ): Effect.Effect<Run, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* lock("migration_runs")
        const [found] = Arr.fromOption(yield* find(name))
        if (found !== undefined) {
          if (found.rules === rules) return found
          if (found.rules === noRules || (yield* isSame(found.rules))) {
            yield* sql`UPDATE migration_runs SET rules = ${rules} WHERE id = ${found.id}`
            return { ...found, rules }
          }
          const description = `the run ${name} has other rules: choose another name for these`
          return yield* new MigrationError({ problem: "OtherRules", description })
        }
        const started = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
        const [last] = yield* sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM migration_runs`
        const run: Run = { id: (last?.id ?? 0) + 1, rules, pass: 1, phase: "inventory", attempt: 0 }
        yield* sql`INSERT INTO migration_runs ${sql.insert({ ...run, name, started })}`
        return run
      })
    )

  /** The number of shards of the processes that share a run: that of the first one, until the run ends. */
  const agreedShards = (id: number, own: number): Effect.Effect<number, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        yield* sql`UPDATE migration_runs SET shards = ${own} WHERE id = ${id} AND shards IS NULL`
        const [row] = yield* sql<{ readonly shards: number }>`SELECT shards FROM migration_runs WHERE id = ${id}`
        return row?.shards ?? own
      })
    )

  /** Advances a run, unless another process has done so. */
  const advance = (
    { attempt, id, pass, phase }: Run,
    change: Partial<Pick<Run, "pass" | "phase" | "attempt">>
  ): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_runs SET ${sql.update({ attempt, pass, phase, ...change, ...(change.phase === "done" ? { shards: null } : {}) })}
          WHERE id = ${id} AND attempt = ${attempt} AND pass = ${pass} AND phase = ${phase}`
      )
    )

  /**
   * Writes within a step of a run, unless another process has advanced the run: a process that hung and resumes later would
   * overwrite newer results.
   */
  const during = <A>(
    { attempt, id, pass, phase }: Run,
    write: Effect.Effect<A, MigrationError>
  ): Effect.Effect<A, MigrationError> =>
    guarded(
      transaction(
        Effect.gen(function* () {
          // Locks the row: no other process can advance the run before the transaction ends.
          const shared = sql.literal(sql.onDialectOrElse({ pg: () => "FOR SHARE", orElse: () => "" }))
          const current = yield* sql`SELECT id FROM migration_runs
            WHERE id = ${id} AND attempt = ${attempt} AND pass = ${pass} AND phase = ${phase} ${shared}`
          if (current.length > 0) return yield* write
          const description = "another process has taken the run further"
          return yield* new MigrationError({ problem: "Interrupted", description })
        })
      )
    )

  /** Deletes the rules of a run and what they selected, so that it may get other rules. Nothing was copied yet. */
  const forgetRules = ({ id }: Run): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        const own = sql`SELECT id FROM migration_repositories WHERE run = ${id}`
        const artifacts = sql`SELECT id FROM migration_artifacts WHERE repository IN (${own})`
        yield* sql`DELETE FROM migration_tags WHERE artifact IN (${artifacts})`
        yield* sql`DELETE FROM migration_artifacts WHERE repository IN (${own})`
        yield* sql`DELETE FROM migration_repositories WHERE run = ${id}`
        yield* sql`DELETE FROM migration_catalogs WHERE run = ${id}`
        yield* sql`UPDATE migration_runs SET rules = ${noRules} WHERE id = ${id}`
      })
    )

  return { find, byId, begin, agreedShards, advance, during, forgetRules }
}
