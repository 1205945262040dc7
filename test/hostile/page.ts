/**
 * docs/hostile-registries.md: how the client handles each misbehaviour of a registry, side by side with another client.
 */
import { table } from "../support/markdown.ts"
import type { Compared } from "../sideBySide/run.ts"
import type { Row } from "./rows.ts"

const introduction = `# Hostile and broken registries

A registry is another party's program. This page lists how one can misbehave, and what the client does. A command plays each
case over real connections, and writes the page (\`npx -y pnpm@12 hostile\`). Every row is a test.

## Side by side

Known problems of Azure's own client for JavaScript, \`@azure/container-registry\` 1.1.2, with the same registry, on Node. Both
clients retry once. The table omits two known defects: one concerns its build for browsers (another base64 alphabet), one was
fixed before this version.

`

const list = `## All misbehaviours

The client makes one attempt, without a retry. "Is read" means that it accepts the response. "Is read as bytes" means that it
returns the verified bytes of a manifest, with the problem instead of a view. Any other result is the reason of the error. The
client reads at most one mebibyte from the registry, unless the row states another limit, and closes every connection.

`

const notHere = `
## Covered by other tests

- A registry that owns its DNS points its own name, or the name of its storage, into the network of the client: the
  client checks the address at the other end of every connection ([origins](origins.md#names)).
- Another user replaces files in the folder of a download
  ([downloads](downloads.md#folders-that-other-users-can-write)).
- A connection that drips bytes counts as stalled below 16 KiB a second ([downloads](downloads.md)).
- The client sends an Entra token to registries of its cloud only, even if another registry's token service looks like ACR's
  ([origins](origins.md#authority)).
- 5,000 cases with random responses of storage, token services and targets of redirects: the client sends credentials only
  to the destination of the operation itself.

## Limits

A client cannot tell when a list of ever new items should end: a program that lists an untrusted registry must limit the
number of items (\`Stream.take\`). A page has at most 16 MiB. Reading a page of 4.2 million names of the shortest length took
0.6 s of processor time and 121 MiB of memory in one run.

\`@effect-acr/client\` does not read image layouts on disk (links, devices and names that lead out of a folder, huge indexes) or
foreign URLs of layers, and does not unpack archives. It never names a file as a registry says: a download goes to the path
that the caller names, and a partial file beside it has the digest in its name.
`

const mebibytes = (bytes: number | undefined): string => {
  if (bytes === undefined) return ""
  return Number.isFinite(bytes) ? `${Math.ceil(bytes / 1024 / 1024)} MiB` : "until a timeout"
}

/** The text of the page. */
export const page = (
  compared: ReadonlyArray<Compared>,
  groups: ReadonlyArray<readonly [string, ReadonlyArray<Row>]>
): string =>
  [
    introduction,
    table(
      ["", "Case", "Azure's client", "This library"],
      compared.map(({ ours, scenario, theirs }) => [scenario.id, scenario.does, theirs, ours])
    ),
    "\n\n",
    list,
    groups
      .map(
        ([name, rows]) =>
          `### ${name}\n\n${table(
            ["The registry", "Result", "Reads at most"],
            rows.map(({ does, mostBytes, outcome }) => [does.replaceAll("|", "/"), outcome, mebibytes(mostBytes)])
          )}\n`
      )
      .join("\n"),
    notHere
  ].join("")
