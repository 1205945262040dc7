/**
 * docs/architecture.md: how the source is laid out, for new readers.
 */
import { table } from "../support/markdown.ts"
import { picture, usedBy } from "./picture.ts"
import { parts } from "./rules.ts"

const introduction = `# Architecture

The layout of the source, for new readers. \`npx -y pnpm@12 architecture\` draws the picture and the table from the imports.

## Packages

- \`@effect-acr/client\` is the library. It depends on Effect and a small package for hashing, and runs wherever these run.
- \`@effect-acr/artifacts\` works on whole artifacts, which are images with their platforms, signatures and SBOMs: it reads
  them as graphs and copies them between stores, of which a repository is one.
- \`@effect-acr/node\` provides services on Node: an HTTP client that checks the address of each connection, hashing, and the
  logins of docker, podman, skopeo and oras.
- \`@effect-acr/azure-identity\` provides credentials of Entra ID, with \`@azure/identity\`.
- \`@effect-acr/migration\` moves whole registries and trees of layouts by rules. It keeps the state of a run in a database,
  so that a killed run continues.
- \`@effect-acr/emulator\` is a registry for tests, on real sockets, with a layer of the client for it.

The library requires an \`HttpClient\` and \`Credentials\`, and a \`FileSystem\` for files. It has a \`Hasher\` that a layer may
replace. It imports none of the packages that provide these; they depend on it.

## Layers of the source

![Each part of the source with its modules, and lines to the parts that it imports](architecture.svg)

A file imports only from its own part and from lower floors, types included. A line goes down from each part; a dot is an
import. Parts of the same floor do not import each other. \`test/architecture/floors.ts\` defines the floors as data: the
picture is drawn from it, and \`npx -y pnpm@12 check\` compares every import with it. \`effect/http\` may change with each minor
version of Effect, so the same file lists the modules that may import it. No module imports the index of a package, which would
load the whole package at the start of a program: [start faster](startup.md).

`

const floorTable = table(
  ["Floor", "Part", "What it is", "Imports"],
  parts.map(({ floor, part }) => [
    String(floor),
    part.name,
    part.about,
    usedBy(part)
      .map(({ name }) => name)
      .join(", ")
  ])
)

const journeys = `

Modules outside \`internal\` are public, one for each concept. In \`internal\`, each folder belongs to one part, and each file is
one mechanism of it.

In the published packages, modules share files, since Node needs a good part of the start of a program to find and read them.
\`test/release/mergeModules.ts\` merges what the compiler wrote: each public module keeps its path and its exports, source maps lead to
the sources, and the declarations remain one for each module. The script also marks each call at the top level of a module as pure, so that
bundlers remove what a program does not use. Such a call must have no effect other than its result.

## How a request is sent

\`registry.deleteTag("library/hello-world", "latest")\` starts in \`ContainerRegistry\`:

1. It parses its arguments (\`internal/api/arguments.ts\`), and takes an operation from the table of its API
   (\`internal/api/management.ts\`): method, path, scopes, successful statuses, whether it may be repeated, and the schema of the
   response.
2. \`Transport\` executes the operation in one retry loop (\`internal/http/retry.ts\`).
3. In each attempt, \`internal/auth/authorization.ts\` gets a token with the scopes of the operation from the cache
   (\`tokens.ts\`), or requests one with the credentials (\`grants.ts\`).
4. The request waits for rate limits, if there are any. \`internal/http/exchange.ts\` sends it, and is the only place that sends
   requests. \`Outbound\` checks its address before.
5. The response is decoded, or becomes the reason of an error (\`failure.ts\`). The client removes secrets from what the registry
   returned, and writes spans and metrics (\`telemetry.ts\`).
6. The caller gets a value or a \`RegistryError\`.

More: [tokens](tokens.md), [what is retried](retries.md), [where requests may go](origins.md).

## How a blob is transferred

\`content.uploadBlob(repository, source)\` and the other operations on blobs start in \`internal/content/blobs.ts\`.

- An upload is a state machine (\`uploading.ts\`): each step is an operation of \`internal/api/distribution.ts\`, and a pure
  function decides what follows a fault (\`recovery.ts\`), so that bytes which the registry has are not sent again. The
  \`Hasher\` hashes the bytes of the \`BlobSource\` when they are first read (\`outgoing.ts\`).
- A download is one stream (\`download.ts\`). It requests the range after the bytes so far from the registry or its storage, and
  counts and hashes the bytes. The stream fails at its end unless size and digest match. A file gets its final name only after
  that (\`file.ts\`).
- In both directions the client closes connections without progress (\`idle.ts\`), and progress resets the number of attempts
  (\`patience.ts\`).

More: [uploads](uploads.md), [downloads](downloads.md).
`

/** The page and the picture in it. */
export const page = (): { readonly markdown: string; readonly svg: string } => ({
  markdown: `${introduction}${floorTable}${journeys}`,
  svg: picture()
})
