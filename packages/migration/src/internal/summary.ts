/**
 * Reads the progress of a run from its database.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { MigrationError } from "../MigrationError.ts"
import { RepositoryProblem, type Summary } from "../MigrationReport.ts"
import type { Repository, Run, Store } from "./store/store.ts"

const decodeProblem = Schema.decodeUnknownOption(RepositoryProblem)

/** The repositories that are not copied. */
export const problemsOf = (repositories: ReadonlyArray<Repository>): ReadonlyArray<RepositoryProblem> =>
  repositories.flatMap((repository) => Option.toArray(decodeProblem(repository)))

export const summaryOf = (store: Store, { id, pass, phase }: Run): Effect.Effect<Summary, MigrationError> =>
  Effect.gen(function* () {
    const repositories = yield* store.repositories(id)
    return {
      pass,
      phase,
      repositories: repositories.length,
      totals: yield* store.totals(id),
      failures: yield* store.failures(id),
      problems: problemsOf(repositories)
    }
  })
