/**
 * Identities of Microsoft Entra ID, through `@azure/identity`.
 *
 * Each layer acquires tokens for one cloud, and only for registries of that cloud: a registry of another cloud is
 * refused before a token is requested. `@azure/identity` caches the tokens. They are requested when the registry's own
 * refresh token has expired, a few times a day. A claims challenge of the registry (continuous access evaluation) is
 * sent to Entra ID with the next request for a token. Interrupting an operation aborts the request.
 *
 * Operations fail with `CredentialUnavailable` if there is no token. Its `credential` names the class of
 * `@azure/identity`, its `problem` distinguishes a credential that is not configured from one that failed, and
 * `passedOver` has the reasons of all members of a chain.
 *
 * | Layer                    | For                                                                        |
 * | ------------------------ | -------------------------------------------------------------------------- |
 * | `layerDefault`           | one program on Azure, in CI and on a developer's machine                   |
 * | `layerManagedIdentity`   | a machine, container or function of Azure                                  |
 * | `layerWorkloadIdentity`  | a pod in Kubernetes with a federated service account                       |
 * | `layerAzureCli`          | scripts that people run after `az login`                                   |
 * | `layerClientSecret`      | a service principal with a secret                                          |
 * | `layerClientCertificate` | a service principal with a certificate                                     |
 * | `layerTokenCredential`   | any other credential of `@azure/identity`, or your own `TokenCredential`   |
 *
 * @since 0.1.0
 */
import type { HttpClient } from "@azure/core-rest-pipeline"
import type * as Identity from "@azure/identity"
import * as Credentials from "@effect-acr/client/Credentials"
import { CredentialUnavailable } from "@effect-acr/client/RegistryError"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as AzureCloud from "./AzureCloud.ts"
import * as Abortable from "./internal/abortable.ts"
import * as Failure from "./internal/failure.ts"

/**
 * Options of all layers. Each layer adds those of its identity.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The cloud of the identity and of the registries. Defaults to the cloud of `AZURE_AUTHORITY_HOST`, or else to the
   * public cloud. An authority host that no known cloud has is used with the audience and login servers of the public
   * cloud.
   */
  readonly cloud?: AzureCloud.AzureCloud
}

/** The authority of a credential, and the HTTP client for its requests. */
interface Settings {
  readonly authorityHost: string
  /** Skips the lookup of an authority in Microsoft's own list, which does not have it. */
  readonly disableInstanceDiscovery: boolean
  readonly httpClient: HttpClient
}

const cloudOf = (options: Options): Config.Config<AzureCloud.AzureCloud> =>
  options.cloud !== undefined
    ? Config.succeed(options.cloud)
    : Config.map(
        Config.option(Config.NonEmptyString("AZURE_AUTHORITY_HOST")),
        Option.match({
          onNone: () => AzureCloud.publicCloud,
          onSome: (authorityHost) =>
            AzureCloud.find(authorityHost) ?? AzureCloud.custom({ ...AzureCloud.publicCloud, authorityHost })
        })
      )

/** A registry of another cloud must not receive the token. */
const checkCloud = (
  credential: string,
  cloud: AzureCloud.AzureCloud,
  loginServer: string
): Effect.Effect<void, CredentialUnavailable> => {
  if (AzureCloud.holds(cloud, loginServer)) return Effect.void
  const other = AzureCloud.all.find((known) => AzureCloud.holds(known, loginServer))
  const advice =
    other === undefined
      ? "set cloud to its cloud, or to a custom one with this login server"
      : `it belongs to ${other.name}: set cloud to that one, or AZURE_AUTHORITY_HOST to ${other.authorityHost}`
  return Effect.fail(
    new CredentialUnavailable({
      credential,
      problem: "NotConfigured",
      description: `${loginServer} is not a registry of ${cloud.name} (${cloud.loginServers.join(", ")}); ${advice}`
    })
  )
}

/** A credential of `@azure/identity`, and the secrets that its errors must not show. */
interface Source {
  /** The name of the class. */
  readonly name: string
  readonly make: (settings: Settings) => Promise<Identity.TokenCredential>
  readonly secrets?: ReadonlyArray<Redacted.Redacted<string>>
}

/**
 * Loads `@azure/identity` with the first token. It takes longer to load than the rest of this package, and a program
 * whose login comes from elsewhere never needs it.
 */
const loadIdentity = () => import("@azure/identity")

/** Caches a result. Calls during the first attempt share it, and a failed attempt is repeated by the next call. */
const once = <A>(make: () => Promise<A>): (() => Promise<A>) => {
  let made: Promise<A> | undefined
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    }))
}

const layerOf = (options: Options, source: Source): Layer.Layer<Credentials.Credentials, Config.ConfigError> =>
  Layer.effect(
    Credentials.Credentials,
    Effect.map(cloudOf(options), (cloud) => {
      const { name, secrets = [] } = source
      const { httpClient, run } = Abortable.make()
      const settings = {
        authorityHost: cloud.authorityHost,
        disableInstanceDiscovery: AzureCloud.find(cloud.authorityHost) === undefined,
        httpClient
      }
      // Made with the first token, because some constructors fail if a variable is missing.
      const made = once(() => source.make(settings))
      return {
        perRegistry: true,
        get: ({ claims, loginServer }) =>
          checkCloud(name, cloud, loginServer).pipe(
            Effect.andThen(
              Effect.tryPromise({
                try: (abortSignal) =>
                  run(abortSignal, async () => {
                    const credential = await made()
                    return credential.getToken(`${cloud.audience}/.default`, {
                      // Tokens that may be revoked early live longer. The same capability with and without claims means
                      // one cache for both.
                      enableCae: true,
                      ...(claims === undefined ? {} : { claims }),
                      abortSignal
                    })
                  }),
                catch: (error) => Failure.fromError(name, error, secrets)
              })
            ),
            Effect.flatMap((token) =>
              token === null
                ? Effect.fail(
                    new CredentialUnavailable({
                      credential: name,
                      problem: "NotConfigured",
                      description: "it has no token"
                    })
                  )
                : Effect.succeed<Credentials.Credential>({
                    _tag: "EntraToken",
                    token: Redacted.make(token.token, { label: "Entra token" }),
                    loginServers: cloud.loginServers,
                    source: name
                  })
            )
          )
      }
    })
  )

/**
 * `layerDefault` with options.
 *
 * **Example** (A user-assigned managed identity on Azure, and the developer's login elsewhere)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 *
 * const Login = AzureCredentials.layerDefaultOptions({
 *   managedIdentityClientId: "00000000-0000-0000-0000-000000000001"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDefaultOptions = (
  options: Options & {
    /** The tenant, for the credentials that accept one. Each credential defaults to its own tenant. */
    readonly tenantId?: string
    /** The client id of the user-assigned managed identity. Defaults to `AZURE_CLIENT_ID`. */
    readonly managedIdentityClientId?: string
    /** The client id of the workload identity. Defaults to `AZURE_CLIENT_ID`. */
    readonly workloadIdentityClientId?: string
  } = {}
): Layer.Layer<Credentials.Credentials, Config.ConfigError> => {
  const { cloud: _, ...identity } = options
  return layerOf(options, {
    name: "DefaultAzureCredential",
    make: async (settings) => new (await loadIdentity()).DefaultAzureCredential({ ...identity, ...settings })
  })
}

/**
 * Logs in with the first available of these: a service principal in the environment, a workload identity, a managed
 * identity, the login of Visual Studio Code, the Azure CLI, Azure PowerShell, the Azure Developer CLI.
 *
 * **When to use**
 *
 * Use if the same program runs on Azure and on a developer's machine. If it runs in one place only, the layer of that
 * identity fails sooner and with a clearer error.
 *
 * **Details**
 *
 * `DefaultAzureCredential` of `@azure/identity`. `AZURE_TOKEN_CREDENTIALS` limits it to some of them.
 *
 * **Example** (The registry that `REGISTRY_ENDPOINT` names)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistryLive = ContainerRegistry.layerConfig().pipe(
 *   Layer.provide(AzureCredentials.layerDefault),
 *   Layer.provide(NodeRegistryHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDefault: Layer.Layer<Credentials.Credentials, Config.ConfigError> = layerDefaultOptions()

/**
 * `layerAzureCli` with options: another tenant or subscription.
 *
 * **Example** (A script for people who have several tenants)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 *
 * const Login = AzureCredentials.layerAzureCliOptions({ tenantId: "contoso.onmicrosoft.com" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAzureCliOptions = (
  options: Options & {
    /** The tenant. Defaults to that of the selected subscription. */
    readonly tenantId?: string
    /** The subscription, by name or id. Defaults to the selected one. */
    readonly subscription?: string
  } = {}
): Layer.Layer<Credentials.Credentials, Config.ConfigError> => {
  const { cloud: _, ...identity } = options
  return layerOf(options, {
    name: "AzureCliCredential",
    make: async () => new (await loadIdentity()).AzureCliCredential({ ...identity, processTimeoutInMs: 30_000 })
  })
}

/**
 * Logs in with the login of the Azure CLI, in the tenant of the selected subscription.
 *
 * **When to use**
 *
 * Use in scripts that people run after `az login`.
 *
 * **Details**
 *
 * `AzureCliCredential` of `@azure/identity`. `az` times out after 30 seconds. If the operation is interrupted before,
 * `az` runs on until then. It requests tokens from the cloud that `az cloud set` selected.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAzureCli: Layer.Layer<Credentials.Credentials, Config.ConfigError> = layerAzureCliOptions()

/**
 * A managed identity: the system-assigned one, or a user-assigned one by one of its ids.
 *
 * @category options
 * @since 0.1.0
 */
export type ManagedIdentity =
  | {
      /** The client id of a user-assigned identity. Defaults to the system-assigned identity. */
      readonly clientId?: string
      readonly resourceId?: never
      readonly objectId?: never
    }
  | {
      /** The resource id of a user-assigned identity. */
      readonly resourceId: string
      readonly clientId?: never
      readonly objectId?: never
    }
  | {
      /** The object id of a user-assigned identity. */
      readonly objectId: string
      readonly clientId?: never
      readonly resourceId?: never
    }

/**
 * `layerManagedIdentity` with options: a user-assigned identity.
 *
 * **Example** (A user-assigned identity)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 *
 * const Login = AzureCredentials.layerManagedIdentityOptions({
 *   identity: { clientId: "00000000-0000-0000-0000-000000000001" }
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerManagedIdentityOptions = (
  options: Options & {
    /** The identity. Defaults to the system-assigned one. */
    readonly identity?: ManagedIdentity
  } = {}
): Layer.Layer<Credentials.Credentials, Config.ConfigError> =>
  layerOf(options, {
    name: "ManagedIdentityCredential",
    make: async ({ httpClient }) => {
      const { ManagedIdentityCredential } = await loadIdentity()
      const identity = options.identity ?? {}
      if ("resourceId" in identity) return new ManagedIdentityCredential({ ...identity, httpClient })
      return "objectId" in identity
        ? new ManagedIdentityCredential({ ...identity, httpClient })
        : new ManagedIdentityCredential({ ...identity, httpClient })
    }
  })

/**
 * Logs in with the system-assigned managed identity of the machine, container or function that runs the program.
 *
 * **When to use**
 *
 * Use on Azure. For a user-assigned identity, use `layerManagedIdentityOptions`. For a pod with a federated service
 * account, use `layerWorkloadIdentity`.
 *
 * **Details**
 *
 * `ManagedIdentityCredential` of `@azure/identity`. The identity needs the role `AcrPull` or `AcrPush` on the registry,
 * or one of the repository roles if permissions are granted by repository (ACR's documentation, "Entra permissions and
 * role assignments overview").
 *
 * @category layers
 * @since 0.1.0
 */
export const layerManagedIdentity: Layer.Layer<Credentials.Credentials, Config.ConfigError> =
  layerManagedIdentityOptions()

/**
 * `layerWorkloadIdentity` with options. They default to `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
 * `AZURE_FEDERATED_TOKEN_FILE`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWorkloadIdentityOptions = (
  options: Options & {
    /** The tenant of the application. */
    readonly tenantId?: string
    /** The client id of the application. */
    readonly clientId?: string
    /** The file that holds the token of Kubernetes. */
    readonly tokenFilePath?: string
  } = {}
): Layer.Layer<Credentials.Credentials, Config.ConfigError> => {
  const { cloud: _, ...identity } = options
  return layerOf(options, {
    name: "WorkloadIdentityCredential",
    make: async (settings) => new (await loadIdentity()).WorkloadIdentityCredential({ ...identity, ...settings })
  })
}

/**
 * Logs in with a workload identity of Kubernetes: a token in a file, which Entra ID exchanges for one of an
 * application.
 *
 * **Details**
 *
 * `WorkloadIdentityCredential` of `@azure/identity`, with the variables that Azure's webhook for Kubernetes sets.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWorkloadIdentity: Layer.Layer<Credentials.Credentials, Config.ConfigError> =
  layerWorkloadIdentityOptions()

/**
 * Logs in as a service principal with a secret.
 *
 * **When to use**
 *
 * Use where there is no managed or workload identity. `layerDefault` does the same with the variables of the
 * environment.
 *
 * **Details**
 *
 * `ClientSecretCredential` of `@azure/identity`.
 *
 * **Example** (From the environment)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 * import { Config, Effect, Layer } from "effect"
 *
 * const Login = Layer.unwrap(
 *   Effect.map(
 *     Config.all({
 *       tenantId: Config.String("AZURE_TENANT_ID"),
 *       clientId: Config.String("AZURE_CLIENT_ID"),
 *       clientSecret: Config.Redacted("AZURE_CLIENT_SECRET")
 *     }),
 *     AzureCredentials.layerClientSecret
 *   )
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClientSecret = (
  options: Options & {
    /** The tenant of the application. */
    readonly tenantId: string
    /** The client id of the application. */
    readonly clientId: string
    /** The secret of the application. */
    readonly clientSecret: Redacted.Redacted<string>
  }
): Layer.Layer<Credentials.Credentials, Config.ConfigError> =>
  layerOf(options, {
    name: "ClientSecretCredential",
    secrets: [options.clientSecret],
    make: async (settings) =>
      new (await loadIdentity()).ClientSecretCredential(
        options.tenantId,
        options.clientId,
        Redacted.value(options.clientSecret),
        settings
      )
  })

/**
 * Logs in as a service principal with a certificate: a file or a text in PEM, with the private key.
 *
 * **Details**
 *
 * `ClientCertificateCredential` of `@azure/identity`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClientCertificate = (
  options: Options & {
    /** The tenant of the application. */
    readonly tenantId: string
    /** The client id of the application. */
    readonly clientId: string
    /** The certificate with its private key. */
    readonly certificate:
      | {
          /** The path of the file that holds both. */
          readonly path: string
          readonly pem?: never
        }
      | {
          /** The text of both. */
          readonly pem: Redacted.Redacted<string>
          readonly path?: never
        }
    /** The password of the private key, if it is encrypted. */
    readonly password?: Redacted.Redacted<string>
    /** Whether to send the certificate with each request, for applications that trust its subject and issuer. */
    readonly sendCertificateChain?: boolean
  }
): Layer.Layer<Credentials.Credentials, Config.ConfigError> => {
  const { certificate, clientId, password, sendCertificateChain, tenantId } = options
  return layerOf(options, {
    name: "ClientCertificateCredential",
    secrets: [...("pem" in certificate ? [certificate.pem] : []), ...(password === undefined ? [] : [password])],
    make: async (settings) => {
      const { ClientCertificateCredential } = await loadIdentity()
      const details = { ...settings, ...(sendCertificateChain === undefined ? {} : { sendCertificateChain }) }
      const opened = password === undefined ? {} : { certificatePassword: Redacted.value(password) }
      return "pem" in certificate
        ? new ClientCertificateCredential(
            tenantId,
            clientId,
            { certificate: Redacted.value(certificate.pem), ...opened },
            details
          )
        : new ClientCertificateCredential(tenantId, clientId, { certificatePath: certificate.path, ...opened }, details)
    }
  })
}

/**
 * Logs in with any credential of `@azure/identity`, or with your own `TokenCredential`.
 *
 * **Gotchas**
 *
 * The credential has its own authority. `cloud` determines only the audience of tokens and the registries that receive
 * them.
 *
 * **Example** (Tokens that another program keeps up to date)
 *
 * ```ts
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 *
 * export const layerFrom = (read: () => Promise<string>) =>
 *   AzureCredentials.layerTokenCredential({
 *     getToken: async () => ({ token: await read(), expiresOnTimestamp: Date.now() + 5 * 60 * 1000 })
 *   })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTokenCredential = (
  credential: Identity.TokenCredential,
  options: Options = {}
): Layer.Layer<Credentials.Credentials, Config.ConfigError> =>
  layerOf(options, { name: credential.constructor.name, make: () => Promise.resolve(credential) })
