/**
 * How long a token is used.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Jwt from "./jwt.ts"
import type * as OAuth from "./oauth.ts"

/** Distribution's token specification: a token that does not say how long it lives is good for a minute. */
const unknownLifetimeMillis = 60_000

/** A registry that promises more is asked again after a day. */
const longestLifetimeMillis = 24 * 3600_000

/**
 * How long a token is used: to its end, less a tenth but at most a minute of it, so that none runs out on its way.
 */
const usableMillis = (lifetimeMillis: number): number => {
  const lifetime = Math.min(lifetimeMillis, longestLifetimeMillis)
  return lifetime - Math.min(60_000, lifetime / 10)
}

/** How long a token lives that came just now, by its own word or else by the answer that brought it. */
export const lifetimeMillis = ({ expiresInSeconds, value }: OAuth.Token, nowMillis: number): Option.Option<number> =>
  Jwt.lifetimeMillis(Redacted.value(value), nowMillis).pipe(
    Option.orElse(() => Option.map(Option.fromUndefinedOr(expiresInSeconds), (seconds) => seconds * 1000)),
    Option.map((lifetime) => Math.max(0, lifetime))
  )

/** How long to use a token, in milliseconds, by how long it lives. */
export const usableFor = (lifetime: Option.Option<number>): number =>
  usableMillis(Option.getOrElse(lifetime, () => unknownLifetimeMillis))
