/**
 * Several processes that share a run, with PostgreSQL.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Postgres from "../../../test/support/postgres.ts"
import { freePort } from "../../../test/support/freePort.ts"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { clientOf, Server, server } from "./support/databases.ts"
import type { Order } from "./support/migrate.ts"
import { slowly, start } from "./support/process.ts"
import { blobBytes, brokenTags, makeWorld, sentBytes, tagsOf } from "./support/world.ts"

const layerBytes = 20_000

const images = Array.from({ length: 48 }, (_, index) => ({
  repository: `shop/service-${index % 8}`,
  tags: [`1.${index}`],
  layers: [{ content: "base ".repeat(layerBytes / 5) }, { content: `own ${index} `.padEnd(layerBytes, "x") }]
}))

const limits = { batch: 3, copies: 2, bytesInFlight: 1_048_576 }

/** Each way of the wire, in milliseconds. Copies take so long that each process has joined before the end. */
const shortLatency = 15

/** Copies take longer than a process waits before it is refused. */
const longLatency = 60

/** Two registries and a database, and how to start a process of those that migrate from one to the other. */
const makeCluster = Effect.fnUntraced(function* (latency = shortLatency) {
  const world = yield* makeWorld({ target: { journalSize: 1_000_000 } })
  yield* world.seed(...images)
  const url = yield* Effect.flatMap(Server, ({ next }) => next)
  const database = clientOf(url)
  const rules = yield* world.decode({ limits })
  const emulators = yield* slowly(latency, world.source, world.target)
  const startOne = (more: Partial<Order> = {}) =>
    Effect.flatMap(freePort, (port) =>
      start({ database: { url }, rules, emulators, lockSeconds: 3, runner: { host: "127.0.0.1", port }, ...more })
    )
  /** Asserts that all is as after one process that nothing has disturbed. */
  const assertWhole = (disturbances: number) =>
    Effect.gen(function* () {
      const { services, source, target } = world
      assert.isTrue(MigrationReport.isComplete(yield* Migration.status("test")))
      const outcomes = yield* Stream.runCollect(Migration.report("test"))
      assert.lengthOf(outcomes, images.length)
      assert.isTrue(outcomes.every(({ state }) => state === "verified" || state === "present"))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.deepEqual(yield* Effect.provide(brokenTags(target), services), [])
      const [needed, sent] = [yield* Effect.provide(blobBytes(source), services), yield* sentBytes(target)]
      // Each process may send a blob that another one is sending.
      assert.isAtMost(sent, needed + (1 + disturbances) * limits.bytesInFlight)
      return outcomes
    }).pipe(Effect.provide(database))
  return { startOne, assertWhole }
})

const artifactsOf = (printed: string): ReadonlyArray<string> =>
  Array.from(printed.matchAll(/^artifact (\d+ \S+)/gm), ([, artifact]) => artifact ?? "")

type Process = Effect.Success<ReturnType<typeof start>>

/** Two processes that both have copied something: first the one that drives the run. */
const drivenFirst = (one: Process, other: Process) =>
  Effect.gen(function* () {
    yield* one.until(/^artifact/m)
    yield* other.until(/^artifact/m)
    return /^planned/m.test(yield* one.until(/./)) ? ([one, other] as const) : ([other, one] as const)
  })

describe.skipIf(!Postgres.isInstalled())("processes on PostgreSQL (skipped where it is not installed)", () => {
  layer(server, { excludeTestServices: true })((it) => {
    it.effect("share a run: each artifact is copied once, and the stream of each ends with the run", () =>
      Effect.gen(function* () {
        const { assertWhole, startOne } = yield* makeCluster()
        const both = [yield* startOne(), yield* startOne()]
        const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
        for (const text of printed) {
          assert.match(text, /^done$/m)
          assert.isAbove(artifactsOf(text).length, 0)
        }
        const copied = printed.flatMap(artifactsOf)
        assert.lengthOf(copied, images.length)
        assert.lengthOf(new Set(copied), images.length)
        const outcomes = yield* assertWhole(0)
        assert.isTrue(outcomes.every(({ attempts }) => attempts === 1))
      }).pipe(Effect.scoped)
    )

    it.effect("finish the work of the one that drives the run, which is killed", () =>
      Effect.gen(function* () {
        const { assertWhole, startOne } = yield* makeCluster()
        const [driving, other] = yield* drivenFirst(yield* startOne(), yield* startOne())
        driving.child.kill("SIGKILL")
        assert.notMatch(yield* driving.ended, /^done$/m)
        assert.match(yield* other.ended, /^done$/m)
        yield* assertWhole(1)
      }).pipe(Effect.scoped)
    )

    it.effect("finish the work of one that hangs, which changes nothing when it wakes up", () =>
      Effect.gen(function* () {
        const { assertWhole, startOne } = yield* makeCluster()
        const [driving, other] = yield* drivenFirst(yield* startOne(), yield* startOne())
        driving.child.kill("SIGSTOP")
        assert.match(yield* other.ended, /^done$/m)
        yield* assertWhole(1)
        driving.child.kill("SIGCONT")
        assert.match(yield* driving.ended, /^done$/m)
        yield* assertWhole(1)
      }).pipe(Effect.scoped)
    )

    it.effect("go on where the clock of one jumps by an hour", () =>
      Effect.gen(function* () {
        const { assertWhole, startOne } = yield* makeCluster()
        const both = [yield* startOne({ jumpMinutes: 60 }), yield* startOne({ jumpMinutes: -60 })]
        const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
        for (const text of printed) assert.match(text, /^done$/m)
        const copied = printed.flatMap(artifactsOf)
        assert.lengthOf(new Set(copied), copied.length)
        yield* assertWhole(0)
      }).pipe(Effect.scoped)
    )

    it.effect("refuse one that would work alone on their run", () =>
      Effect.gen(function* () {
        const { startOne } = yield* makeCluster(longLatency)
        const together = yield* startOne()
        yield* together.until(/^artifact/m)
        const { runner: _, ...alone } = together.order
        const refused = yield* (yield* start(alone)).ended
        assert.match(refused, /^Locked: another process works on this run: 127\.0\.0\.1:\d+$/m)
        assert.isNull(together.child.exitCode)
      }).pipe(Effect.scoped)
    )
  })
})
