/**
 * Counts records that the client leaves out of lists, since it cannot read them, such as invalid names. A list without them is
 * incomplete, and so is a run that relies on it.
 */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"

/**
 * Runs an effect that lists, and counts the records that its lists lack. The client reports them in an annotation of its warnings,
 * so warnings are counted even if the program does not log them.
 */
export const counting = <A, E, R>(lists: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.gen(function* () {
    const others = yield* Logger.CurrentLoggers
    const level = yield* References.MinimumLogLevel
    let count = 0
    const logger = Logger.make((options) => {
      const { leftOut } = options.fiber.getRef(References.CurrentLogAnnotations)
      if (typeof leftOut === "number") count += leftOut
      if (LogLevel.isLessThan(options.logLevel, level)) return
      for (const other of others) other.log(options)
    })
    const found = yield* lists.pipe(
      Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
      Effect.provideService(References.MinimumLogLevel, LogLevel.isGreaterThan(level, "Warn") ? "Warn" : level)
    )
    return [found, count] as const
  })

/**
 * Marks the warnings of lists of the target. What these lack is compared with the source as if the target did not have it, so that a
 * run is no less complete.
 */
export const ofTarget = <A, E, R>(lists: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.annotateLogs(lists, "side", "target")

/** The problem of a list that lacks records. */
export const detailOf = (count: number, list: string): string =>
  count === 1
    ? `1 record of ${list} cannot be read, and is not copied`
    : `${count} records of ${list} cannot be read, and are not copied`
