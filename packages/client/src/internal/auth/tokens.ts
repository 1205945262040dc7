/**
 * Caches the access tokens of one registry, with one request for each, however many operations wait for it.
 */
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Base64 from "effect/encoding/Base64"
import type * as Credentials from "../../Credentials.ts"
import { InvalidRequest } from "../../RegistryError.ts"
import { type Attachment, bare, type Failure } from "../http/exchange.ts"
import type { Quote } from "../http/quote.ts"
import { refusedValue } from "../schema/refused.ts"
import { enclosed, type Grant, type Grants, refuse, type Send } from "./grants.ts"
import * as Jwt from "./jwt.ts"
import { lifetimeMillis, usableFor } from "./lifetime.ts"
import * as LookUp from "./lookUp.ts"
import * as OAuth from "./oauth.ts"
import { type Bearer, claimsOf } from "./scheme.ts"
import * as Scope from "./scope.ts"

/** More different sets of scopes than one program works with at a time. */
const capacity = 1024

/** The rights that an access token is requested for. */
export interface TokenRequest {
  readonly scheme: Bearer
  /** The repository whose credential requests the token; undefined if one credential serves all. */
  readonly repository: string | undefined
  /** Normalized. */
  readonly scopes: ReadonlyArray<string>
}

/** An access token, the grant that it was requested with, and how long to use it. */
export interface AccessToken {
  readonly token: Redacted.Redacted<string>
  readonly grant: Grant
  readonly usableMillis: number
}

/** The demand of a registry that refused a token. */
export interface Wanted {
  readonly scopes: ReadonlyArray<string>
  readonly claims: Option.Option<string>
}

/**
 * The access tokens of a credential.
 */
export interface Tokens {
  readonly get: (request: TokenRequest) => Effect.Effect<AccessToken, Failure>
  /**
   * Discards a token that the registry refused, unless another has replaced it, or the registry requires more than it
   * was for. Returns whether there is another token to try, with the claims that the registry requires.
   */
  readonly reject: (request: TokenRequest, refused: AccessToken, wanted: Wanted) => Effect.Effect<boolean, Failure>
}

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

/** Requests an access token from a token service. */
const ask = (
  send: Send,
  { scheme, scopes }: Pick<TokenRequest, "scheme" | "scopes">,
  grant: Grant
): Effect.Effect<OAuth.Token, Failure> => {
  const { isAcr, origin, path, service } = scheme
  const request = { path, service, scopes }
  switch (grant._tag) {
    case "Anonymous":
      return send(origin, isAcr ? OAuth.anonymous(request) : OAuth.basic(request), bare)
    case "Password":
      return send(origin, OAuth.basic(request), basicAttachment(grant))
    case "RefreshToken":
      return send(
        origin,
        isAcr ? OAuth.refreshAcr(request, grant.token) : OAuth.refresh(request, grant.token),
        enclosed(grant.token)
      )
    case "AccessToken":
      return Effect.succeed({ value: grant.token, expiresInSeconds: Number.POSITIVE_INFINITY })
  }
}

/**
 * A registry that grants rights by repository (attribute-based access control) silently omits wildcards from its
 * tokens. They are refused here, with an error that says why.
 */
const checkScopes = ({ scopes }: TokenRequest, grant: Grant, quote: () => Quote): Effect.Effect<void, Failure> => {
  const wildcard = scopes.find(Scope.isWildcard)
  return wildcard !== undefined && grant._tag === "RefreshToken" && Jwt.isAttributeBased(Redacted.value(grant.token))
    ? refuse(
        new InvalidRequest({
          description: "a scope names no repository, and this registry grants rights by repository (ABAC)",
          argument: "scopes",
          // The scope may be that of a challenge.
          value: refusedValue(quote().scrub(wildcard))
        })
      )
    : Effect.void
}

/** Whether a token that was requested for some scopes also serves others. */
const covers = (held: TokenRequest, wanted: TokenRequest): boolean =>
  held.repository === wanted.repository &&
  Equal.equals(held.scheme, wanted.scheme) &&
  Scope.covers(held.scopes, wanted.scopes)

/**
 * Makes the store of one registry's access tokens.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly grants: Grants
  readonly send: Send
  /** Quotes without the secrets of the transport. */
  readonly quote: () => Quote
}): Effect.fn.Return<Tokens> {
  const { grants, quote, send } = options

  const askWith = Effect.fnUntraced(function* (request: TokenRequest, grant: Grant) {
    yield* checkScopes(request, grant, quote)
    const token = yield* ask(send, request, grant)
    const now = yield* Clock.currentTimeMillis
    return { token: token.value, grant, usableMillis: usableFor(lifetimeMillis(token, now)) }
  })

  /** A refused grant may have expired: another one replaces it, if there is one. */
  const acquire = Effect.fnUntraced(function* (request: TokenRequest): Effect.fn.Return<AccessToken, Failure> {
    const { grant } = yield* grants.get(request)
    return yield* askWith(request, grant).pipe(
      Effect.catchIf(
        ({ error }) => error.reason._tag === "Unauthenticated",
        (refusal) =>
          Effect.flatMap(
            grants.renew(request, grant, claimsOf(refusal.challenges)),
            Option.match({
              onNone: () => Effect.fail(refusal),
              onSome: (renewed) => askWith(request, renewed)
            })
          )
      )
    )
  })

  const accessTokens = yield* Cache.makeWith(acquire, {
    capacity,
    // Failures are not cached: the next caller requests again.
    timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0)
  })

  /** A cached token with wider scope, which also serves this request: a push token can pull. */
  const wider = (request: TokenRequest): Effect.Effect<AccessToken | undefined> =>
    Effect.map(Cache.entries(accessTokens), (entries) => {
      for (const [held, token] of entries) if (covers(held, request)) return token
      return undefined
    })

  const forget = (condition: (token: AccessToken) => boolean) =>
    Effect.flatMap(Cache.entries(accessTokens), (entries) =>
      Effect.forEach(Array.from(entries), ([key]) => Cache.invalidateWhen(accessTokens, key, condition), {
        discard: true
      })
    )

  return {
    get: Effect.fnUntraced(function* (request) {
      const held = (yield* Cache.has(accessTokens, request)) ? undefined : yield* wider(request)
      return held ?? (yield* LookUp.get(accessTokens, request))
    }),
    reject: Effect.fnUntraced(function* (request, refused, { claims, scopes }) {
      const wasEnough = Scope.covers(request.scopes, Scope.normalise(scopes))
      if (!wasEnough && Option.isNone(claims) && refused.grant._tag !== "AccessToken") return true
      // Discarded wherever it came from: the token lacks the scope it was requested for.
      yield* forget(({ token }) => token === refused.token)
      const grantIsRefused = refused.grant._tag === "AccessToken" || Option.isSome(claims)
      if (!grantIsRefused) return true
      const renewed = yield* grants.renew(request, refused.grant, claims)
      yield* forget(({ grant }) => grant === refused.grant)
      return Option.isSome(renewed)
    })
  }
})
