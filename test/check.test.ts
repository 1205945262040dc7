/**
 * `npx -y pnpm@12 check` fails on each thing that it is there to find, and says where. A copy of the workspace is broken in
 * all these ways, and each term of the command runs on it as it stands in package.json.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "./support/command.ts"
import { environmentIn, linkedWorkspace } from "./support/workspace.ts"

const readScripts = Schema.decodeEffect(
  Schema.fromJsonString(Schema.Struct({ scripts: Schema.Struct({ check: Schema.String }) }))
)

const source = "packages/client/src"

interface Breach {
  readonly what: string
  readonly file: string
  readonly edit: (text: string) => string
  /** The term of the command that finds it. */
  readonly term: string
  /** How that names the culprit. */
  readonly says: RegExp
}

const append = (text: string) => (before: string) => before + text

const breaches: ReadonlyArray<Breach> = [
  {
    what: "an unused file",
    file: `${source}/internal/idle.ts`,
    edit: append("/** Not used. */\nexport const idle = 1\n"),
    term: "knip",
    says: /^Unused files \(1\)\npackages\/client\/src\/internal\/idle\.ts$/m
  },
  {
    what: "an unused export",
    file: `${source}/internal/http/link.ts`,
    edit: append("export const nobodys = 1\n"),
    term: "knip",
    says: /^nobodys\s+packages\/client\/src\/internal\/http\/link\.ts:/m
  },
  {
    what: "an unused type",
    file: `${source}/internal/http/link.ts`,
    edit: append("export type Nobodys = string\n"),
    term: "knip",
    says: /^Nobodys\s+type\s+packages\/client\/src\/internal\/http\/link\.ts:/m
  },
  {
    what: "an unused dependency",
    file: "packages/node/package.json",
    edit: (text) => text.replace('"dependencies": {', '"dependencies": { "nobodys": "*",'),
    term: "knip",
    says: /^nobodys\s+packages\/node\/package\.json/m
  },
  {
    what: "a circle of imports",
    file: `${source}/internal/http/scanner.ts`,
    edit: append('export { link } from "./link.ts"\n'),
    term: "oxlint",
    says: /Dependency cycle detected\s+\S+\[packages\/client\/src\/internal\/http\/scanner\.ts:/
  },
  {
    what: "a circle of imports for types, through two packages",
    file: `${source}/Hasher.ts`,
    edit: append('export type { layer } from "../../node/src/NodeHasher.ts"\n'),
    term: "oxlint",
    says: /Dependency cycle detected\s+\S+\[packages\/node\/src\/NodeHasher\.ts:/
  },
  {
    what: "an import of a whole package",
    file: `${source}/internal/auth/jwt.ts`,
    edit: append('export type { Effect } from "effect"\n'),
    term: "node test/architecture/check.ts",
    says: /^packages\/client\/src\/internal\/auth\/jwt\.ts:\d+: imports all of effect: import the module that is needed$/m
  },
  {
    what: "an import from a higher floor",
    file: `${source}/Tag.ts`,
    edit: append('export type { Subject } from "./Operation.ts"\n'),
    term: "node test/architecture/check.ts",
    says: /^packages\/client\/src\/Tag\.ts:\d+: imports packages\/client\/src\/Operation\.ts, but HTTP is above Nouns$/m
  },
  {
    what: "an import from a package that builds on this one",
    file: `${source}/Hasher.ts`,
    edit: append(""),
    term: "node test/architecture/check.ts",
    says: /^packages\/client\/src\/Hasher\.ts:\d+: imports packages\/node\/src\/NodeHasher\.ts, but @effect-acr\/node is above/m
  },
  {
    what: "an import from a package beside this one",
    file: "packages/node/src/NodeHasher.ts",
    edit: append('export type { AzureCloud } from "../../azure-identity/src/AzureCloud.ts"\n'),
    term: "node test/architecture/check.ts",
    says: /^packages\/node\/src\/NodeHasher\.ts:\d+: .* but @effect-acr\/azure-identity is beside @effect-acr\/node$/m
  },
  {
    what: "a module without a floor",
    file: `${source}/internal/idle.ts`,
    edit: append(""),
    term: "node test/architecture/check.ts",
    says: /^packages\/client\/src\/internal\/idle\.ts: stands on no floor/m
  },
  {
    what: "one more importer of effect/http",
    file: `${source}/internal/auth/jwt.ts`,
    edit: append('export type { Headers } from "effect/http/Headers"\n'),
    term: "node test/architecture/check.ts",
    says: /^packages\/client\/src\/internal\/auth\/jwt\.ts:\d+: imports effect\/http\/Headers, which is for the few/m
  },
  {
    what: "an example that does not compile",
    file: "examples/hello-world.ts",
    edit: append("Effect.nothingOfTheKind\n"),
    term: "tsc",
    says: /^examples\/hello-world\.ts\(\d+,8\): error TS2339/m
  },
  {
    what: "an example in a guide that does not compile",
    file: "docs/uploads.md",
    edit: append('\n```ts\nconst size: number = "large"\n```\n'),
    term: "node test/snippets/check.ts",
    says: /^docs\/uploads\.md\(\d+,7\): error TS2322/m
  },
  {
    what: "an example in a comment that does not compile",
    file: `${source}/Digest.ts`,
    edit: append('/**\n * ```ts\n * const size: number = "large"\n * ```\n */\n'),
    term: "node test/snippets/check.ts",
    says: /^packages\/client\/src\/Digest\.ts\(\d+,7\): error TS2322/m
  },
  {
    what: "an example in the comment of a service's member that does not compile",
    file: `${source}/ContainerRegistry.ts`,
    edit: (text) => text.replace("yield* registry.login\n", "yield* registry.nothingOfTheKind\n"),
    term: "node test/snippets/check.ts",
    says: /^packages\/client\/src\/ContainerRegistry\.ts\(\d+,\d+\): error TS2339/m
  },
  {
    what: "a phrase of the list in a guide",
    file: "docs/uploads.md",
    edit: append("\nWhoever uploads is told.\n"),
    term: "node test/words/check.ts",
    says: /^docs\/uploads\.md:\d+: "Whoever"$/m
  },
  {
    what: "a phrase of the list in a comment",
    file: `${source}/Digest.ts`,
    edit: append("\n// Ten minutes if not given.\n"),
    term: "node test/words/check.ts",
    says: /^packages\/client\/src\/Digest\.ts:\d+: "if not given"$/m
  },
  {
    what: "a phrase of the list in a message",
    file: `${source}/Tag.ts`,
    edit: append('\nexport const said = "there is nobody"\n'),
    term: "node test/words/check.ts",
    says: /^packages\/client\/src\/Tag\.ts:\d+: "nobody"$/m
  },
  {
    what: "an export without a comment",
    file: `${source}/Annotations.ts`,
    edit: append("\nexport const nobodys = 1\n"),
    term: "node reference/check.ts",
    says: /^packages\/client\/src\/Annotations\.ts:\d+ nobodys has no comment$/m
  },
  {
    what: "an option without a comment",
    file: `${source}/internal/transfer/options.ts`,
    edit: (text) => text.replace("/** Further tags. */", ""),
    term: "node reference/check.ts",
    says: /^packages\/client\/src\/RegistryContent\.ts:\d+ tags of PutManifestOptions has no comment$/m
  },
  {
    what: "an export without a page",
    file: `${source}/Tag.ts`,
    edit: append("\n/**\n * A thing.\n *\n * @category models\n * @since 0.1.0\n */\nexport const unpaged = 1\n"),
    term: "node reference/check.ts",
    says: /^packages\/client\/src\/Tag\.ts:\d+ unpaged is not in docs\/api: npx -y pnpm@12 reference$/m
  },
  {
    what: "a module that can be imported and has no page",
    file: `${source}/Unlisted.ts`,
    edit: append("/** Things. */\nexport const one = 1\n"),
    term: "node reference/check.ts",
    says: /^packages\/client\/src\/Unlisted\.ts:1 index\.ts does not export the module, so that it has no page$/m
  },
  {
    what: "a package with an address of its own",
    file: "packages/node/package.json",
    edit: (text) => text.replace(/"homepage": "[^"]*"/, '"homepage": "https://elsewhere.example/"'),
    term: "node site/check.ts",
    says: /^packages\/node\/package\.json: homepage is not that of the root/m
  },
  {
    what: "a link in the README of a package that npm cannot follow",
    file: "packages/node/README.md",
    edit: append("\n[Retries](../../docs/retries.md)\n"),
    term: "node site/check.ts",
    says: /^packages\/node\/README\.md:\d+: \.\.\/\.\.\/docs\/retries\.md leads out of the package$/m
  },
  {
    what: "a comment that points to a document that is not there",
    file: `${source}/Digest.ts`,
    edit: append("\n// docs/nobodys.md\n"),
    term: "node site/check.ts",
    says: /^packages\/client\/src\/Digest\.ts:\d+: there is no docs\/nobodys\.md$/m
  }
]

const edit = async (path: string, change: (text: string) => string): Promise<void> => {
  const before = await readFile(path, "utf8").catch(() => "")
  await writeFile(path, change(before))
}

/** What a term of the command prints when it fails. */
const complaints = (term: string, folder: string) => {
  const [command = "", ...args] = term.split(" ")
  return Effect.map(
    Effect.flip(run(command, args, { cwd: folder, env: environmentIn(folder) })),
    ({ stderr, stdout }) => stripVTControlCharacters(stdout + stderr)
  )
}

it.live(
  "check fails on what it is there to find",
  () =>
    Effect.gen(function* () {
      const folder = yield* linkedWorkspace
      const { scripts } = yield* readScripts(
        yield* Effect.promise(() => readFile(join(folder, "package.json"), "utf8"))
      )
      for (const breach of breaches) yield* Effect.promise(() => edit(join(folder, breach.file), breach.edit))

      const terms = scripts.check
        .split(" && ")
        .filter((term) => breaches.some((breach) => term.startsWith(breach.term)))
      const printed = yield* Effect.forEach(
        terms,
        (term) => Effect.map(complaints(term, folder), (complaint) => [term, complaint] as const),
        { concurrency: 2 }
      )
      for (const { says, term, what } of breaches) {
        const [, complaint = ""] = printed.find(([command]) => command.startsWith(term)) ?? []
        assert.match(complaint, says, what)
      }
    }),
  // Each part of the check runs on a copy of everything.
  240_000
)
