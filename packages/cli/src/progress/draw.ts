/**
 * The progress of a transfer as lines that fit a terminal of any width.
 */
import * as ByteSize from "effect/ByteSize"
import * as CliOutput from "effect/cli/CliOutput"
import { bytes, type Moving, objects, rate, type State, type Sums } from "./state.ts"

/** How large a terminal is, in cells. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/** How many blobs have a line of their own. */
const mostBlobs = 8

const widestBar = 24

export const size = (count: number): string => ByteSize.format(ByteSize.bytes(Math.round(count)), { precision: 1 })

export const count = (number: number): string => `${number} ${number === 1 ? "object" : "objects"}`

const minute = 60
const hour = 60 * minute

export const duration = (seconds: number): string => {
  if (seconds < minute) return `${Math.ceil(seconds)} s`
  if (seconds < hour) return `${Math.floor(seconds / minute)} min ${Math.floor(seconds % minute)} s`
  return `${Math.floor(seconds / hour)} h ${Math.floor((seconds % hour) / minute)} min`
}

export const percent = (part: number, whole: number): string => `${Math.floor((100 * Math.min(part, whole)) / whole)} %`

/** Joins the parts that fit. The most important one is first. */
export const fitting = (parts: ReadonlyArray<string>, width: number): string => {
  let line = ""
  for (const part of parts) {
    const longer = line === "" ? part : `${line}  ${part}`
    if (CliOutput.displayWidth(longer) <= width) line = longer
  }
  return line
}

/** The time: how long the registry makes the client wait, or else the rate and the time left. */
const timing = (state: State, now: number): ReadonlyArray<string> => {
  const waits = (state.waitsUntil - now) / 1000
  if (waits > 0) return [`waits ${duration(waits)} for the rate limit`]
  const speed = rate(state, now)
  if (speed === undefined) return []
  const left = state.planned === undefined ? 0 : state.planned - bytes(state)
  return [`${size(speed)}/s`, ...(left > 0 && speed > 0 ? [`${duration(left / speed)} left`] : [])]
}

const totalParts = (state: State, now: number): ReadonlyArray<string> => {
  const done = bytes(state)
  const { planned } = state
  const ofPlanned =
    planned === undefined || planned === 0
      ? [size(done)]
      : [`${size(Math.min(done, planned))} of ${size(planned)}`, percent(done, planned)]
  return [...ofPlanned, ...timing(state, now), count(objects(state))]
}

/** The progress as one line, however long. */
export const summary = (state: State, now: number): string => totalParts(state, now).join("  ")

/** The first characters of a digest, without its algorithm. */
const short = (digest: string): string => digest.slice(digest.indexOf(":") + 1).slice(0, 12)

const bar = ({ bytes, size }: Moving, width: number): string => {
  const filled = size === 0 ? width : Math.floor((width * Math.min(bytes, size)) / size)
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]`
}

const blobLine = (moving: Moving, width: number): string => {
  const name = ` ${short(moving.digest)}`
  const amount = `${size(moving.bytes)} of ${size(moving.size)}`
  const room = Math.min(widestBar, width - CliOutput.displayWidth(`${name}  []  ${amount}`))
  if (room >= 4) return fitting([name, bar(moving, room), amount], width)
  return fitting([name, ...(moving.size === 0 ? [] : [percent(moving.bytes, moving.size)])], width)
}

/** The progress as lines for a terminal. None of them reaches the last column, where some terminals wrap. */
export const lines = (state: State, now: number, { columns, rows }: Size): ReadonlyArray<string> => {
  const width = columns - 1
  const blobs = [...state.moving.values()].slice(0, Math.max(0, Math.min(mostBlobs, rows - 2)))
  return [fitting(totalParts(state, now), width), ...blobs.map((moving) => blobLine(moving, width))].filter(
    (line) => line !== ""
  )
}

/** The characters that erase lines, and go back to where the first of them began. A terminal that became narrower wrapped them. */
export const erased = (drawn: ReadonlyArray<string>, { columns }: Pick<Size, "columns">): string => {
  const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(CliOutput.displayWidth(line) / columns)), 0)
  return rows === 0 ? "" : `\u001b[${rows}A\r\u001b[J`
}

const outcomes = [
  ["sent", "sent"],
  ["mounted", "mounted"],
  ["present", "there already"],
  ["skipped", "left out"]
] as const

/** The outcomes of all manifests and blobs, on one line. `ofPresent` describes those that the target had already. */
export const totals = (sums: Sums, ofPresent = ""): string => {
  const parts = outcomes.flatMap(([outcome, words]) => {
    const { bytes, nodes } = sums[outcome]
    return nodes === 0 ? [] : [`${words}: ${count(nodes)}, ${size(bytes)}${outcome === "present" ? ofPresent : ""}`]
  })
  return parts.length === 0 ? "nothing to transfer" : parts.join("; ")
}
