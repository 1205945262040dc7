/**
 * The places of all that the pages show, and the links to them.
 */
import { posix } from "node:path"
import GithubSlugger from "github-slugger"
import type { Export, Member } from "./exports.ts"
import { groupsOf } from "./groups.ts"
import type { Module } from "./read.ts"

/** A page's place among the pages, and the anchors of what it shows. */
export interface Place {
  readonly path: string
  readonly specifier: string
  readonly anchors: ReadonlyMap<Export | Member, string>
}

export const placeOf = (folder: string, module: Module): Place => {
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
export type Targets = ReadonlyMap<string, string>

/** What pages of a package may name: modules, their exports behind their names, and names that only one module has. */
export const targetsOf = (places: ReadonlyMap<Module, Place>, folder: string): Targets => {
  const targets = new Map<string, string>()
  const names = new Map<string, ReadonlyArray<string>>()
  for (const [module, { anchors, path }] of places) {
    for (const [shown, anchor] of anchors) {
      const target = `${path}#${anchor}`
      targets.set(`${module.name}.${shown.name}`, target)
      if (/^[A-Z]/.test(shown.name)) names.set(shown.name, [...(names.get(shown.name) ?? []), target])
    }
  }
  for (const [name, all] of names) {
    const own = all.filter((target) => target.startsWith(`${folder}/`))
    // Of two packages that have a name, a package means its own.
    const [target, ...others] = own.length > 0 ? own : all
    if (target !== undefined && others.length === 0) targets.set(name, target)
  }
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

const relativeTo = (from: string, to: string): string => posix.relative(posix.dirname(from), to)

/** What makes links for the page of a module. */
export const linksOn = (module: Module, place: Place, everywhere: Targets) => {
  const here = new Map([...place.anchors].toReversed().map(([{ name }, anchor]) => [name, `#${anchor}`]))

  const hrefOf = (name: string): string | undefined => {
    const target = everywhere.get(name)
    const isElsewhere = target !== undefined && target !== place.path
    return here.get(name) ?? (isElsewhere ? relativeTo(place.path, target) : undefined)
  }

  /** A type may bear the name of its module. */
  const hrefOfType = (name: string): string | undefined => here.get(name) ?? hrefOf(`${name}.${name}`) ?? hrefOf(name)

  return {
    /** A link to what the page shows. */
    to: (shown: Export | Member): string => `[${shown.name}](#${place.anchors.get(shown)})`,

    /** A text with its links, of which none leads to what it belongs to. */
    inText: (text: string, owner?: Export | Member): string =>
      linked(text, (name) => (name === owner?.name ? undefined : hrefOf(name))),

    /** Links to the types that a declaration names: code can't hold them. */
    toTypesIn: (code: string, owner: Export | Member): string => {
      const bare = code.replace(/\/\*[\s\S]*?\*\/|"[^"\n]*"/g, "")
      const named = new Set(Array.from(bare.matchAll(/(?<!\.)\b[A-Z]\w*(?:\.[A-Z]\w*)?/g), ([name]) => name))
      const links = [...named].flatMap((name) => {
        const href = hrefOfType(name)
        return [owner.name, module.name].includes(name) || href === undefined ? [] : [`[${name}](${href})`]
      })
      return links.length === 0 ? "" : `Types: ${links.join(", ")}.`
    }
  }
}
