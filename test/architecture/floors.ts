/**
 * The floors of the source, from the ground up. A file imports from its own part and from the floors under it; the parts
 * of one floor stand side by side and do not know each other.
 */

export interface Part {
  readonly name: string
  readonly about: string
  /** Modules, and folders with all that is in them, under `packages`. */
  readonly holds: ReadonlyArray<string>
}

const client = (...names: ReadonlyArray<string>) => names.map((name) => `client/src/${name}`)

export const floors: ReadonlyArray<ReadonlyArray<Part>> = [
  [
    {
      name: "Nouns",
      about: "names, digests, descriptors and manifests, as schemas",
      holds: client(
        "Digest",
        "Tag",
        "RepositoryName",
        "Reference",
        "MediaType",
        "Platform",
        "Annotations",
        "Descriptor",
        "Manifest",
        "Referrer",
        "ImageConfig",
        "ChangeableAttributes",
        "RepositoryProperties",
        "ManifestProperties",
        "TagProperties",
        "SoftDeleted",
        "Printable",
        "internal/schema",
        "internal/acr"
      )
    }
  ],
  [
    {
      name: "RegistryError",
      about: "the error of all operations, with a reason to act on",
      holds: client("RegistryError")
    }
  ],
  [
    {
      name: "HTTP",
      about: "operations as data, requests, retries and responses",
      holds: client(
        "Operation",
        "TokenScope",
        "RetryPolicy",
        "RateLimits",
        "Outbound",
        "ScopedHttpClient",
        "internal/http"
      )
    }
  ],
  [
    {
      name: "APIs",
      about: "ACR's management API and OCI distribution, each a table of operations",
      holds: client("internal/api")
    },
    {
      name: "Authentication",
      about: "credentials, the challenges of a registry, and tokens",
      holds: client("Credentials", "internal/auth")
    }
  ],
  [
    {
      name: "Transport",
      about: "authenticated requests to one registry",
      holds: client("Transport")
    }
  ],
  [
    {
      name: "Transfer",
      about: "uploads and downloads of blobs",
      holds: client("BlobSource", "Compression", "Content", "Hasher", "internal/transfer")
    }
  ],
  [
    {
      name: "Services",
      about: "the services that programs use, one for each API",
      holds: client(
        "ContainerRegistry",
        "RegistryContent",
        "Registry",
        "Registries",
        "index",
        "Runtime",
        "internal/content"
      )
    }
  ],
  [
    {
      name: "@effect-acr/artifacts",
      about: "artifacts as graphs, in any store, and copies between stores",
      holds: ["artifacts/src"]
    },
    {
      name: "@effect-acr/node",
      about: "HTTP, hashing and compression on Node, and the logins of container tools",
      holds: ["node/src"]
    },
    {
      name: "@effect-acr/azure-identity",
      about: "credentials of Entra ID",
      holds: ["azure-identity/src"]
    }
  ],
  [
    {
      name: "@effect-acr/emulator",
      about: "an emulated registry, with a client for tests",
      holds: ["emulator/src"]
    },
    {
      name: "@effect-acr/migration",
      about: "migrations of registries and layouts by rules, which continue after a kill",
      holds: ["migration/src"]
    }
  ],
  [
    {
      name: "Command",
      about: "the command, with a verb for each task",
      holds: ["cli/src"]
    }
  ]
]

/** `effect/http` may change with any minor version of Effect, so few files import it: these. */
export const importersOfHttp: ReadonlyArray<string> = [
  "cli/src/requests",
  ...client(
    "ContainerRegistry",
    "Operation",
    "Registries",
    "Registry",
    "RegistryContent",
    "ScopedHttpClient",
    "Transport",
    "internal/api/distribution",
    "internal/api/management",
    "internal/auth/oauth",
    "internal/http/body",
    "internal/http/exchange",
    "internal/http/retryAfter",
    "internal/transfer/download",
    "internal/transfer/upload"
  ),
  "emulator/src/AcrEmulator",
  "emulator/src/Control",
  "emulator/src/ControlApi",
  "emulator/src/internal/control/guard",
  "emulator/src/internal/control/page",
  "emulator/src/internal/listener",
  "migration/src/internal/cluster/runners",
  "migration/src/StatusPage",
  "migration/src/internal/status/guard",
  "node/src/NodeRegistryHttpClient",
  "node/src/internal/guardedAgents",
  "node/src/internal/undiciBody",
  "node/src/internal/undiciClient",
  "node/src/internal/undiciResponse"
]
