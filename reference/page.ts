/**
 * The pages of the reference, made of what the packages export.
 */
import { posix } from "node:path"
import * as Arr from "effect/Array"
import GithubSlugger from "github-slugger"
import { format } from "oxfmt"
import type { Export, Member, Module, Package } from "./read.ts"

/**
 * The categories under their titles, in the order in which a module is read: what it is for, what that takes and gives,
 * what is done with those. No title is the name of an export, so that the anchors of exports are their names.
 */
const titles = new Map([
  ["services", "Services"],
  ["layers", "Layers"],
  ["options", "Option types"],
  ["errors", "Errors"],
  ["reasons", "Reasons"],
  ["schemas", "Schemas"],
  ["models", "Models"],
  ["clouds", "Clouds"],
  ["constructors", "Constructors"],
  ["combinators", "Combinators"],
  ["config", "Configuration"],
  ["parsing", "Parsing"],
  ["formatting", "Formatting"],
  ["decoding", "Decoding"],
  ["guards", "Guards"],
  ["getters", "Getters"],
  ["constants", "Constants"],
  ["keys", "Keys"],
  ["references", "References"]
])

interface Group {
  readonly title: string
  readonly exports: ReadonlyArray<Export>
}

const groupsOf = (module: Module): ReadonlyArray<Group> => {
  const groups = Arr.groupBy(module.exports, ({ comments: [comment] }) => comment.category ?? "")
  const unknown = Object.keys(groups).find((category) => !titles.has(category))
  if (unknown !== undefined) throw new Error(`${module.path}: "${unknown}" is not a category`)
  return [...titles].flatMap(([category, title]) => {
    const exports = groups[category]
    return exports === undefined ? [] : [{ title, exports }]
  })
}

/** A page's place among the pages, and the anchors of what it shows. */
interface Place {
  readonly path: string
  readonly specifier: string
  readonly anchors: ReadonlyMap<Export | Member, string>
}

const placeOf = (folder: string, module: Module): Place => {
  const slugger = new GithubSlugger()
  const specifier = `@effect-acr/${folder}/${module.name}`
  slugger.slug(specifier)
  const anchors = new Map<Export | Member, string>()
  for (const { exports, title } of groupsOf(module)) {
    slugger.slug(title)
    for (const one of exports) {
      for (const shown of [one, ...one.members]) anchors.set(shown, slugger.slug(shown.name))
    }
  }
  return { path: `${folder}/${module.name}.md`, specifier, anchors }
}

/** Where to find what a comment names. */
type Targets = ReadonlyMap<string, string>

/** What any page may name: modules, their exports behind their names, and names that only one module has. */
const globalTargets = (places: ReadonlyMap<Module, Place>): Targets => {
  const targets = new Map<string, string>()
  const alone = new Map<string, string | undefined>()
  for (const [module, { anchors, path }] of places) {
    for (const [shown, anchor] of anchors) {
      const target = `${path}#${anchor}`
      targets.set(`${module.name}.${shown.name}`, target)
      if (/^[A-Z]/.test(shown.name)) alone.set(shown.name, alone.has(shown.name) ? undefined : target)
    }
  }
  for (const [name, target] of alone) if (target !== undefined) targets.set(name, target)
  for (const [module, { path }] of places) targets.set(module.name, path)
  return targets
}

/** Makes links of the names in a text, outside of its code. */
const linked = (text: string, hrefOf: (name: string) => string | undefined): string =>
  text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) =>
      part.startsWith("```")
        ? part
        : part
            .replace(/(?<!\[)`([\w.]+)`/g, (span, name: string) => {
              const href = hrefOf(name)
              return href === undefined ? span : `[${span}](${href})`
            })
            .replace(/(?<![\w/(])docs\/([\w-]+\.md)/g, "[docs/$1](../../$1)")
    )
    .join("")

/** Narrower than the sources, for a page that has less room. */
const options = { semi: false, trailingComma: "none", printWidth: 100 } as const

const formatted = async (code: string): Promise<string> => {
  const result = await format("code.ts", code, options)
  const [error] = result.errors
  if (error !== undefined) throw new Error(`${error.message} in ${code}`)
  return result.code.trim()
}

/** A member of a shape, as it stands within it. */
const formattedMember = async (code: string): Promise<string> => {
  const lines = (await formatted(`interface Shape {\n${code}\n}`)).split("\n")
  return lines
    .slice(1, -1)
    .map((line) => line.replace(/^ {2}/, ""))
    .join("\n")
}

const fence = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``

const blocks = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("\n\n")

const modulePage = async (module: Module, place: Place, everywhere: Targets): Promise<string> => {
  const here = new Map([...place.anchors].toReversed().map(([{ name }, anchor]) => [name, `#${anchor}`]))

  const hrefOf = (name: string): string | undefined => {
    const target = everywhere.get(name)
    const isElsewhere = target !== undefined && target !== place.path
    return here.get(name) ?? (isElsewhere ? relativeTo(place.path, target) : undefined)
  }

  /** A type may bear the name of its module. */
  const hrefOfType = (name: string): string | undefined => here.get(name) ?? hrefOf(`${name}.${name}`) ?? hrefOf(name)

  /** A text with its links, of which none leads to what it belongs to. */
  const textOf = (text: string, owner?: Export | Member): string =>
    linked(text, (name) => (name === owner?.name ? undefined : hrefOf(name)))

  /** Links to the types that a declaration names: code can't hold them. */
  const typesIn = (code: string, owner: Export | Member): string => {
    const bare = code.replace(/\/\*[\s\S]*?\*\/|"[^"\n]*"/g, "")
    const named = new Set(Array.from(bare.matchAll(/(?<!\.)\b[A-Z]\w*(?:\.[A-Z]\w*)?/g), ([name]) => name))
    const links = [...named].flatMap((name) => {
      const href = hrefOfType(name)
      return [owner.name, module.name].includes(name) || href === undefined ? [] : [`[${name}](${href})`]
    })
    return links.length === 0 ? "" : `Types: ${links.join(", ")}.`
  }

  const memberText = async (member: Member) =>
    blocks(
      `#### ${member.name}`,
      fence(await formattedMember(member.code)),
      textOf(member.text, member),
      typesIn(member.code, member)
    )

  const exportText = async (one: Export) => {
    const [comment] = one.comments
    const isNewer = comment.since !== undefined && comment.since !== module.comment.since
    return blocks(
      `### ${one.name}`,
      one.code === "" ? "" : fence(await formatted(one.code)),
      textOf(comment.text, one),
      typesIn(one.code, one),
      isNewer ? `Since ${comment.since}.` : "",
      ...(await Promise.all(one.members.map(memberText)))
    )
  }

  const link = (shown: Export | Member) => `[${shown.name}](#${place.anchors.get(shown)})`
  const groups = groupsOf(module)
  const entry = (one: Export) =>
    one.members.length === 0 ? link(one) : `${link(one)} (${one.members.map(link).join(", ")})`
  const contents = groups.map(({ exports, title }) => `- **${title}**: ${exports.map(entry).join(", ")}`).join("\n")

  return blocks(
    `# ${place.specifier}`,
    textOf(module.comment.text),
    `Since ${module.comment.since}. [Source](../../../${module.path}), [all modules](../README.md).`,
    contents,
    ...(await Promise.all(
      groups.map(async ({ exports, title }) => blocks(`## ${title}`, ...(await Promise.all(exports.map(exportText)))))
    ))
  )
}

const relativeTo = (from: string, to: string): string => posix.relative(posix.dirname(from), to)

const indexPage = (packages: ReadonlyArray<Package>, places: ReadonlyMap<Module, Place>): string =>
  blocks(
    "# API reference",
    "Every public module, made of the comments in the sources by `npx -y pnpm@12 reference`; the examples in it are compiled there. Guides and decisions are in [docs](../README.md).",
    ...packages.map(({ folder, modules, text }) =>
      blocks(
        `## @effect-acr/${folder}`,
        text,
        modules.map((module) => `- [${module.name}](${places.get(module)?.path}): ${module.summary}`).join("\n")
      )
    )
  )

/** All pages by their paths, as the formatter would have them. */
export const pages = async (packages: ReadonlyArray<Package>): Promise<ReadonlyMap<string, string>> => {
  const places = new Map(
    packages.flatMap(({ folder, modules }) => modules.map((module) => [module, placeOf(folder, module)] as const))
  )
  const everywhere = globalTargets(places)
  const written = await Promise.all(
    [...places].map(async ([module, place]) => [place.path, await modulePage(module, place, everywhere)] as const)
  )
  const all = [["README.md", indexPage(packages, places)] as const, ...written]
  return new Map(
    await Promise.all(all.map(async ([path, text]) => [path, (await format("page.md", text, options)).code] as const))
  )
}
