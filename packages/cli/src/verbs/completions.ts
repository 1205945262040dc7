/**
 * Prints completion scripts for shells, and completes words for them.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Answer from "../answer.ts"
import { describe, lookupVerb, script, shells } from "../completions/script.ts"
import { wanted } from "../completions/wanted.ts"
import { failureOf } from "../failure.ts"
import * as Output from "../output.ts"
import { CaFile, PlainHttp } from "../settings.ts"
import * as Verb from "../verb.ts"

export const document = Answer.document({ shell: Schema.Literals(shells), script: Schema.String })

/** Takes the root lazily: it does not exist yet when its verbs are made. */
type Root = () => Command.Command.Any

export const completions = (root: Root) =>
  Command.make(
    "completions",
    {
      shell: Argument.Literals("shell", shells).pipe(
        Argument.withDescription("bash, zsh, fish or powershell. No test runs the script for PowerShell")
      )
    },
    ({ shell }) => {
      const text = script(root(), shell)
      const answer = Answer.make(document, { shell, script: text }, { text: () => text.split("\n"), quiet: [text] })
      return Effect.mapError(Answer.print(answer), failureOf(`print the script for ${shell}`))
    }
  ).pipe(
    Verb.described({
      does: "Print a script that completes verbs, flags, registries, repositories and tags in a shell",
      examples: [
        { command: "eacr completions bash", description: "source <(eacr completions bash) loads it in a running shell" }
      ]
    })
  )

/** With the start of the process, half a second. Users notice a longer wait. */
const defaultLimitMillis = 300

/** A slow registry, or a slow machine, may need longer. */
const limit = Config.Int("EACR_COMPLETION_TIMEOUT").pipe(Config.withDefault(defaultLimitMillis))

const valueOf = (words: ReadonlyArray<string>, flag: string): string | undefined => words[words.indexOf(flag) + 1]

/** The requests of a completion use the flags of the unfinished line. */
const asCalled =
  (words: ReadonlyArray<string>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      words.includes("--plain-http") ? Effect.provideService(PlainHttp, Option.some(true)) : (same) => same,
      words.includes("--ca-file")
        ? Effect.provideService(CaFile, Option.fromUndefinedOr(valueOf(words, "--ca-file")))
        : (same) => same
    )

/** Prints the candidates for the last word. After a failure, it prints nothing. */
export const complete = (root: Root) =>
  Command.make(lookupVerb, { words: Argument.String("word").pipe(Argument.atLeast(0)) }, ({ words }) => {
    const before = words.slice(0, -1)
    return Effect.gen(function* () {
      const { candidates } = yield* Effect.promise(() => import("../completions/candidates.ts"))
      const Connection = yield* Effect.promise(() => import("../connection.ts"))
      const names = yield* candidates(wanted(describe(root()), before), words.at(-1) ?? "").pipe(
        Effect.scoped,
        Effect.provide(Connection.layerWithoutAzure),
        Effect.provideService(References.MinimumLogLevel, "None"),
        asCalled(before),
        Effect.timeout(yield* limit)
      )
      yield* Output.print(names.map((name) => `${name}\n`).join(""))
    }).pipe(Effect.ignoreCause)
  }).pipe(Command.unlisted)
