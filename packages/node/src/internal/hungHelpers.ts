/**
 * Remembers credential helpers that did not answer in time, so that a program waits for them once and not at each request.
 */
import type { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

/** A long-running program asks again after this time: a user may have unlocked a keychain. */
const rest = Duration.minutes(1)

interface Hung {
  readonly failure: CredentialUnavailable
  readonly untilMillis: number
}

/** Makes a function that calls a helper, unless it hung less than a minute ago. */
export const make = Effect.map(Ref.make<ReadonlyMap<string, Hung>>(new Map()), (hung) => {
  const remember = (helper: string, failure: CredentialUnavailable) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Ref.update(hung, (all) => new Map(all).set(helper, { failure, untilMillis: now + Duration.toMillis(rest) }))
    )
  return <A, R>(
    helper: string,
    call: Effect.Effect<A, CredentialUnavailable, R>
  ): Effect.Effect<A, CredentialUnavailable, R> =>
    Effect.gen(function* () {
      const found = (yield* Ref.get(hung)).get(helper)
      if (found !== undefined && (yield* Clock.currentTimeMillis) < found.untilMillis) return yield* found.failure
      return yield* Effect.tapError(call, (failure) =>
        failure.problem === "TimedOut" ? remember(helper, failure) : Effect.void
      )
    })
})

/** A function that calls a helper, unless it hung shortly before. */
export type Calls = Effect.Success<typeof make>
