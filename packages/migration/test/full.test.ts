/**
 * A disk that is full, wherever the run is.
 */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as Migration from "../src/Migration.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { canMount, smallDisk } from "../../../test/support/smallDisk.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld } from "./support/world.ts"

/** A database in memory that gets no larger. */
const small = (pages: number) =>
  SqliteClient.layer({ filename: ":memory:" }).pipe(
    Layer.tap((services) =>
      Effect.provideContext(
        Effect.flatMap(SqlClient.SqlClient, (sql) => sql`PRAGMA max_page_count = ${sql.literal(String(pages))}`),
        services
      )
    )
  )

/** Files of which those in a folder cannot be created, as the quota of their user is used up. */
const withoutQuota = (folder: string) =>
  Effect.map(FileSystem.FileSystem, (files): FileSystem.FileSystem => ({
    ...files,
    open: (path, options) =>
      path.startsWith(folder) && options?.flag?.startsWith("w") === true
        ? Effect.fail(
            PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "open",
              pathOrDescriptor: path,
              cause: Object.assign(new Error("EDQUOT: disk quota exceeded"), { code: "EDQUOT" })
            })
          )
        : files.open(path, options)
  }))

describe("a disk that is full", () => {
  it.live("stops the run with StoreFull, whichever table is being written", () =>
    Effect.gen(function* () {
      const { decode, seed, services } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const rules = yield* decode({})
      const problems: Array<string> = []
      let isDone = false
      for (let pages = 1; !isDone; pages++) {
        const problem = yield* Stream.runDrain(Migration.run("test", rules)).pipe(
          Effect.as("none"),
          Effect.catchTag("MigrationError", (error) =>
            Effect.succeed(error.problem === "StoreFull" ? error.problem : `${error.problem}: ${error.message}`)
          ),
          Effect.provide(Layer.merge(services, small(pages)))
        )
        if (problem === "none") isDone = true
        else problems.push(problem)
      }
      assert.isAbove(problems.length, 10)
      assert.deepEqual(new Set(problems), new Set(["StoreFull"]))
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(!canMount)(
    "stops the run where it is that of the target, and the same run continues with more room",
    () =>
      Effect.gen(function* () {
        const { run, seed, source, status } = yield* makeWorld()
        yield* seed(
          ...Array.from({ length: 8 }, (_, index) => ({
            repository: `shop/service-${index}`,
            tags: ["1.0"],
            layers: [{ sizeInBytes: 600_000 }]
          }))
        )
        const disk = yield* smallDisk
        const rules = { routes: [{ from: { registry: source.loginServer }, to: { layouts: disk } }] }
        const error = yield* Effect.flip(run(rules))
        assert.deepInclude(error, { _tag: "MigrationError", problem: "PlaceFailed" })
        assert.include(String(error), "the disk of the target is full")
        assert.isTrue((yield* status).failures.every(({ class: kind }) => kind !== "other"))

        spawnSync("mount", ["-o", "remount,size=64m", disk])
        yield* run(rules)
        assert.isTrue(MigrationReport.isComplete(yield* status))
      }).pipe(Effect.scoped)
  )

  it.live("stops the run also where it is the quota of the user", () =>
    Effect.gen(function* () {
      const { decode, folder, seed, services, source } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const layouts = join(folder, "layouts")
      const files = Layer.effect(FileSystem.FileSystem, withoutQuota(layouts)).pipe(Layer.provideMerge(services))
      const rules = yield* decode({ routes: [{ from: { registry: source.loginServer }, to: { layouts } }] })
      const error = yield* Migration.run("test", rules).pipe(Stream.runDrain, Effect.provide(files), Effect.flip)
      assert.deepInclude(error, { _tag: "MigrationError", problem: "PlaceFailed" })
      assert.include(String(error), "the disk of the target is full")
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(!canMount)("says so where an archive is written, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const { run, seed, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: [{ sizeInBytes: 1_200_000 }] })
      const disk = yield* smallDisk
      const rules = { routes: [{ from: { registry: source.loginServer }, to: { archives: disk } }] }
      const error = yield* Effect.flip(run(rules))
      assert.deepInclude(error, { _tag: "MigrationError", problem: "PlaceFailed" })
      assert.match(String(error), /the archive of shop\/api cannot be written: .*ENOSPC: no space left on device/)
      assert.deepEqual(readdirSync(join(disk, "shop")), [])

      spawnSync("mount", ["-o", "remount,size=64m", disk])
      yield* run(rules)
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )
})
