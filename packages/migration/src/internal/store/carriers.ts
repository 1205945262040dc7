/**
 * Carriers: which repository of a target has a blob, so that others can mount it from there.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SqlError } from "effect/sql/SqlError"
import type { MigrationError } from "../../MigrationError.ts"
import { type Access, guarded, inChunks } from "./access.ts"
import { toKey } from "./digests.ts"
import * as KeySet from "./keySet.ts"

/** A blob that arrived in a repository of a target. */
export interface Arrival {
  readonly run: number
  /** The number of the target. */
  readonly place: number
  readonly digest: Digest.Digest
  readonly repository: number
}

/** A row of the table. A type, not an interface, to be assignable to the record that statements take. */
type Row = {
  readonly run: number
  readonly place: number
  readonly blob: number
  readonly repository: number
}

export interface Carriers {
  /** Records where blobs are, within a transaction. The last repository wins. */
  readonly add: (arrivals: ReadonlyArray<Arrival>) => Effect.Effect<void, SqlError>
  /** The repository of a place that has a blob. */
  readonly carrier: (
    run: number,
    place: number,
    digest: Digest.Digest
  ) => Effect.Effect<Option.Option<number>, MigrationError>
}

const rowOf = ({ digest, place, repository, run }: Arrival): Row => ({ run, place, blob: toKey(digest), repository })

/** Carriers in the table only, for several processes that share it. */
const shared = ({ sql }: Access): Carriers => ({
  add: (arrivals) =>
    Effect.asVoid(
      inChunks(
        // A statement must not write the same row twice.
        Array.from(
          new Map(arrivals.map((one) => [`${one.run} ${one.place} ${toKey(one.digest)}`, one])).values(),
          rowOf
        ),
        (chunk) => sql`INSERT INTO migration_carriers ${sql.insert(chunk)}
          ON CONFLICT (run, place, blob) DO UPDATE SET repository = excluded.repository`
      )
    ),
  carrier: (run, place, digest) =>
    guarded(
      Effect.map(
        sql<Pick<Row, "repository">>`SELECT repository FROM migration_carriers
          WHERE run = ${run} AND place = ${place} AND blob = ${toKey(digest)}`,
        (rows) => Option.map(Arr.head(rows), ({ repository }) => repository)
      )
    )
})

/** One row for all blobs of a repository: one row per blob would take three times as long. */
const packed = (rows: ReadonlyArray<Row>): ReadonlyArray<Record<string, unknown>> => {
  const byRepository = new Map<number, { readonly row: Row; readonly blobs: Array<number> }>()
  for (const row of rows) {
    const found = byRepository.get(row.repository)
    if (found === undefined) byRepository.set(row.repository, { row, blobs: [row.blob] })
    else found.blobs.push(row.blob)
  }
  // A repository has one run, and with it one place.
  return Array.from(byRepository.values(), ({ blobs, row: { place, repository, run } }) => ({
    run,
    place,
    repository,
    blobs: JSON.stringify(blobs)
  }))
}

/** Repositories by blob, for each run and place. */
const makeRecent = () => {
  const places = new Map<string, Map<number, number>>()
  let size = 0
  return {
    size: () => size,
    get: (run: number, place: number, blob: number): number | undefined => places.get(`${run} ${place}`)?.get(blob),
    set: ({ blob, place, repository, run }: Row) => {
      const key = `${run} ${place}`
      const found = places.get(key) ?? new Map<number, number>()
      places.set(key, found)
      if (!found.has(blob)) size++
      found.set(blob, repository)
    },
    clear: () => {
      places.clear()
      size = 0
    }
  }
}

/** The number of arrivals in memory, which the database has unsorted. */
const mostRecent = 32_768

/** The number of keys that are read at a time. */
const keysAtOnce = 10_000

/**
 * Carriers of a process that owns the database. Keys are random, so that single inserts into the tree of the table would take as
 * long as the rest of the store. Arrivals are appended to another table, and merged into the tree by the ten thousand, in key
 * order. Most blobs are in one repository only, and a filter in memory says so without a query.
 */
const owned = Effect.fnUntraced(function* (access: Access) {
  const { inTransaction, insertAll, sql } = access
  const { carrier: stored } = shared(access)
  const written = KeySet.make()
  const recent = makeRecent()

  const merge: Effect.Effect<void, SqlError> = Effect.gen(function* () {
    yield* sql`INSERT INTO migration_carriers (run, place, blob, repository)
      SELECT run, place, value, repository FROM migration_arrivals, json_each(blobs) WHERE true
      ORDER BY run, place, value, migration_arrivals.id
      ON CONFLICT (run, place, blob) DO UPDATE SET repository = excluded.repository`
    yield* sql`DELETE FROM migration_arrivals`
    recent.clear()
  })

  /** Loads the carriers of earlier processes. Only copies need them. */
  const begin = yield* Effect.cached(
    Effect.gen(function* () {
      yield* inTransaction(merge)
      let last: Omit<Row, "repository"> | undefined = { run: 0, place: 0, blob: 0 }
      while (last !== undefined) {
        const { blob, place, run }: Omit<Row, "repository"> = last
        const page: ReadonlyArray<Omit<Row, "repository">> = yield* guarded(
          sql<Omit<Row, "repository">>`SELECT run, place, blob FROM migration_carriers
            WHERE (run, place, blob) > (${run}, ${place}, ${blob}) ORDER BY run, place, blob LIMIT ${keysAtOnce}`
        )
        for (const row of page) written.add(row.blob)
        last = page.at(-1)
      }
    })
  )

  const carriers: Carriers = {
    add: (arrivals) =>
      Effect.gen(function* () {
        const rows = arrivals.map(rowOf)
        yield* insertAll("migration_arrivals", packed(rows))
        for (const row of rows) {
          recent.set(row)
          written.add(row.blob)
        }
        if (recent.size() >= mostRecent) yield* merge
      }),
    carrier: (run, place, digest) =>
      Effect.flatMap(begin, () => {
        const blob = toKey(digest)
        if (!written.mayHave(blob)) return Effect.succeedNone
        const found = recent.get(run, place, blob)
        return found === undefined ? stored(run, place, digest) : Effect.succeedSome(found)
      })
  }
  return carriers
})

export const make = (access: Access): Effect.Effect<Carriers> =>
  access.sql.onDialectOrElse({ sqlite: () => owned(access), orElse: () => Effect.succeed(shared(access)) })
