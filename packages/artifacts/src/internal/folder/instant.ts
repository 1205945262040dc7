/**
 * The time for reproducible builds: https://reproducible-builds.org/specs/source-date-epoch/.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Seconds = Schema.String.check(Schema.isPattern(/^\d{1,12}$/))

const variable = Config.option(Config.schema(Seconds, "SOURCE_DATE_EPOCH"))

/** The time in the variable `SOURCE_DATE_EPOCH`; none if it is not set. Fails if it is not a number of seconds. */
export const sourceInstant: Effect.Effect<Option.Option<Date>, Config.ConfigError> = Effect.map(
  variable,
  Option.map((seconds) => new Date(Number(seconds) * 1000))
)
