/**
 * docs/retention-rules.md: what the rules of other tools can say, and how rules say it here.
 */
import { table } from "../support/markdown.ts"
import { type Feature, groups } from "./features.ts"

const introduction = `# Rules of retention, compared

What Harbor, zot, GitLab, Amazon ECR and \`acr purge\` can say, and how [rules of this library](retention.md#rules) say it. Each
fragment is read by a test. Fragments leave out \`name\` and \`because\`, which each rule has; several rules stand in that order.

`

const after = `
## What rules cannot say

- **Labels** (Harbor): they are in Harbor's own database, and no registry API has them. Supply the digests that have a label as a
  list, and name the list in \`digests\`.
- **Times of pulls**: no registry tells them on the API that clients use. Azure Monitor has the pulls of Azure Container Registry, once
  diagnostic logs are on. Supply them as \`pulls\`.
- **Annotations, platform and size**: supply a list of digests. A manifest is deleted whole: one platform of an index cannot go alone.
- **When an image was built** (GitLab): the time of a build is what the build says, and reproducible builds say 1970. Ages are counted
  from the push or the last update.
- **Moving to an archive** (Amazon ECR): rules keep, delete and untag. [Copy](artifacts.md) what is to be archived before.
`

/** JSON on one line, with spaces as people write it. */
const inline = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${inline(field)}`)
  return `{ ${fields.join(", ")} }`
}

/** In a table, an upright bar would end the cell. */
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
          ["What", "Where", "Here"],
          features.map((feature) => [feature.feature, feature.tools, fragment(feature) || "`Retention.plan`"])
        )}\n`
    )
    .join("\n"),
  after
].join("")
