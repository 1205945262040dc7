/**
 * Contestants in turns: each run is a process of its own, and rounds alternate, so that a machine that is slow for a
 * while is slow for all of them.
 */
import { fileURLToPath } from "node:url"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { bundle } from "../support/bundle.ts"
import { run } from "../support/command.ts"
import { type Job, Outcome } from "./job.ts"

/** Contestants in JavaScript. */
export type Script = "ours" | "azure" | "effect" | "undici" | "node:https"

/** This library with the settings of docs/startup.md for less memory. */
type Setting = "lessMemory"

/** Other programs, and the command as the package of npm has it and as an executable. */
export type Program = "eacr" | "executable" | "skopeo" | "crane" | "oras" | "regctl"

export type Name = Script | Setting | Program

/** One run of a contestant. */
export type Run = Effect.Effect<Outcome, unknown, Scope.Scope>

/** What each contestant does in a round. */
export type Contestants = { readonly [name in Name]?: (round: number) => Run }

/** What it took a contestant, round by round. */
export type Outcomes = ReadonlyArray<Outcome>

export type Rounds = { readonly [name in Name]?: Outcomes }

const scripts: { readonly [name in Script]: readonly [file: string, client?: string] } = {
  ours: ["ours"],
  azure: ["azure"],
  effect: ["effect"],
  undici: ["bare", "undici"],
  "node:https": ["bare", "node:https"]
}

/** Where the contestants are, each one file with its source map. */
export const built = fileURLToPath(new URL("../node_modules/.bench/", import.meta.url))

/** Makes the contestants ready. Whole programs are minified, as docs/startup.md has it. */
export const prepare: Effect.Effect<void> = Effect.forEach(
  ["ours", "azure", "effect", "bare", "program", "bareProgram"],
  (name) =>
    bundle({
      entry: fileURLToPath(new URL(`contestants/${name}.ts`, import.meta.url)),
      file: `${built}${name}.mjs`,
      minify: name === "program" || name === "bareProgram",
      sourcemap: true
    }),
  { discard: true }
)

/** A job done by a contestant in JavaScript. */
export const does = (
  name: Script,
  job: Job,
  {
    nodeArguments = [],
    profile = ""
  }: { readonly nodeArguments?: ReadonlyArray<string>; readonly profile?: string } = {}
): Run => {
  const [file, client = ""] = scripts[name]
  return run(process.execPath, [...nodeArguments, `${built}${file}.mjs`, JSON.stringify(job)], {
    env: { ...process.env, HTTP_CLIENT: client, CPU_PROFILE: profile }
  }).pipe(
    // Nothing here takes so long, but clients that hang.
    Effect.timeout("3 minutes"),
    Effect.flatMap(Schema.decodeEffect(Schema.fromJsonString(Outcome)))
  )
}

/** A job done by another program. The time that it takes to start and do nothing is not counted. */
export const withoutStart = <E>(
  run: (...args: ReadonlyArray<string>) => Effect.Effect<string, E>,
  nothing: ReadonlyArray<string>,
  args: ReadonlyArray<string>
): Run =>
  Effect.gen(function* () {
    const [start] = yield* Effect.timed(run(...nothing))
    const [whole] = yield* Effect.timed(run(...args))
    return { seconds: Duration.toSeconds(Duration.subtract(whole, start)), peakRssBytes: 0 }
  })

/** Runs them all, round after round, in another order each time, so that none always follows the same one. */
export const inTurns = Effect.fnUntraced(function* (rounds: number, contestants: Contestants) {
  const entries = Object.entries(contestants)
  const outcomes: { [name: string]: Array<Outcome> } = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, begin] of yield* Random.shuffle(entries)) {
      ;(outcomes[name] ??= []).push(yield* Effect.scoped(begin(round)))
    }
  }
  const all: Rounds = outcomes
  return all
})

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** Compares two, round by round. */
export const perRound = (
  some: Outcomes = [],
  others: Outcomes = [],
  compare: (one: Outcome, other: Outcome) => number
): ReadonlyArray<number> =>
  some.flatMap((one, round) => {
    const other = others[round]
    return other === undefined ? [] : [compare(one, other)]
  })
