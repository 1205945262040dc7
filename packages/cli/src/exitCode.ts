/**
 * The exit codes of the command, by which scripts tell failures apart.
 */

export const exitCodes = {
  /** Everything is done, or there was nothing to do. */
  done: 0,
  /** A bug, or this machine failed: a disk is full. */
  unexpected: 1,
  /** The call is wrong: a flag, an argument, a file of rules. */
  wrongCall: 2,
  /** A part is done: some objects failed, or were left out because they changed. */
  partly: 3,
  /** What was named is not there. */
  notFound: 4,
  /** The login is missing or refused, or lacks a permission. */
  denied: 5,
  /** The registry refuses: it is locked, immutable, too large or unsupported. */
  refused: 6,
  /** The registry throttles or cannot be reached, after retries. */
  unavailable: 7,
  /** Content is not what its digest, its size or its media type says. */
  contentDiffers: 8,
  /** A limit of safety is reached, or continuing would be unsafe. */
  unsafe: 9,
  /** The answer is no: two artifacts differ, an artifact is not whole. */
  no: 10,
  /** Interrupted by Ctrl-C. */
  interrupted: 130,
  /** The reader of the output went away. */
  pipeClosed: 141
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
