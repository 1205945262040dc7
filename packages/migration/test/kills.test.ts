/**
 * A migration in a process that is killed at random.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MigrationReport from "../src/MigrationReport.ts"
import { randoms, slowly, start } from "./support/process.ts"
import { blobBytes, brokenTags, makeWorld, sentBytes, tagsOf } from "./support/world.ts"

const kills = 10

const layerBytes = 100_000

const images = Array.from({ length: 72 }, (_, index) => ({
  repository: `shop/service-${index % 9}`,
  tags: [`1.${index}`],
  ...(index % 3 === 0 ? { platforms: ["linux/amd64", "linux/arm64"] } : {}),
  layers: [{ content: "base ".repeat(layerBytes / 5) }, { content: `own ${index} `.padEnd(layerBytes, "x") }]
}))

const limits = { batch: 20, copies: 4, bytesInFlight: 1_048_576 }

/** Each way of the wire. A copy takes ten requests or more: the whole takes longer than there are kills. */
const latency = 20

const longestLife = 450

describe("a migration in a process", () => {
  it.live(
    "ends as if it had not been killed, ten times at random, tags nothing that is not whole, and sends little twice",
    () =>
      Effect.gen(function* () {
        const { decode, filename, report, seed, services, source, status, target } = yield* makeWorld({
          target: { journalSize: 1_000_000 }
        })
        yield* seed(...images)
        const order = {
          database: { filename },
          rules: yield* decode({ limits }),
          emulators: yield* slowly(latency, source, target),
          lockSeconds: 3
        }
        const random = randoms(20_261_128)
        for (let time = 0; time < kills; time++) {
          const { child, ended, until } = yield* start(order)
          yield* until(/^PassBegan/m)
          yield* Effect.sleep(random() * longestLife)
          assert.isNull(child.exitCode, "it has ended before it is killed")
          child.kill("SIGKILL")
          yield* ended
          assert.deepEqual(yield* Effect.provide(brokenTags(target), services), [])
        }
        assert.include(yield* (yield* start(order)).ended, "done")

        assert.isTrue(MigrationReport.isComplete(yield* status))
        assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
        assert.deepEqual(yield* Effect.provide(brokenTags(target), services), [])
        const outcomes = (yield* report).filter(({ tags }) => tags.length > 0)
        assert.lengthOf(new Set(outcomes.map(({ digest, source: name }) => `${name} ${digest}`)), images.length)
        assert.isTrue(outcomes.every(({ state }) => state === "verified" || state === "present"))
        const [needed, sent] = [yield* Effect.provide(blobBytes(source), services), yield* sentBytes(target)]
        assert.isAtLeast(sent, needed)
        assert.isAtMost(sent, needed + kills * limits.bytesInFlight)
      }).pipe(Effect.scoped),
    300_000
  )
})
