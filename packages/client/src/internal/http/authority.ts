/**
 * Which origin may cause which request, and with which credentials: one table for every address that an answer names.
 *
 * A server without authority that names an address of the registry would otherwise borrow the client's: storage that
 * answers an upload with `Location: https://myregistry.azurecr.io/acr/v1/team/app` would have the client delete a
 * repository. So an address keeps the authority of the answer that named it, and never gains any.
 */

/**
 * What an answer names an address for.
 *
 * - `page`: the next page of a list (`Link`), on the origin of the page itself.
 * - `content`: the answer to a request that reads (a redirect).
 * - `session`: an upload session (`Location`).
 * - `realm`: a token service (`WWW-Authenticate`).
 */
export type Purpose = "page" | "content" | "session" | "realm"

/** Whose answer names the address: the registry's own, or that of any other server the registry led to. */
export type Author = "registry" | "stranger"

/** Where the address leads: to the registry's origin, to a token service that counts as the registry's, or elsewhere. */
export type Place = "registry" | "trusted" | "elsewhere"

/**
 * What goes with the request.
 *
 * - `access`: what the registry wants for the operation, an access token or a password.
 * - `login`: what access tokens are requested with, a password or a refresh token.
 * - `none`: no credential, and no challenge of the answer is met.
 * - `refused`: the request is not sent.
 */
export type Authority = "access" | "login" | "none" | "refused"

type Places = { readonly [P in Place]: Authority }

const nowhere: Places = { registry: "refused", trusted: "refused", elsewhere: "refused" }

const table: { readonly [P in Purpose]: { readonly [A in Author]: Places } } = {
  // The registry's own list is read from the registry alone.
  page: {
    registry: { registry: "access", trusted: "refused", elsewhere: "refused" },
    // Where the registry led a list elsewhere, its further pages are there.
    stranger: { registry: "refused", trusted: "refused", elsewhere: "none" }
  },
  // Blobs are verified by their digest, wherever they come from. What a tag, a list or a HEAD comes to, the registry decides,
  // and it decides to ask another.
  content: {
    registry: { registry: "access", trusted: "none", elsewhere: "none" },
    stranger: { registry: "none", trusted: "none", elsewhere: "none" }
  },
  // Uploads write and delete. Even without credentials that harms a registry which asks for none of those that reach it.
  session: {
    registry: { registry: "access", trusted: "none", elsewhere: "none" },
    stranger: { registry: "refused", trusted: "none", elsewhere: "none" }
  },
  realm: {
    registry: { registry: "login", trusted: "login", elsewhere: "refused" },
    stranger: nowhere
  }
}

/** What goes with a request to an address that an answer named. */
export const authorityOf = (purpose: Purpose, author: Author, place: Place): Authority => table[purpose][author][place]

/**
 * Whether a path is that of an upload session of a repository: all that a client may delete to cancel an upload.
 *
 * OCI distribution specification, "Endpoints", end-5 and end-6, `/v2/<name>/blobs/uploads/<reference>`. Registries may
 * keep sessions under other paths, which serve for sending and are left to expire.
 */
export const isUploadSession = (repository: string, path: string): boolean => {
  const uploads = `/v2/${repository}/blobs/uploads/`
  return path.startsWith(uploads) && /^(?!\.{1,2}(?:\?|$))[\w.~=:@-]+(?:\?|$)/.test(path.slice(uploads.length))
}
