/**
 * The guide: every scenario, with the error that comes of it.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type { Scenario } from "./scenario.ts"

/**
 * What differs from run to run: ports, names of requests, folders. Ours stand in for a registry that has a name.
 */
export const steady = (text: string): string =>
  text
    .replaceAll(/https?:\/\/(?:127\.0\.0\.1|localhost):\d+/g, "https://myregistry.azurecr.io")
    .replaceAll(/(?:127\.0\.0\.1|localhost):\d+/g, "myregistry.azurecr.io")
    .replaceAll(/, (correlation|client request) id [0-9a-f-]{36}/g, ", $1 id …")
    // A connection that breaks is noticed while reading or while writing.
    .replaceAll(/TransportError: (?:read|write) \w+/g, "TransportError: connection reset")
    .replaceAll(/uploads\/[0-9a-f-]{36}/g, "uploads/…")

/** What a program sees of an error that it can act on. */
const fields = ({ reason, response }: RegistryError): ReadonlyArray<string> => [
  ...Object.entries(reason)
    .filter(([name]) => !["_tag", "description", "cause", "name", "message", "stack"].includes(name))
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([name, value]) => `reason.${name}: ${JSON.stringify(value)}`),
  ...(response === undefined ? [] : response.errors).map(
    ({ code, message }, index) => `response.errors[${index}]: ${code}${message === "" ? "" : `, ${message}`}`
  )
]

const section = ({ reason, remedy, title, why }: Scenario, error: RegistryError): string =>
  [
    `## ${title}`,
    "",
    "```text",
    steady(error.message),
    ...fields(error).map(steady),
    "```",
    "",
    `**Why.** ${why}`,
    "",
    `**What to do.** ${remedy}`,
    "",
    `Catch it as \`${reason}\`.`,
    ""
  ].join("\n")

const introduction = `# Troubleshooting

Every operation fails with a \`RegistryError\`. Its message begins with the operation and the **reason**, which is what a
program acts on; then comes what the registry says itself, the request, and two names by which its operators find that
request: the registry's correlation id and our client request id. This page shows the errors as they are: it is written by
a command that makes each of them happen (\`npx -y pnpm@12 troubleshooting\`), and a test fails when one of them changes.

**To see more**, log at debug level: a line for each request with its status, for each attempt that failed and each
transfer that was taken up again. Spans tell the same in order; metrics count it: [observability](observability.md). No
secret is in any of them.

`

/** The text of the guide. */
export const write = (scenarios: ReadonlyArray<Scenario>): Effect.Effect<string, unknown> =>
  Effect.map(
    Effect.forEach(scenarios, (scenario) => Effect.map(scenario.run, (error) => section(scenario, error)), {
      concurrency: 4
    }),
    (sections) => `${introduction}${sections.join("\n")}`
  )
