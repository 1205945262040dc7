/**
 * Times that a person writes, such as `7 days`.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** A finite duration above zero. */
export const Period = Schema.DurationFromString.check(
  Schema.makeFilter((time) => Duration.isFinite(time) && Duration.isGreaterThan(time, Duration.zero), {
    expected: "a time above zero"
  })
)
