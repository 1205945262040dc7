/**
 * The benchmarks: `npx -y pnpm@12 bench`.
 *
 * `--only NAME` runs one case (may be given again), `--rounds N` so many rounds instead of five, `--json FILE` writes the
 * figures. `soak` runs only if it is named, for ten minutes or for `--seconds N`, and so do the migrations. docs/performance.md
 * is made of those in `runs`.
 */
import { writeFile } from "node:fs/promises"
import { cpus, release, totalmem, type } from "node:os"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isInstalled } from "../support/command.ts"
import * as Postgres from "../support/postgres.ts"
import { isThere, isToolName } from "../support/tools.ts"
import { archives } from "./archives.ts"
import type { Case } from "./case.ts"
import { cli } from "./cli.ts"
import { copies } from "./copies.ts"
import { emulators, soak } from "./emulators.ts"
import { footprint } from "./footprint.ts"
import { images } from "./images.ts"
import { migrations } from "./migrations.ts"
import { migration } from "./migration.ts"
import { migrationTools } from "./migrationTools.ts"
import { reads } from "./reads.ts"
import { type CaseReport, line, Report } from "./report.ts"
import { retention } from "./retention.ts"
import { start } from "./start.ts"
import { toolCases } from "./tools.ts"
import { transfers } from "./transfers.ts"
import { inTurns, prepare } from "./turns.ts"

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "600" },
    json: { type: "string" }
  }
})

const cases: ReadonlyArray<Case> = [
  ...transfers,
  ...images,
  ...copies,
  ...toolCases,
  ...archives,
  ...reads,
  ...retention,
  ...migration,
  migrationTools,
  ...footprint,
  ...start,
  ...cli,
  ...emulators,
  ...migrations,
  soak(Number(options.seconds))
]

const isWanted = ({ isAlone = false, name }: Case): boolean => options.only?.includes(name) ?? !isAlone

const machine = {
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  system: `${type()} ${release()}`,
  node: process.version
}

const isAvailable = (program: string): boolean => {
  if (program === "postgresql") return Postgres.isInstalled()
  return isToolName(program) ? isThere(program) : isInstalled(program)
}

const runCase = Effect.fnUntraced(function* ({ name, needs = [], run, title, wants = [] }: Case) {
  yield* Console.log(`\n${name}: ${title}`)
  const leftOut = [...needs, ...wants].filter((program) => !isAvailable(program))
  for (const program of leftOut) yield* Console.log(`  left out, as it is not installed: ${program}`)
  const report = (figures: CaseReport["figures"]): CaseReport => ({ name, title, figures, leftOut })
  if (needs.some((program) => leftOut.includes(program))) return report([])

  const figures = yield* Effect.scoped(run((contestants) => inTurns(Number(options.rounds), contestants)))
  for (const figure of figures) yield* Console.log(line(figure))
  return report(figures)
})

const main = Effect.gen(function* () {
  const unknown = (options.only ?? []).filter((name) => !cases.some((known) => known.name === name))
  if (unknown.length > 0) {
    return yield* Effect.fail(
      `no case is named ${unknown.join(", ")}: there are ${cases.map(({ name }) => name).join(", ")}`
    )
  }
  yield* prepare
  const reports = yield* Effect.forEach(cases.filter(isWanted), runCase)
  const report: Report = {
    date: DateTime.formatIsoDateUtc(yield* DateTime.now),
    command: ["npx -y pnpm@12 bench", ...process.argv.slice(2)].join(" "),
    rounds: Number(options.rounds),
    machine,
    cases: reports
  }
  const { json } = options
  if (json !== undefined) {
    const text = yield* Schema.encodeEffect(Schema.fromJsonString(Report))(report)
    yield* Effect.promise(() => writeFile(json, `${text}\n`))
  }
})

NodeRuntime.runMain(main)
