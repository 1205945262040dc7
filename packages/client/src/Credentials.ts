/**
 * Who is asking.
 *
 * A layer of this service stands beside every registry: anonymous, Entra ID, or a user name with a password. The
 * transport takes from it what the registry's challenge calls for, and sends it to the registry's own origin alone.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"

/**
 * Nobody: what a registry shows to everyone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Anonymous {
  readonly _tag: "Anonymous"
}

/**
 * An identity of Microsoft Entra ID.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entra {
  readonly _tag: "Entra"
  /** Gets an Entra access token. It runs whenever the registry needs one, hours apart as a rule. */
  readonly token: Effect.Effect<Redacted.Redacted<string>, unknown>
}

/**
 * A user name and a password: ACR's admin user, one of its scope-map tokens, or an account of any other registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Password {
  readonly _tag: "Password"
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/**
 * @category models
 * @since 0.1.0
 */
export type Credential = Anonymous | Entra | Password

/**
 * The credential of one registry.
 *
 * @category services
 * @since 0.1.0
 */
export class Credentials extends Context.Service<Credentials, Credential>()("@effect-acr/client/Credentials") {}

/**
 * The scope for which to ask Entra ID for a token.
 *
 * **Details**
 *
 * ACR's documentation, "Authentication overview": every registry takes it, also one on which Azure Resource Manager
 * tokens are disabled.
 *
 * @category constants
 * @since 0.1.0
 */
export const entraScope = "https://containerregistry.azure.net/.default"

/**
 * Asks as nobody.
 *
 * **Gotchas**
 *
 * ACR answers anonymous callers only where anonymous pull is enabled (Standard and above).
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAnonymous: Layer.Layer<Credentials> = Layer.succeed(Credentials, { _tag: "Anonymous" })

/**
 * Asks as an identity of Entra ID, with tokens for `entraScope` that the effect gets.
 *
 * **Details**
 *
 * The effect runs when the registry needs a token: first, when the registry's own refresh token has run out (after
 * about three hours) and when the registry refuses that one. If it fails, every operation that waits fails with
 * `CredentialUnavailable`, and the next operation runs it again.
 *
 * **Example** (Using a token that another program got)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { Config } from "effect"
 *
 * const FromEnvironment = Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEntra = <E, R>(
  token: Effect.Effect<Redacted.Redacted<string>, E, R>
): Layer.Layer<Credentials, never, R> =>
  Layer.effect(
    Credentials,
    Effect.contextWith((context: Context.Context<R>) =>
      Effect.succeed<Credential>({ _tag: "Entra", token: Effect.provideContext(token, context) })
    )
  )

/**
 * Asks with a user name and a password.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPassword = (login: {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, { _tag: "Password", username: login.username, password: login.password })
