/**
 * The guide: every scenario, with the error that it causes.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Scenario } from "./scenario.ts"

/**
 * Replaces what differs from run to run: ports, IDs of requests, folders. A local server gets the name of a registry.
 */
export const steady = (text: string): string =>
  text
    .replaceAll(/(the proxy) 127\.0\.0\.1:\d+/g, "$1 proxy.example:3128")
    .replaceAll(/https?:\/\/(?:127\.0\.0\.1|localhost):\d+/g, "https://myregistry.azurecr.io")
    .replaceAll(/(?:127\.0\.0\.1|localhost):\d+/g, "myregistry.azurecr.io")
    .replaceAll(/, (correlation|client request) id [0-9a-f-]{36}/g, ", $1 id …")
    // The runtime notices a broken connection while reading or while writing.
    .replaceAll(/TransportError: (?:read|write) \w+/g, "TransportError: connection reset")
    .replaceAll(/uploads\/[0-9a-f-]{36}/g, "uploads/…")

/** The fields of an error that a program can act on. */
const fields = ({ reason, response }: RegistryError): ReadonlyArray<string> => [
  ...Object.entries(reason)
    .filter(([name]) => !["_tag", "description", "cause", "name", "message", "stack"].includes(name))
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(
      ([name, value]) =>
        `reason.${name}: ${Duration.isDuration(value) ? Duration.format(value) : JSON.stringify(value)}`
    ),
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

Every operation fails with a \`RegistryError\`. Its message begins with the operation that the program called and the
**reason**, by which a program can decide what to do. The message of the registry follows, then the request, and two IDs by
which the operators of the registry find that request: the correlation id and the client request id. A command causes each error
of this page and prints it (\`npx -y pnpm@12 troubleshooting\`), and a test fails when an error changes.

**For more detail**, log at debug level: the client logs each request with its status, each failed attempt and each transfer
that resumes. Spans show the same in order, and metrics count it: [observability](observability.md). None of them contains a
secret.

`

/** The text of the guide. */
export const write = (scenarios: ReadonlyArray<Scenario>): Effect.Effect<string, unknown> =>
  Effect.map(
    Effect.forEach(scenarios, (scenario) => Effect.map(scenario.run, (error) => section(scenario, error)), {
      concurrency: 4
    }),
    (sections) => `${introduction}${sections.join("\n")}`
  )
