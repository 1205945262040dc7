/**
 * Which login is used: that of docker, or else that of Azure for its registries, or else none.
 */
import * as AzureCredentials from "@effect-acr/azure-identity/AzureCredentials"
import * as Credentials from "@effect-acr/client/Credentials"
import * as DockerConfig from "@effect-acr/node/DockerConfig"

/** The logins in the order in which they are tried. */
export const candidates = [
  { name: "docker", layer: DockerConfig.layer },
  { name: "azure", layer: AzureCredentials.layerDefault },
  { name: "anonymous", layer: Credentials.layerAnonymous }
] as const

export const layer = DockerConfig.layer.pipe(
  Credentials.orElse(AzureCredentials.layerDefault),
  Credentials.orElse(Credentials.layerAnonymous)
)

/** Without Azure, whose login takes seconds where a user does not wait for them. */
export const withoutAzure = DockerConfig.layer.pipe(Credentials.orElse(Credentials.layerAnonymous))
