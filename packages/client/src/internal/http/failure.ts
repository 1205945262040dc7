/**
 * What an answer other than success means: a table from status and error codes to a reason.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RegistryError from "../../RegistryError.ts"
import { list } from "../schema/json.ts"

/**
 * May the request be sent again?
 *
 * - `never`: the answer is what it is.
 * - `unprocessed`: it was turned away before anything was done.
 * - `uncertain`: it may have been carried out.
 */
export type Repeat = "never" | "unprocessed" | "uncertain"

/** OCI distribution specification, "Error codes". Only the code is required here: some proxies send no message. */
const ErrorBody = Schema.fromJsonString(
  Schema.Struct({
    errors: list(
      Schema.Struct({
        code: Schema.String,
        message: Schema.optionalKey(Schema.NullOr(Schema.String)),
        detail: Schema.optionalKey(Schema.Json)
      })
    )
  })
)

const decodeErrorBody = Schema.decodeUnknownOption(ErrorBody)

/**
 * The errors that a body explains; none if it is not the JSON of a registry.
 */
export const parseErrors = (text: string): ReadonlyArray<RegistryError.ResponseError> =>
  Option.match(decodeErrorBody(text), {
    onNone: () => [],
    onSome: ({ errors }) =>
      errors.map(({ code, detail, message }) => ({
        code,
        message: message ?? "",
        ...(detail === undefined ? {} : { detail })
      }))
  })

const describe = (status: number, errors: ReadonlyArray<RegistryError.ResponseError>): string =>
  errors.length === 0
    ? `the registry answered ${status} without an explanation${status === 401 ? ": no login, or not a valid one" : ""}`
    : errors.map(({ code, message }) => (message === "" ? code : `${code}: ${message}`)).join("; ")

/** The thing that a code calls unknown. */
const resources = new Map<string, RegistryError.NotFound["resource"]>([
  ["NAME_UNKNOWN", "repository"],
  ["TAG_UNKNOWN", "tag"],
  ["MANIFEST_UNKNOWN", "manifest"],
  ["BLOB_UNKNOWN", "blob"],
  ["BLOB_UPLOAD_UNKNOWN", "upload"],
  ["BLOB_UPLOAD_INVALID", "upload"]
])

const findResource = (
  errors: ReadonlyArray<RegistryError.ResponseError>
): RegistryError.NotFound["resource"] | undefined =>
  errors.map(({ code }) => resources.get(code)).find((resource) => resource !== undefined)

/**
 * The facts of an answer that the table needs.
 */
export interface Answer {
  readonly status: number
  readonly errors: ReadonlyArray<RegistryError.ResponseError>
  /** Whether there was a body at all. */
  readonly hasBody: boolean
  /** What the registry asks to wait, in milliseconds. */
  readonly retryAfterMillis: Option.Option<number>
  /** What the operation calls missing. */
  readonly missing: RegistryError.NotFound["resource"]
}

const final = (reason: RegistryError.Reason) => ({ reason, repeat: "never" }) as const

/**
 * The reason that an answer stands for, and whether asking again can change it.
 */
export const classify = (answer: Answer): { readonly reason: RegistryError.Reason; readonly repeat: Repeat } => {
  const { errors, status } = answer
  const description = describe(status, errors)
  const wait = Option.match(answer.retryAfterMillis, {
    onNone: () => ({}),
    onSome: (retryAfterMillis) => ({ retryAfterMillis })
  })
  switch (status) {
    case 401:
      return final(new RegistryError.Unauthenticated({ description }))
    case 403:
      return final(new RegistryError.Forbidden({ description }))
    case 404: {
      // A 404 in another language is a server that does not know the path at all.
      const foreign = errors.length === 0 && answer.hasBody
      const resource = findResource(errors) ?? (foreign ? "endpoint" : answer.missing)
      return final(new RegistryError.NotFound({ resource, description }))
    }
    case 405:
      return final(new RegistryError.Locked({ description }))
    case 429:
      return { reason: new RegistryError.Throttled({ description, ...wait }), repeat: "unprocessed" }
    case 503:
      return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "unprocessed" }
    case 408:
    case 500:
    case 502:
    case 504:
      return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "uncertain" }
  }
  if (status >= 500) return final(new RegistryError.Unavailable({ description }))
  if (status >= 400) return final(new RegistryError.InvalidRequest({ description }))
  if (status >= 300) return final(new RegistryError.Refused({ description: `a redirect (${status}) is not followed` }))
  return final(new RegistryError.InvalidResponse({ description: `status ${status} is not expected here` }))
}
