/**
 * Answers a registry's challenges.
 *
 * What a registry wants is learnt from its first 401, for which the first operation itself is sent without a header
 * while others wait. From then on tokens are requested in advance, by the scopes that an operation is known to need.
 *
 * It is learnt for each need apart: a registry that everyone may read may still want a password of those that write.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Operation } from "../../Operation.ts"
import { CredentialUnavailable, Forbidden, RegistryError } from "../../RegistryError.ts"
import { type Attachment, bare, type Failure, final } from "../http/exchange.ts"
import { type Exchanged, type Grants, type Held, passwordWanted, refuse } from "./grants.ts"
import { type Basic, type Bearer, type Demand, fromChallenges, type Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"
import { basicAttachment, type Tokens } from "./tokens.ts"

/** Sends the request of an operation. Calls `onWait` if it has to wait for others before it is sent. */
type Request<A, R> = (attachment: Attachment, onWait: () => void) => Effect.Effect<A, Failure, R>

/**
 * Runs requests under the authority of one credential.
 */
export interface Authorization {
  /** Runs the request of an operation with what it needs; after a 401 once more, with what that asks for. */
  readonly use: <A, R>(
    operation: Pick<Operation<A>, "body" | "name" | "scopes">,
    request: Request<A, R>
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

/** The kind of rights that an operation needs, whichever repository it is for: `repository:pull`. */
type Need = string

const needOf = (scopes: ReadonlyArray<string>): Need =>
  scopes.map((scope) => scope.slice(0, scope.indexOf(":")) + scope.slice(scope.lastIndexOf(":"))).join(" ")

/** What a probe leaves to those that wait for it: the failure, if the registry could not be reached. */
type Outcome = Failure | undefined

const outcomeOf = (cause: Cause.Cause<Failure>): Outcome => {
  const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
  return failure?.error.reason._tag === "Unavailable" ? failure : undefined
}

const isUnauthenticated = (failure: Failure): boolean => failure.error.reason._tag === "Unauthenticated"

const open: Authority = { attachment: bare, named: false, refuse: () => Effect.succeed(true) }

/** A credential that is no password, where one is wanted: it serves for what the registry shows to everyone. */
const unfit: Authority = { ...open, refuse: () => refuse(passwordWanted) }

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
  const learnt = new Map<Need, Scheme>()
  /** What the registry wanted last: expected for the needs of which nothing is known yet. */
  let wanted: Basic | Bearer | undefined
  /** At most one operation finds out at a time: the others will mostly need a token of the same service. */
  let probing: Deferred.Deferred<Outcome> | undefined

  const known = (need: Need): Scheme | undefined => learnt.get(need) ?? wanted

  const learn = (need: Need, scheme: Scheme) => {
    learnt.set(need, scheme)
    if (scheme._tag !== "Open") wanted = scheme
  }

  /** The demand of a 401. One without a challenge is an answer like any other. */
  const demandOf = (need: Need, failure: Failure): Effect.Effect<Demand, Failure> =>
    Effect.suspend(() => {
      if (failure.challenges.length === 0) return Effect.fail(failure)
      const demand = fromChallenges(failure.challenges, origin, trustedRealms, known(need))
      if (Result.isFailure(demand)) {
        return Effect.fail(final(new RegistryError({ ...failure.error, reason: demand.failure })))
      }
      learn(need, demand.success.scheme)
      return Effect.succeed(demand.success)
    })

  const basic = (scheme: Basic): Effect.Effect<Authority, Failure> =>
    grants.get(scheme).pipe(
      Effect.map(({ grant }): Authority => {
        if (grant._tag !== "Password") return unfit
        return {
          attachment: basicAttachment(grant),
          named: true,
          refuse: (claims) => Effect.map(grants.renew(scheme, grant, claims), Option.isSome)
        }
      }),
      Effect.catchIf(
        ({ error }) => error.reason === passwordWanted,
        () => Effect.succeed(unfit)
      )
    )

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

  /** A refusal for insufficient scope is `Forbidden` for a caller with a login, who lacks a right, not a login. */
  const lastWord = (authority: Authority, failure: Failure): Failure => {
    const { reason } = failure.error
    const demand = fromChallenges(failure.challenges, origin, trustedRealms)
    const insufficient = Result.isSuccess(demand) && demand.success.insufficientScope
    if (reason._tag !== "Unauthenticated" || !insufficient || !authority.named) return failure
    const { description, missing } = reason
    return final(new RegistryError({ ...failure.error, reason: new Forbidden({ description, missing }) }))
  }

  /** Sends a request with what a scheme wants. `isRefused` tells that it was sent without anything just now. */
  const authorized = <A, R>(
    need: Need,
    scheme: Scheme,
    scopes: ReadonlyArray<string>,
    request: Request<A, R>,
    isRefused = false
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(authorityFor(scheme, scopes), (authority) => {
      if (isRefused && authority === unfit) return refuse(passwordWanted)
      return request(authority.attachment, constVoid).pipe(
        Effect.catchIf(isUnauthenticated, (failure) =>
          Effect.gen(function* () {
            const demand = yield* demandOf(need, failure)
            if (!(yield* authority.refuse(demand.claims))) return yield* Effect.fail(lastWord(authority, failure))
            const wanted = demand.scopes.length === 0 ? scopes : demand.scopes
            const renewed = yield* authorityFor(demand.scheme, wanted)
            if (renewed === unfit) return yield* refuse(passwordWanted)
            return yield* Effect.mapError(request(renewed.attachment, constVoid), (failure) =>
              lastWord(renewed, failure)
            )
          })
        )
      )
    })

  /** Sends the first request of a need: its answer, or what the registry wants before it gives one. */
  const probe = <A, R>(need: Need, request: Request<A, R>, onWait: () => void = constVoid) =>
    request(bare, onWait).pipe(
      Effect.map((answer) => {
        learn(need, { _tag: "Open" })
        return Result.succeed(answer)
      }),
      Effect.catchIf(isUnauthenticated, (failure) =>
        Effect.map(demandOf(need, failure), (demand) => Result.fail(demand))
      )
    )

  /**
   * Lets others wait for a probe. They are told of its end, however it ends. They do not wait for one that itself waits for
   * a permit: it may be one of them that holds it.
   */
  const announced = <A, R>(
    probe: (withdraw: () => void) => Effect.Effect<A, Failure, R>
  ): Effect.Effect<A, Failure, R> =>
    Effect.uninterruptibleMask((restore) => {
      const own = Deferred.makeUnsafe<Outcome>()
      const end = (outcome: Outcome) => {
        if (probing === own) probing = undefined
        Deferred.doneUnsafe(own, Exit.succeed(outcome))
      }
      probing = own
      return Effect.onExit(restore(probe(() => end(undefined))), (exit) =>
        Effect.sync(() => end(Exit.isFailure(exit) ? outcomeOf(exit.cause) : undefined))
      )
    })

  /**
   * Waits while another operation finds out what the registry wants. Fails with that one's failure if the registry could
   * not be reached: every waiting operation would only wait for the same timeout in turn.
   */
  const settled = (need: Need, operation: string): Effect.Effect<void, Failure> =>
    Effect.suspend(() => {
      if (probing === undefined || known(need) !== undefined) return Effect.void
      return Effect.flatMap(Deferred.await(probing), (unreachable) =>
        unreachable === undefined
          ? settled(need, operation)
          : Effect.fail({ ...unreachable, error: new RegistryError({ ...unreachable.error, operation }) })
      )
    })

  /** How the registry wants to be asked. */
  const schemeBy = (
    greet: (attachment: Attachment) => Effect.Effect<void, Failure>
  ): Effect.Effect<Scheme, Failure> => {
    const need = needOf([])
    return Effect.andThen(
      settled(need, "Transport.authorize"),
      Effect.suspend(() => {
        const scheme = wanted ?? known(need)
        if (scheme !== undefined) return Effect.succeed(scheme)
        return Effect.map(
          announced((withdraw) => probe(need, greet, withdraw)),
          (outcome): Scheme => (Result.isSuccess(outcome) ? { _tag: "Open" } : outcome.failure.scheme)
        )
      })
    )
  }

  return {
    use: ({ body, name, scopes }, request) => {
      const need = needOf(scopes)
      const attempt = Effect.suspend(() => {
        const scheme = known(need)
        if (scheme !== undefined) return authorized(need, scheme, scopes, request)
        // The content of a stream may be a download from this registry, which must not wait for its own upload.
        const first =
          body?._tag === "Stream" ? probe(need, request) : announced((withdraw) => probe(need, request, withdraw))
        return Effect.flatMap(first, (outcome) => {
          if (Result.isSuccess(outcome)) return Effect.succeed(outcome.success)
          const { scheme, scopes: wanted } = outcome.failure
          return authorized(need, scheme, wanted.length === 0 ? scopes : wanted, request, true)
        })
      })
      return known(need) === undefined ? Effect.andThen(settled(need, name), attempt) : attempt
    },

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
