/**
 * The work of the verbs of migrations.
 */
import * as Migration from "@effect-acr/migration/Migration"
import { MigrationError } from "@effect-acr/migration/MigrationError"
import * as MigrationProgress from "@effect-acr/migration/MigrationProgress"
import * as MigrationReport from "@effect-acr/migration/MigrationReport"
import * as MigrationRules from "@effect-acr/migration/MigrationRules"
import * as SqliteClient from "@effect-acr/migration/SqliteClient"
import * as StatusPage from "@effect-acr/migration/StatusPage"
import { printable } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Answer from "../answer.ts"
import * as Connection from "../connection.ts"
import { exitCodes } from "../exitCode.ts"
import { Denied, Ended, NotThere, type Problem, WrongCall } from "../problem.ts"
import * as Output from "../output.ts"
import * as Progress from "../progress/progress.ts"
import { settings } from "../settings.ts"
import * as Answers from "./answers.ts"
import * as Shown from "./shown.ts"
import * as Telling from "./telling.ts"

/** Reads rules. Fails if a folder that they read from does not exist. */
const readRules = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const rules = yield* Effect.mapError(Effect.flatMap(files.readFileString(file), MigrationRules.parse), (error) =>
    error._tag === "MigrationError" ? new WrongCall({ description: `${file}: ${error.message}` }) : error
  )
  for (const { from } of rules.routes) {
    if ("registry" in from) continue
    const folder = "layouts" in from ? from.layouts : from.archives
    if (yield* files.exists(folder)) continue
    return yield* new NotThere({ description: `there is no folder ${folder}, from which ${file} copies` })
  }
  return rules
})

/** Registries within the limits of rules, with fewer requests after a 429. */
const within = (rules: MigrationRules.Rules) =>
  Connection.registriesBy((loginServer) => MigrationRules.registryOptions(rules, loginServer))

/** Adds to an error about a refused login the command that logs in to the registry. */
const explainDenied = <E extends Problem>(error: E): E | Denied => {
  if (error._tag !== "MigrationError" || error.deniedBy === undefined) return error
  const { registry, side } = error.deniedBy
  const help = `log in to the ${side}: eacr login ${registry}. Which login is used: eacr whoami ${registry}`
  return new Denied({ description: error.message, help })
}

/** Counts the tables of a database, and those of runs among them: the first one that is made, since a kill may leave it alone. */
const tablesOf = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly all: number; readonly own: number }>`
    SELECT count(*) AS "all", coalesce(sum(name = 'migration_versions'), 0) AS own FROM sqlite_schema WHERE type = 'table'`
  return row ?? { all: 0, own: 0 }
})

const isFolder = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.stat(path)).pipe(
    Effect.map(({ type }) => type === "Directory"),
    // SQLite reports any other problem.
    Effect.orElseSucceed(() => false)
  )

/** Fails if there can be no state file of this path, for which SQLite has the same message in all cases. */
const checkState = Effect.fnUntraced(function* (file: string, path: string) {
  if (yield* isFolder(path)) return yield* new WrongCall({ description: `${file} is a folder: --state names a file` })
  const folder = (yield* Path.Path).dirname(path)
  if (yield* isFolder(folder)) return
  return yield* new NotThere({ description: `there is no folder ${folder} for the state file ${file}` })
})

/** https://www.sqlite.org/rescode.html#notadb */
const noDatabaseCode = 26

const isNoDatabase = ({ reason }: SqlError): boolean =>
  Predicate.hasProperty(reason.cause, "errno") && reason.cause.errno === noDatabaseCode

/** Opens the state of runs in a file until the scope closes. Refuses the database of another program. */
const openState = Effect.fnUntraced(function* (file: string) {
  const failed = (error: SqlError) =>
    isNoDatabase(error)
      ? new WrongCall({ description: `${file} is no state of runs: --state FILE names another file` })
      : new MigrationError({
          problem: "StoreFailed",
          description: `the state file ${file} cannot be opened: ${error.message}`
        })
  // An absolute path: Node reads a name that begins with "file:" as a URL, which can also name a database in memory.
  const filename = (yield* Path.Path).resolve(file)
  yield* checkState(file, filename)
  const opened = yield* Effect.mapError(Layer.build(SqliteClient.layer({ filename })), failed)
  const { all, own } = yield* Effect.mapError(Effect.provideContext(tablesOf, opened), failed)
  if (all === 0 || own > 0) return opened
  const description = `${file} is the database of another program: --state FILE names another file`
  return yield* new WrongCall({ description })
})

export const plan = Effect.fnUntraced(function* (file: string) {
  const rules = yield* readRules(file)
  const planned = yield* Effect.mapError(Effect.provide(Migration.plan(rules), within(rules)), explainDenied)
  yield* Answer.print(Answers.ofPlan(planned, rules))
})

/** Where a status page is served. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Serves the status page if the call has an address for it. */
const servePage = Effect.fnUntraced(function* (
  name: string,
  { current }: MigrationProgress.Tracker,
  address: Address | undefined
) {
  if (address === undefined) return
  const { host, port } = address
  const endpoint = yield* Effect.mapError(
    StatusPage.serve({ name, progress: current, host, port, hosts: [host] }),
    ({ cause }) =>
      new WrongCall({
        description: `the status page cannot be served on ${host}:${port}: ${cause instanceof Error ? cause.message : String(cause)}`
      })
  )
  yield* Output.tell(`status page: ${endpoint}`)
})

const eventLine = (event: Migration.Event): string => `${Answer.escaped(JSON.stringify(event))}\n`

/** Runs to the end, and prints events as lines of JSON, or the progress on standard error. */
const follow = Effect.fnUntraced(function* (
  name: string,
  rules: MigrationRules.Rules,
  tracker: MigrationProgress.Tracker,
  isPrinting: boolean
) {
  const { isQuiet } = yield* settings
  // The printed events have the reasons.
  const tellReason = isPrinting || isQuiet ? () => Effect.void : yield* Telling.make
  const events = Migration.run(name, rules).pipe(Stream.tap(tracker.note), Stream.tap(tellReason))
  const work = isPrinting ? Output.printAll(Stream.map(events, eventLine)) : Stream.runDrain(events)
  yield* Progress.showing(isPrinting ? Progress.printsEvents : Progress.continues, Shown.of(tracker), work)
  return yield* Migration.status(name)
})

/** The arguments of a run. */
export interface Call {
  readonly name: string
  /** The file of rules. */
  readonly rules: string
  /** The file that keeps the state. */
  readonly state: string
  readonly page: Address | undefined
}

/** Problems that only other rules solve. */
const ofRules: ReadonlyArray<MigrationReport.RepositoryProblem["problem"]> = ["collision", "invalidName"]

/** Tells how to continue, and which command shows what is missing. */
const tellIncomplete = (
  { name, state }: Call,
  { onTag }: MigrationRules.Rules,
  { failures, problems, totals }: MigrationReport.Summary
) =>
  Effect.gen(function* () {
    const failed = totals.filter(({ state }) => state === "failed" || state === "refused")
    const isPlanned = totals.some(({ state }) => state === "planned")
    if (failed.length === 0 && !isPlanned && problems.every(({ problem }) => ofRules.includes(problem))) {
      return yield* Output.tell("what is missing needs a new run, with another name and other rules: rename or exclude")
    }
    if (failed.length > 0) {
      const only = failed.map((total) => `--only ${total.state}`).join(" ")
      yield* Output.tell(`which artifacts, and why: eacr migrate report ${name} --state ${printable(state)} ${only}`)
    }
    const isOfTags =
      onTag === "fail" &&
      !isPlanned &&
      problems.length === 0 &&
      failures.every(({ class: kind, state }) => state === "skipped" || state === "vanished" || kind === "exists")
    yield* Output.tell(
      isOfTags
        ? "use a new run, with another name and another onTag, or delete these tags at the target and run again"
        : "the same command retries what is missing"
    )
  })

export const run = Effect.fnUntraced(function* (call: Call) {
  const { name, page, rules: file, state } = call
  const rules = yield* readRules(file)
  const { format, isQuiet } = yield* settings
  const isPrinting = format === "jsonl"
  const tracker = yield* MigrationProgress.track
  const opened = yield* openState(state)
  if (!isQuiet) yield* Output.tell(`the state is kept in ${printable(state)}`)
  yield* servePage(name, tracker, page)
  const summary = yield* follow(name, rules, tracker, isPrinting).pipe(
    Effect.mapError(explainDenied),
    Effect.provide(within(rules)),
    Effect.provideContext(opened)
  )
  const isComplete = MigrationReport.isComplete(summary)
  if (!isComplete && !isQuiet) yield* tellIncomplete(call, rules, summary)
  const code = isComplete ? exitCodes.done : Answers.codeOf(summary.problems, summary.failures)
  // The last event has the same as the answer.
  if (!isPrinting) return yield* Answer.print({ ...Answers.ofStatus(name, summary), code })
  if (!isComplete) return yield* new Ended({ code })
})

/** Opens the state of an existing run. Fails if the file does not exist, which opening would create. */
const openExisting = Effect.fnUntraced(function* (state: string) {
  const files = yield* FileSystem.FileSystem
  if (yield* files.exists(state)) return yield* openState(state)
  return yield* new NotThere({
    description: `there is no file ${state} with the state of a run: --state FILE names another one`
  })
})

/** The number of runs that a message names at most. */
const mostNames = 10

/** Names the runs that a state file has, if it lacks one. Those without rules have not begun. */
const namingRuns =
  (state: string) =>
  <E extends Ended | Problem>(error: E) =>
    Effect.gen(function* () {
      if (error._tag !== "MigrationError" || error.problem !== "UnknownRun") return yield* Effect.fail(error)
      const sql = yield* SqlClient.SqlClient
      const runs = yield* sql<{ readonly name: string }>`
        SELECT name FROM migration_runs WHERE rules <> '' ORDER BY id DESC LIMIT ${mostNames + 1}`.pipe(
        // A file without tables has no runs.
        Effect.orElseSucceed(() => [])
      )
      const names = runs.slice(0, mostNames).map(({ name }) => printable(name))
      const more = runs.length > mostNames ? " and others" : ""
      return yield* new NotThere({
        description: `${error.message}: ${state} has ${names.length === 0 ? "no runs" : `${names.join(", ")}${more}`}`
      })
    })

export const status = Effect.fnUntraced(function* (name: string, state: string) {
  const summary = yield* Migration.status(name).pipe(
    Effect.catch(namingRuns(state)),
    Effect.provideContext(yield* openExisting(state))
  )
  const { isQuiet } = yield* settings
  if (summary.phase !== "done" && !isQuiet) {
    const command = `eacr migrate run ${name} RULES.json --state ${printable(state)}`
    yield* Output.tell(`the run has not ended. If no process works on it, this continues: ${command}`)
  }
  yield* Answer.print(Answers.ofStatus(name, summary))
})

const encodeOutcome = Schema.encodeEffect(Schema.fromJsonString(MigrationReport.Outcome))

/** Tells that a run has no artifacts, and where the reasons are. */
const tellEmpty = Effect.fnUntraced(function* (name: string, state: string) {
  const { isQuiet } = yield* settings
  if (isQuiet) return
  const { problems } = yield* Migration.status(name)
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`
  const why = problems.length === 0 ? "" : `. ${count}: eacr migrate status ${name} --state ${printable(state)}`
  yield* Output.tell(`the report has no artifacts${why}`)
})

export const report = Effect.fnUntraced(function* (
  name: string,
  state: string,
  only: ReadonlyArray<MigrationReport.State>
) {
  const opened = yield* openExisting(state)
  const known = yield* Ref.make(0)
  const outcomes = Migration.report(name).pipe(
    Stream.tap(() => Ref.update(known, (count) => count + 1)),
    Stream.filter((outcome) => only.length === 0 || only.includes(outcome.state))
  )
  yield* Answer.printList(outcomes, {
    jsonLine: (outcome) => Effect.orDie(encodeOutcome(outcome)),
    quiet: ({ digest, source }) => printable(`${source}@${digest}`),
    line: Answers.lineOf,
    hasColumns: false,
    whole: (items) =>
      Answer.make(Answers.reportDocument, { outcomes: items }, { text: () => items.map(Answers.lineOf) })
  }).pipe(Effect.catch(namingRuns(state)), Effect.provideContext(opened))
  if ((yield* Ref.get(known)) === 0) yield* Effect.provideContext(tellEmpty(name, state), opened)
})
