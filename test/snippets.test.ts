/**
 * The examples in the README, in `docs` and in the comments of public modules compile as they stand.
 */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const root = fileURLToPath(new URL("..", import.meta.url))

const fence = /^( *\* )?```ts\n([\s\S]*?)^(?: *\* )?```$/gm

const snippetsOf = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(fence), ([, star, code = ""]) => (star === undefined ? code : code.replace(/^ *\* ?/gm, "")))

/** Not those in folders within: the examples in `docs/api` are the comments' own, and are not compiled again. */
const listFiles = async (folder: string, extension: string): Promise<ReadonlyArray<string>> =>
  (await readdir(join(root, folder))).filter((name) => name.endsWith(extension)).map((name) => join(folder, name))

/** What the compiler says; nothing if it is content. */
const compile = (folder: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(join(root, "node_modules/.bin/tsc"), ["--project", folder], { cwd: root }, (error, stdout, stderr) =>
      resolve(error === null ? "" : stdout + stderr + error.message)
    )
  })

it.live("examples compile as they stand", () =>
  Effect.gen(function* () {
    // Inside this package, so that imports resolve as they do for a user.
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(root, "test/.snippets-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true }))
    )
    const files = yield* Effect.promise(async () => [
      "README.md",
      ...(await listFiles("docs", ".md")),
      ...(
        await Promise.all(
          ["client", "node", "azure-identity", "emulator"].map((name) => listFiles(`packages/${name}/src`, ".ts"))
        )
      ).flat()
    ])
    const snippets = yield* Effect.promise(async () =>
      (
        await Promise.all(
          files.map(async (file) =>
            snippetsOf(await readFile(join(root, file), "utf8")).map((code) => ({ file, code }))
          )
        )
      ).flat()
    )
    assert.isAbove(snippets.length, 4)
    yield* Effect.promise(async () => {
      await Promise.all(
        snippets.map(({ code, file }, index) =>
          writeFile(join(folder, `${file.replaceAll(/[/.]/g, "-")}-${index}.ts`), code)
        )
      )
      await writeFile(
        join(folder, "tsconfig.json"),
        JSON.stringify({
          extends: "../../tsconfig.base.json",
          compilerOptions: { noEmit: true, types: ["node"], noUnusedLocals: false },
          include: ["*.ts"]
        })
      )
    })
    assert.strictEqual(yield* Effect.promise(() => compile(folder)), "")
  })
)
