/**
 * Keeps the tokens of one registry: one request for each, however many wait for it.
 */
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Base64 from "effect/encoding/Base64"
import type * as Credentials from "../../Credentials.ts"
import type { Operation } from "../../Operation.ts"
import { CredentialUnavailable, type Reason, Refused, RegistryError } from "../../RegistryError.ts"
import { type Attachment, bare } from "../http/exchange.ts"
import * as Jwt from "./jwt.ts"
import * as OAuth from "./oauth.ts"
import * as Scope from "./scope.ts"

/** More different sets of scopes than one program works with at a time. */
const capacity = 1024

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

/** A token with the time for which it may be used. */
interface Held {
  readonly token: Redacted.Redacted<string>
  readonly usableMillis: number
}

const hold = ({ expiresInSeconds, value }: OAuth.Token): Effect.Effect<Held> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const stated = expiresInSeconds === undefined ? unknownLifetimeMillis : expiresInSeconds * 1000
    const lifetime = Option.getOrElse(Jwt.lifetimeMillis(Redacted.value(value), now), () => stated)
    return { token: value, usableMillis: usableMillis(Math.max(0, lifetime)) }
  })

/** Failures are not kept: the next caller asks again. */
const timeToLive = (exit: Exit.Exit<Held, unknown>): Duration.Duration =>
  Exit.isSuccess(exit) ? Duration.millis(exit.value.usableMillis) : Duration.zero

/** What an access token is for. */
export interface TokenRequest {
  readonly realm: URL
  readonly service: string
  /** In their only spelling. */
  readonly scopes: ReadonlyArray<string>
}

/** Whether a token that was asked for one thing does for another. */
const covers = (held: TokenRequest, wanted: TokenRequest): boolean =>
  held.realm.href === wanted.realm.href && held.service === wanted.service && Scope.covers(held.scopes, wanted.scopes)

/** What an access token is kept under: its request, from which it can be asked for again. */
const keyOf = ({ realm, scopes, service }: TokenRequest): string => [realm.href, service, ...scopes].join("\n")

/**
 * The access tokens of a credential.
 */
export interface Tokens {
  readonly get: (request: TokenRequest) => Effect.Effect<Redacted.Redacted<string>, RegistryError>
  /** Forgets a token that the registry refused, unless another has taken its place. */
  readonly reject: (request: TokenRequest, token: Redacted.Redacted<string>) => Effect.Effect<void>
}

const fail = (reason: Reason) => Effect.fail(new RegistryError({ operation: "Transport.authorize", reason }))

/**
 * A user name and a password as an Authorization header.
 */
export const basicAttachment = ({ password, username }: Credentials.Password): Attachment => {
  const encoded = Base64.encode(`${username}:${Redacted.value(password)}`)
  return {
    authorization: Option.some(Redacted.make(`Basic ${encoded}`)),
    secrets: [password, Redacted.make(encoded)]
  }
}

/** ACR's own token service, which takes more than passwords. */
const isAcr = (realm: URL, origin: string): boolean => realm.origin === origin && realm.pathname === "/oauth2/token"

/**
 * Makes the store of one registry's tokens.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly origin: string
  readonly credential: Credentials.Credential
  /** Sends an operation of the token service, with attempts of its own. */
  readonly send: <A>(origin: string, operation: Operation<A>, attachment: Attachment) => Effect.Effect<A, RegistryError>
}): Effect.fn.Return<Tokens> {
  const { credential, origin, send } = options

  const exchanged = (service: string, entra: Credentials.Entra): Effect.Effect<Held, RegistryError> =>
    entra.token.pipe(
      Effect.catch((cause) =>
        fail(new CredentialUnavailable({ description: "no token could be had from Entra ID", cause }))
      ),
      Effect.flatMap((token) =>
        send(origin, OAuth.exchange(service, token), { authorization: Option.none(), secrets: [token] })
      ),
      Effect.flatMap(hold)
    )

  const refreshTokens = yield* Cache.makeWith(
    (service: string) =>
      credential._tag === "Entra"
        ? exchanged(service, credential)
        : fail(new Refused({ description: "only an identity of Entra ID is exchanged" })),
    { capacity, timeToLive }
  )

  const refreshed = Effect.fnUntraced(function* (realm: URL, request: OAuth.Request) {
    const askWith = ({ token }: Held) =>
      send(realm.origin, OAuth.refresh(request, token), { authorization: Option.none(), secrets: [token] })
    const held = yield* Cache.get(refreshTokens, request.service)
    return yield* askWith(held).pipe(
      Effect.catchReason("RegistryError", "Unauthenticated", () =>
        Cache.invalidateWhen(refreshTokens, request.service, ({ token }) => token === held.token).pipe(
          Effect.andThen(Cache.get(refreshTokens, request.service)),
          Effect.flatMap(askWith)
        )
      )
    )
  })

  const acquire = (key: string): Effect.Effect<Held, RegistryError> => {
    const [address = "", service = "", ...scopes] = key.split("\n")
    const realm = new URL(address)
    const request = { path: realm.pathname + realm.search, service, scopes }
    const acr = isAcr(realm, origin)
    const token = (): Effect.Effect<OAuth.Token, RegistryError> => {
      switch (credential._tag) {
        case "Anonymous":
          return send(realm.origin, acr ? OAuth.anonymous(request) : OAuth.basic(request), bare)
        case "Password":
          return send(realm.origin, OAuth.basic(request), basicAttachment(credential))
        case "Entra":
          return acr
            ? refreshed(realm, request)
            : fail(
                new Refused({ description: `${realm.origin} is not Azure Container Registry and gets no Entra token` })
              )
      }
    }
    return Effect.flatMap(token(), hold)
  }

  const accessTokens = yield* Cache.makeWith(acquire, { capacity, timeToLive })

  /** What the tokens at hand were asked for, by the keys that they are kept under. */
  const granted = new Map<string, TokenRequest>()

  /** A token at hand that was asked for more than this: who may push may pull. */
  const wider = Effect.fnUntraced(function* (request: TokenRequest) {
    for (const [key, other] of granted) {
      if (!covers(other, request)) continue
      const held = yield* Effect.orElseSucceed(Cache.getOption(accessTokens, key), () => Option.none<Held>())
      if (Option.isSome(held)) return held
      granted.delete(key)
    }
    return Option.none<Held>()
  })

  return {
    get: Effect.fnUntraced(function* (request) {
      const key = keyOf(request)
      const held = (yield* Cache.has(accessTokens, key)) ? Option.none<Held>() : yield* wider(request)
      if (Option.isSome(held)) return held.value.token
      const { token } = yield* Cache.get(accessTokens, key)
      granted.set(key, request)
      return token
    }),
    reject: Effect.fnUntraced(function* (request, rejected) {
      // Wherever it came from: it does not hold what it was asked for.
      for (const key of new Set([keyOf(request), ...granted.keys()])) {
        if (yield* Cache.invalidateWhen(accessTokens, key, ({ token }) => token === rejected)) granted.delete(key)
      }
    })
  }
})
