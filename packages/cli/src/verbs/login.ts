/**
 * Checks a login and stores it where docker stores logins.
 */
import * as AzureCredentials from "@effect-acr/azure-identity/AzureCredentials"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Answer from "../answer.ts"
import { ask } from "../confirm.ts"
import { dryRunFlag, outcome } from "../dryRun.ts"
import { WrongCall } from "../problem.ts"
import * as Login from "../login.ts"
import * as Output from "../output.ts"
import * as Program from "../program.ts"
import { settings } from "../settings.ts"
import { pairs } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  registry: Schema.String,
  /** The user name. Absent for an identity of Azure. */
  username: Schema.optionalKey(Schema.String),
  /** The file or the credential helper that stores the login, or would with `--dry-run`. */
  place: Schema.String,
  /** Whether a credential helper stores it. A file is not encrypted. */
  isByHelper: Schema.Boolean,
  /** Whether the registry requires a login. One that requires none accepts any. */
  isChecked: Schema.Boolean,
  /** When the login expires, if known. */
  expiresAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
  isDryRun: Schema.Boolean
})

/** A login that the registry accepted. */
interface Accepted {
  readonly credential: Credentials.Password | Credentials.RefreshToken
  readonly expiresAt: Option.Option<DateTime.Utc>
  readonly isChecked: boolean
}

const noTerminal = (help: string) => new WrongCall({ description: `there is no terminal to ask on: ${help}` })

/** Removes the line end that `echo` and editors add to a password, and no other character. */
const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, "")

/** Decodes a password as UTF-8. Replacing invalid bytes by U+FFFD would change the password. */
const passwordIn = (bytes: ReadonlyArray<Uint8Array>): Effect.Effect<string, WrongCall> =>
  Effect.try({
    try: () => {
      const decoder = new TextDecoder("utf-8", { fatal: true })
      return bytes.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode()
    },
    catch: () => new WrongCall({ description: "the password on standard input is not UTF-8" })
  })

const hidden = (message: string) => ask(Prompt.Hidden({ message }))

const passwordFrom = Effect.fnUntraced(function* (username: string, isFromStdin: boolean) {
  const { stdin, stdinIsTerminal } = yield* Stdio.Stdio
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (isFromStdin && !(yield* stdinIsTerminal)) {
    return Redacted.make(withoutLineEnd(yield* passwordIn(yield* Stream.runCollect(stdin))))
  }
  if (!canPrompt) return yield* noTerminal("--password-stdin reads the password from standard input")
  return yield* hidden(`Password of ${username}`)
})

/** The user name and the password of a call, which are read before anything is sent. */
const passwordOf = Effect.fnUntraced(function* (name: Option.Option<string>, isFromStdin: boolean) {
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (Option.isNone(name) && isFromStdin) {
    return yield* new WrongCall({ description: "--password-stdin needs a user name: -u NAME" })
  }
  if (Option.isNone(name) && !canPrompt) return yield* noTerminal("use -u NAME --password-stdin")
  const username = Option.isSome(name) ? name.value : yield* ask(Prompt.String({ message: "User name" }))
  if (username === "" || username.includes(":")) {
    return yield* new WrongCall({ description: "a user name is not empty, and has no colon" })
  }
  const password = yield* passwordFrom(username, isFromStdin)
  if (Redacted.value(password) === "") return yield* new WrongCall({ description: "the password is empty" })
  return { username, password }
})

/** Imported late, because it loads the HTTP client. */
const connection = Effect.promise(() => import("../connection.ts"))

/** Checks a password with the registry, the only server that receives it. */
const accepted = Effect.fnUntraced(function* (
  loginServer: string,
  login: { readonly username: string; readonly password: Redacted.Redacted<string> }
) {
  const Connection = yield* connection
  let isChecked = false
  const credentials = Layer.succeed(Credentials.Credentials, {
    perRegistry: true,
    get: () => {
      isChecked = true
      return Effect.succeed<Credentials.Credential>({ _tag: "Password", ...login })
    }
  })
  yield* Effect.flatMap(Login.conversation(loginServer), ({ check }) => check).pipe(
    Effect.provide(Connection.registriesWith(Credentials.onlyFor(credentials, [loginServer])))
  )
  return { credential: { _tag: "Password", ...login }, expiresAt: Option.none(), isChecked } satisfies Accepted
})

/** Exchanges an identity of Azure for a refresh token of the registry. */
const exchanged = Effect.fnUntraced(function* (loginServer: string) {
  const Connection = yield* connection
  const { expiresAt, password } = yield* ContainerRegistry.ContainerRegistry.pipe(
    Effect.provide(Registries.layerFor(loginServer)),
    Effect.flatMap(({ login }) => login),
    Effect.provide(Connection.registriesWith(AzureCredentials.layerDefault))
  )
  return { credential: { _tag: "RefreshToken", token: password }, expiresAt, isChecked: true } satisfies Accepted
})

const notEncrypted = (place: string) =>
  `warning: the login in ${place} is not encrypted. A credential helper (credsStore in that file) keeps it encrypted`

const notChecked = (loginServer: string) => `warning: ${loginServer} requires no login, and did not check this one`

const store = Effect.fnUntraced(function* (
  loginServer: string,
  { credential, expiresAt, isChecked }: Accepted,
  isDryRun: boolean
) {
  const { isQuiet } = yield* settings
  if (!isChecked) yield* Output.tell(notChecked(loginServer))
  const { isByHelper, place } = isDryRun
    ? yield* DockerConfig.keeper(loginServer)
    : yield* DockerConfig.store(loginServer, credential)
  if (!isDryRun && !isByHelper && !isQuiet) yield* Output.tell(notEncrypted(place))
  return {
    registry: loginServer,
    ...(credential._tag === "Password" ? { username: credential.username } : {}),
    place,
    isByHelper,
    isChecked,
    ...(Option.isSome(expiresAt) ? { expiresAt: expiresAt.value } : {}),
    isDryRun
  }
})

const answerOf = (login: Omit<typeof document.Type, "version">): Answer.Answer =>
  Answer.make(document, login, {
    text: (view) =>
      pairs(view, [
        ["registry", login.registry],
        ["login", login.username ?? "identity of Azure"],
        [outcome(login.isDryRun, "stored in"), login.place],
        ...(login.expiresAt === undefined
          ? []
          : [["valid until", DateTime.formatIso(login.expiresAt)] satisfies readonly [string, string]])
      ])
  })

/** The registry with one login and no other. */
const registryWith = (registry: string, credentials: string): ReadonlyArray<string> => [
  `const registry = Registry.layer({ endpoint: ${Program.literal(registry)} }).pipe(`,
  `  Layer.provide([${credentials}, NodeRegistryHttpClient.layer])`,
  ")"
]

const azureProgram = (registry: string): Program.Program => ({
  imports: {
    "@effect-acr/azure-identity": ["AzureCredentials"],
    [Program.client]: ["ContainerRegistry", "Registry"],
    "@effect-acr/node": ["DockerConfig", "NodeRegistryHttpClient"],
    [Program.effect]: ["Layer"]
  },
  lines: [
    ...registryWith(registry, "AzureCredentials.layerDefault"),
    "const { loginServer, password } = yield* Effect.provide(",
    "  ContainerRegistry.ContainerRegistry.use(({ login }) => login),",
    "  registry",
    ")",
    'yield* DockerConfig.store(loginServer, { _tag: "RefreshToken", token: password })'
  ]
})

const passwordProgram = (registry: string, name: Option.Option<string>): Program.Program => ({
  imports: {
    [Program.client]: ["Credentials", "Registry", "Transport"],
    "@effect-acr/node": ["DockerConfig", "NodeRegistryHttpClient"],
    [Program.effect]: ["Config", "Layer"]
  },
  lines: [
    `const username = ${Option.isSome(name) ? Program.literal(name.value) : 'yield* Config.String("USERNAME")'}`,
    'const password = yield* Config.Redacted("PASSWORD")',
    ...registryWith(registry, "Credentials.layerPassword({ username, password })"),
    "yield* Effect.provide(Transport.Transport.use(({ check }) => check), registry)",
    `yield* DockerConfig.store(${Program.literal(registry)}, { _tag: "Password", username, password })`
  ]
})

export const login = Command.make(
  "login",
  {
    registry: Argument.String("registry").pipe(Argument.withDescription("The registry: myregistry.azurecr.io")),
    username: Flag.String("username").pipe(
      Flag.withAlias("u"),
      Flag.withMetavar("NAME"),
      Flag.withDescription(
        "The user name. Required by --password-stdin. Defaults to the identity of Azure on registries of Azure; on others, you are asked for it"
      ),
      Flag.optional
    ),
    passwordStdin: Flag.Boolean("password-stdin").pipe(
      Flag.withDescription("Read the password from standard input. Requires -u NAME"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    ),
    dryRun: dryRunFlag
  },
  ({ dryRun, passwordStdin, registry, username }) => {
    const isByAzure = Option.isNone(username) && !passwordStdin && Login.isOfAzure(registry)
    return Verb.answer(
      {
        what: `log in to ${registry}`,
        program: isByAzure ? azureProgram(registry) : passwordProgram(registry, username),
        isDryRun: dryRun
      },
      Effect.gen(function* () {
        const { loginServer } = yield* Login.conversation(registry)
        const found: Accepted = isByAzure
          ? yield* exchanged(loginServer)
          : yield* accepted(loginServer, yield* passwordOf(username, passwordStdin))
        return answerOf(yield* store(loginServer, found, dryRun))
      })
    )
  }
).pipe(
  Verb.described({
    does: "Check a login with the registry and store it for docker and other tools. The identity of Azure is stored as a token of the registry, valid for three hours",
    examples: [
      {
        command: "eacr login myregistry.azurecr.io",
        description: "Log in with the identity of Azure: az login or a managed identity"
      },
      {
        command: "eacr login ghcr.io -u octocat --password-stdin < token",
        description: "Log in with a user name and a password"
      }
    ]
  })
)
