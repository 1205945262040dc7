import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "./support/command.ts"
import * as Postgres from "./support/postgres.ts"

it.live.skipIf(!Postgres.isInstalled())("starts and answers", () =>
  Effect.gen(function* () {
    const url = yield* Postgres.start
    expect((yield* run("psql", [url, "-Atc", "select 1 + 1"])).trim()).toBe("2")
  }).pipe(Effect.scoped)
)
