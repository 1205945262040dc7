/**
 * Cases about retention of large repositories.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { bundle } from "../support/bundle.ts"
import { run, temporaryFolder } from "../support/command.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"
import { repository, requestsOf, type Server } from "./servers.ts"
import { type Outcomes, perRound } from "./turns.ts"

const entry = fileURLToPath(new URL("../support/retentionProcess.ts", import.meta.url))

/** How a process is started: arguments of Node, and its environment. */
interface Start {
  readonly nodeArguments: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
}

/**
 * Node lets garbage lie as long as it has room, and glibc keeps memory for each thread that writes a file of the cache. With less
 * of both, what is kept shows.
 */
const tidy: Start = {
  nodeArguments: ["--max-old-space-size=175", "--max-semi-space-size=1"],
  env: { ...process.env, MALLOC_ARENA_MAX: "2" }
}

const plain: Start = { nodeArguments: [], env: process.env }

const Printed = Schema.fromJsonString(
  Schema.Struct({
    manifests: Schema.Natural,
    done: Schema.optionalKey(Schema.Natural),
    seconds: Schema.Struct({ inventory: Schema.Finite, plan: Schema.Finite }),
    peakBytes: Schema.Finite
  })
)

const program = Effect.gen(function* () {
  const file = join(yield* temporaryFolder, "retention.mjs")
  yield* bundle({ entry, file })
  return (
    server: Server,
    options: { readonly cache?: string; readonly isApplied?: boolean },
    { env, nodeArguments }: Start = plain
  ) =>
    run(process.execPath, [...nodeArguments, file, JSON.stringify({ ...server, repository: "bench", ...options })], {
      env
    }).pipe(Effect.flatMap(Schema.decodeEffect(Printed)))
})

/** Manifests by tens of thousands. Half of them belong to releases, and are read; there are as many tags as manifests. */
const amountsOf = (tenThousands: number) => ({
  releases: 1000 * tenThousands,
  old: 40,
  dockerImages: 5000 * tenThousands,
  tagsPerImage: 1.6
})

const growth = (what: string, few: Outcomes, many: Outcomes): Figure => ({
  what: `${what}: time for each of 100,000 ÷ for each of 10,000`,
  values: perRound(many, few, (one, other) => one.seconds / 10 / other.seconds),
  unit: "×",
  atMost: 1.5
})

const memory = (what: string, outcomes: Outcomes): Figure => ({
  what: `${what}: peak memory`,
  values: outcomes.map(({ peakRssBytes }) => peakRssBytes / mebibyte),
  unit: "MiB",
  atMost: 256
})

const inventories: Case = {
  name: "retention",
  title: "inventory and plan of a repository of 100,000 manifests and 100,000 tags",
  run: Effect.fnUntraced(function* (turns) {
    const retain = yield* program
    const folder = yield* temporaryFolder
    const measured = Effect.fnUntraced(function* (tenThousands: number) {
      const server = yield* repository(amountsOf(tenThousands))
      const planSeconds: Array<number> = []
      const of = (cache: (round: number) => string, start = plain) =>
        Effect.map(
          turns({
            ours: (round) =>
              Effect.map(retain(server, { cache: cache(round) }, start), ({ peakBytes, seconds }) => {
                if (start === plain) planSeconds.push(seconds.plan)
                return { seconds: seconds.inventory, peakRssBytes: peakBytes }
              })
          }),
          ({ ours = [] }) => ours
        )
      const newCache = (name: string) => (round: number) => join(folder, `${tenThousands} ${name} ${round}`)
      const fullCache = () => newCache("plain")(0)
      const cold = yield* of(newCache("plain"))
      const before = yield* requestsOf(server)
      const warm = yield* of(fullCache)
      const asked = ((yield* requestsOf(server)) - before) / warm.length
      const tidyCold = yield* of(newCache("tidy"), tidy)
      const tidyWarm = yield* of(fullCache, tidy)
      const plans = planSeconds.map((seconds) => ({ seconds, peakRssBytes: 0 }))
      return { cold, warm, plans, tidyCold, tidyWarm, asked }
    }, Effect.scoped)
    const few = yield* measured(1)
    const many = yield* measured(10)
    return [
      growth("first inventory", few.cold, many.cold),
      growth("inventory with a cache", few.warm, many.warm),
      growth("plan", few.plans, many.plans),
      memory("first inventory and plan", many.tidyCold),
      memory("with a cache", many.tidyWarm),
      { what: "with a cache: requests", values: [many.asked], unit: "requests" }
    ]
  })
}

const eachDeletion = (what: string, requests: number): Figure => ({
  what: `${what}: requests for a manifest`,
  values: [requests],
  unit: "requests"
})

const deletions: Case = {
  name: "retention-apply",
  title: "1,000 manifests deleted of 10,000",
  run: Effect.fnUntraced(function* () {
    const retain = yield* program
    const requestsEach = (pushesAtDeletion: number) =>
      Effect.gen(function* () {
        const server = yield* repository({ ...amountsOf(1), old: 200, pushesAtDeletion })
        yield* retain(server, {})
        const inventory = yield* requestsOf(server)
        const { done = 0 } = yield* retain(server, { isApplied: true })
        // An inventory before, and a check afterwards that reads the lists.
        return ((yield* requestsOf(server)) - 2 * inventory) / done
      }).pipe(Effect.scoped)
    return [
      eachDeletion("a repository at rest", yield* requestsEach(0)),
      eachDeletion("a push at each deletion", yield* requestsEach(1))
    ]
  })
}

export const retention: ReadonlyArray<Case> = [inventories, deletions]
