/**
 * Lines for POSIX shells that PowerShell does not understand stand beside lines that it does.
 */
import { readdir, readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { marked } from "marked"

const root = new URL("../", import.meta.url)

const read = (path: string) => Effect.promise(() => readFile(new URL(path, root), "utf8"))

/** Pages whose scripts are for bash alone, as they say. */
const forBash = ["emulator-in-ci.md"]

interface Block {
  readonly language: string
  readonly text: string
}

const blocksIn = (markdown: string): ReadonlyArray<Block> =>
  marked
    .lexer(markdown)
    .flatMap((token) =>
      token.type === "code" ? [{ language: String(token["lang"] ?? ""), text: String(token["text"]) }] : []
    )

const assignments = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/^export (.+)$/gm), ([, list = ""]) => list.split(" ")).flat()

describe("PowerShell", () => {
  it.effect("has the variables that other shells export, with the same values", () =>
    Effect.gen(function* () {
      const names = (yield* Effect.promise(() => readdir(new URL("docs/", root)))).filter(
        (name) => name.endsWith(".md") && !forBash.includes(name)
      )
      const pages = ["README.md", ...names.map((name) => `docs/${name}`)]
      let count = 0
      for (const page of pages) {
        const blocks = blocksIn(yield* read(page))
        for (const [index, { language, text }] of blocks.entries()) {
          if (language !== "sh") continue
          for (const assignment of assignments(text)) {
            const [name = "", value = ""] = assignment.split("=")
            const beside = blocks[index + 1]
            assert.strictEqual(beside?.language, "powershell", `${page}: ${assignment}`)
            assert.include(beside?.text, `$env:${name} = "${value.replace("~", "$HOME")}"`, page)
            count += 1
          }
        }
      }
      assert.isAbove(count, 5)
    })
  )

  it.effect("gets names that begin with @ in quotes", () =>
    Effect.gen(function* () {
      for (const { language, text } of blocksIn(yield* read("docs/powershell.md"))) {
        assert.strictEqual(language, "powershell")
        assert.notMatch(text, / @/)
      }
    })
  )
})
