/**
 * The table beside the .NET library is as it says: the compiler knows the members (`parity/api.ts`), the tests are there.
 */
import { readdir, readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nameOf, referenceOf } from "./parity/api.ts"
import { pages } from "./parity/page.ts"
import { types } from "./parity/rows.ts"

const read = (path: string) => Effect.promise(() => readFile(new URL(`../${path}`, import.meta.url), "utf8"))

const first = pages.get("from-dotnet.md") ?? ""

const rows = types.flatMap(([, rows]) => rows)

const title = /\b(describe|it)[.\w]*(?:\(\w+\))?\(\s*"((?:[^"\\]|\\.)*)"/g

/** The names of the tests in a file, each behind that of the group that it is in, and those of the groups. */
const namesIn = (text: string): ReadonlyArray<string> => {
  let group = ""
  return Array.from(text.matchAll(title), ([, kind, name = ""]) => {
    if (kind === "it") return `${group} ${name}`.trimStart()
    group = name
    return group
  })
}

describe("the table beside the .NET library", () => {
  it.effect("points to tests that are there", () =>
    Effect.forEach(
      rows,
      ({ test }) => Effect.map(read(test.file), (text) => assert.include(namesIn(text), test.name, test.file)),
      { discard: true }
    )
  )

  it("says what its members are called", () => {
    for (const { api, here } of rows) for (const member of api) assert.include(here, nameOf(member))
  })

  it.effect("stands in docs, on pages that lead to each other, and the README links to the first", () =>
    Effect.gen(function* () {
      for (const [path, text] of pages) {
        assert.strictEqual(yield* read(`docs/${path}`), text, "write it anew: npx -y pnpm@12 parity")
        if (path !== "from-dotnet.md") assert.include(first, `(${path})`)
      }
      assert.sameMembers(
        yield* Effect.promise(() => readdir(new URL("../docs/from-dotnet", import.meta.url))),
        [...pages.keys()].filter((path) => path.includes("/")).map((path) => path.slice("from-dotnet/".length))
      )
      assert.include(yield* read("README.md"), "(docs/from-dotnet.md)")
    })
  )

  it("has each member on a page of its class, with links to the reference and a test", () => {
    for (const [type, members] of types) {
      const page = [...pages.values()].find((text) => text.includes(`\n## ${type}\n`)) ?? ""
      const section = page.slice(page.indexOf(`\n## ${type}\n`)).split("\n## ")[1] ?? ""
      for (const { api, dotnet, test } of members) {
        assert.include(section, `| ${dotnet} `)
        for (const member of api) assert.include(page, `]: ../${referenceOf(member)}\n`)
        assert.include(page, `]: ../../${test.file}\n`)
      }
    }
  })

  it("has tables that fit on the screen of a laptop", () => {
    for (const text of pages.values()) {
      const long = text.split("\n").filter((line) => line.startsWith("|") && line.length > 160)
      assert.deepStrictEqual(long, [])
    }
  })

  it("begins with the members that matter most", () => {
    const summary = first.slice(first.indexOf("\n## In short\n"))
    const common = rows.filter(({ inSummary }) => inSummary)
    assert.isAbove(common.length, 5)
    for (const { dotnet, here } of common) {
      assert.include(summary, dotnet)
      assert.include(summary, here)
    }
  })
})
