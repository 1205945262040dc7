/**
 * Which origin may cause which request, and with which credentials: one table for every address that an answer names.
 *
 * A server without authority that names an address of the registry would otherwise borrow the client's: storage that
 * answers an upload with `Location: https://myregistry.azurecr.io/acr/v1/team/app` would have the client delete a
 * repository. So an address has the authority of the answer that named it, and never more.
 */

/**
 * The purpose of an address in an answer.
 *
 * - `page`: the next page of a list (`Link`), on the origin of the page itself.
 * - `content`: the answer to a request that reads (a redirect).
 * - `session`: an upload session (`Location`).
 * - `realm`: a token service (`WWW-Authenticate`).
 */
export type Purpose = "page" | "content" | "session" | "realm"

/** The author of the answer that names the address: the registry, or another server to which the registry led. */
export type Author = "registry" | "stranger"

/** The target of the address: the registry's origin, a token service that counts as the registry's, or elsewhere. */
export type Place = "registry" | "trusted" | "elsewhere"

/**
 * The credentials of the request.
 *
 * - `access`: the access token or the password that the registry requires for the operation.
 * - `login`: the password or the refresh token with which access tokens are requested.
 * - `none`: no credential, and the client does not answer challenges.
 * - `refused`: the request is not sent.
 */
export type Authority = "access" | "login" | "none" | "refused"

type Places = { readonly [P in Place]: Authority }

const nowhere: Places = { registry: "refused", trusted: "refused", elsewhere: "refused" }

const table: { readonly [P in Purpose]: { readonly [A in Author]: Places } } = {
  // The registry's own list is read only from the registry.
  page: {
    registry: { registry: "access", trusted: "refused", elsewhere: "refused" },
    // If the registry led a list elsewhere, its other pages are there.
    stranger: { registry: "refused", trusted: "refused", elsewhere: "none" }
  },
  // Blobs are verified by their digest, wherever they come from. The registry decides the results of tags, lists and
  // HEAD requests, and it may delegate that to another server.
  content: {
    registry: { registry: "access", trusted: "none", elsewhere: "none" },
    stranger: { registry: "none", trusted: "none", elsewhere: "none" }
  },
  // Uploads write and delete. Even without credentials, that harms a registry that requires none from clients that can
  // reach it.
  session: {
    registry: { registry: "access", trusted: "none", elsewhere: "none" },
    stranger: { registry: "refused", trusted: "none", elsewhere: "none" }
  },
  realm: {
    registry: { registry: "login", trusted: "login", elsewhere: "refused" },
    stranger: nowhere
  }
}

/** The credentials of a request to an address that an answer named. */
export const authorityOf = (purpose: Purpose, author: Author, place: Place): Authority => table[purpose][author][place]

/**
 * Whether a path is that of an upload session of a repository. To cancel an upload, a client may delete no other path.
 *
 * OCI distribution specification, "Endpoints", end-5 and end-6, `/v2/<name>/blobs/uploads/<reference>`. Registries may
 * have sessions under other paths, which are used for sending and are left to expire.
 */
export const isUploadSession = (repository: string, path: string): boolean => {
  const uploads = `/v2/${repository}/blobs/uploads/`
  return path.startsWith(uploads) && /^(?!\.{1,2}(?:\?|$))[\w.~=:@-]+(?:\?|$)/.test(path.slice(uploads.length))
}
