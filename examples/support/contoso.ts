/**
 * The registry of a company that does not exist: what the examples find where no other registry is named.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import { Duration, Effect } from "effect"

/** What all images of the company are built on. */
const base = "The company's own Linux.\n".repeat(12_000)

/** What the images of a major version have in common. */
const packages = (repository: string, version: string) =>
  `What ${repository} ${version.split(".")[0]} needs.\n`.repeat(4000)

/** A repository with one image a week, of which the newest is `latest`. */
const weekly = (repository: string, versions: ReadonlyArray<string>, platforms: ReadonlyArray<string>, lines = 1000) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    yield* Effect.forEach(versions, (version, index) => {
      const age = versions.length - 1 - index
      return emulator.seed({
        repository,
        tags: age === 0 ? [version, "latest"] : [version],
        platforms,
        layers: [base, packages(repository, version), `${repository} ${version}\n`.repeat(lines)],
        pushedAt: Duration.weeks(age)
      })
    })
  })

/** Fills an emulator. */
export const contoso = Effect.all([
  weekly("library/hello-world", ["v1", "v2"], ["linux/amd64", "linux/arm64"]),
  weekly("contoso/api", ["1.0.0", "1.1.0", "1.1.1", "1.2.0", "2.0.0", "2.0.1"], ["linux/amd64"]),
  weekly("contoso/web", ["2026.10", "2026.11"], ["linux/amd64"], 200_000),
  weekly("contoso/worker", ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0"], ["linux/amd64"]),
  weekly("tools/cli", ["0.9.0"], ["linux/amd64"])
])
