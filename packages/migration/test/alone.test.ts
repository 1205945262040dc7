/**
 * A process that would work alone on a run that others work on.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as Postgres from "../../../test/support/postgres.ts"
import * as Migration from "../src/Migration.ts"
import { nextUrl, server } from "./support/databases.ts"
import { rehearse } from "./support/rehearsal.ts"
import { makeWorld } from "./support/world.ts"

const images = 60

const rehearsal = {
  images,
  repositories: 6,
  layerBytes: 100,
  limits: { batch: 20, copies: 1, bytesInFlight: 1_048_576 }
}

/** The work takes longer than another process waits before it is refused. */
const slow = { ...rehearsal, roundTripMillis: 100 }

describe("a migration that works alone", () => {
  it.live("refuses another one of its run, with the name of the process and the time", () =>
    Effect.gen(function* () {
      const { end, startAlone } = yield* rehearse(slow)
      const first = yield* startAlone
      yield* first.until(/^began/m)
      const refused = yield* (yield* startAlone).ended
      assert.match(refused, /^Locked: another process works on this run: .*-pid-\d+-since-\d{4}-\d\d-\d\dT[\d:.]+Z$/m)
      assert.notMatch(refused, /^began/m)
      assert.isFalse((yield* end).isComplete)
    }).pipe(Effect.scoped)
  )

  it.live("ends within ten seconds when it is interrupted, and continues at once in the next call", () =>
    Effect.gen(function* () {
      const { end, startAlone } = yield* rehearse({
        ...slow,
        roundTripMillis: 20,
        limits: { ...slow.limits, copies: 4 }
      })
      const first = yield* startAlone
      yield* first.until(/^planned/m)
      const told = yield* Clock.currentTimeMillis
      first.child.kill("SIGTERM")
      assert.notMatch(yield* first.ended, /^done$/m)
      assert.isBelow((yield* Clock.currentTimeMillis) - told, 10_000)
      assert.match(yield* (yield* startAlone).ended, /^done$/m)
      assert.deepInclude(yield* end, { isComplete: true, differences: [], artifacts: images })
    }).pipe(Effect.scoped)
  )

  it.live("works alone also where two begin at the same moment, whichever of them works", () =>
    Effect.gen(function* () {
      const { end, outcomes, startAlone } = yield* rehearse({ ...rehearsal, roundTripMillis: 4 })
      const both = [yield* startAlone, yield* startAlone]
      const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
      assert.isTrue(printed.some((text) => /^done$/m.test(text)))
      assert.deepInclude(yield* end, { isComplete: true, differences: [], artifacts: images })
      assert.isTrue((yield* outcomes).every(({ attempts, state }) => state === "verified" && attempts === 1))
    }).pipe(Effect.scoped)
  )

  it.live("works also where the clock was set back after another one was killed", () =>
    Effect.gen(function* () {
      const { decode, run, seed, services, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* run()
      const lock = Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`INSERT INTO cluster_1_locks (shard_id, address, acquired_at)
          VALUES ('default:1', 'killed:0', datetime('now', '+1 hour'))`
      )
      yield* Effect.provide(lock, services)
      const options = { lockExpiration: Duration.seconds(3) }
      yield* Stream.runDrain(Migration.run("test", yield* decode({}), options)).pipe(Effect.provide(services))
      assert.deepInclude(yield* status, { phase: "done", pass: 3 })
    }).pipe(Effect.scoped)
  )
})

describe.skipIf(!Postgres.isInstalled())("processes on PostgreSQL (skipped where it is not installed)", () => {
  layer(server, { excludeTestServices: true })((it) => {
    it.effect("refuse one that would work alone on the run that they share", () =>
      Effect.gen(function* () {
        const { startAlone, startTogether } = yield* rehearse({ ...slow, url: yield* nextUrl })
        const together = yield* startTogether()
        yield* together.until(/^began/m)
        assert.match(yield* (yield* startAlone).ended, /^Locked: another process works on this run: 127\.0\.0\.1:\d+$/m)
        assert.isNull(together.child.exitCode)
      }).pipe(Effect.scoped)
    )
  })
})
