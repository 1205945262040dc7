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
export const page = (
  reports: ReadonlyArray<Report>
): string => `# Registries compared: ECR, GHCR, Harbor, GitLab and others

The client is strict about what could do harm (bytes, digests, origins, credentials), and lenient about everything else:
registries deviate from the specification, and programs have to work with them. A command (\`npx -y pnpm@12 dialects\`)
simulates the known deviations of each registry, runs the same operations against each simulation, and writes this page. Every
row is a test. It shows that the client copes with this deviation; the real registry may have others.

If references name the registries, a program connects to them with \`NodeRegistries\`; if the environment names
its one registry, with \`Registry.layerConfig\`: [several registries](credentials.md#connect-to-several-registries).

## Deviations from the specification

${table(
  ["Registry", "Deviation", "Source"],
  reports.flatMap(({ dialect }) => dialect.deviations.map(({ source, what }) => [dialect.name, what, `<${source}>`]))
)}

## Requests for each step

The steps push an image with two blobs under three tags, of which the client may mount one blob; pull the whole image; list its
tags in pages of two; add a tag; and delete the image. A number counts the requests of the step, including those of the login. A
name is the reason of the error if the registry does not support the step. registry.k8s.io is read-only, so it has no push, tag
or delete.

${table(
  ["Registry", ...steps],
  reports.map(({ dialect, outcomes }) => [
    dialect.name,
    ...steps.map((name) => cell(outcomes.find(({ step }) => step === name)))
  ])
)}
`
