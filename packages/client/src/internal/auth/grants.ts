/**
 * What access tokens are had with: the credential itself, or the refresh token for which ACR takes an Entra token.
 *
 * A grant is kept until the registry refuses it or its time is up. Whoever waits for one waits for the same.
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
import { type Reason, Refused, RegistryError, Unauthenticated } from "../../RegistryError.ts"
import type { Operation } from "../../Operation.ts"
import { type Attachment, type Failure, final } from "../http/exchange.ts"
import * as Jwt from "./jwt.ts"
import { lifetimeMillis, usableFor } from "./lifetime.ts"
import * as OAuth from "./oauth.ts"
import { type Basic, type Bearer, claimsOf } from "./scheme.ts"

/** What stands for a caller at a token service, or at a registry that wants the password itself. */
export type Grant = Exclude<Credentials.Credential, Credentials.EntraToken>

/** A refresh token of ACR, in milliseconds how long to use it, and when it ends by this machine's clock. */
export interface Exchanged {
  readonly token: Redacted.Redacted<string>
  readonly usableMillis: number
  readonly expiresAtMillis: Option.Option<number>
}

/** A grant that is kept. */
export interface Held extends Omit<Exchanged, "token"> {
  readonly grant: Grant
}

/** A credential as it is: good until the registry says otherwise. */
const asItIs = (grant: Grant): Held => ({
  grant,
  usableMillis: Number.POSITIVE_INFINITY,
  expiresAtMillis: grant._tag === "RefreshToken" ? Jwt.expiryMillis(Redacted.value(grant.token)) : Option.none()
})

/** Sends an operation of the token service, with attempts of its own. */
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
}

/**
 * The grants of one conversation.
 */
export interface Grants {
  readonly get: (scheme: Basic | Bearer) => Effect.Effect<Held, Failure>
  /** One that was had just now. */
  readonly getFresh: (scheme: Basic | Bearer) => Effect.Effect<Held, Failure>
  /** What takes the place of a grant that was refused; nothing if the credential has nothing else. */
  readonly renew: (
    scheme: Basic | Bearer,
    refused: Grant,
    claims: Option.Option<string>
  ) => Effect.Effect<Option.Option<Grant>, Failure>
}

/** One registry has one token service. */
const capacity = 16

/** Why a registry that wants a password can't be answered. */
export const passwordWanted = new Unauthenticated({ description: "the registry asks for a user name and a password" })

/** Fails where no request was sent. */
export const refuse = (reason: Reason): Effect.Effect<never, Failure> =>
  Effect.fail(final(new RegistryError({ operation: "Transport.authorize", reason })))

/**
 * Makes the grants of a credential.
 */
export const make = Effect.fnUntraced(function* (options: {
  readonly registry: Credentials.CredentialRequest
  readonly credentials: Source
  readonly send: Send
}): Effect.fn.Return<Grants> {
  const { credentials, registry, send } = options

  /** What the registry demands of the next Entra token. */
  const demanded = yield* Ref.make(Option.none<string>())

  const ask = (claims: Option.Option<string>): Effect.Effect<Credentials.Credential, Failure> =>
    Effect.catch(credentials.get(Option.isSome(claims) ? { ...registry, claims: claims.value } : registry), refuse)

  const exchangeAt = (
    scheme: Basic | Bearer,
    { loginServers = Credentials.entraLoginServers, token }: Credentials.EntraToken
  ): Effect.Effect<Exchanged, Failure> => {
    if (scheme._tag === "Basic") return refuse(passwordWanted)
    // Any server can have a token service that looks like ACR's.
    if (scheme.isAcr && Credentials.isLoginServerOf(registry.loginServer, loginServers))
      return exchange(send, scheme, token)
    return refuse(
      new Refused({
        description: `no Entra token is sent to ${scheme.origin}: it is not Azure Container Registry, or not among the token's loginServers (${loginServers.join(", ")})`
      })
    )
  }

  const lookup = Effect.fnUntraced(function* (scheme: Basic | Bearer): Effect.fn.Return<Held, Failure> {
    const credential = yield* ask(yield* Ref.get(demanded))
    if (credential._tag !== "EntraToken") return asItIs(credential)
    const { token, ...held } = yield* exchangeAt(scheme, credential).pipe(
      Effect.catchIf(
        ({ challenges }) => Option.isSome(claimsOf(challenges)),
        (failure) =>
          Effect.flatMap(ask(claimsOf(failure.challenges)), (better) =>
            better._tag === "EntraToken" ? exchangeAt(scheme, better) : Effect.fail(failure)
          )
      )
    )
    yield* Ref.set(demanded, Option.none())
    return { grant: { _tag: "RefreshToken", token }, ...held }
  })

  const grants = yield* Cache.makeWith(lookup, {
    capacity,
    // Failures are not kept: the next caller asks again.
    timeToLive: (exit) => (Exit.isSuccess(exit) ? exit.value.usableMillis : 0)
  })

  const get = (scheme: Basic | Bearer) => Cache.get(grants, scheme)

  return {
    get,
    getFresh: (scheme) => Effect.andThen(Cache.invalidate(grants, scheme), get(scheme)),
    renew: Effect.fnUntraced(function* (scheme, refused, claims) {
      const wasHeld = yield* Cache.invalidateWhen(grants, scheme, ({ grant }) => grant === refused)
      if (wasHeld && Option.isSome(claims)) yield* Ref.set(demanded, claims)
      const { grant } = yield* get(scheme)
      return Equal.equals(grant, refused) ? Option.none() : Option.some(grant)
    })
  }
})
