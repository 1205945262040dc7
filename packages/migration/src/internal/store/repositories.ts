/**
 * Repositories of a run, with the problems that prevent their copies.
 */
import * as Effect from "effect/Effect"
import type { MigrationError } from "../../MigrationError.ts"
import { type Access, guarded } from "./access.ts"
import { detailOf } from "./states.ts"

export interface Repository {
  readonly id: number
  readonly route: number
  readonly source: string
  readonly target: string
  readonly problem: string | null
  readonly detail: string | null
  /** The fingerprint of possible referrers at the source when copies last looked for them. */
  readonly lookedFor: string | null
}

/** A repository before it is in the database. */
export type NewRepository = Omit<Repository, "id" | "lookedFor">

/** The source and the target of a repository. */
export type Pair = Pick<Repository, "route" | "source" | "target">

/** The list of a route's repositories, with records that cannot be read. */
export interface PartialCatalog {
  readonly route: number
  readonly count: number
}

export const make = ({ inTransaction, insertAll, lock, sql }: Access) => {
  const repositories = (run: number): Effect.Effect<ReadonlyArray<Repository>, MigrationError> =>
    guarded(
      sql<Repository>`SELECT id, route, source, target, problem, detail, looked_for AS ${sql("lookedFor")}
        FROM migration_repositories
        WHERE run = ${run} ORDER BY route, source`
    )

  /** The repositories with artifacts: those that were listed, and may have copies. */
  const begun = (run: number): Effect.Effect<ReadonlyArray<Pair>, MigrationError> =>
    guarded(
      sql<Pair>`SELECT route, source, target FROM migration_repositories
        WHERE run = ${run} AND EXISTS
          (SELECT 1 FROM migration_artifacts WHERE migration_artifacts.repository = migration_repositories.id)`
    )

  const setProblem = (
    repository: number,
    problem: string | null,
    detail: string | null
  ): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`UPDATE migration_repositories SET problem = ${problem}, detail = ${detailOf(detail)}
          WHERE id = ${repository}`
      )
    )

  /**
   * Adds repositories, and sets the problems of those that are there. The lock comes first: two runs of a database that have both
   * written rows would wait for each other.
   */
  const addRepositories = (
    run: number,
    added: ReadonlyArray<NewRepository>,
    known: ReadonlyArray<Pick<Repository, "id" | "problem" | "detail">>
  ): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* lock("migration_repositories")
        yield* Effect.forEach(known, ({ detail, id, problem }) => setProblem(id, problem, detail), { discard: true })
        const [last] = yield* sql<{ readonly id: number | null }>`SELECT max(id) AS id FROM migration_repositories`
        const next = (last?.id ?? 0) + 1
        yield* insertAll(
          "migration_repositories",
          added.map((repository, index) => ({ ...repository, run, id: next + index }))
        )
      })
    )

  /** Forgets a repository, unless it has artifacts. */
  const forget = (repository: number): Effect.Effect<void, MigrationError> =>
    guarded(
      Effect.asVoid(
        sql`DELETE FROM migration_repositories WHERE id = ${repository}
          AND NOT EXISTS (SELECT 1 FROM migration_artifacts WHERE repository = ${repository})`
      )
    )

  const setLookedFor = (repository: number, fingerprint: string): Effect.Effect<void, MigrationError> =>
    guarded(Effect.asVoid(sql`UPDATE migration_repositories SET looked_for = ${fingerprint} WHERE id = ${repository}`))

  /** Records how many records of the list of a route's repositories cannot be read. */
  const setLeftOut = (run: number, route: number, count: number): Effect.Effect<void, MigrationError> =>
    inTransaction(
      Effect.gen(function* () {
        yield* sql`DELETE FROM migration_catalogs WHERE run = ${run} AND route = ${route}`
        if (count > 0) yield* insertAll("migration_catalogs", [{ run, route, left_out: count }])
      })
    )

  const partialCatalogs = (run: number): Effect.Effect<ReadonlyArray<PartialCatalog>, MigrationError> =>
    guarded(
      sql<PartialCatalog>`SELECT route, left_out AS count FROM migration_catalogs WHERE run = ${run} ORDER BY route`
    )

  return { repositories, begun, addRepositories, setProblem, forget, setLookedFor, setLeftOut, partialCatalogs }
}
