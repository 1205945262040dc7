/**
 * All scenarios of the guide, in its order: those of the guide of the .NET library, then those of our own users.
 */
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as TransportModule from "@effect-acr/client/Transport"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { AzureCredentials } from "@effect-acr/azure-identity"
import { AcrEmulator } from "@effect-acr/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { connectProxy, refusing } from "../../packages/node/test/support/connectProxy.ts"
import { adminUser, explained, failing, type Scenario } from "./scenario.ts"

const { Transport } = TransportModule

const properties = (repository: string) =>
  Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties(repository))

/** Makes a conversation with an endpoint, which is refused. */
const connecting = (endpoint: string) =>
  Effect.flip(
    TransportModule.make({ endpoint }).pipe(Effect.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer]))
  )

/** Requests something from an endpoint that does not answer as a registry would. It fails without a retry. */
const unreachable = (endpoint: string, options?: NodeRegistryHttpClient.Options) =>
  Effect.flip(
    Transport.use(({ authorize }) => authorize(["registry:catalog:*"])).pipe(
      Effect.provide(TransportModule.layer({ endpoint })),
      Effect.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layerOptions(options)])
    )
  )

const putTag = Effect.flatMap(RegistryContent, (content) =>
  content.putManifest("library/hello-world", "{}", { mediaType: "application/json", tag: "latest" })
)

const upload = (source: BlobSource.BlobSource) =>
  Effect.flatMap(RegistryContent, (content) => content.uploadBlob("library/hello-world", source))

export const scenarios: ReadonlyArray<Scenario> = [
  {
    title: "Repository not found",
    why: "The name is wrong, the repository was deleted, or the identity has no permission to see it.",
    remedy:
      'List the repositories with `registry.repositories()`. To continue without the object, catch the reason: `Effect.catchReason("RegistryError", "NotFound", …)`. Its `resource` says what is missing.',
    reason: "NotFound",
    says: ["NAME_UNKNOWN"],
    run: failing(properties("library/helo-world"))
  },
  {
    title: "Tag not found",
    why: "The tag was never pushed, or it was deleted.",
    remedy: "List the tags with `registry.tags(repository)`.",
    reason: "NotFound",
    says: ["MANIFEST_UNKNOWN"],
    run: failing(Effect.flatMap(RegistryContent, (content) => content.manifest("library/hello-world", "v9")))
  },
  {
    title: "No credentials found",
    why: "Every credential of the chain was skipped. The error says why for each of them, also as data: `passedOver`.",
    remedy:
      "Set up one of them: `az login`, the variables that the error names, or `docker login`. For public content, end the chain with `Credentials.layerAnonymous`.",
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
    why: "The effect that was passed to `Credentials.layerEntra` failed, or a class of `@azure/identity` did. Nothing was sent to the registry.",
    remedy: "Look at the `cause` of the reason, or at the message of Entra ID: its codes begin with `AADSTS`.",
    reason: "CredentialUnavailable",
    says: ["no token could be acquired from Entra ID"],
    run: failing(properties("library/hello-world"), {
      credentials: Credentials.layerEntra(Effect.fail("no network"), { loginServers: ["127.0.0.1"] })
    })
  },
  {
    title: "The registry refuses tokens of Azure Resource Manager",
    why: "The token was requested with the audience of Azure Resource Manager, and `authentication-as-arm` is disabled on the registry.",
    remedy:
      "Request `Credentials.entraScope` (`https://containerregistry.azure.net/.default`), as the layers of `AzureCredentials` do.",
    reason: "Unauthenticated",
    says: ["arm aad token disallowed"],
    run: failing(properties("library/hello-world"), {
      faults: [explained(401, "UNAUTHORIZED", "arm aad token disallowed", { path: "/oauth2/exchange" })]
    })
  },
  {
    title: "The registry needs a login",
    why: "The program has no credentials, and the registry does not allow anonymous pull, which ACR has in the tiers Standard and Premium. `missing` says which permission the request needs.",
    remedy: "Provide credentials, or enable anonymous pull (`az acr update --anonymous-pull-enabled`).",
    reason: "Unauthenticated",
    says: ["https://aka.ms/acr/authorization"],
    run: failing(properties("library/hello-world"), { credentials: Credentials.layerAnonymous })
  },
  {
    title: "A role is missing",
    why: "The registry knows the identity, but the identity has no role there, or one with too few permissions.",
    remedy:
      "Assign a role: `AcrPull` to read, `AcrPush` to write, `AcrDelete` to delete; on a registry that grants rights by repository `Container Registry Repository Reader`, `Writer` and `Contributor`.",
    reason: "Forbidden",
    says: ["retrieving permissions failed"],
    run: failing(properties("library/hello-world"), {
      faults: [explained(403, "DENIED", "retrieving permissions failed", { path: "/oauth2/token" })]
    })
  },
  {
    title: "Blocked by the firewall of the registry",
    why: "The firewall of the registry does not allow the IP address of the client.",
    remedy: "Allow the address on the registry, or send the request from an allowed network.",
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
    title: "Upload session lost",
    why: "The registry does not know the session after a fault. The client restarts the upload if its source can be read again (`fromBytes`, `fromFile`, `fromRepeatableStream`). A stream that runs once cannot.",
    remedy: "Pass a source that can be read again, or retry the upload with a new stream.",
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
    why: "`canDelete` or `canWrite` of the tag, its manifest or its repository is false. ACR answers the same to a push when its storage is full.",
    remedy: "Unlock it: `registry.updateTag(repository, tag, { canDelete: true })`.",
    reason: "Locked",
    says: ["disallowed"],
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
    title: "A tag is immutable",
    why: "The tag exists, and a rule of the registry prevents overwriting it. Amazon ECR, Docker Hub, Google Artifact Registry and Harbor have such rules, and answer with different statuses.",
    remedy: "Push another tag, or change the rule. `by` of the reason distinguishes a rule from a lock.",
    reason: "Locked",
    says: ["immutable"],
    run: failing(putTag, {
      faults: [
        explained(
          400,
          "TAG_INVALID",
          "The image tag 'latest' already exists in the 'library/hello-world' repository and cannot be overwritten because the tag is immutable.",
          { method: "PUT" }
        )
      ]
    })
  },
  {
    title: "The registry does not support deletes",
    why: "The registry does not implement the request, or its operators disabled it. GitHub, Docker Hub and a `registry` without `REGISTRY_STORAGE_DELETE_ENABLED` do not delete manifests by this API.",
    remedy: "Enable it on the registry, or use the registry's own interface.",
    reason: "Unsupported",
    says: ["UNSUPPORTED"],
    run: failing(
      Effect.flatMap(RegistryContent, (content) =>
        content.deleteManifest("library/hello-world", `sha256:${"0".repeat(64)}`)
      ),
      { faults: [explained(405, "UNSUPPORTED", "The operation is unsupported.", { method: "DELETE" })] }
    )
  },
  {
    title: "The registry is not Azure Container Registry",
    why: "`ContainerRegistry` is the management API of Azure Container Registry (`/acr/v1`), which no other registry has.",
    remedy:
      "Use the operation of `RegistryContent` that the error names. `RegistryContent` works with every registry; properties and locks are ACR's alone.",
    reason: "Unsupported",
    says: ["management API of Azure Container Registry", "RegistryContent.repositories"],
    run: failing(
      Effect.flatMap(ContainerRegistry, (registry) => Stream.runDrain(registry.repositories())),
      {
        faults: [
          {
            times: 100,
            consequence: {
              _tag: "Answer",
              status: 404,
              headers: { "Content-Type": "text/plain; charset=utf-8" },
              body: "404 page not found\n"
            }
          }
        ]
      }
    )
  },
  {
    title: "A scope-map token lacks a permission",
    why: "The scope map of the token does not allow the action on the repository. `missing` names both.",
    remedy: "Add the action to the scope map: `az acr scope-map update`.",
    reason: "Forbidden",
    says: ["missing: delete on repository library/hello-world"],
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
    why: "The user name or the password is wrong, the admin user is disabled, or the token has expired.",
    remedy: "Log in again. The client runs a credential helper a second time before it fails with this error.",
    reason: "Unauthenticated",
    says: [],
    run: failing(properties("library/hello-world"), {
      credentials: Credentials.layerPassword({ ...adminUser, password: Redacted.make("of-yesterday") })
    })
  },
  {
    title: "A scope names all repositories of a registry with ABAC",
    why: "A registry with attribute-based access control (ABAC) grants permissions by repository.",
    remedy: 'Name the repositories: `transport.authorize(names.map((name) => TokenScope.repository(name, "pull")))`.',
    reason: "InvalidRequest",
    says: ["repository:*:pull", "ABAC"],
    run: failing(
      Effect.flatMap(Transport, ({ authorize }) => authorize(["repository:*:pull"])),
      { emulator: { roleAssignmentMode: "rbac-abac" } }
    )
  },
  {
    title: "Too many requests (429)",
    why: "The registry answered 429 to each attempt of the retry policy, or asks for a longer wait than `maxRetryAfter` allows.",
    remedy:
      "Set `rateLimits` to the limits of the registry's tier, lower the concurrency, or allow more retries in `retry`. `retryAfter` of the error says how long the registry asks to wait.",
    reason: "Throttled",
    says: ["TOOMANYREQUESTS", "asks to wait 2m"],
    run: failing(properties("library/hello-world"), {
      faults: [
        {
          path: "/acr/v1/",
          times: 100,
          consequence: {
            _tag: "Answer",
            status: 429,
            headers: { "Content-Type": "application/json", "Retry-After": "120" },
            body: JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "too many requests" }] })
          }
        }
      ]
    })
  },
  {
    title: "The endpoint contains a repository",
    why: "The endpoint is the address of the registry. Repositories are arguments of operations.",
    remedy: "Remove the path.",
    reason: "InvalidRequest",
    says: ["expected a registry's login server"],
    run: connecting("myregistry.azurecr.io/library/hello-world")
  },
  {
    title: "The endpoint is plain http",
    why: "Others on the network could read the credentials, so the client accepts plain http only for addresses of this machine.",
    remedy: "Use https. On a network that you trust, set `allowInsecureHttp`.",
    reason: "InvalidRequest",
    says: ["allowInsecureHttp"],
    run: connecting("http://registry.example:5000")
  },
  {
    title: "The token service of the registry is on another host",
    why: "The challenge names a token service on another host, which may not belong to the registry.",
    remedy: 'If it belongs to the registry, trust it: `trustedRealms: ["https://auth.example.com"]`.',
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
    title: "Redirect into a private network",
    why: "A redirect or an upload location names an address in the network of the program: a metadata service, or a machine of the private network.",
    remedy: 'If the registry is set up like that, allow the host: `allowedHosts: ["10.0.0.5"]`.',
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
    title: "Connection refused",
    why: "The registry is not running, or listens on another port. The client does not retry, because nothing has answered at the address yet. Once the registry has answered, the client retries a refused connection.",
    remedy:
      "Start the registry, and compare the port: the emulator prints its own. To wait until a registry has started, retry the operation while `error.isRetryable`.",
    reason: "Unavailable",
    says: ["ECONNREFUSED", "not retried"],
    run: unreachable("http://127.0.0.1:1")
  },
  {
    title: "The registry does not speak TLS",
    why: "An endpoint without a scheme means https, and the emulator speaks http. The client does not retry, because a retry would not help.",
    remedy:
      'Write the scheme: `REGISTRY_ENDPOINT=http://127.0.0.1:5001`. References have no scheme: for them, set `Registries.layerOptions({ registries: { "127.0.0.1:5001": { endpoint: "http://127.0.0.1:5001" } } })`.',
    reason: "Unavailable",
    says: ["does not speak TLS", "begins with http://"],
    run: Effect.flatMap(AcrEmulator.AcrEmulator, ({ loginServer }) => unreachable(loginServer)).pipe(
      Effect.provide(AcrEmulator.layer())
    )
  },
  {
    title: "The registry's certificate is not trusted",
    why: "An authority that Node does not know, such as a private CA, signed the certificate. `code` distinguishes this from a certificate that has expired (`CERT_HAS_EXPIRED`) or is for another host (`ERR_TLS_CERT_ALTNAME_INVALID`). The client does not retry, because a retry would not help.",
    remedy: "Trust the authority with `NodeRegistryHttpClient.layerOptions({ ca })`, or with `NODE_EXTRA_CA_CERTS`.",
    reason: "Unavailable",
    says: ["certificate"],
    run: Effect.flatMap(AcrEmulator.AcrEmulator, ({ endpoint }) => unreachable(endpoint)).pipe(
      Effect.provide(AcrEmulator.layer({ https: true }))
    )
  },
  {
    title: "The proxy requires a login",
    why: "The environment (`HTTPS_PROXY`) or the option `proxy` of `NodeRegistryHttpClient` names a proxy that answers 407. A proxy that forbids the host answers 403, one that cannot connect to it 502 or 503; only the latter are retried.",
    remedy:
      "Add the login to the URL of the proxy, in percent-encoding: `http://user:password@proxy.example:3128`. The client sends it to the proxy only. If the registry needs no proxy, add its host to `NO_PROXY`.",
    reason: "Refused",
    says: ["the proxy", "requires a login (407)"],
    run: Effect.scoped(
      Effect.flatMap(connectProxy({ answers: refusing(407) }), ({ host }) =>
        unreachable("myregistry.azurecr.io", { proxy: { url: host } })
      )
    )
  },
  {
    title: "Invalid name",
    why: "The client checks names before it sends anything. The error names the refused argument, and shows its value unless that may be a secret.",
    remedy:
      "Write repositories in lower case, tags with at most 128 characters, and digests as `sha256:` and 64 digits.",
    reason: "InvalidRequest",
    says: ["Expected a repository name"],
    run: failing(properties("Library/Hello"))
  }
]
