/**
 * Who is asking.
 *
 * A layer of this service stands beside every registry. The transport takes from it what the registry's challenge calls
 * for, and sends it to the registry's own origin alone.
 *
 * A credential is plain data. It is asked for when the first token is needed, and again when the registry refuses it or,
 * for an identity of Entra ID, when the registry's own refresh token has run out: so a program that runs for days never
 * holds one that is out of date.
 *
 * | Layer               | For                                                                    |
 * | ------------------- | ---------------------------------------------------------------------- |
 * | `layerAnonymous`    | what a registry shows to everyone                                      |
 * | `layerPassword`     | ACR's admin user, a scope-map token, an account of any other registry  |
 * | `layerEntra`        | an identity of Entra ID, with tokens that an effect gets               |
 * | `layerRefreshToken` | a refresh token that somebody was given                                |
 * | `layerAccessToken`  | an access token, which nothing renews                                  |
 * | `layerConfig`       | a password or a token from the environment                             |
 * | `orElse`            | one credential, or another where that is not there                     |
 * | `onlyFor`           | a credential that only the named registries receive                    |
 *
 * Identities of `@azure/identity` are in `AzureCredentials`, the logins of docker and podman in `DockerConfig`. Why it is
 * made so: docs/credentials.md.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { toHubRegistry } from "./internal/http/hub.ts"
import { refusedValue } from "./internal/schema/refused.ts"
import { printable } from "./Printable.ts"
import { failNaming, readNaming } from "./internal/schema/variables.ts"
import { CredentialUnavailable, type PassedOver } from "./RegistryError.ts"

/**
 * Nobody: what a registry shows to everyone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Anonymous {
  readonly _tag: "Anonymous"
  /**
   * The logins that `orElse` passed over for it, and why. An error of the registry that wants a login names them, since one
   * of them may have been meant.
   */
  readonly passedOver?: ReadonlyArray<PassedOver>
}

/**
 * A user name and a password: ACR's admin user, one of its scope-map tokens, or an account of any other registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Password {
  readonly _tag: "Password"
  /** The name: `myregistry` for the admin user of ACR, the token's own for a scope-map token. */
  readonly username: string
  /** The password, which goes to the registry and its token service alone. */
  readonly password: Redacted.Redacted<string>
  /** Where it was found, for people: a file, a variable, a credential helper. It holds no part of the secret. */
  readonly source?: string
}

/**
 * An access token of Microsoft Entra ID, which ACR exchanges for a refresh token of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntraToken {
  readonly _tag: "EntraToken"
  /** The token, for `entraScope` or for Azure Resource Manager. */
  readonly token: Redacted.Redacted<string>
  /**
   * The registries that the token may be sent to, see `isLoginServerOf`. Defaults to those of the public cloud,
   * `[".azurecr.io"]`; any other registry fails with `Refused`.
   */
  readonly loginServers?: ReadonlyArray<string>
  /** Where it was found, for people: a file, a variable, a credential helper. It holds no part of the secret. */
  readonly source?: string
}

/**
 * A refresh token of the registry's own, as `az acr login --expose-token` prints it: good for some hours.
 *
 * @category models
 * @since 0.1.0
 */
export interface RefreshToken {
  readonly _tag: "RefreshToken"
  /** The token, which the registry exchanges for access tokens. */
  readonly token: Redacted.Redacted<string>
  /** Where it was found, for people: a file, a variable, a credential helper. It holds no part of the secret. */
  readonly source?: string
}

/**
 * An access token of the registry's own: good for what it was asked for, and not renewed.
 *
 * @category models
 * @since 0.1.0
 */
export interface AccessToken {
  readonly _tag: "AccessToken"
  /** The token, as it is sent. */
  readonly token: Redacted.Redacted<string>
  /** Where it was found, for people: a file, a variable, a credential helper. It holds no part of the secret. */
  readonly source?: string
}

/**
 * Any credential; `_tag` tells them apart.
 *
 * @category models
 * @since 0.1.0
 */
export type Credential = Anonymous | Password | EntraToken | RefreshToken | AccessToken

/**
 * What a credential is wanted for.
 *
 * @category models
 * @since 0.1.0
 */
export interface CredentialRequest {
  /** The registry's origin: `https://myregistry.azurecr.io`. */
  readonly endpoint: string
  /** The registry's host, with the port if it has one: `myregistry.azurecr.io`. */
  readonly loginServer: string
  /**
   * The repository of the operation, `library/alpine`, if it is about one. Docker's configuration can have a login for each.
   * A mount has the repository that takes the blob. Absent where `perRegistry` is set.
   */
  readonly repository?: string
  /**
   * What the registry demands that an Entra token says, as JSON: a claims challenge of continuous access evaluation.
   * A token that was had before will not do.
   */
  readonly claims?: string
}

/**
 * The operations of `Credentials`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /**
   * Gets the credential for a registry. It runs when a token is needed, and again when the registry refuses what it
   * gave; what it fails with is the reason of the operation that waits.
   */
  readonly get: (request: CredentialRequest) => Effect.Effect<Credential, CredentialUnavailable>
  /** Whether one credential serves all repositories of a registry: then it is had once, not for each repository. */
  readonly perRegistry?: boolean
  /**
   * Whether `get` returns a secret without a look at the registry that asks: `layerPassword`, `layerRefreshToken`,
   * `layerAccessToken` and `layerConfig` do. `Registries` refuses such credentials, since a reference to a stranger's
   * registry would send the secret there; `onlyFor` names the registries that the secret is for, and takes the mark away.
   * A service of your own that ignores `loginServer` needs this mark.
   */
  readonly sameForAll?: boolean
}

/**
 * The credential of a program.
 *
 * **Example** (A credential of one's own, from a vault)
 *
 * ```ts
 * import { Credentials, RegistryError } from "@effect-acr/client"
 * import { Effect, Layer, type Redacted } from "effect"
 *
 * export const layerVault = (read: (key: string) => Effect.Effect<Redacted.Redacted<string>, Error>) =>
 *   Layer.succeed(Credentials.Credentials, {
 *     perRegistry: true,
 *     get: ({ loginServer }) =>
 *       read(loginServer).pipe(
 *         Effect.map((password): Credentials.Credential => ({ _tag: "Password", username: "pull", password })),
 *         Effect.mapError(
 *           (cause) =>
 *             new RegistryError.CredentialUnavailable({
 *               credential: "vault",
 *               problem: "Failed",
 *               description: `the vault gave no password for ${loginServer}`,
 *               cause
 *             })
 *         )
 *       )
 *   })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Credentials extends Context.Service<Credentials, Service>()("@effect-acr/client/Credentials") {}

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
 * The registries that an Entra token is sent to by default: those of Azure's public cloud.
 *
 * @category constants
 * @since 0.1.0
 */
export const entraLoginServers: ReadonlyArray<string> = [".azurecr.io"]

/**
 * Tests whether a login server is one of those named. A name that begins with a dot stands for all hosts that end with
 * it, a name with a port for the host at that port, and any other name for the one host, whatever its port. `docker.io`
 * stands for the host of Docker Hub's registry, `registry-1.docker.io`.
 *
 * **Example** (The registries of two clouds, and one host)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 *
 * const allowed = [".azurecr.io", ".azurecr.cn", "registry.contoso.com"]
 * const answers = ["myregistry.azurecr.cn", "registry.contoso.com:5000", "azurecr.io.example"].map(
 *   Credentials.isLoginServerOf(allowed)
 * )
 * // true, true, false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isLoginServerOf: {
  (allowed: ReadonlyArray<string>): (loginServer: string) => boolean
  (loginServer: string, allowed: ReadonlyArray<string>): boolean
} = dual(2, (loginServer: string, allowed: ReadonlyArray<string>): boolean => {
  const server = loginServer.toLowerCase()
  const host = server.replace(/:\d+$/, "")
  return allowed
    .map((name) => toHubRegistry(name.toLowerCase()))
    .some((name) => (name.startsWith(".") ? host.endsWith(name) : name === host || name === server))
})

const notAllowed = (allowed: ReadonlyArray<string>, loginServer: string): string =>
  `${loginServer} is not among the registries that the Entra token may be sent to (${allowed.join(", ")}); add it to loginServers if it is yours`

/** One credential, whichever registry asks. An Entra token is sent only to its own `loginServers`. */
const layerOf = (credential: Credential): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, {
    perRegistry: true,
    sameForAll: credential._tag !== "Anonymous" && credential._tag !== "EntraToken",
    get: () => Effect.succeed(credential)
  })

/**
 * Asks as nobody.
 *
 * **Gotchas**
 *
 * ACR answers anonymous callers only where anonymous pull is enabled (Standard and above). What is not for everyone fails
 * with `Unauthenticated`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAnonymous: Layer.Layer<Credentials> = layerOf({ _tag: "Anonymous" })

/**
 * Asks with a user name and a password: ACR's admin user, a scope-map token, an account of any other registry.
 *
 * **Example** (The admin user, with the password in the environment)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { Config, Effect, Layer } from "effect"
 *
 * const Login = Layer.unwrap(
 *   Effect.map(Config.Redacted("ADMIN_PASSWORD"), (password) =>
 *     Credentials.layerPassword({ username: "myregistry", password })
 *   )
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPassword = (login: {
  /** The name: `myregistry` for the admin user of ACR, the token's own for a scope-map token. */
  readonly username: string
  /** The password. */
  readonly password: Redacted.Redacted<string>
}): Layer.Layer<Credentials> => layerOf({ _tag: "Password", username: login.username, password: login.password })

/**
 * Asks with a refresh token of the registry's own, as `ContainerRegistry.login` and `az acr login --expose-token` give
 * away.
 *
 * **Gotchas**
 *
 * ACR's are good for about three hours. Nothing renews it: once it has run out, operations fail.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRefreshToken = (token: Redacted.Redacted<string>): Layer.Layer<Credentials> =>
  layerOf({ _tag: "RefreshToken", token })

/**
 * Asks with an access token of the registry's own.
 *
 * **Gotchas**
 *
 * It is good for the scopes that it was asked for, and nothing renews it: an operation for which it does not suffice
 * fails with `Forbidden`, and every one with `Unauthenticated` once it has run out.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAccessToken = (token: Redacted.Redacted<string>): Layer.Layer<Credentials> =>
  layerOf({ _tag: "AccessToken", token })

/**
 * An identity of Entra ID, with access tokens for `entraScope` that an effect acquires.
 *
 * **Details**
 *
 * The effect runs when the registry needs a token: at first, when the registry's own refresh token expires (after about
 * three hours) and when the registry refuses that one. If it fails, every operation that waits fails with
 * `CredentialUnavailable`, and the next operation runs it again.
 *
 * The token is sent to registries of Azure's public cloud alone (`entraLoginServers`). `loginServers` names others: those
 * of a national cloud, `[".azurecr.cn"]`, or a host of your own. For any other registry the effect does not run, and
 * operations fail with `CredentialUnavailable`.
 *
 * **Gotchas**
 *
 * The effect does not receive a claims challenge. `AzureCredentials` of `@effect-acr/azure-identity` answers those.
 *
 * **Example** (Using a token that another program acquired)
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
  token: Effect.Effect<Redacted.Redacted<string>, E, R>,
  options: {
    /** The registries that the token may be sent to, see `isLoginServerOf`. Defaults to `entraLoginServers`. */
    readonly loginServers?: ReadonlyArray<string>
  } = {}
): Layer.Layer<Credentials, never, R> => {
  const { loginServers = entraLoginServers } = options
  return Layer.effect(
    Credentials,
    Effect.contextWith((context: Context.Context<R>) =>
      Effect.succeed({
        perRegistry: true,
        get: ({ loginServer }) =>
          isLoginServerOf(loginServer, loginServers)
            ? token.pipe(
                // The operation's own logger, tracer and clock; the layer's services.
                Effect.updateContext((own: Context.Context<never>) => Context.merge(context, own)),
                Effect.mapBoth({
                  onSuccess: (token): Credential => ({ _tag: "EntraToken", token, loginServers }),
                  onFailure: (cause) =>
                    new CredentialUnavailable({
                      credential: "Entra ID",
                      problem: "Failed",
                      description: "no token could be acquired from Entra ID",
                      cause
                    })
                })
              )
            : Effect.fail(
                new CredentialUnavailable({
                  credential: "Entra ID",
                  problem: "NotConfigured",
                  description: notAllowed(loginServers, loginServer)
                })
              )
      })
    )
  )
}

const variableNames = ["REGISTRY_USERNAME", "REGISTRY_PASSWORD", "REGISTRY_REFRESH_TOKEN", "REGISTRY_ACCESS_TOKEN"]

const expectedLogin = ([username, password, refreshToken, accessToken]: ReadonlyArray<string>): string =>
  `expected one login: ${username} with ${password}, ${refreshToken} or ${accessToken}`

const variables = {
  username: Config.option(Config.NonEmptyString("REGISTRY_USERNAME")),
  password: Config.option(Config.Redacted("REGISTRY_PASSWORD")),
  refreshToken: Config.option(Config.Redacted("REGISTRY_REFRESH_TOKEN")),
  accessToken: Config.option(Config.Redacted("REGISTRY_ACCESS_TOKEN"))
}

/**
 * A credential from the variables `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`, or `REGISTRY_REFRESH_TOKEN`, or
 * `REGISTRY_ACCESS_TOKEN`: one of the three. Fails with a `ConfigError` if there is none, or more than one.
 *
 * @category config
 * @since 0.1.0
 */
export const config: Config.Config<Credential> = Config.flatMap(
  Config.all(variables),
  ({ accessToken, password, refreshToken, username }) => {
    const [credential, ...others] = [
      ...Option.toArray(
        Option.zipWith(username, password, (name, word): Credential => ({
          _tag: "Password",
          username: name,
          password: word
        }))
      ),
      ...Option.toArray(Option.map(refreshToken, (token): Credential => ({ _tag: "RefreshToken", token }))),
      ...Option.toArray(Option.map(accessToken, (token): Credential => ({ _tag: "AccessToken", token })))
    ]
    return credential === undefined || others.length > 0 || Option.isSome(username) !== Option.isSome(password)
      ? failNaming(variableNames, expectedLogin)
      : Config.succeed(credential)
  }
)

/**
 * Asks with the credential that the configuration holds, by default `config`.
 *
 * **Example** (Variables of one's own)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { Config } from "effect"
 *
 * const Login = Credentials.layerConfig(
 *   Config.map(
 *     Config.all({ username: Config.String("CI_USER"), password: Config.Redacted("CI_TOKEN") }),
 *     (login): Credentials.Credential => ({ _tag: "Password", ...login })
 *   )
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  credential: Config.Config<Credential> = config
): Layer.Layer<Credentials, Config.ConfigError> => Layer.unwrap(Effect.map(readNaming(credential), layerOf))

const hasMessage = Schema.is(Schema.Struct({ message: Schema.String }))
const isConfigError = Schema.is(Schema.TaggedStruct("ConfigError", { cause: Schema.Unknown }))

/** A credential that could not even be set up. */
const unfit = (error: unknown): Service => {
  const cause = isConfigError(error) ? error.cause : error
  const reason = new CredentialUnavailable({
    credential: isConfigError(error) ? "configuration" : "credential",
    problem: "NotConfigured",
    description: hasMessage(cause) ? cause.message : String(cause)
  })
  return { perRegistry: true, get: () => Effect.fail(reason) }
}

const passedOver = (failure: CredentialUnavailable): ReadonlyArray<PassedOver> =>
  failure.passedOver.length > 0
    ? failure.passedOver
    : [{ credential: failure.credential, problem: failure.problem, description: failure.description }]

/** What was passed over may be what was meant: a trace of it is left. */
const report = ({ credential, description, problem }: PassedOver): Effect.Effect<void> =>
  (problem === "NotConfigured" ? Effect.logDebug : Effect.logWarning)(
    printable(`${credential} is passed over: ${description}`)
  )

/** The failure of two credentials, each of which may stand for several. */
const neither = (
  { loginServer }: CredentialRequest,
  ...failures: ReadonlyArray<CredentialUnavailable>
): CredentialUnavailable => {
  const all = failures.flatMap(passedOver)
  return new CredentialUnavailable({
    credential: all.map(({ credential }) => credential).join(", "),
    problem: all.every(({ problem }) => problem === "NotConfigured") ? "NotConfigured" : "Failed",
    description: `none of ${all.length} credentials is there for ${loginServer}`,
    passedOver: all
  })
}

/** A host, perhaps with a port, or the end of hosts with a dot before it. */
const isHostName = (name: string): boolean =>
  /^\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$|^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$|^\[[0-9a-f:.]+\](?::\d{1,5})?$/i.test(
    name
  )

/** A name that no registry can have would keep the login from all of them, and a program might go on without it. */
const noHost = (name: string): CredentialUnavailable =>
  new CredentialUnavailable({
    credential: "login",
    problem: "Failed",
    description: `"${refusedValue(name)}" is not a host: expected the names of registries as myregistry.azurecr.io or .azurecr.io`
  })

const hasPort = (name: string): boolean => /:\d+$/.test(name)

/** Whether a registry is among those that are named. References choose ports as well: another one is another server. */
const isNamed = (loginServer: string, names: ReadonlyArray<string>): boolean =>
  names
    .map((name) => name.replace(/:443$/, ""))
    .some((name) => (hasPort(name) || !hasPort(loginServer)) && isLoginServerOf(loginServer, [name]))

/** The service of a layer, also of one that can't be built. */
const attempt = <E, R>(layer: Layer.Layer<Credentials, E, R>) =>
  Effect.map(Effect.result(Layer.build(layer)), (built) =>
    Result.isSuccess(built) ? Context.get(built.success, Credentials) : unfit(built.failure)
  )

/**
 * Asks with a credential, or else with another.
 *
 * **Details**
 *
 * One that fails, or whose layer can't be built, is passed over. If none is left, operations fail with
 * `CredentialUnavailable`, whose `passedOver` holds the reason of each. A credential that is there and that the registry
 * refuses is not passed over: the operation fails with `Unauthenticated`.
 *
 * **Example** (A login from the environment, else nobody)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 *
 * const Login = Credentials.layerConfig().pipe(Credentials.orElse(Credentials.layerAnonymous))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const orElse: {
  <E2, R2>(
    that: Layer.Layer<Credentials, E2, R2>
  ): <E, R>(self: Layer.Layer<Credentials, E, R>) => Layer.Layer<Credentials, never, R | R2>
  <E, R, E2, R2>(
    self: Layer.Layer<Credentials, E, R>,
    that: Layer.Layer<Credentials, E2, R2>
  ): Layer.Layer<Credentials, never, R | R2>
} = dual(
  2,
  <E, R, E2, R2>(
    self: Layer.Layer<Credentials, E, R>,
    that: Layer.Layer<Credentials, E2, R2>
  ): Layer.Layer<Credentials, never, R | R2> =>
    Layer.effect(
      Credentials,
      Effect.gen(function* () {
        const first = yield* attempt(self)
        const second = yield* attempt(that)
        return {
          perRegistry: first.perRegistry === true && second.perRegistry === true,
          sameForAll: first.sameForAll === true || second.sameForAll === true,
          get: Effect.fnUntraced(function* (request) {
            const one = yield* Effect.result(first.get(request))
            if (Result.isSuccess(one)) return one.success
            const over = passedOver(one.failure)
            yield* Effect.forEach(over, report, { discard: true })
            const other = yield* Effect.mapError(second.get(request), (failure) =>
              neither(request, one.failure, failure)
            )
            return other._tag === "Anonymous" ? { ...other, passedOver: [...over, ...(other.passedOver ?? [])] } : other
          })
        }
      })
    )
)

const notMeant = (loginServers: ReadonlyArray<string>, loginServer: string) =>
  new CredentialUnavailable({
    credential: "login",
    problem: "NotConfigured",
    description: `it is only for ${loginServers.length === 0 ? "no registry" : loginServers.map(refusedValue).join(", ")}, and not for ${loginServer}`
  })

/**
 * Limits credentials to the registries that are named: hosts with their ports (`127.0.0.1:5000`), hosts with the default
 * port, or the end of such hosts (`.azurecr.io`).
 *
 * **When to use**
 *
 * Use for a password or a token in a program that reaches registries by the names in references, see `Registries`. Several
 * logins, each for its own registries, are put together with `orElse`.
 *
 * **Details**
 *
 * For any other registry the credentials are not requested. They fail with `CredentialUnavailable` whose `problem` is
 * `NotConfigured`, so that `orElse` continues with the next ones.
 *
 * **Gotchas**
 *
 * A name that is not a host (`https://myregistry.azurecr.io`, `ghcr.io/contoso`) fails with `CredentialUnavailable` at every
 * registry. Limit each login before you combine several: around an `orElse`, the first login is there for all registries that
 * are named.
 *
 * The registry is the host that receives the requests. Where a mirror takes the place of a registry, name the mirror if the
 * login is for it.
 *
 * **Example** (A login for each of two registries, and anonymous elsewhere)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import type { Redacted } from "effect"
 *
 * export const login = (password: Redacted.Redacted<string>, token: Redacted.Redacted<string>) =>
 *   Credentials.layerPassword({ username: "myregistry", password }).pipe(
 *     Credentials.onlyFor(["myregistry.azurecr.io"]),
 *     Credentials.orElse(
 *       Credentials.layerPassword({ username: "contoso", password: token }).pipe(Credentials.onlyFor(["ghcr.io"]))
 *     ),
 *     Credentials.orElse(Credentials.layerAnonymous)
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const onlyFor: {
  (loginServers: ReadonlyArray<string>): <E, R>(self: Layer.Layer<Credentials, E, R>) => Layer.Layer<Credentials, E, R>
  <E, R>(self: Layer.Layer<Credentials, E, R>, loginServers: ReadonlyArray<string>): Layer.Layer<Credentials, E, R>
} = dual(
  2,
  <E, R>(self: Layer.Layer<Credentials, E, R>, loginServers: ReadonlyArray<string>): Layer.Layer<Credentials, E, R> =>
    Layer.effect(
      Credentials,
      Effect.map(Layer.build(self), (built) => {
        const { get, perRegistry } = Context.get(built, Credentials)
        const odd = loginServers.find((name) => !isHostName(name))
        return {
          perRegistry: perRegistry === true,
          get: (request: CredentialRequest) => {
            if (odd !== undefined) return Effect.fail(noHost(odd))
            return isNamed(request.loginServer, loginServers)
              ? get(request)
              : Effect.fail(notMeant(loginServers, request.loginServer))
          }
        }
      })
    )
)

/**
 * What became of credentials that were tried in order: `used` for the first that is there, `failed` for those before it, and
 * `notReached` for those after it, which were not requested.
 *
 * @category models
 * @since 0.1.0
 */
export type Attempt =
  | {
      readonly _tag: "Used"
      /** The credential that is there. */
      readonly credential: Credential
    }
  | {
      readonly _tag: "Failed"
      /** Why it is not there. */
      readonly failure: CredentialUnavailable
    }
  | { readonly _tag: "NotReached" }

/**
 * Tries credentials in order, as `orElse` does, and returns what became of each: to tell which login a program uses, and
 * why.
 *
 * **Example** (Telling why no login of docker is used)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { DockerConfig } from "@effect-acr/node"
 *
 * const attempts = Credentials.attempts(
 *   { endpoint: "https://myregistry.azurecr.io", loginServer: "myregistry.azurecr.io" },
 *   [DockerConfig.layer, Credentials.layerAnonymous]
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const attempts = <E, R>(
  request: CredentialRequest,
  layers: ReadonlyArray<Layer.Layer<Credentials, E, R>>
): Effect.Effect<ReadonlyArray<Attempt>, never, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const tried: Array<Attempt> = []
      for (const layer of layers) {
        if (tried.some(({ _tag }) => _tag === "Used")) {
          tried.push({ _tag: "NotReached" })
          continue
        }
        const service = yield* attempt(layer)
        tried.push(
          yield* Effect.match(service.get(request), {
            onFailure: (failure): Attempt => ({ _tag: "Failed", failure }),
            onSuccess: (credential): Attempt => ({ _tag: "Used", credential })
          })
        )
      }
      return tried
    })
  )
