/**
 * All scenarios of the guide, in its order: those of the guide of the .NET library, then those of our own users.
 */
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as TransportModule from "@effect-acr/client/Transport"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { AzureCredentials } from "@effect-acr/azure-identity"
import { AcrEmulator } from "@effect-acr/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { adminUser, explained, failing, type Scenario } from "./scenario.ts"

const { Transport } = TransportModule

const properties = (repository: string) =>
  Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties(repository))

/** Makes a conversation with an endpoint, which is refused. */
const connecting = (endpoint: string) =>
  Effect.flip(
    TransportModule.make({ endpoint }).pipe(Effect.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer]))
  )

/** Asks an endpoint that does not answer as a registry would, once. */
const unreachable = (endpoint: string) =>
  Effect.flip(
    Transport.use(({ authorize }) => authorize(["registry:catalog:*"])).pipe(
      Effect.provide(TransportModule.layer({ endpoint, retry: RetryPolicy.never })),
      Effect.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer])
    )
  )

const upload = (source: BlobSource.BlobSource) =>
  Effect.flatMap(RegistryContent, (content) => content.uploadBlob("library/hello-world", source))

export const scenarios: ReadonlyArray<Scenario> = [
  {
    title: "A repository is not there",
    why: "The name is wrong, the repository was deleted, or the identity may not know of it.",
    remedy:
      'List what there is with `registry.repositories()`. To go on where something is missing, catch the reason: `Effect.catchReason("RegistryError", "NotFound", …)`; its `resource` says what is missing.',
    reason: "NotFound",
    says: ["NAME_UNKNOWN"],
    run: failing(properties("library/helo-world"))
  },
  {
    title: "A tag is not there",
    why: "The tag was never pushed, or it was deleted.",
    remedy: "List the tags with `registry.tags(repository)`.",
    reason: "NotFound",
    says: ["MANIFEST_UNKNOWN"],
    run: failing(Effect.flatMap(RegistryContent, (content) => content.manifest("library/hello-world", "v9")))
  },
  {
    title: "No credential is there",
    why: "Every credential of a chain was passed over. The error has the reason of each, also as data: `passedOver`.",
    remedy:
      "Set up one of them: `az login`, the variables that the reason names, `docker login`. For what everyone may see, end the chain with `Credentials.layerAnonymous`.",
    reason: "CredentialUnavailable",
    says: ["REGISTRY_USERNAME", "AZURE_CLIENT_ID"],
    run: failing(properties("library/hello-world"), {
      credentials: Credentials.layerConfig().pipe(
        Credentials.orElse(
          AzureCredentials.layerWorkloadIdentityOptions({
            cloud: {
              name: "AzureCloud",
              authorityHost: "https://login.microsoftonline.com",
              audience: "https://containerregistry.azure.net",
              loginServers: ["127.0.0.1"]
            }
          })
        ),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: {} })))
      )
    })
  },
  {
    title: "A credential fails",
    why: "The effect that was given to `Credentials.layerEntra` failed, or a class of `@azure/identity` did. The registry was not asked.",
    remedy: "Look at the error's `cause`, or at what Entra ID says: its codes begin with `AADSTS`.",
    reason: "CredentialUnavailable",
    says: ["no token could be acquired from Entra ID"],
    run: failing(properties("library/hello-world"), {
      credentials: Credentials.layerEntra(Effect.fail("no network"), { loginServers: ["127.0.0.1"] })
    })
  },
  {
    title: "The registry takes no tokens of Azure Resource Manager",
    why: "The token was asked for with the audience of Azure Resource Manager, and `authentication-as-arm` is disabled on the registry.",
    remedy:
      "Ask for `Credentials.entraScope` (`https://containerregistry.azure.net/.default`), as the layers of `AzureCredentials` do.",
    reason: "Unauthenticated",
    says: ["arm aad token disallowed"],
    run: failing(properties("library/hello-world"), {
      faults: [explained(401, "UNAUTHORIZED", "arm aad token disallowed", { path: "/oauth2/exchange" })]
    })
  },
  {
    title: "Nobody is asked to log in",
    why: "The program asks as nobody, and the registry shows nothing to everyone: anonymous pull is off, or of another tier than Standard and above.",
    remedy: "Provide credentials, or enable anonymous pull (`az acr update --anonymous-pull-enabled`).",
    reason: "Unauthenticated",
    says: ["https://aka.ms/acr/authorization"],
    run: failing(properties("library/hello-world"), { credentials: Credentials.layerAnonymous })
  },
  {
    title: "A role is missing",
    why: "The identity is known and has no role on the registry, or too small a one.",
    remedy:
      "Assign a role: `AcrPull` to read, `AcrPush` to write, `AcrDelete` to delete; on a registry that grants rights by repository `Container Registry Repository Reader`, `Writer` and `Contributor`.",
    reason: "Forbidden",
    says: ["retrieving permissions failed"],
    run: failing(properties("library/hello-world"), {
      faults: [explained(403, "DENIED", "retrieving permissions failed", { path: "/oauth2/token" })]
    })
  },
  {
    title: "A network rule is in the way",
    why: "The registry's firewall does not know the address that the request came from.",
    remedy: "Allow the address on the registry, or come from a network that is allowed.",
    reason: "Forbidden",
    says: ["client with IP '203.0.113.7' is not allowed access", "https://aka.ms/acr/firewall"],
    run: failing(properties("library/hello-world"), {
      faults: [
        explained(
          403,
          "DENIED",
          "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
          { path: "/acr/v1/" }
        )
      ]
    })
  },
  {
    title: "An upload's session is not known any more",
    why: "The registry lost the session after a fault. An upload begins anew by itself where its source can be read again (`fromBytes`, `fromFile`, `fromRepeatableStream`), and nothing is seen of this; a stream that runs once is at its end.",
    remedy: "Give the upload a source that can be read again, or retry it with a new stream.",
    reason: "NotFound",
    says: ["BLOB_UPLOAD_INVALID"],
    run: failing(
      upload(BlobSource.fromStream(Stream.fromIterable(Array.from({ length: 24 }, () => new Uint8Array(1024 * 1024))))),
      {
        faults: [
          {
            ...explained(404, "BLOB_UPLOAD_INVALID", "blob upload invalid", {
              path: "/v2/library/hello-world/blobs/uploads/",
              times: 1000
            }),
            skip: 3
          }
        ]
      }
    )
  },
  {
    title: "A tag is locked",
    why: "`canDelete` or `canWrite` of the tag, its manifest or its repository is false.",
    remedy: "Unlock it: `registry.updateTag(repository, tag, { canDelete: true })`.",
    reason: "Locked",
    says: [],
    run: failing(
      Effect.flatMap(ContainerRegistry, (registry) =>
        Effect.andThen(
          registry.updateTag("library/hello-world", "latest", { canDelete: false }),
          registry.deleteTag("library/hello-world", "latest")
        )
      )
    )
  },
  {
    title: "A scope-map token lacks a right",
    why: "The scope map of the token does not hold the action for the repository.",
    remedy: "Add it to the scope map: `az acr scope-map update`.",
    reason: "Forbidden",
    says: [],
    run: failing(
      Effect.flatMap(ContainerRegistry, (registry) => registry.deleteTag("library/hello-world", "latest")),
      {
        emulator: {
          scopeMapTokens: [
            { ...adminUser, username: "reader", scopeMap: [{ repository: "library/*", actions: ["metadata/read"] }] }
          ]
        },
        credentials: Credentials.layerPassword({ ...adminUser, username: "reader" })
      }
    )
  },
  {
    title: "A password is wrong",
    why: "The user name or the password is, or the admin user is disabled, or the token has expired.",
    remedy: "Log in again. A credential helper is asked once more by itself before this error is seen.",
    reason: "Unauthenticated",
    says: [],
    run: failing(properties("library/hello-world"), {
      credentials: Credentials.layerPassword({ ...adminUser, password: Redacted.make("of-yesterday") })
    })
  },
  {
    title: "A registry that grants rights by repository is asked for all",
    why: "With attribute-based access control (ABAC) no token is for all repositories.",
    remedy: 'Name the repositories: `transport.authorize(names.map((name) => TokenScope.repository(name, "pull")))`.',
    reason: "InvalidRequest",
    says: ["repository:*:pull", "ABAC"],
    run: failing(
      Effect.flatMap(Transport, ({ authorize }) => authorize(["repository:*:pull"])),
      { emulator: { roleAssignmentMode: "rbac-abac" } }
    )
  },
  {
    title: "The registry asks for fewer requests",
    why: "It answered 429 more often than the retry policy has patience, or asks for a longer wait than the policy allows.",
    remedy:
      "Set `rateLimits` to what the registry's tier grants, lower the concurrency, or give `retry` more patience. `retryAfterMillis` of the reason says how long the registry asks to wait.",
    reason: "Throttled",
    says: ["TOOMANYREQUESTS"],
    run: failing(properties("library/hello-world"), {
      faults: [explained(429, "TOOMANYREQUESTS", "too many requests", { path: "/acr/v1/" })]
    })
  },
  {
    title: "The endpoint holds a repository",
    why: "An endpoint is a registry. Repositories are arguments of operations.",
    remedy: "Leave the path away.",
    reason: "InvalidRequest",
    says: ["expected a registry's name"],
    run: connecting("myregistry.azurecr.io/library/hello-world")
  },
  {
    title: "The endpoint is plain http",
    why: "Whoever is on the way could read the credentials, so only addresses of this machine are asked in the clear.",
    remedy: "Use https. On a network that is trusted to the last cable there is `allowInsecureHttp`.",
    reason: "InvalidRequest",
    says: ["allowInsecureHttp"],
    run: connecting("http://registry.example:5000")
  },
  {
    title: "A registry keeps its tokens somewhere else",
    why: "The challenge names a token service on another host, and that might be anybody's.",
    remedy: 'If it is the registry\'s own, name it: `trustedRealms: ["https://auth.example.com"]`.',
    reason: "Refused",
    says: ["https://auth.example.com", "not trusted"],
    run: failing(properties("library/hello-world"), {
      faults: [
        {
          path: "/acr/v1/",
          consequence: {
            _tag: "Headers",
            headers: { "WWW-Authenticate": 'Bearer realm="https://auth.example.com/token",service="registry"' }
          }
        }
      ]
    })
  },
  {
    title: "A registry leads into the own network",
    why: "A redirect or an upload location names an address that only means something where the program runs: a metadata service, a machine of the private network.",
    remedy: 'If that is how the registry is built, name the host: `allowedHosts: ["10.0.0.5"]`.',
    reason: "Refused",
    says: ["link-local"],
    run: failing(
      Effect.flatMap(RegistryContent, (content) =>
        content.blobBytes("library/hello-world", `sha256:${"0".repeat(64)}`)
      ),
      {
        faults: [
          {
            path: "/v2/library/hello-world/blobs/",
            times: 100,
            consequence: {
              _tag: "Answer",
              status: 307,
              headers: { Location: "https://169.254.169.254/latest/meta-data/" }
            }
          }
        ]
      }
    )
  },
  {
    title: "Nothing listens at the endpoint",
    why: "The registry is not running, or on another port. Before this is seen it was tried again for some seconds.",
    remedy: "Start it, and compare the port: the emulator prints its own.",
    reason: "Unavailable",
    says: ["ECONNREFUSED"],
    run: unreachable("http://127.0.0.1:1")
  },
  {
    title: "The registry speaks plain http",
    why: "An endpoint without a scheme means https, and the emulator speaks http.",
    remedy: "Write the scheme: `REGISTRY_ENDPOINT=http://127.0.0.1:5001`.",
    reason: "Unavailable",
    says: ["does not speak TLS", "begins with http://"],
    run: Effect.flatMap(AcrEmulator.AcrEmulator, ({ loginServer }) => unreachable(loginServer)).pipe(
      Effect.provide(AcrEmulator.layer())
    )
  },
  {
    title: "The registry's certificate is not trusted",
    why: "It was signed by an authority that Node does not know: a company's own, or a test's.",
    remedy: "`NodeRegistryHttpClient.layerOptions({ ca })`, or `NODE_EXTRA_CA_CERTS`.",
    reason: "Unavailable",
    says: ["certificate"],
    run: Effect.flatMap(AcrEmulator.AcrEmulator, ({ endpoint }) => unreachable(endpoint)).pipe(
      Effect.provide(AcrEmulator.layer({ https: true }))
    )
  },
  {
    title: "A name breaks the grammar",
    why: "Names are checked before anything is sent.",
    remedy: "Repositories are in lower case; a tag has at most 128 characters; a digest is `sha256:` and 64 digits.",
    reason: "InvalidRequest",
    says: ["Expected a repository name"],
    run: failing(properties("Library/Hello"))
  }
]
