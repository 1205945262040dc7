/**
 * Microsoft Entra ID for `@effect-acr/client`.
 *
 * @since 0.1.0
 */

/** The clouds of Azure. */
export * as AzureCloud from "./AzureCloud.ts"

/** Identities of Microsoft Entra ID. */
export * as AzureCredentials from "./AzureCredentials.ts"
