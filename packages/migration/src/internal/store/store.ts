/**
 * The state of runs: what was found, what is to be copied, and what became of it.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { MigrationError } from "../../MigrationError.ts"
import { type FailureCount, type Outcome, State } from "../../MigrationReport.ts"
import { isFull } from "../../SqliteClient.ts"
import { fromBytes, toBytes, toKey } from "./digests.ts"
import { prepare } from "./tables.ts"

/** Rows have the place of a state in the schema. */
const numberOf = (state: State): number => State.literals.indexOf(state)

const stateOf = (number: number): State => State.literals[number] ?? "planned"

/** States of artifacts that the target does not have, although they were to be copied. */
const notAtTarget: ReadonlyArray<State> = ["failed", "refused", "skipped", "vanished"]

type Phase = "inventory" | "copy" | "done"

export interface Run {
  readonly id: number
  readonly rules: string
  readonly pass: number
  readonly phase: Phase
  /** Counts the preparations of a pass that failed: an execution of a workflow that failed is final. */
  readonly attempt: number
}

export interface Repository {
  readonly id: number
  readonly route: number
  readonly source: string
  readonly target: string
  readonly problem: string | null
  readonly detail: string | null
}

/** An artifact as it is known in the database. */
export interface Known {
  readonly state: State
  /** Whether it failed for a reason that may pass. */
  readonly isTransient: boolean
  /** What the target has in its place, where platforms are left out. */
  readonly root: Digest.Digest | undefined
  readonly tags: ReadonlyArray<string>
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

/** An artifact of a batch. */
export interface Task {
  readonly repository: number
  readonly digest: Digest.Digest
  readonly tags: ReadonlyArray<string>
}

/** What became of an artifact. */
export interface Settled {
  readonly repository: number
  readonly digest: Digest.Digest
  readonly state: State
  /** The bytes of blobs that were sent for it; those that the target mounted are not. */
  readonly sent?: number
  readonly root?: Digest.Digest
  readonly class?: string
  readonly detail?: string
}

export interface Batch {
  readonly id: number
  readonly attempt: number
}

/** Rows that one statement writes. SQLite takes 32,766 parameters. */
const rowsAtOnce = 500

/** How often a transaction is tried again that a deadlock ended. */
const mostDeadlocks = 5

/** Artifacts of a report that are read at a time. */
const pageSize = 1000

/** What is kept of a message. */
const mostDetail = 300

const failure = (error: SqlError | MigrationError): MigrationError => {
  if (error._tag === "MigrationError") return error
  if (isFull(error)) {
    const description = "the disk of the database is full: free space on it, and run again to continue"
    return new MigrationError({ problem: "StoreFull", description })
  }
  return error.reason._tag === "LockTimeoutError"
    ? new MigrationError({ problem: "Locked", description: "another process has locked the database" })
    : new MigrationError({ problem: "StoreFailed", description: `the database failed: ${error.message}` })
}

const guarded = <A, R>(effect: Effect.Effect<A, SqlError | MigrationError, R>): Effect.Effect<A, MigrationError, R> =>
  Effect.mapError(effect, failure)

interface ArtifactRow {
  readonly digest: Uint8Array
  readonly root: Uint8Array | null
  readonly state: number
  readonly class: string | null
}

interface TagRow {
  readonly digest: Uint8Array
  readonly name: string
}

interface RepositoryRow extends Repository {}

const tagsByDigest = (rows: ReadonlyArray<TagRow>): ReadonlyMap<Digest.Digest, ReadonlyArray<string>> => {
  const tags = new Map<Digest.Digest, Array<string>>()
  for (const { digest, name } of rows) {
    const key = fromBytes(digest)
    const names = tags.get(key)
    if (names === undefined) tags.set(key, [name])
    else names.push(name)
  }
  return tags
}

export const make = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* guarded(prepare)

  /** Two processes may write the same rows in another order. PostgreSQL then ends the transaction of one of them. */
  const inTransaction = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, MigrationError> =>
    guarded(
      Effect.retry(sql.withTransaction(effect), {
        times: mostDeadlocks,
        while: ({ reason }) => reason._tag === "DeadlockError"
      })
    )

  /** Keeps the numbers that a transaction gives out from other processes. SQLite has one writer anyway. */
  const lock = (table: string): Effect.Effect<void, SqlError> =>
    sql.onDialectOrElse({
      pg: () => Effect.asVoid(sql`LOCK TABLE ${sql(table)} IN SHARE ROW EXCLUSIVE MODE`),
      orElse: () => Effect.void
    })

  /** An integer as it is: SQLite gets numbers of JavaScript as fractions, and would divide by them. */
  const whole = (number: number) => sql.literal(number.toFixed(0))

  const insertAll = (table: string, rows: ReadonlyArray<Record<string, unknown>>): Effect.Effect<void, SqlError> =>
    Effect.forEach(Arr.chunksOf(rows, rowsAtOnce), (chunk) => sql`INSERT INTO ${sql(table)} ${sql.insert(chunk)}`, {
      discard: true
    })

  const find = (name: string): Effect.Effect<Option.Option<Run>, MigrationError> =>
    guarded(
      Effect.map(sql<Run>`SELECT id, rules, pass, phase, attempt FROM migration_runs WHERE name = ${name}`, Arr.head)
    )

  /** The run of a name, which begins if there is none. */
  const begin = (name: string, rules: string): Effect.Effect<Run, MigrationError> =>
    guarded(
      sql.withTransaction(
        Effect.gen(function* () {
          yield* lock("migration_runs")
          const found = yield* find(name)
          if (Option.isSome(found)) {
            if (found.value.rules === rules) return found.value
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
    )

  /** Takes a run a step further, unless another process has done so. */
  const advance = (
    { attempt, id, pass, phase }: Run,
    change: Partial<Pick<Run, "pass" | "phase" | "attempt">>
  ): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_runs SET ${sql.update({ attempt, pass, phase, ...change })}
          WHERE id = ${id} AND attempt = ${attempt} AND pass = ${pass} AND phase = ${phase}`
      )
    )

  /**
   * Writes what belongs to a step of a run, unless another process has taken the run further: one that hung and wakes up later
   * would undo what was done meanwhile.
   */
  const during = <A>(
    { attempt, id, pass, phase }: Run,
    write: Effect.Effect<A, MigrationError>
  ): Effect.Effect<A, MigrationError> =>
    guarded(
      sql.withTransaction(
        Effect.gen(function* () {
          // Until the end of the transaction, the run goes no further.
          const shared = sql.literal(sql.onDialectOrElse({ pg: () => "FOR SHARE", orElse: () => "" }))
          const current = yield* sql`SELECT id FROM migration_runs
            WHERE id = ${id} AND attempt = ${attempt} AND pass = ${pass} AND phase = ${phase} ${shared}`
          if (current.length > 0) return yield* write
          const description = "another process has taken the run further"
          return yield* new MigrationError({ problem: "Interrupted", description })
        })
      )
    )

  /** A run by its number. */
  const byId = (id: number): Effect.Effect<Run, MigrationError> =>
    guarded(
      Effect.flatMap(sql<Run>`SELECT id, rules, pass, phase, attempt FROM migration_runs WHERE id = ${id}`, ([run]) =>
        run === undefined
          ? Effect.fail(new MigrationError({ problem: "UnknownRun", description: `there is no run ${id}` }))
          : Effect.succeed(run)
      )
    )

  const repositories = (run: number): Effect.Effect<ReadonlyArray<Repository>, MigrationError> =>
    guarded(
      sql<RepositoryRow>`SELECT id, route, source, target, problem, detail FROM migration_repositories
        WHERE run = ${run} ORDER BY route, source`
    )

  const addRepositories = (
    run: number,
    added: ReadonlyArray<Omit<Repository, "id">>
  ): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* lock("migration_repositories")
        const [last] = yield* sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM migration_repositories`
        const next = (last?.id ?? 0) + 1
        yield* insertAll(
          "migration_repositories",
          added.map((repository, index) => ({ ...repository, run, id: next + index }))
        )
      })
    )

  const setProblem = (
    repository: number,
    problem: string | null,
    detail: string | null
  ): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_repositories SET problem = ${problem}, detail = ${detail?.slice(0, mostDetail) ?? null}
          WHERE id = ${repository}`
      )
    )

  /** What is known of the artifacts of a repository. */
  const known = (repository: number): Effect.Effect<ReadonlyMap<Digest.Digest, Known>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        const artifacts = yield* sql<ArtifactRow>`
          SELECT digest, root, state, class FROM migration_artifacts WHERE repository = ${repository}`
        const tags = tagsByDigest(
          yield* sql<TagRow>`SELECT digest, name FROM migration_tags WHERE repository = ${repository}`
        )
        return new Map(
          artifacts.map(({ class: kind, digest: bytes, root, state }) => {
            const digest = fromBytes(bytes)
            return [
              digest,
              {
                state: stateOf(state),
                isTransient: kind === "transient",
                root: root === null ? undefined : fromBytes(root),
                tags: tags.get(digest) ?? []
              }
            ]
          })
        )
      })
    )

  /** Writes the plan of a repository: its artifacts and tags as they are now. Others stay, without tags. */
  const setPlan = (repository: number, planned: ReadonlyArray<Planned>): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        // What is verified keeps the remark of its copy, such as a tag that was kept.
        const verified = whole(numberOf("verified"))
        const artifacts = planned.map(({ changed = null, digest, size = null, state }) => ({
          repository,
          digest: toBytes(digest),
          size,
          changed,
          state: numberOf(state),
          attempts: 0
        }))
        yield* Effect.forEach(
          Arr.chunksOf(artifacts, rowsAtOnce),
          (chunk) => sql`INSERT INTO migration_artifacts ${sql.insert(chunk)}
            ON CONFLICT (repository, digest) DO UPDATE SET
              size = coalesce(excluded.size, migration_artifacts.size),
              changed = coalesce(excluded.changed, migration_artifacts.changed),
              class = CASE WHEN excluded.state IN (migration_artifacts.state, ${verified}) THEN migration_artifacts.class END,
              detail = CASE WHEN excluded.state IN (migration_artifacts.state, ${verified}) THEN migration_artifacts.detail END,
              state = excluded.state,
              batch = NULL`,
          { discard: true }
        )
        yield* sql`DELETE FROM migration_tags WHERE repository = ${repository}`
        yield* insertAll(
          "migration_tags",
          planned.flatMap(({ digest, tags }) => {
            const bytes = toBytes(digest)
            return tags.map((name) => ({ repository, digest: bytes, name }))
          })
        )
      })
    )

  /**
   * Makes batches of what is planned: large repositories first, small ones together, and the newest artifacts of a repository
   * first. Returns how many artifacts there are.
   */
  const makeBatches = (run: number, pass: number, size: number): Effect.Effect<number, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* lock("migration_batches")
        yield* sql`DELETE FROM migration_batches WHERE run = ${run} AND is_done = 0`
        const counted = yield* sql<{ readonly repository: number; readonly count: number }>`
          SELECT a.repository AS repository, count(*) AS count
          FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
          WHERE r.run = ${run} AND r.problem IS NULL AND a.state = ${numberOf("planned")}
          GROUP BY a.repository ORDER BY 2 DESC, 1`
        const [last] = yield* sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM migration_batches`
        const firstId = (last?.id ?? 0) + 1
        let next = firstId
        let room = 0
        let total = 0
        for (const { repository, count: rows } of counted) {
          const count = Number(rows)
          // A small repository joins the last batch if there is room; a larger one begins a batch of its own.
          const begin = count <= room ? next - 1 : next
          yield* sql`UPDATE migration_artifacts SET batch = ${whole(begin)} + (ranked.place - 1) / ${whole(size)}
            FROM (
              SELECT digest AS wanted, row_number() OVER (ORDER BY changed DESC NULLS LAST, digest) AS place
              FROM migration_artifacts WHERE repository = ${repository} AND state = ${numberOf("planned")}
            ) AS ranked
            WHERE repository = ${repository} AND digest = ranked.wanted`
          if (count <= room) room -= count
          else {
            next += Math.ceil(count / size)
            room = (size - (count % size)) % size
          }
          total += count
        }
        const ids = Array.from({ length: next - firstId }, (_, index) => firstId + index)
        yield* insertAll(
          "migration_batches",
          ids.map((id) => ({ id, run, pass, attempt: 0, is_done: 0 }))
        )
        return total
      })
    )

  const openBatches = (run: number): Effect.Effect<ReadonlyArray<Batch>, MigrationError> =>
    guarded(sql<Batch>`SELECT id, attempt FROM migration_batches WHERE run = ${run} AND is_done = 0 ORDER BY id`)

  const closeBatch = (batch: number): Effect.Effect<void, MigrationError> =>
    guarded(Effect.asVoid(sql`UPDATE migration_batches SET is_done = 1 WHERE id = ${batch}`))

  const repeatBatch = ({ attempt, id }: Batch): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_batches SET attempt = ${attempt + 1} WHERE id = ${id} AND attempt = ${attempt}`
      )
    )

  /** What is left to do of a batch, by repository. */
  const tasks = (batch: number): Effect.Effect<ReadonlyArray<Task>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        const rows = yield* sql<{ readonly repository: number; readonly digest: Uint8Array }>`
          SELECT repository, digest FROM migration_artifacts WHERE batch = ${batch}
          ORDER BY repository, changed DESC NULLS LAST, digest`
        const tags = yield* sql<TagRow & { readonly repository: number }>`
          SELECT t.repository AS repository, t.digest AS digest, t.name AS name
          FROM migration_artifacts a JOIN migration_tags t ON t.repository = a.repository AND t.digest = a.digest
          WHERE a.batch = ${batch}`
        const names = new Map<string, Array<string>>()
        for (const { digest, name, repository } of tags) {
          const key = `${repository} ${fromBytes(digest)}`
          names.set(key, [...(names.get(key) ?? []), name])
        }
        return rows.map(({ digest: bytes, repository }) => {
          const digest = fromBytes(bytes)
          return { repository, digest, tags: names.get(`${repository} ${digest}`) ?? [] }
        })
      })
    )

  /** Writes what became of artifacts, and where their blobs are, at once. */
  const settle = (
    settled: ReadonlyArray<Settled>,
    carriers: ReadonlyArray<{
      readonly run: number
      readonly place: number
      readonly digest: Digest.Digest
      readonly repository: number
    }>
  ): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        const results = settled.map((one) => ({
          repository: one.repository,
          digest: toBytes(one.digest),
          root: one.root === undefined ? null : toBytes(one.root),
          state: numberOf(one.state),
          class: one.class ?? null,
          detail: one.detail?.slice(0, mostDetail) ?? null,
          attempts: 1
        }))
        // The rows are there. One statement for all of them takes a fraction of the time. What another process has settled
        // meanwhile is in no batch any more, and stays as it is.
        yield* Effect.forEach(
          Arr.chunksOf(results, rowsAtOnce),
          (chunk) => sql`INSERT INTO migration_artifacts ${sql.insert(chunk)}
            ON CONFLICT (repository, digest) DO UPDATE SET
              state = excluded.state,
              root = excluded.root,
              class = excluded.class,
              detail = excluded.detail,
              attempts = migration_artifacts.attempts + 1,
              batch = NULL
            WHERE migration_artifacts.batch IS NOT NULL`,
          { discard: true }
        )
        const rows = carriers.map(({ digest, place, repository, run }) => ({
          run,
          place,
          blob: toKey(digest),
          repository
        }))
        yield* Effect.forEach(
          Arr.chunksOf(rows, rowsAtOnce),
          (chunk) => sql`INSERT INTO migration_carriers ${sql.insert(chunk)}
            ON CONFLICT (run, place, blob) DO UPDATE SET repository = excluded.repository`,
          { discard: true }
        )
      })
    )

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

  /** How many artifacts are in each state, and how many bytes. */
  const totals = (
    run: number
  ): Effect.Effect<
    ReadonlyArray<{ readonly state: State; readonly count: number; readonly bytes: number }>,
    MigrationError
  > =>
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

  /** How many artifacts are not at the target, by kind of failure. */
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

  /** How many artifacts are to be copied, by route. */
  const plannedByRoute = (run: number): Effect.Effect<ReadonlyMap<number, number>, MigrationError> =>
    guarded(
      Effect.map(
        sql<{ readonly route: number; readonly count: number }>`
          SELECT r.route AS route, count(*) AS count
          FROM migration_artifacts a JOIN migration_repositories r ON r.id = a.repository
          WHERE r.run = ${run} AND a.state = ${numberOf("planned")} GROUP BY r.route`,
        (rows) => new Map(rows.map(({ count, route }) => [route, Number(count)]))
      )
    )

  /** A page of the report of a repository, behind a digest. */
  const outcomes = (
    { id, route, source, target }: Repository,
    after: Digest.Digest | undefined
  ): Effect.Effect<ReadonlyArray<Outcome>, MigrationError> =>
    guarded(
      Effect.gen(function* () {
        const from = after === undefined ? new Uint8Array() : toBytes(after)
        const rows = yield* sql<
          ArtifactRow & { readonly detail: string | null; readonly attempts: number }
        >`SELECT digest, root, state, class, detail, attempts FROM migration_artifacts
          WHERE repository = ${id} AND digest > ${from} ORDER BY digest LIMIT ${pageSize}`
        const last = rows.at(-1)
        if (last === undefined) return []
        const tags = tagsByDigest(
          yield* sql<TagRow>`SELECT digest, name FROM migration_tags
            WHERE repository = ${id} AND digest > ${from} AND digest <= ${last.digest} ORDER BY digest, name`
        )
        return rows.map((row): Outcome => {
          const digest = fromBytes(row.digest)
          return {
            route,
            source,
            target,
            digest,
            tags: tags.get(digest) ?? [],
            state: stateOf(row.state),
            ...(row.root === null ? {} : { targetDigest: fromBytes(row.root) }),
            ...(row.class === null ? {} : { class: row.class }),
            ...(row.detail === null ? {} : { detail: row.detail }),
            attempts: row.attempts
          }
        })
      })
    )

  return {
    find,
    begin,
    byId,
    advance,
    during,
    repositories,
    addRepositories,
    setProblem,
    known,
    setPlan,
    makeBatches,
    openBatches,
    closeBatch,
    repeatBatch,
    tasks,
    settle,
    carrier,
    totals,
    failures,
    plannedByRoute,
    outcomes
  }
})

export type Store = Effect.Success<ReturnType<typeof make>>
