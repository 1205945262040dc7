/**
 * Carriers: which repository of a target has a blob, so that others take it from there.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SqlError } from "effect/sql/SqlError"
import type { MigrationError } from "../../MigrationError.ts"
import { type Access, guarded } from "./access.ts"
import { toKey } from "./digests.ts"

/** A blob that arrived in a repository of a target. */
export interface Arrival {
  readonly run: number
  /** The number of the target. */
  readonly place: number
  readonly digest: Digest.Digest
  readonly repository: number
}

export const make = ({ inChunks, sql }: Access) => {
  /** Writes where blobs are, within a transaction. The last one that has a blob counts. */
  const add = (arrivals: ReadonlyArray<Arrival>): Effect.Effect<void, SqlError> => {
    const rows = arrivals.map(({ digest, place, repository, run }) => ({ run, place, blob: toKey(digest), repository }))
    return Effect.asVoid(
      inChunks(
        rows,
        (chunk) => sql`INSERT INTO migration_carriers ${sql.insert(chunk)}
          ON CONFLICT (run, place, blob) DO UPDATE SET repository = excluded.repository`
      )
    )
  }

  /** The repository of a place that has a blob. */
  const carrier = (
    run: number,
    place: number,
    digest: Digest.Digest
  ): Effect.Effect<Option.Option<number>, MigrationError> =>
    guarded(
      Effect.map(
        sql<{ readonly repository: number }>`SELECT repository FROM migration_carriers
          WHERE run = ${run} AND place = ${place} AND blob = ${toKey(digest)}`,
        (rows) => Option.map(Arr.head(rows), ({ repository }) => repository)
      )
    )

  return { add, carrier }
}
