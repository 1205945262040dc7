/**
 * The logins that container tools store: `docker login`, `podman login`, `skopeo login`, `az acr login`, `oras login`.
 *
 * **Details**
 *
 * The first of these that has a login for the registry wins:
 *
 * 1. the content of `DOCKER_AUTH_CONFIG`, as docker and GitLab read it;
 * 2. docker's file: `config.json` in the folder that `DOCKER_CONFIG` names, otherwise in `~/.docker`;
 * 3. podman's file: the one that `REGISTRY_AUTH_FILE` names, otherwise `containers/auth.json` in `XDG_RUNTIME_DIR` and in
 *    `XDG_CONFIG_HOME` (`~/.config`);
 * 4. `~/.dockercfg`, whose format has no `auths`. The other files may have that format too.
 *
 * Files are read each time a login is needed, so a new login is found without a restart.
 *
 * In a file, the credential helper of the registry (`credHelpers`) comes before that of all registries (`credsStore`),
 * and both come before the entries of the file itself (`auths`). There, an `identitytoken` is a refresh token and a
 * `registrytoken` an access token. A helper runs for at most 30 seconds. It is killed at the timeout, or when the
 * operation is interrupted. If it is not installed, the search continues in the file; if it fails, the search ends. The
 * output of a helper and the content of a file never appear in an error, a log or a span.
 *
 * A key of `auths` may name a path, such as `registry.example.com/team`, as in podman and the kubelet: it applies to
 * the repositories below it, and the longest path wins. As in the kubelet, `*` matches a label of the host or a part of
 * one: `*.example.com`. Keys without `*` come first. An invalid entry does not affect the others.
 *
 * `store` and `erase` change docker's file alone, and the helper that it names.
 *
 * Sources: docker's command line documentation, "docker login"; containers-auth.json(5); Kubernetes, "Images".
 *
 * @since 0.1.0
 */
import { homedir } from "node:os"
import { join } from "node:path"
import * as Credentials from "@effect-acr/client/Credentials"
import { printable } from "@effect-acr/client/Printable"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as AuthFile from "./internal/authFile.ts"
import * as CredentialHelper from "./internal/credentialHelper.ts"
import * as HungHelpers from "./internal/hungHelpers.ts"
import * as RegistryKey from "./internal/registryKey.ts"

/**
 * Which file to read, and how long a credential helper may take.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The only file to use, instead of the variable and the files of container tools. */
  readonly path?: string
  /** The timeout of a credential helper. Defaults to 30 seconds. */
  readonly helperTimeout?: Duration.Input
}

const variable = (name: string) => Config.option(Config.NonEmptyString(name))

/** The path of docker's file. */
const dockerFile: Config.Config<string> = Config.map(
  Config.all([variable("DOCKER_CONFIG"), variable("HOME")]),
  ([folder, home]) =>
    join(
      Option.getOrElse(folder, () => join(Option.getOrElse(home, homedir), ".docker")),
      "config.json"
    )
)

const variables = Config.all({
  authConfig: Config.option(Config.Redacted("DOCKER_AUTH_CONFIG")),
  dockerFile,
  authFile: variable("REGISTRY_AUTH_FILE"),
  runtime: variable("XDG_RUNTIME_DIR"),
  config: variable("XDG_CONFIG_HOME"),
  home: variable("HOME")
})

/** A place that may hold logins. */
interface Source {
  /** Its name in errors: a path, or the name of a variable. */
  readonly name: string
  /** Reads it. Returns none if it does not exist. */
  readonly read: Effect.Effect<Option.Option<AuthFile.AuthFile>, CredentialUnavailable, FileSystem.FileSystem>
}

const fileAt = (path: string): Source => ({ name: path, read: AuthFile.read(path) })

/** The variable and the files of docker and podman, in order of precedence. */
const everywhere: Config.Config<ReadonlyArray<Source>> = Config.map(
  variables,
  ({ authConfig, authFile, config, dockerFile, home, runtime }) => {
    const own = Option.getOrElse(home, homedir)
    const podman = Option.match(authFile, {
      onSome: (file) => [file],
      onNone: () =>
        [...Option.toArray(runtime), Option.getOrElse(config, () => join(own, ".config"))].map((folder) =>
          join(folder, "containers", "auth.json")
        )
    })
    const inVariable = Option.map(authConfig, (content): Source => {
      const name = "DOCKER_AUTH_CONFIG"
      return { name, read: Effect.asSome(AuthFile.parse(name, Redacted.value(content))) }
    })
    return [...Option.toArray(inVariable), ...[dockerFile, ...podman, join(own, ".dockercfg")].map(fileAt)]
  }
)

/** How credential helpers are called. */
interface Helpers {
  readonly timeout: Duration.Input
  readonly calls: HungHelpers.Calls
}

/** The login that the credential helper of a file has, if there is a helper. */
const helped = (file: AuthFile.AuthFile, loginServer: string, { calls, timeout }: Helpers) => {
  const name = AuthFile.helperFor(file, loginServer)
  return name === undefined
    ? Effect.succeedNone
    : calls(name, CredentialHelper.get({ name, server: RegistryKey.serverOf(loginServer), timeout }))
}

/** Whether a source has logins for parts of a registry. An unreadable source is reported by the search for a login. */
const hasParts = ({ read }: Source) =>
  Effect.match(read, { onFailure: () => false, onSuccess: Option.exists(AuthFile.hasParts) })

/** Runs one step of the search. Its failure may be passed over without ending the search. */
const attempted = <A, R>(
  search: Effect.Effect<Option.Option<A>, CredentialUnavailable, R>,
  isPassedOver: (failure: CredentialUnavailable) => boolean,
  passedOver: Array<CredentialUnavailable>
) =>
  Effect.catchIf(search, isPassedOver, (failure) => {
    passedOver.push(failure)
    return Effect.succeedNone
  })

/**
 * Finds the login of the first source that has one.
 *
 * A helper that is not installed and an entry that cannot be read are passed over, and become the failure if there is
 * no other login. A helper that fails ends the search: if a locked keychain were passed over, the program would
 * continue with another user's login.
 */
const search = Effect.fnUntraced(function* (
  sources: ReadonlyArray<Source>,
  { loginServer, repository }: Credentials.CredentialRequest,
  helpers: Helpers
) {
  const passedOver: Array<CredentialUnavailable> = []
  for (const { name, read } of sources) {
    const file = yield* read
    if (Option.isNone(file)) continue
    const byHelper = yield* attempted(
      helped(file.value, loginServer, helpers),
      ({ problem }) => problem === "NotConfigured",
      passedOver
    )
    if (Option.isSome(byHelper)) return byHelper.value
    const inFile = yield* attempted(
      AuthFile.loginFor(file.value, { loginServer, repository, source: name }),
      () => true,
      passedOver
    )
    if (Option.isSome(inFile)) return inFile.value
  }
  return yield* (
    passedOver[0] ??
    new CredentialUnavailable({
      credential: "docker configuration",
      problem: "NotConfigured",
      description: `there is no login for ${loginServer} in ${sources.map(({ name }) => name).join(", ")}`
    })
  )
})

/**
 * `layer` with options: a single file, or another timeout of credential helpers.
 *
 * **Details**
 *
 * Fails with `CredentialUnavailable`: `NotConfigured` if there is no login, or if the credential helper is not
 * installed; `Failed` if a file or the entry of the registry cannot be read, or if a helper fails; `TimedOut` if a
 * helper does not answer in time. Such a helper is called again after a minute at the earliest.
 *
 * The layer checks when it is built whether there are logins for parts of a registry (`registry.example/team`). If
 * there are none, one login is used for all repositories.
 *
 * **Example** (Only the file of a pipeline)
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
  const { helperTimeout: timeout = "30 seconds", path } = options
  return Layer.effect(
    Credentials.Credentials,
    Effect.gen(function* () {
      const services = yield* Effect.context<Layer.Success<typeof NodeServices.layer>>()
      const calls = yield* HungHelpers.make
      const sources = path === undefined ? yield* everywhere : [fileAt(path)]
      return {
        // Without logins for parts of a registry, a helper runs once for the registry and not for each repository.
        perRegistry: !(yield* Effect.forEach(sources, hasParts)).includes(true),
        get: (request) =>
          search(sources, request, { calls, timeout }).pipe(
            // The operation's own logger, tracer and clock; the layer's services.
            Effect.updateContext((own: Context.Context<never>) => Context.merge(services, own))
          )
      }
    })
  ).pipe(Layer.provide(NodeServices.layer))
}

/**
 * Logs in with the login that a container tool has stored for the registry.
 *
 * **When to use**
 *
 * Use in tools that people run after `docker login` or `az acr login`, and in CI jobs with a docker configuration. In
 * services on Azure, use `AzureCredentials` of `@effect-acr/azure-identity`.
 *
 * **Example** (The login of `docker login`, otherwise anonymous)
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

/**
 * Why a login could not be stored or erased.
 *
 * @category errors
 * @since 0.1.0
 */
export class LoginStoreError extends Schema.TaggedError<LoginStoreError>(
  "@effect-acr/node/DockerConfig/LoginStoreError"
)("LoginStoreError", {
  /** The file, or the credential helper. */
  place: Schema.String,
  /**
   * What happened: `InvalidFile` if the file is not JSON as container tools write it (the file is not changed);
   * `FileFailed` if it cannot be read or written; `HelperMissing` if the credential helper that the file names is not
   * installed; `HelperFailed` if the helper fails; `TimedOut` if the helper does not end in time.
   */
  problem: Schema.Literals(["InvalidFile", "FileFailed", "HelperMissing", "HelperFailed", "TimedOut"]),
  /** The problem, as a text for humans. */
  description: Schema.String,
  /** The code of the operating system if it refused the file: `EACCES`, `EROFS`. The message ends with it. */
  code: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return printable(`${this.place}: ${AuthFile.shown(this)}`)
  }
}

/**
 * Where a login was stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored {
  /** The path of the file, or the program of the credential helper, `docker-credential-pass`. */
  readonly place: string
  /** Whether a credential helper keeps the login. The file keeps it in base64, which is not encrypted. */
  readonly isByHelper: boolean
}

const helperProblems = {
  NotConfigured: "HelperMissing",
  Failed: "HelperFailed",
  TimedOut: "TimedOut"
} as const

const helperFailed = ({ credential, description, problem }: CredentialUnavailable) =>
  new LoginStoreError({ place: credential, problem: helperProblems[problem], description })

const fileFailed = (place: string, action: string) => (error: PlatformError) =>
  new LoginStoreError({ place, problem: "FileFailed", ...AuthFile.problemOf(error, action) })

/** Opens docker's file, or the one of the options, to change it. */
const opened = Effect.fnUntraced(function* ({ path }: Options) {
  const place = path ?? (yield* dockerFile)
  const document = yield* Effect.mapError(AuthFile.open(place), fileFailed(place, "read"))
  if (Option.isSome(document)) return { place, document: document.value }
  return yield* new LoginStoreError({
    place,
    problem: "InvalidFile",
    description: "it is not what container tools write, and was left as it is"
  })
})

/** How many times a change is retried because another program changed the file meanwhile. */
const mostChanges = 20

/**
 * Reads the file again and changes it, because it may have changed while a credential helper ran. Nothing is written if
 * the new text is undefined.
 */
const change = Effect.fnUntraced(function* (
  options: Options,
  changed: (document: AuthFile.Document) => string | undefined
) {
  const before = yield* opened(options)
  // A file in a folder that cannot be written is left alone if there is nothing to write.
  if (changed(before.document) === undefined) return
  yield* Effect.mapError(AuthFile.lock(before.place), fileFailed(before.place, "written"))
  for (let count = 0; count < mostChanges; count++) {
    const { document, place } = yield* opened(options)
    const text = changed(document)
    if (text === undefined) return
    if (yield* Effect.mapError(AuthFile.write(document, text), fileFailed(place, "written"))) return
  }
  const { place } = yield* opened(options)
  return yield* new LoginStoreError({
    place,
    problem: "FileFailed",
    description: "other programs keep changing it"
  })
}, Effect.scoped)

/** The helper that a file names for a registry. */
const helperOf = (
  document: AuthFile.Document,
  loginServer: string,
  { helperTimeout = "30 seconds" }: Options
): Option.Option<CredentialHelper.Helper & { readonly server: string }> =>
  Option.map(Option.fromUndefinedOr(AuthFile.helperFor(AuthFile.meaningOf(document), loginServer)), (name) => ({
    name,
    server: RegistryKey.serverOf(loginServer),
    timeout: helperTimeout
  }))

/**
 * Stores the login of a registry where `docker login` does. Docker, podman, skopeo, oras and this library find it
 * there.
 *
 * **Details**
 *
 * If docker's file names a credential helper for the registry, the helper keeps the login, and the file has an empty
 * entry. Otherwise the file keeps the login in base64.
 *
 * Programs with this library change the file one after the other. The file is read again after the helper has run and
 * right before it is replaced, so that changes of other programs are kept. It is replaced as a whole, with its mode and
 * owner. Only the characters of this login change. A new file can be read by its user alone.
 *
 * **Gotchas**
 *
 * The login is not checked: check it before, with `Transport.check`. A login in `DOCKER_AUTH_CONFIG` takes precedence
 * over this one.
 *
 * **Example** (A login for other tools, from an identity of Azure)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { DockerConfig } from "@effect-acr/node"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const { loginServer, password } = yield* registry.login
 *   return yield* DockerConfig.store(loginServer, { _tag: "RefreshToken", token: password })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const store = Effect.fnUntraced(function* (
  loginServer: string,
  login: Credentials.Password | Credentials.RefreshToken,
  options: Options = {}
): Effect.fn.Return<
  Stored,
  Config.ConfigError | LoginStoreError,
  ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem
> {
  const { document, place } = yield* opened(options)
  const helper = helperOf(document, loginServer, options)
  if (Option.isSome(helper)) {
    yield* Effect.mapError(CredentialHelper.store({ ...helper.value, login }), helperFailed)
    yield* change(options, (now) => AuthFile.put(now, loginServer))
  } else yield* change(options, (now) => AuthFile.put(now, loginServer, login))
  return keeperOf(place, helper)
})

const keeperOf = (place: string, helper: ReturnType<typeof helperOf>): Stored =>
  Option.match(helper, {
    onNone: () => ({ place, isByHelper: false }),
    onSome: (found) => ({ place: CredentialHelper.shownName(found), isByHelper: true })
  })

/**
 * Returns where `store` would keep the login of a registry. Writes nothing and runs no helper.
 *
 * Fails with `LoginStoreError` as `store` does if docker's file cannot be read.
 *
 * **Example** (Where logins go)
 *
 * ```ts
 * import { DockerConfig } from "@effect-acr/node"
 * import { Effect } from "effect"
 *
 * const place = Effect.map(DockerConfig.keeper("myregistry.azurecr.io"), ({ place }) => place)
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const keeper = Effect.fnUntraced(function* (
  loginServer: string,
  options: Options = {}
): Effect.fn.Return<Stored, Config.ConfigError | LoginStoreError, FileSystem.FileSystem> {
  const { document, place } = yield* opened(options)
  return keeperOf(place, helperOf(document, loginServer, options))
})

/**
 * Erases the login of a registry from docker's file and from the credential helper that the file names, as `docker
 * logout` does. Returns the places that had one.
 *
 * **Details**
 *
 * Logins for parts of a registry (`registry.example/team`) and for patterns of hosts are kept.
 *
 * **Example** (Logging out)
 *
 * ```ts
 * import { DockerConfig } from "@effect-acr/node"
 *
 * const places = DockerConfig.erase("myregistry.azurecr.io")
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const erase = Effect.fnUntraced(function* (
  loginServer: string,
  options: Options = {}
): Effect.fn.Return<
  ReadonlyArray<string>,
  Config.ConfigError | LoginStoreError,
  ChildProcessSpawner.ChildProcessSpawner | FileSystem.FileSystem
> {
  const { document, place } = yield* opened(options)
  const helper = helperOf(document, loginServer, options)
  const isErased = Option.isSome(helper) && (yield* Effect.mapError(CredentialHelper.erase(helper.value), helperFailed))
  const wasInFile = AuthFile.holdsLogin(document, loginServer)
  yield* change(options, (now) => AuthFile.remove(now, loginServer))
  return [
    ...(Option.isSome(helper) && isErased ? [CredentialHelper.shownName(helper.value)] : []),
    ...(wasInFile ? [place] : [])
  ]
})

/**
 * Lists the registries that the files of container tools name, sorted. Docker Hub is `docker.io`.
 *
 * **When to use**
 *
 * Use to offer the registries that a user works with, in a completion or in a form.
 *
 * **Details**
 *
 * Credential helpers do not run, because docker names the registries of a helper in its file. A file that cannot be
 * read is skipped.
 *
 * **Example** (Print the registries with a login)
 *
 * ```ts
 * import { DockerConfig } from "@effect-acr/node"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.flatMap(DockerConfig.registries, (names) => Effect.forEach(names, (name) => Console.log(name)))
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const registries: Effect.Effect<ReadonlyArray<string>, Config.ConfigError, FileSystem.FileSystem> = Effect.gen(
  function* () {
    const found = yield* Effect.forEach(yield* everywhere, ({ read }) =>
      Effect.match(read, {
        onFailure: () => [],
        onSuccess: Option.match({ onNone: () => [], onSome: AuthFile.registriesIn })
      })
    )
    return Array.from(new Set(found.flat())).toSorted()
  }
)
