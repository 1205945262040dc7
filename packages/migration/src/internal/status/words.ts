/**
 * Formats numbers, sizes and times.
 */
import * as ByteSize from "effect/ByteSize"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"

/** With a comma between thousands, whatever the language of the machine. */
export const number = (value: number): string => value.toFixed(0).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

export const size = (bytes: number): string => ByteSize.format(ByteSize.bytes(Math.round(bytes)), { precision: 1 })

const minute = 60
const hour = 60 * minute
const day = 24 * hour

export const duration = (value: Duration.Duration): string => {
  const seconds = Duration.toSeconds(value)
  if (seconds < minute) return `${Math.ceil(seconds)} s`
  if (seconds < hour) return `${Math.floor(seconds / minute)} min ${Math.floor(seconds % minute)} s`
  if (seconds < day) return `${Math.floor(seconds / hour)} h ${Math.floor((seconds % hour) / minute)} min`
  return `${Math.floor(seconds / day)} d ${Math.floor((seconds % day) / hour)} h`
}

/** With a no-break space. */
export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : Math.floor((100 * Math.min(part, whole)) / whole)}\u00a0%`

/** As `2026-11-28 15:04:05 UTC`. */
export const time = (value: DateTime.Utc): string => `${DateTime.formatIso(value).slice(0, 19).replace("T", " ")} UTC`

export const count = (value: number, one: string, several: string): string =>
  `${number(value)} ${value === 1 ? one : several}`
