/**
 * The logins that container tools keep: `docker login`, `podman login`, `skopeo login`, `az acr login`, `oras login`.
 *
 * **Details**
 *
 * docker's file is looked at first: `config.json` in the folder that `DOCKER_CONFIG` names, else in `~/.docker`. Then
 * podman's: the file that `REGISTRY_AUTH_FILE` names, else `containers/auth.json` in `XDG_RUNTIME_DIR` and in
 * `XDG_CONFIG_HOME` (`~/.config`). The first that has a login for the registry wins. They are read anew each time a login
 * is needed, so that one made in between is found.
 *
 * In a file, the credential helper of the registry (`credHelpers`) comes before that of all registries (`credsStore`),
 * and both before what stands in the file itself (`auths`): an `identitytoken` there is a refresh token, a `registrytoken`
 * an access token. A helper runs for 30 seconds at most, and is killed when its time is up or nobody waits for it any
 * more. Nothing that it prints, and nothing that stands in a file, is repeated in an error, a log or a span.
 *
 * docker's command line documentation, "docker login"; containers-auth.json(5). podman's entries for a part of a registry
 * (`quay.io/project`) are passed over: a login here is for a registry.
 *
 * @since 0.1.0
 */
import { homedir } from "node:os"
import { join } from "node:path"
import * as Credentials from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AuthFile from "./internal/authFile.ts"
import * as CredentialHelper from "./internal/credentialHelper.ts"

/**
 * Which files to look at, and how patiently.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The one file to look at, instead of those that container tools use. */
  readonly path?: string
  /** How long a credential helper may take; 30 seconds if not given. */
  readonly helperTimeout?: Duration.Input
}

const variable = (name: string) => Config.option(Config.NonEmptyString(name))

const variables = Config.all({
  dockerConfig: variable("DOCKER_CONFIG"),
  authFile: variable("REGISTRY_AUTH_FILE"),
  runtime: variable("XDG_RUNTIME_DIR"),
  config: variable("XDG_CONFIG_HOME"),
  home: variable("HOME")
})

/** The files of docker and podman, in the order in which they count. */
const files: Config.Config<ReadonlyArray<string>> = Config.map(
  variables,
  ({ authFile, config, dockerConfig, home, runtime }) => {
    const own = Option.getOrElse(home, homedir)
    const docker = Option.getOrElse(dockerConfig, () => join(own, ".docker"))
    const podman = Option.match(authFile, {
      onSome: (file) => [file],
      onNone: () =>
        [...Option.toArray(runtime), Option.getOrElse(config, () => join(own, ".config"))].map((folder) =>
          join(folder, "containers", "auth.json")
        )
    })
    return [join(docker, "config.json"), ...podman]
  }
)

/** The login of a registry in one file, if it has one. */
const loginIn = Effect.fnUntraced(function* (path: string, loginServer: string, helperTimeout: Duration.Input) {
  const file = yield* AuthFile.read(path)
  if (Option.isNone(file)) return Option.none()
  const name = AuthFile.helperFor(file.value, loginServer)
  const helped =
    name === undefined
      ? Option.none()
      : yield* CredentialHelper.get({ name, server: AuthFile.serverOf(loginServer), timeout: helperTimeout })
  return Option.isSome(helped) ? helped : AuthFile.loginFor(file.value, loginServer)
})

/**
 * Asks with the login that a container tool has for the registry.
 *
 * **Details**
 *
 * Fails with `CredentialUnavailable`: `NotConfigured` if there is no login, or no such credential helper; `Failed` if a
 * file can't be read or a helper fails; `TimedOut` if a helper does not answer.
 *
 * **Example** (The file that a pipeline was given, and nothing else)
 *
 * ```ts
 * import { DockerConfig } from "@effect-acr/node"
 *
 * const Login = DockerConfig.layerOptions({ path: "/run/secrets/config.json", helperTimeout: "10 seconds" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options: Options = {}): Layer.Layer<Credentials.Credentials, Config.ConfigError> => {
  const { helperTimeout = "30 seconds", path } = options
  return Layer.effect(
    Credentials.Credentials,
    Effect.gen(function* () {
      const services = yield* Effect.context<Layer.Success<typeof NodeServices.layer>>()
      const paths = path === undefined ? yield* files : [path]
      return {
        get: ({ loginServer }) =>
          Effect.gen(function* () {
            for (const one of paths) {
              const login = yield* loginIn(one, loginServer, helperTimeout)
              if (Option.isSome(login)) return login.value
            }
            return yield* new CredentialUnavailable({
              credential: "docker configuration",
              problem: "NotConfigured",
              description: `there is no login for ${loginServer} in ${paths.join(", ")}`
            })
            // The operation's own logger, tracer and clock; the layer's services.
          }).pipe(Effect.updateContext((own: Context.Context<never>) => Context.merge(services, own)))
      }
    })
  ).pipe(Layer.provide(NodeServices.layer))
}

/**
 * `layerOptions` with nothing set.
 *
 * **Example** (The login of `docker login`, else nobody)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { DockerConfig } from "@effect-acr/node"
 *
 * const Login = DockerConfig.layer.pipe(Credentials.orElse(Credentials.layerAnonymous))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Credentials.Credentials, Config.ConfigError> = layerOptions()
