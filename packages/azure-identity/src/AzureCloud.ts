/**
 * The clouds of Azure. Where identities live, what tokens are for and how login servers are called belong together:
 * each cloud has its own of all three, and a token of one opens nothing in another.
 *
 * Every layer of `AzureCredentials` takes a `cloud`; without one, `AZURE_AUTHORITY_HOST` says which, as it does for
 * Azure's own tools.
 *
 * @since 0.1.0
 */
import * as Credentials from "@effect-acr/client/Credentials"
import { dual } from "effect/Function"

/**
 * A cloud.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureCloud {
  /** The name by which the Azure CLI knows it: `AzureCloud`, `AzureChinaCloud`, `AzureUSGovernment`. */
  readonly name: string
  /** Where Microsoft Entra ID issues tokens: `https://login.microsoftonline.com`. */
  readonly authorityHost: string
  /** What tokens are for: `https://containerregistry.azure.net`. */
  readonly audience: string
  /** Whose registries tokens are sent to: with a dot before it the end of a login server, without one the whole. */
  readonly loginServers: ReadonlyArray<string>
}

/**
 * The public cloud. Tokens are for Azure Container Registry itself, which every registry takes.
 *
 * @category clouds
 * @since 0.1.0
 */
export const publicCloud: AzureCloud = {
  name: "AzureCloud",
  authorityHost: "https://login.microsoftonline.com",
  audience: "https://containerregistry.azure.net",
  loginServers: Credentials.entraLoginServers
}

/**
 * Azure operated by 21Vianet in China. Tokens are for Azure Resource Manager.
 *
 * **Example** (A registry in China)
 *
 * ```ts
 * import { AzureCloud, AzureCredentials } from "@effect-acr/azure-identity"
 *
 * const Login = AzureCredentials.layerDefaultOptions({ cloud: AzureCloud.china })
 * ```
 *
 * @category clouds
 * @since 0.1.0
 */
export const china: AzureCloud = {
  name: "AzureChinaCloud",
  authorityHost: "https://login.chinacloudapi.cn",
  audience: "https://management.chinacloudapi.cn",
  loginServers: [".azurecr.cn"]
}

/**
 * Azure Government of the United States. Tokens are for Azure Resource Manager.
 *
 * @category clouds
 * @since 0.1.0
 */
export const usGovernment: AzureCloud = {
  name: "AzureUSGovernment",
  authorityHost: "https://login.microsoftonline.us",
  audience: "https://management.usgovcloudapi.net",
  loginServers: [".azurecr.us"]
}

/**
 * The public cloud, China's and that of the US Government.
 *
 * @category clouds
 * @since 0.1.0
 */
export const all: ReadonlyArray<AzureCloud> = [publicCloud, china, usGovernment]

/**
 * A cloud of one's own: an Azure that is cut off from the others, or a registry behind a domain of one's own.
 *
 * **Example** (A registry with a domain of its own)
 *
 * ```ts
 * import { AzureCloud } from "@effect-acr/azure-identity"
 *
 * const cloud = AzureCloud.custom({ ...AzureCloud.publicCloud, loginServers: ["registry.contoso.com"] })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (cloud: Omit<AzureCloud, "name">): AzureCloud => ({ ...cloud, name: "custom" })

/** Under which other names the authorities are known. */
const otherAuthorities: { readonly [authorityHost: string]: AzureCloud } = {
  "https://login.windows.net": publicCloud,
  "https://login.partner.microsoftonline.cn": china,
  "https://login.usgovcloudapi.net": usGovernment
}

/**
 * The cloud that has this name or this authority host, with or without a scheme; undefined if none has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const find = (nameOrAuthorityHost: string): AzureCloud | undefined => {
  const origin = originOf(nameOrAuthorityHost)
  return (
    all.find(({ authorityHost, name }) => name === nameOrAuthorityHost || authorityHost === origin) ??
    otherAuthorities[origin]
  )
}

/**
 * Whether a login server, with or without a port, is of a registry of this cloud.
 *
 * @category guards
 * @since 0.1.0
 */
export const holds: {
  (loginServer: string): (cloud: AzureCloud) => boolean
  (cloud: AzureCloud, loginServer: string): boolean
} = dual(2, (cloud: AzureCloud, loginServer: string): boolean =>
  Credentials.isLoginServerOf(loginServer, cloud.loginServers)
)

/** As it is written in many a variable: without a scheme, or with a slash at its end. */
const originOf = (address: string): string => {
  const complete = address.includes("://") ? address : `https://${address}`
  return URL.canParse(complete) ? new URL(complete).origin : address
}
