/**
 * The page on registries that deviate.
 */
import type { Outcome, Report } from "./run.ts"

const steps: ReadonlyArray<Outcome["step"]> = ["push", "pull", "list", "tag", "delete"]

const cell = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return ""
  return outcome.came === "ok" ? String(outcome.requests) : `\`${outcome.came}\``
}

const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? "").length), title.length)
  )
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

/** The text of the page. */
export const page = (reports: ReadonlyArray<Report>): string => `# Registries

The client is strict about what could do harm (bytes, digests, origins, credentials), and lenient about everything else:
registries deviate from the specification, and programs have to work with them. This page is written by a command that plays
registries as far as their deviations are known, and does the same work with each (\`npx -y pnpm@12 dialects\`). Every row is
a test. The registries here are players, not the real ones. A row that passes means that the client copes with this deviation;
the real registry may have others.

## How they deviate

${table(
  ["Registry", "What it does", "Reported by"],
  reports.flatMap(({ dialect }) => dialect.deviations.map(({ source, what }) => [dialect.name, what, `<${source}>`]))
)}

## Requests for each step

A push of an image with two blobs under three tags, one blob of which may be mounted; a pull of all of it; a list of its tags
by pages of two; another tag; and a delete. A number is how many requests the step took, those for logins included. A name is
the reason of the error that tells what the registry does not offer. registry.k8s.io is read-only, so it has no push, tag or
delete.

${table(
  ["Registry", ...steps],
  reports.map(({ dialect, outcomes }) => [
    dialect.name,
    ...steps.map((name) => cell(outcomes.find(({ step }) => step === name)))
  ])
)}
`
