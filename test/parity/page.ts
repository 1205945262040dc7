/**
 * docs/from-dotnet.md: the members that matter most, and then every member, side by side.
 */
import { table } from "../support/markdown.ts"
import { nameOf, referenceOf } from "./api.ts"
import { type Row, types } from "./rows.ts"

/** The members that matter most. */
const summary: string = table(
  [".NET", "", "Here"],
  types.flatMap(([type, rows]) =>
    rows.filter(({ inSummary }) => inSummary).map(({ dotnet, here }) => [`\`${type}\``, dotnet, here])
  )
)

const introduction = `# Coming from Azure.Containers.ContainerRegistry

Two services in the place of four classes. Names are arguments, so there is nothing to make before an operation; lists
are streams, everything else is an effect, and all that goes wrong is one typed error. The programs on this page
[run like this](getting-started.md#the-programs-on-other-pages).

\`\`\`cs
var client = new ContainerRegistryClient(new Uri(endpoint), new DefaultAzureCredential());
var repository = client.GetRepository("contoso/api");
await foreach (var manifest in repository.GetAllManifestPropertiesAsync(ArtifactManifestOrder.LastUpdatedOnDescending))
    Console.WriteLine(string.Join(", ", manifest.Tags));

try { await client.GetArtifact("contoso/api", "nightly").GetTagPropertiesAsync("nightly"); }
catch (RequestFailedException error) when (error.Status == 404) { Console.WriteLine("there is no nightly"); }
\`\`\`

\`\`\`ts
import { ContainerRegistry } from "@effect-acr/client"
import { Console, Effect, Stream } from "effect"

export const program = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  yield* registry
    .manifests("contoso/api", { orderBy: "newest" })
    .pipe(Stream.runForEach(({ tags }) => Console.log(tags.join(", "))))

  yield* registry
    .tagProperties("contoso/api", "nightly")
    .pipe(Effect.catchReason("RegistryError", "NotFound", () => Console.log("there is no nightly")))
})
\`\`\`

\`\`\`text
2.0.1, latest
2.0.0
there is no nightly
\`\`\`

## In short

${summary}

## What behaves differently

- A tag is resolved each time; \`RegistryArtifact\` keeps the digest that it once had.
- What is not there is \`NotFound\`, also for a deletion: catch it, as above.
- Attributes that an update leaves out stay as they are. There is no value to send back as a whole.
- A list comes 999 items at a time, not 100, if [no other size](api/client/ContainerRegistry.md#listoptions) is asked for.
- Tokens are kept by scope and asked for ahead, [so that a read costs one request](tokens.md).
- Transfers go on after a fault, [up](uploads.md) and [down](downloads.md), and no file has its name before it is verified.
- A user name with a password is [a credential too](authentication.md).

## Every member

All that is public in version 1.1.0.
`

const withLink = (member: Row["api"][number]): string => `[${nameOf(member)}](${referenceOf(member)})`

const rowsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<ReadonlyArray<string>> =>
  rows.map(({ api, dotnet, here, test }) => [
    dotnet,
    here,
    api.map(withLink).join(", "),
    `[${test.name}](../${test.file})`
  ])

/** The text of the page. */
export const page: string = [
  introduction,
  ...types.map(([type, rows]) => `\n### ${type}\n\n${table([".NET", "Here", "Reference", "Shown by"], rowsOf(rows))}\n`)
].join("")
