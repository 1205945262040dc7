/**
 * A disk that is full, wherever the run is.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as Migration from "../src/Migration.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
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
})
