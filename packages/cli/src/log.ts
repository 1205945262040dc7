/**
 * What the library logs, as lines for people.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : Inspectable.toStringUnknown(part)))
    .join(" ")

const line = Logger.make(({ logLevel, message }) => `${logLevel.toLowerCase()}: ${printable(textOf(message))}`)

/** Takes the place of Effect's logger, which writes to standard output. */
export const layer = Logger.layer([Logger.withConsoleError(line)])

/** Notices that records of a list were left out, which the library says in an annotation of a warning. */
export const watchingLists = () => {
  let hasLeftOut = false
  const logger = Logger.make(({ fiber }) => {
    if ("leftOut" in fiber.getRef(References.CurrentLogAnnotations)) hasLeftOut = true
  })
  return { layer: Logger.layer([logger], { mergeWithExisting: true }), hasLeftOut: () => hasLeftOut }
}
