/**
 * Credentials for a registry: what to log in with, and how to combine several logins.
 *
 * Every registry layer needs a layer of this service. The transport requests the credential that the registry's
 * challenge asks for, and sends it only to the registry's own origin and to its token service.
 *
 * A credential is plain data. The client requests it when it needs the first token, and again when the registry refuses
 * it or, for an identity of Entra ID, when the registry's own refresh token has expired. So a program that runs for
 * days never uses an expired one.
 *
 * | Layer               | For                                                                    |
 * | ------------------- | ---------------------------------------------------------------------- |
 * | `layerAnonymous`    | what a registry shows to everyone                                      |
 * | `layerPassword`     | ACR's admin user, a scope-map token, an account of any other registry  |
 * | `layerEntra`        | an identity of Entra ID, with tokens that an effect acquires           |
 * | `layerRefreshToken` | a refresh token of the registry, such as one of `az acr login`         |
 * | `layerAccessToken`  | an access token of the registry, which is not renewed                  |
 * | `layerConfig`       | a password or a token from the environment                             |
 * | `orElse`            | one credential, or another if the first is unavailable                 |
 * | `onlyFor`           | a credential that only the named registries receive                    |
 *
 * `AzureCredentials` has the identities of `@azure/identity`, and `DockerConfig` the logins of docker and podman.
 * docs/credentials.md explains the design.
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
 * No credential: for content that a registry shows to everyone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Anonymous {
  readonly _tag: "Anonymous"
  /**
   * The logins that `orElse` passed over before it, and why. If the registry then requires a login, the error names
   * them, because one of them may have been meant.
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
  /** The user name: `myregistry` for the admin user of ACR, the name of the token for a scope-map token. */
  readonly username: string
  /** The password, which is sent only to the registry and its token service. */
  readonly password: Redacted.Redacted<string>
  /** Where the credential was found: a file, a variable, a credential helper. It contains no part of the secret. */
  readonly source?: string
}

/**
 * An access token of Microsoft Entra ID, which ACR exchanges for one of its refresh tokens.
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
   * `[".azurecr.io"]`. For any other registry, operations fail with `Refused`.
   */
  readonly loginServers?: ReadonlyArray<string>
  /** Where the credential was found: a file, a variable, a credential helper. It contains no part of the secret. */
  readonly source?: string
}

/**
 * A refresh token of the registry, as `az acr login --expose-token` prints it, valid for some hours.
 *
 * @category models
 * @since 0.1.0
 */
export interface RefreshToken {
  readonly _tag: "RefreshToken"
  /** The token, which the registry exchanges for access tokens. */
  readonly token: Redacted.Redacted<string>
  /** Where the credential was found: a file, a variable, a credential helper. It contains no part of the secret. */
  readonly source?: string
}

/**
 * An access token of the registry. It is valid only for the scopes it was requested for, and is not renewed.
 *
 * @category models
 * @since 0.1.0
 */
export interface AccessToken {
  readonly _tag: "AccessToken"
  /** The token, which is sent unchanged. */
  readonly token: Redacted.Redacted<string>
  /** Where the credential was found: a file, a variable, a credential helper. It contains no part of the secret. */
  readonly source?: string
}

/**
 * Any credential; `_tag` distinguishes them.
 *
 * @category models
 * @since 0.1.0
 */
export type Credential = Anonymous | Password | EntraToken | RefreshToken | AccessToken

/**
 * The registry, and the repository if there is one, that a credential is requested for.
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
   * The repository of the operation, such as `library/alpine`, if it has one. Docker's configuration can have a login
   * for each repository. For a mount, it is the repository that receives the blob. Absent if `perRegistry` is set.
   */
  readonly repository?: string
  /**
   * The claims that the registry requires of an Entra token, as JSON: a claims challenge of continuous access
   * evaluation. A cached token does not satisfy it.
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
   * Gets the credential for a registry. It runs when a token is needed, and again when the registry refuses the
   * credential. If it fails, its error is the reason with which the waiting operation fails.
   */
  readonly get: (request: CredentialRequest) => Effect.Effect<Credential, CredentialUnavailable>
  /**
   * Whether one credential serves all repositories of a registry. Then it is requested once, not for each repository.
   */
  readonly perRegistry?: boolean
  /**
   * Whether `get` returns the same secret for every registry, as `layerPassword`, `layerRefreshToken`,
   * `layerAccessToken` and `layerConfig` do. `Registries` refuses such credentials, because a reference to a stranger's
   * registry would send the secret there. `onlyFor` limits the secret to named registries and removes this mark. Set it
   * in a custom service that ignores `loginServer`.
   */
  readonly sameForAll?: boolean
}

/**
 * Provides the credentials of a program.
 *
 * **When to use**
 *
 * Most programs use one of the layers of this module. Implement the service to get logins from elsewhere, such as a
 * vault.
 *
 * **Example** (A custom credential from a vault)
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
 * The scope to request Entra tokens for.
 *
 * **Details**
 *
 * ACR's documentation, "Authentication overview": every registry accepts tokens of this scope, also if tokens for Azure
 * Resource Manager are disabled on it.
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
 * Tests whether a login server is among the named ones. A name that begins with a dot matches all hosts that end with
 * it, a name with a port matches the host at that port, and any other name matches that host at any port. `docker.io`
 * means the host of Docker Hub's registry, `registry-1.docker.io`.
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

/** One credential for every registry. An Entra token is sent only to its own `loginServers`. */
const layerOf = (credential: Credential): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, {
    perRegistry: true,
    sameForAll: credential._tag !== "Anonymous" && credential._tag !== "EntraToken",
    get: () => Effect.succeed(credential)
  })

/**
 * Sends no credentials: all requests are anonymous.
 *
 * **When to use**
 *
 * Use for public repositories. A login on Docker Hub raises the limit of pulls.
 *
 * **Gotchas**
 *
 * ACR serves anonymous callers only if anonymous pull is enabled (Standard and Premium). Operations on anything that is
 * not public fail with `Unauthenticated`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAnonymous: Layer.Layer<Credentials> = layerOf({ _tag: "Anonymous" })

/**
 * Logs in with a user name and a password: ACR's admin user, a scope-map token, or an account of any other registry.
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
  /** The user name: `myregistry` for the admin user of ACR, the name of the token for a scope-map token. */
  readonly username: string
  /** The password. */
  readonly password: Redacted.Redacted<string>
}): Layer.Layer<Credentials> => layerOf({ _tag: "Password", username: login.username, password: login.password })

/**
 * Logs in with a refresh token of the registry, as `ContainerRegistry.login` and `az acr login --expose-token` issue
 * it.
 *
 * **Gotchas**
 *
 * Refresh tokens of ACR are valid for about three hours. The client cannot renew one: operations fail once it has
 * expired.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRefreshToken = (token: Redacted.Redacted<string>): Layer.Layer<Credentials> =>
  layerOf({ _tag: "RefreshToken", token })

/**
 * Logs in with an access token of the registry.
 *
 * **Gotchas**
 *
 * The token is valid only for the scopes it was requested for, and the client cannot renew it. An operation that needs
 * another scope fails with `Forbidden`; every operation fails with `Unauthenticated` once the token has expired.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAccessToken = (token: Redacted.Redacted<string>): Layer.Layer<Credentials> =>
  layerOf({ _tag: "AccessToken", token })

/**
 * Logs in with an identity of Entra ID. An effect acquires the access tokens for `entraScope`.
 *
 * **When to use**
 *
 * Use if the program acquires Entra tokens itself. For a managed identity, a service principal or the login of the
 * Azure CLI, use `AzureCredentials` of `@effect-acr/azure-identity`.
 *
 * **Details**
 *
 * The effect runs when the registry needs a token: at first, when the registry's own refresh token expires (after about
 * three hours) and when the registry refuses that one. If it fails, every operation that waits fails with
 * `CredentialUnavailable`, and the next operation runs it again.
 *
 * The token is sent only to registries of Azure's public cloud (`entraLoginServers`). `loginServers` names others:
 * those of a national cloud, `[".azurecr.cn"]`, or a custom domain. For any other registry the effect does not run, and
 * operations fail with `CredentialUnavailable`.
 *
 * **Gotchas**
 *
 * The effect does not receive claims challenges. `AzureCredentials` of `@effect-acr/azure-identity` handles them.
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
 * Reads one credential from the variables `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`, `REGISTRY_REFRESH_TOKEN`, or
 * `REGISTRY_ACCESS_TOKEN`. Fails with a `ConfigError` if there is none or more than one.
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
 * Logs in with the credential of a configuration. Defaults to `config`.
 *
 * **When to use**
 *
 * Use in programs whose login comes from environment variables, such as CI jobs. Wrap it in `orElse` if the variables
 * may be unset.
 *
 * **Example** (Custom variables)
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

/** A credential whose layer could not be built. */
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

/** A credential that was passed over may be the intended one, so the log names it. */
const report = ({ credential, description, problem }: PassedOver): Effect.Effect<void> =>
  (problem === "NotConfigured" ? Effect.logDebug : Effect.logWarning)(
    printable(`${credential} is passed over: ${description}`)
  )

/** The failure of two credentials, each of which may combine several. */
const neither = (
  { loginServer }: CredentialRequest,
  ...failures: ReadonlyArray<CredentialUnavailable>
): CredentialUnavailable => {
  const all = failures.flatMap(passedOver)
  return new CredentialUnavailable({
    credential: all.map(({ credential }) => credential).join(", "),
    problem: all.every(({ problem }) => problem === "NotConfigured") ? "NotConfigured" : "Failed",
    description: `none of ${all.length} credentials is available for ${loginServer}`,
    passedOver: all
  })
}

/** A host, perhaps with a port, or the end of hosts with a dot before it. */
const isHostName = (name: string): boolean =>
  /^\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$|^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$|^\[[0-9a-f:.]+\](?::\d{1,5})?$/i.test(
    name
  )

/**
 * A name that no registry can have would withhold the login from all registries, and the program might continue without
 * it.
 */
const noHost = (name: string): CredentialUnavailable =>
  new CredentialUnavailable({
    credential: "login",
    problem: "Failed",
    description: `"${refusedValue(name)}" is not a host: expected the names of registries, such as myregistry.azurecr.io or .azurecr.io`
  })

const hasPort = (name: string): boolean => /:\d+$/.test(name)

/** Whether a registry is among the named ones. References also choose ports, and another port is another server. */
const isNamed = (loginServer: string, names: ReadonlyArray<string>): boolean =>
  names
    .map((name) => name.replace(/:443$/, ""))
    .some((name) => (hasPort(name) || !hasPort(loginServer)) && isLoginServerOf(loginServer, [name]))

/** The service of a layer, even if the layer cannot be built. */
const attempt = <E, R>(layer: Layer.Layer<Credentials, E, R>) =>
  Effect.map(Effect.result(Layer.build(layer)), (built) =>
    Result.isSuccess(built) ? Context.get(built.success, Credentials) : unfit(built.failure)
  )

/**
 * Uses one credential, or another if the first is unavailable.
 *
 * **When to use**
 *
 * Use to combine logins: a variable in CI, the login of docker on a developer's machine, anonymous otherwise.
 *
 * **Details**
 *
 * A credential that fails, or whose layer cannot be built, is passed over. If none remains, operations fail with
 * `CredentialUnavailable`, whose `passedOver` has the reason of each. A credential that is available but refused by the
 * registry is not passed over: the operation fails with `Unauthenticated`.
 *
 * **Example** (A login from the environment, else anonymous)
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
 * Limits credentials to named registries: hosts with their ports (`127.0.0.1:5000`), hosts with the default port, or
 * the end of such hosts (`.azurecr.io`).
 *
 * **When to use**
 *
 * Use for a password or a token in a program that finds registries by the names in references, see `Registries`.
 * Combine several logins, each for its own registries, with `orElse`.
 *
 * **Details**
 *
 * For any other registry the credentials are not requested. They fail with `CredentialUnavailable` whose `problem` is
 * `NotConfigured`, so that `orElse` continues with the next ones.
 *
 * **Gotchas**
 *
 * A name that is not a host (`https://myregistry.azurecr.io`, `ghcr.io/contoso`) fails with `CredentialUnavailable` at
 * every registry. Limit each login before you combine several: around an `orElse`, the first login is used for all
 * named registries.
 *
 * The registry is the host that receives the requests. If a mirror replaces a registry, name the mirror if the login is
 * for it.
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
 * The outcome of a credential that was tried in order: `used` for the first available one, `failed` for those before
 * it, and `notReached` for those after it, which were not requested.
 *
 * @category models
 * @since 0.1.0
 */
export type Attempt =
  | {
      readonly _tag: "Used"
      /** The credential that is available. */
      readonly credential: Credential
    }
  | {
      readonly _tag: "Failed"
      /** Why the credential is unavailable. */
      readonly failure: CredentialUnavailable
    }
  | { readonly _tag: "NotReached" }

/**
 * Tries credentials in order, as `orElse` does, and returns the outcome of each.
 *
 * **When to use**
 *
 * Use to show which login a program uses, and why.
 *
 * **Example** (Showing why no login of docker is used)
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
