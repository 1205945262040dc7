/**
 * Notices that copies fail one after the other. Each of them waits for its retries, and a million would take years.
 */
import * as Effect from "effect/Effect"
import { MigrationError } from "../MigrationError.ts"

/** Failures in a row after which the other artifacts of a repository are left to the next run. */
const mostInRepository = 32

/** Failures in a row after which the run stops, if they are of enough repositories. */
const mostInARow = 96

/** A single repository may be broken at its registry, while the others can be copied. */
const leastRepositories = 3

/** Counts the failures of a pass. */
export const make = () => {
  /** The failures since the last success, by repository. */
  const inRepository = new Map<number, number>()
  const skipped = new Map<number, string>()
  let inARow = 0
  let failing = new Set<number>()

  /** Records the outcome of a copy, with the message of a failure that may pass. Fails if a place seems to be down. */
  const note = (repository: number, failure: string | undefined): Effect.Effect<void, MigrationError> =>
    Effect.suspend(() => {
      if (failure === undefined) {
        inRepository.delete(repository)
        inARow = 0
        failing = new Set()
        return Effect.void
      }
      const count = (inRepository.get(repository) ?? 0) + 1
      inRepository.set(repository, count)
      inARow++
      failing.add(repository)
      if (count >= mostInRepository) skipped.set(repository, `not tried, after ${count} failures in a row: ${failure}`)
      if (inARow < mostInARow || failing.size < leastRepositories) return Effect.void
      const description = `${inARow} artifacts of ${failing.size} repositories failed in a row, the last one with: ${failure}`
      return Effect.fail(new MigrationError({ problem: "PlaceFailed", description }))
    })

  return {
    note,
    /** The reason not to try further artifacts of a repository, if there is one. */
    reasonToSkip: (repository: number): string | undefined => skipped.get(repository)
  }
}
