/**
 * The log of the library, as lines for people.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

const textOf = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : Inspectable.toStringUnknown(part)))
    .join(" ")

const line = Logger.make(({ logLevel, message }) => `${logLevel.toLowerCase()}: ${printable(textOf(message))}`)

const toStderr = Logger.withConsoleError(Logger.make<string, string>(({ message }) => message))

/**
 * Whether a line is a warning of the cluster that runs a migration. It reports its runners at each interruption. What
 * matters to a user comes as an error. `-vv` shows it.
 */
const isOfCluster = ({ fiber, logLevel }: Logger.Options<unknown>): boolean =>
  logLevel === "Warn" &&
  fiber.getRef(References.MinimumLogLevel) === "Warn" &&
  String(fiber.getRef(References.CurrentLogAnnotations)["module"]).startsWith("effect/cluster/")

/**
 * Replaces Effect's logger, which writes to standard output. A warning is printed once: the library repeats some at each request,
 * such as that of a login that it passes over.
 */
export const layer = Logger.layer([
  Effect.sync(() => {
    const printed = new Set<string>()
    return Logger.make<unknown, void>((options) => {
      if (isOfCluster(options)) return
      const text = line.log(options)
      if (options.logLevel === "Warn") {
        if (printed.has(text)) return
        printed.add(text)
      }
      toStderr.log({ ...options, message: text })
    })
  })
])

/**
 * Notices that records of a list were left out, which the library reports in an annotation of a warning. Lists of the target of a
 * migration do not count: what they lack does not make the migration incomplete.
 */
export const watchingLists = () => {
  let hasLeftOut = false
  const logger = Logger.make(({ fiber }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    if ("leftOut" in annotations && annotations["side"] !== "target") hasLeftOut = true
  })
  return { layer: Logger.layer([logger], { mergeWithExisting: true }), hasLeftOut: () => hasLeftOut }
}
