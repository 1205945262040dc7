/**
 * docs/architecture.md: how the source is laid out, for new readers.
 */
import { table } from "../support/markdown.ts"
import { picture, usedBy } from "./picture.ts"
import { parts } from "./rules.ts"

const introduction = `# Architecture

How the source is laid out, for new readers. The picture and the table are made of the imports:
\`npx -y pnpm@12 architecture\`.

## Packages

- \`@effect-acr/client\` is the library. It needs Effect, and a little package for hashing, and runs wherever these do.
- \`@effect-acr/artifacts\` works on whole artifacts, which are images with their platforms, signatures and SBOMs: it reads
  them as graphs and copies them between stores, of which a repository is one.
- \`@effect-acr/node\` gives it what Node does better: an HTTP client that sees the address it dials, hashing, and the
  logins that docker, podman, skopeo and oras have left behind.
- \`@effect-acr/azure-identity\` gives it identities of Entra ID, by way of \`@azure/identity\`.
- \`@effect-acr/migration\` moves whole registries and trees of layouts by rules. It keeps the state of a run in a database,
  so that a killed run continues.
- \`@effect-acr/emulator\` is a registry to test against, on real sockets, and a layer of the client that talks to it.

The library asks for an \`HttpClient\` and for \`Credentials\`, for a \`FileSystem\` where there are files, and brings a \`Hasher\`
that a layer may replace. It knows none of the packages that provide these: the other packages depend on it, and it on none of them.

## Floors

![Each part of the source with its modules, and lines to the parts that it imports](architecture.svg)

A file imports from its own part and from the floors under it, for types as for values. A line goes down from each part;
a dot is an import. Parts of one floor do not know each other. The floors stand as data in \`test/architecture/floors.ts\`,
from which the picture is drawn, and which \`npx -y pnpm@12 check\` holds every import against. \`effect/http\` may change with
each minor version of Effect: the same file names the modules that may import it. No module imports the
index of a package, which would load all of it when a program starts: [start faster](startup.md).

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

Modules beside \`internal\` are public, one for each concept, and named as users name it. In \`internal\` each folder belongs
to one part, and each file is one mechanism of it.

## The way of a request

\`registry.deleteTag("library/hello-world", "latest")\` begins in \`ContainerRegistry\`, which reads its arguments with the
grammar of the nouns (\`internal/api/arguments.ts\`) and takes an operation from the table of its API
(\`internal/api/management.ts\`): method, path, scopes, which answers mean success, what may be sent twice, and how the answer
decodes. \`Transport\` carries it out. Around everything is one loop of attempts (\`internal/http/retry.ts\`). Within an
attempt, \`internal/auth/authorization.ts\` knows what this registry wants to see, and gets a token for the operation's scopes
from the cache (\`tokens.ts\`), or by way of the credential (\`grants.ts\`). The request waits for its turn where there are rate
limits, and goes out in \`internal/http/exchange.ts\`, the one place that sends anything: \`Outbound\` says whether it may go
where it is going, and the answer is decoded or becomes a reason (\`failure.ts\`). On the way back secrets are struck out of
what the registry said, spans and metrics are written (\`telemetry.ts\`), and the caller has a value or a \`RegistryError\`.
More: [tokens](tokens.md), [what is tried again](retries.md), [where requests may go](origins.md).

## The way of a blob

\`content.uploadBlob(repository, source)\` and its sisters begin in \`internal/content/blobs.ts\`. An upload is a state machine
(\`upload.ts\`): each step is an operation of \`internal/api/distribution.ts\`, and what follows a fault is a pure
decision (\`recovery.ts\`), so that bytes which the registry has are not sent again. Bytes come from the \`BlobSource\`, are hashed
by the \`Hasher\` the first time that they are read (\`outgoing.ts\`), and leave as they come. A download is one stream
(\`download.ts\`): the registry, or the storage to which it leads, is asked for a range from where the bytes so far end; pieces
are counted and hashed as they pass; after the last of them size and digest must be those that were asked for, or the
stream fails. A file has its name only when that is so (\`file.ts\`). In both directions a connection that moves nothing is given
up (\`idle.ts\`), and whatever moves on renews the patience (\`patience.ts\`). More: [uploads](uploads.md),
[downloads](downloads.md).
`

/** The page and the picture in it. */
export const page = (): { readonly markdown: string; readonly svg: string } => ({
  markdown: `${introduction}${floorTable}${journeys}`,
  svg: picture()
})
