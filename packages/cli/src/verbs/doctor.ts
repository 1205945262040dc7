/**
 * Checks what is needed to work with a registry, step by step.
 */
import type * as Diagnosis from "@effect-acr/node/Diagnosis"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { printable } from "@effect-acr/client/Printable"
import * as Answer from "../answer.ts"
import { type ExitCode, exitCodes } from "../exitCode.ts"
import { Ended, WrongCall } from "../problem.ts"
import { readingOf } from "../reading.ts"
import { ofConnection } from "../readings/registry.ts"
import * as Login from "../login.ts"
import * as Program from "../program.ts"
import { settings } from "../settings.ts"
import type { View } from "../table.ts"
import * as Verb from "../verb.ts"
import { cellsOf, triedOf } from "./whoami.ts"

const Step = Schema.Struct({
  name: Schema.String,
  outcome: Schema.Literals(["ok", "failed", "skipped"]),
  facts: Schema.Array(Schema.String),
  why: Schema.optionalKey(Schema.String),
  advice: Schema.optionalKey(Schema.String)
})

type Step = typeof Step.Type

export const document = Answer.document({ registry: Schema.String, steps: Schema.Array(Step) })

const encodeStep = Schema.encodeUnknownEffect(Schema.fromJsonString(Step))

/** Steps that fail without an error of a request. */
const codes: Partial<Record<Diagnosis.StepName, ExitCode>> = {
  name: exitCodes.unavailable,
  connection: exitCodes.unavailable,
  clock: exitCodes.unexpected,
  token: exitCodes.denied
}

const codeOf = ({ error, name }: Diagnosis.Step): ExitCode =>
  error === undefined ? (codes[name] ?? exitCodes.unexpected) : readingOf(error).code

const documented = ({ advice, facts, name, outcome, why }: Diagnosis.Step): Step => ({
  name,
  outcome,
  facts,
  ...(why === undefined ? {} : { why }),
  ...(advice === undefined ? {} : { advice })
})

const cells = (view: View, name: string, outcome: string, detail: string): string =>
  view.isTerminal ? `${name.padEnd(13)} ${outcome.padEnd(8)} ${detail}` : [name, outcome, detail].join("\t")

/** A step as a line, and its advice as a line below. */
const lineOf =
  (view: View) =>
  ({ advice, facts, name, outcome, why }: Step): string => {
    const details = [...(why === undefined ? [] : [why]), ...facts].map(printable)
    return [
      cells(view, name, outcome, details.join("; ")),
      ...(advice === undefined ? [] : [cells(view, name, "advice", printable(advice))])
    ].join("\n")
  }

const program = (registry: string, repository: string | undefined, push: boolean): Program.Program => {
  const options = { registry, ...(repository === undefined ? {} : { repository }), ...(push ? { push } : {}) }
  return {
    imports: { "@effect-acr/node": ["Diagnosis"], [Program.effect]: ["Console", "Stream"] },
    lines: [
      `yield* Stream.runForEach(Diagnosis.steps(${Program.literal(options)}), (step) =>`,
      "  Console.log(step.name, step.outcome, ...step.facts)",
      ")"
    ]
  }
}

const authorities = Effect.gen(function* () {
  const { caFile } = yield* settings
  return caFile === undefined ? {} : { ca: yield* (yield* FileSystem.FileSystem).readFileString(caFile) }
})

/** Describes a step by the flags of the command, and not by options of the library. */
const worded = (step: Diagnosis.Step): Diagnosis.Step => {
  const said = step.error === undefined ? undefined : ofConnection(step.error.reason)
  return said === undefined ? step : { ...step, why: said.why, advice: said.help }
}

type Tried = Effect.Success<ReturnType<typeof Login.attempts>>

const factsOf = (tried: Tried): ReadonlyArray<string> =>
  tried
    .filter(({ attempt }) => attempt._tag !== "NotReached")
    .map(({ attempt, name }) => cellsOf(triedOf(name, attempt)).join(" ").trimEnd())

/** Names a login that did not answer, such as a credential helper: without it the registry refuses the request. */
const blamed = (step: Diagnosis.Step, tried: Tried): Diagnosis.Step => {
  if (step.error?.reason._tag !== "Unauthenticated") return step
  const [why] = tried.flatMap(({ attempt }) =>
    attempt._tag === "Failed" && attempt.failure.problem === "TimedOut" ? [attempt.failure.message] : []
  )
  if (why === undefined) return step
  return {
    ...step,
    why,
    advice: "no login was sent: check what it waits for, such as a locked keychain"
  }
}

/**
 * Looks for logins right before their step, so that a failing network is reported before Azure's logins time out. The search has
 * time limits of its own. In the step, a credential helper that waits for a user would count against the limit of the step.
 */
const stepsOf = Effect.fnUntraced(function* (options: Diagnosis.Options) {
  const { endpoint, loginServer } = yield* Login.conversation(options.registry)
  const searched = Stream.fromEffect(
    yield* Effect.cached(
      Login.attempts({
        endpoint,
        loginServer,
        ...(options.repository === undefined ? {} : { repository: options.repository })
      })
    )
  )
  // Imported late, because it loads the HTTP client.
  const { steps } = yield* Effect.promise(() => import("@effect-acr/node/Diagnosis"))
  let isAnswering = false
  return steps(options).pipe(
    Stream.flatMap((step) => {
      if (step.name === "api") isAnswering = step.outcome === "ok"
      if (step.name === "clock" && isAnswering) return Stream.concat(Stream.make(step), Stream.drain(searched))
      if (step.name !== "login" || step.outcome === "skipped") return Stream.make(step)
      return Stream.map(searched, (tried) => blamed({ ...step, facts: [...factsOf(tried), ...step.facts] }, tried))
    }),
    Stream.map(worded),
    Stream.mapError((error) =>
      error._tag === "InvalidRequest" ? new WrongCall({ description: error.message }) : error
    )
  )
})

export const doctor = Command.make(
  "doctor",
  {
    registry: Argument.String("registry").pipe(Argument.withDescription("The registry: myregistry.azurecr.io")),
    repository: Flag.String("repository").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Also check the permissions on this repository"),
      Flag.optional
    ),
    push: Flag.Boolean("push").pipe(
      Flag.withDescription("Also check the permission to push: an upload is opened and cancelled"),
      Flag.withoutNegation,
      Flag.withDefault(false)
    )
  },
  ({ push, registry, repository }) => {
    const name = Option.getOrUndefined(repository)
    return Verb.run(
      { what: `check ${registry}`, program: program(registry, name, push), retries: false },
      Effect.gen(function* () {
        if (push && name === undefined) {
          return yield* new WrongCall({ description: "--push needs a repository: --repository NAME" })
        }
        const codes: Array<ExitCode> = []
        const steps = yield* stepsOf({
          registry,
          push,
          ...(name === undefined ? {} : { repository: name }),
          ...(yield* authorities)
        })
        const watched = Stream.tap(steps, (step) =>
          Effect.sync(() => {
            if (step.outcome === "failed") codes.push(codeOf(step))
          })
        )
        const view = yield* Answer.view
        yield* Answer.printList(watched, {
          jsonLine: (step) => Effect.orDie(encodeStep(documented(step))),
          quiet: ({ name, outcome }) => `${name} ${outcome}`,
          line: lineOf(view),
          hasColumns: false,
          whole: (all) =>
            Answer.make(document, { registry, steps: all.map(documented) }, { text: (shown) => all.map(lineOf(shown)) })
        })
        const [code] = codes
        if (code !== undefined) return yield* new Ended({ code })
      })
    )
  }
).pipe(
  Verb.described({
    does: "Check step by step what a registry needs to work: name, connection, TLS, API, clock, login and permissions",
    examples: [
      { command: "eacr doctor myregistry.azurecr.io", description: "Find out why a registry does not work" },
      {
        command: "eacr doctor myregistry.azurecr.io --repository shop/api --push",
        description: "Check whether this machine can pull from a repository and push to it"
      }
    ]
  })
)
