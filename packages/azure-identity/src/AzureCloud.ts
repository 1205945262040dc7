/**
 * The clouds of Azure: the public one and the national ones. Each cloud has its own authority, its own audience of
 * tokens and its own login servers. A token of one cloud is not valid in another.
 *
 * Every layer of `AzureCredentials` takes a `cloud`. It defaults to the cloud of `AZURE_AUTHORITY_HOST`, as for Azure's
 * own tools.
 *
 * @since 0.1.0
 */
import * as Credentials from "@effect-acr/client/Credentials"
import { dual } from "effect/Function"

/**
 * A cloud: its authority, the audience of its tokens, and its login servers.
 *
 * @category models
 * @since 0.1.0
 */
export interface AzureCloud {
  /** Its name in the Azure CLI: `AzureCloud`, `AzureChinaCloud`, `AzureUSGovernment`. */
  readonly name: string
  /** The authority where Microsoft Entra ID issues tokens: `https://login.microsoftonline.com`. */
  readonly authorityHost: string
  /** The audience of tokens: `https://containerregistry.azure.net`. */
  readonly audience: string
  /** The login servers that tokens are sent to. An entry that begins with a dot is a suffix, others are whole names. */
  readonly loginServers: ReadonlyArray<string>
}

/**
 * The public cloud. The audience of tokens is Azure Container Registry itself, which every registry accepts.
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
 * Azure operated by 21Vianet in China. The audience of tokens is Azure Resource Manager.
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
 * Azure Government of the United States. The audience of tokens is Azure Resource Manager.
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
 * The public cloud, and those of China and the US Government.
 *
 * @category clouds
 * @since 0.1.0
 */
export const all: ReadonlyArray<AzureCloud> = [publicCloud, china, usGovernment]

/**
 * Makes a custom cloud.
 *
 * **When to use**
 *
 * Use for an Azure that is separate from the known clouds, and for a registry with a custom domain.
 *
 * **Example** (A registry with a custom domain)
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

/** Other names of the authorities. */
const otherAuthorities: { readonly [authorityHost: string]: AzureCloud } = {
  "https://login.windows.net": publicCloud,
  "https://login.partner.microsoftonline.cn": china,
  "https://login.usgovcloudapi.net": usGovernment
}

/**
 * Finds a cloud by its name or by its authority host, with or without a scheme. Returns undefined if there is none.
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
 * Returns whether a login server, with or without a port, belongs to a cloud.
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

/** Variables often hold the address without a scheme, or with a slash at its end. */
const originOf = (address: string): string => {
  const complete = address.includes("://") ? address : `https://${address}`
  return URL.canParse(complete) ? new URL(complete).origin : address
}
