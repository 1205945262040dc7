/**
 * Restores what a clean-up deleted, from its report: the images, their tags and their referrers, in the order that ACR asks for.
 * The registry must have the soft delete policy.
 *
 *     npx -y pnpm@12 example restore-clean-up --report clean-up-report.json
 */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RetentionReport, Trash } from "@effect-acr/artifacts"
import { Console, Effect, FileSystem, Schema } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { RegistryLive, run } from "./support/registry.ts"

const flags = {
  report: Flag.String("report").pipe(
    Flag.withDescription("The report of the clean-up"),
    Flag.withDefault(join(tmpdir(), "clean-up-report.json"))
  )
}

const decodeReports = Schema.decodeEffect(Schema.fromJsonString(Schema.Array(RetentionReport.Report)))

const command = Command.make(
  "restore-clean-up",
  flags,
  Effect.fnUntraced(
    function* ({ report: path }) {
      const files = yield* FileSystem.FileSystem
      for (const { repository, restore } of yield* decodeReports(yield* files.readFileString(path))) {
        for (const { digest, outcome, tags } of yield* Trash.restoreSteps(repository, restore)) {
          yield* Console.log(`${repository}@${digest.slice(0, 19)}: ${outcome}`)
          for (const tag of tags) yield* Console.log(`${repository}:${tag.name}: ${tag.outcome}`)
        }
      }
    },
    Effect.mapError((cause) => new CliError.UserError({ cause }))
  )
).pipe(Command.withDescription("Restores what a clean-up deleted"))

export const restoreCleanUp = Command.run(command, { version: "0.1.0" })

if (import.meta.main) run(restoreCleanUp, RegistryLive)
