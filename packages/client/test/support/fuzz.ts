/**
 * Texts that are almost valid: valid input with a few edits, so that most of them reach deep into a parser.
 */
import { assert, it } from "@effect/vitest"
import * as Schema from "effect/Schema"

/** Another seed or more runs, as in CONTRIBUTING.md: `FUZZ_SEED=7 FUZZ_RUNS=100000`. A failure prints its seed. */
const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)

/** The options for checking a property a number of times. */
export const runs = (count: number) => ({
  arbitrary: { seed: setting("FUZZ_SEED", 1), runs: setting("FUZZ_RUNS", count) }
})

/** The insertions into a text. */
const pieces = [
  "",
  " ",
  ",",
  ";",
  '"',
  "\\",
  "=",
  ":",
  "/",
  "//",
  "..",
  "@",
  "<",
  ">",
  "%",
  "%00",
  "%2F",
  "\0",
  "\r\n",
  "\t",
  "é",
  "😀",
  "\u202e",
  "[",
  "]",
  "{",
  "}",
  "null",
  "true",
  "-1",
  "1e309",
  "-0",
  "9007199254740993",
  '"__proto__":{"polluted":true},',
  "[".repeat(3000),
  "a".repeat(5000),
  "/a".repeat(3000),
  ",".repeat(9000),
  '"\\'.repeat(4000),
  "a=".repeat(4000)
] as const

const Edit = Schema.Struct({
  kind: Schema.Literals(["insert", "replace", "drop", "double", "swap", "truncate"]),
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9999 })),
  length: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 })),
  piece: Schema.Literals(pieces)
})

type Edit = typeof Edit.Type

/** The text and its edits. */
export const Edited = Schema.Struct({
  base: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99 })),
  edits: Schema.Array(Edit).check(Schema.isMaxLength(6))
})

const edit = (text: string, { at, kind, length, piece }: Edit): string => {
  // A position in the current text.
  const begin = text.length === 0 ? 0 : Math.floor((at / 10_000) * text.length)
  const [before, part, after] = [text.slice(0, begin), text.slice(begin, begin + length), text.slice(begin + length)]
  switch (kind) {
    case "insert":
      return before + piece + part + after
    case "replace":
      return before + piece + after
    case "drop":
      return before + after
    case "double":
      return before + part + part + after
    case "swap":
      return before + after.slice(0, length) + part + after.slice(length)
    case "truncate":
      return before
  }
}

export const textOf = (bases: ReadonlyArray<string>, { base, edits }: typeof Edited.Type): string =>
  edits.reduce(edit, bases[base % bases.length] ?? "")

/** The shortest time in milliseconds, because a pause of the machine is not the parser's fault. */
const timeOf = (run: () => unknown): number => {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5 && best > 50; round++) {
    const start = performance.now()
    run()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/** Ten thousand texts: none throws, none takes long, none reaches a prototype. */
export const parses = (name: string, bases: ReadonlyArray<string>, parse: (text: string) => unknown): void => {
  it.prop(
    name,
    [Edited],
    ([edited]) => {
      const text = textOf(bases, edited)
      assert.isAtMost(
        timeOf(() => parse(text)),
        50,
        "milliseconds"
      )
      assert.notProperty({}, "polluted")
    },
    runs(10_000)
  )
}
