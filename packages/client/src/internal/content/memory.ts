/**
 * What was learnt of a registry, for a while: registries are upgraded, and what a program learnt last week may be wrong.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"

const lifetimeMillis = Duration.toMillis(Duration.minutes(15))

export interface Memory<A> {
  /** What is known, unless it is too old. */
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
