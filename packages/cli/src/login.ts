/**
 * The login for a registry: that of docker, else that of Azure for registries of Azure, else none.
 */
import * as AzureCloud from "@effect-acr/azure-identity/AzureCloud"
import * as AzureCredentials from "@effect-acr/azure-identity/AzureCredentials"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import * as Transport from "@effect-acr/client/Transport"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WrongCall } from "./problem.ts"

/** The library's name for the login of Azure. */
const azureName = "DefaultAzureCredential"

/** The logins in the order in which they are tried. */
const candidates = [
  { name: "docker", layer: DockerConfig.layer },
  { name: "azure", layer: AzureCredentials.layerDefault },
  { name: "anonymous", layer: Credentials.layerAnonymous }
] as const

/** Whether a registry belongs to one of Azure's clouds. */
export const isOfAzure = (loginServer: string): boolean => AzureCloud.all.some(AzureCloud.holds(loginServer))

/** Removes why there is no login of Azure, which is noise for any other registry. */
const withoutNoise = (credential: Credentials.Credential): Credentials.Credential =>
  credential._tag === "Anonymous" && credential.passedOver !== undefined
    ? { ...credential, passedOver: credential.passedOver.filter(({ credential: name }) => name !== azureName) }
    : credential

export const layer = Layer.effect(
  Credentials.Credentials,
  Effect.map(Credentials.Credentials, (service) => ({
    ...service,
    get: (request: Credentials.CredentialRequest) =>
      isOfAzure(request.loginServer) ? service.get(request) : Effect.map(service.get(request), withoutNoise)
  }))
).pipe(
  Layer.provide(
    DockerConfig.layer.pipe(
      Credentials.orElse(AzureCredentials.layerDefault),
      Credentials.orElse(Credentials.layerAnonymous)
    )
  )
)

/** Without the login of Azure, which takes seconds, for callers that cannot wait. */
export const withoutAzure = DockerConfig.layer.pipe(Credentials.orElse(Credentials.layerAnonymous))

/** The transport of a registry. Nothing is sent. */
export const conversation = Effect.fnUntraced(function* (registry: string) {
  const [, name] = /^https?:\/\/([^/@]+)\/?$/.exec(registry) ?? []
  if (name !== undefined) {
    return yield* new WrongCall({ description: `a registry is named without a scheme: expected ${name}` })
  }
  return yield* Effect.provide(Transport.Transport, Registries.layerFor(registry))
})

/** Tries the logins in order, and returns the outcome of each. */
export const attempts = (request: Credentials.CredentialRequest) =>
  Effect.map(
    Credentials.attempts(
      request,
      candidates.map(({ layer }) => layer)
    ),
    (all) => candidates.flatMap(({ name }, index) => (all[index] === undefined ? [] : [{ name, attempt: all[index] }]))
  )
