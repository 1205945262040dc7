/**
 * A PostgreSQL that hangs: it accepts connections and statements, and does not respond.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { freePort } from "../../../test/support/freePort.ts"
import * as Postgres from "../../../test/support/postgres.ts"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { nextUrl, server } from "./support/databases.ts"
import { makeWorld, tagsOf } from "./support/world.ts"
import * as Wire from "./support/wire.ts"

const images = Array.from({ length: 40 }, (_, index) => ({
  repository: `shop/service-${index % 5}`,
  tags: [`1.${index}`],
  layers: [`layer ${index}`]
}))

describe.skipIf(!Postgres.isInstalled())("a PostgreSQL that hangs (skipped where it is not installed)", () => {
  layer(server, { excludeTestServices: true })((it) => {
    for (const isAlone of [true, false]) {
      const which = isAlone ? "that works alone" : "that others share"
      it.effect(`does not keep a run ${which} from ending when it is interrupted, or its connections open`, () =>
        Effect.gen(function* () {
          const direct = yield* nextUrl
          const url = new URL(direct)
          const wire = yield* Wire.make(Number(url.port))
          url.port = String(wire.port)
          const { decode, seed, services, source, target } = yield* makeWorld({ database: Postgres.client(url.href) })
          yield* seed(...images)
          const rules = yield* decode({ limits: { batch: 2, copies: 1 } })
          const run = isAlone
            ? Migration.run("test", rules)
            : Migration.run("test", rules, { runner: { host: "127.0.0.1", port: yield* freePort, shards: 4 } })
          const isCopying = yield* Deferred.make<void>()
          const fiber = yield* run.pipe(
            Stream.runForEach(({ _tag }) =>
              _tag === "BatchDone" ? Deferred.succeed(isCopying, undefined) : Effect.void
            ),
            Effect.provide(services),
            Effect.forkChild
          )
          yield* Deferred.await(isCopying)
          yield* wire.hang
          yield* Fiber.interrupt(fiber)
          // The other end of the connections learns of it a moment later.
          yield* Effect.repeat(wire.open, { schedule: Schedule.spaced("10 millis"), until: (open) => open === 0 })
          // The next call reaches it by another wire, and continues.
          yield* Effect.gen(function* () {
            yield* Stream.runDrain(run)
            assert.isTrue(MigrationReport.isComplete(yield* Migration.status("test")))
          }).pipe(Effect.provide(Layer.merge(services, Postgres.client(direct))))
          assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
        }).pipe(Effect.scoped)
      )
    }
  })
})
