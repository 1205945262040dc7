/**
 * Migrations as processes: killed at random, and two at once.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MigrationReport from "../src/MigrationReport.ts"
import { formatOrder } from "./support/migrate.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

const program = fileURLToPath(new URL("support/migrate.ts", import.meta.url))

type World = Effect.Success<ReturnType<typeof makeWorld>>

/** Starts a process that migrates. `until` ends with the first line that is such, or with the process. */
const start = ({ decode, filename, source, target }: World, rules: Record<string, unknown>) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const emulators = [source, target].map(({ endpoint, loginServer }) => ({ endpoint, loginServer }))
      const order = yield* formatOrder({ filename, rules: yield* decode(rules), emulators })
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, order], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      let printed = ""
      const waiting = new Set<() => void>()
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text
        for (const look of waiting) look()
      })
      child.on("close", () => {
        for (const look of waiting) look()
      })
      const until = (line: RegExp): Effect.Effect<string> =>
        Effect.callback((resume) => {
          const look = () => {
            if (line.test(printed) || child.exitCode !== null || child.signalCode !== null) {
              waiting.delete(look)
              resume(Effect.succeed(printed))
            }
          }
          waiting.add(look)
          look()
        })
      return { child, until }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Numbers from 0 to 1 that are the same in each run: Park and Miller's generator. */
const randoms = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const layerBytes = 100_000

const images = Array.from({ length: 90 }, (_, index) => ({
  repository: `shop/service-${index % 9}`,
  tags: [`1.${index}`],
  layers: [{ content: "base ".repeat(layerBytes / 5) }, { content: `own ${index} `.padEnd(layerBytes, "x") }]
}))

const rules = { limits: { batch: 20, copies: 4, bytesInFlight: 1_048_576 } }

describe("a migration in a process", () => {
  it.live(
    "ends as if it had not been killed, ten times at random, and sends little twice",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.seed(...images)
        const random = randoms(20_261_128)
        let kills = 0
        for (let time = 0; time < 10; time++) {
          const isOver = yield* Effect.scoped(
            Effect.gen(function* () {
              const { child, until } = yield* start(world, rules)
              yield* until(/^began/m)
              yield* Effect.sleep(random() * 600)
              if (child.exitCode !== null) return true
              kills++
              child.kill("SIGKILL")
              yield* until(/^never/m)
              return false
            })
          )
          if (isOver) break
        }
        const last = yield* start(world, rules)
        assert.include(yield* last.until(/^done/m), "done")
        assert.isAbove(kills, 5)
        assert.isTrue(MigrationReport.isComplete(yield* world.status))
        assert.deepEqual(yield* tagsOf(world.target), yield* tagsOf(world.source))
        const outcomes = yield* world.report
        assert.lengthOf(new Set(outcomes.map(({ digest, source }) => `${source} ${digest}`)), images.length)
        assert.isTrue(outcomes.every(({ state }) => state === "verified" || state === "present"))
        const sent = (yield* world.target.journal)
          .filter(({ path }) => path.includes("/blobs/"))
          .reduce((sum, { requestBytes }) => sum + requestBytes, 0)
        const needed = (images.length + 1) * layerBytes
        assert.isAtLeast(sent, needed)
        assert.isAtMost(sent, needed + images.length * 1000 + kills * rules.limits.bytesInFlight)
      }).pipe(Effect.scoped),
    300_000
  )

  it.live(
    "works alone: another one on the same database is refused, with the owner and the time",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.seed(...images)
        const first = yield* start(world, rules)
        yield* first.until(/^began/m)
        const second = yield* start(world, rules)
        const refused = yield* second.until(/^Locked/m)
        assert.match(refused, /^Locked: .*-pid-\d+-\d+:0 works on the database, seen at \d{4}-\d\d-\d\d/)
        assert.notInclude(refused, "began")
        assert.include(yield* first.until(/^done/m), "done")
        assert.deepEqual(yield* tagsOf(world.target), yield* tagsOf(world.source))
      }).pipe(Effect.scoped),
    120_000
  )

  it.live(
    "works alone also where two begin at the same moment, whichever of them works",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.seed(...images)
        const both = [yield* start(world, rules), yield* start(world, rules)]
        const printed = yield* Effect.forEach(both, ({ until }) => until(/^(done|Locked)/m), { concurrency: 2 })
        assert.isTrue(printed.some((text) => text.includes("done")))
        assert.deepEqual(yield* tagsOf(world.target), yield* tagsOf(world.source))
        const outcomes = yield* world.report
        assert.lengthOf(outcomes, images.length)
        assert.isTrue(outcomes.every(({ attempts, state }) => state === "verified" && attempts === 1))
      }).pipe(Effect.scoped),
    120_000
  )
})
