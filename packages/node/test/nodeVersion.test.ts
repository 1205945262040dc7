/**
 * The Node that the package needs: a program on an older one ends with a message that names it.
 */
import { spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const index = fileURLToPath(new URL("../src/index.ts", import.meta.url))

/** Imports the package where `process.versions` is as given. */
const importOn = (versions: Readonly<Record<string, string>>) => {
  const preload = `Object.defineProperty(process, "versions", { value: ${JSON.stringify(versions)} })`
  const args = ["--import", `data:text/javascript,${encodeURIComponent(preload)}`, index]
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" })
  return { status, stderr }
}

const needed = (version: string) => `Error: effect-acr needs Node 22.19 or later; this is Node ${version}\n`

describe("the package", () => {
  for (const node of ["18.20.8", "20.20.2", "22.18.0"]) {
    it(`says on Node ${node} which one it needs, before undici fails`, () => {
      const { status, stderr } = importOn({ node })
      assert.strictEqual(status, 1)
      assert.include(stderr, needed(node))
      assert.notInclude(stderr, "undici")
    })
  }

  it("is content with a newer one, and with Bun and Deno, whatever Node they are like", () => {
    for (const versions of [
      { node: "22.19.0" },
      { node: "24.0.0" },
      { node: "20.0.0", bun: "1.0.0" },
      { node: "20.0.0", deno: "2.0.0" }
    ]) {
      assert.deepStrictEqual(importOn(versions), { status: 0, stderr: "" }, JSON.stringify(versions))
    }
  })

  it("names the Node of its package.json", async () => {
    const text = await readFile(new URL("../package.json", import.meta.url), "utf8")
    assert.match(text, /"node": ">=22\.19\.0"/)
  })
})
