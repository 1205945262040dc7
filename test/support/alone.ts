/**
 * Work that only one process does at a time.
 */
import { mkdirSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

class Busy extends Data.TaggedError("Busy")<{ readonly cause: unknown }> {}

const folder = fileURLToPath(new URL("../node_modules/.alone/", import.meta.url))

/**
 * Runs an effect while no other process runs one of the same name. The lock is that of a file of SQLite, which the system
 * releases when a process ends in any way.
 */
export const alone = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.try({
      try: () => {
        mkdirSync(folder, { recursive: true })
        const database = new DatabaseSync(`${folder}${name}.db`, { timeout: 0 })
        try {
          database.exec("BEGIN EXCLUSIVE")
          return database
        } catch (error) {
          database.close()
          throw error
        }
      },
      catch: (cause) => new Busy({ cause })
    }).pipe(Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo({ duration: "2 minutes" }))), Effect.orDie),
    () => effect,
    (database) => Effect.sync(() => database.close())
  )
