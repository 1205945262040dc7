/**
 * Migrations on each kind of database.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { freePort } from "../../../test/support/freePort.ts"
import * as Migration from "../src/Migration.ts"
import * as MigrationProgress from "../src/MigrationProgress.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { Databases, kinds } from "./support/databases.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

const worldOnEmpty = Effect.gen(function* () {
  const { empty } = yield* Databases
  return yield* makeWorld({ database: yield* empty })
})

const images = Array.from({ length: 24 }, (_, index) => ({
  repository: `shop/service-${index % 5}`,
  tags: [`1.${index}`, ...(index % 7 === 0 ? ["latest"] : [])],
  layers: ["the layer that all have", `layer ${index}`]
}))

for (const { databases, isInstalled, name } of kinds) {
  describe.skipIf(!isInstalled)(`a migration on ${name}`, () => {
    layer(databases, { excludeTestServices: true })((it) => {
      it.effect("copies in batches, says what became of each artifact, and finds all of them in the next call", () =>
        Effect.gen(function* () {
          const { report, run, seed, source, status, target } = yield* worldOnEmpty
          yield* seed(...images, {
            repository: "shop/index",
            tags: ["1.0"],
            platforms: ["linux/amd64", "linux/arm64"],
            referrers: [{ artifactType: "application/spdx+json" }]
          })
          const limits = { batch: 4 }
          const events = yield* run({ limits })
          assert.isAtLeast(events.filter(({ _tag }) => _tag === "BatchDone").length, 6)
          assert.isTrue(MigrationReport.isComplete(yield* status))
          assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
          const outcomes = yield* report
          const tagged = outcomes.filter(({ tags }) => tags.length > 0)
          assert.lengthOf(tagged, images.length + 1)
          assert.isTrue(tagged.every(({ attempts, state }) => state === "verified" && attempts === 1))
          const planned = (yield* run({ limits })).flatMap((event) =>
            event._tag === "Planned" ? [event.artifacts] : []
          )
          assert.deepEqual(planned, [0])
          assert.deepEqual(yield* report, outcomes)
        }).pipe(Effect.scoped)
      )

      it.effect("goes on where an artifact is damaged, and where the source does not have one that it lists", () =>
        Effect.gen(function* () {
          const { report, run, seed, source, status } = yield* worldOnEmpty
          const [damaged, gone] = yield* seed(...images)
          yield* source.inject({
            method: "GET",
            path: `/v2/shop/service-0/manifests/${damaged}`,
            times: "always",
            consequence: { _tag: "CorruptBody", atByte: 10 }
          })
          yield* source.inject({
            path: `/v2/shop/service-1/manifests/${gone}`,
            times: "always",
            consequence: { _tag: "Answer", status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' }
          })
          yield* run()
          const unusual = (yield* report).filter(({ state }) => state !== "verified")
          assert.sameDeepMembers(
            unusual.map(({ class: kind, digest, state }) => [digest, state, kind]),
            [
              [damaged, "failed", "content"],
              [gone, "failed", "gone"]
            ]
          )
          assert.isFalse(MigrationReport.isComplete(yield* status))
        }).pipe(Effect.scoped)
      )

      it.effect("stops when its reader does, and continues in the next call", () =>
        Effect.gen(function* () {
          const { decode, report, run, seed, services, source, target } = yield* worldOnEmpty
          yield* seed(...images)
          const limits = { batch: 5, copies: 2 }
          yield* Migration.run("test", yield* decode({ limits })).pipe(
            Stream.takeUntil(({ _tag }) => _tag === "ArtifactDone"),
            Stream.runDrain,
            Effect.provide(services)
          )
          yield* run({ limits })
          assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
          assert.lengthOf(yield* report, images.length)
        }).pipe(Effect.scoped)
      )

      it.effect("is shared by runners, whose streams have what each of them did", () =>
        Effect.gen(function* () {
          const { decode, seed, services, source, status, target } = yield* worldOnEmpty
          yield* seed(...images)
          const rules = yield* decode({ limits: { batch: 2 } })
          const runOne = Effect.flatMap(freePort, (port) =>
            Stream.runCollect(Migration.run("test", rules, { runner: { host: "127.0.0.1", port, shards: 4 } }))
          ).pipe(Effect.provide(services))
          const streams = yield* Effect.all([runOne, runOne], { concurrency: 2 })
          const events = streams.flat()
          const done = events.flatMap((event) => (event._tag === "ArtifactDone" ? [event.digest] : []))
          assert.lengthOf(new Set(done), images.length)
          const summary = yield* status
          assert.isTrue(MigrationReport.isComplete(summary))
          // A page of either process ends with the whole run.
          for (const stream of streams) {
            const { current, note } = yield* MigrationProgress.track
            yield* Effect.forEach(stream, note, { discard: true })
            const { phase, totals } = yield* current
            assert.strictEqual(phase, "done")
            assert.deepEqual(
              totals,
              summary.totals.map(({ count, state }) => ({ state, count }))
            )
          }
          assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
        }).pipe(Effect.scoped)
      )

      it.effect("keeps the number of shards until the run ends", () =>
        Effect.gen(function* () {
          const { decode, seed, services, status } = yield* worldOnEmpty
          yield* seed(...images)
          const rules = yield* decode({})
          const runWith = (shards: number) =>
            Effect.map(freePort, (port) =>
              Migration.run("test", rules, { runner: { host: "127.0.0.1", port, shards } })
            )
          const stopped = Stream.takeUntil(Stream.unwrap(runWith(4)), ({ _tag }) => _tag === "PassBegan")
          yield* Effect.provide(Stream.runDrain(stopped), services)
          const call = (shards: number) => Effect.provide(Stream.runDrain(Stream.unwrap(runWith(shards))), services)
          const error = yield* Effect.flip(call(5))
          assert.propertyVal(error, "problem", "RunnerFailed")
          assert.include(error.message, "this process has 5 shards, and the run has 4 until it ends")
          yield* call(4)
          yield* call(5)
          assert.isTrue(MigrationReport.isComplete(yield* status))
        }).pipe(Effect.scoped)
      )

      it.effect("says that a runner cannot listen", () =>
        Effect.gen(function* () {
          const { decode, services, source } = yield* worldOnEmpty
          const runner = { host: "127.0.0.1", port: Number(new URL(source.endpoint).port) }
          const error = yield* Migration.run("test", yield* decode({}), { runner }).pipe(
            Stream.runDrain,
            Effect.provide(services),
            Effect.flip
          )
          assert.propertyVal(error, "problem", "RunnerFailed")
          assert.include(error.message, "EADDRINUSE")
        }).pipe(Effect.scoped)
      )

      it.effect("goes beside another one in the same program and database", () =>
        Effect.gen(function* () {
          const { decode, route, seed, services, source, target } = yield* worldOnEmpty
          yield* seed(...images)
          const halves = [{ exclude: ["shop/service-0"] }, { include: ["shop/service-0"] }]
          const copied = yield* Effect.forEach(
            halves,
            (repositories, index) =>
              Effect.flatMap(decode({ routes: [{ ...route, repositories }] }), (rules) =>
                Stream.runCollect(Migration.run(`half ${index}`, rules))
              ),
            { concurrency: 2 }
          ).pipe(Effect.provide(services))
          assert.deepEqual(
            copied.map((events) => events.filter(({ _tag }) => _tag === "ArtifactDone").length),
            [19, 5]
          )
          assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
        }).pipe(Effect.scoped)
      )
    })
  })
}
