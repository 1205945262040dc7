/**
 * Identities of Microsoft Entra ID, by way of `@azure/identity`.
 *
 * Each layer gets tokens for one cloud, and only for registries of that cloud: a registry anywhere else is refused
 * before a token is asked for. Tokens are kept by `@azure/identity`, and asked for when the registry's own refresh token
 * has run out, a few times a day. A claims challenge of the registry (continuous access evaluation) goes to Entra ID with
 * the next request for a token. Interrupting an operation aborts the request.
 *
 * Operations fail with `CredentialUnavailable` if there is no token: its `credential` names the class of
 * `@azure/identity`, its `problem` tells what is not set up from what failed, and `passedOver` has the reasons of all
 * members of a chain.
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
 * What all layers take. Each adds what its identity needs.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The cloud to get tokens from and for. If it is not given, that of `AZURE_AUTHORITY_HOST`, else the public one; an
   * authority host that no known cloud has stands for the public cloud's.
   */
  readonly cloud?: AzureCloud.AzureCloud
}

/** How a credential is told which authority to ask, and with what. */
interface Settings {
  readonly authorityHost: string
  /** An authority that Microsoft's own list does not hold is not looked up there. */
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

/** A registry of another cloud would be shown a token that is none of its business. */
const checkCloud = (
  credential: string,
  cloud: AzureCloud.AzureCloud,
  loginServer: string
): Effect.Effect<void, CredentialUnavailable> => {
  if (AzureCloud.holds(cloud, loginServer)) return Effect.void
  const other = AzureCloud.all.find((known) => AzureCloud.holds(known, loginServer))
  const advice =
    other === undefined
      ? "name its cloud, or a custom one that holds this login server"
      : `that is one of ${other.name}: choose this cloud, or set AZURE_AUTHORITY_HOST to ${other.authorityHost}`
  return Effect.fail(
    new CredentialUnavailable({
      credential,
      problem: "NotConfigured",
      description: `${loginServer} is not a registry of ${cloud.name} (${cloud.loginServers.join(", ")}); ${advice}`
    })
  )
}

/** What `@azure/identity` has to be told, and what it may not tell. */
interface Source {
  /** The name of the class. */
  readonly name: string
  readonly make: (settings: Settings) => Promise<Identity.TokenCredential>
  readonly secrets?: ReadonlyArray<Redacted.Redacted<string>>
}

/**
 * Loads `@azure/identity` with the first token. It takes longer to load than the rest of this package, and a program whose
 * login comes from elsewhere never needs it.
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
      // Some constructors fail where a variable is missing, so that the credential is made when it is needed.
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
                      // Tokens that may be revoked before their time live longer, and are asked for with the same
                      // capability whether there are claims or not, so that both come from one cache.
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
 * Whatever of these there is: a service principal in the environment, a workload identity, a managed identity, the login
 * of Visual Studio Code, the Azure CLI, Azure PowerShell, the Azure Developer CLI.
 *
 * **Details**
 *
 * `@azure/identity`, `DefaultAzureCredential`; `AZURE_TOKEN_CREDENTIALS` chooses among them.
 *
 * **Example** (A managed identity that a user assigned, and whoever is logged in elsewhere)
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
    /** The tenant to ask, of those that can be told one; each asks its own if not given. */
    readonly tenantId?: string
    /** The client id of the managed identity that a user assigned; `AZURE_CLIENT_ID` if not given. */
    readonly managedIdentityClientId?: string
    /** The client id of the workload identity; `AZURE_CLIENT_ID` if not given. */
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
 * `layerDefaultOptions` with nothing set.
 *
 * **Example** (The registry that `REGISTRY_ENDPOINT` names, as whoever is logged in)
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
 * Whoever is logged in to the Azure CLI.
 *
 * **Details**
 *
 * `@azure/identity`, `AzureCliCredential`. `az` is given up after 30 seconds, and goes on until then if the operation is
 * interrupted before. It asks the cloud that it is set to.
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
    /** The tenant to ask; that of the subscription which is selected if not given. */
    readonly tenantId?: string
    /** The subscription, by name or id; the one that is selected if not given. */
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
 * `layerAzureCliOptions` with nothing set: the tenant of the subscription that is selected.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerAzureCli: Layer.Layer<Credentials.Credentials, Config.ConfigError> = layerAzureCliOptions()

/**
 * Which managed identity: the system's own, or one that a user assigned.
 *
 * @category options
 * @since 0.1.0
 */
export type ManagedIdentity =
  | {
      /** The client id of one that a user assigned; the system's own if not given. */
      readonly clientId?: string
      readonly resourceId?: never
      readonly objectId?: never
    }
  | {
      /** The resource id of one that a user assigned. */
      readonly resourceId: string
      readonly clientId?: never
      readonly objectId?: never
    }
  | {
      /** The object id of one that a user assigned. */
      readonly objectId: string
      readonly clientId?: never
      readonly resourceId?: never
    }

/**
 * The managed identity of the machine, the container or the function that this runs on.
 *
 * **Details**
 *
 * `@azure/identity`, `ManagedIdentityCredential`. It needs the role `AcrPull` or `AcrPush` on the registry, or one of the
 * repository roles where rights are granted by repository (ACR's documentation, "Entra permissions and role assignments
 * overview").
 *
 * **Example** (An identity that a user assigned)
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
    /** Which one; the system's own if not given. */
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
 * `layerManagedIdentityOptions` with nothing set: the system's own identity.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerManagedIdentity: Layer.Layer<Credentials.Credentials, Config.ConfigError> =
  layerManagedIdentityOptions()

/**
 * The identity of a workload, as Kubernetes gives it one: a token in a file, which stands for an application.
 *
 * **Details**
 *
 * `@azure/identity`, `WorkloadIdentityCredential`. What is not given is taken from `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`
 * and `AZURE_FEDERATED_TOKEN_FILE`.
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
 * `layerWorkloadIdentityOptions` with nothing set: what Azure's webhook for Kubernetes puts into the environment.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWorkloadIdentity: Layer.Layer<Credentials.Credentials, Config.ConfigError> =
  layerWorkloadIdentityOptions()

/**
 * A service principal with a secret.
 *
 * **Details**
 *
 * `@azure/identity`, `ClientSecretCredential`.
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
    /** The application's secret. */
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
 * A service principal with a certificate: the path of a file, or the text, in PEM, with the private key.
 *
 * **Details**
 *
 * `@azure/identity`, `ClientCertificateCredential`.
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
          /** The file that holds them. */
          readonly path: string
          readonly pem?: never
        }
      | {
          /** The text itself. */
          readonly pem: Redacted.Redacted<string>
          readonly path?: never
        }
    /** Opens the private key, if it is locked. */
    readonly password?: Redacted.Redacted<string>
    /** Whether the certificate goes along with each request: for applications that trust its subject and its issuer. */
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
 * Any credential of `@azure/identity`, or one that keeps to its interface.
 *
 * **Gotchas**
 *
 * It knows its authority itself; the cloud says what its tokens are for, and whose registries they are sent to.
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
