/**
 * Moves registries and trees of image layouts by rules. The state of a run is in a database: a run that is stopped or killed
 * continues where it was.
 *
 * @since 0.1.0
 */
import { hostname } from "node:os"
import { pid } from "node:process"
import type * as Registries from "@effect-acr/client/Registries"
import type * as Digest from "@effect-acr/client/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Cluster from "./internal/cluster.ts"
import * as Driver from "./internal/driver.ts"
import type { Event } from "./internal/driver.ts"
import * as Engine from "./internal/engine.ts"
import * as Places from "./internal/places.ts"
import * as Stores from "./internal/store/store.ts"
import { leastDuration, requestsOf } from "./internal/estimate.ts"
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
   * Makes this process one of several that share the run, with one database on PostgreSQL. Defaults to a process that works
   * alone.
   */
  readonly runner?: Runner
  /**
   * How long the lock of a killed process is waited for before this one takes over, at least 3 seconds. Defaults to 10
   * seconds.
   */
  readonly lockExpiration?: Duration.Input
}

/**
 * A process of several that share a run.
 *
 * **Details**
 *
 * All processes run the same program: the same run, rules and version of this package.
 *
 * **Gotchas**
 *
 * The processes talk to each other by HTTP, without TLS and without a login: any program that reaches the port can start work.
 * Have it in a network of its own.
 *
 * @category options
 * @since 0.1.0
 */
export interface Runner {
  /** The name or address by which the others reach this process, and on which it listens. */
  readonly host: string
  /** The port that it listens on. */
  readonly port: number
  /**
   * In how many parts the work is divided among the processes, the same number in all of them. A multiple of the number of
   * processes gives each as many. Defaults to 24.
   */
  readonly shards?: number
}

const defaultShards = 24

/** Batches under way in all processes, of which most wait for their turn. A process has always one that it can begin. */
const batchesOfAll = 256

const defaultLockExpiration = Duration.seconds(10)

/** The storage of locks has a resolution of one second, and a lock is renewed three times before it expires. */
const leastLockExpiration = Duration.seconds(3)

/** Events that wait for the reader. The run waits with them. */
const bufferedEvents = 256

/**
 * Runs a migration, or continues it, as a stream of what happens. The run goes on as long as the stream is read, and waits for
 * its reader.
 *
 * **Details**
 *
 * A run has a name in the database. The first call begins it. A call after a stop or a kill continues it, and a call after its
 * end looks for changes and copies these alone.
 *
 * Each pass lists both places, compares them, and copies what the target lacks: the largest repositories first, and in each one
 * what was pushed last first. The next pass verifies what was copied by the target's own lists, and copies what was pushed
 * meanwhile. A run ends when a pass finds nothing to copy. After five passes that copy, one more lists both places, and what is
 * missing then stays `planned`.
 *
 * Content is complete at the target before it is tagged. A blob that several repositories have is sent once and mounted in the
 * others, if the target can.
 *
 * An artifact that cannot be copied does not stop the run: `report` says why. `MigrationReport.isComplete` of the `status` says
 * whether all is at the target.
 *
 * With `runner`, several processes share the run: the batches go to all of them, one of them drives the run, and another one
 * takes over what a killed one had. The stream of each has what happens in its process, and ends with the run.
 *
 * Fails with `MigrationError`: `Locked` if another process works on the run, `Denied` if a registry refuses the login,
 * `StoreFull` if the disk of the database is full. After each of them, the next call continues.
 *
 * **Example** (A registry to another one)
 *
 * ```ts
 * import { Migration, MigrationRules, SqliteClient } from "@effect-acr/migration"
 * import { Console, Effect, Stream } from "effect"
 *
 * export const move = Effect.gen(function* () {
 *   const rules = yield* MigrationRules.parse(`{
 *     "routes": [{ "from": { "registry": "old.azurecr.io" }, "to": { "registry": "new.azurecr.io" } }]
 *   }`)
 *   yield* Migration.run("old-to-new", rules).pipe(Stream.runForEach(Console.log))
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
  { lockExpiration = defaultLockExpiration, runner }: RunOptions = {}
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
    (queue) =>
      Effect.gen(function* () {
        const started = DateTime.formatIso(yield* DateTime.now)
        const store = yield* Stores.make()
        const id = yield* Driver.begin(store, name, rules)
        const options: Cluster.Options = {
          run: id,
          lockExpiration: Duration.max(Duration.fromInputUnsafe(lockExpiration), leastLockExpiration),
          process:
            runner === undefined
              ? { _tag: "Alone", owner: Cluster.ownerOf(hostname(), pid, started) }
              : { _tag: "Together", shards: defaultShards, ...runner }
        }
        const parts: Driver.Parts = {
          store,
          places: yield* Places.make(),
          emit: (...events) => Effect.asVoid(Queue.offerAll(queue, events)),
          shards: Cluster.shardsOf(options),
          batchesAhead: runner === undefined ? Driver.batchesAtOnce : batchesOfAll
        }
        const worker = yield* Driver.makeWorker(parts)
        const isOver = Effect.map(store.byId(id), ({ phase }) => phase === "done")
        yield* Engine.running(worker, options, { drive: Driver.drive(parts, id), isOver })
      }).pipe(
        Effect.scoped,
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      ),
    { bufferSize: bufferedEvents, strategy: "suspend" }
  )

/** The database of a plan, which ends with it. */
const inMemory = SqliteClient.layer({ filename: ":memory:" })

const unopened = ({ message }: SqlError) =>
  Effect.fail(new MigrationError({ problem: "StoreFailed", description: `a database in memory fails: ${message}` }))

/**
 * Plans a migration: lists and compares both places, and writes nothing, also not to the database.
 *
 * **Details**
 *
 * It takes the requests of the first pass of a run: on Azure Container Registry two for each thousand of tags and manifests of
 * a repository and side, elsewhere one for each tag.
 *
 * **Gotchas**
 *
 * The plan is kept in memory while it is made, a few hundred bytes for each artifact.
 *
 * **Example** (What is to be done, and for how long)
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
    yield* prepare({
      store,
      places,
      rules,
      run,
      isFirst: true,
      isLast: false,
      onListed: ({ otherTags, unknownTags }) =>
        Effect.sync(() => {
          tags.otherTags += otherTags
          tags.unknownTags += unknownTags
        }),
      onReadBack: () => Effect.void
    })
    const repositories = yield* store.repositories(run.id)
    const totals = yield* store.totals(run.id)
    const of = (wanted: State) => totals.find(({ state }) => state === wanted) ?? { count: 0, bytes: 0 }
    const requests = requestsOf(rules, yield* store.plannedByRoute(run.id))
    const duration = leastDuration(rules, requests)
    return {
      repositories: repositories.length,
      artifacts: of("planned").count,
      present: of("present").count,
      bytes: of("planned").bytes,
      ...tags,
      problems: problemsOf(repositories),
      requests,
      ...(duration === undefined ? {} : { leastDuration: duration })
    }
  }).pipe(Effect.scoped, Effect.provide(inMemory), Effect.catchTag("SqlError", unopened))

const found = (store: Stores.Store, name: string): Effect.Effect<Stores.Run, MigrationError> =>
  Effect.flatMap(
    store.find(name),
    Option.match({
      onNone: () =>
        Effect.fail(new MigrationError({ problem: "UnknownRun", description: `the database has no run ${name}` })),
      onSome: Effect.succeed
    })
  )

/**
 * How far a run is. Another process may be running it.
 *
 * @category getters
 * @since 0.1.0
 */
export const status = (name: string): Effect.Effect<Summary, MigrationError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const store = yield* Stores.make()
    return yield* summaryOf(store, yield* found(store, name))
  })

/**
 * What became of each artifact of a run, each once, by repository.
 *
 * **Example** (A file with a line for each artifact)
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
      const store = yield* Stores.make()
      const repositories = yield* store.repositories((yield* found(store, name)).id)
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
