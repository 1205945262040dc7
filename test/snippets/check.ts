/**
 * Fails, and says where, if an example in the README, in `docs` or in a comment of a module does not compile as it
 * stands; a part of `npx -y pnpm@12 check`.
 */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const fence = /^( *\* )?```ts\n([\s\S]*?)^(?: *\* )?```$/gm

/** An example as a module whose lines have the numbers that they have in its file. */
const examplesOf = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(fence), ({ 1: star, 2: code = "", index }) => {
    const above = text.slice(0, index).split("\n").length
    return "\n".repeat(above) + (star === undefined ? code : code.replace(/^ *\* ?/gm, ""))
  })

/** What the compiler says, of the places where the examples stand; nothing if it is content. */
const compile = (folder: string): string => {
  const tsc = join(root, "node_modules/.bin/tsc")
  const { error, status, stdout } = spawnSync(tsc, ["--project", folder], { cwd: folder, encoding: "utf8" })
  if (error !== undefined) throw error
  return status === 0 ? "" : stdout.replace(/^(\S+)\.\d+\.ts\(/gm, "$1(")
}

// Not docs/api: its examples are the comments' own, and are not compiled again.
const files = globSync(["*.md", "docs/*.md", "docs/cli/*.md", "packages/*/*.md", "packages/*/src/**/*.ts"], {
  cwd: root
})
// Inside this package, so that imports resolve as they do for a user.
const folder = mkdtempSync(join(root, "test/.snippets-"))
try {
  for (const file of files) {
    for (const [index, example] of examplesOf(readFileSync(join(root, file), "utf8")).entries()) {
      const path = join(folder, `${file}.${index}.ts`)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, example)
    }
  }
  const settings = {
    extends: "../../tsconfig.base.json",
    compilerOptions: { noEmit: true, types: ["node"], noUnusedLocals: false },
    include: ["**/*.ts"]
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings))
  const problems = compile(folder)
  if (problems !== "") {
    console.error(problems)
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
