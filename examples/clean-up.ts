/**
 * Deletes by the rules in a file, as a nightly job does: `clean-up.json` is an example. A report says what became of each
 * deletion, and `restore-clean-up` restores from it.
 *
 *     npx -y pnpm@12 example clean-up --rules examples/clean-up.json --dry-run
 *
 * On a registry of your own it only shows what it would delete, unless `--no-dry-run`.
 */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Retention, RetentionReport, RetentionRules } from "@effect-acr/artifacts"
import { ContainerRegistry } from "@effect-acr/client"
import { Console, Effect, FileSystem, Schema, Stream } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

const flags = {
  rules: Flag.String("rules").pipe(
    Flag.withDescription("The file with the rules"),
    Flag.withDefault(fileURLToPath(new URL("clean-up.json", import.meta.url)))
  ),
  report: Flag.String("report").pipe(
    Flag.withDescription("The file for the report"),
    Flag.withDefault(join(tmpdir(), "clean-up-report.json"))
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Only show what would be deleted; the default on a registry of your own"),
    Flag.withDefault(Effect.orDie(isOwnRegistry))
  )
}

const encodeReports = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(RetentionReport.Report)))

/** The deletions of a report that did not come about, and why. */
const leftOver = ({ outcomes, repository }: RetentionReport.Report): ReadonlyArray<string> =>
  outcomes
    .filter(({ outcome }) => outcome !== "done" && outcome !== "gone")
    .map(({ detail = "", digest, outcome, tag }) => `${repository}: ${tag ?? digest} ${outcome}: ${detail}`)

/** The plan for a repository, with what it deletes. */
const planFor = Effect.fnUntraced(function* (repository: string, rules: RetentionRules.Rules) {
  const target = yield* Retention.target(repository)
  const plan = yield* Effect.fromResult(Retention.plan(yield* Retention.inventory(target), rules))
  for (const { because, name, rule = "default", verdict } of plan.tags) {
    if (verdict === "delete") yield* Console.log(`${repository}:${name}: ${rule}, ${because}`)
  }
  for (const warning of [...plan.exceeds, ...plan.warnings]) yield* Console.error(`${repository}: ${warning}`)
  return { target, plan }
})

const command = Command.make(
  "clean-up",
  flags,
  Effect.fnUntraced(
    function* ({ dryRun, report: path, rules: rulesPath }) {
      const files = yield* FileSystem.FileSystem
      const registry = yield* ContainerRegistry.ContainerRegistry
      const rules = yield* RetentionRules.parse(yield* files.readFileString(rulesPath))
      const plans = yield* registry.repositories().pipe(
        Stream.filter((repository) => RetentionRules.isFor(rules, repository)),
        Stream.mapEffect((repository) => planFor(repository, rules)),
        Stream.runCollect
      )
      const unmatched = Retention.unmatched(
        rules,
        plans.map(({ plan }) => plan)
      )
      for (const pattern of unmatched) yield* Console.error(pattern)
      if (dryRun) return

      // One repository at a time: what goes wrong in one is seen before the next.
      const reports = yield* Effect.forEach(plans, ({ plan, target }) => Retention.apply(target, plan, rules))
      yield* files.writeFileString(path, yield* encodeReports(reports))
      yield* Console.log(`report: ${path}`)
      for (const report of reports) {
        for (const line of leftOver(report)) yield* Console.error(line)
        const deleted = report.outcomes.filter(({ outcome }) => outcome === "done").length
        yield* Console.log(
          `${report.repository}: ${RetentionReport.status(report)}, ${deleted} of ${report.outcomes.length} deletions`
        )
      }
    },
    Effect.mapError((cause) => new CliError.UserError({ cause }))
  )
).pipe(Command.withDescription("Deletes images by the rules in a file"))

export const cleanUp = Command.run(command, { version: "0.1.0" })

if (import.meta.main) run(cleanUp, RegistryLive)
