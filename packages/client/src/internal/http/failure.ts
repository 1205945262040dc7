/**
 * What an answer other than success means: a table from status and error codes to a reason.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RegistryError from "../../RegistryError.ts"
import { list, parseJson } from "../schema/json.ts"
import { type Quote, quoting } from "./quote.ts"

/**
 * May the request be sent again?
 *
 * - `never`: the answer is what it is.
 * - `unprocessed`: it was turned away before anything was done.
 * - `uncertain`: it may have been carried out.
 */
export type Repeat = "never" | "unprocessed" | "uncertain"

/** A code is one word. A registry sends one error, or one for each missing layer of an image. */
const longestCode = 128
const mostErrors = 128

/** Far above any explanation. `response.errors` holds what is left out. */
const longestDescription = 4096

const decodeBody = Schema.decodeUnknownOption(Schema.Struct({ errors: list(Schema.Unknown) }))

/** OCI distribution specification, "Error codes". Only the code is required here: some proxies send no message. */
const decodeError = Schema.decodeUnknownOption(
  Schema.Struct({
    code: Schema.String,
    message: Schema.optionalKey(Schema.NullOr(Schema.String)),
    detail: Schema.optionalKey(Schema.Unknown)
  })
)

/**
 * Reads the errors in a body; none if it is not the JSON of a registry. Strings are quoted after the body is parsed,
 * because JSON has many spellings for the same string.
 */
export const parseErrors = (text: string, quote: Quote = quoting([])): ReadonlyArray<RegistryError.ResponseError> =>
  Option.match(Option.flatMap(parseJson(text), decodeBody), {
    onNone: () => [],
    onSome: ({ errors }) =>
      errors.slice(0, mostErrors).flatMap((error) =>
        Option.match(decodeError(error), {
          // One malformed entry costs itself, not the others.
          onNone: () => [],
          onSome: ({ code, detail, message }) => [
            {
              code: quote.text(code, longestCode),
              message: quote.text(message ?? ""),
              ...(detail === undefined ? {} : { detail: quote.json(detail) })
            }
          ]
        })
      )
  })

const describe = (status: number, errors: ReadonlyArray<RegistryError.ResponseError>): string => {
  if (errors.length === 0) {
    return `the registry answered ${status} without an explanation${status === 401 ? ": no login, or not a valid one" : ""}`
  }
  const all = errors.map(({ code, message }) => (message === "" ? code : `${code}: ${message}`)).join("; ")
  return all.length > longestDescription ? `${all.slice(0, longestDescription)}…` : all
}

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

/** Quotes a reason for which decoding failed: its description may contain a part of the answer. */
export const quoteReason = (reason: RegistryError.Reason, quote: Quote): RegistryError.Reason => {
  switch (reason._tag) {
    case "InvalidResponse":
      return new RegistryError.InvalidResponse({ description: quote.text(reason.description) })
    case "Refused":
      return new RegistryError.Refused({ description: quote.text(reason.description) })
    default:
      return reason
  }
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
