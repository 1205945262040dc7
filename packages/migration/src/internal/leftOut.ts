/**
 * Counts records that the client leaves out of lists, since it cannot read them, such as invalid names. A list without them is
 * incomplete, and so is a run that relies on it.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as References from "effect/References"
import * as Stream from "effect/Stream"

/**
 * Loggers that count the records that lists lack, and the least level of what they get. The client reports them in an annotation of
 * its warnings, so warnings are counted even if the program does not log them.
 */
const watching = (onLeftOut: (count: number) => void) =>
  Effect.gen(function* () {
    const others = yield* Logger.CurrentLoggers
    const level = yield* References.MinimumLogLevel
    const logger = Logger.make((options) => {
      const { leftOut } = options.fiber.getRef(References.CurrentLogAnnotations)
      if (typeof leftOut === "number") onLeftOut(leftOut)
      if (LogLevel.isLessThan(options.logLevel, level)) return
      for (const other of others) other.log(options)
    })
    const least: LogLevel.LogLevel = LogLevel.isGreaterThan(level, "Warn") ? "Warn" : level
    return { loggers: new Set([logger]), least }
  })

/** Leaves a record out of a list, and warns of it as the client does. */
const leaveOut = (warning: string): Effect.Effect<void> => Effect.annotateLogs(Effect.logWarning(warning), "leftOut", 1)

/** The type of an entry of a folder. None for a link that leads nowhere: it is left out, and all other entries are listed. */
export const typeOf = (
  files: FileSystem.FileSystem,
  at: string
): Effect.Effect<Option.Option<FileSystem.File.Type>, PlatformError> =>
  files.stat(at).pipe(
    Effect.map(({ type }) => Option.some(type)),
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound",
      () => Effect.as(leaveOut(`${at} is a link that leads nowhere`), Option.none())
    )
  )

/** Runs an effect that lists, and counts the records that its lists lack. */
export const counting = <A, E, R>(lists: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, number], E, R> =>
  Effect.gen(function* () {
    let count = 0
    const { least, loggers } = yield* watching((more) => {
      count += more
    })
    const listed = lists.pipe(
      Effect.provideService(Logger.CurrentLoggers, loggers),
      Effect.provideService(References.MinimumLogLevel, least)
    )
    return [yield* listed, count] as const
  })

/**
 * A source whose lists of referrers tell how many records they lack. Two services cost less than a context, which would be merged
 * for each list.
 */
export const countingReferrers = <E>(source: Reader<E>, onLeftOut: (count: number) => void): Reader<E> => ({
  ...source,
  referrers: (subject, options) =>
    Stream.unwrap(
      Effect.map(watching(onLeftOut), ({ least, loggers }) =>
        source
          .referrers(subject, options)
          .pipe(
            Stream.provideService(Logger.CurrentLoggers, loggers),
            Stream.provideService(References.MinimumLogLevel, least)
          )
      )
    )
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
