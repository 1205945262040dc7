/**
 * Copies registries and folders of image layouts to others by rules, in runs that survive a kill.
 */
import { State } from "@effect-acr/migration/MigrationReport"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { dryRunFlag } from "../dryRun.ts"
import * as Load from "../migration/load.ts"
import type { Address } from "../migration/work.ts"
import * as Program from "../program.ts"
import * as Verb from "../verb.ts"

export { planDocument, reportDocument, statusDocument } from "../migration/answers.ts"

const rulesArgument = Argument.String("rules").pipe(
  Argument.withMetavar("RULES.json"),
  Argument.withDescription(
    'A JSON file that says what moves where, such as {"routes": [{"from": {"registry": "old.azurecr.io"}, "to": {"registry": "new.azurecr.io"}}]}. docs/migration.md lists its members'
  )
)

const nameArgument = (description: string) =>
  Argument.String("name").pipe(
    Argument.withDescription(description),
    Argument.filter(
      (name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name),
      (name) => `Expected a name of letters, digits and . _ -, got ${JSON.stringify(name)}`
    )
  )

const newName = nameArgument("A name of your choice for the run: letters, digits and . _ -")

const oldName = nameArgument("The name of the run")

/** SQLite's names for databases that end with the process. */
const unkept: ReadonlySet<string> = new Set(["", ":memory:"])

const stateFlag = Flag.String("state").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("The file that keeps the state of the run. Defaults to NAME.sqlite in the working directory"),
  Flag.filter(
    (file) => !unkept.has(file),
    (file) => `Expected a file, in which the next call finds the state, got ${JSON.stringify(file)}`
  ),
  Flag.optional
)

/** The file of a run's state. */
const stateOf = (name: string, state: Option.Option<string>): string => Option.getOrElse(state, () => `${name}.sqlite`)

const rulesProgram = (file: string): Program.Program => ({
  imports: { [Program.migration]: ["MigrationRules"], [Program.effect]: ["FileSystem"] },
  lines: [
    "const files = yield* FileSystem.FileSystem",
    `const rules = yield* MigrationRules.parse(yield* files.readFileString(${Program.literal(file)}))`,
    "const registries = NodeRegistries.layerOptions({",
    "  registries: (loginServer) => MigrationRules.registryOptions(rules, loginServer)",
    "})"
  ]
})

const planProgram = (file: string): Program.Program =>
  Program.join(rulesProgram(file), {
    imports: { [Program.migration]: ["Migration"], [Program.effect]: ["Console"] },
    lines: [
      "const plan = yield* Effect.provide(Migration.plan(rules), registries)",
      "yield* Console.log(plan)",
      'const failsTags = rules.onTag === "fail" && plan.otherTags > 0',
      'if (failsTags || plan.problems.length > 0) return yield* Effect.fail("a run would not copy everything")'
    ]
  })

const stateProgram = (file: string): Program.Program => ({
  imports: { [Program.migration]: ["SqliteClient"] },
  lines: [`const state = SqliteClient.layer({ filename: ${Program.literal(file)} })`]
})

const pageProgram = (name: string, { host, port }: Address): Program.Program => ({
  imports: { [Program.migration]: ["MigrationProgress", "StatusPage"], [Program.effect]: ["Console"] },
  lines: [
    "const { current, note } = yield* MigrationProgress.track",
    "const page = yield* StatusPage.serve({",
    `  name: ${Program.literal(name)},`,
    "  progress: current,",
    `  host: ${Program.literal(host)},`,
    `  port: ${port},`,
    `  hosts: [${Program.literal(host)}]`,
    "})",
    "yield* Console.log(`status page: ${page}`)"
  ],
  isScoped: true
})

const noProgram: Program.Program = { imports: {}, lines: [] }

const runProgram = (name: string, rules: string, state: string, page: Address | undefined): Program.Program => {
  const events = `Migration.run(${Program.literal(name)}, rules)`
  return Program.join(
    rulesProgram(rules),
    stateProgram(state),
    page === undefined ? noProgram : pageProgram(name, page),
    {
      imports: { [Program.migration]: ["Migration", "MigrationReport"], [Program.effect]: ["Console", "Stream"] },
      lines: [
        `const events = ${page === undefined ? events : `Stream.tap(${events}, note)`}`,
        "yield* Effect.provide(Stream.runForEach(events, Console.log), [registries, state])",
        `const summary = yield* Effect.provide(Migration.status(${Program.literal(name)}), state)`,
        "yield* Console.log(summary)",
        'if (!MigrationReport.isComplete(summary)) return yield* Effect.fail("not everything is at the target")'
      ]
    }
  )
}

const statusProgram = (name: string, state: string): Program.Program =>
  Program.join(stateProgram(state), {
    imports: { [Program.migration]: ["Migration"], [Program.effect]: ["Console"] },
    lines: [`yield* Console.log(yield* Effect.provide(Migration.status(${Program.literal(name)}), state))`]
  })

const reportProgram = (name: string, state: string, only: ReadonlyArray<State>): Program.Program => {
  const wanted = `Stream.filter(({ state }) => ${Program.literal(only)}.includes(state))`
  const outcomes = `Migration.report(${Program.literal(name)})`
  return Program.join(stateProgram(state), {
    imports: { [Program.migration]: ["Migration"], [Program.effect]: ["Console", "Stream"] },
    lines: [
      `const outcomes = ${only.length === 0 ? outcomes : `${outcomes}.pipe(${wanted})`}`,
      "yield* Effect.provide(Stream.runForEach(outcomes, Console.log), state)"
    ]
  })
}

const plan = Command.make("plan", { rules: rulesArgument }, ({ rules }) =>
  Verb.run(
    { what: `plan the migration of ${rules}`, program: planProgram(rules) },
    Effect.flatMap(Load.work, (work) => work.plan(rules))
  )
).pipe(
  Verb.described({
    does: "Show what a run would copy, and the least time that it takes. It lists both sides, and writes nothing",
    examples: [{ command: "eacr migrate plan rules.json", description: "Check rules before the first run" }]
  })
)

/** Parses the address of the status page: a port on loopback, or on a given host. */
const addressOf = (text: string): Option.Option<Address> => {
  const [, given, digits = ""] = /^(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === "" || port > 65_535) return Option.none()
  return Option.some({ host: (given ?? "127.0.0.1").replaceAll(/[[\]]/g, ""), port })
}

const pageFlag = Flag.String("status-page").pipe(
  Flag.withMetavar("[HOST:]PORT"),
  Flag.withDescription(
    "Serve a page with the progress, and /status.json. It has no login. Without HOST, only this machine can reach it. Port 0 takes any free port"
  ),
  Flag.filterMap(addressOf, (text) => `Expected a port such as 8080, or 0.0.0.0:8080, got ${text}`),
  Flag.optional
)

const run = Command.make(
  "run",
  { name: newName, rules: rulesArgument, state: stateFlag, page: pageFlag, dryRun: dryRunFlag },
  ({ dryRun, name, page: wanted, rules, state }) => {
    const file = stateOf(name, state)
    const page = Option.getOrUndefined(wanted)
    return Verb.run(
      {
        what: `run the migration ${name}`,
        program: dryRun ? planProgram(rules) : runProgram(name, rules, file, page)
      },
      Effect.flatMap(Load.work, (work) => (dryRun ? work.plan(rules) : work.run({ name, rules, state: file, page })))
    )
  }
).pipe(
  Verb.described({
    does: "Copy what the target lacks, with all tags, signatures and SBOMs. Tags of the target that name something else are moved, and manifests without a tag stay behind, unless the rules say otherwise (onTag, untagged). The same command continues after a stop or a kill, and copies what changed after the end",
    examples: [
      { command: "eacr migrate run old-to-new rules.json", description: "Begin or continue a run" },
      { command: "eacr migrate run old-to-new rules.json --dry-run", description: "Show only the plan" },
      {
        command: "eacr migrate run old-to-new rules.json --status-page 0",
        description: "Also serve a status page, whose address it prints"
      }
    ]
  })
)

const status = Command.make("status", { name: oldName, state: stateFlag }, ({ name, state }) => {
  const file = stateOf(name, state)
  return Verb.run(
    { what: `show the status of ${name}`, program: statusProgram(name, file) },
    Effect.flatMap(Load.work, (work) => work.status(name, file))
  )
}).pipe(
  Verb.described({
    does: "Show the state of a run, even while another process works on it",
    examples: [
      { command: "eacr migrate status old-to-new", description: "Count artifacts by state, and failures by class" }
    ]
  })
)

const onlyFlag = Flag.Literals("only", State.literals).pipe(
  Flag.withMetavar("STATE"),
  Flag.withDescription("List only artifacts in this state. It can be repeated"),
  Flag.atLeast(0)
)

const report = Command.make("report", { name: oldName, state: stateFlag, only: onlyFlag }, ({ name, only, state }) => {
  const file = stateOf(name, state)
  return Verb.run(
    { what: `report on ${name}`, program: reportProgram(name, file, only) },
    Effect.flatMap(Load.work, (work) => work.report(name, file, only))
  )
}).pipe(
  Verb.described({
    does: "List each artifact once: its state, its repository and digest, its tags, and why it failed",
    examples: [
      {
        command: "eacr migrate report old-to-new --only failed --only refused",
        description: "List what is missing at the target, and why"
      },
      { command: "eacr migrate report old-to-new --jsonl", description: "Print a line of JSON for each artifact" }
    ]
  })
)

export const migrate = Command.make("migrate").pipe(
  Command.withDescription(
    "Copy whole registries and folders of layouts to others by rules, in runs that survive a kill"
  ),
  Command.withSubcommands([plan, run, status, report])
)
