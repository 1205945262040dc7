/**
 * Ages on the command line: `30d`, `2w`, or as in files of rules, `30 days`.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const units = { m: "minutes", h: "hours", d: "days", w: "weeks" } as const

const isUnit = (text: string): text is keyof typeof units => Object.hasOwn(units, text)

/** Reads an age; none if the text is no age. */
export const parse = (text: string): Option.Option<Duration.Duration> => {
  const [, count = "", unit = ""] = /^([1-9]\d{0,5})([a-z])$/.exec(text) ?? []
  if (isUnit(unit)) return Duration.fromInput(`${Number(count)} ${units[unit]}`)
  const [, number = "", name = ""] = /^([1-9]\d{0,5}) (minutes?|hours?|days?|weeks?)$/.exec(text) ?? []
  const plural = Object.values(units).find((known) => known === name || known === `${name}s`)
  return plural === undefined ? Option.none() : Duration.fromInput(`${Number(number)} ${plural}`)
}
