/**
 * The table beside the .NET library is as it says: the compiler knows the members (`parity/api.ts`), the tests are there.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nameOf } from "./parity/api.ts"
import { page } from "./parity/page.ts"
import { types } from "./parity/rows.ts"

const read = (path: string) => Effect.promise(() => readFile(new URL(`../${path}`, import.meta.url), "utf8"))

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

  it.effect("stands in docs/from-dotnet.md, which the README links to", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* read("docs/from-dotnet.md"), page, "write it anew: npx -y pnpm@12 parity")
      assert.include(yield* read("README.md"), "(docs/from-dotnet.md)")
    })
  )

  it("begins with the members that matter most", () => {
    const summary = /^## In short\n\n([\s\S]*?)\n## /m.exec(page)?.[1] ?? ""
    const common = rows.filter(({ inSummary }) => inSummary)
    assert.isAbove(common.length, 5)
    for (const { dotnet, here } of common) {
      assert.include(summary, dotnet)
      assert.include(summary, here)
    }
  })
})
