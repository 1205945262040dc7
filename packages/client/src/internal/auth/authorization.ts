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
import * as Semaphore from "effect/Semaphore"
import type { Operation } from "../../Operation.ts"
import { CredentialUnavailable, Forbidden, type Reason, RegistryError } from "../../RegistryError.ts"
import { type Attachment, bare, type Failure, final } from "../http/exchange.ts"
import { type Errand, makeLearning, type Need, needOf } from "./learning.ts"
import { type Exchanged, type Grants, type Held, passwordWanted, refuse } from "./grants.ts"
import { type Basic, type Bearer, type Demand, fromChallenges, type Scheme } from "./scheme.ts"
import * as Scope from "./scope.ts"
import { type AccessToken, basicAttachment, type Tokens, type Wanted } from "./tokens.ts"

/** Sends the request of an operation. Calls `onWait` if it has to wait for others before it is sent. */
type Request<A, R> = (attachment: Attachment, onWait: () => void) => Effect.Effect<A, Failure, R>

/**
 * Runs requests under the authority of one credential.
 */
export interface Authorization {
  /** Runs the request of an operation with what it needs; after a 401 once more, with what that asks for. */
  readonly use: <A, R>(
    operation: Pick<Operation<A>, "body" | "name" | "scopes" | "subject">,
    request: Request<A, R>,
    greet: Greet
  ) => Effect.Effect<A, Failure, R>
  /** Gets tokens for scopes ahead, many with one request. */
  readonly prepare: (scopes: ReadonlyArray<string>, greet: Greet) => Effect.Effect<void, Failure>
  /** The access token for scopes of one repository at most. None if the registry wants no token. */
  readonly tokenFor: (
    repository: string | undefined,
    scopes: ReadonlyArray<string>,
    greet: Greet
  ) => Effect.Effect<Option.Option<AccessToken>, Failure>
  /** A refresh token that was had just now. */
  readonly refreshToken: (greet: Greet) => Effect.Effect<Pick<Exchanged, "token" | "expiresAtMillis">, Failure>
}

/** Sends the request that needs a login and no scope. */
export type Greet = (attachment: Attachment) => Effect.Effect<void, Failure>

/** What goes with a request. */
interface Authority {
  readonly attachment: Attachment
  /** Whether it stands for somebody. */
  readonly named: boolean
  /** Takes back what the registry refused, and tells whether there is something else to try. */
  readonly refuse: (wanted: Wanted) => Effect.Effect<boolean, Failure>
}

/** As many resources as ACR's own tools put into one token. */
const batchSize = 10

/** What a probe leaves to those that wait for it: the failure, if the registry could not be reached. */
type Outcome = Failure | undefined

const outcomeOf = (cause: Cause.Cause<Failure>): Outcome => {
  const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
  return failure?.error.reason._tag === "Unavailable" ? failure : undefined
}

const isUnauthenticated = (failure: Failure): boolean => failure.error.reason._tag === "Unauthenticated"

const isRefusal = ({ _tag }: Reason): boolean =>
  _tag === "Unauthenticated" || _tag === "Forbidden" || _tag === "InvalidRequest"

/** A refusal behind which may be that a login is missing: a 401 without a challenge, or what strangers are told. */
const mayHide = ({ challenges, error: { reason, response } }: Failure): boolean =>
  response !== undefined &&
  challenges.length === 0 &&
  (reason._tag === "Unauthenticated" || reason._tag === "NotFound" || reason._tag === "Forbidden")

/** What a registry may want that only says that it wants a login. */
const passwordDemand: Demand & { readonly scheme: Basic } = {
  scheme: { _tag: "Basic" },
  scopes: [],
  insufficientScope: false,
  claims: Option.none()
}

/** What the root of a registry wants, if anything. */
interface Root {
  readonly demand?: Demand
}

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
  const { forget, isExtended, known, last, learn, scopesOf, withDemanded } = makeLearning()
  /** What the registry wants at its root, once it has answered there. */
  let root: Root | undefined
  const one = Semaphore.makeUnsafe(1)
  /** Whether the credential is a token of Entra ID. */
  let isForAcr = false
  /** At most one operation finds out at a time: the others will mostly need a token of the same service. */
  let probing: Deferred.Deferred<Outcome> | undefined

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

  const basic = (scheme: Basic, { repository }: Errand): Effect.Effect<Authority, Failure> =>
    grants.get({ scheme, repository }).pipe(
      Effect.map(({ grant }): Authority => {
        if (grant._tag !== "Password") return unfit
        return {
          attachment: basicAttachment(grant),
          named: true,
          refuse: ({ claims }) => Effect.map(grants.renew({ scheme, repository }, grant, claims), Option.isSome)
        }
      }),
      Effect.catchIf(
        ({ error }) => error.reason === passwordWanted,
        () => Effect.succeed(unfit)
      )
    )

  const bearer = Effect.fnUntraced(function* (scheme: Bearer, errand: Errand): Effect.fn.Return<Authority, Failure> {
    const { demanded, repository, scopes } = errand
    const requestFor = (scopes: ReadonlyArray<string>) => ({ scheme, repository, scopes: Scope.normalise(scopes) })
    let request = requestFor([...scopesOf(errand), ...demanded])
    const held = yield* Effect.catchIf(
      tokens.get(request),
      ({ error }) => isExtended(errand) && isRefusal(error.reason),
      () => {
        // What one repository wants in addition, nobody may have on another.
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
        return Effect.succeed(open)
      case "Basic":
        return basic(scheme, errand)
      case "Bearer":
        return bearer(scheme, errand)
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

  /**
   * Sends a request with what a scheme wants. `refusal` is the answer to the same request without anything, which was sent
   * just now.
   */
  const authorized = <A, R>(
    errand: Errand,
    scheme: Scheme,
    request: Request<A, R>,
    refusal?: Failure
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(authorityFor(scheme, errand), (authority) => {
      if (refusal !== undefined && authority === unfit) {
        return refusal.challenges.length > 0 ? refuse(passwordWanted) : Effect.fail(refusal)
      }
      return request(authority.attachment, constVoid).pipe(
        Effect.catchIf(isUnauthenticated, (failure) =>
          Effect.gen(function* () {
            const demand = yield* demandOf(errand.need, failure)
            if (!(yield* authority.refuse(demand))) return yield* Effect.fail(lastWord(authority, failure))
            const renewed = yield* authorityFor(demand.scheme, withDemanded(errand, demand.scopes))
            if (renewed === unfit) return yield* refuse(passwordWanted)
            return yield* Effect.mapError(request(renewed.attachment, constVoid), (failure) =>
              lastWord(renewed, failure)
            )
          })
        )
      )
    })

  /** Whether the credential is a login that a registry may want without saying so. An Entra token is for ACR, which says so. */
  const hasLogin = ({ repository }: Errand): Effect.Effect<boolean> =>
    isForAcr
      ? Effect.succeed(false)
      : Effect.match(grants.get({ scheme: passwordDemand.scheme, repository }), {
          onFailure: ({ error }) => {
            isForAcr = error.reason === passwordWanted
            return false
          },
          onSuccess: ({ grant }) => grant._tag !== "Anonymous"
        })

  /** Asks at the root what the registry wants, until it answers. One asks at a time, and the others have its answer. */
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
   * What a registry wants that does not say so where it refuses: some hide from strangers what they may not see, or forget
   * the challenge. Nothing if it wants nothing, or there is no login to offer.
   */
  const hidden = (errand: Errand, refusal: Failure, greet: Greet): Effect.Effect<Demand | undefined> =>
    Effect.gen(function* () {
      const guess = isUnauthenticated(refusal) ? passwordDemand : undefined
      if (root !== undefined && root.demand === undefined && guess === undefined) return undefined
      if (!(yield* hasLogin(errand))) return undefined
      const asked = yield* askRoot(greet)
      return asked === undefined ? undefined : (asked.demand ?? guess)
    })

  /**
   * Offers the login after a refusal of a request without one, if the registry may want it. Where the login does not help,
   * the refusal stands, and others go on without it.
   */
  const offering = <A, R>(
    errand: Errand,
    request: Request<A, R>,
    greet: Greet,
    refusal: Failure
  ): Effect.Effect<A, Failure, R> =>
    Effect.flatMap(hidden(errand, refusal, greet), (demand) => {
      if (demand === undefined) return Effect.fail(refusal)
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

  /** Sends the first request of a need: its answer, or what the registry wants before it gives one. */
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
    use: ({ body, name, scopes, subject }, request, greet) => {
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
        // Whether the answer is that to a stranger.
        let isBare = scheme === undefined || scheme._tag === "Open"
        const probed = Effect.suspend(() =>
          // The content of a stream may be a download from this registry, which must not wait for its own upload.
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
          (failure) => offering(errand, request, greet, failure)
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
