/**
 * Artifacts with their tags, plans and outcomes.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import type { MigrationError } from "../../MigrationError.ts"
import type { State } from "../../MigrationReport.ts"
import { type Access, guarded, inChunks } from "./access.ts"
import { fromBytes, toBytes } from "./digests.ts"
import { detailOf, numberOf, stateOf } from "./states.ts"

/** An artifact as it is known in the database. */
export interface Known {
  readonly state: State
  /** Whether it failed for a reason that may pass. */
  readonly isTransient: boolean
  /** Whether it was skipped since its subject was not at the target. */
  readonly isOrphan: boolean
  /** Whether reading it back found damage. */
  readonly isDamaged: boolean
  /** The digest at the target if platforms are omitted. */
  readonly root: Digest.Digest | undefined
  readonly tags: ReadonlyArray<string>
}

/** A known artifact with the rest of its row. */
export interface Row extends Known {
  readonly id: number
  readonly size: number | undefined
  /** Seconds since 1970, if the source listed a time. */
  readonly changed: number | undefined
}

/** An artifact as a plan has it. */
export interface Planned {
  readonly digest: Digest.Digest
  readonly size: number | undefined
  /** Seconds since 1970. */
  readonly changed: number | undefined
  readonly state: State
  readonly tags: ReadonlyArray<string>
}

/** The outcome of a copy, or of reading back. */
export interface Outcome {
  readonly state: State
  readonly root?: Digest.Digest
  readonly class?: string
  readonly detail?: string
}

/** The outcome of the artifact of a row. */
export interface Settled extends Outcome {
  readonly id: number
  /** The bytes of blobs that were sent for it. Blobs that the target mounted do not count. */
  readonly sent?: number
  /** Whether no copy was attempted. */
  readonly isUntried?: boolean
}

interface ArtifactRow {
  readonly id: number
  readonly digest: Uint8Array
  readonly root: Uint8Array | null
  readonly size: number | null
  readonly changed: number | string | null
  readonly state: number
  readonly class: string | null
}

export interface TagRow {
  readonly artifact: number
  readonly name: string
}

/** Names of tags by the number of their artifact. */
export const namesByArtifact = (rows: ReadonlyArray<TagRow>): ReadonlyMap<number, ReadonlyArray<string>> => {
  const names = new Map<number, Array<string>>()
  for (const { artifact, name } of rows) {
    const found = names.get(artifact)
    if (found === undefined) names.set(artifact, [name])
    else found.push(name)
  }
  return names
}

const rowOf = (row: ArtifactRow, tags: ReadonlyArray<string>): Row => ({
  id: row.id,
  state: stateOf(row.state),
  isTransient: row.class === "transient",
  isOrphan: row.class === "orphan",
  isDamaged: row.class === "damaged",
  root: row.root === null ? undefined : fromBytes(row.root),
  size: row.size ?? undefined,
  changed: row.changed === null ? undefined : Number(row.changed),
  tags
})

const isSame = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean => {
  if (one.length !== other.length) return false
  const names = new Set(other)
  return one.every((name) => names.has(name))
}

const isUnchanged = ({ changed, size, state }: Planned, row: Row | undefined): boolean =>
  row !== undefined &&
  row.state === state &&
  (size === undefined || size === row.size) &&
  (changed === undefined || changed === row.changed)

/** States that keep the copy's remark, such as a tag that was kept, or what the source does not have. */
const remarked: ReadonlyArray<State> = ["verified", "failed"]

interface StateChange {
  readonly id: number
  readonly state: State
}

/** The change of an artifact if only its state is new; otherwise the artifact itself. */
const stateChange = (planned: Planned, row: Row | undefined): Result.Result<StateChange, Planned> =>
  row !== undefined && isUnchanged({ ...planned, state: row.state }, row)
    ? Result.succeed({ id: row.id, state: planned.state })
    : Result.fail(planned)

/** The key of outcomes that one statement can write together. */
const outcomeKey = (one: Settled): string => JSON.stringify([one.state, one.root, one.class, one.detail, one.isUntried])

/** Sorts by time, the newest first. Artifacts without a time come last, in listed order. */
const newestFirst = (planned: ReadonlyArray<Planned>): ReadonlyArray<Planned> =>
  planned.toSorted((one, other) => (other.changed ?? 0) - (one.changed ?? 0))

export const make = ({ inTransaction, insertAll, sql, whole }: Access) => {
  /** The artifacts of a repository in the database. */
  const known = (repository: number): Effect.Effect<ReadonlyMap<Digest.Digest, Row>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        const rows = yield* sql<ArtifactRow>`SELECT id, digest, root, size, changed, state, class
          FROM migration_artifacts WHERE repository = ${repository}`
        const names = namesByArtifact(
          yield* sql<TagRow>`SELECT t.artifact AS artifact, t.name AS name
            FROM migration_artifacts a JOIN migration_tags t ON t.artifact = a.id WHERE a.repository = ${repository}`
        )
        return new Map(rows.map((row) => [fromBytes(row.digest), rowOf(row, names.get(row.id) ?? [])]))
      })
    )

  /** Writes planned artifacts, and returns the numbers of their rows. */
  const putArtifacts = (
    repository: number,
    planned: ReadonlyArray<Planned>
  ): Effect.Effect<ReadonlyMap<Digest.Digest, number>, SqlError> => {
    const states = sql.join(", ", false)(remarked.map((state) => sql`${whole(numberOf(state))}`))
    const isKept = sql`excluded.state IN (migration_artifacts.state, ${states})`
    const rows = planned.map(({ changed = null, digest, size = null, state }) => ({
      repository,
      digest: toBytes(digest),
      size,
      changed,
      state: numberOf(state),
      attempts: 0
    }))
    const written = inChunks(
      rows,
      (chunk) => sql<{ readonly id: number; readonly digest: Uint8Array }>`
        INSERT INTO migration_artifacts ${sql.insert(chunk)}
        ON CONFLICT (repository, digest) DO UPDATE SET
          size = coalesce(excluded.size, migration_artifacts.size),
          changed = coalesce(excluded.changed, migration_artifacts.changed),
          class = CASE WHEN ${isKept} THEN migration_artifacts.class END,
          detail = CASE WHEN ${isKept} THEN migration_artifacts.detail END,
          state = excluded.state
        RETURNING id, digest`
    )
    return Effect.map(written, (found) => new Map(found.map(({ digest, id }) => [fromBytes(digest), id])))
  }

  /** Writes the states of artifacts whose other columns are unchanged. */
  const setStates = (changed: ReadonlyArray<StateChange>): Effect.Effect<void, SqlError> =>
    Effect.forEach(
      Object.values(Arr.groupBy(changed, ({ state }) => state)),
      (same) => {
        const [{ state }] = same
        const remark = sql.literal(remarked.includes(state) ? "" : ", class = NULL, detail = NULL")
        return inChunks(
          same,
          (chunk) => sql`UPDATE migration_artifacts SET state = ${numberOf(state)} ${remark}
            WHERE ${sql.in(
              "id",
              Arr.map(chunk, ({ id }) => id)
            )}`
        )
      },
      { discard: true }
    )

  /**
   * Updates the plan of a repository: writes artifacts and tags that are new or differ. New artifacts are numbered by time, the
   * newest first.
   */
  const setPlan = (
    repository: number,
    planned: ReadonlyArray<Planned>,
    rows: ReadonlyMap<Digest.Digest, Row>
  ): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        const changed = planned.filter((one) => !isUnchanged(one, rows.get(one.digest)))
        const [states, others] = Arr.partition(changed, (one) => stateChange(one, rows.get(one.digest)))
        yield* setStates(states)
        const ids = yield* putArtifacts(repository, newestFirst(others))
        const retagged = planned.flatMap(({ digest, tags }) => {
          const row = rows.get(digest)
          const id = row?.id ?? ids.get(digest)
          return id === undefined || isSame(tags, row?.tags ?? []) ? [] : [{ id, tags, isKnown: row !== undefined }]
        })
        yield* inChunks(
          retagged.flatMap(({ id, isKnown }) => (isKnown ? [id] : [])),
          (chunk) => sql`DELETE FROM migration_tags WHERE ${sql.in("artifact", chunk)}`
        )
        const tags = retagged
          .toSorted((one, other) => one.id - other.id)
          .flatMap(({ id, tags: names }) => names.map((name) => ({ artifact: id, name })))
        yield* insertAll("migration_tags", tags)
      })
    )

  const write = (outcome: Outcome & Pick<Settled, "isUntried">, which: Fragment) => sql`UPDATE migration_artifacts SET
      state = ${numberOf(outcome.state)},
      root = ${outcome.root === undefined ? null : toBytes(outcome.root)},
      class = ${outcome.class ?? null},
      detail = ${detailOf(outcome.detail)},
      attempts = attempts + ${whole(outcome.isUntried === true ? 0 : 1)}
    WHERE ${which}`

  /**
   * Writes the outcomes of copies, within a transaction. Most are equal, and one statement writes them. Outcomes that another
   * process has written meanwhile stay.
   */
  const settle = (settled: ReadonlyArray<Settled>): Effect.Effect<void, SqlError> =>
    Effect.forEach(
      Object.values(Arr.groupBy(settled, outcomeKey)),
      (same) =>
        inChunks(same, (chunk) =>
          write(
            chunk[0],
            sql`${sql.in(
              "id",
              Arr.map(chunk, ({ id }) => id)
            )} AND state = ${whole(numberOf("planned"))}`
          )
        ),
      { discard: true }
    )

  /** Replaces the outcome of a settled artifact. */
  const revise = (repository: number, digest: Digest.Digest, found: Outcome): Effect.Effect<void, MigrationError> =>
    guarded(Effect.asVoid(write(found, sql`repository = ${repository} AND digest = ${toBytes(digest)}`)))

  /** Marks copied artifacts as verified. Artifacts in other states stay as they are. */
  const verify = (repository: number, digests: ReadonlyArray<Digest.Digest>): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        inChunks(
          digests.map(toBytes),
          (chunk) => sql`UPDATE migration_artifacts SET state = ${whole(numberOf("verified"))}
            WHERE repository = ${repository} AND state = ${whole(numberOf("copied"))} AND ${sql.in("digest", chunk)}`
        )
      )
    )

  return { known, setPlan, settle, revise, verify }
}
