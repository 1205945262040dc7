/**
 * Runs that stop between two of their steps, and the next call.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as Driver from "../src/internal/driver.ts"
import * as Places from "../src/internal/places.ts"
import * as Stores from "../src/internal/store/store.ts"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

/** Makes the database refuse that a run ends, as if its process were killed at that moment. */
const withoutEnd = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql`CREATE TRIGGER no_end BEFORE UPDATE ON migration_runs WHEN NEW.phase = 'done'
      BEGIN SELECT RAISE(ABORT, 'killed'); END`
)

const withEnd = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP TRIGGER no_end`)

describe("a run that stopped after its last list, before it ended", () => {
  it.live("lists again in the next call, and copies what has come since and what was refused", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["1.0"] })
      const refusal = yield* target.inject({
        method: "PUT",
        path: /\/manifests\//,
        times: "always",
        consequence: { _tag: "Answer", status: 400, body: '{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}' }
      })
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["refused"]
      )
      yield* Effect.provide(withoutEnd, services)
      assert.propertyVal(yield* Effect.flip(run()), "problem", "StoreFailed")
      yield* Effect.provide(withEnd, services)
      yield* target.removeFault(refusal)
      yield* seed({ repository: "shop/api", tags: ["1.1"], layers: ["1.1"] })
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )
})

describe("a list that another process has made anew meanwhile", () => {
  it.live("writes nothing, and begins again", () =>
    Effect.gen(function* () {
      const { decode, report, seed, services, source, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const rules = yield* decode({})
      const overtake = Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.andThen(
          sql`UPDATE migration_runs SET attempt = attempt + 1`,
          sql`INSERT INTO migration_repositories (id, run, route, source, target)
            VALUES (1, 1, 0, 'shop/api', 'shop/api')`
        )
      )
      let isOvertaken = false
      yield* Migration.run("test", rules).pipe(
        Stream.runForEach(({ _tag }) => {
          if (isOvertaken || _tag !== "PassBegan") return Effect.void
          isOvertaken = true
          return overtake
        }),
        Effect.provide(services)
      )
      assert.lengthOf(yield* report, 1)
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )
})

describe("a workflow that a killed process left behind", () => {
  it.live("lists nothing once the run has gone further", () =>
    Effect.gen(function* () {
      const { decode, seed, services } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const rules = yield* decode({})
      yield* Effect.gen(function* () {
        const store = yield* Stores.make()
        const events: Array<Migration.Event> = []
        const { prepare } = yield* Driver.makeWorker({
          store,
          places: yield* Places.make(),
          rules,
          emit: (...more) => Effect.sync(() => events.push(...more)),
          shards: 1,
          batchesAhead: 1
        })
        const run = yield* Driver.begin(store, "test", rules)
        yield* store.advance(yield* store.byId(run), { attempt: 1 })
        const old = { run, pass: 1, attempt: 0, isFirst: true, isLast: false, shards: 1 }
        assert.strictEqual(yield* prepare(old), 0)
        assert.deepEqual(events, [])
        assert.strictEqual(yield* prepare({ ...old, attempt: 1 }), 1)
      }).pipe(Effect.provide(services))
    }).pipe(Effect.scoped)
  )
})

describe("limits and reading back", () => {
  it.live("are those of the process, not of another one that was called later", () =>
    Effect.gen(function* () {
      const { decode, seed, services } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const others = Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`UPDATE migration_runs SET rules = json_set(rules, '$.verify', json('{"sample":0}'))`
      )
      const events = yield* Migration.run("test", yield* decode({})).pipe(
        Stream.tap(({ _tag }) => (_tag === "PassBegan" ? others : Effect.void)),
        Stream.runCollect,
        Effect.provide(services)
      )
      assert.lengthOf(
        events.filter(({ _tag }) => _tag === "ReadBack"),
        1
      )
    }).pipe(Effect.scoped)
  )
})

describe("a batch that fails", () => {
  it.live("has a new key before its failure is stored, which would be the answer of the next call", () =>
    Effect.gen(function* () {
      const { decode, seed, services, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* target.inject({
        method: "PUT",
        path: /\/manifests\//,
        times: "always",
        consequence: { _tag: "Answer", status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"no more"}]}' }
      })
      const guard = Effect.flatMap(
        SqlClient.SqlClient,
        (sql) =>
          sql`CREATE TRIGGER guard BEFORE INSERT ON cluster_1_replies
            WHEN (SELECT min(attempt) FROM migration_batches) = 0 AND NEW.payload LIKE '%Denied%'
            BEGIN SELECT RAISE(ABORT, 'the key is that of the failure'); END`
      )
      const error = yield* Migration.run("test", yield* decode({})).pipe(
        Stream.tap(({ _tag }) => (_tag === "PassBegan" ? guard : Effect.void)),
        Stream.runDrain,
        Effect.provide(services),
        Effect.flip
      )
      assert.propertyVal(error, "problem", "Denied")
    }).pipe(Effect.scoped)
  )
})

describe("a database that refuses the answers of the cluster", () => {
  it.live("ends the run, which would wait for them forever", () =>
    Effect.gen(function* () {
      const { decode, seed, services } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const refuse = Effect.flatMap(
        SqlClient.SqlClient,
        (sql) =>
          sql`CREATE TRIGGER refuse BEFORE INSERT ON cluster_1_replies BEGIN SELECT RAISE(ABORT, 'not allowed'); END`
      )
      const error = yield* Migration.run("test", yield* decode({})).pipe(
        Stream.tap(({ _tag }) => (_tag === "PassBegan" ? Effect.ignore(refuse) : Effect.void)),
        Stream.runDrain,
        Effect.provide(services),
        Effect.flip
      )
      assert.deepInclude(error, { problem: "StoreFailed" })
      assert.include(error.message, "not allowed")
    }).pipe(Effect.scoped)
  )
})
