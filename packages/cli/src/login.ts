/**
 * Which login is used: that of docker, or else that of Azure for its registries, or else none.
 */
import * as AzureCredentials from "@effect-acr/azure-identity/AzureCredentials"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import * as Transport from "@effect-acr/client/Transport"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as Effect from "effect/Effect"

/** The logins in the order in which they are tried. */
const candidates = [
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

/** The conversation with a registry. Nothing is sent. */
export const conversation = (registry: string) => Effect.provide(Transport.Transport, Registries.layerFor(registry))

/** Tries the logins in order, and says what became of each. */
export const attempts = (request: Credentials.CredentialRequest) =>
  Effect.map(
    Credentials.attempts(
      request,
      candidates.map(({ layer }) => layer)
    ),
    (all) => candidates.flatMap(({ name }, index) => (all[index] === undefined ? [] : [{ name, attempt: all[index] }]))
  )
