/**
 * Answers as data, before they are written to a connection.
 */

/** Bytes in memory, or a part of a file: from `start` up to, not including, `end`. */
export type Body = Uint8Array | { readonly file: string; readonly start: number; readonly end: number }

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** Its length is in Content-Length. */
  readonly body: Body | undefined
  /** The owner of the login or token, for the journal. */
  readonly user?: string
  /** Called if the answer was not sent, to undo effects that the client must know of. */
  readonly undelivered?: () => Promise<void>
}

export const lengthOf = (body: Body): number => (body instanceof Uint8Array ? body.length : body.end - body.start)

export const empty = (status: number, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers,
  body: new Uint8Array()
})

export const text = (status: number, body: string, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
  body: new TextEncoder().encode(body)
})

export const json = (status: number, body: unknown, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
  body: new TextEncoder().encode(JSON.stringify(body))
})

/** OCI distribution specification, "Error codes". */
export const error = (status: number, code: string, message: string, detail?: unknown): Answer =>
  json(status, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] })

/** The message of a request that needs a login. */
export const authenticationRequired =
  "authentication required, visit https://aka.ms/acr/authorization for more information."

/** The error of the distribution API, and of the deletion of a repository, for a missing one. */
export const nameUnknown = (name: string): Answer =>
  error(404, "NAME_UNKNOWN", "repository name not known to registry", { name })

/** The error of the rest of the management API for a missing repository. */
export const repositoryNotFound = (name: string): Answer =>
  error(404, "NAME_UNKNOWN", `repository "${name}" is not found`)

export const tagUnknown: Answer = error(404, "TAG_UNKNOWN", "the specified tag does not exist")

/** The error of the distribution API for a missing manifest. The management API has another message. */
export const manifestUnknown = (reference: string): Answer =>
  reference.includes(":")
    ? error(404, "MANIFEST_UNKNOWN", `manifest ${reference} is not found`)
    : error(404, "MANIFEST_UNKNOWN", `manifest tagged by "${reference}" is not found`, { Tag: reference })

/** The error of the management API for a missing manifest. */
export const manifestNotKnown: Answer = error(404, "MANIFEST_UNKNOWN", "manifest unknown")

const blobUnknownMessage = "blob unknown to registry"

export const blobUnknown = (digest: string): Answer => error(404, "BLOB_UNKNOWN", blobUnknownMessage, { digest })

/** The error of a deletion for a missing blob. */
export const blobNotKnown: Answer = error(404, "BLOB_UNKNOWN", blobUnknownMessage)

/**
 * A list of the management API. ACR writes an empty one as `null`.
 *
 * azure-sdk-for-python, recording test_list_in_empty_repo: `"tags":null`, `"tagsDeleted":null`.
 */
export const listed = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> | null => (items.length === 0 ? null : items)

/** The answer to an internal error of the registry. */
export const internalError = error(500, "UNKNOWN", "unknown error")

/** OCI distribution specification, "Error codes". */
export const denied: Answer = error(403, "DENIED", "requested access to the resource is denied")

/** The answer to a request that a lock forbids. */
export const disallowed: Answer = error(
  405,
  "REGISTRY_DISALLOWED_OPERATION",
  "the operation is disallowed on this registry, repository or image"
)
