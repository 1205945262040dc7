/**
 * A line for each request, in one of two forms.
 */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { JournalEntry } from "../../Journal.ts"
import type { Settings } from "./settings.ts"

const encode = Schema.encodeSync(Schema.fromJsonString(JournalEntry))

/**
 * `2026-01-31T12:00:00.000Z registry GET /v2/ 401 0.8 ms anonymous`; the status 0 is of an answer that did not go out.
 */
const textOf = ({ durationMillis = 0, method, path, query, server, status, time, user = "-" }: JournalEntry): string =>
  [
    DateTime.formatIso(time),
    server,
    method,
    query === "" ? path : `${path}?${query}`,
    status,
    `${durationMillis.toFixed(1)} ms`,
    user
  ].join(" ")

const formats = { text: textOf, json: encode }

/**
 * The writer of the log, if there is one. It writes to stderr, because programs read the command's output from stdout.
 */
export const logger = ({ log = "none" }: Settings): ((entry: JournalEntry) => void) | undefined => {
  if (log === "none") return undefined
  const format = formats[log]
  let isRead = true
  // The reader may stop, as `head` does. The emulator keeps running for its clients.
  process.stderr.on("error", () => {
    isRead = false
  })
  return (entry) => {
    if (isRead) process.stderr.write(`${format(entry)}\n`)
  }
}
