/**
 * A failure as the command prints it: what failed, why, and what helps.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Data from "effect/Data"
import type { ExitCode } from "./exitCode.ts"
import type { Ended, Problem } from "./problem.ts"
import { readingOf } from "./reading.ts"

/** A failure as the command prints it. */
export class Failure extends Data.TaggedError("Failure")<{
  /** What failed and on which object. */
  readonly what: string
  readonly why: string
  /** What helps, if that is known. */
  readonly help?: string | undefined
  readonly code: ExitCode
}> {}

/**
 * A name that was typed with a login in it, as in an address, is not repeated with the login. A password may have any character,
 * so that all before the last @ of a line goes. A digest follows a name.
 */
const withoutLogin = (text: string): string =>
  text
    .replace(/\/\/[^\n]*@(?!sha\d+:)/g, "//<redacted>@")
    .replace(/(^|[\s"'`(])[^\s/@"'`(]+:(?!\/\/)[^\n]*@(?!sha\d+:)/g, "$1<redacted>@")

/** Says of a problem what was being done. */
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

/** Writes a failure: what and on which object, why, and what to do. */
export const format = ({ help, what, why }: Failure): string =>
  [
    `error: cannot ${printable(withoutLogin(what))}`,
    ...[why, ...(help === undefined ? [] : [help])].map((text) => indented(withoutLogin(text)))
  ].join("\n")
