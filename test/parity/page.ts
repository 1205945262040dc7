/**
 * The pages for users of the .NET library: first the members that matter most, then a page for each client class
 * with every member, side by side.
 */
import { table } from "../support/markdown.ts"
import { nameOf, referenceOf } from "./api.ts"
import { type Row, types } from "./rows.ts"

/** A page with all members of some types. */
interface ClassPage {
  readonly file: string
  /** The class that the page is about, whose name is its title. */
  readonly about: string
  readonly summary: string
  readonly types: ReadonlyArray<string>
}

const classPages: ReadonlyArray<ClassPage> = [
  {
    file: "registry-client.md",
    about: "ContainerRegistryClient",
    summary: "the registry, options, clouds, errors and mocks",
    types: [
      "ContainerRegistryClient",
      "ContainerRegistryClientOptions",
      "ContainerRegistryAudience",
      "RequestFailedException",
      "ContainerRegistryModelFactory"
    ]
  },
  {
    file: "repository.md",
    about: "ContainerRepository",
    summary: "a repository, its properties and the order of its lists",
    types: ["ContainerRepository", "ContainerRepositoryProperties", "ArtifactManifestOrder, ArtifactTagOrder"]
  },
  {
    file: "artifact.md",
    about: "RegistryArtifact",
    summary: "manifests, tags and their properties",
    types: [
      "RegistryArtifact",
      "ArtifactManifestProperties",
      "ArtifactManifestPlatform",
      "ArtifactTagProperties",
      "ArtifactArchitecture, ArtifactOperatingSystem"
    ]
  },
  {
    file: "content-client.md",
    about: "ContainerRegistryContentClient",
    summary: "blobs and manifests, up and down, and their models",
    types: [
      "ContainerRegistryContentClient",
      "Results",
      "ManifestMediaType",
      "OciImageManifest",
      "OciDescriptor",
      "OciAnnotations"
    ]
  }
]

const rowsOf = (type: string): ReadonlyArray<Row> => types.find(([name]) => name === type)?.[1] ?? []

/** The members that matter most, by their types. */
const summary: string = types
  .map(([type, rows]) => ({ type, common: rows.filter(({ inSummary }) => inSummary) }))
  .filter(({ common }) => common.length > 0)
  .map(({ common, type }) => {
    const members = common.map(({ dotnet, here }) => [dotnet, here])
    return `### ${type}\n\n${table([".NET", "Here"], members)}`
  })
  .join("\n\n")

const firstPage = `# Coming from Azure.Containers.ContainerRegistry

Two services replace four classes. \`ContainerRegistry\` has the operations of Azure, \`RegistryContent\` has blobs and manifests.
Names are arguments, so there are no objects for repositories and artifacts. Lists are streams, all other operations are
effects, and every failure is one typed error. The programs on this page
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

## Differences in behavior

- Each operation resolves its tag again. \`RegistryArtifact\` keeps the digest that the tag had at first.
- A missing object is \`NotFound\`, also for a deletion: catch it, as above.
- An update changes only the attributes that it names. There is no object to read and send back.
- A list requests 999 items at a time instead of 100. [\`pageSize\`](api/client/ContainerRegistry.md#listoptions) changes that.
- Tokens are cached by scope and requested in advance, [so that a read costs one request](tokens.md).
- Broken transfers resume, [up](uploads.md) and [down](downloads.md), and a file gets its name once it is verified.
- A user name with a password is [a credential too](authentication.md).

## Every member

All public members of version 1.1.0, on one page for each client class:

${classPages.map(({ about, file, summary: of }) => `- [\`${about}\`](from-dotnet/${file}): ${of}`).join("\n")}

## In short

${summary}
`

/** Links of a page, which stand at its end: within a table they would make its lines long. */
interface Links {
  /** The number of a link. */
  readonly to: (target: string) => string
  /** Where the numbers lead. */
  readonly definitions: () => string
}

const makeLinks = (): Links => {
  const targets: Array<string> = []
  return {
    to: (target) => {
      if (!targets.includes(target)) targets.push(target)
      return `[${targets.indexOf(target) + 1}]`
    },
    definitions: () => targets.map((target, index) => `[${index + 1}]: ${target}`).join("\n")
  }
}

/** A text in which the code that names a member leads to the reference. */
const linked = ({ api, here }: Row, links: Links): string => {
  // `layerDefault` before `layer`, which is a part of it.
  const members = api.toSorted((one, other) => nameOf(other).length - nameOf(one).length)
  return here
    .split(/(`[^`]+`)/)
    .map((part) => {
      const member = part.startsWith("`") ? members.find((candidate) => part.includes(nameOf(candidate))) : undefined
      return member === undefined ? part : `[${part}]${links.to(`../${referenceOf(member)}`)}`
    })
    .join("")
}

const rowOf = (row: Row, links: Links): ReadonlyArray<string> => [
  row.dotnet,
  `${linked(row, links)} · [test]${links.to(`../../${row.test.file}`)}`
]

const classPage = ({ about, types: own }: ClassPage): string => {
  const links = makeLinks()
  const tables = own.map((type) => {
    const members = rowsOf(type).map((row) => rowOf(row, links))
    return `## ${type}\n\n${table([".NET", "Here"], members)}`
  })
  return [
    `# ${about}, member by member`,
    "Each member links to the reference and to a test that shows it. The most common members are in\n[coming from .NET](../from-dotnet.md).",
    ...tables,
    links.definitions()
  ].join("\n\n")
}

/** The pages by their paths in `docs`. */
export const pages: ReadonlyMap<string, string> = new Map([
  ["from-dotnet.md", firstPage],
  ...classPages.map((page) => [`from-dotnet/${page.file}`, `${classPage(page)}\n`] as const)
])
