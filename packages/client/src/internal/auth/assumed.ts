/**
 * Registries that the caller named by a bare name.
 *
 * `myregistry` means `https://myregistry.azurecr.io`. On a compose or Kubernetes network, the same name may be a host,
 * `harbor` or `registry`, and the ACR registry of that name may be a stranger's. So the client sends no credential
 * because of the name alone: an Entra token confirms that ACR is meant, and with any other credential the caller must
 * state which of the two it is.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type * as Credentials from "../../Credentials.ts"
import { InvalidRequest, type Reason } from "../../RegistryError.ts"
import { refusedValue } from "../schema/refused.ts"
import type { Source } from "./grants.ts"

export interface Assumed {
  /** The credentials. All but Entra tokens fail. The one that has just confirmed the name is used first. */
  readonly credentials: Source
  /** Fails unless the credential is an Entra token. Nothing has been sent then. */
  readonly confirm: Effect.Effect<void, Reason>
}

/** Limited, because the operation that confirms the name may send only anonymous requests, and the token expires. */
const heldMillis = 60_000

const ambiguous = (name: string, { endpoint, loginServer }: Credentials.CredentialRequest) =>
  new InvalidRequest({
    description: `${name} may be the registry ${loginServer} or a host of that name. Write ${endpoint} (or registry: "acr") for the one, https://${name} for the other: a bare name is taken for Azure Container Registry only with an Entra token`,
    argument: "endpoint",
    value: refusedValue(name)
  })

/** Makes the credentials of a registry with a bare name. */
export const make = (
  name: string,
  registry: Credentials.CredentialRequest,
  credentials: Credentials.Service
): Effect.Effect<Assumed> => {
  /** One credential may be an Entra token and the next one a password. */
  const get: Source["get"] = (request) =>
    Effect.filterOrFail(
      credentials.get(request),
      ({ _tag }) => _tag === "EntraToken",
      () => ambiguous(name, registry)
    )

  return Effect.map(Semaphore.make(1), (one) => {
    let isConfirmed = false
    let held: { readonly credential: Credentials.Credential; readonly sinceMillis: number } | undefined

    const confirm = Effect.gen(function* () {
      if (isConfirmed) return
      held = { credential: yield* get(registry), sinceMillis: yield* Clock.currentTimeMillis }
      isConfirmed = true
    })

    return {
      credentials: {
        perRegistry: credentials.perRegistry === true,
        get: (request) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const first = request.claims === undefined ? held : undefined
            held = undefined
            return first !== undefined && now < first.sinceMillis + heldMillis
              ? Effect.succeed(first.credential)
              : get(request)
          })
      },
      confirm: Effect.suspend(() => (isConfirmed ? Effect.void : one.withPermits(1)(confirm)))
    }
  })
}
