/**
 * Conditions of a request: RFC 9110, "Preconditions".
 */
import { type Answer, error } from "./answer.ts"

export interface Conditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

export const unconditional: Conditions = { ifMatch: undefined, ifNoneMatch: undefined }

export const entityTag = (digest: string): string => `"${digest}"`

/** Whether a list of entity tags names a digest; `*` names any. */
const names = (tags: string, digest: string | undefined): boolean =>
  digest !== undefined && (tags.trim() === "*" || tags.split(",").some((tag) => tag.trim() === entityTag(digest)))

/** Whether a list of entity tags names a digest, also by a weak tag (`W/"…"`): RFC 9110, "If-None-Match". */
export const namesWeakly = (tags: string, digest: string): boolean =>
  names(tags.replaceAll(/(^|,)(\s*)W\//g, "$1$2"), digest)

/** Whether the conditions hold for the manifest that a tag names now. */
export const hold = ({ ifMatch, ifNoneMatch }: Conditions, digest: string | undefined): boolean =>
  (ifMatch === undefined || names(ifMatch, digest)) && (ifNoneMatch === undefined || !names(ifNoneMatch, digest))

/** The OCI specification has no code for it. */
export const preconditionFailed: Answer = error(
  412,
  "PRECONDITION_FAILED",
  "the tag does not name what the condition of the request expects"
)
