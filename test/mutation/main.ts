/**
 * Puts faults into a copy of the code, one at a time, and reports which of them the tests notice:
 * `npx -y pnpm@12 mutation`.
 *
 * For each fault, the command runs the tests of its package, the likely ones first. If they pass, it runs the whole suite. It exits with code 1 if
 * more than three faults survive, if a fault does not compile, or if the list of faults is out of date.
 *
 * `--only TEXT` selects the faults whose sentence or file contains the text (repeatable). `--skip-suite` runs only the
 * tests of packages.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { installedWorkspace } from "../support/workspace.ts"
import { type Ending, firstFailure, runWithin } from "./commands.ts"
import { type Fault, faulty, occurrences, packageOf } from "./fault.ts"
import { faults } from "./faults.ts"
import * as Likely from "./likely.ts"

/** More survivors fail the command. */
const mostSurvivors = 3

/** How long tests may take without a fault, in seconds. */
const longestSeconds = 3600

/** How long tests may take with a fault: so many times as long as without, and at least longer than a test that hangs. */
const patience = 4
const leastSeconds = 120

/** How long the likely tests may take with a fault, in seconds: they are few. */
const likelySeconds = 180

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [""] },
    "skip-suite": { type: "boolean", default: false }
  }
})

const verdicts = ["caught by its package", "caught by the whole suite", "SURVIVED", "DOES NOT COMPILE"] as const
type Verdict = (typeof verdicts)[number]

/** A fault may leave unused names behind, which the compiler must accept here: users would not notice them. */
const compilerOptions = {
  extends: "./tsconfig.json",
  compilerOptions: {
    noUnusedLocals: false,
    noUnusedParameters: false,
    incremental: true,
    tsBuildInfoFile: "./mutation.tsbuildinfo"
  },
  include: ["packages/*/src"]
}
const compilerFile = "tsconfig.mutation.json"

/** Tests to run: those whose path contains one of these texts, or all tests if there are none. */
type Selection = ReadonlyArray<string>

const wholeSuite: Selection = []

const read = (path: string) => Effect.promise(() => readFile(path, "utf8"))
const write = (path: string, text: string) => Effect.promise(() => writeFile(path, text))

const inWords = (selection: Selection): string =>
  selection === wholeSuite ? "the whole suite" : `the tests of ${selection.join(", ")}`

/** How long a test may take, in milliseconds: many faults make one hang. Migrations of several processes take a minute. */
const testMillis = 120_000

/** Would notice each fault by its text. */
const testOfList = "test/mutation.test.ts"

const runTests = (folder: string, selection: Selection, limitSeconds: number): Effect.Effect<Ending> =>
  runWithin(limitSeconds, folder, "vitest", [
    "run",
    ...selection,
    "--exclude",
    testOfList,
    "--bail",
    "1",
    "--testTimeout",
    String(testMillis)
  ])

/** Runs tests without a fault, once. They must pass. How long they take limits how long they may take with a fault. */
const makeLimits = (folder: string) => {
  const limits = new Map<string, number>()
  return Effect.fnUntraced(function* (selection: Selection): Effect.fn.Return<number, string> {
    const key = inWords(selection)
    const known = limits.get(key)
    if (known !== undefined) return known
    const ending = yield* runTests(folder, selection, longestSeconds)
    if (!ending.isSuccess) {
      return yield* Effect.fail(`without a fault ${key} fail: ${firstFailure(ending)}\n${ending.printed}`)
    }
    yield* Console.log(`without a fault ${key} pass in ${Math.ceil(ending.seconds)} s`)
    const limit = Math.max(leastSeconds, Math.ceil(ending.seconds * patience))
    limits.set(key, limit)
    return limit
  })
}

const checkTexts = (folder: string, chosen: ReadonlyArray<Fault>): Effect.Effect<void, string> =>
  Effect.gen(function* () {
    const stale: Array<string> = []
    for (const fault of chosen) {
      const found = occurrences(yield* read(join(folder, fault.file)), fault)
      if (found !== 1) stale.push(`${fault.file}: the text of "${fault.wrong}" occurs ${found} times`)
    }
    if (stale.length > 0) return yield* Effect.fail(stale.join("\n"))
  })

/** Runs something while a fault is in the copy. */
const withFault = <A, E, R>(folder: string, fault: Fault, effect: Effect.Effect<A, E, R>) => {
  const path = join(folder, fault.file)
  return Effect.acquireUseRelease(
    Effect.tap(read(path), (text) => write(path, faulty(text, fault))),
    () => effect,
    (text) => write(path, text)
  )
}

/** What becomes of a fault, and the test that noticed it or the compiler's words. */
interface Outcome {
  readonly verdict: Verdict
  readonly by: string
}

/** The runs that a fault has to survive, one after the other. */
interface Run {
  readonly selection: Selection
  /** In seconds. It takes a run without a fault to know the limit, unless that ran before. */
  readonly limit: Effect.Effect<number, string>
  readonly verdict: Verdict
}

type LimitOf = ReturnType<typeof makeLimits>

const runsOf = (fault: Fault, likelyTests: Selection, limitOf: LimitOf): ReadonlyArray<Run> => {
  const ownTests = [packageOf(fault)]
  const verdict = "caught by its package"
  const likely: Run = { selection: likelyTests, limit: Effect.succeed(likelySeconds), verdict }
  const own: Run = { selection: ownTests, limit: limitOf(ownTests), verdict }
  const all: Run = { selection: wholeSuite, limit: limitOf(wholeSuite), verdict: "caught by the whole suite" }
  return [...(likelyTests.length === 0 ? [] : [likely]), own, ...(options["skip-suite"] ? [] : [all])]
}

/** Makes a function that puts a fault into the copy and runs the tests. */
const makeJudge = (folder: string, limitOf: LimitOf) => {
  const likely = Likely.make(folder)
  return Effect.fnUntraced(function* (fault: Fault): Effect.fn.Return<Outcome, string> {
    const compiler = runWithin(longestSeconds, folder, "tsc", ["--noEmit", "--project", compilerFile])
    const compiled = yield* withFault(folder, fault, compiler)
    if (!compiled.isSuccess) return { verdict: "DOES NOT COMPILE", by: compiled.printed.trim() }
    for (const { limit, selection, verdict } of runsOf(fault, likely.testsOf(fault), limitOf)) {
      const ending = yield* withFault(folder, fault, runTests(folder, selection, yield* limit))
      if (ending.isSuccess) continue
      const by = firstFailure(ending)
      if (verdict === "caught by its package") likely.remember(fault, by)
      return { verdict, by }
    }
    return { verdict: "SURVIVED", by: "" }
  })
}

const main = Effect.scoped(
  Effect.gen(function* () {
    const chosen = faults.filter(({ file, wrong }) => options.only.some((text) => `${file} ${wrong}`.includes(text)))
    if (chosen.length === 0) return yield* Effect.fail(`no fault holds ${options.only.join(", ")}`)

    const folder = yield* installedWorkspace
    yield* checkTexts(folder, chosen)
    yield* write(join(folder, compilerFile), JSON.stringify(compilerOptions))
    const limitOf = makeLimits(folder)
    for (const path of new Set(chosen.map(packageOf))) yield* limitOf([path])
    const judge = makeJudge(folder, limitOf)

    const counts = new Map<Verdict, number>(verdicts.map((verdict) => [verdict, 0]))
    for (const fault of chosen) {
      const began = performance.now()
      const { by, verdict } = yield* judge(fault)
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
      const seconds = `${Math.ceil((performance.now() - began) / 1000)} s`
      yield* Console.log(`${verdict.padEnd(25)} ${seconds.padStart(6)}  ${fault.file}: ${fault.wrong}\n    ${by}`)
    }

    const totals = Array.from(counts, ([verdict, count]) => `${count} ${verdict}`)
    yield* Console.log(`\n${chosen.length} faults: ${totals.join(", ")}`)
    const isGood = (counts.get("SURVIVED") ?? 0) <= mostSurvivors && counts.get("DOES NOT COMPILE") === 0
    process.exitCode = isGood ? 0 : 1
  })
)

NodeRuntime.runMain(main)
