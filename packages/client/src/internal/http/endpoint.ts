/**
 * Reads what a user writes for a registry.
 *
 * ACR's documentation, "Registry names", "Dedicated data endpoints" and "Regional endpoints": `myregistry.azurecr.io` is
 * a registry's login server, `myregistry.westeurope.geo.azurecr.io` the part of it in one region, and from
 * `myregistry.westeurope.data.azurecr.io` come the bytes of blobs and nothing else. A name is 5 to 50 letters and digits;
 * one whose domain name label is protected goes on with a hyphen and a hash.
 */
import * as Result from "effect/Result"
import { isProtected, isWeb, readUrl } from "./origin.ts"

const name = "[a-z0-9]{5,50}(?:-[a-z0-9]{1,32})?"
const bareName = new RegExp(`^${name}$`, "i")
const dataEndpoint = new RegExp(`^(${name})\\.[a-z0-9]+\\.data\\.(azurecr\\.[a-z]+)$`)
const regionalEndpoint = new RegExp(`^https://(${name})\\.[a-z0-9]+\\.geo\\.(azurecr\\.[a-z]+)$`)

/** Whether an endpoint is a bare name, which is taken for that of a registry of Azure's public cloud. */
export const isBareName = (endpoint: string): boolean => bareName.test(endpoint) && endpoint !== "localhost"

/** An endpoint with its scheme. */
const complete = (endpoint: string): string => {
  if (endpoint.includes("://")) return endpoint
  return isBareName(endpoint) ? `https://${endpoint}.azurecr.io` : `https://${endpoint}`
}

/** The login server in the place of a data endpoint, which does not know the registry's protocol. */
const toLoginServer = (url: URL): URL => {
  const [, registry, domain] = dataEndpoint.exec(url.hostname) ?? []
  return registry === undefined || domain === undefined ? url : new URL(`${url.protocol}//${registry}.${domain}`)
}

/** What an endpoint may be. */
export const expected =
  "expected a registry's name (myregistry), its login server (myregistry.azurecr.io) or its address (https://myregistry.azurecr.io)"

/**
 * The origin of a registry from its name, its login server, its address, or that of one of its data endpoints.
 */
export const parseEndpoint = (endpoint: string, allowInsecureHttp = false): Result.Result<URL, string> =>
  readUrl(complete(endpoint)).pipe(
    Result.filterOrFail(
      (url) => isWeb(url) && url.hostname !== "",
      () => "is not the address of a registry"
    ),
    Result.filterOrFail(
      (url) => url.username === "" && url.password === "",
      () => "holds a login, which is for Credentials to tell"
    ),
    Result.filterOrFail(
      (url) => url.pathname === "/" && url.search === "" && url.hash === "",
      () => "is more than a scheme, a host and a port: repositories are named in operations"
    ),
    Result.filterOrFail(
      (url) => endpoint.includes("://") || url.port !== "" || url.hostname === "localhost" || /[.:]/.test(url.hostname),
      () => "is neither the name of a registry (5 to 50 letters and digits) nor a host"
    ),
    Result.mapError((problem) => `${problem}; ${expected}`),
    Result.filterOrFail(
      (url) => allowInsecureHttp || isProtected(url),
      () =>
        "is plain http, which is for this machine's own addresses alone: anybody on the way could read the credentials (allowInsecureHttp accepts that)"
    ),
    Result.map(toLoginServer)
  )

/** The origin of the whole registry, for that of a regional endpoint; any other as it is. */
export const globalOrigin = (origin: string): string => origin.replace(regionalEndpoint, "https://$1.$2")
