/**
 * Runs an example by its name: `npx -y pnpm@12 example hello-world`. What follows the name is for the example.
 */
import { Console, Effect } from "effect"
import { NodeRuntime } from "@effect/platform-node"
import { examples } from "./support/examples.ts"
import { AnonymousRegistryLive, run, RegistryLive, withArguments } from "./support/registry.ts"

const [called, ...args] = process.argv.slice(2)
const example = examples.find(({ name }) => name === called)

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
  run(withArguments(example.program, args), example.as === "anonymous" ? AnonymousRegistryLive : RegistryLive)
}
