/**
 * docs/retention-vs-acr-purge.md: what `acr purge` does, and the result of this library on the same data.
 */
import * as Effect from "effect/Effect"
import { table } from "../support/markdown.ts"
import { findings } from "./findings.ts"

const introduction = `# Retention and acr purge compared

Azure's documentation recommends \`acr purge\` to delete images by age. These are 17 findings from its source (acr-cli of
12 March 2026) and from runs against a mock registry. The last column is generated: \`npx -y pnpm@12 retention\` runs this library on
the same data, and reports what it deletes and keeps.

`

const after = `

Names in the last column are tags or manifests. See also [retention](retention.md), and [rules compared](retention-rules.md) with
the tools of other registries.
`

/** The text of the page. */
export const findingsPage: Effect.Effect<string, unknown> = Effect.map(
  Effect.forEach(findings, ({ ours }) => ours),
  (outcomes) =>
    introduction +
    table(
      ["", "`acr purge`", "Source", "This library"],
      findings.map(({ source, theirs }, at) => [
        String(at + 1),
        theirs,
        `[${source.text}](${source.url})`,
        outcomes[at] ?? ""
      ])
    ) +
    after
)
