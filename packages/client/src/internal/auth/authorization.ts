/**
 * Answers a registry's challenges.
 *
 * The client learns the authentication scheme of a registry from its first 401: it sends the first operation without a
 * header while others wait. From then on it requests tokens in advance, for the scopes that an operation is known to
 * need.
 *
 * It learns the scheme separately for each need: a registry with anonymous reads may still require a password for
 * writes.
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
import * as Semaphore from "effect/Semaphore"
import type { Operation } from "../../Operation.ts"
import { CredentialUnavailable, Forbidden, type Reason, RegistryError } from "../../RegistryError.ts"
import { anonymous, type Attachment, bare, type Failure, final } from "../http/exchange.ts"
import { quoteReason } from "../http/failure.ts"
import type { Quote } from "../http/quote.ts"
import { type Errand, makeLearning, type Need, needOf } from "./learning.ts"
import { type Exchanged, type Grants, type Held, refuse, wantPassword } from "./grants.ts"
import { type Basic, type Bearer, type Demand, fromChallenges, type Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"
import { type AccessToken, basicAttachment, type Tokens, type Wanted } from "./tokens.ts"

/** Sends the request of an operation. Calls `onWait` if it has to wait for others before it is sent. */
type Request<A, R> = (attachment: Attachment, onWait: () => void) => Effect.Effect<A, Failure, R>

/**
 * Runs requests with one credential.
 */
export interface Authorization {
  /**
   * Runs the request of an operation with the authorization that it needs. After a 401, runs it once more with what the
   * challenge asks for.
   */
  readonly use: <A, R>(
    operation: Pick<Operation<A>, "body" | "name" | "scopes" | "subject" | "whenMissing">,
    request: Request<A, R>,
    greet: Greet
  ) => Effect.Effect<A, Failure, R>
  /** Requests tokens for scopes in advance, many with one request. */
  readonly prepare: (scopes: ReadonlyArray<string>, greet: Greet) => Effect.Effect<void, Failure>
  /** The access token for scopes of at most one repository. None if the registry uses no tokens. */
  readonly tokenFor: (
    repository: string | undefined,
    scopes: ReadonlyArray<string>,
    greet: Greet
  ) => Effect.Effect<Option.Option<AccessToken>, Failure>
  /** Requests a new refresh token. */
  readonly refreshToken: (greet: Greet) => Effect.Effect<Pick<Exchanged, "token" | "expiresAtMillis">, Failure>
}

/** Sends the request that needs a login and no scope. */
export type Greet = (attachment: Attachment) => Effect.Effect<void, Failure>

/** The authority of a request. */
interface Authority {
  readonly attachment: Attachment
  /** Whether it identifies a caller. */
  readonly named: boolean
  /** Discards what the registry refused, and returns whether there is something else to try. */
  readonly refuse: (wanted: Wanted) => Effect.Effect<boolean, Failure>
}

/** The number of resources that ACR's own tools put into one token. */
const batchSize = 10

/** The result of a probe for the operations that wait for it: the failure, if the registry could not be reached. */
type Outcome = Failure | undefined

const outcomeOf = (cause: Cause.Cause<Failure>): Outcome => {
  const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
  return failure?.error.reason._tag === "Unavailable" ? failure : undefined
}

const isUnauthenticated = (failure: Failure): boolean => failure.error.reason._tag === "Unauthenticated"

const isRefusal = ({ _tag }: Reason): boolean =>
  _tag === "Unauthenticated" || _tag === "Forbidden" || _tag === "InvalidRequest"

/**
 * A refusal that may mean that a login is missing: a 401 without a challenge, or the usual answer to anonymous callers.
 */
const mayHide = ({ challenges, error: { reason, response } }: Failure): boolean =>
  response !== undefined &&
  challenges.length === 0 &&
  (reason._tag === "Unauthenticated" || reason._tag === "NotFound" || reason._tag === "Forbidden")

/** The demand of a registry that requires a login but states no scheme. */
const passwordDemand: Demand & { readonly scheme: Basic } = {
  scheme: { _tag: "Basic" },
  scopes: [],
  insufficientScope: false,
  claims: Option.none()
}

/** The demand of a registry's root, if there is one. */
interface Root {
  readonly demand?: Demand
}

const open: Authority = { attachment: bare, named: false, refuse: () => Effect.succeed(true) }

/** For a registry that has nothing to show to a login, or if there is none. */
const unhidden: Authority = { ...open, attachment: anonymous }

/** A credential that is not a password, for a registry that requires one: it works only for public content. */
const unfit: Authority = { ...unhidden, refuse: () => wantPassword }

/**
 * Makes the authorization of one registry.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly origin: string
  readonly trustedRealms: ReadonlyArray<string>
  readonly grants: Grants
  readonly tokens: Tokens
  /** Quotes without the secrets of the transport. */
  readonly quote: () => Quote
}): Effect.fn.Return<Authorization> {
  const { grants, origin, quote, tokens, trustedRealms } = options
  const { forget, isExtended, known, last, learn, scopesOf, withDemanded } = makeLearning()
  /** The demand of the registry's root, once it has answered there. */
  let root: Root | undefined
  const one = Semaphore.makeUnsafe(1)
  /** At most one operation probes at a time, because the others will mostly need a token of the same service. */
  let probing: Deferred.Deferred<Outcome> | undefined

  /** The demand of a 401. Without a challenge, it is a failure like any other. */
  const demandOf = (need: Need, failure: Failure): Effect.Effect<Demand, Failure> =>
    Effect.suspend(() => {
      if (failure.challenges.length === 0) return Effect.fail(failure)
      const demand = fromChallenges(failure.challenges, origin, trustedRealms, known(need))
      if (Result.isFailure(demand)) {
        const reason = quoteReason(demand.failure, quote())
        return Effect.fail(final(new RegistryError({ ...failure.error, reason })))
      }
      learn(need, demand.success.scheme)
      return Effect.succeed(demand.success)
    })

  const basic = (scheme: Basic, { repository }: Errand): Effect.Effect<Authority, Failure> =>
    grants.get({ scheme, repository }).pipe(
      Effect.map(({ grant }): Authority => {
        if (grant._tag !== "Password") return unfit
        return {
          attachment: basicAttachment(grant),
          named: true,
          refuse: ({ claims }) => Effect.map(grants.renew({ scheme, repository }, grant, claims), Option.isSome)
        }
      })
    )

  const bearer = Effect.fnUntraced(function* (scheme: Bearer, errand: Errand): Effect.fn.Return<Authority, Failure> {
    const { demanded, repository, scopes } = errand
    const requestFor = (scopes: ReadonlyArray<string>) => ({ scheme, repository, scopes: Scope.normalise(scopes) })
    let request = requestFor([...scopesOf(errand), ...demanded])
    const held = yield* Effect.catchIf(
      tokens.get(request),
      ({ error }) => isExtended(errand) && isRefusal(error.reason),
      () => {
        // The login may lack the additional right on another repository.
        forget(errand)
        request = requestFor([...scopes, ...demanded])
        return tokens.get(request)
      }
    )
    return {
      attachment: {
        authorization: Option.some(Redacted.make(`Bearer ${Redacted.value(held.token)}`)),
        secrets: [held.token]
      },
      named: held.grant._tag !== "Anonymous",
      refuse: (wanted) => tokens.reject(request, held, wanted)
    }
  })

  const authorityFor = (scheme: Scheme, errand: Errand): Effect.Effect<Authority, Failure> => {
    switch (scheme._tag) {
      case "Open":
        return Effect.succeed(scheme.hidesNothing === true ? unhidden : open)
      case "Basic":
        return basic(scheme, errand)
      case "Bearer":
        return bearer(scheme, errand)
    }
  }

  /**
   * A refusal for insufficient scope is `Forbidden` for an authenticated caller, which lacks a permission and not a
   * login.
   */
  const lastWord = (authority: Authority, failure: Failure): Failure => {
    const { reason } = failure.error
    const demand = fromChallenges(failure.challenges, origin, trustedRealms)
    const insufficient = Result.isSuccess(demand) && demand.success.insufficientScope
    if (reason._tag !== "Unauthenticated" || !insufficient || !authority.named) return failure
    const { description, missing } = reason
    return final(new RegistryError({ ...failure.error, reason: new Forbidden({ description, missing }) }))
  }

  /**
   * Sends a request with the authorization of a scheme. `refusal` is the answer to the same request without
   * authorization, which was just sent.
   */
  const authorized = <A, R>(
    errand: Errand,
    scheme: Scheme,
    request: Request<A, R>,
    refusal?: Failure
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(authorityFor(scheme, errand), (authority) => {
      if (refusal !== undefined && authority === unfit) {
        return refusal.challenges.length > 0 ? wantPassword : Effect.fail(refusal)
      }
      return request(authority.attachment, constVoid).pipe(
        Effect.catchIf(isUnauthenticated, (failure) =>
          Effect.gen(function* () {
            const demand = yield* demandOf(errand.need, failure)
            if (!(yield* authority.refuse(demand))) return yield* Effect.fail(lastWord(authority, failure))
            const renewed = yield* authorityFor(demand.scheme, withDemanded(errand, demand.scopes))
            if (renewed === unfit) return yield* wantPassword
            return yield* Effect.mapError(request(renewed.attachment, constVoid), (failure) =>
              lastWord(renewed, failure)
            )
          })
        )
      )
    })

  /**
   * Whether the credential is a login that a registry may require without a challenge; undefined if it cannot be read
   * now. An Entra token is for ACR, which sends challenges.
   */
  const hasLogin = ({ repository }: Errand): Effect.Effect<boolean | undefined> =>
    Effect.match(grants.get({ scheme: passwordDemand.scheme, repository }), {
      onFailure: () => undefined,
      onSuccess: ({ grant }) => grant._tag !== "Anonymous"
    })

  /**
   * Requests the root until it answers, to learn the registry's demand. One operation does so at a time, and the others
   * share its result.
   */
  const askRoot = (greet: Greet): Effect.Effect<Root | undefined> =>
    one.withPermit(
      Effect.gen(function* () {
        if (root !== undefined) return root
        const answer = yield* Effect.result(greet(bare))
        if (Result.isSuccess(answer)) return (root = {})
        const { challenges } = answer.failure
        if (!isUnauthenticated(answer.failure)) return undefined
        const demand = fromChallenges(challenges, origin, trustedRealms)
        return (root = Result.isSuccess(demand) ? { demand: demand.success } : {})
      })
    )

  /**
   * The demand of a registry that does not state it in a refusal: some hide content from anonymous callers, or omit the
   * challenge. `Nothing` if the registry requires nothing, or if there is no login to send.
   */
  const hidden = (errand: Errand, refusal: Failure, greet: Greet): Effect.Effect<Demand | "Nothing" | "Unknown"> =>
    Effect.gen(function* () {
      const guess = isUnauthenticated(refusal) ? passwordDemand : undefined
      if (root !== undefined && root.demand === undefined && guess === undefined) return "Nothing"
      const isLogin = yield* hasLogin(errand)
      if (isLogin !== true) return isLogin === false ? "Nothing" : "Unknown"
      const asked = yield* askRoot(greet)
      return asked === undefined ? "Unknown" : (asked.demand ?? guess ?? "Nothing")
    })

  /**
   * Sends the login after a request without it was refused, if the registry may require it. If the login does not help,
   * the refusal is the result, and other operations continue without it. If there is nothing to show to a login, what was
   * not found is missing.
   */
  const offering = <A, R>(
    errand: Errand,
    whenMissing: Operation<A>["whenMissing"],
    request: Request<A, R>,
    greet: Greet,
    refusal: Failure
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(hidden(errand, refusal, greet), (demand) => {
      // A challenge that another operation met in the meantime says more than the root.
      const scheme = known(errand.need)
      const hasNoDemand = demand === "Nothing" || demand === "Unknown"
      if (hasNoDemand && scheme !== undefined && scheme._tag !== "Open") {
        return authorized(errand, scheme, request, refusal)
      }
      // What is learnt holds for all repositories, and another one may have a login.
      const servesAll = errand.repository === undefined
      if (demand === "Nothing" && servesAll && !isUnauthenticated(refusal)) {
        learn(errand.need, { _tag: "Open", hidesNothing: true })
      }
      const isMissing = demand === "Nothing" && refusal.error.response?.status === 404
      if (isMissing && whenMissing !== undefined) return whenMissing
      if (hasNoDemand) return Effect.fail(refusal)
      const helped = Effect.sync(() => learn(errand.need, demand.scheme))
      return authorized(errand, demand.scheme, request, refusal).pipe(
        Effect.tap(helped),
        Effect.catch((failure) => {
          if (failure.error.operation === errand.name && !isUnauthenticated(failure)) {
            return Effect.andThen(helped, Effect.fail(failure))
          }
          learn(errand.need, { _tag: "Open" })
          return Effect.fail(refusal)
        })
      )
    })

  /** Sends the first request of a need. Returns its answer, or the demand of the registry. */
  const probe = <A, R>(need: Need, request: Request<A, R>, onWait: () => void = constVoid) =>
    request(bare, onWait).pipe(
      Effect.map((answer) => {
        learn(need, { _tag: "Open" })
        return Result.succeed(answer)
      }),
      Effect.catchIf(isUnauthenticated, (failure) =>
        Effect.map(demandOf(need, failure), (demand) => Result.fail({ demand, failure }))
      )
    )

  /**
   * Lets other operations wait for a probe until it ends, in whatever way. They do not wait for a probe that itself
   * waits for a permit, because one of them may hold that permit.
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
   * Waits while another operation probes. Fails with the failure of the probe if the registry could not be reached:
   * otherwise every waiting operation would wait for the same timeout in turn.
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

  /** The authentication scheme of the registry. */
  const schemeBy = (greet: Greet): Effect.Effect<Scheme, Failure> => {
    const need = needOf([])
    return Effect.andThen(
      settled(need, "Transport.authorize"),
      Effect.suspend(() => {
        const scheme = last() ?? known(need)
        if (scheme !== undefined) return Effect.succeed(scheme)
        return Effect.map(
          announced((withdraw) => probe(need, greet, withdraw)),
          (outcome): Scheme => (Result.isSuccess(outcome) ? { _tag: "Open" } : outcome.failure.demand.scheme)
        )
      })
    )
  }

  return {
    use: ({ body, name, scopes, subject, whenMissing }, request, greet) => {
      const need = needOf(scopes)
      const errand: Errand = {
        name,
        need,
        scopes,
        demanded: [],
        repository: grants.repositoryOf(subject?.repository)
      }
      const attempt = Effect.suspend(() => {
        const scheme = known(need)
        // Whether the answer is to an anonymous request.
        let isBare = scheme === undefined || scheme._tag === "Open"
        const probed = Effect.suspend(() =>
          // The body may be a download from this registry, which must not wait for its own upload.
          body?._tag === "Stream" ? probe(need, request) : announced((withdraw) => probe(need, request, withdraw))
        )
        const first =
          scheme === undefined
            ? Effect.flatMap(probed, (outcome) => {
                if (Result.isSuccess(outcome)) return Effect.succeed(outcome.success)
                const { demand, failure } = outcome.failure
                isBare = false
                return authorized(withDemanded(errand, demand.scopes), demand.scheme, request, failure)
              })
            : authorized(errand, scheme, request)
        return Effect.catchIf(
          first,
          (failure) => isBare && mayHide(failure),
          (failure) => offering(errand, whenMissing, request, greet, failure)
        )
      })
      return known(need) === undefined ? Effect.andThen(settled(need, name), attempt) : attempt
    },

    prepare: Effect.fnUntraced(function* (scopes, greet) {
      const scheme = yield* schemeBy(greet)
      if (scheme._tag !== "Bearer") return
      const byRepository = Arr.groupBy(
        Scope.normalise(scopes),
        (scope) => grants.repositoryOf(Scope.repositoryIn(scope)) ?? ""
      )
      yield* Effect.forEach(
        Object.entries(byRepository).flatMap(([repository, own]) =>
          Arr.chunksOf(own, batchSize).map((batch) => ({ repository: repository || undefined, scopes: batch }))
        ),
        (batch) => tokens.get({ scheme, ...batch }),
        { discard: true }
      )
    }),

    tokenFor: Effect.fnUntraced(function* (repository, scopes, greet) {
      const scheme = yield* schemeBy(greet)
      if (scheme._tag !== "Bearer") return Option.none()
      const named = grants.repositoryOf(repository)
      return Option.some(yield* tokens.get({ scheme, repository: named, scopes: Scope.normalise(scopes) }))
    }),

    refreshToken: Effect.fnUntraced(function* (greet) {
      const scheme = yield* schemeBy(greet)
      const held: Held | undefined =
        scheme._tag === "Bearer" && scheme.isAcr ? yield* grants.getFresh({ scheme, repository: undefined }) : undefined
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
