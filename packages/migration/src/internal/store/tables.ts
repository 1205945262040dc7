/**
 * The tables of migrations, for SQLite and PostgreSQL.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { MigrationError } from "../../MigrationError.ts"

/** Where the versions of the tables are kept. */
const versions = "migration_versions"

const first = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const bytes = sql.literal(sql.onDialectOrElse({ pg: () => "BYTEA", orElse: () => "BLOB" }))
  // The rows are in the tree of the key: SQLite would have a second tree otherwise, and each digest twice.
  const inKey = sql.literal(sql.onDialectOrElse({ pg: () => "", orElse: () => "WITHOUT ROWID" }))

  yield* sql`CREATE TABLE migration_runs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    rules TEXT NOT NULL,
    started TEXT NOT NULL,
    pass INTEGER NOT NULL,
    phase TEXT NOT NULL,
    attempt INTEGER NOT NULL
  )`
  yield* sql`CREATE TABLE migration_repositories (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    route INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    problem TEXT,
    detail TEXT,
    UNIQUE (run, route, source)
  )`
  yield* sql`CREATE TABLE migration_artifacts (
    repository INTEGER NOT NULL,
    digest ${bytes} NOT NULL,
    root ${bytes},
    size DOUBLE PRECISION,
    changed BIGINT,
    state SMALLINT NOT NULL,
    batch INTEGER,
    attempts SMALLINT NOT NULL,
    class TEXT,
    detail TEXT,
    PRIMARY KEY (repository, digest)
  ) ${inKey}`
  yield* sql`CREATE INDEX migration_artifacts_by_batch ON migration_artifacts (batch) WHERE batch IS NOT NULL`
  yield* sql`CREATE TABLE migration_tags (
    repository INTEGER NOT NULL,
    digest ${bytes} NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (repository, digest, name)
  ) ${inKey}`
  yield* sql`CREATE TABLE migration_batches (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    pass INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    is_done SMALLINT NOT NULL
  )`
  yield* sql`CREATE TABLE migration_carriers (
    run INTEGER NOT NULL,
    place INTEGER NOT NULL,
    blob ${bytes} NOT NULL,
    repository INTEGER NOT NULL,
    PRIMARY KEY (run, place, blob)
  ) ${inKey}`
})

const loader = Migrator.fromRecord({ "0001_first": first })

const newest = 1

const migrate = Migrator.make({})({ loader, table: versions })

/** Makes the tables, or brings them up to date. Refuses those of a newer version, which mean something else. */
export const prepare: Effect.Effect<void, MigrationError | SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  yield* Effect.catchTag(migrate, "MigrationError", ({ message }) =>
    Effect.fail(new MigrationError({ problem: "StoreFailed", description: `the tables cannot be made: ${message}` }))
  )
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly version: number }>`
    SELECT max(migration_id) AS version FROM ${sql(versions)}`
  if (row === undefined || row.version <= newest) return
  return yield* new MigrationError({
    problem: "NewerStore",
    description: `the database has version ${row.version} of the tables, and this program knows ${newest}: use a newer one`
  })
})
