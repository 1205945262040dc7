/**
 * docs/retention-vs-acr-purge.md: what `acr purge` does, and what comes of the same data here.
 */
import * as Effect from "effect/Effect"
import { table } from "../support/markdown.ts"
import { findings } from "./findings.ts"

const introduction = `# Retention beside acr purge

\`acr purge\` is the tool that Azure's documentation names for deleting images by age. These are 17 findings from its source (acr-cli
of 12 March 2026) and from runs of it against a registry of mocks. The last column is written by a command that does the same with
this library and reports what was deleted and what stays (\`npx -y pnpm@12 retention\`).

`

const after = `

Names in the last column are those of tags or of manifests. What tools of other registries can say, and how rules say it here:
[rules compared](retention-rules.md). How to use it: [retention](retention.md).
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
