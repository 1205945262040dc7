/**
 * Batches: the artifacts that are copied together.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import type { MigrationError } from "../../MigrationError.ts"
import { type Access, guarded } from "./access.ts"
import { namesByArtifact, type TagRow } from "./artifacts.ts"
import { fromBytes } from "./digests.ts"
import { pack, type Part } from "./packing.ts"
import { numberOf } from "./states.ts"

export interface Batch {
  readonly id: number
  readonly attempt: number
}

/** An artifact of a batch. */
export interface Task {
  readonly id: number
  readonly repository: number
  readonly digest: Digest.Digest
  readonly tags: ReadonlyArray<string>
}

/** The minimum size of a batch that is made smaller for the sake of shards: copies write the results of so many together. */
const leastOfShard = 50

interface TaskRow {
  readonly id: number
  readonly repository: number
  readonly digest: Uint8Array
}

export const make = ({ inTransaction, insertAll, lock, sql, whole }: Access) => {
  const planned = whole(numberOf("planned"))

  /** The planned artifacts in parts of at most the size of a batch. The newest artifacts have the lowest numbers. */
  const parts = (run: number, size: number) =>
    Effect.map(
      sql<Omit<Part, "count"> & { readonly count: number | string }>`
        SELECT repository, count(*) AS count, min(id) AS first, max(id) AS last
        FROM (
          SELECT a.id AS id, a.repository AS repository,
            (row_number() OVER (PARTITION BY a.repository ORDER BY a.id) - 1) / ${whole(size)} AS part
          FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
          WHERE r.run = ${run} AND (r.problem IS NULL OR r.problem = 'leftOut') AND a.state = ${planned}
        ) AS placed
        GROUP BY repository, part ORDER BY repository, part`,
      (rows) => rows.map((row): Part => ({ ...row, count: Number(row.count) }))
    )

  const countPlanned = (run: number) =>
    Effect.map(
      sql<{ readonly count: number | string }>`SELECT count(*) AS count
        FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
        WHERE r.run = ${run} AND a.state = ${planned}`,
      ([row]) => Number(row?.count ?? 0)
    )

  /**
   * Replaces unfinished batches by new ones of all planned artifacts: of at most `most`, and so small that each shard has one.
   * Returns the number of artifacts.
   */
  const makeBatches = (
    run: number,
    pass: number,
    most: number,
    shards: number
  ): Effect.Effect<number, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* lock("migration_batches")
        yield* sql`DELETE FROM migration_parts
          WHERE batch IN (SELECT id FROM migration_batches WHERE run = ${run} AND is_done = 0)`
        yield* sql`DELETE FROM migration_batches WHERE run = ${run} AND is_done = 0`
        const share = shards === 1 ? most : Math.ceil((yield* countPlanned(run)) / shards)
        const size = Math.min(most, Math.max(leastOfShard, share))
        const found = yield* parts(run, size)
        const [last] = yield* sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM migration_batches`
        const next = (last?.id ?? 0) + 1
        const batches = pack(found, size)
        yield* insertAll(
          "migration_batches",
          batches.map((_, index) => ({ id: next + index, run, pass, attempt: 0, is_done: 0 }))
        )
        yield* insertAll(
          "migration_parts",
          batches.flatMap((own, index) =>
            own.map(({ first, last, repository }) => ({ batch: next + index, repository, first, last }))
          )
        )
        return found.reduce((sum, { count }) => sum + count, 0)
      })
    )

  const openBatches = (run: number): Effect.Effect<ReadonlyArray<Batch>, MigrationError> =>
    guarded(sql<Batch>`SELECT id, attempt FROM migration_batches WHERE run = ${run} AND is_done = 0 ORDER BY id`)

  const closeBatch = (batch: number): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* sql`UPDATE migration_batches SET is_done = 1 WHERE id = ${batch}`
        // A later pass may plan the artifacts of these parts again.
        yield* sql`DELETE FROM migration_parts WHERE batch = ${batch}`
      })
    )

  const repeatBatch = ({ attempt, id }: Batch): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_batches SET attempt = ${attempt + 1} WHERE id = ${id} AND attempt = ${attempt}`
      )
    )

  /** Restarts all unfinished batches, under new keys. */
  const repeatBatches = (run: number): Effect.Effect<void, MigrationError> =>
    guarded(Effect.asVoid(sql`UPDATE migration_batches SET attempt = attempt + 1 WHERE run = ${run} AND is_done = 0`))

  /** The artifacts of a batch that are left to copy, by repository. */
  const tasks = (batch: number): Effect.Effect<ReadonlyArray<Task>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        // The plus keeps databases from using the index of digests, which would read the whole repository.
        const left = sql`migration_parts p
          JOIN migration_artifacts a ON a.id BETWEEN p.first AND p.last AND +a.repository = p.repository`
        const which = sql`p.batch = ${batch} AND a.state = ${planned}`
        const rows = yield* sql<TaskRow>`SELECT a.id AS id, a.repository AS repository, a.digest AS digest
          FROM ${left} WHERE ${which} ORDER BY a.repository, coalesce(a.changed, 0) DESC, a.id`
        const names = namesByArtifact(
          yield* sql<TagRow>`SELECT t.artifact AS artifact, t.name AS name
            FROM ${left} JOIN migration_tags t ON t.artifact = a.id WHERE ${which}`
        )
        return rows.map(({ digest, id, repository }): Task => ({
          id,
          repository,
          digest: fromBytes(digest),
          tags: names.get(id) ?? []
        }))
      })
    )

  return { makeBatches, openBatches, closeBatch, repeatBatch, repeatBatches, tasks }
}
