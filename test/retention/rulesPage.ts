/**
 * docs/retention-rules.md: features of the rules of other tools, and the same as rules of this library.
 */
import { table } from "../support/markdown.ts"
import { type Feature, groups } from "./features.ts"

const introduction = `# Retention rules compared

The features of Harbor, zot, GitLab, Amazon ECR and \`acr purge\`, written as [rules of this library](retention.md#rules). A test
parses each fragment. Fragments leave out \`name\` and \`because\`, which each rule needs. The order of rules matters.

`

const after = `
## Not supported, and alternatives

- **Labels** (Harbor): they are in Harbor's own database, not in a registry API. Supply the digests that have a label as a list, and
  name the list in \`digests\`.
- **Pull times**: no registry API for clients returns them. Azure Monitor has the pulls of Azure Container Registry if diagnostic
  logs are enabled. Supply them as \`pulls\`.
- **Annotations, platform and size**: supply a list of digests. A manifest is deleted whole: one platform of an index cannot go alone.
- **Build time** (GitLab): the build sets it, and reproducible builds set 1970. Ages are counted from the push or the last update.
- **Moving to an archive** (Amazon ECR): rules keep, delete and untag. [Copy](artifacts.md) images to the archive first.
`

/** JSON on one line, with spaces. */
const inline = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${inline(field)}`)
  return `{ ${fields.join(", ")} }`
}

/** A vertical bar would end a cell of a table. */
const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``

const fragment = ({ fields = {}, rules = [] }: Feature): string =>
  [
    ...Object.entries(fields).map(([name, value]) => code(`${JSON.stringify(name)}: ${inline(value)}`)),
    ...rules.map((rule) => code(inline(rule)))
  ].join("<br>")

/** The text of the page. */
export const rulesPage: string = [
  introduction,
  groups
    .map(
      ([name, features]) =>
        `## ${name}\n\n${table(
          ["Feature", "Other tools", "This library"],
          features.map((feature) => [feature.feature, feature.tools, fragment(feature) || "`Retention.plan`"])
        )}\n`
    )
    .join("\n"),
  after
].join("")
