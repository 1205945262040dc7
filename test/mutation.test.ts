/**
 * The list of faults of `npx -y pnpm@12 mutation` is up to date: each changes the code in one place.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { faulty, occurrences } from "./mutation/fault.ts"
import { faults } from "./mutation/faults.ts"

const read = (file: string): Promise<string> => readFile(fileURLToPath(new URL(`../${file}`, import.meta.url)), "utf8")

describe("the faults that tests must notice", () => {
  it.each(faults)("$file: $wrong", async (fault) => {
    const text = await read(fault.file)
    assert.strictEqual(occurrences(text, fault), 1)
    assert.notStrictEqual(faulty(text, fault), text)
  })

  it("have different names", () => {
    assert.strictEqual(new Set(faults.map(({ wrong }) => wrong)).size, faults.length)
  })
})
