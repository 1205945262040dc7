/**
 * Moves registries, image layouts and archives by rules. The state of a run is in a database: a run that was stopped or killed
 * continues where it stopped.
 *
 * @since 0.1.0
 */
import { hostname } from "node:os"
import { pid } from "node:process"
import type * as Registries from "@effect-acr/client/Registries"
import type * as Digest from "@effect-acr/client/Digest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Cluster from "./internal/cluster/options.ts"
import * as Driver from "./internal/driver.ts"
import type { Event } from "./internal/driver.ts"
import * as Engine from "./internal/engine.ts"
import * as Places from "./internal/places.ts"
import { noRules } from "./internal/store/runs.ts"
import * as Broken from "./internal/store/broken.ts"
import * as Stores from "./internal/store/store.ts"
import { leastDuration, type Planned, requestsOf } from "./internal/estimate.ts"
import { prepare } from "./internal/prepare.ts"
import { problemsOf, summaryOf } from "./internal/summary.ts"
import { MigrationError } from "./MigrationError.ts"
import type { Outcome, State, Summary } from "./MigrationReport.ts"
import type { Plan } from "./MigrationPlan.ts"
import type { Rules } from "./MigrationRules.ts"
import * as SqliteClient from "./SqliteClient.ts"

export type { Event } from "./internal/driver.ts"

/**
 * How to run.
 *
 * @category options
 * @since 0.1.0
 */
export interface RunOptions {
  /**
   * Makes this process one of several that share the run, with one database: PostgreSQL, or a file if all are on one machine.
   * Defaults to a process that works alone.
   */
  readonly runner?: Runner
  /**
   * How long the lock of a killed process stays valid before this process takes over, at least 3 seconds. Defaults to 10
   * seconds.
   */
  readonly lockExpiration?: Duration.Input
}

/**
 * One of several processes that share a run.
 *
 * **Details**
 *
 * All processes run the same program, with the same run name, rules and version of this package.
 *
 * **Gotchas**
 *
 * The processes communicate by HTTP without TLS and without a login: any program that reaches the port can start work. Keep the
 * port in a private network.
 *
 * @category options
 * @since 0.1.0
 */
export interface Runner {
  /** The name or address on which this process listens and the others reach it. */
  readonly host: string
  /** The port that it listens on. */
  readonly port: number
  /**
   * The number of parts into which the work is divided, the same in all processes until the run ends: a process with another
   * number fails with `RunnerFailed`. A multiple of the number of processes gives each an equal share. Defaults to 24.
   */
  readonly shards?: number
}

const defaultShards = 24

/** Batches started in all processes. Most of them wait for their turn, so that every process always has one to begin. */
const batchesOfAll = 256

/** The lock storage has a resolution of one second, and a lock is renewed three times before it expires. */
const leastLockExpiration = Duration.seconds(3)

/** The number of events that are buffered. The run waits when the buffer is full. */
const bufferedEvents = 256

/**
 * Runs or continues a migration, as a stream of its events. The run advances only as fast as the stream is consumed, and stops
 * when the consumer stops.
 *
 * **When to use**
 *
 * Use to move many repositories in a way that continues after a kill. For a single image, `Copy.run` of
 * `@effect-acr/artifacts` is enough.
 *
 * **Details**
 *
 * The database stores runs by name. The first call begins the run. A call after a stop or a kill continues it. A call after its
 * end looks for changes and copies only these.
 *
 * Each pass lists both places, compares them, and copies what the target lacks: the largest repositories first, and within a
 * repository the latest pushes first. The next pass verifies the copies against the target's own lists, and copies what was
 * pushed meanwhile. A run ends when a pass finds nothing to copy. After five copying passes, one more only lists both places;
 * what is missing then stays `planned`.
 *
 * Content is complete at the target before it is tagged. A blob of several repositories is sent once and mounted in the others,
 * if the target supports mounts.
 *
 * An artifact that cannot be copied does not stop the run: `report` says why. `MigrationReport.isComplete` of the `status` says
 * whether everything is at the target.
 *
 * With `runner`, several processes share the run. The batches are distributed among them, one process drives the run, and the
 * others take over the work of a killed process. The stream of each process has the events of that process, and every ten seconds
 * a `Counted` with the progress of the whole run. It ends with the run.
 *
 * Fails with `MigrationError`: `Locked` if another process works on the run, `Denied` if a registry refuses the login,
 * `StoreFull` if the disk of the database is full. After each of these, the next call continues.
 *
 * **Example** (Moving one registry to another)
 *
 * ```ts
 * import { Migration, MigrationRules, SqliteClient } from "@effect-acr/migration"
 * import { Console, Effect, Stream } from "effect"
 *
 * export const move = Effect.gen(function* () {
 *   const rules = yield* MigrationRules.parse(`{
 *     "routes": [{ "from": { "registry": "old.azurecr.io" }, "to": { "registry": "new.azurecr.io" } }]
 *   }`)
 *   yield* Migration.run("old-to-new", rules).pipe(Stream.runForEach((event) => Console.log(JSON.stringify(event))))
 *   return yield* Migration.status("old-to-new")
 * }).pipe(Effect.provide(SqliteClient.layer({ filename: "migration.sqlite" })))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  name: string,
  rules: Rules,
  { lockExpiration = Stores.defaultLockExpiration, runner }: RunOptions = {}
): Stream.Stream<
  Event,
  MigrationError,
  SqlClient.SqlClient | Registries.Registries | FileSystem.FileSystem | Path.Path
> =>
  Stream.callback<
    Event,
    MigrationError,
    SqlClient.SqlClient | Registries.Registries | FileSystem.FileSystem | Path.Path
  >(
    (queue) => {
      const broken: Broken.Broken = Deferred.makeUnsafe()
      return Effect.gen(function* () {
        const started = DateTime.formatIso(yield* DateTime.now)
        const longestLock = Duration.max(Duration.fromInputUnsafe(lockExpiration), leastLockExpiration)
        const store = yield* Stores.make(longestLock, broken)
        const id = yield* Driver.begin(store, name, rules)
        const options: Cluster.Options = {
          run: id,
          lockExpiration: longestLock,
          process:
            runner === undefined
              ? { _tag: "Alone", owner: Cluster.ownerOf(hostname(), pid, started) }
              : { _tag: "Together", shards: defaultShards, ...runner }
        }
        const shards = Cluster.shardsOf(options)
        if (runner !== undefined) yield* Driver.agreeOnShards(store, id, shards)
        const parts: Driver.Parts = {
          store,
          places: yield* Places.make(),
          rules,
          emit: (...events) => Effect.asVoid(Queue.offerAll(queue, events)),
          shards,
          batchesAhead: runner === undefined ? Driver.batchesAtOnce : batchesOfAll
        }
        const worker = yield* Driver.makeWorker(parts)
        const isOver = Effect.map(store.byId(id), ({ phase }) => phase === "done")
        if (runner !== undefined) yield* Effect.forkScoped(Driver.counting(parts, id))
        yield* Engine.running(worker, options, { drive: Driver.drive(parts, id), isOver }, broken)
        if (runner !== undefined) yield* Driver.emitCounted(parts, id)
      }).pipe(
        Effect.scoped,
        Broken.endingBy(broken),
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      )
    },
    { bufferSize: bufferedEvents, strategy: "suspend" }
  )

/** The database of a plan, discarded with it. */
const inMemory = SqliteClient.layer({ filename: ":memory:" })

const unopened = ({ message }: SqlError) =>
  Effect.fail(new MigrationError({ problem: "StoreFailed", description: `a database in memory fails: ${message}` }))

/**
 * Plans a migration: lists and compares both places, and writes nothing, not even to the database.
 *
 * **When to use**
 *
 * Use before the first `run` to see what it would copy, which names collide, and how long it takes at least.
 *
 * **Details**
 *
 * On Azure Container Registry, it sends one request for each 999 tags and one for each 999 manifests of a repository on each side.
 * Other registries need a request for each tag: of the source for all tags, of the target for the first 1000 tags of a repository
 * that both sides have.
 *
 * **Gotchas**
 *
 * The plan is built in memory: a few hundred bytes for each artifact.
 *
 * **Example** (Printing the size of a migration)
 *
 * ```ts
 * import { Migration, type MigrationRules } from "@effect-acr/migration"
 * import { Console, Duration, Effect } from "effect"
 *
 * export const show = (rules: MigrationRules.Rules) =>
 *   Effect.flatMap(Migration.plan(rules), ({ artifacts, leastDuration = Duration.zero, problems }) =>
 *     Console.log(`${artifacts} artifacts, ${Duration.format(leastDuration)} at least, ${problems.length} problems`)
 *   )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const plan = (
  rules: Rules
): Effect.Effect<Plan, MigrationError, Registries.Registries | FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const store = yield* Stores.make()
    const places = { ...(yield* Places.make()), seal: () => Effect.void }
    const run = yield* store.begin("plan", yield* Driver.formatRules(rules))
    const tags = { otherTags: 0, unknownTags: 0 }
    const planned = new Map<number, Planned>()
    yield* prepare({
      store,
      places,
      rules,
      run,
      isFirst: true,
      isLast: false,
      isPlan: true,
      shards: 1,
      onListed: ({ newTags, otherTags, planned: artifacts, repository: { route }, unknownTags }) =>
        Effect.sync(() => {
          tags.otherTags += otherTags
          tags.unknownTags += unknownTags
          const sum = planned.get(route) ?? { artifacts: 0, newTags: 0 }
          planned.set(route, { artifacts: sum.artifacts + artifacts, newTags: sum.newTags + newTags })
        }),
      onReadBack: () => Effect.void
    })
    const repositories = yield* store.repositories(run.id)
    const totals = yield* store.totals(run.id)
    const of = (wanted: State) => totals.find(({ state }) => state === wanted) ?? { count: 0, bytes: 0 }
    const duration = leastDuration(rules, planned)
    return {
      repositories: repositories.length,
      artifacts: of("planned").count,
      present: of("present").count,
      bytes: of("planned").bytes,
      ...tags,
      problems: yield* problemsOf(store, run.id),
      requests: requestsOf(rules, planned),
      ...(duration === undefined ? {} : { leastDuration: duration })
    }
  }).pipe(Effect.scoped, Effect.provide(inMemory), Effect.catchTag("SqlError", unopened))

/** Finds a run to read it. */
const found = (
  name: string
): Effect.Effect<{ readonly store: Stores.Store; readonly run: Stores.Run }, MigrationError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const store = yield* Stores.read()
    const run = Option.isSome(store) ? yield* store.value.find(name) : Option.none<Stores.Run>()
    // The name of a run whose rules selected nothing is free.
    if (Option.isSome(store) && Option.isSome(run) && run.value.rules !== noRules) {
      return { store: store.value, run: run.value }
    }
    return yield* new MigrationError({ problem: "UnknownRun", description: `the database has no run ${name}` })
  })

/**
 * Reads the progress of a run from the database, also while another process works on it or the file is read-only.
 *
 * @category getters
 * @since 0.1.0
 */
export const status = (name: string): Effect.Effect<Summary, MigrationError, SqlClient.SqlClient> =>
  Effect.flatMap(found(name), ({ run, store }) => summaryOf(store, run))

/**
 * Streams the outcome of each artifact of a run, once each, repository by repository.
 *
 * **Example** (Encoding a line of JSON for each artifact)
 *
 * ```ts
 * import { Migration, MigrationReport } from "@effect-acr/migration"
 * import { Effect, Schema, Stream } from "effect"
 *
 * const toLine = Schema.encodeEffect(Schema.fromJsonString(MigrationReport.Outcome))
 *
 * export const lines = Migration.report("old-to-new").pipe(Stream.mapEffect((outcome) => toLine(outcome)))
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const report = (name: string): Stream.Stream<Outcome, MigrationError, SqlClient.SqlClient> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { run, store } = yield* found(name)
      const repositories = yield* store.repositories(run.id)
      const outcomes = (repository: Stores.Repository) =>
        Stream.paginate<Digest.Digest | undefined, Outcome, MigrationError>(undefined, (after) =>
          Effect.map(store.outcomes(repository, after), (page) => [
            page,
            Option.map(Option.fromUndefinedOr(page.at(-1)), ({ digest }) => digest)
          ])
        )
      return Stream.flatMap(Stream.fromIterable(repositories), outcomes)
    })
  )
