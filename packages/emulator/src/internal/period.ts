/**
 * Times that a person writes, such as `7 days`.
 */
import { duration } from "@effect-acr/client/Printable"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** A finite duration above zero. */
export const Period = Schema.String.pipe(
  Schema.decodeTo(Schema.Duration, {
    decode: SchemaTransformation.durationFromString.decode,
    encode: SchemaGetter.transform(duration)
  })
).check(
  Schema.makeFilter((time) => Duration.isFinite(time) && Duration.isGreaterThan(time, Duration.zero), {
    expected: "a time above zero"
  })
)
