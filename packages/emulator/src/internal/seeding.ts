/**
 * The seeds of an emulator, at the start and later.
 */
import type { Digest } from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import type { SeedError } from "../SeedError.ts"
import type { Seed, SeedContents, SeededImage, SeedImage } from "../SeedImage.ts"
import type { Parts } from "./seedTarget.ts"

// The code of seeds is loaded with the first seed, so that a start without seeds is faster.
const ofImages = Effect.promise(() => import("./seed.ts"))
const ofContents = Effect.promise(() => import("./seedFrom.ts"))

export const make = (
  parts: Parts,
  /** Runs before a seed is put, as before a request, and returns the time. */
  before: () => number
) => {
  let startsWith: ReadonlyArray<Seed> = []
  let isReady = true

  const seed = (image: SeedImage): Effect.Effect<Digest, SeedError> =>
    Effect.flatMap(ofImages, ({ seed }) => seed(parts, image, before()))

  const seedFrom = (contents: SeedContents): Effect.Effect<ReadonlyArray<SeededImage>, SeedError> =>
    Effect.flatMap(ofContents, ({ seedFrom }) => seedFrom(parts, contents, before()))

  const put = (one: Seed): Effect.Effect<void, SeedError> =>
    "from" in one ? Effect.asVoid(seedFrom(one)) : Effect.asVoid(seed(one))

  const putAll = Effect.suspend(() => {
    isReady = false
    return Effect.forEach(startsWith, put, { discard: true }).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          isReady = true
        })
      )
    )
  })

  return {
    seed,
    seedFrom,
    startWith: (seeds: ReadonlyArray<Seed>): Effect.Effect<void, SeedError> =>
      Effect.suspend(() => {
        startsWith = seeds
        return putAll
      }),
    isReady: (): boolean => isReady,
    /** Puts the seeds of the start again, after the registry was cleared. */
    again: (empty: Effect.Effect<void>): Effect.Effect<void, SeedError> =>
      Effect.suspend(() => {
        isReady = false
        return Effect.andThen(empty, putAll)
      })
  }
}
