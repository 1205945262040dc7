/**
 * The pages of the reference, made of what the packages export.
 */
import { format } from "oxfmt"
import type { Export, Member } from "./exports.ts"
import { groupsOf } from "./groups.ts"
import { linksOn, type Place, placeOf, type Targets, targetsOf } from "./links.ts"
import type { Module, Package } from "./read.ts"

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
  const links = linksOn(module, place, everywhere)

  const memberText = async (member: Member) =>
    blocks(
      `#### ${member.name}`,
      fence(await formattedMember(member.code)),
      links.inText(member.text, member),
      links.toTypesIn(member.code, member)
    )

  const exportText = async (one: Export) => {
    const [comment] = one.comments
    const isNewer = comment.since !== undefined && comment.since !== module.comment.since
    return blocks(
      `### ${one.name}`,
      one.code === "" ? "" : fence(await formatted(one.code)),
      links.inText(comment.text, one),
      links.toTypesIn(one.code, one),
      isNewer ? `Since ${comment.since}.` : "",
      ...(await Promise.all(one.members.map(memberText)))
    )
  }

  const groups = groupsOf(module)
  const entry = (one: Export) =>
    one.members.length === 0 ? links.to(one) : `${links.to(one)} (${one.members.map(links.to).join(", ")})`
  const contents = groups.map(({ exports, title }) => `- **${title}**: ${exports.map(entry).join(", ")}`).join("\n")

  return blocks(
    `# ${place.specifier}`,
    links.inText(module.comment.text),
    `Since ${module.comment.since}. [Source](../../../${module.path}), [all modules](../README.md).`,
    contents,
    ...(await Promise.all(
      groups.map(async ({ exports, title }) => blocks(`## ${title}`, ...(await Promise.all(exports.map(exportText)))))
    ))
  )
}

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
  const written = await Promise.all(
    packages.flatMap(({ folder, modules }) => {
      const targets = targetsOf(places, folder)
      return modules.flatMap((module) => {
        const place = places.get(module)
        return place === undefined
          ? []
          : [modulePage(module, place, targets).then((page) => [place.path, page] as const)]
      })
    })
  )
  const all = [["README.md", indexPage(packages, places)] as const, ...written]
  return new Map(
    await Promise.all(all.map(async ([path, text]) => [path, (await format("page.md", text, options)).code] as const))
  )
}
