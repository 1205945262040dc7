/**
 * Answers a registry's challenges.
 *
 * What a registry wants is learnt from its first 401, for which the first operation itself goes out without a header
 * while others wait. From then on tokens are asked for ahead, by the scopes that an operation is known to need.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type * as Credentials from "../../Credentials.ts"
import { Forbidden, RegistryError, Unauthenticated } from "../../RegistryError.ts"
import { type Attachment, bare, type Failure, final } from "../http/exchange.ts"
import { type Demand, fromChallenges, type Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"
import { basicAttachment, type TokenRequest, type Tokens } from "./tokens.ts"

/**
 * Runs requests under the authority of one credential.
 */
export interface Authorization {
  /** Runs a request with what it needs; after a 401 once more, with what that asks for. */
  readonly use: <A, R>(
    scopes: ReadonlyArray<string>,
    request: (attachment: Attachment) => Effect.Effect<A, Failure, R>
  ) => Effect.Effect<A, Failure, R>
}

/** What goes with a request, and how to take it back when the registry refuses it. */
interface Authority {
  readonly attachment: Attachment
  readonly reject: Effect.Effect<void>
}

const isUnauthenticated = (failure: Failure): boolean => failure.error.reason._tag === "Unauthenticated"

/**
 * Makes the authorization of one registry.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly origin: string
  readonly trustedRealms: ReadonlyArray<string>
  readonly credential: Credentials.Credential
  readonly tokens: Tokens
}): Effect.fn.Return<Authorization> {
  const { credential, origin, tokens, trustedRealms } = options
  const learnt = yield* Ref.make(Option.none<Scheme>())
  const probing = yield* Semaphore.make(1)

  const learn = (scheme: Scheme) => Ref.set(learnt, Option.some(scheme))

  /** The demand of a 401. One without a challenge is an answer like any other. */
  const demandOf = (failure: Failure): Effect.Effect<Demand, Failure> =>
    failure.challenges.length === 0
      ? Effect.fail(failure)
      : Result.match(fromChallenges(failure.challenges, origin, trustedRealms), {
          onFailure: (reason) => Effect.fail(final(new RegistryError({ ...failure.error, reason }))),
          onSuccess: (demand) => Effect.as(learn(demand.scheme), demand)
        })

  const bearer = (request: TokenRequest): Effect.Effect<Authority, Failure> =>
    tokens.get(request).pipe(
      Effect.mapError(final),
      Effect.map((token) => ({
        attachment: {
          authorization: Option.some(Redacted.make(`Bearer ${Redacted.value(token)}`)),
          secrets: [token]
        },
        reject: tokens.reject(request, token)
      }))
    )

  const authorityFor = (scheme: Scheme, scopes: ReadonlyArray<string>): Effect.Effect<Authority, Failure> => {
    switch (scheme._tag) {
      case "Open":
        return Effect.succeed({ attachment: bare, reject: Effect.void })
      case "Basic":
        return credential._tag === "Password"
          ? Effect.succeed({ attachment: basicAttachment(credential), reject: Effect.void })
          : Effect.fail(
              final(
                new RegistryError({
                  operation: "Transport.authorize",
                  reason: new Unauthenticated({ description: "the registry asks for a user name and a password" })
                })
              )
            )
      case "Bearer":
        return bearer({ realm: scheme.realm, service: scheme.service, scopes: Scope.normalise(scopes) })
    }
  }

  /** Whoever is known and still may not lacks a right; nobody lacks a login. */
  const lastWord = (failure: Failure): Failure => {
    const demand = fromChallenges(failure.challenges, origin, trustedRealms)
    const insufficient = Result.isSuccess(demand) && demand.success.insufficientScope
    return isUnauthenticated(failure) && insufficient && credential._tag !== "Anonymous"
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
    Effect.flatMap(authorityFor(scheme, scopes), ({ attachment, reject }) =>
      request(attachment).pipe(
        Effect.catchIf(
          // A refused password is refused: only tokens are renewed.
          (failure) => isUnauthenticated(failure) && scheme._tag !== "Basic",
          (failure) =>
            Effect.gen(function* () {
              yield* reject
              const demand = yield* demandOf(failure)
              const wanted = demand.scopes.length === 0 ? scopes : demand.scopes
              const renewed = yield* authorityFor(demand.scheme, wanted)
              return yield* Effect.mapError(request(renewed.attachment), lastWord)
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

  return {
    use: (scopes, request) =>
      Effect.gen(function* () {
        const known = yield* Ref.get(learnt)
        if (Option.isSome(known)) return yield* authorized(known.value, scopes, request)
        const outcome = yield* probe(request)
        if (Result.isSuccess(outcome)) return outcome.success
        const { scheme, scopes: wanted } = outcome.failure
        return yield* authorized(scheme, wanted.length === 0 ? scopes : wanted, request)
      })
  }
})
