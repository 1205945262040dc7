/**
 * How long a registry asks to wait before the next attempt.
 *
 * RFC 9110, section 10.2.3: `Retry-After` is a number of seconds or a date. Some services write a fraction of a second,
 * and Azure's services write milliseconds into their own headers.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Headers from "effect/http/Headers"

/** A longer wait makes no difference, and some values that servers send are too large for a number. */
const longestMillis = Duration.toMillis(Duration.days(365))

const inMillis = ["retry-after-ms", "x-ms-retry-after-ms"]

const decimal = /^\s*\d+(?:\.\d+)?\s*$/

const numberIn = (value: string | undefined): Option.Option<number> =>
  value !== undefined && decimal.test(value) ? Option.some(Number(value)) : Option.none()

const fromDate = (value: string, nowMillis: number): Option.Option<number> =>
  Option.map(Result.getSuccess(Headers.parseRetryAfter(value)), (retryAfter) =>
    Duration.toMillis(Headers.retryAfterDelay(retryAfter, nowMillis))
  )

/** The wait in milliseconds, at most a year. */
export const retryAfterMillis = (headers: Headers.Headers, nowMillis: number): Option.Option<number> => {
  const stated = headers["retry-after"]
  return Option.firstSomeOf([
    ...inMillis.map((name) => numberIn(headers[name])),
    Option.map(numberIn(stated), (seconds) => seconds * 1000),
    stated === undefined ? Option.none() : fromDate(stated, nowMillis)
  ]).pipe(Option.map((millis) => Math.min(Math.ceil(millis), longestMillis)))
}
