/**
 * Runs before every file of tests, and fails it if one of its secrets was written anywhere.
 *
 * Whatever the library, the emulator or a test puts into a `Redacted` is a secret: passwords, Entra tokens, and the
 * refresh and access tokens that come of them. What is searched is all that is printed, with logs at their finest level,
 * and every span: its name, its attributes, its events and how it ended.
 */
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { afterAll, assert, vi } from "vitest"

/** A shorter one may stand anywhere by accident. */
const shortest = 8

const secrets = vi.hoisted(() => new Set<string>())

vi.mock(import("effect/Redacted"), async (importOriginal) => {
  const original = await importOriginal()
  return {
    ...original,
    make: (value, options) => {
      if (typeof value === "string") secrets.add(value)
      return original.make(value, options)
    }
  }
})

/** What was written: each different text once, since most spans of a file are alike. */
const written = vi.hoisted(() => new Set<string>())

/** Puts another default in the place of a reference's own. */
const setDefault = (reference: object, value: unknown) => {
  Object.assign(reference, { "~effect/Context/defaultValue": value })
}

const writing = Logger.make(({ cause, fiber, message }) => {
  written.add(inspect([message, fiber.getRef(References.CurrentLogAnnotations)], { depth: 10 }))
  written.add(`${Cause.pretty(cause)}\n${inspect(cause, { depth: 10 })}`)
})

/** The loggers that there are without this one see what they would see without it. */
const coarse = Array.from(Logger.CurrentLoggers.defaultValue(), (logger) =>
  Logger.make((entry) => {
    if (LogLevel.isGreaterThanOrEqualTo(entry.logLevel, "Info")) logger.log(entry)
  })
)

setDefault(References.MinimumLogLevel, "All")
setDefault(Logger.CurrentLoggers, new Set([...coarse, writing]))

const { end } = Tracer.NativeSpan.prototype
Tracer.NativeSpan.prototype.end = function (endTime, exit) {
  end.call(this, endTime, exit)
  const events = this.events.map(([name, , attributes]) => [name, attributes])
  written.add(inspect([this.name, Array.from(this.attributes), events], { depth: 10 }))
  if (Exit.isFailure(exit)) written.add(`${Cause.pretty(exit.cause)}\n${inspect(exit.cause, { depth: 10 })}`)
}

for (const method of ["debug", "error", "info", "log", "warn"] as const) {
  const print = console[method]
  console[method] = (...args: ReadonlyArray<unknown>) => {
    written.add(args.map((arg) => (typeof arg === "string" ? arg : inspect(arg, { depth: 10 }))).join(" "))
    print(...args)
  }
}

/** A secret in the forms in which it travels. */
const forms = (secret: string): ReadonlyArray<string> => [
  secret,
  // Half of a character can't be encoded.
  ...(/\p{Surrogate}/u.test(secret) ? [] : [encodeURIComponent(secret)]),
  JSON.stringify(secret).slice(1, -1)
]

/** The texts that hold a secret. */
export const leaks = (): ReadonlyArray<string> => {
  const everything = Array.from(written).join("\n")
  return Array.from(secrets)
    .filter((secret) => secret.length >= shortest && forms(secret).some((form) => everything.includes(form)))
    .map((secret) => Array.from(written).find((text) => forms(secret).some((form) => text.includes(form))) ?? "")
}

/** Forgets what was written so far. */
export const forget = (): void => written.clear()

afterAll(() => {
  assert.deepStrictEqual(leaks(), [], "secrets were written")
})
