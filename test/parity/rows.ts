/**
 * Every public member of `Azure.Containers.ContainerRegistry` 1.1.0, beside what does the same here and a test that shows
 * it. `docs/from-dotnet.md` and the pages in `docs/from-dotnet` are written from it.
 */
import type { Member } from "./api.ts"

export interface Row {
  readonly dotnet: string
  readonly here: string
  readonly api: readonly [Member, ...ReadonlyArray<Member>]
  /** A file, and the name of a test in it or of several. */
  readonly test: { readonly file: string; readonly name: string }
  /** Whether it is one of those that matter most. */
  readonly inSummary?: boolean
}

/** Where most of it is shown. */
const shownHere = "test/fromDotnet.test.ts"

/** By the types of .NET. */
export const types: ReadonlyArray<readonly [string, ReadonlyArray<Row>]> = [
  [
    "ContainerRegistryClient",
    [
      {
        dotnet: "`new ContainerRegistryClient(endpoint, credential)`",
        here: "`ContainerRegistry.layer({ endpoint })` with `AzureCredentials.layerDefault`",
        api: ["client/ContainerRegistry.layer", "azure-identity/AzureCredentials.layerDefault"],
        test: {
          file: "packages/azure-identity/test/AzureCredentials.test.ts",
          name: "an identity of Entra ID logs in with the first available credential: a service principal in the environment"
        },
        inSummary: true
      },
      {
        dotnet: "`new ContainerRegistryClient(endpoint)`",
        here: "the same with `Credentials.layerAnonymous`",
        api: ["client/Credentials.layerAnonymous"],
        test: { file: "test/requests.test.ts", name: "an anonymous caller lists and reads where everyone may pull" }
      },
      {
        dotnet: "`Endpoint`",
        here: "`registry.endpoint`, `registry.loginServer`",
        api: [
          "client/ContainerRegistry.ContainerRegistry#endpoint",
          "client/ContainerRegistry.ContainerRegistry#loginServer"
        ],
        test: { file: shownHere, name: "a registry knows its address, and the references of what it holds" }
      },
      {
        dotnet: "`Pipeline`",
        here: "`transport.execute(operation)`",
        api: ["client/Transport.Transport#execute"],
        test: { file: shownHere, name: "a registry is asked for what is not wrapped by an operation of one's own" }
      },
      {
        dotnet: "`GetRepositoryNames()`",
        here: "`registry.repositories()`",
        api: ["client/ContainerRegistry.ContainerRegistry#repositories"],
        test: {
          file: "examples/test/registry.test.ts",
          name: "examples of a registry hello-world lists all repositories"
        },
        inSummary: true
      },
      {
        dotnet: "`.AsPages(continuationToken, pageSizeHint)`",
        here: "options of every list: `{ continueFrom, pageSize }`",
        api: ["client/ContainerRegistry.ListOptions#continueFrom", "client/ContainerRegistry.ListOptions#pageSize"],
        test: {
          file: "packages/client/test/paging.test.ts",
          name: "a list passes on page size, order, start and digest"
        }
      },
      {
        dotnet: "`DeleteRepository(name)`",
        here: "`registry.deleteRepository(name)`; its result has `manifests`, `tags`",
        api: [
          "client/ContainerRegistry.ContainerRegistry#deleteRepository",
          "client/ContainerRegistry.DeletedRepository#manifests",
          "client/ContainerRegistry.DeletedRepository#tags"
        ],
        test: { file: shownHere, name: "a repository is deleted, and tells what went with it" }
      },
      {
        dotnet: "`GetRepository(name)`",
        here: "an argument of operations: `registry.repositoryProperties(name)`",
        api: ["client/ContainerRegistry.ContainerRegistry#repositoryProperties"],
        test: { file: shownHere, name: "a repository tells its properties" }
      },
      {
        dotnet: "`GetArtifact(name, tagOrDigest)`",
        here: "arguments of operations; as a reference: `registry.reference(name, tagOrDigest)`",
        api: ["client/ContainerRegistry.ContainerRegistry#reference"],
        test: { file: shownHere, name: "a registry knows its address, and the references of what it holds" }
      },
      {
        dotnet: "`…Async`, `CancellationToken`",
        here: "operations of `ContainerRegistry` are effects or streams: interrupt the fiber",
        api: ["client/ContainerRegistry.ContainerRegistry"],
        test: { file: "test/requests.test.ts", name: "a list that is interrupted asks for nothing more" }
      }
    ]
  ],
  [
    "ContainerRegistryClientOptions",
    [
      {
        dotnet: "`ServiceVersion.V2021_07_01`",
        here: "the only one: `ContainerRegistry.layer` sends it",
        api: ["client/ContainerRegistry.layer"],
        test: { file: shownHere, name: "a registry is asked in version 2021-07-01 of its API" }
      },
      {
        dotnet: "`Audience`",
        here: "`AzureCredentials.layerDefaultOptions({ cloud })`",
        api: ["azure-identity/AzureCredentials.layerDefaultOptions"],
        test: {
          file: "packages/azure-identity/test/AzureCloud.test.ts",
          name: "AZURE_AUTHORITY_HOST counts for less than what the program says"
        }
      },
      {
        dotnet: "`Retry`",
        here: "`ContainerRegistry.layer({ endpoint, retry })`",
        api: ["client/Transport.Options#retry"],
        test: {
          file: "packages/client/test/retry.test.ts",
          name: "the policy by default retries five times, with growing waits of at most ten seconds"
        }
      },
      {
        dotnet: "`Transport`",
        here: "any `HttpClient`; `NodeRegistryHttpClient.layerOptions({ ca, connections })`",
        api: ["node/NodeRegistryHttpClient.layerOptions"],
        test: {
          file: "packages/node/test/NodeRegistryHttpClient.test.ts",
          name: "connections are no more at a time than was said"
        }
      }
    ]
  ],
  [
    "ContainerRegistryAudience",
    [
      {
        dotnet: "`AzureResourceManagerPublicCloud`",
        here: "`AzureCloud.publicCloud`",
        api: ["azure-identity/AzureCloud.publicCloud"],
        test: { file: "packages/azure-identity/test/AzureCloud.test.ts", name: "on the wire" }
      },
      {
        dotnet: "`AzureResourceManagerChina`",
        here: "`AzureCloud.china`",
        api: ["azure-identity/AzureCloud.china"],
        test: { file: "packages/azure-identity/test/AzureCloud.test.ts", name: "on the wire" }
      },
      {
        dotnet: "`AzureResourceManagerGovernment`",
        here: "`AzureCloud.usGovernment`",
        api: ["azure-identity/AzureCloud.usGovernment"],
        test: { file: "packages/azure-identity/test/AzureCloud.test.ts", name: "on the wire" }
      },
      {
        dotnet: "`AzureResourceManagerGermany` (closed), any string",
        here: "`AzureCloud.custom({ … })`",
        api: ["azure-identity/AzureCloud.custom"],
        test: {
          file: "packages/azure-identity/test/AzureCloud.test.ts",
          name: "a cloud that is custom includes a whole host"
        }
      }
    ]
  ],
  [
    "ContainerRepository",
    [
      {
        dotnet: "`Name`",
        here: "`name` of its properties",
        api: ["client/RepositoryProperties.RepositoryProperties#name"],
        test: { file: shownHere, name: "a repository tells its properties" }
      },
      {
        dotnet: "`RegistryEndpoint`",
        here: "`registry.endpoint`",
        api: ["client/ContainerRegistry.ContainerRegistry#endpoint"],
        test: { file: shownHere, name: "a registry knows its address, and the references of what it holds" }
      },
      {
        dotnet: "`GetProperties()`",
        here: "`registry.repositoryProperties(name)`",
        api: ["client/ContainerRegistry.ContainerRegistry#repositoryProperties"],
        test: { file: shownHere, name: "a repository tells its properties" }
      },
      {
        dotnet: "`UpdateProperties(value)`",
        here: "`registry.updateRepository(name, { canWrite: false })`",
        api: ["client/ContainerRegistry.ContainerRegistry#updateRepository"],
        test: { file: shownHere, name: "a repository is locked, and says so" }
      },
      {
        dotnet: "`GetAllManifestProperties(order)`",
        here: '`registry.manifests(name, { orderBy: "newest" })`',
        api: ["client/ContainerRegistry.ContainerRegistry#manifests"],
        test: {
          file: shownHere,
          name: "manifests are listed by the time of their last change, either way, or by name"
        },
        inSummary: true
      },
      {
        dotnet: "`GetArtifact(tagOrDigest)`",
        here: "an argument of operations; as a reference: `registry.reference(name, tagOrDigest)`",
        api: ["client/ContainerRegistry.ContainerRegistry#reference"],
        test: { file: shownHere, name: "a registry knows its address, and the references of what it holds" }
      },
      {
        dotnet: "`Delete()`",
        here: "`registry.deleteRepository(name)`",
        api: ["client/ContainerRegistry.ContainerRegistry#deleteRepository"],
        test: { file: "test/requests.test.ts", name: "a lock keeps a repository, until it is taken off" }
      }
    ]
  ],
  [
    "RegistryArtifact",
    [
      {
        dotnet: "`FullyQualifiedReference`",
        here: "`registry.reference(name, tagOrDigest)`, formatted by `Reference.format`",
        api: ["client/ContainerRegistry.ContainerRegistry#reference", "client/Reference.format"],
        test: { file: shownHere, name: "a registry knows its address, and the references of what it holds" }
      },
      {
        dotnet: "`RegistryEndpoint`, `RepositoryName`",
        here: "`registry.endpoint`; the name is your argument, and `repositoryName` of results",
        api: [
          "client/ContainerRegistry.ContainerRegistry#endpoint",
          "client/ManifestProperties.ManifestProperties#repositoryName"
        ],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`GetManifestProperties()`",
        here: "`registry.manifestProperties(name, tagOrDigest)`",
        api: ["client/ContainerRegistry.ContainerRegistry#manifestProperties"],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`UpdateManifestProperties(value)`",
        here: "`registry.updateManifest(name, tagOrDigest, { canDelete: false })`",
        api: ["client/ContainerRegistry.ContainerRegistry#updateManifest"],
        test: { file: shownHere, name: "manifests are locked by tag or by digest, and say so" }
      },
      {
        dotnet: "`GetAllTagProperties(order)`",
        here: "`registry.tags(name, options)` with `digest`, `orderBy`; all tags without a digest",
        api: ["client/ContainerRegistry.ContainerRegistry#tags", "client/ContainerRegistry.ListTagsOptions#digest"],
        test: { file: shownHere, name: "tags of one manifest are listed alone" }
      },
      {
        dotnet: "`GetTagPropertiesCollection(order)`",
        here: "the same: `registry.tags(name, { orderBy })`",
        api: ["client/ContainerRegistry.ContainerRegistry#tags"],
        test: { file: shownHere, name: "tags of one manifest are listed alone" }
      },
      {
        dotnet: "`GetTagProperties(tag)`",
        here: "`registry.tagProperties(name, tag)`",
        api: ["client/ContainerRegistry.ContainerRegistry#tagProperties"],
        test: { file: shownHere, name: "tags tell their properties" }
      },
      {
        dotnet: "`UpdateTagProperties(tag, value)`",
        here: "`registry.updateTag(name, tag, { canDelete: false })`",
        api: ["client/ContainerRegistry.ContainerRegistry#updateTag"],
        test: { file: shownHere, name: "tags are locked, and say so" },
        inSummary: true
      },
      {
        dotnet: "`DeleteTag(tag)`",
        here: "`registry.deleteTag(name, tag)`, which returns the digest",
        api: ["client/ContainerRegistry.ContainerRegistry#deleteTag"],
        test: { file: shownHere, name: "tags are deleted, and leave their manifest" },
        inSummary: true
      },
      {
        dotnet: "`Delete()`",
        here: "`registry.deleteManifest(name, tagOrDigest)`; each call resolves a tag again",
        api: ["client/ContainerRegistry.ContainerRegistry#deleteManifest"],
        test: { file: shownHere, name: "manifests are deleted by tag or by digest, with all their tags" },
        inSummary: true
      }
    ]
  ],
  [
    "ContainerRegistryContentClient",
    [
      {
        dotnet: "`new …(endpoint, repository, credential)`",
        here: "`RegistryContent.layer({ endpoint })`, for all repositories",
        api: ["client/RegistryContent.layer"],
        test: {
          file: "packages/azure-identity/test/AzureCredentials.test.ts",
          name: "an identity of Entra ID logs in with a client secret"
        }
      },
      {
        dotnet: "`new …(endpoint, repository)`",
        here: "the same with `Credentials.layerAnonymous`",
        api: ["client/Credentials.layerAnonymous"],
        test: { file: "test/requests.test.ts", name: "an anonymous caller lists and reads where everyone may pull" }
      },
      {
        dotnet: "`Endpoint`, `RepositoryName`, `Pipeline`",
        here: "`content.endpoint`; the name is an argument; `transport.execute(operation)`",
        api: ["client/RegistryContent.RegistryContent#endpoint", "client/Transport.Transport#execute"],
        test: { file: shownHere, name: "a registry is asked for what is not wrapped by an operation of one's own" }
      },
      {
        dotnet: "`UploadBlob(BinaryData)`",
        here: "`content.uploadBlob(name, source)` with `fromBytes`, `fromString`",
        api: [
          "client/RegistryContent.RegistryContent#uploadBlob",
          "client/BlobSource.fromBytes",
          "client/BlobSource.fromString"
        ],
        test: { file: shownHere, name: "content goes up from bytes, a stream and a file, to one digest" }
      },
      {
        dotnet: "`UploadBlob(Stream)`, a file",
        here: "`content.uploadBlob(name, source)` with `BlobSource.fromFile(path)`",
        api: ["client/RegistryContent.RegistryContent#uploadBlob", "client/BlobSource.fromFile"],
        test: { file: shownHere, name: "content goes up from bytes, a stream and a file, to one digest" },
        inSummary: true
      },
      {
        dotnet: "`UploadBlob(Stream)`",
        here: "`content.uploadBlob(name, source)` with `fromStream`, `fromRepeatableStream`",
        api: [
          "client/RegistryContent.RegistryContent#uploadBlob",
          "client/BlobSource.fromStream",
          "client/BlobSource.fromRepeatableStream"
        ],
        test: { file: shownHere, name: "content goes up from bytes, a stream and a file, to one digest" }
      },
      {
        dotnet: "`DownloadBlobContent(digest)`",
        here: "`content.blobBytes(name, digest)`",
        api: ["client/RegistryContent.RegistryContent#blobBytes"],
        test: { file: shownHere, name: "content comes down into memory, as a stream, and into a file" }
      },
      {
        dotnet: "`DownloadBlobStreaming(digest)`",
        here: "`content.blob(name, digest)`, a stream",
        api: ["client/RegistryContent.RegistryContent#blob"],
        test: { file: shownHere, name: "content comes down into memory, as a stream, and into a file" }
      },
      {
        dotnet: "`DownloadBlobTo(digest, stream)`",
        here: "`content.blob(name, digest)`, run into any sink",
        api: ["client/RegistryContent.RegistryContent#blob"],
        test: { file: shownHere, name: "content comes down into memory, as a stream, and into a file" }
      },
      {
        dotnet: "`DownloadBlobTo(digest, path)`",
        here: "`content.downloadBlob(name, digest, path)`; a file gets its name once it is verified",
        api: ["client/RegistryContent.RegistryContent#downloadBlob"],
        test: {
          file: "test/transfers.test.ts",
          name: "a download into a file never gives wrong content its final name"
        },
        inSummary: true
      },
      {
        dotnet: "`DeleteBlob(digest)`",
        here: "`content.deleteBlob(name, digest)`",
        api: ["client/RegistryContent.RegistryContent#deleteBlob"],
        test: { file: shownHere, name: "content that is deleted is gone" }
      },
      {
        dotnet: "`GetManifest(tagOrDigest)`",
        here: "`content.manifest(name, tagOrDigest)`",
        api: ["client/RegistryContent.RegistryContent#manifest"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      },
      {
        dotnet: "`SetManifest(OciImageManifest, tag)`",
        here: "`content.putManifest(name, manifest, { tag })`",
        api: ["client/RegistryContent.RegistryContent#putManifest", "client/RegistryContent.PutManifestOptions#tag"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        },
        inSummary: true
      },
      {
        dotnet: "`SetManifest(BinaryData, tag, mediaType)`",
        here: "`content.putManifest(name, bytes, options)` with `tag`, `mediaType`",
        api: [
          "client/RegistryContent.RegistryContent#putManifest",
          "client/RegistryContent.PutManifestOptions#mediaType"
        ],
        test: { file: shownHere, name: "content of another type goes up as the bytes that it is" }
      },
      {
        dotnet: "`DeleteManifest(digest)`",
        here: "`content.deleteManifest(name, tagOrDigest)`",
        api: ["client/RegistryContent.RegistryContent#deleteManifest"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      }
    ]
  ],
  [
    "ContainerRepositoryProperties",
    [
      {
        dotnet: "`CanDelete`, `CanList`, `CanRead`, `CanWrite`",
        here: "`canDelete`, `canList`, `canRead`, `canWrite`",
        api: [
          "client/RepositoryProperties.RepositoryProperties#canDelete",
          "client/RepositoryProperties.RepositoryProperties#canList",
          "client/RepositoryProperties.RepositoryProperties#canRead",
          "client/RepositoryProperties.RepositoryProperties#canWrite"
        ],
        test: { file: shownHere, name: "a repository is locked, and says so" }
      },
      {
        dotnet: "`CreatedOn`, `LastUpdatedOn`",
        here: "`createdOn`, `lastUpdatedOn`, as `DateTime.Utc`",
        api: [
          "client/RepositoryProperties.RepositoryProperties#createdOn",
          "client/RepositoryProperties.RepositoryProperties#lastUpdatedOn"
        ],
        test: { file: shownHere, name: "a repository tells its properties" }
      },
      {
        dotnet: "`ManifestCount`, `TagCount`",
        here: "`manifestCount`, `tagCount`",
        api: [
          "client/RepositoryProperties.RepositoryProperties#manifestCount",
          "client/RepositoryProperties.RepositoryProperties#tagCount"
        ],
        test: { file: shownHere, name: "a repository tells its properties" }
      },
      {
        dotnet: "`Name`, `RegistryLoginServer`",
        here: "`name`, `registryLoginServer`",
        api: [
          "client/RepositoryProperties.RepositoryProperties#name",
          "client/RepositoryProperties.RepositoryProperties#registryLoginServer"
        ],
        test: { file: shownHere, name: "a repository tells its properties" }
      }
    ]
  ],
  [
    "ArtifactManifestProperties",
    [
      {
        dotnet: "`CanDelete`, `CanList`, `CanRead`, `CanWrite`",
        here: "`canDelete`, `canList`, `canRead`, `canWrite`",
        api: [
          "client/ManifestProperties.ManifestProperties#canDelete",
          "client/ManifestProperties.ManifestProperties#canList",
          "client/ManifestProperties.ManifestProperties#canRead",
          "client/ManifestProperties.ManifestProperties#canWrite"
        ],
        test: { file: shownHere, name: "manifests are locked by tag or by digest, and say so" }
      },
      {
        dotnet: "`Architecture`, `OperatingSystem`",
        here: "`architecture`, `operatingSystem`",
        api: [
          "client/ManifestProperties.ManifestProperties#architecture",
          "client/ManifestProperties.ManifestProperties#operatingSystem"
        ],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`CreatedOn`, `LastUpdatedOn`",
        here: "`createdOn`, `lastUpdatedOn`, as `DateTime.Utc`",
        api: [
          "client/ManifestProperties.ManifestProperties#createdOn",
          "client/ManifestProperties.ManifestProperties#lastUpdatedOn"
        ],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`Digest`, `RepositoryName`, `RegistryLoginServer`",
        here: "`digest`, `repositoryName`, `registryLoginServer`",
        api: [
          "client/ManifestProperties.ManifestProperties#digest",
          "client/ManifestProperties.ManifestProperties#repositoryName",
          "client/ManifestProperties.ManifestProperties#registryLoginServer"
        ],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`SizeInBytes`, `Tags`",
        here: "`sizeInBytes`, `tags`; besides them `mediaType`, `configMediaType`",
        api: [
          "client/ManifestProperties.ManifestProperties#sizeInBytes",
          "client/ManifestProperties.ManifestProperties#tags",
          "client/ManifestProperties.ManifestProperties#mediaType",
          "client/ManifestProperties.ManifestProperties#configMediaType"
        ],
        test: { file: shownHere, name: "manifests tell their properties" }
      },
      {
        dotnet: "`RelatedArtifacts`",
        here: "`relatedArtifacts`",
        api: ["client/ManifestProperties.ManifestProperties#relatedArtifacts"],
        test: { file: shownHere, name: "manifests of several platforms tell of each" }
      }
    ]
  ],
  [
    "ArtifactManifestPlatform",
    [
      {
        dotnet: "`Digest`, `Architecture`, `OperatingSystem`",
        here: "`digest`, `architecture`, `operatingSystem`",
        api: [
          "client/ManifestProperties.RelatedArtifact#digest",
          "client/ManifestProperties.RelatedArtifact#architecture",
          "client/ManifestProperties.RelatedArtifact#operatingSystem"
        ],
        test: { file: shownHere, name: "manifests of several platforms tell of each" }
      }
    ]
  ],
  [
    "ArtifactTagProperties",
    [
      {
        dotnet: "`CanDelete`, `CanList`, `CanRead`, `CanWrite`",
        here: "`canDelete`, `canList`, `canRead`, `canWrite`",
        api: [
          "client/TagProperties.TagProperties#canDelete",
          "client/TagProperties.TagProperties#canList",
          "client/TagProperties.TagProperties#canRead",
          "client/TagProperties.TagProperties#canWrite"
        ],
        test: { file: shownHere, name: "tags are locked, and say so" }
      },
      {
        dotnet: "`CreatedOn`, `LastUpdatedOn`",
        here: "`createdOn`, `lastUpdatedOn`, as `DateTime.Utc`",
        api: ["client/TagProperties.TagProperties#createdOn", "client/TagProperties.TagProperties#lastUpdatedOn"],
        test: { file: shownHere, name: "tags tell their properties" }
      },
      {
        dotnet: "`Name`, `Digest`",
        here: "`name`, `digest`",
        api: ["client/TagProperties.TagProperties#name", "client/TagProperties.TagProperties#digest"],
        test: { file: shownHere, name: "tags tell their properties" }
      },
      {
        dotnet: "`RepositoryName`, `RegistryLoginServer`",
        here: "`repositoryName`, `registryLoginServer`",
        api: [
          "client/TagProperties.TagProperties#repositoryName",
          "client/TagProperties.TagProperties#registryLoginServer"
        ],
        test: { file: shownHere, name: "tags tell their properties" }
      }
    ]
  ],
  [
    "ArtifactManifestOrder, ArtifactTagOrder",
    [
      {
        dotnet: "`None`",
        here: "no `orderBy`: by name",
        api: ["client/ContainerRegistry.OrderedListOptions#orderBy"],
        test: { file: shownHere, name: "tags are listed by the time of their last change, either way, or by name" }
      },
      {
        dotnet: "`LastUpdatedOnDescending`",
        here: '`{ orderBy: "newest" }`',
        api: ["client/ContainerRegistry.OrderedListOptions#orderBy"],
        test: { file: shownHere, name: "tags are listed by the time of their last change, either way, or by name" }
      },
      {
        dotnet: "`LastUpdatedOnAscending`",
        here: '`{ orderBy: "oldest" }`',
        api: ["client/ContainerRegistry.OrderedListOptions#orderBy"],
        test: { file: shownHere, name: "manifests are listed by the time of their last change, either way, or by name" }
      }
    ]
  ],
  [
    "ArtifactArchitecture, ArtifactOperatingSystem",
    [
      {
        dotnet: "`I386`, `Amd64`, `Arm`, `Arm64`, `RiscV64`, `S390X`, `Wasm`",
        here: "`architecture`, a string: `386`, `amd64`, `arm` …",
        api: ["client/ManifestProperties.ManifestProperties#architecture"],
        test: {
          file: "packages/client/test/ManifestProperties.test.ts",
          name: "a manifest's record of an image is read to the last field"
        }
      },
      {
        dotnet: "`Mips`, `MipsLe`, `Mips64`, `Mips64Le`, `Ppc64`, `Ppc64Le`",
        here: "`architecture`: `mips`, `ppc64le` …",
        api: ["client/ManifestProperties.ManifestProperties#architecture"],
        test: {
          file: "packages/client/test/ManifestProperties.test.ts",
          name: "a manifest's record of an image is read to the last field"
        }
      },
      {
        dotnet: "`Aix`, `Android`, `Darwin`, `FreeBsd`, `iOS`, `Linux`, `Windows`",
        here: "`operatingSystem`, a string: `aix`, `linux`, `windows` …",
        api: ["client/ManifestProperties.ManifestProperties#operatingSystem"],
        test: {
          file: "packages/client/test/ManifestProperties.test.ts",
          name: "a manifest's record of an image is read to the last field"
        }
      },
      {
        dotnet: "`Dragonfly`, `Illumos`, `JS`, `NetBsd`, `OpenBsd`, `Plan9`, `Solaris`",
        here: "`operatingSystem`: `dragonfly`, `illumos` …",
        api: ["client/ManifestProperties.ManifestProperties#operatingSystem"],
        test: {
          file: "packages/client/test/ManifestProperties.test.ts",
          name: "a manifest's record of an image is read to the last field"
        }
      }
    ]
  ],
  [
    "ManifestMediaType",
    [
      {
        dotnet: "`OciImageManifest`",
        here: "`MediaType.ociImageManifest`",
        api: ["client/MediaType.ociImageManifest"],
        test: {
          file: "packages/client/test/MediaType.test.ts",
          name: "a media type of the specifications is spelled as there"
        }
      },
      {
        dotnet: "`DockerManifest`",
        here: "`MediaType.dockerManifest`",
        api: ["client/MediaType.dockerManifest"],
        test: {
          file: "packages/client/test/MediaType.test.ts",
          name: "a media type of the specifications is spelled as there"
        }
      },
      {
        dotnet: "from a string, to a string",
        here: "`MediaType.parse(text)`; it is a string",
        api: ["client/MediaType.parse"],
        test: {
          file: "packages/client/test/MediaType.test.ts",
          name: "a media type has a type and a subtype that begin with a letter or a digit"
        }
      }
    ]
  ],
  [
    "OciImageManifest",
    [
      {
        dotnet: "`new OciImageManifest(schemaVersion)`",
        here: "`Manifest.image({ config, layers })`",
        api: ["client/Manifest.image"],
        test: {
          file: "packages/client/test/Manifest.test.ts",
          name: "a new manifest of an image is written as compact JSON"
        }
      },
      {
        dotnet: "`SchemaVersion`, `Configuration`, `Layers`, `Annotations`",
        here: "`schemaVersion`, `config`, `layers`, `annotations`",
        api: [
          "client/Manifest.ImageManifest#schemaVersion",
          "client/Manifest.ImageManifest#config",
          "client/Manifest.ImageManifest#layers",
          "client/Manifest.ImageManifest#annotations"
        ],
        test: {
          file: "packages/client/test/Manifest.test.ts",
          name: "a manifest of an image has all of its fields, and unknown ones at any depth"
        }
      },
      {
        dotnet: "(no members)",
        here: "`mediaType`, `artifactType`, `subject`",
        api: [
          "client/Manifest.ImageManifest#mediaType",
          "client/Manifest.ImageManifest#artifactType",
          "client/Manifest.ImageManifest#subject"
        ],
        test: {
          file: "packages/client/test/Manifest.test.ts",
          name: "a manifest of an image has all of its fields, and unknown ones at any depth"
        }
      }
    ]
  ],
  [
    "OciDescriptor",
    [
      {
        dotnet: "`Digest`, `MediaType`, `SizeInBytes`, `Annotations`",
        here: "`digest`, `mediaType`, `size`, `annotations`",
        api: [
          "client/Descriptor.Descriptor#digest",
          "client/Descriptor.Descriptor#mediaType",
          "client/Descriptor.Descriptor#size",
          "client/Descriptor.Descriptor#annotations"
        ],
        test: {
          file: "packages/client/test/Descriptor.test.ts",
          name: "a descriptor has the fields of the specification, and keeps unknown ones at any depth"
        }
      },
      {
        dotnet: "(no members)",
        here: "`urls`, `data`, `platform`, `artifactType`",
        api: [
          "client/Descriptor.Descriptor#urls",
          "client/Descriptor.Descriptor#data",
          "client/Descriptor.Descriptor#platform",
          "client/Descriptor.Descriptor#artifactType"
        ],
        test: {
          file: "packages/client/test/Descriptor.test.ts",
          name: "a descriptor has the fields of the specification, and keeps unknown ones at any depth"
        }
      }
    ]
  ],
  [
    "OciAnnotations",
    [
      {
        dotnet: "`Authors`",
        here: "`annotations[Annotations.authors]`",
        api: ["client/Annotations.authors"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`CreatedOn`",
        here: "`annotations[Annotations.created]`",
        api: ["client/Annotations.created"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Description`",
        here: "`annotations[Annotations.description]`",
        api: ["client/Annotations.description"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Documentation`",
        here: "`annotations[Annotations.documentation]`",
        api: ["client/Annotations.documentation"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Licenses`",
        here: "`annotations[Annotations.licenses]`",
        api: ["client/Annotations.licenses"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Name`",
        here: "`annotations[Annotations.refName]`",
        api: ["client/Annotations.refName"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Revision`",
        here: "`annotations[Annotations.revision]`",
        api: ["client/Annotations.revision"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Source`",
        here: "`annotations[Annotations.source]`",
        api: ["client/Annotations.source"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Title`",
        here: "`annotations[Annotations.title]`",
        api: ["client/Annotations.title"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Url`",
        here: "`annotations[Annotations.url]`",
        api: ["client/Annotations.url"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Vendor`",
        here: "`annotations[Annotations.vendor]`",
        api: ["client/Annotations.vendor"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`Version`",
        here: "`annotations[Annotations.version]`",
        api: ["client/Annotations.version"],
        test: {
          file: "packages/client/test/Annotations.test.ts",
          name: "annotations of the specification are spelled as there"
        }
      },
      {
        dotnet: "`AdditionalProperties`",
        here: "any other key of `Annotations`",
        api: ["client/Annotations.Annotations"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      }
    ]
  ],
  [
    "Results",
    [
      {
        dotnet: "`UploadRegistryBlobResult.Digest`, `.SizeInBytes`",
        here: "the descriptor that `content.uploadBlob` returns: `digest`, `size`",
        api: [
          "client/RegistryContent.RegistryContent#uploadBlob",
          "client/Descriptor.Descriptor#digest",
          "client/Descriptor.Descriptor#size"
        ],
        test: { file: shownHere, name: "content goes up from bytes, a stream and a file, to one digest" }
      },
      {
        dotnet: "`DownloadRegistryBlobResult.Digest`, `.Content`",
        here: "the bytes that `content.blobBytes` returns; the digest is your argument",
        api: ["client/RegistryContent.RegistryContent#blobBytes"],
        test: { file: shownHere, name: "content comes down into memory, as a stream, and into a file" }
      },
      {
        dotnet: "`DownloadRegistryBlobStreamingResult.Digest`",
        here: "the digest that you pass to `content.blob`",
        api: ["client/RegistryContent.RegistryContent#blob"],
        test: { file: shownHere, name: "content comes down into memory, as a stream, and into a file" }
      },
      {
        dotnet: "`…StreamingResult.Content`, `.Dispose()`",
        here: "the stream `content.blob` closes its connection in the end",
        api: ["client/RegistryContent.RegistryContent#blob"],
        test: {
          file: "test/transfers.test.ts",
          name: "a download of 64 MiB of which only the first bytes are taken closes its connection"
        }
      },
      {
        dotnet: "`GetManifestResult.Digest`, `.MediaType`",
        here: "`descriptor` of the result of `content.manifest`",
        api: ["client/Manifest.Content#descriptor", "client/RegistryContent.RegistryContent#manifest"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      },
      {
        dotnet: "`GetManifestResult.Manifest`",
        here: "`bytes`, and their parsed form: `manifest`",
        api: ["client/Manifest.Content#bytes", "client/Manifest.Content#manifest"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      },
      {
        dotnet: "`SetManifestResult.Digest`",
        here: "the descriptor that `content.putManifest` returns: `digest`",
        api: ["client/RegistryContent.RegistryContent#putManifest", "client/Descriptor.Descriptor#digest"],
        test: {
          file: shownHere,
          name: "content is an image by a manifest, which goes up, comes down as it went, and is deleted"
        }
      }
    ]
  ],
  [
    "ContainerRegistryModelFactory",
    [
      {
        dotnet: "`ContainerRepositoryProperties(…)`",
        here: "`RepositoryProperties.make(…)`",
        api: ["client/RepositoryProperties.RepositoryProperties"],
        test: { file: shownHere, name: "models are made without a registry" }
      },
      {
        dotnet: "`ArtifactManifestProperties(…)`",
        here: "`ManifestProperties.make(…)`",
        api: ["client/ManifestProperties.ManifestProperties"],
        test: { file: shownHere, name: "models are made without a registry" }
      },
      {
        dotnet: "`ArtifactManifestPlatform(…)`",
        here: "`RelatedArtifact.make(…)`",
        api: ["client/ManifestProperties.RelatedArtifact"],
        test: { file: shownHere, name: "models are made without a registry" }
      },
      {
        dotnet: "`ArtifactTagProperties(…)`",
        here: "`TagProperties.make(…)`",
        api: ["client/TagProperties.TagProperties"],
        test: { file: shownHere, name: "models are made without a registry" }
      },
      {
        dotnet: "`UploadRegistryBlobResult(…)`",
        here: "plain values, or the emulator: `AcrEmulator.layer()`",
        api: ["emulator/AcrEmulator.layer"],
        test: {
          file: "packages/emulator/test/content.test.ts",
          name: "a manifest comes back as it was pushed, by tag and by digest"
        }
      },
      {
        dotnet: "`DownloadRegistryBlobResult(…)`",
        here: "plain values, or the emulator: `AcrEmulator.layer()`",
        api: ["emulator/AcrEmulator.layer"],
        test: {
          file: "packages/emulator/test/content.test.ts",
          name: "a manifest comes back as it was pushed, by tag and by digest"
        }
      },
      {
        dotnet: "`GetManifestResult(…)`",
        here: "plain values, or the emulator: `AcrEmulator.layer()`",
        api: ["emulator/AcrEmulator.layer"],
        test: {
          file: "packages/emulator/test/content.test.ts",
          name: "a manifest comes back as it was pushed, by tag and by digest"
        }
      },
      {
        dotnet: "`SetManifestResult(…)`",
        here: "plain values, or the emulator: `AcrEmulator.layer()`",
        api: ["emulator/AcrEmulator.layer"],
        test: {
          file: "packages/emulator/test/content.test.ts",
          name: "a manifest comes back as it was pushed, by tag and by digest"
        }
      }
    ]
  ],
  [
    "RequestFailedException",
    [
      {
        dotnet: "`Status`, `ErrorCode`, `Message`",
        here: "`reason` of the `RegistryError`; `response` has the status and all errors",
        api: [
          "client/RegistryError.RegistryError",
          "client/RegistryError.RegistryError#reason",
          "client/RegistryError.RegistryError#response"
        ],
        test: { file: shownHere, name: "a registry tells why it refuses: status, code, message" },
        inSummary: true
      }
    ]
  ]
]
