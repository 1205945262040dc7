/**
 * The page of changes: those that wait for a release, and those of each package.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./sources.ts"

const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** One place for all links in changes: they stand in packages once they are released. */
export const changelogSource = "packages/client/CHANGELOG.md"

/** The version that all packages share. */
export const version: string = /"version": "([^"]+)"/.exec(read("packages/client/package.json"))?.[1] ?? ""

/** What a changeset says, and of which packages. */
const changeOf = (text: string): string => {
  const [, head = "", body = ""] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? []
  const packages = Array.from(head.matchAll(/"@effect-acr\/([\w-]+)"/g), ([, name]) => name)
  return `- **${packages.join(", ")}**: ${body.trim().replaceAll("\n", "\n  ")}`
}

const unreleased = (): string =>
  readdirSync(join(root, ".changeset"))
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .toSorted()
    .map((name) => changeOf(read(`.changeset/${name}`)))
    .join("\n")

/** A package's own page, a level deeper. */
const sectionOf = (name: string): string => read(`packages/${name}/CHANGELOG.md`).trim().replace(/^#/gm, "##")

/** The page. */
export const changelog = (): string => {
  const changes = unreleased()
  const released = readdirSync(join(root, "packages"))
    .toSorted()
    .map(sectionOf)
    .filter((section) => section.includes("\n"))
  return [
    "# Changelog",
    `All packages share one version. This site is about version ${version} and the unreleased changes.`,
    ...(changes === "" ? [] : [`## Unreleased\n\n${changes}`]),
    ...released
  ].join("\n\n")
}
