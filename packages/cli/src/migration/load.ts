/**
 * Loads what only migrations need: a cluster, SQL and the SQLite of Node.
 */
import * as Effect from "effect/Effect"

/** Runs an import without the warning that Node's SQLite may change, which no user of the command can act on. */
const withoutWarning = async <A>(load: () => Promise<A>): Promise<A> => {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: ReadonlyArray<unknown>) => {
    if (!String(warning).includes("SQLite")) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return await load()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** SQLite itself is loaded with the first database, and here before, as it is what warns. */
export const work = Effect.promise(() =>
  withoutWarning(async () => {
    await import("node:sqlite")
    return await import("./work.ts")
  })
)
