/**
 * The database of runs: how much it takes, and what it refuses.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import * as Postgres from "../../../test/support/postgres.ts"
import { fromBytes, toBytes } from "../src/internal/store/digests.ts"
import * as Stores from "../src/internal/store/store.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { kinds, nextUrl, onEmpty, server } from "./support/databases.ts"

const memory = SqliteClient.layer({ filename: ":memory:" })

/** A digest that looks as if content had it. */
const digestOf = (number: number): Digest.Digest =>
  Digest.Digest.make(
    `sha256:${((number * 2_654_435_761) % 4_294_967_296).toString(16).padStart(8, "0")}${number.toString(16).padStart(56, "0")}`
  )

const repository = (source: string) => ({ route: 0, source, target: source, problem: null, detail: null })

const begun = Effect.gen(function* () {
  const store = yield* Stores.make()
  const run = yield* store.begin("test", "{}")
  yield* store.addRepositories(run.id, ["large", "small", "tiny"].map(repository), [])
  return { store, run }
})

const plannedOf = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    digest: digestOf(from + index),
    size: 1000,
    changed: from + index,
    state: "planned" as const,
    tags: [`1.${from + index}`]
  }))

/** Writes a plan over what is known, as a pass does. */
const setPlan = (store: Stores.Store, repository: number, planned: ReadonlyArray<Stores.Planned>) =>
  Effect.flatMap(store.known(repository), (known) => store.setPlan(repository, planned, known))

for (const { databases, isInstalled, name } of kinds) {
  describe.skipIf(!isInstalled)(`the store on ${name}`, () => {
    layer(databases, { excludeTestServices: true })((it) => {
      it.effect("makes batches: large repositories first, small ones together, what is newest first", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* setPlan(store, 1, plannedOf(0, 25))
          yield* setPlan(store, 2, plannedOf(100, 4))
          yield* setPlan(store, 3, plannedOf(200, 1))
          assert.strictEqual(yield* store.makeBatches(run.id, 1, 10, 1), 30)
          const batches = yield* store.openBatches(run.id)
          const sizes = yield* Effect.forEach(batches, ({ id }) => Effect.map(store.tasks(id), (tasks) => tasks.length))
          assert.deepEqual(sizes, [10, 10, 10])
          const [first] = yield* store.tasks(batches[0]?.id ?? 0)
          assert.deepEqual(first, { id: 1, repository: 1, digest: digestOf(24), tags: ["1.24"] })
          const last = yield* store.tasks(batches[2]?.id ?? 0)
          assert.deepEqual([...new Set(last.map(({ repository }) => repository))], [1, 2, 3])
        }).pipe(onEmpty)
      )

      it.effect("makes smaller batches for more shards, down to 50 artifacts", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* setPlan(store, 1, plannedOf(0, 600))
          const sizesFor = (most: number, shards: number) =>
            Effect.gen(function* () {
              yield* store.makeBatches(run.id, 1, most, shards)
              const batches = yield* store.openBatches(run.id)
              return yield* Effect.forEach(batches, ({ id }) => Effect.map(store.tasks(id), (tasks) => tasks.length))
            })
          assert.deepEqual(yield* sizesFor(1000, 1), [600])
          assert.deepEqual(yield* sizesFor(1000, 4), [150, 150, 150, 150])
          assert.lengthOf(yield* sizesFor(1000, 100), 12)
          assert.deepEqual(yield* sizesFor(400, 2), [300, 300])
          assert.lengthOf(yield* sizesFor(20, 2), 30)
        }).pipe(onEmpty)
      )

      it.effect("knows which repository has a blob, also once that is another one", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          const blob = { run: run.id, place: 0, digest: digestOf(1) }
          assert.isTrue(Option.isNone(yield* store.carrier(run.id, 0, blob.digest)))
          yield* store.settle([], [{ ...blob, repository: 1 }])
          yield* store.settle([], [{ ...blob, repository: 2 }])
          assert.deepEqual(yield* store.carrier(run.id, 0, blob.digest), Option.some(2))
          assert.isTrue(Option.isNone(yield* store.carrier(run.id, 1, blob.digest)))
        }).pipe(onEmpty)
      )

      it.effect("keeps the beginning of a long message, and shows that it goes on", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* setPlan(store, 1, plannedOf(0, 1))
          const [batch] = yield* Effect.andThen(store.makeBatches(run.id, 1, 10, 1), store.openBatches(run.id))
          const [task] = yield* store.tasks(batch?.id ?? 0)
          yield* store.settle([{ id: task?.id ?? 0, state: "failed", class: "other", detail: "x".repeat(400) }], [])
          const repository = (yield* store.repositories(run.id)).find(({ id }) => id === 1)
          const [outcome] = repository === undefined ? [] : yield* store.outcomes(repository, undefined)
          assert.strictEqual(outcome?.detail, `${"x".repeat(299)}…`)
        }).pipe(onEmpty)
      )

      it.effect("keeps the outcome that another process has written meanwhile", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* setPlan(store, 1, plannedOf(0, 1))
          yield* store.makeBatches(run.id, 1, 10, 1)
          const [batch] = yield* store.openBatches(run.id)
          const [task] = yield* store.tasks(batch?.id ?? 0)
          yield* store.settle([{ id: task?.id ?? 0, state: "copied" }], [])
          // By a process that hung after its copy failed.
          yield* store.settle([{ id: task?.id ?? 0, state: "failed", class: "other" }], [])
          assert.strictEqual((yield* store.known(1)).get(digestOf(0))?.state, "copied")
        }).pipe(onEmpty)
      )

      it.effect("refuses the tables of a newer version", () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* Stores.make()
          yield* sql`INSERT INTO migration_versions ${sql.insert({ migration_id: 99, name: "future" })}`
          const error = yield* Effect.flip(Stores.make())
          assert.strictEqual(error.problem, "NewerStore")
          assert.include(error.message, "version 99")
        }).pipe(onEmpty)
      )

      it.effect("refuses what a process writes that slept while another one took the run further", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* store.during(run, setPlan(store, 1, plannedOf(0, 1)))
          yield* store.advance(run, { phase: "copy" })
          const error = yield* Effect.flip(store.during(run, setPlan(store, 1, plannedOf(1, 1))))
          assert.strictEqual(error.problem, "Interrupted")
          assert.strictEqual((yield* store.known(1)).size, 1)
        }).pipe(onEmpty)
      )

      it.effect(
        "makes batches of what is left to copy, each of its own artifacts, without repositories that have a problem",
        () =>
          Effect.gen(function* () {
            const { run, store } = yield* begun
            // The rows of the first repository are around those of the others.
            yield* setPlan(store, 1, plannedOf(0, 2))
            yield* setPlan(store, 2, plannedOf(100, 2))
            yield* setPlan(store, 3, plannedOf(200, 2))
            yield* setPlan(store, 1, plannedOf(0, 4))
            yield* store.setProblem(2, "notListed", null)
            yield* store.setProblem(3, "leftOut", null)
            assert.strictEqual(yield* store.makeBatches(run.id, 1, 4, 1), 6)
            const batches = yield* store.openBatches(run.id)
            const left = Effect.forEach(batches, ({ id }) =>
              Effect.map(store.tasks(id), (tasks) =>
                tasks.map(({ digest, repository: own }) => `${own} ${digest}`).toSorted()
              )
            )
            const ofFirst = plannedOf(0, 4).map(({ digest }) => `1 ${digest}`)
            const ofThird = plannedOf(200, 2).map(({ digest }) => `3 ${digest}`)
            assert.deepEqual(yield* left, [ofFirst.toSorted(), ofThird.toSorted()])
            const [first] = yield* store.tasks(batches[0]?.id ?? 0)
            assert.isDefined(first)
            yield* store.settle([{ id: first.id, state: "failed" }], [])
            assert.deepEqual(yield* left, [
              ofFirst.filter((one) => one !== `1 ${first.digest}`).toSorted(),
              ofThird.toSorted()
            ])
          }).pipe(onEmpty)
      )

      it.effect("counts attempts, and forgets why an artifact failed once it is planned again", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          const planned = plannedOf(0, 2)
          yield* setPlan(store, 1, planned)
          const [tried, untried] = Array.from((yield* store.known(1)).values())
          assert.isDefined(tried)
          assert.isDefined(untried)
          const failed = { state: "failed", class: "transient", detail: "gone" } as const
          yield* store.settle(
            [
              { id: tried.id, ...failed },
              { id: untried.id, ...failed, isUntried: true }
            ],
            []
          )
          const outcomes = Effect.gen(function* () {
            const large = (yield* store.repositories(run.id)).find(({ id }) => id === 1)
            assert.isDefined(large)
            const found = yield* store.outcomes(large, undefined)
            return found.map(({ attempts, class: kind, detail, state }) => ({ attempts, kind, detail, state }))
          })
          const why = { kind: "transient", detail: "gone", state: "failed" } as const
          assert.sameDeepMembers(
            [...(yield* outcomes)],
            [
              { attempts: 1, ...why },
              { attempts: 0, ...why }
            ]
          )
          yield* setPlan(store, 1, planned)
          const again = { kind: undefined, detail: undefined, state: "planned" } as const
          assert.sameDeepMembers(
            [...(yield* outcomes)],
            [
              { attempts: 1, ...again },
              { attempts: 0, ...again }
            ]
          )
        }).pipe(onEmpty)
      )

      it.effect("verifies what was copied, and nothing else", () =>
        Effect.gen(function* () {
          const { store } = yield* begun
          const planned = plannedOf(0, 3)
          yield* setPlan(store, 1, planned)
          const [copied, failed] = Array.from((yield* store.known(1)).values())
          assert.isDefined(copied)
          assert.isDefined(failed)
          yield* store.settle(
            [
              { id: copied.id, state: "copied" },
              { id: failed.id, state: "failed" }
            ],
            []
          )
          const digests = planned.map(({ digest }) => digest)
          yield* store.verify(1, digests)
          const states = Array.from((yield* store.known(1)).values(), ({ state }) => state)
          assert.sameMembers(states, ["verified", "failed", "planned"])
        }).pipe(onEmpty)
      )

      it.effect("does not let a process that slept take a run back, or repeat a batch that another one repeats", () =>
        Effect.gen(function* () {
          const { run, store } = yield* begun
          yield* setPlan(store, 1, plannedOf(0, 1))
          yield* store.makeBatches(run.id, 1, 10, 1)
          yield* store.advance(run, { phase: "copy" })
          yield* store.advance(run, { phase: "inventory", attempt: 1 })
          assert.deepInclude(yield* store.byId(run.id), { phase: "copy", attempt: 0 })
          const [batch] = yield* store.openBatches(run.id)
          assert.isDefined(batch)
          yield* store.repeatBatches(run.id)
          yield* store.repeatBatches(run.id)
          yield* store.repeatBatch(batch)
          assert.deepEqual(yield* store.openBatches(run.id), [{ id: batch.id, attempt: 2 }])
        }).pipe(onEmpty)
      )

      it.effect("keeps what several processes begin, plan and settle at the same time", () =>
        Effect.gen(function* () {
          const stores = yield* Effect.all(
            Array.from({ length: 4 }, () => Stores.make()),
            { concurrency: "unbounded" }
          )
          const runs = yield* Effect.forEach(stores, (store) => store.begin("test", "{}"), { concurrency: "unbounded" })
          assert.deepEqual(new Set(runs.map(({ id }) => id)), new Set([1]))
          yield* Effect.forEach(stores, (store, index) => store.begin(`test ${index}`, "{}"), {
            concurrency: "unbounded"
          })
          yield* Effect.forEach(
            stores,
            (store, run) =>
              store.addRepositories(
                run,
                [{ route: 0, source: "shop/api", target: "shop/api", problem: null, detail: null }],
                []
              ),
            { concurrency: "unbounded" }
          )
          const [store] = stores
          assert.isDefined(store)
          const repositories = yield* Effect.forEach(stores, (_, run) => store.repositories(run))
          assert.sameMembers(
            repositories.flatMap((found) => found.map(({ id }) => id)),
            [1, 2, 3, 4]
          )
          const planned = plannedOf(0, 1000)
          yield* setPlan(store, 1, planned)
          yield* store.makeBatches(
            repositories.findIndex((found) => found.some(({ id }) => id === 1)),
            1,
            1000,
            1
          )
          const rows = yield* store.known(1)
          const settled = Array.from(rows.values(), ({ id }) => ({ id, state: "copied" as const }))
          // In opposite order, each waits for a row that the other one has written.
          yield* Effect.all([store.settle(settled, []), store.settle(settled.toReversed(), [])], {
            concurrency: "unbounded"
          })
          const known = yield* store.known(1)
          assert.lengthOf(
            Array.from(known.values()).filter(({ state }) => state === "copied"),
            1000
          )
        }).pipe(onEmpty)
      )
    })
  })
}

/** Runs an effect on a database of its own in PostgreSQL. */
const onServer = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(nextUrl, (url) => Effect.provide(effect, Postgres.client(url)))

describe.skipIf(!Postgres.isInstalled())("a store on a server (skipped where PostgreSQL is not installed)", () => {
  layer(server, { excludeTestServices: true })((it) => {
    it.effect("lets a process go on that waits for rows of another one that hangs, and interrupts that one", () =>
      Effect.gen(function* () {
        const { run, store } = yield* begun
        const hanging = yield* Stores.make("50 millis")
        const [isHeld, isOvertaken] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const hang = Effect.andThen(Deferred.succeed(isHeld, undefined), Deferred.await(isOvertaken))
        const [error] = yield* Effect.all(
          [
            Effect.flip(hanging.during(run, Effect.andThen(hang, hanging.setLeftOut(run.id, 0, 1)))),
            Effect.gen(function* () {
              yield* Deferred.await(isHeld)
              yield* store.advance(run, { phase: "copy" })
              yield* Deferred.succeed(isOvertaken, undefined)
            })
          ],
          { concurrency: 2 }
        )
        assert.propertyVal(error, "problem", "Interrupted")
        assert.strictEqual((yield* store.byId(run.id)).phase, "copy")
      }).pipe(onServer)
    )

    it.effect("does not take what the server has rolled back for written", () =>
      Effect.gen(function* () {
        const { run, store } = yield* begun
        const sql = yield* SqlClient.SqlClient
        // PostgreSQL confirms COMMIT also if a statement before it has failed.
        const write = Effect.andThen(store.setLeftOut(run.id, 0, 1), Effect.ignore(sql`SELECT nothing`))
        const error = yield* Effect.flip(store.during(run, write))
        assert.deepInclude(error, {
          problem: "StoreFailed",
          description: "the database failed: the transaction was rolled back"
        })
        assert.deepEqual(yield* store.partialCatalogs(run.id), [])
      }).pipe(onServer)
    )

    it.effect("lets two runs begin a pass at the same time, which update their repositories and add others", () =>
      Effect.gen(function* () {
        const store = yield* Stores.make()
        const beginPasses = Effect.fnUntraced(function* (name: string) {
          const run = yield* store.begin(name, "{}")
          yield* store.addRepositories(run.id, [repository("0")], [])
          for (let pass = 1; pass <= 20; pass++) {
            const known = yield* store.repositories(run.id)
            yield* store.during(run, store.addRepositories(run.id, [repository(String(pass))], known))
          }
          return (yield* store.repositories(run.id)).length
        })
        assert.deepEqual(yield* Effect.forEach(["one", "other"], beginPasses, { concurrency: 2 }), [21, 21])
      }).pipe(onServer)
    )

    it.effect("says what the server says, and that its disk is full", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const store = yield* Stores.make()
        yield* sql`CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN RAISE EXCEPTION ''no space left on device'' USING ERRCODE = ''disk_full''; END'`
        yield* sql`CREATE TRIGGER fill BEFORE INSERT ON migration_runs FOR EACH ROW EXECUTE FUNCTION fill()`
        assert.propertyVal(yield* Effect.flip(store.begin("test", "{}")), "problem", "StoreFull")
        yield* sql`DROP TABLE migration_runs`
        const failed = yield* Effect.flip(store.begin("test", "{}"))
        assert.deepInclude(failed, {
          problem: "StoreFailed",
          description: 'the database failed: relation "migration_runs" does not exist'
        })
      }).pipe(onServer)
    )
  })
})

describe("the store", () => {
  it("keeps digests of both algorithms as bytes", () => {
    for (const digest of [digestOf(7), Digest.Digest.make(`sha512:${"0f".repeat(64)}`)]) {
      assert.strictEqual(fromBytes(toBytes(digest)), digest)
    }
  })

  it.effect("takes less than 500 bytes for an artifact, with its tag and where its blobs are", () =>
    Effect.gen(function* () {
      const { run, store } = yield* begun
      const sql = yield* SqlClient.SqlClient
      const count = 20_000
      yield* setPlan(store, 1, plannedOf(0, count))
      yield* store.makeBatches(run.id, 1, 1000, 1)
      for (const { id } of yield* store.openBatches(run.id)) {
        const tasks = yield* store.tasks(id)
        yield* store.settle(
          tasks.map(({ id: artifact }) => ({ id: artifact, state: "copied" as const })),
          tasks.flatMap((_, index) =>
            [0, 1, 2].map((blob) => ({
              run: run.id,
              place: 0,
              digest: digestOf(1_000_000 * (blob + 1) + id * 1000 + index),
              repository: 1
            }))
          )
        )
        yield* store.closeBatch(id)
      }
      const [pages, size] = [yield* sql`PRAGMA page_count`.values, yield* sql`PRAGMA page_size`.values]
      const bytes = Number(pages[0]?.[0]) * Number(size[0]?.[0])
      assert.isBelow(bytes / count, 500)
      assert.deepEqual(yield* store.totals(run.id), [{ state: "copied", count, bytes: count * 1000 }])
    }).pipe(Effect.provide(memory))
  )

  it.effect("knows in the next process which repositories have blobs, of more than it keeps in memory", () =>
    Effect.gen(function* () {
      const { run, store } = yield* begun
      const arrival = (number: number) => ({
        run: run.id,
        place: 0,
        digest: digestOf(number),
        repository: 1 + (number % 3)
      })
      const numbers = Array.from({ length: 40_000 }, (_, index) => index)
      for (const some of Arr.chunksOf(numbers, 1000)) yield* store.settle([], some.map(arrival))
      yield* store.settle([], [{ ...arrival(5), repository: 1 }])
      const next = yield* Stores.make()
      for (const { carrier } of [store, next]) {
        assert.deepEqual(yield* carrier(run.id, 0, digestOf(5)), Option.some(1))
        for (const number of [0, 1, 33_000, 39_999]) {
          assert.deepEqual(yield* carrier(run.id, 0, digestOf(number)), Option.some(1 + (number % 3)))
        }
        assert.isTrue(Option.isNone(yield* carrier(run.id, 0, digestOf(50_000))))
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("writes nothing where a plan says what is known, and the tags of what was tagged anew", () =>
    Effect.gen(function* () {
      const { run, store } = yield* begun
      const sql = yield* SqlClient.SqlClient
      const changes = Effect.map(
        sql<{ readonly changes: number }>`SELECT total_changes() AS changes`,
        ([row]) => row?.changes
      )
      const planned = plannedOf(0, 1000)
      yield* setPlan(store, 1, planned)
      const before = yield* changes
      yield* setPlan(store, 1, planned)
      assert.strictEqual(yield* changes, before)
      yield* setPlan(
        store,
        1,
        planned.map((one, index) => (index === 7 ? { ...one, tags: ["1.7", "latest"] } : one))
      )
      const known = yield* store.known(1)
      assert.lengthOf([...known], 1000)
      assert.sameMembers([...(known.get(digestOf(7))?.tags ?? [])], ["1.7", "latest"])
      assert.deepEqual(known.get(digestOf(8))?.tags, ["1.8"])
      assert.deepEqual(yield* store.totals(run.id), [{ state: "planned", count: 1000, bytes: 1_000_000 }])
    }).pipe(Effect.provide(memory))
  )

  it.effect("says that the disk is full, and keeps what it has", () =>
    Effect.gen(function* () {
      const { run, store } = yield* begun
      const sql = yield* SqlClient.SqlClient
      yield* setPlan(store, 2, plannedOf(0, 10))
      const pages = Number((yield* sql`PRAGMA page_count`.values)[0]?.[0])
      yield* sql`PRAGMA max_page_count = ${sql.literal(String(pages + 1))}`
      const error = yield* Effect.flip(setPlan(store, 1, plannedOf(0, 5000)))
      assert.strictEqual(error.problem, "StoreFull")
      assert.deepEqual(yield* store.totals(run.id), [{ state: "planned", count: 10, bytes: 10_000 }])
    }).pipe(Effect.provide(memory))
  )
})
