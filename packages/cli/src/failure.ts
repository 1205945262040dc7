/**
 * A failure as the command prints it: what failed, why, and what helps.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Data from "effect/Data"
import type { ExitCode } from "./exitCode.ts"
import type { Ended, Problem } from "./problem.ts"
import { readingOf } from "./reading.ts"

export class Failure extends Data.TaggedError("Failure")<{
  /** What failed and on which object. */
  readonly what: string
  readonly why: string
  /** What helps, if that is known. */
  readonly help?: string | undefined
  readonly code: ExitCode
}> {}

/**
 * Removes the login from names that were typed with one, as in an address. A password may contain any character,
 * so everything before the last @ of a line is removed, unless a digest follows it.
 */
const withoutLogin = (text: string): string =>
  text
    .replace(/\/\/[^\n]*@(?!sha\d+:)/g, "//<redacted>@")
    .replace(/(^|[\s"'`(])[^\s/@"'`(]+:(?!\/\/)[^\n]*@(?!sha\d+:)/g, "$1<redacted>@")

/** Makes the failure of a problem: adds what the verb was doing. */
export const failureOf =
  (what: string) =>
  (problem: Problem | Ended): Failure | Ended => {
    if (problem._tag === "Ended") return problem
    return new Failure({ what: problem._tag === "OutputFailed" ? "print the answer" : what, ...readingOf(problem) })
  }

const indented = (text: string): string =>
  text
    .split("\n")
    .map((line) => `  ${printable(line)}`)
    .join("\n")

/** Formats a failure: what failed, why, and what helps. */
export const format = ({ help, what, why }: Failure): string =>
  [
    `error: cannot ${printable(withoutLogin(what))}`,
    ...[why, ...(help === undefined ? [] : [help])].map((text) => indented(withoutLogin(text)))
  ].join("\n")
