/**
 * docs/hostile-registries.md: what the client does with each kind of misbehaviour of a registry, side by side with another
 * client.
 */
import { table } from "../support/markdown.ts"
import type { Compared } from "../sideBySide/run.ts"
import type { Row } from "./rows.ts"

const introduction = `# Hostile and broken registries

A registry is another party's program. This page lists how one can misbehave, and what the client does. A command plays each
case over real connections and writes the page (\`npx -y pnpm@12 hostile\`). Every row is a test.

## Side by side

Known problems of Azure's own client for JavaScript, \`@azure/container-registry\` 1.1.2, with the same registry, on Node. Both
clients retry once. Two known defects are left out: one concerns its build for browsers (another base64 alphabet), one was
fixed before this version.

`

const list = `## One by one

One attempt, no retry. "Is read" means that the answer is taken as it is meant. "Is read as bytes" means that a manifest
arrives with its verified bytes, and with the problem in place of a view. Anything else is the reason of the error. No row
takes more than a mebibyte from the registry, unless it says so; each leaves no connection behind.

`

const notHere = `
## Elsewhere

- A registry that owns its DNS points its own name, or the name of its storage, into the network of the client: every
  connection is judged by the address at its other end ([origins](origins.md#names)).
- Another user replaces files in the folder of a download
  ([downloads](downloads.md#folders-that-other-users-can-write)).
- A connection that drips bytes counts as stalled below 16 KiB a second ([downloads](downloads.md)).
- An Entra token is sent to registries of its cloud alone, however the token service of another registry looks
  ([origins](origins.md#authority)).
- What storage, a token service or the target of a redirect answers is drawn by lot in 5,000 cases: no credential goes
  anywhere but where the operation itself goes.

## What is not here

A list of ever new items has no end that a client could know: a program that lists a registry it does not trust takes as
many as it needs (\`Stream.take\`). A page has at most 16 MiB. To read one of the shortest names there are,
4.2 million of them, took 0.6 s of processor time and 121 MiB of memory in one run.

Layouts of images on disk (links, devices and names that lead out of a folder, huge indexes), foreign URLs of layers and
the unpacking of archives are nothing that this library reads. It gives no file a name that a registry chose: a download
goes to the path that the caller names, beside which a partial file has the digest in its name.
`

const mebibytes = (bytes: number | undefined): string => {
  if (bytes === undefined) return ""
  return Number.isFinite(bytes) ? `${Math.ceil(bytes / 1024 / 1024)} MiB` : "by time"
}

/** The text of the page. */
export const page = (
  compared: ReadonlyArray<Compared>,
  groups: ReadonlyArray<readonly [string, ReadonlyArray<Row>]>
): string =>
  [
    introduction,
    table(
      ["", "The registry, or its user, does", "Azure's client", "This library"],
      compared.map(({ ours, scenario, theirs }) => [scenario.id, scenario.does, theirs, ours])
    ),
    "\n\n",
    list,
    groups
      .map(
        ([name, rows]) =>
          `### ${name}\n\n${table(
            ["The registry", "Comes to", "Takes at most"],
            rows.map(({ does, mostBytes, outcome }) => [does.replaceAll("|", "/"), outcome, mebibytes(mostBytes)])
          )}\n`
      )
      .join("\n"),
    notHere
  ].join("")
