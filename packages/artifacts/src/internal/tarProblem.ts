/**
 * Formats the problem of a tar archive for messages.
 */
import type { TarError } from "effect/encoding/Tar"

const headerBytes = 512

const place = /at byte (\d+)/

/** The problem of an archive that was read from an offset, from which the errors of `Tar` count. */
export const problemOf = ({ message }: TarError, from = 0): string =>
  message.replace(place, (_, at) => `at byte ${Number(at) + from}`)

/** Whether the first header cannot be read: the file is of another kind, or compressed. */
export const isOtherFile = ({ kind, message }: TarError, from = 0): boolean => {
  const at = place.exec(message)?.[1]
  if (from > 0 || at === undefined) return false
  return (kind === "InvalidHeader" && at === "0") || (kind === "Truncated" && Number(at) < headerBytes)
}
