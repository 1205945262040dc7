/**
 * Erases a login where docker stores logins.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { dryRunFlag, outcome } from "../dryRun.ts"
import * as Login from "../login.ts"
import * as Output from "../output.ts"
import * as Program from "../program.ts"
import { table } from "../table.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({
  registry: Schema.String,
  /** The files and credential helpers that had the login. Empty if there was none. */
  places: Schema.Array(Schema.String),
  /** The place of another login, which is used from now on. */
  remaining: Schema.optionalKey(Schema.String),
  isDryRun: Schema.Boolean
})

/** The place of the login that is used for a registry. */
const placeOf = Effect.fnUntraced(function* (request: Credentials.CredentialRequest) {
  const [attempt] = yield* Credentials.attempts(request, [DockerConfig.layer])
  if (attempt?._tag !== "Used" || attempt.credential._tag === "Anonymous") return undefined
  return attempt.credential.source
})

const program = (registry: string): Program.Program => ({
  imports: { "@effect-acr/node": ["DockerConfig"] },
  lines: [`yield* DockerConfig.erase(${Program.literal(registry)})`]
})

export const logout = Command.make(
  "logout",
  {
    registry: Argument.String("registry").pipe(Argument.withDescription("The registry: myregistry.azurecr.io")),
    dryRun: dryRunFlag
  },
  ({ dryRun, registry }) =>
    Verb.answer(
      { what: `log out from ${registry}`, program: program(registry), isDryRun: dryRun },
      Effect.gen(function* () {
        const { endpoint, loginServer } = yield* Login.conversation(registry)
        const request = { endpoint, loginServer }
        // Fails as erasing would if docker's file cannot be read.
        if (dryRun) yield* DockerConfig.keeper(loginServer)
        const before = yield* placeOf(request)
        const places = dryRun ? (before === undefined ? [] : [before]) : yield* DockerConfig.erase(loginServer)
        const remaining = dryRun ? undefined : yield* placeOf(request)
        if (remaining !== undefined) yield* Output.tell(`warning: there is another login in ${remaining}`)
        return Answer.make(
          document,
          {
            registry: loginServer,
            places,
            ...(remaining === undefined ? {} : { remaining }),
            isDryRun: dryRun
          },
          {
            text: (view) =>
              table(
                view,
                ["outcome", "registry", "place"],
                places.length === 0
                  ? [["absent", loginServer, ""]]
                  : places.map((place) => [outcome(dryRun, "erased"), loginServer, place])
              )
          }
        )
      })
    )
).pipe(
  Verb.described({
    does: "Erase the stored login of a registry",
    examples: [{ command: "eacr logout myregistry.azurecr.io", description: "Log out from a registry" }]
  })
)
