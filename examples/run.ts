/**
 * Runs an example by its name: `npx -y pnpm@12 example hello-world`.
 */
import { Console, Effect } from "effect"
import { NodeRuntime } from "@effect/platform-node"
import { examples } from "./support/examples.ts"
import { AnonymousRegistryLive, run, RegistryLive } from "./support/registry.ts"

const example = examples.find(({ name }) => name === process.argv[2])

if (example === undefined) {
  const names = examples.map(({ name, title }) => `  ${name.padEnd(26)}${title}`).join("\n")
  NodeRuntime.runMain(
    Effect.andThen(
      Console.error(`Name one of these examples:\n\n${names}\n`),
      Effect.sync(() => {
        process.exitCode = 2
      })
    )
  )
} else {
  run(example.program, example.as === "nobody" ? AnonymousRegistryLive : RegistryLive)
}
