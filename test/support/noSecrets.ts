/**
 * Runs before every file of tests, and fails it if one of its secrets was written anywhere.
 *
 * Whatever the library, the emulator or a test puts into a `Redacted` is a secret: passwords, Entra tokens, and the
 * refresh and access tokens that come of them. What is searched is all that is printed, with logs at their finest level,
 * and every span: its name, its attributes, its events and how it ended. A secret is found as it is, in any escapes, and in
 * base64.
 */
import { inspect } from "node:util"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { afterAll, assert, beforeAll, vi } from "vitest"

/** A shorter one may stand anywhere by accident. */
const shortest = 8

/** State of the process: files of tests share it, and this file is evaluated for each of them. */
const { secrets, watching, written } = vi.hoisted(() => {
  const key = Symbol.for("test/noSecrets")
  const state: {
    readonly secrets: Set<string>
    /** What was written: each different text once, since most spans of a file are alike. */
    readonly written: Set<string>
    /** What already writes into it: methods of the console, and Effect's spans and logs. */
    readonly watching: WeakSet<object>
  } = Reflect.get(globalThis, key) ?? { secrets: new Set(), written: new Set(), watching: new WeakSet() }
  Reflect.set(globalThis, key, state)
  return state
})

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

/** A value as text. Most are strings, which need no quotes and escapes. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : inspect(value, { depth: 10 }))

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

if (!watching.has(Tracer.NativeSpan)) {
  watching.add(Tracer.NativeSpan)
  setDefault(References.MinimumLogLevel, "All")
  setDefault(Logger.CurrentLoggers, new Set([...coarse, writing]))
  const { end } = Tracer.NativeSpan.prototype
  Tracer.NativeSpan.prototype.end = function (endTime, exit) {
    end.call(this, endTime, exit)
    const attributes = Array.from(this.attributes, ([name, value]) => `${name}: ${textOf(value)}`)
    const events = this.events.map(([name, , about]) => `${name} ${textOf(about)}`)
    written.add([this.name, ...attributes, ...events].join("\n"))
    if (Exit.isFailure(exit)) written.add(`${Cause.pretty(exit.cause)}\n${inspect(exit.cause, { depth: 10 })}`)
  }
}

for (const method of ["debug", "error", "info", "log", "warn"] as const) {
  const print = console[method]
  if (watching.has(print)) continue
  const watched = (...args: ReadonlyArray<unknown>) => {
    written.add(args.map(textOf).join(" "))
    print(...args)
  }
  watching.add(watched)
  console[method] = watched
}

const escape = /((?:%[0-9a-f]{2})+)|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\([^])|&(amp|lt|gt|quot);|&#(\d{1,5});/gi

const entities: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"' }

/** Decodes the escapes of URLs, JSON, JavaScript and HTML in a text. */
const unescaped = (text: string): string =>
  text.replace(escape, (_, bytes = "", unit = "", byte = "", character = "", entity = "", number = "") => {
    if (number !== "") return String.fromCharCode(Number(number))
    if (bytes !== "") return Buffer.from(bytes.replaceAll("%", ""), "hex").toString()
    if (unit + byte !== "") return String.fromCharCode(Number.parseInt(unit + byte, 16))
    return character + (entities[entity.toLowerCase()] ?? "")
  })

/** A text as it is, and with its escapes decoded once, twice and three times. */
const readings = (text: string): ReadonlyArray<string> => {
  const all = [text]
  for (let last = text; all.length < 4;) {
    const next = unescaped(last)
    if (next === last) break
    all.push(next)
    last = next
  }
  return all
}

/** The base64 characters that a secret alone determines, for each of its three alignments and both alphabets. */
const inBase64 = (secret: string): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
    const ends = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)] as const
    return [bytes.toString("base64").slice(...ends), bytes.toString("base64url").slice(...ends)]
  })

/** A secret as it is, in form encoding, and in base64. */
const formsOf = (secret: string): ReadonlyArray<string> => [
  secret,
  secret.replaceAll(" ", "+"),
  secret.replaceAll("+", " "),
  unescaped(secret),
  ...inBase64(secret)
]

/** All forms of all secrets, by their first characters. */
interface Forms {
  readonly byBeginning: ReadonlyMap<string, ReadonlySet<string>>
  /** Whether a form may begin with such characters, by their hash. Most characters of a text begin none, and need no string. */
  readonly beginnings: Uint8Array
}

/** A hash of 16 bits of the four characters at a place. */
const hashAt = (text: string, at: number): number =>
  (((text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) * 31 + text.charCodeAt(at + 2)) * 31 +
    text.charCodeAt(at + 3)) &
  0xffff

const allForms = (): Forms => {
  const byBeginning = new Map<string, Set<string>>()
  const beginnings = new Uint8Array(0x1_0000)
  for (const form of Array.from(secrets).flatMap((secret) => (secret.length < shortest ? [] : formsOf(secret)))) {
    const beginning = form.slice(0, shortest)
    const alike = byBeginning.get(beginning)
    if (form.length < shortest) continue
    if (alike === undefined) byBeginning.set(beginning, new Set([form]))
    else alike.add(form)
    beginnings[hashAt(form, 0)] = 1
  }
  return { byBeginning, beginnings }
}

const holds = (text: string, { beginnings, byBeginning }: Forms): boolean => {
  for (let at = 0; at + shortest <= text.length; at++) {
    if (beginnings[hashAt(text, at)] === 0) continue
    const alike = byBeginning.get(text.slice(at, at + shortest))
    if (alike !== undefined && Array.from(alike).some((form) => text.startsWith(form, at))) return true
  }
  return false
}

/** The texts that hold a secret. */
export const leaks = (): ReadonlyArray<string> => {
  // A test of texts alone may have hundreds of thousands of secrets.
  if (written.size === 0) return []
  const forms = allForms()
  return forms.byBeginning.size === 0
    ? []
    : Array.from(written).filter((text) => readings(text).some((reading) => holds(reading, forms)))
}

/** Forgets what was written so far. */
export const forget = (): void => written.clear()

/** The secrets of imported modules, which later files of tests may import without evaluating them again. */
let imported: ReadonlySet<string> = new Set()

beforeAll(() => {
  imported = new Set(secrets)
})

afterAll(() => {
  const found = leaks()
  forget()
  for (const secret of secrets) if (!imported.has(secret)) secrets.delete(secret)
  assert.deepStrictEqual(found, [], "secrets were written")
})
