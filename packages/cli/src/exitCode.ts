/**
 * The exit codes of the command. Scripts tell failures apart by them.
 */

export const exitCodes = {
  /** Everything is done, or there was nothing to do. */
  done: 0,
  /** A bug, or this machine failed: a disk is full. */
  unexpected: 1,
  /** The call is wrong: a flag, an argument, a file of rules. */
  wrongCall: 2,
  /** A part is done: some objects failed, or were left out because they changed or cannot be read. */
  partly: 3,
  /** What was named does not exist. */
  notFound: 4,
  /** The login is missing or refused, or lacks a permission. */
  denied: 5,
  /** Refused: locked, immutable or unsupported, or a file or a tag is there that only a flag replaces. */
  refused: 6,
  /** The registry throttles or cannot be reached, after retries, or another process holds a lock. */
  unavailable: 7,
  /** Content does not match its digest, its size or its media type. */
  contentDiffers: 8,
  /** A safety limit is reached, or continuing would be unsafe. */
  unsafe: 9,
  /** The answer is no: two artifacts differ, an artifact is not whole. */
  no: 10,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
  /** The reader of the output closed it, as `head` does. */
  pipeClosed: 141
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The meanings in a few words, as the help shows them. */
export const exitCodeMeanings: ReadonlyArray<readonly [code: ExitCode, meaning: string]> = [
  [exitCodes.done, "done"],
  [exitCodes.unexpected, "a bug, or this machine failed"],
  [exitCodes.wrongCall, "the call is wrong"],
  [exitCodes.partly, "a part is done, or a list is incomplete"],
  [exitCodes.notFound, "not found"],
  [exitCodes.denied, "the login is missing or refused, or lacks a permission"],
  [exitCodes.refused, "refused: locked or unsupported, or there already, and only a flag replaces it"],
  [exitCodes.unavailable, "try later: the registry throttles or cannot be reached, or another process holds a lock"],
  [exitCodes.contentDiffers, "content differs from its digest, size or media type"],
  [exitCodes.unsafe, "a safety limit is reached"],
  [exitCodes.no, "the answer is no: of diff and validate, or to a question"],
  [exitCodes.interrupted, "interrupted (129 and 143 by SIGHUP and SIGTERM)"],
  [exitCodes.pipeClosed, "the reader of the output closed it"]
]
