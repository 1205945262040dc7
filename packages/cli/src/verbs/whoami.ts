/**
 * Shows which login is used for a registry, and why.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as TokenScope from "@effect-acr/client/TokenScope"
import type * as Transport from "@effect-acr/client/Transport"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Answer from "../answer.ts"
import { exitCodes } from "../exitCode.ts"
import type { Reading } from "../problem.ts"
import { readingOf } from "../reading.ts"
import * as Login from "../login.ts"
import * as Program from "../program.ts"
import { table } from "../table.ts"
import * as Verb from "../verb.ts"

export const Tried = Schema.Struct({
  /** The kind of login. */
  kind: Schema.String,
  state: Schema.Literals(["used", "not set up", "failed", "not tried"]),
  /** The file, the credential helper or the credential of Azure that it comes from. */
  source: Schema.optionalKey(Schema.String),
  username: Schema.optionalKey(Schema.String),
  /** Why it is not used. */
  why: Schema.optionalKey(Schema.String)
})

type Tried = typeof Tried.Type

export const document = Answer.document({
  registry: Schema.String,
  /** In the order in which they are tried. */
  logins: Schema.Array(Tried),
  /** What the registry says of the login, or of a caller without one. Absent if no login could be read. */
  check: Schema.optionalKey(
    Schema.Struct({
      /** Absent if the registry does not say, because it cannot be reached or fails. */
      isAccepted: Schema.optionalKey(Schema.Boolean),
      why: Schema.optionalKey(Schema.String)
    })
  ),
  /** The permissions in the access token of the registry. Absent if the registry uses no such tokens. */
  token: Schema.optionalKey(
    Schema.Struct({
      subject: Schema.optionalKey(Schema.String),
      expiresAt: Schema.optionalKey(Schema.DateTimeUtcFromString),
      access: Schema.Array(
        Schema.Struct({ type: Schema.String, name: Schema.String, actions: Schema.Array(Schema.String) })
      )
    })
  )
})

type Document = Omit<typeof document.Type, "version">

const used = (kind: string, credential: Credentials.Credential): Tried => ({
  kind,
  state: "used",
  ...(credential._tag === "Anonymous" || credential.source === undefined ? {} : { source: credential.source }),
  ...(credential._tag === "Password" ? { username: credential.username } : {})
})

/** Describes the outcome of a login. */
export const triedOf = (kind: string, attempt: Credentials.Attempt): Tried => {
  switch (attempt._tag) {
    case "Used":
      return used(kind, attempt.credential)
    case "Failed":
      return {
        kind,
        state: attempt.failure.problem === "NotConfigured" ? "not set up" : "failed",
        why: attempt.failure.message
      }
    case "NotReached":
      return { kind, state: "not tried" }
  }
}

/** A login as cells: its kind, its outcome, and where it comes from or why it is not used. */
export const cellsOf = ({ kind, source, state, username, why }: Tried): ReadonlyArray<string> => [
  kind,
  state,
  [username, source, why?.split("\n").join("; ")].filter((part) => part !== undefined).join(", ")
]

const tokenRows = (token: NonNullable<Document["token"]>): ReadonlyArray<ReadonlyArray<string>> => [
  ...(token.subject === undefined ? [] : [["token", "of", token.subject]]),
  ...(token.expiresAt === undefined ? [] : [["token", "valid until", DateTime.formatIso(token.expiresAt)]]),
  ...token.access.map(({ actions, name, type }) => ["token", "allows", `${type} ${name}: ${actions.join(", ")}`])
]

const verdictOf = (isAccepted: boolean | undefined): string => {
  if (isAccepted === undefined) return "does not say"
  return isAccepted ? "accepts it" : "does not accept it"
}

const checkRows = ({ isAccepted, why = "" }: NonNullable<Document["check"]>): ReadonlyArray<ReadonlyArray<string>> => [
  ["registry", verdictOf(isAccepted), why]
]

const answerOf = (value: Document, code: Answer.Answer["code"]): Answer.Answer =>
  Answer.make(document, value, {
    text: (view) =>
      table(
        view,
        ["login", "state", "detail"],
        [
          ...value.logins.map(cellsOf),
          ...(value.check === undefined ? [] : checkRows(value.check)),
          ...(value.token === undefined ? [] : tokenRows(value.token))
        ]
      ),
    quiet: value.logins.filter(({ state }) => state === "used").map(({ kind }) => kind),
    code: code ?? exitCodes.done
  })

const tokenOf = ({ access, expiresAt, subject }: Transport.Access): NonNullable<Document["token"]> => ({
  access,
  ...(Option.isSome(subject) ? { subject: subject.value } : {}),
  ...(Option.isSome(expiresAt) ? { expiresAt: expiresAt.value } : {})
})

/** The scopes to request a token for. A registry grants the part of them that the login has. */
const scopesFor = (repository: string | undefined): ReadonlyArray<TokenScope.TokenScope> =>
  repository === undefined
    ? []
    : [TokenScope.repository(repository, "pull", "push", "delete", "metadata_read", "metadata_write")]

const failed = ({ code, why }: Reading): NonNullable<Document["check"]> => ({
  ...(code === exitCodes.denied ? { isAccepted: false } : {}),
  why: why.split("\n").join("; ")
})

const program = (registry: string): Program.Program => ({
  imports: {
    [Program.client]: ["Credentials"],
    "@effect-acr/azure-identity": ["AzureCredentials"],
    "@effect-acr/node": ["DockerConfig"],
    [Program.effect]: ["Console"]
  },
  lines: [
    "const attempts = yield* Credentials.attempts(",
    `  { endpoint: ${Program.literal(`https://${registry}`)}, loginServer: ${Program.literal(registry)} },`,
    "  [DockerConfig.layer, AzureCredentials.layerDefault, Credentials.layerAnonymous]",
    ")",
    "for (const { _tag } of attempts) yield* Console.log(_tag)"
  ]
})

/** Imported late, because it loads the HTTP client. */
const connection = Effect.promise(() => import("../connection.ts"))

/** Checks the login with a registry, and returns whether it requires one. A registry that requires none accepts any. */
const asked = Effect.fnUntraced(function* (registry: string, repository: string | undefined) {
  const Connection = yield* connection
  let isWanted = false
  const watched = Layer.effect(
    Credentials.Credentials,
    Effect.map(Credentials.Credentials, (service) => ({
      ...service,
      get: (request: Credentials.CredentialRequest) => {
        isWanted = true
        return service.get(request)
      }
    }))
  ).pipe(Layer.provide(Login.layer))
  const token = yield* Login.conversation(registry).pipe(
    Effect.flatMap(({ access, check }) => Effect.andThen(check, access(scopesFor(repository)))),
    Effect.provide(Connection.registriesWith(watched))
  )
  return { token, isWanted }
})

export const whoami = Command.make(
  "whoami",
  {
    registry: Argument.String("registry").pipe(Argument.withDescription("The registry: myregistry.azurecr.io")),
    repository: Flag.String("repository").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Also show the permissions that the registry grants on this repository"),
      Flag.optional
    )
  },
  ({ registry, repository }) =>
    Verb.answer(
      { what: `find the login for ${registry}`, program: program(registry) },
      Effect.gen(function* () {
        const { endpoint, loginServer } = yield* Login.conversation(registry)
        const name = Option.getOrUndefined(repository)
        const tried = yield* Login.attempts({
          endpoint,
          loginServer,
          ...(name === undefined ? {} : { repository: name })
        })
        const value = { registry: loginServer, logins: tried.map(({ attempt, name }) => triedOf(name, attempt)) }
        if (!tried.some(({ attempt }) => attempt._tag === "Used")) return answerOf(value, exitCodes.done)
        const found = yield* Effect.result(asked(registry, name))
        if (Result.isFailure(found)) {
          const reading = readingOf(found.failure)
          return answerOf({ ...value, check: failed(reading) }, reading.code)
        }
        const { isWanted, token } = found.success
        return answerOf(
          {
            ...value,
            check: { isAccepted: true, ...(isWanted ? {} : { why: "it requires no login, and did not check one" }) },
            ...(Option.isSome(token) ? { token: tokenOf(token.value) } : {})
          },
          exitCodes.done
        )
      })
    )
).pipe(
  Verb.described({
    does: "Show which login is used for a registry and why, and what it is allowed to do",
    examples: [
      {
        command: "eacr whoami myregistry.azurecr.io",
        description: "Show whether docker's login, Azure's or none is used"
      }
    ]
  })
)
