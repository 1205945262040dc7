/**
 * Builds the tools that the cache lacks: `npx -y pnpm@12 tools` builds those that are quick to build,
 * `npx -y pnpm@12 tools NAME...` those that are named, and `npx -y pnpm@12 tools all` each of them.
 */
import { NodeRuntime } from "@effect/platform-node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { azureClients, versionOf } from "../support/azureClients.ts"
import { cacheFolder, type Tool, tools } from "../support/tools.ts"
import { install, installClient, Outcome } from "./install.ts"

/** Something that the cache has, or lacks. */
interface Buildable {
  readonly name: string
  readonly version: string
  readonly isBuiltByDefault: boolean
  readonly install: Effect.Effect<Outcome>
}

const all: ReadonlyArray<Buildable> = [
  ...Object.values(tools).map((tool: Tool) => ({ ...tool, install: install(tool) })),
  ...Object.values(azureClients).map((client) => ({
    name: client.name,
    version: versionOf(client),
    isBuiltByDefault: true,
    install: installClient(client)
  }))
]

const said = Outcome.$match({
  Cached: () => "cached",
  Built: ({ seconds }) => `built in ${seconds.toFixed(0)} s`,
  NotBuilt: ({ why }) => `not built, and tests that need it are skipped: ${why}`
})

/** One after the other: each build uses all cores. */
const installAll = Effect.fnUntraced(function* (wanted: ReadonlyArray<Buildable>) {
  yield* Console.log(`tools in ${cacheFolder()}`)
  return yield* Effect.forEach(wanted, (tool) =>
    Effect.tap(tool.install, (outcome) => Console.log(`  ${tool.name} ${tool.version}: ${said(outcome)}`))
  )
})

const main = Effect.gen(function* () {
  const names = process.argv.slice(2)
  const unknown = names.filter((name) => name !== "all" && !all.some((tool) => tool.name === name))
  if (unknown.length > 0) {
    return yield* Effect.fail(
      `no tool is named ${unknown.join(", ")}: there are ${all.map(({ name }) => name).join(", ")}`
    )
  }
  if (names.length === 0) return yield* installAll(all.filter(({ isBuiltByDefault }) => isBuiltByDefault))

  const outcomes = yield* installAll(names.includes("all") ? all : all.filter(({ name }) => names.includes(name)))
  // Without names, the suite runs whatever could be built. A caller that names tools needs them.
  return outcomes.some(Outcome.$is("NotBuilt")) ? yield* Effect.fail("not all of these tools could be built") : outcomes
})

NodeRuntime.runMain(main)
