/**
 * Caches what was learnt about a registry for a limited time: registries are upgraded, so old knowledge may be wrong.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"

const lifetimeMillis = Duration.toMillis(Duration.minutes(15))

export interface Memory<A> {
  /** The cached value, unless it has expired. */
  readonly get: Effect.Effect<Option.Option<A>>
  readonly set: (value: A) => Effect.Effect<void>
}

export const make = <A>(): Memory<A> => {
  const known = Ref.makeUnsafe(Option.none<{ readonly value: A; readonly untilMillis: number }>())
  return {
    get: Effect.zipWith(Ref.get(known), Clock.currentTimeMillis, (known, now) =>
      Option.map(
        Option.filter(known, ({ untilMillis }) => now < untilMillis),
        ({ value }) => value
      )
    ),
    set: (value) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Ref.set(known, Option.some({ value, untilMillis: now + lifetimeMillis }))
      )
  }
}
