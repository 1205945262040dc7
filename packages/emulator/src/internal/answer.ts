/**
 * Answers as data, before they are written to a connection.
 */

/** Bytes at hand, or a part of a file: from `start` up to, not including, `end`. */
export type Body = Uint8Array | { readonly file: string; readonly start: number; readonly end: number }

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** Its length stands in Content-Length. */
  readonly body: Body | undefined
  /** Whose login or token it was, for the journal. */
  readonly user?: string
  /** Is called when the answer did not go out, for what makes no sense if the client does not know of it. */
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

/** What the distribution API and the deletion of a repository say of a missing one. */
export const nameUnknown = (name: string): Answer =>
  error(404, "NAME_UNKNOWN", "repository name not known to registry", { name })

/** What the rest of the management API says of a missing repository. */
export const repositoryNotFound = (name: string): Answer =>
  error(404, "NAME_UNKNOWN", `repository "${name}" is not found`)

export const tagUnknown: Answer = error(404, "TAG_UNKNOWN", "the specified tag does not exist")

/** What the distribution API says of a missing manifest. The management API has another message. */
export const manifestUnknown = (reference: string): Answer =>
  reference.includes(":")
    ? error(404, "MANIFEST_UNKNOWN", `manifest ${reference} is not found`)
    : error(404, "MANIFEST_UNKNOWN", `manifest tagged by "${reference}" is not found`, { Tag: reference })

/** What the management API says of a missing manifest. */
export const manifestNotKnown: Answer = error(404, "MANIFEST_UNKNOWN", "manifest unknown")

const blobUnknownMessage = "blob unknown to registry"

export const blobUnknown = (digest: string): Answer => error(404, "BLOB_UNKNOWN", blobUnknownMessage, { digest })

/** What a deletion says of a missing blob. */
export const blobNotKnown: Answer = error(404, "BLOB_UNKNOWN", blobUnknownMessage)

/**
 * A list of the management API. ACR writes an empty one as `null`.
 *
 * azure-sdk-for-python, recording test_list_in_empty_repo: `"tags":null`, `"tagsDeleted":null`.
 */
export const listed = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> | null => (items.length === 0 ? null : items)

/** What the registry says of a mishap of its own. */
export const internalError = error(500, "UNKNOWN", "unknown error")

/** OCI distribution specification, "Error codes". */
export const denied: Answer = error(403, "DENIED", "requested access to the resource is denied")

/** What a lock says. */
export const disallowed: Answer = error(
  405,
  "REGISTRY_DISALLOWED_OPERATION",
  "the operation is disallowed on this registry, repository or image"
)
