/**
 * The outcome of a run: each artifact, and totals.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import type { MigrationError } from "../../MigrationError.ts"
import type { FailureCount, Outcome, State } from "../../MigrationReport.ts"
import { type Access, guarded } from "./access.ts"
import { namesByArtifact, type TagRow } from "./artifacts.ts"
import { fromBytes, toBytes } from "./digests.ts"
import type { Repository } from "./repositories.ts"
import { notAtTarget, numberOf, stateOf } from "./states.ts"

/** The number of artifacts of a report that are read at a time. */
const pageSize = 1000

export interface Total {
  readonly state: State
  readonly count: number
  readonly bytes: number
}

interface OutcomeRow {
  readonly id: number
  readonly digest: Uint8Array
  readonly root: Uint8Array | null
  readonly state: number
  readonly class: string | null
  readonly detail: string | null
  readonly attempts: number
}

const outcomeOf = ({ route, source, target }: Repository, row: OutcomeRow, tags: ReadonlyArray<string>): Outcome => ({
  route,
  source,
  target,
  digest: fromBytes(row.digest),
  tags,
  state: stateOf(row.state),
  ...(row.root === null ? {} : { targetDigest: fromBytes(row.root) }),
  ...(row.class === null ? {} : { class: row.class }),
  ...(row.detail === null ? {} : { detail: row.detail }),
  attempts: row.attempts
})

export const make = ({ sql }: Access) => {
  /** The number of artifacts and bytes by state. */
  const totals = (run: number): Effect.Effect<ReadonlyArray<Total>, MigrationError> =>
    guarded(
      Effect.map(
        sql<{ readonly state: number; readonly count: number; readonly bytes: number | null }>`
          SELECT a.state AS state, count(*) AS count, sum(a.size) AS bytes
          FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
          WHERE r.run = ${run} GROUP BY a.state ORDER BY a.state`,
        (rows) =>
          rows.map(({ bytes, count, state }) => ({
            state: stateOf(state),
            count: Number(count),
            bytes: Number(bytes ?? 0)
          }))
      )
    )

  /** The number of artifacts that are not at the target, by kind of failure. */
  const failures = (run: number): Effect.Effect<ReadonlyArray<FailureCount>, MigrationError> =>
    guarded(
      Effect.map(
        sql<{ readonly state: number; readonly class: string; readonly count: number }>`
          SELECT a.state AS state, a.class AS class, count(*) AS count
          FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
          WHERE r.run = ${run} AND a.class IS NOT NULL AND a.state IN ${sql.in(notAtTarget.map(numberOf))}
          GROUP BY a.state, a.class ORDER BY 3 DESC, 1, 2`,
        (rows) => rows.map((row) => ({ state: stateOf(row.state), class: row.class, count: Number(row.count) }))
      )
    )

  /** A page of the report of a repository, after a digest. */
  const outcomes = (
    repository: Repository,
    after: Digest.Digest | undefined
  ): Effect.Effect<ReadonlyArray<Outcome>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        const from = after === undefined ? new Uint8Array() : toBytes(after)
        const page = sql`SELECT * FROM migration_artifacts
          WHERE repository = ${repository.id} AND digest > ${from} ORDER BY digest LIMIT ${pageSize}`
        const rows =
          yield* sql<OutcomeRow>`SELECT id, digest, root, state, class, detail, attempts FROM (${page}) AS page`
        const names = namesByArtifact(
          yield* sql<TagRow>`SELECT t.artifact AS artifact, t.name AS name
            FROM (${page}) AS page JOIN migration_tags t ON t.artifact = page.id ORDER BY t.artifact, t.name`
        )
        return rows.map((row) => outcomeOf(repository, row, names.get(row.id) ?? []))
      })
    )

  return { totals, failures, outcomes }
}
