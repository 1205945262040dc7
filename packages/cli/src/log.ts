/**
 * What the library logs, as lines for people.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"

const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : Inspectable.toStringUnknown(part)))
    .join(" ")

const line = Logger.make(({ logLevel, message }) => `${logLevel.toLowerCase()}: ${printable(textOf(message))}`)

/** Takes the place of Effect's logger, which writes to standard output. */
export const layer = Logger.layer([Logger.withConsoleError(line)])
