/**
 * The answer of a verb in each format.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import { Ended } from "./problem.ts"
import * as Output from "./output.ts"
import { type Format, settings } from "./settings.ts"
import type { View } from "./table.ts"

/** The version of the JSON documents. It rises when a member changes its meaning or is removed. */
export const documentVersion = 1

/** The schema of a verb's JSON document: its version, and its members. */
export const document = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct({ version: Schema.Literal(documentVersion), ...fields })

/** What a verb answers, in each of the formats. */
export interface Answer {
  readonly json: Effect.Effect<string>
  readonly text: (view: View) => ReadonlyArray<string>
  /** Digests or names alone. Defaults to nothing. */
  readonly quiet?: ReadonlyArray<string>
  /** Defaults to `done`. */
  readonly code?: ExitCode
}

/** How an answer is shown besides its JSON. */
export type Shown = Omit<Answer, "json">

/** Makes an answer of a value that a schema describes. */
export const make = <A, I>(schema: Schema.Codec<A, I>, value: Omit<A, "version">, shown: Shown): Answer => ({
  ...shown,
  json: encode(schema, value)
})

/** Escapes characters that control a terminal or are invisible, as JSON does. Names and annotations may contain them. */
export const escaped = (json: string): string =>
  json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => character.charCodeAt(index).toString(16).padStart(4, "0"))
      .map((unit) => `\\u${unit}`)
      .join("")
  )

const encode = <A, I>(schema: Schema.Codec<A, I>, value: Omit<A, "version">): Effect.Effect<string> =>
  Schema.encodeUnknownEffect(Schema.fromJsonString(schema))({ version: documentVersion, ...value }).pipe(
    Effect.map(escaped),
    Effect.orDie
  )

export const view: Effect.Effect<View, never, Stdio.Stdio> = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  return { isTerminal: yield* stdio.stdoutIsTerminal, canColor }
})

const linesOf = (answer: Answer, format: Format, shown: View): Effect.Effect<ReadonlyArray<string>> => {
  switch (format) {
    case "json":
    case "jsonl":
      return Effect.map(answer.json, (line) => [line])
    case "quiet":
      return Effect.succeed(answer.quiet ?? [])
    case "text":
      return Effect.succeed(answer.text(shown))
  }
}

/** Prints an answer in the format that the flags choose. */
export const print = Effect.fnUntraced(function* (answer: Answer) {
  const { format } = yield* settings
  const lines = yield* linesOf(answer, format, yield* view)
  if (lines.length > 0) {
    yield* Effect.mapError(
      Output.print(lines.map((line) => `${line}\n`).join("")),
      ({ cause }) => new Output.OutputFailed({ cause, isLast: true })
    )
  }
  const { code = exitCodes.done } = answer
  if (code !== exitCodes.done) return yield* new Ended({ code })
})

/** How the items of a list are printed: one at a time, or all in one document. */
export interface List<A> {
  /** An item as a line of JSON. */
  readonly jsonLine: (item: A) => Effect.Effect<string>
  readonly quiet: (item: A) => string
  readonly line: (item: A) => string
  /** All items. */
  readonly whole: (items: ReadonlyArray<A>) => Answer
  /** Whether text needs all items first, for columns. */
  readonly hasColumns: boolean
}

/** Prints a list. Items are printed as they arrive, unless the format needs all of them first. */
export const printList = Effect.fnUntraced(function* <A, E, R>(items: Stream.Stream<A, E, R>, list: List<A>) {
  const { format } = yield* settings
  const each = (line: (item: A) => Effect.Effect<string>) =>
    Output.printAll(Stream.mapEffect(items, (item) => Effect.map(line(item), (text) => `${text}\n`)))
  switch (format) {
    case "jsonl":
      return yield* each((item) => Effect.map(list.jsonLine(item), escaped))
    case "quiet":
      return yield* each((item) => Effect.succeed(list.quiet(item)))
    case "text":
      if (!list.hasColumns) return yield* each((item) => Effect.succeed(list.line(item)))
  }
  yield* print(list.whole(yield* Stream.runCollect(items)))
})
