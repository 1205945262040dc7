/**
 * Reads the progress of a run from its database.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { MigrationError } from "../MigrationError.ts"
import { RepositoryProblem, type Summary } from "../MigrationReport.ts"
import * as LeftOut from "./leftOut.ts"
import type { Run, Store } from "./store/store.ts"

const decodeProblem = Schema.decodeUnknownOption(RepositoryProblem)

/** The name in the problem of a list of repositories. No repository has it. */
const catalog = "*"

/** The repositories that are not copied, or whose lists are incomplete. */
export const problemsOf = (
  store: Store,
  run: number
): Effect.Effect<ReadonlyArray<RepositoryProblem>, MigrationError> =>
  Effect.gen(function* () {
    const catalogs = yield* store.partialCatalogs(run)
    const repositories = yield* store.repositories(run)
    return [
      ...catalogs.map(({ count, route }): RepositoryProblem => {
        const detail = LeftOut.detailOf(count, "the list of repositories")
        return { route, source: catalog, target: catalog, problem: "leftOut", detail }
      }),
      ...repositories.flatMap((repository) => Option.toArray(decodeProblem(repository)))
    ]
  })

export const summaryOf = (store: Store, { id, pass, phase }: Run): Effect.Effect<Summary, MigrationError> =>
  Effect.gen(function* () {
    const repositories = yield* store.repositories(id)
    return {
      pass,
      phase,
      repositories: repositories.length,
      totals: yield* store.totals(id),
      failures: yield* store.failures(id),
      problems: yield* problemsOf(store, id)
    }
  })
