/**
 * Grants, with which the client requests access tokens: the credential itself, or the refresh token that ACR issues for
 * an Entra token.
 *
 * A grant is cached until the registry refuses it or it expires. Concurrent operations share one request for it.
 */
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Credentials from "../../Credentials.ts"
import { type PassedOver, type Reason, Refused, RegistryError, Unauthenticated } from "../../RegistryError.ts"
import type { Operation } from "../../Operation.ts"
import { type Attachment, type Failure, final } from "../http/exchange.ts"
import * as Jwt from "./jwt.ts"
import { lifetimeMillis, usableFor } from "./lifetime.ts"
import * as LookUp from "./lookUp.ts"
import * as OAuth from "./oauth.ts"
import { type Basic, type Bearer, claimsOf } from "./scheme.ts"

/** What identifies a caller to a token service, or to a registry that requires the password itself. */
export type Grant = Exclude<Credentials.Credential, Credentials.EntraToken>

/** A refresh token of ACR, how long to use it in milliseconds, and when it expires by this machine's clock. */
export interface Exchanged {
  readonly token: Redacted.Redacted<string>
  readonly usableMillis: number
  readonly expiresAtMillis: Option.Option<number>
}

/** A cached grant. */
export interface Held extends Omit<Exchanged, "token"> {
  readonly grant: Grant
}

/** A credential as a grant: valid until the registry refuses it. */
const asItIs = (grant: Grant): Held => ({
  grant,
  usableMillis: Number.POSITIVE_INFINITY,
  expiresAtMillis: grant._tag === "RefreshToken" ? Jwt.expiryMillis(Redacted.value(grant.token)) : Option.none()
})

/** Sends an operation of the token service, with its own attempts. */
export type Send = <A>(origin: string, operation: Operation<A>, attachment: Attachment) => Effect.Effect<A, Failure>

/** A secret in the body of a request. */
export const enclosed = (secret: Redacted.Redacted<string>): Attachment => ({
  authorization: Option.none(),
  secrets: [secret]
})

/** Exchanges an Entra token for a refresh token of ACR. */
const exchange = (
  send: Send,
  { origin, service }: Bearer,
  entraToken: Redacted.Redacted<string>
): Effect.Effect<Exchanged, Failure> =>
  Effect.flatMap(send(origin, OAuth.exchange(service, entraToken), enclosed(entraToken)), (token) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const lifetime = lifetimeMillis(token, now)
      return {
        token: token.value,
        usableMillis: usableFor(lifetime),
        expiresAtMillis: Option.map(lifetime, (millis) => now + millis)
      }
    })
  )

/** Where credentials come from. */
export interface Source {
  readonly get: (request: Credentials.CredentialRequest) => Effect.Effect<Credentials.Credential, Reason>
  /** Whether one credential serves all repositories. */
  readonly perRegistry?: boolean
}

/** The scheme and the repository that a grant is for. */
export interface GrantRequest {
  readonly scheme: Basic | Bearer
  /** The repository whose credential is needed; undefined if one credential serves all. */
  readonly repository: string | undefined
}

/**
 * The grants of one transport.
 */
export interface Grants {
  /** The repository to name in requests, for an operation on one repository. */
  readonly repositoryOf: (repository: string | undefined) => string | undefined
  readonly get: (request: GrantRequest) => Effect.Effect<Held, Failure>
  /** Requests a new grant. */
  readonly getFresh: (request: GrantRequest) => Effect.Effect<Held, Failure>
  /** The replacement of a refused grant, if the credential has one. */
  readonly renew: (
    request: GrantRequest,
    refused: Grant,
    claims: Option.Option<string>
  ) => Effect.Effect<Option.Option<Grant>, Failure>
  /** Adds the logins that were passed over to the error of a refused anonymous request. */
  readonly explain: (error: RegistryError) => RegistryError
}

/** The key of a cached grant. Requests for tokens have more fields. */
const keyOf = ({ repository, scheme }: GrantRequest): GrantRequest => ({ scheme, repository })

/** More repositories than one program works with at a time. */
const capacity = 1024

/** Fails before a request is sent. */
export const refuse = (reason: Reason): Effect.Effect<never, Failure> =>
  Effect.fail(final(new RegistryError({ operation: "Transport.authorize", reason })))

/** Fails because the registry requires a password and the credential is none. */
export const wantPassword: Effect.Effect<never, Failure> = Effect.suspend(() =>
  refuse(new Unauthenticated({ description: "the registry asks for a user name and a password" }))
)

/**
 * Makes the grants of a credential.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly registry: Credentials.CredentialRequest
  readonly credentials: Source
  readonly send: Send
}): Effect.fn.Return<Grants> {
  const { credentials, registry, send } = options

  /** Why requests are anonymous, by the last credential. */
  let passedOver: ReadonlyArray<PassedOver> = []

  /** The claims that the registry requires of the next Entra token. */
  const demanded = yield* Ref.make(Option.none<string>())

  const ask = (
    repository: string | undefined,
    claims: Option.Option<string>
  ): Effect.Effect<Credentials.Credential, Failure> =>
    Effect.catch(
      credentials.get({
        ...registry,
        ...(repository === undefined ? {} : { repository }),
        ...(Option.isSome(claims) ? { claims: claims.value } : {})
      }),
      refuse
    )

  /** Keyed by the token, because the same one may serve many repositories. */
  const exchanged = yield* Cache.makeWith(
    ({ scheme, token }: { readonly scheme: Bearer; readonly token: Redacted.Redacted<string> }) =>
      exchange(send, scheme, token),
    { capacity, timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0) }
  )

  const exchangeAt = (
    scheme: Bearer,
    { loginServers = Credentials.entraLoginServers, token }: Credentials.EntraToken
  ): Effect.Effect<Exchanged, Failure> => {
    // Any server can imitate ACR's token service.
    if (scheme.isAcr && Credentials.isLoginServerOf(registry.loginServer, loginServers))
      return LookUp.get(exchanged, { scheme, token })
    return refuse(
      new Refused({
        description: `no Entra token is sent to ${scheme.origin}: it is not Azure Container Registry, or not among the token's loginServers (${loginServers.join(", ")})`
      })
    )
  }

  const lookup = Effect.fnUntraced(function* ({ repository, scheme }: GrantRequest): Effect.fn.Return<Held, Failure> {
    const credential = yield* ask(repository, yield* Ref.get(demanded))
    passedOver = credential._tag === "Anonymous" ? (credential.passedOver ?? []) : []
    if (credential._tag !== "EntraToken") return asItIs(credential)
    // The caller is anonymous to a registry that requires a password: only token services exchange Entra tokens.
    if (scheme._tag === "Basic") return asItIs({ _tag: "Anonymous" })
    const { token, ...held } = yield* exchangeAt(scheme, credential).pipe(
      Effect.catchIf(
        ({ challenges }) => Option.isSome(claimsOf(challenges)),
        (failure) =>
          Effect.flatMap(ask(repository, claimsOf(failure.challenges)), (better) =>
            better._tag === "EntraToken" ? exchangeAt(scheme, better) : Effect.fail(failure)
          )
      )
    )
    yield* Ref.set(demanded, Option.none())
    return { grant: { _tag: "RefreshToken", token }, ...held }
  })

  const grants = yield* Cache.makeWith(lookup, {
    capacity,
    // Failures are not cached: the next caller requests again.
    timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0)
  })

  const get = (request: GrantRequest) => LookUp.get(grants, keyOf(request))

  return {
    explain: (error) => {
      const { reason } = error
      if (reason._tag !== "Unauthenticated" || passedOver.length === 0) return error
      const logins = passedOver.map(({ credential, description }) => `${credential}: ${description}`).join("; ")
      const description = `${reason.description.replace(/[.\s]+$/, "")}. The request was anonymous, because of ${logins}`
      return new RegistryError({ ...error, reason: new Unauthenticated({ ...reason, description }) })
    },
    repositoryOf: (repository) => (credentials.perRegistry === true ? undefined : repository),
    get,
    getFresh: (request) =>
      Cache.invalidate(grants, keyOf(request)).pipe(
        Effect.andThen(Cache.invalidateAll(exchanged)),
        Effect.andThen(get(request))
      ),
    renew: Effect.fnUntraced(function* (request, refused, claims) {
      const wasHeld = yield* Cache.invalidateWhen(grants, keyOf(request), ({ grant }) => grant === refused)
      if (wasHeld) yield* Cache.invalidateAll(exchanged)
      if (wasHeld && Option.isSome(claims)) yield* Ref.set(demanded, claims)
      const { grant } = yield* get(request)
      return Equal.equals(grant, refused) ? Option.none() : Option.some(grant)
    })
  }
})
