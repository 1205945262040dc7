/**
 * The pages of the examples: what the first comment of a file says, and the program.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { examples } from "../examples/support/examples.ts"
import { root } from "./sources.ts"

/** A program with its comment as prose. */
interface Program {
  readonly prose: string
  readonly code: string
}

const opening = /^\/\*\*\n([\s\S]*?)\n \*\/\n/

/** Divides a program into its first comment and what follows. */
const programOf = (text: string): Program => {
  const [whole = "", comment = ""] = opening.exec(text) ?? []
  const prose = comment
    .split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .join("\n")
  return { prose, code: text.slice(whole.length).trim() }
}

const fenced = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``

const read = (path: string): string => readFileSync(join(root, path), "utf8")

const page = (title: string, prose: string, code: string): string => `# ${title}\n\n${prose}\n\n${code}\n`

/** The application among the examples, whose files stand on one page. */
const application = { name: "preview-cleaner", title: "An application with its tests" }

const applicationPage = (): string => {
  const folder = `examples/${application.name}`
  const parts = readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts"))
    .toSorted()
    .map((name) => {
      const { code, prose } = programOf(read(`${folder}/${name}`))
      return `## ${name}\n\n${prose}\n\n${fenced(code)}`
    })
  return page(application.title, "A service that deletes the images of closed pull requests.", parts.join("\n\n"))
}

/** The files that several examples import, on one page. */
const shared = { name: "support", title: "Files that the examples share" }

const sharedPage = (): string =>
  page(
    shared.title,
    "Examples import these from the folder `support` beside them. They need all packages of the README.",
    readdirSync(join(root, "examples/support"))
      .filter((name) => name.endsWith(".ts"))
      .toSorted()
      .map((name) => {
        const { code, prose } = programOf(read(`examples/support/${name}`))
        return `## support/${name}\n\n${prose}\n\n${fenced(code)}`
      })
      .join("\n\n")
  )

/** How to run an example, and where the files are that it imports. */
const howToRun = (name: string): string =>
  `In a clone of the repository, run \`npx -y pnpm@12 ${name === "quickstart" ? name : `example ${name}`}\`. Elsewhere, it also needs ` +
  `the [files of \`support\`](support).`

/** A page as the site lists it. */
interface Listed {
  readonly name: string
  readonly title: string
}

/** The tour and all programs, in the order in which they are best read. */
export const listed: ReadonlyArray<Listed> = [
  { name: "quickstart", title: "A guided tour on an emulator" },
  ...examples.map(({ name, title }) => ({ name, title })),
  application,
  shared
]

const contents = (): string =>
  page(
    "Examples",
    "Each example is one program for one task. In a clone of the repository, `npx -y pnpm@12 example <name>` runs it on an emulator.",
    listed
      .map(
        ({ name, title }) =>
          `- [${title}](examples/${name === application.name || name === shared.name ? name : `${name}.ts`})`
      )
      .join("\n")
  )

/** The pages by their paths, each with the file of the repository that it shows. */
export const examplePages = (): ReadonlyMap<string, { readonly source: string; readonly text: string }> =>
  new Map([
    ["examples/index.md", { source: "examples", text: contents() }],
    ...listed.map(({ name, title }) => {
      if (name === application.name)
        return [`examples/${name}.md`, { source: `examples/${name}`, text: applicationPage() }] as const
      if (name === shared.name)
        return [`examples/${name}.md`, { source: `examples/${name}`, text: sharedPage() }] as const
      const source = `examples/${name}.ts`
      const { code, prose } = programOf(read(source))
      const text = page(title, `${prose}\n\n${howToRun(name)}`, fenced(code))
      return [`examples/${name}.md`, { source, text }] as const
    })
  ])
