/**
 * Answers a registry's challenges.
 *
 * What a registry wants is learnt from its first 401, for which the first operation itself goes out without a header
 * while others wait. From then on tokens are asked for ahead, by the scopes that an operation is known to need.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { CredentialUnavailable, Forbidden, RegistryError } from "../../RegistryError.ts"
import { type Attachment, bare, type Failure, final } from "../http/exchange.ts"
import { type Exchanged, type Grants, type Held, passwordWanted, refuse } from "./grants.ts"
import { type Basic, type Bearer, type Demand, fromChallenges, type Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"
import { basicAttachment, type Tokens } from "./tokens.ts"

/**
 * Runs requests under the authority of one credential.
 */
export interface Authorization {
  /** Runs a request with what it needs; after a 401 once more, with what that asks for. */
  readonly use: <A, R>(
    scopes: ReadonlyArray<string>,
    request: (attachment: Attachment) => Effect.Effect<A, Failure, R>
  ) => Effect.Effect<A, Failure, R>
  /** Gets tokens for scopes ahead, many with one request. `greet` is a request that needs a login and no scope. */
  readonly prepare: (
    scopes: ReadonlyArray<string>,
    greet: (attachment: Attachment) => Effect.Effect<void, Failure>
  ) => Effect.Effect<void, Failure>
  /** A refresh token that was had just now. */
  readonly refreshToken: (
    greet: (attachment: Attachment) => Effect.Effect<void, Failure>
  ) => Effect.Effect<Pick<Exchanged, "token" | "expiresAtMillis">, Failure>
}

/** What goes with a request. */
interface Authority {
  readonly attachment: Attachment
  /** Whether it stands for somebody. */
  readonly named: boolean
  /** Takes back what the registry refused, and tells whether there is something else to try. */
  readonly refuse: (claims: Option.Option<string>) => Effect.Effect<boolean, Failure>
}

/** As many resources as ACR's own tools put into one token. */
const batchSize = 10

const isUnauthenticated = (failure: Failure): boolean => failure.error.reason._tag === "Unauthenticated"

const open: Authority = { attachment: bare, named: false, refuse: () => Effect.succeed(true) }

/**
 * Makes the authorization of one registry.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly origin: string
  readonly trustedRealms: ReadonlyArray<string>
  readonly grants: Grants
  readonly tokens: Tokens
}): Effect.fn.Return<Authorization> {
  const { grants, origin, tokens, trustedRealms } = options
  const learnt = yield* Ref.make(Option.none<Scheme>())
  const probing = yield* Semaphore.make(1)

  const learn = (scheme: Scheme) => Ref.set(learnt, Option.some(scheme))

  /** The demand of a 401. One without a challenge is an answer like any other. */
  const demandOf = Effect.fnUntraced(function* (failure: Failure): Effect.fn.Return<Demand, Failure> {
    if (failure.challenges.length === 0) return yield* Effect.fail(failure)
    const demand = fromChallenges(failure.challenges, origin, trustedRealms, yield* Ref.get(learnt))
    if (Result.isFailure(demand)) {
      return yield* Effect.fail(final(new RegistryError({ ...failure.error, reason: demand.failure })))
    }
    yield* learn(demand.success.scheme)
    return demand.success
  })

  const basic = Effect.fnUntraced(function* (scheme: Basic): Effect.fn.Return<Authority, Failure> {
    const { grant } = yield* grants.get(scheme)
    return grant._tag === "Password"
      ? {
          attachment: basicAttachment(grant),
          named: true,
          refuse: (claims) => Effect.map(grants.renew(scheme, grant, claims), Option.isSome)
        }
      : yield* refuse(passwordWanted)
  })

  const bearer = Effect.fnUntraced(function* (
    scheme: Bearer,
    scopes: ReadonlyArray<string>
  ): Effect.fn.Return<Authority, Failure> {
    const request = { scheme, scopes: Scope.normalise(scopes) }
    const held = yield* tokens.get(request)
    return {
      attachment: {
        authorization: Option.some(Redacted.make(`Bearer ${Redacted.value(held.token)}`)),
        secrets: [held.token]
      },
      named: held.grant._tag !== "Anonymous",
      refuse: (claims) => tokens.reject(request, held, claims)
    }
  })

  const authorityFor = (scheme: Scheme, scopes: ReadonlyArray<string>): Effect.Effect<Authority, Failure> => {
    switch (scheme._tag) {
      case "Open":
        return Effect.succeed(open)
      case "Basic":
        return basic(scheme)
      case "Bearer":
        return bearer(scheme, scopes)
    }
  }

  /** Whoever is known and still may not lacks a right; nobody lacks a login. */
  const lastWord = (authority: Authority, failure: Failure): Failure => {
    const demand = fromChallenges(failure.challenges, origin, trustedRealms)
    const insufficient = Result.isSuccess(demand) && demand.success.insufficientScope
    return isUnauthenticated(failure) && insufficient && authority.named
      ? final(
          new RegistryError({
            ...failure.error,
            reason: new Forbidden({ description: failure.error.reason.message })
          })
        )
      : failure
  }

  const authorized = <A, R>(
    scheme: Scheme,
    scopes: ReadonlyArray<string>,
    request: (attachment: Attachment) => Effect.Effect<A, Failure, R>
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(authorityFor(scheme, scopes), (authority) =>
      request(authority.attachment).pipe(
        Effect.catchIf(isUnauthenticated, (failure) =>
          Effect.gen(function* () {
            const demand = yield* demandOf(failure)
            if (!(yield* authority.refuse(demand.claims))) return yield* Effect.fail(lastWord(authority, failure))
            const wanted = demand.scopes.length === 0 ? scopes : demand.scopes
            const renewed = yield* authorityFor(demand.scheme, wanted)
            return yield* Effect.mapError(request(renewed.attachment), (failure) => lastWord(renewed, failure))
          })
        )
      )
    )

  /** The first request: its answer, or what the registry wants before it gives one. */
  const probe = <A, R>(request: (attachment: Attachment) => Effect.Effect<A, Failure, R>) =>
    Effect.gen(function* () {
      const known = yield* Ref.get(learnt)
      if (Option.isSome(known))
        return Result.fail<Pick<Demand, "scheme" | "scopes">>({ scheme: known.value, scopes: [] })
      return yield* request(bare).pipe(
        Effect.tap(() => learn({ _tag: "Open" })),
        Effect.map((answer) => Result.succeed(answer)),
        Effect.catchIf(isUnauthenticated, (failure) => Effect.map(demandOf(failure), (demand) => Result.fail(demand)))
      )
    }).pipe(probing.withPermits(1))

  /** How the registry wants to be asked. */
  const schemeBy = Effect.fnUntraced(function* (
    greet: (attachment: Attachment) => Effect.Effect<void, Failure>
  ): Effect.fn.Return<Scheme, Failure> {
    const known = yield* Ref.get(learnt)
    if (Option.isSome(known)) return known.value
    const outcome = yield* probe(greet)
    return Result.isSuccess(outcome) ? { _tag: "Open" } : outcome.failure.scheme
  })

  return {
    use: (scopes, request) =>
      Effect.flatMap(Ref.get(learnt), (known) => {
        if (Option.isSome(known)) return authorized(known.value, scopes, request)
        return Effect.flatMap(probe(request), (outcome) => {
          if (Result.isSuccess(outcome)) return Effect.succeed(outcome.success)
          const { scheme, scopes: wanted } = outcome.failure
          return authorized(scheme, wanted.length === 0 ? scopes : wanted, request)
        })
      }),

    prepare: Effect.fnUntraced(function* (scopes, greet) {
      const scheme = yield* schemeBy(greet)
      if (scheme._tag !== "Bearer") return
      yield* Effect.forEach(
        Arr.chunksOf(Scope.normalise(scopes), batchSize),
        (batch) => tokens.get({ scheme, scopes: batch }),
        { discard: true }
      )
    }),

    refreshToken: Effect.fnUntraced(function* (greet) {
      const scheme = yield* schemeBy(greet)
      const held: Held | undefined =
        scheme._tag === "Bearer" && scheme.isAcr ? yield* grants.getFresh(scheme) : undefined
      if (held?.grant._tag === "RefreshToken") {
        return { token: held.grant.token, expiresAtMillis: held.expiresAtMillis }
      }
      return yield* refuse(
        new CredentialUnavailable({
          credential: held?.grant._tag ?? "registry",
          problem: "NotConfigured",
          description:
            held === undefined
              ? `${origin} is not Azure Container Registry and has no refresh tokens`
              : "only an identity of Entra ID has a refresh token"
        })
      )
    })
  }
})
