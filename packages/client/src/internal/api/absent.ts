/**
 * Registries without ACR's management API. They answer its paths like any unknown path. The error names the operation
 * to use instead, if there is one.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type { Operation } from "../../Operation.ts"
import { InvalidResponse, RegistryError, Unsupported } from "../../RegistryError.ts"
import { isAcrOrigin } from "../acr/hosts.ts"
import { findResource } from "../http/failure.ts"

/** The operation that does the same, or the closest to it, on every registry. */
const instead: ReadonlyMap<string, string> = new Map([
  ["ContainerRegistry.repositories", "RegistryContent.repositories lists repositories"],
  ["ContainerRegistry.tags", "RegistryContent.tags lists tags"],
  ["ContainerRegistry.tagProperties", "RegistryContent.resolve returns the digest of a tag"],
  ["ContainerRegistry.deleteTag", "RegistryContent.deleteTag deletes a tag"],
  [
    "ContainerRegistry.manifestProperties",
    "RegistryContent.resolve returns the media type, digest and size of a manifest"
  ],
  ["ContainerRegistry.deleteManifest", "RegistryContent.deleteManifest deletes a manifest"]
])

const describe = (operation: string, found: string): string => {
  const other = instead.get(operation)
  const advice = other === undefined ? "" : `: ${other} here`
  return `this registry does not have the management API of Azure Container Registry${advice} (${found})`
}

/** Statuses other than 404 that show that the server does not know the path: ACR's API never redirects. */
const isForeign = (status: number): boolean => (status >= 300 && status < 400) || status === 410

const catalogs = ["ContainerRegistry.repositories", "ContainerRegistry.deletedRepositories"]

/** Whether an error shows that the server does not know the path. ACR's own answers have a correlation id. */
const isAbsent = ({ operation, reason, request, response }: RegistryError): boolean => {
  if (response?.correlationId !== undefined) return false
  // The answer of a token service says nothing of the registry's paths.
  if (request !== undefined && !new URL(request.url).pathname.startsWith("/acr/")) return false
  if (isForeign(response?.status ?? 0)) return true
  if (reason._tag !== "NotFound") return reason._tag === "Unsupported"
  // The request named no repository, so none can be missing.
  if (catalogs.includes(operation)) return true
  // ACR's codes name what is missing. Other registries have a code of their own for a path that they do not know, or none.
  return (findResource(response?.errors ?? []) ?? "endpoint") === "endpoint"
}

/**
 * Turns an error into `Unsupported`, with the operation of `RegistryContent` to use instead, if the error shows that
 * the registry has no management API.
 */
export const explain = (endpoint: string): ((error: RegistryError) => RegistryError) =>
  isAcrOrigin(endpoint)
    ? identity
    : (error) =>
        isAbsent(error)
          ? new RegistryError({
              ...error,
              reason: new Unsupported({ description: describe(error.operation, error.reason.message) })
            })
          : error

type Response = Parameters<Operation<unknown>["decode"]>[0]

const isOfAcr = ({ headers }: Response): boolean => headers["x-ms-correlation-request-id"] !== undefined

/** The user interface of a registry, or a portal, may answer every path with a page. ACR sends none. */
const isPage = (response: Response): boolean =>
  !isOfAcr(response) && /^text\/html\s*(?:;|$)/i.test(response.headers["content-type"] ?? "")

const page = Effect.failSync(() => new Unsupported({ description: "the registry answered with a page of HTML" }))

const notOfAcr = Effect.failSync(
  () => new Unsupported({ description: "the response is not one of Azure Container Registry" })
)

/**
 * The same operation of ACR's API, which succeeds only if the response is ACR's: the operation must not count as done
 * because another server answers every path with success.
 */
export const onlyOfAcr =
  (endpoint: string) =>
  <A>(operation: Operation<A>): Operation<A> => ({
    ...operation,
    decode: (response) => (isAcrOrigin(endpoint) || isOfAcr(response) ? operation.decode(response) : notOfAcr)
  })

/**
 * The same deletion, for which a page of HTML with 200 is not success: a portal answers like that. Quay also labels the
 * empty responses to its deletions as HTML.
 */
export const refusingPortals = <A>(operation: Operation<A>): Operation<A> => ({
  ...operation,
  decode: (response) =>
    response.status === 200 && isPage(response) && response.headers["content-length"] !== "0"
      ? page
      : operation.decode(response)
})

/** The same operation, for which a page of HTML is not success but a server that does not know the path. */
export const refusingPages =
  (endpoint: string) =>
  <A>(operation: Operation<A>): Operation<A> =>
    isAcrOrigin(endpoint)
      ? operation
      : {
          ...operation,
          // Pages come with 200, whatever the status of success is.
          success: [...operation.success, 200],
          decode: (response) => {
            if (isPage(response)) return page
            return operation.success.includes(response.status)
              ? operation.decode(response)
              : Effect.fail(new InvalidResponse({ description: `unexpected status ${response.status}` }))
          }
        }
