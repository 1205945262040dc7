/**
 * Several processes that share a run, with PostgreSQL.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import { freePort } from "../../../test/support/freePort.ts"
import * as Postgres from "../../../test/support/postgres.ts"
import * as Migration from "../src/Migration.ts"
import { nextUrl, server } from "./support/databases.ts"
import type { Process } from "./support/process.ts"
import { artifactsOf, assertWhole, rehearse, slowRehearsal } from "./support/rehearsal.ts"
import { makeWorld } from "./support/world.ts"

const rehearseTogether = Effect.flatMap(nextUrl, (url) => rehearse({ ...slowRehearsal, url }))

/** Two processes that both have copied something: first the one that drives the run. */
const drivenFirst = (one: Process, other: Process) =>
  Effect.gen(function* () {
    yield* other.until(/^artifact/m)
    return /^planned/m.test(yield* one.until(/^artifact/m)) ? ([one, other] as const) : ([other, one] as const)
  })

const endedOf = (processes: ReadonlyArray<Process>) =>
  Effect.forEach(processes, ({ ended }) => ended, { concurrency: 2 })

describe.skipIf(!Postgres.isInstalled())("processes on PostgreSQL (skipped where it is not installed)", () => {
  layer(server, { excludeTestServices: true })((it) => {
    it.effect("share a run: each artifact is copied once, and the stream of each ends with the run", () =>
      Effect.gen(function* () {
        const { end, outcomes, startTogether } = yield* rehearseTogether
        const both = [yield* startTogether(), yield* startTogether()]
        const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
        for (const text of printed) {
          assert.match(text, /^done$/m)
          assert.isAbove(artifactsOf(text).length, 0)
        }
        const copied = printed.flatMap(artifactsOf)
        assert.lengthOf(new Set(copied), copied.length)
        assert.isTrue((yield* outcomes).every(({ attempts }) => attempts === 1))
        assertWhole(yield* end)
      }).pipe(Effect.scoped)
    )

    it.effect("finish the work of the one that drives the run, which is killed", () =>
      Effect.gen(function* () {
        const { broken, end, startTogether } = yield* rehearseTogether
        const [driving, other] = yield* drivenFirst(yield* startTogether(), yield* startTogether())
        driving.child.kill("SIGKILL")
        assert.notMatch(yield* driving.ended, /^done$/m)
        assert.deepEqual(yield* broken, [])
        assert.match(yield* other.ended, /^done$/m)
        assertWhole(yield* end, 1)
      }).pipe(Effect.scoped)
    )

    for (const isDriving of [true, false]) {
      const role = isDriving ? "drives the run" : "copies what another one asks for"
      it.effect(`finish the work of one that ${role} and hangs, and that changes nothing when it wakes up`, () =>
        Effect.gen(function* () {
          const { end, startTogether } = yield* rehearseTogether
          const [driving, copying] = yield* drivenFirst(yield* startTogether(), yield* startTogether())
          const [hanging, other] = isDriving ? [driving, copying] : [copying, driving]
          hanging.child.kill("SIGSTOP")
          assert.match(yield* other.ended, /^done$/m)
          assertWhole(yield* end, 1)
          hanging.child.kill("SIGCONT")
          assert.match(yield* hanging.ended, /^done$/m)
          assertWhole(yield* end, 1)
        }).pipe(Effect.scoped)
      )
    }

    it.effect(
      "hold rows of messages for less time than their locks, since one that hangs would keep the others waiting",
      () =>
        Effect.gen(function* () {
          const database = Postgres.client(yield* nextUrl)
          const { decode, seed, services } = yield* makeWorld({ database })
          yield* seed({ repository: "shop/api", tags: ["1.0"] })
          const sql = Context.get(yield* Layer.build(database), SqlClient.SqlClient)
          let isObserved = false
          // An answer is written in a transaction of several statements.
          const observe = Effect.all([
            sql`CREATE TABLE limits (millis TEXT)`,
            sql`CREATE FUNCTION note_limit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
            INSERT INTO limits SELECT setting FROM pg_settings WHERE name = ''idle_in_transaction_session_timeout'';
            RETURN NEW; END'`,
            sql`CREATE TRIGGER note BEFORE INSERT ON cluster_1_replies FOR EACH ROW EXECUTE FUNCTION note_limit()`
          ])
          const runner = { host: "127.0.0.1", port: yield* freePort }
          yield* Migration.run("test", yield* decode({}), { runner, lockExpiration: "6 seconds" }).pipe(
            Stream.runForEach(({ _tag }) => {
              if (isObserved || _tag !== "PassBegan") return Effect.void
              isObserved = true
              return observe
            }),
            Effect.provide(services)
          )
          assert.deepEqual(yield* sql`SELECT DISTINCT millis FROM limits`, [{ millis: "3000" }])
        }).pipe(Effect.scoped)
    )

    it.effect("end where a registry refuses the login, and continue afterwards", () =>
      Effect.gen(function* () {
        const { end, startTogether, target } = yield* rehearseTogether
        const refused = yield* target.inject({
          method: "PUT",
          path: /\/manifests\//,
          skip: slowRehearsal.images / 4,
          times: "always",
          consequence: { _tag: "Answer", status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"no more"}]}' }
        })
        const stopped = yield* endedOf([yield* startTogether(), yield* startTogether()])
        for (const text of stopped) assert.notMatch(text, /^done$/m)
        assert.match(stopped.join("\n"), /^Denied: the target \S+ refuses the login: /m)
        yield* target.removeFault(refused)
        for (const text of yield* endedOf([yield* startTogether(), yield* startTogether()]))
          assert.match(text, /^done$/m)
        assertWhole(yield* end, 2)
      }).pipe(Effect.scoped)
    )

    it.effect("go on where their clocks jump by an hour, forwards and back", () =>
      Effect.gen(function* () {
        const { end, startTogether } = yield* rehearseTogether
        const both = [yield* startTogether({ jumpMinutes: 60 }), yield* startTogether({ jumpMinutes: -60 })]
        const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
        for (const text of printed) assert.match(text, /^done$/m)
        const copied = printed.flatMap(artifactsOf)
        assert.lengthOf(new Set(copied), copied.length)
        assertWhole(yield* end)
      }).pipe(Effect.scoped)
    )
  })
})
