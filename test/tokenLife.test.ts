/**
 * Tokens over days: which ones a program needs that never stops, and what a wrong clock costs.
 */
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"

const minutes = (count: number): number => Duration.toMillis(Duration.minutes(count))

/** ACR's own lifetimes, and that of an Entra token, in minutes. */
const accessLife = 75
const refreshLife = 195
const entraLife = 65

const twoDays = 2 * 24 * 60

/**
 * Entra ID, which has the right time, and the cache of a client that has not: as Microsoft's own, that keeps a token as
 * long as it is good for five minutes more.
 */
const entraId = (right: Clock.Clock) => {
  const issued = new Map<string, number>()
  let held: { readonly token: Redacted.Redacted<string>; readonly expiresMillis: number } | undefined
  return {
    issued,
    token: Effect.map(Clock.currentTimeMillis, (now) => {
      if (held === undefined || held.expiresMillis - minutes(5) <= now) {
        held = { token: Redacted.make(`entra-${issued.size}`), expiresMillis: now + minutes(entraLife) }
        issued.set(Redacted.value(held.token), right.currentTimeMillisUnsafe() + minutes(entraLife))
      }
      return held.token
    })
  }
}

/** A clock that goes wrong by so much, whatever time it is. */
const shifted = (clock: Clock.Clock, byMillis: number): Clock.Clock => ({
  ...clock,
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + byMillis,
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + byMillis),
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(byMillis) * 1_000_000n,
  currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(byMillis) * 1_000_000n),
  sleep: (duration) => clock.sleep(duration)
})

/**
 * A program that calls every minute, its clock so much before or behind the registry's, and the requests it took.
 *
 * The registry checks every token by its own clock.
 */
const twoDaysOfCalls = (skewMillis: number) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const entra = entraId(clock)
    const emulator = AcrEmulator.layer({
      accessTokenLifetime: Duration.minutes(accessLife),
      refreshTokenLifetime: Duration.minutes(refreshLife),
      acceptsEntraToken: (token) => (entra.issued.get(Redacted.value(token)) ?? 0) > clock.currentTimeMillisUnsafe()
    })
    const registry = AcrEmulator.layerRegistry({
      credentials: Credentials.layerEntra(entra.token, { loginServers: ["127.0.0.1"] })
    })

    return yield* Effect.gen(function* () {
      const { journal, seed } = yield* AcrEmulator.AcrEmulator
      const { tagProperties } = yield* ContainerRegistry
      yield* seed({ repository: "alpine", tags: ["latest"] })
      for (let minute = 0; minute < twoDays; minute++) {
        const call = tagProperties("alpine", "latest")
        yield* Effect.provideService(call, Clock.Clock, shifted(clock, skewMillis))
        yield* TestClock.adjust("1 minute")
      }
      const entries = yield* journal
      const count = (path: string) => entries.filter((entry) => entry.path === path).length
      return {
        entra: entra.issued.size,
        exchanges: count("/oauth2/exchange"),
        tokens: count("/oauth2/token"),
        refused: entries.filter(({ status }) => status >= 400).length,
        calls: entries.filter(({ path, status }) => path.startsWith("/acr/v1/") && status === 200).length
      }
    }).pipe(Effect.provide(Layer.provideMerge(registry, emulator)))
  })

describe("a program that calls every minute for two days", () => {
  // A token is used for all but its last minute. A refresh token lasts for every access token that is requested before it expires.
  const accessTokens = Math.ceil(twoDays / (accessLife - 1))
  const perRefreshToken = Math.ceil((refreshLife - 1) / (accessLife - 1))
  const refreshTokens = Math.ceil(accessTokens / perRefreshToken)

  for (const [name, skewMillis] of [
    ["by the right time", 0],
    ["by a clock that is an hour ahead", minutes(60)],
    ["by a clock that is an hour behind", -minutes(60)]
  ] as const) {
    it.effect(
      `asks for no more tokens than there must be, ${name}`,
      () =>
        Effect.gen(function* () {
          yield* TestClock.setTime(Date.UTC(2026, 0, 1))
          const took = yield* twoDaysOfCalls(skewMillis)
          assert.deepStrictEqual(took, {
            entra: refreshTokens,
            exchanges: refreshTokens,
            tokens: accessTokens,
            // The first request, by which the client learns how to request tokens here.
            refused: 1,
            calls: twoDays
          })
        }),
      180_000
    )
  }
})
