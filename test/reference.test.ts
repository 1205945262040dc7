/**
 * docs/api says what the packages export, and whatever they export is documented.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { folder, readPackages } from "../reference/packages.ts"
import { pages } from "../reference/page.ts"
import { read } from "../reference/read.ts"
import { undocumented } from "../reference/undocumented.ts"

it("docs/api is made of the comments in the sources, and holds nothing else", async () => {
  const packages = readPackages()
  const expected = await pages(packages)
  const kept = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".md"))
  assert.sameMembers(kept, [...expected.keys()])
  for (const [path, text] of expected) assert.strictEqual(await readFile(join(folder, path), "utf8"), text, path)
})

const comment = (text: string): string => `/**\n${text} * @category models\n * @since 0.1.0\n */\n`
const documented = comment(" * A thing.\n *\n")
const onlyTags = comment("")

/** Exports, and what is missing of them. */
const cases: ReadonlyArray<readonly [does: string, code: string, missing: ReadonlyArray<string>]> = [
  ["nothing, where all is there", `${documented}export const one = 1`, []],
  [
    "a comment on an export",
    "export const one = 1",
    ["one has no comment", "one has no @category", "one has no @since"]
  ],
  [
    "a comment on what is handed on from another file",
    'export { one } from "../hidden.ts"',
    ["one has no comment", "one has no @category", "one has no @since"]
  ],
  ["words beside the tags", `${onlyTags}export const one = 1`, ["one has no comment"]],
  [
    "nothing on the type beside a schema, whose comment serves both",
    `${documented}export const One = Schema.String\nexport type One = typeof One.Type`,
    []
  ],
  [
    "words on a schema, even if its type has some",
    `${onlyTags}export const One = Schema.String\n${documented}export type One = typeof One.Type`,
    ["One has no comment"]
  ],
  [
    "an option's",
    `${documented}export interface Options {\n  /** How many. */\n  readonly a: number\n  readonly b: number\n}`,
    ["b of Options has no comment"]
  ],
  [
    "that of an option in a function's own type",
    `${documented}export const run = (options: { readonly a: number }): number => options.a`,
    ["a of run has no comment"]
  ],
  [
    "that of a member of a service",
    `${documented}export interface Service { readonly a: number }`,
    ["a of Service has no comment"]
  ],
  [
    "that of a field of a schema",
    `${documented}export const One = Schema.Struct({ a: Schema.String })\n${documented}export type One = typeof One.Type`,
    ["a of One has no comment"]
  ],
  [
    "that of a field of an error",
    `${documented}export class Bad extends Schema.TaggedError<Bad>("Bad")("Bad", { a: Schema.String }) {}`,
    ["a of Bad has no comment"]
  ]
]

it.live("check finds what has no comment", () =>
  Effect.gen(function* () {
    // Inside this package, so that the modules find effect.
    const root = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(fileURLToPath(new URL(".reference-", import.meta.url)))),
      (path) => Effect.promise(() => rm(path, { recursive: true }))
    )
    const source = join(root, "packages/things/src")
    const head =
      '/**\n * Things.\n *\n * @since 0.1.0\n */\nimport * as Context from "effect/Context"\nimport * as Schema from "effect/Schema"\n'
    yield* Effect.promise(async () => {
      await mkdir(source, { recursive: true })
      await writeFile(join(source, "../hidden.ts"), "/** Hidden things. */\n\nexport const one = 1\n")
      await writeFile(
        join(source, "index.ts"),
        [
          "/** Things. */\n",
          ...cases.map((_, index) => `/** Things. */\nexport * as Case${index} from "./Case${index}.ts"\n`)
        ].join("")
      )
      await Promise.all(
        cases.map(([, code], index) => writeFile(join(source, `Case${index}.ts`), `${head}\n${code}\n`))
      )
    })
    const found = undocumented(read(root, ["things"]))
    for (const [index, [does, , missing]] of cases.entries()) {
      const own = found.filter((line) => line.includes(`/Case${index}.ts:`))
      assert.deepStrictEqual(
        own.map((line) => line.replace(/^\S+ /, "")),
        missing,
        does
      )
    }
  })
)

it("check finds a module that does not say what it is", () => {
  const nothing = { text: "", category: undefined, since: undefined }
  const module = { name: "Thing", path: "Thing.ts", summary: "", comment: nothing, exports: [] }
  assert.deepStrictEqual(undocumented([{ folder: "things", text: "", modules: [module] }]), [
    "Thing.ts:1 the module has no comment",
    "Thing.ts:1 the module has no @since",
    "Thing.ts:1 index.ts does not say what the module is"
  ])
})
