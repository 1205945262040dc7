/**
 * What is wrong with a tar archive, for messages.
 */
import type { TarError } from "effect/encoding/Tar"

const headerBytes = 512

const place = /at byte (\d+)/

/** What is wrong, if the archive was read from a byte on: the errors of `Tar` count from there. */
export const problemOf = ({ message }: TarError, from = 0): string =>
  message.replace(place, (_, at) => `at byte ${Number(at) + from}`)

/** Whether not even the first header can be read: this is another kind of file, or it is compressed. */
export const isOtherFile = ({ kind, message }: TarError, from = 0): boolean => {
  const at = place.exec(message)?.[1]
  if (from > 0 || at === undefined) return false
  return (kind === "InvalidHeader" && at === "0") || (kind === "Truncated" && Number(at) < headerBytes)
}
