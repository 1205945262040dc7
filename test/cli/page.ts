/**
 * docs/cli: an overview, and a page for each verb.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Command } from "effect/cli/Command"
import type { FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import { type ExitCode, exitCodes } from "../../packages/cli/src/exitCode.ts"
import { eacr } from "../../packages/cli/test/support/eacr.ts"
import { table } from "../support/markdown.ts"
import { definitions, fileName } from "./schema.ts"
import { tasksPage } from "./tasks.ts"
import { documentsOf, groups, helpOf, leaves, type Verb, withoutProgram } from "./verbs.ts"
import { callIn } from "./words.ts"

const made = "<!-- Made of the command: npx -y pnpm@12 cli. -->\n\n"

/** Text in a cell of a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<")

/** A guide that the help names, which leads to the site there. */
const guide = /docs\/([a-z-]+)\.md/g

const described = (description: Option.Option<string>): string =>
  cell(Option.getOrElse(description, () => "")).replaceAll(guide, "[$1](../$1.md)")

/** A flag in all of its forms, with the name of its value. */
const flagForm = ({ aliases, name, type }: FlagDoc): string => {
  const value = type === "boolean" ? "" : ` ${type}`
  return [...aliases.map((alias) => `\`${alias}\``), `\`--${name}${value}\``].join(", ")
}

const flagTable = (flags: ReadonlyArray<FlagDoc>): string =>
  table(
    ["Flag", "Meaning"],
    flags.map((flag) => [cell(flagForm(flag)), described(flag.description)])
  )

const section = (title: string, text: string): string => (text === "" ? "" : `\n## ${title}\n\n${text}\n`)

/** Verbs that a picture shows, and what is on it. */
const pictures = new Map([
  ["cp", "![The progress of a copy on a terminal](../images/cli-progress.svg)"],
  ["tree", "![A tree on a terminal](../images/cli-tree.svg)"]
])

/** What to try without a registry. */
const trials = new Map([
  [
    "purge",
    `A seed of the [emulator](../emulator-command.md#seeds) has the age that you give it, so that you need not wait for days. Write
these seeds into \`emulator.json\`:

\`\`\`json
{
  "seeds": [
    { "repository": "shop/api", "tags": ["build-1"], "pushedAt": "60 days" },
    { "repository": "shop/api", "tags": ["build-2"], "pushedAt": "40 days" },
    { "repository": "shop/api", "tags": ["v1"], "pushedAt": "90 days" }
  ]
}
\`\`\`

Then serve them, and purge in another terminal:

\`\`\`sh
eacr serve --config emulator.json
\`\`\`

\`\`\`sh
echo emulator | eacr login 127.0.0.1:5001 --username admin --password-stdin
eacr purge 127.0.0.1:5001/shop/api --tags 'build-*' --older-than 50d --dry-run
\`\`\``
  ]
])

/** The exit codes of verbs whose codes say more than the overview tells. */
const codesOf: ReadonlyMap<string, ReadonlyArray<readonly [code: ExitCode, meaning: string]>> = new Map([
  [
    "purge",
    [
      [
        exitCodes.done,
        "Everything is deleted, or there was nothing to delete. With `--dry-run` and `--plan`: the plan is whole"
      ],
      [
        exitCodes.partly,
        "A part was kept because it changed or the registry refused. Also with `--dry-run` and `--plan`: the registry shows less than the rules judge. It does not list manifests without a tag, or does not tell times. What has no time is kept"
      ],
      [exitCodes.notFound, "The repository does not exist, or is empty"],
      [exitCodes.unsafe, "The plan exceeds a limit or is older than an hour. Nothing is deleted"],
      [exitCodes.no, "The question was answered with no"]
    ]
  ]
])

const codesText = (verb: string): string => {
  const codes = codesOf.get(verb) ?? []
  if (codes.length === 0) return ""
  return section(
    "Exit codes",
    table(
      ["Code", "Meaning"],
      codes.map(([code, meaning]) => [`\`${code}\``, meaning])
    )
  )
}

const fenced = (language: string, code: string): string => `\`\`\`${language}\n${code.trimEnd()}\n\`\`\``

/** The first example as a program, by `--explain`. */
const programOf = Effect.fnUntraced(function* ({ examples, path }: Verb) {
  const [example] = examples
  if (example === undefined || withoutProgram.has(path[0] ?? "")) return ""
  const { code, stderr, stdout } = yield* eacr([...callIn(example.command), "--explain"], {
    env: { HOME: "/nonexistent" }
  })
  if (code !== 0) return yield* Effect.die(new Error(`eacr ${path.join(" ")} --explain: ${stderr}`))
  return `The same as a program, which \`--explain\` prints:\n\n${fenced("ts", stdout)}`
})

const exampleText = (examples: ReadonlyArray<Command.Example>): string =>
  fenced("sh", examples.map(({ command, description = "" }) => `# ${description}\n${command}`).join("\n\n"))

const Members = Schema.Struct({
  properties: Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Unknown)),
  required: Schema.optionalKey(Schema.Array(Schema.String))
})

const Items = Schema.Struct({ type: Schema.optionalKey(Schema.String) })

/** The type of a member, in a word or two. */
const typeOf = (schema: Readonly<Record<string, unknown>>): string => {
  const { enum: values, items, type } = schema
  if (Array.isArray(values)) return values.map((value) => `\`${JSON.stringify(value)}\``).join(", ")
  if (type !== "array") return typeof type === "string" ? type : "value"
  const item = Schema.decodeUnknownOption(Items)(items)
  return `array of ${Option.match(item, { onNone: () => "values", onSome: (one) => `${one.type ?? "value"}s` })}`
}

const memberTable = (name: string): string => {
  const members = Schema.decodeUnknownOption(Members)(definitions[name])
  if (Option.isNone(members)) return ""
  const { properties, required = [] } = members.value
  return table(
    ["Member", "Type"],
    Object.entries(properties).map(([key, schema]) => [
      `\`${key}\``,
      cell(`${typeOf(schema)}${required.includes(key) ? "" : ", optional"}`)
    ])
  )
}

const documentText = (verb: string): string => {
  const documents = documentsOf(verb)
  if (documents.length === 0) return ""
  const tables = documents.map(({ name }) => {
    const link = `[\`${name}\`](../../packages/cli/schema/${fileName})`
    return [`\`--json\` prints the document ${link}:`, memberTable(name)].filter((part) => part !== "").join("\n\n")
  })
  return section("JSON", tables.join("\n\n"))
}

const argumentText = ({ args = [] }: HelpDoc): string =>
  args.length === 0
    ? ""
    : table(
        ["Argument", "Meaning"],
        args.map(({ description, name, required, variadic }) => [
          `\`${name}${variadic ? "..." : ""}\``,
          `${described(description)}${required ? "" : " (optional)"}`
        ])
      )

const leafText = Effect.fnUntraced(function* (verb: Verb, isNested: boolean) {
  const help = yield* helpOf(verb.path)
  const program = yield* programOf(verb)
  const deeper = (text: string) => (isNested ? text.replaceAll(/^## /gm, "### ") : text)
  return [
    isNested ? `\n## ${verb.path.join(" ")}\n\n${help.description}.\n` : `${help.description}.\n`,
    `\n${fenced("sh", help.usage)}\n`,
    deeper(section("Arguments", argumentText(help))),
    deeper(section("Flags", help.flags.length === 0 ? "" : flagTable(help.flags))),
    deeper(section("Examples", exampleText(verb.examples))),
    deeper(section("As a program", program))
  ].join("")
})

/** The page of a verb. */
const verbPage = Effect.fnUntraced(function* (verb: Command.Any) {
  const nested = leaves(verb)
  const isAlone = nested.length === 1 && nested[0]?.path.length === 1
  const texts = yield* Effect.forEach(nested, (leaf) => leafText(leaf, !isAlone))
  const head = isAlone ? "" : `${verb.description ?? ""}.\n`
  const foot = "\nFlags of all verbs, output formats and exit codes: [the command](README.md)\n"
  const trial = section("Try it on the emulator", trials.get(verb.name) ?? "")
  const picture = section("On a terminal", pictures.get(verb.name) ?? "")
  return `${made}# eacr ${verb.name}\n\n${head}${texts.join("")}${picture}${trial}${documentText(verb.name)}${codesText(verb.name)}${foot}`
})

/** What each exit code means. A code without a meaning does not compile. */
const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "Everything is done, or there was nothing to do",
  unexpected: "A bug, or this machine failed: a disk is full",
  wrongCall: "The call is wrong: a flag, an argument, a file of rules",
  partly: "A part is done: some objects failed, or were left out because they changed",
  notFound: "What was named does not exist",
  denied: "The login is missing or refused, or lacks a permission",
  refused:
    "Refused: the object is locked, immutable or unsupported, or a file or a tag is there already that only a flag replaces",
  unavailable: "The registry throttles or cannot be reached, after retries, or another process holds a lock",
  contentDiffers: "Content does not match its digest, its size or its media type",
  unsafe: "A safety limit is reached, or continuing would be unsafe",
  no: "The answer is no: two artifacts differ, an artifact is not whole, a question was answered with no",
  interrupted: "Interrupted by Ctrl-C. A second Ctrl-C ends the command at once",
  pipeClosed: "The reader of the output closed it, as `head` does"
}

const codeTable = table(
  ["Code", "Meaning"],
  Object.entries<ExitCode>(exitCodes).map(([name, code]) => [
    `\`${code}\``,
    Object.entries(meanings).find(([key]) => key === name)?.[1] ?? ""
  ])
)

const verbTable = groups
  .map(
    ({ title, verbs }) =>
      `**${title}**\n\n${table(
        ["Verb", "What it does"],
        verbs.map(({ description = "", name }) => [`[\`${name}\`](${name}.md)`, description])
      )}`
  )
  .join("\n\n")

const overview = Effect.fnUntraced(function* () {
  const { globalFlags = [] } = yield* helpOf(["ls"])
  return `${made}# The command eacr

\`eacr\` shows, moves, changes and deletes images and other artifacts in Azure Container Registry and OCI registries.
[Install it](install.md), or run it with \`npx @effect-acr/cli\`. [Twelve tasks beside crane, oras, regctl and az
acr](tasks.md)

## Verbs

${verbTable}

## Names

\`registry/repository:tag\` or \`registry/repository@sha256:…\` names an artifact in a registry. Most verbs also read and write
an OCI image layout (\`--layout\`, \`--from-layout\`, \`--to-layout\`) or an archive (\`--archive\`, \`--from-archive\`,
\`--to-archive\`). The name is then the tag or the digest in the layout or the archive.

## Output

Standard output carries the answer, and standard error everything else. Standard output stays empty if the verb fails.

| Format    | Output                                                                                    |
| --------- | ----------------------------------------------------------------------------------------- |
| terminal  | columns with a header; lists of names and \`migrate report\` as in a pipe                 |
| pipe      | the same fields as lines, separated by tabs, without a header                             |
| \`--json\`  | one JSON document. Its schema: [\`${fileName}\`](../../packages/cli/schema/${fileName})           |
| \`--jsonl\` | one JSON document per line: items of a list as they arrive, events of transfers          |
| \`-q\`      | only digests or names                                                                     |

\`version\` in a document rises when a member changes its meaning or is removed. New members may come at any time.
\`--version --json\` prints the document \`version\`.

\`NO_COLOR\` turns colors off, \`FORCE_COLOR\` turns them on, and \`TERM=dumb\` turns off colors and redrawing.

## Sizes

| Printed by | What it counts |
| --- | --- |
| \`ls --long\` | on Azure Container Registry what the registry reports; elsewhere the same as \`show\` |
| \`show\` | the manifests, configurations and layers of the artifact, for an index of all platforms |
| \`tree\` | each line its own manifest or blob. \`sizeBytes\` of \`--json\` is all of them, each once, with referrers |
| \`du\` | TOTAL the same as \`show\`, with referrers. OWN what of it no other artifact has |

## Flags of all verbs

${flagTable(globalFlags.filter(({ name }) => name !== "help"))}

## Logins

The command uses the login of \`docker login\` (or of podman, skopeo or oras), including credential helpers. On registries of
Azure without one it uses Azure's: environment variables of a service principal, workload identity, a managed identity, \`az
login\`. On other registries it continues without a login. [Details](../authentication.md)

## Environment variables

| Variable                                                   | Meaning                                                                      |
| ---------------------------------------------------------- | ---------------------------------------------------------------------------- |
| \`DOCKER_AUTH_CONFIG\`, \`DOCKER_CONFIG\`, \`REGISTRY_AUTH_FILE\` | where logins are: the content of a file, docker's folder, podman's file      |
| \`AZURE_TENANT_ID\`, \`AZURE_CLIENT_ID\` and others            | logins of Azure, as in [authentication](../authentication.md)                |
| \`HTTPS_PROXY\`, \`HTTP_PROXY\`, \`NO_PROXY\`                    | proxies, as in [network](../network.md)                                      |
| \`NODE_EXTRA_CA_CERTS\`                                      | more certificate authorities; \`--ca-file\` does the same for one call         |
| \`NO_COLOR\`, \`FORCE_COLOR\`, \`TERM\`                          | colors and redrawing                                                         |
| \`XDG_CACHE_HOME\`, on Windows \`LOCALAPPDATA\`                | the folder in which completions are cached, for 60 seconds                   |
| \`EACR_COMPLETION_TIMEOUT\`                                  | how long a completion waits for a registry, in milliseconds. Defaults to 300 |
| \`NODE_DISABLE_COMPILE_CACHE\`                               | \`1\` turns off the cache of compiled code, which shortens the start           |

## Exit codes

${codeTable}
`
})

/** The pages by the names of their files. */
export const pages: Effect.Effect<Readonly<Record<string, string>>> = Effect.gen(function* () {
  const own = yield* Effect.forEach(
    groups.flatMap(({ verbs }) => verbs),
    (verb) => Effect.map(verbPage(verb), (text) => [`${verb.name}.md`, text] as const)
  )
  return { "README.md": yield* overview(), "tasks.md": `${made}${tasksPage()}`, ...Object.fromEntries(own) }
})
