/**
 * What a migration records of images, in a process of its own: a workflow for each batch, and all rows of the tables from the plan to
 * `verified`, without what is recorded: lists, comparisons, copies and events. Prints what it took as a line of JSON. The argument is
 * JSON: so many `images` in a database of this `filename`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Migration, MigrationRules, SqliteClient } from "@effect-acr/migration"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Options } from "../../../packages/migration/src/internal/cluster/options.ts"
import * as Driver from "../../../packages/migration/src/internal/driver.ts"
import * as Engine from "../../../packages/migration/src/internal/engine.ts"
import * as Places from "../../../packages/migration/src/internal/places.ts"
import type { Broken } from "../../../packages/migration/src/internal/store/broken.ts"
import * as Stores from "../../../packages/migration/src/internal/store/store.ts"
import { peakMemoryBytes } from "../../support/peakMemory.ts"
import * as Images from "./images.ts"
import * as Simulated from "./registries.ts"
import { took } from "./took.ts"

const Job = Schema.fromJsonString(Schema.Struct({ filename: Schema.String, images: Schema.Natural }))
const job = Schema.decodeUnknownSync(Job)(process.argv[2])

const perRepository = 1000

/** As a migration writes them: the results of so many artifacts together, in batches of this size. */
const groupSize = 50
const batchSize = 1000

const simulated = Simulated.make(job.images, 0, perRepository)

const planOf = (repository: number, state: "planned" | "verified"): ReadonlyArray<Stores.Planned> =>
  simulated.numbersIn(repository).map((number) => ({
    digest: Images.digestOf("manifest", number),
    size: 75_003_000,
    changed: 1_700_000_000 + number * 60,
    state,
    tags: [Images.tagOf(number)]
  }))

const record = Effect.gen(function* () {
  const rules = yield* MigrationRules.parse(
    JSON.stringify({ routes: [{ from: { registry: Simulated.source }, to: { registry: Simulated.target } }] })
  )
  const store = yield* Stores.make()
  const id = yield* Driver.begin(store, "bench", rules)
  const plan = (run: Stores.Run, state: "planned" | "verified") =>
    Effect.gen(function* () {
      const repositories = yield* store.repositories(run.id)
      yield* Effect.forEach(
        repositories,
        (repository, index) =>
          Effect.flatMap(store.known(repository.id), (known) =>
            store.during(run, store.setPlan(repository.id, planOf(index, state), known))
          ),
        { discard: true }
      )
      return yield* store.during(run, store.makeBatches(run.id, run.pass, batchSize, 1))
    })
  const worker: Engine.Worker = {
    prepare: ({ pass }) =>
      Effect.gen(function* () {
        const run = yield* store.byId(id)
        if (pass > 1) return yield* plan(run, "verified")
        const added = simulated.repositories.map((name) => ({
          route: 0,
          source: name,
          target: name,
          problem: null,
          detail: null
        }))
        yield* store.during(run, store.addRepositories(id, added, []))
        return yield* plan(run, "planned")
      }),
    copy: ({ batch }) =>
      Effect.gen(function* () {
        const tasks = yield* store.tasks(batch)
        for (const group of Arr.chunksOf(tasks, groupSize)) {
          yield* store.settle(
            group.map((task) => ({ id: task.id, state: "copied", sent: 5_003_000 })),
            group.flatMap(({ digest, repository }) => {
              const { number } = Images.parse(digest)
              return [Images.digestOf("config", number), Images.digestOf("layer", number)].map((blob) => ({
                run: id,
                place: 0,
                digest: blob,
                repository
              }))
            })
          )
        }
        return tasks.length
      })
  }
  const parts: Driver.Parts = {
    store,
    places: yield* Places.make(),
    rules,
    emit: () => Effect.void,
    shards: 1,
    batchesAhead: Driver.batchesAtOnce
  }
  const broken: Broken = Deferred.makeUnsafe()
  const options: Options = {
    run: id,
    lockExpiration: Duration.seconds(10),
    process: { _tag: "Alone", owner: "bench" }
  }
  yield* Engine.running(worker, options, { drive: Driver.drive(parts, id), isOver: Effect.succeed(false) }, broken)
}).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const first = yield* took(record)
  const { totals } = yield* Migration.status("bench")
  yield* Console.log(
    JSON.stringify({
      first: { ...first, requests: simulated.count.requests },
      sent: 0,
      mounted: 0,
      verified: totals.find(({ state }) => state === "verified")?.count ?? 0,
      peakRssBytes: peakMemoryBytes()
    })
  )
})

program.pipe(
  Effect.provide(Layer.mergeAll(simulated.layer, NodeServices.layer, SqliteClient.layer({ filename: job.filename }))),
  NodeRuntime.runMain
)
