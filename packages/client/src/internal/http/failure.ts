/**
 * The reason of an error response, by its status and its error codes.
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Operation } from "../../Operation.ts"
import * as RegistryError from "../../RegistryError.ts"
import { parseJson } from "../schema/json.ts"
import { type Quote, quoting } from "./quote.ts"
import type { Repeat } from "./repeat.ts"

/** Limits: a code is one word, and a registry sends one error, or one for each missing layer of an image. */
const longestCode = 128
const mostErrors = 128

/** Far above any explanation. `response.errors` has what is left out. */
const longestDescription = 4096

const Field = Schema.optionalKey(Schema.Unknown)

/** The fields in which registries, token services and gateways describe an error. */
const decodeFields = Schema.decodeUnknownOption(
  Schema.Struct({
    code: Field,
    error: Field,
    message: Field,
    error_description: Field,
    details: Field,
    detail: Field,
    title: Field
  })
)
type Fields = Option.Option.Value<ReturnType<typeof decodeFields>>

const decodeBody = Schema.decodeUnknownOption(Schema.Struct({ errors: Field, error: Field }))

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** Google writes the status as a code. */
const codeOf = (value: unknown): string => (typeof value === "number" ? String(value) : isText(value) ? value : "")

/** The error in some fields; none if they have neither a code nor a message. */
const errorOf = (
  quote: Quote,
  { code, message, detail }: { readonly code: unknown; readonly message: unknown; readonly detail?: unknown }
): ReadonlyArray<RegistryError.ResponseError> => {
  const read = {
    code: quote.text(codeOf(code), longestCode),
    message: isText(message) ? quote.text(message) : "",
    ...(detail === undefined ? {} : { detail: quote.json(detail) })
  }
  return read.code === "" && read.message === "" ? [] : [read]
}

/**
 * Without a code, any field that may be a message: Artifactory has a `message`, Docker Hub `details`, RFC 9457 a
 * `detail`.
 */
const messageOf = ({ detail, details, error_description, message, title }: Fields): string | undefined =>
  [message, error_description, details, detail, title].find(isText)

/** An entry of a list of errors. OCI distribution specification, "Error codes". */
const readEntry = (quote: Quote, entry: unknown): ReadonlyArray<RegistryError.ResponseError> => {
  if (typeof entry === "string") return errorOf(quote, { code: "", message: entry })
  return Option.match(decodeFields(entry), {
    // A malformed entry is dropped, and the others are kept.
    onNone: () => [],
    onSome: (fields) =>
      errorOf(quote, {
        code: fields.code,
        message: codeOf(fields.code) === "" ? messageOf(fields) : fields.message,
        detail: fields.detail
      })
  })
}

/** A body that is not a list of errors: that of OAuth (RFC 6749, section 5.2), or of a gateway. */
const readSingle = (quote: Quote, body: unknown): ReadonlyArray<RegistryError.ResponseError> =>
  Option.match(decodeFields(body), {
    onNone: () => [],
    onSome: (fields) => errorOf(quote, { code: fields.error, message: messageOf(fields) })
  })

/** The errors in a body. */
export interface Explanation {
  readonly errors: ReadonlyArray<RegistryError.ResponseError>
  /** Whether there is a body in another form than a registry's errors. */
  readonly isForeign: boolean
}

/**
 * Reads the errors in a body; none if it is not JSON with errors. Strings are quoted after the body is parsed, because
 * JSON has many spellings for the same string.
 */
export const parseBody = (text: string, quote: Quote = quoting([])): Explanation => {
  if (text === "") return { errors: [], isForeign: false }
  const body = Option.getOrUndefined(parseJson(text))
  const { error, errors } = Option.getOrElse(decodeBody(body), (): { errors?: unknown; error?: unknown } => ({}))
  const entries = Array.isArray(errors) ? errors.slice(0, mostErrors) : isText(errors) ? [errors] : []
  const listed = entries.flatMap((entry) => readEntry(quote, entry))
  if (listed.length > 0) return { errors: listed, isForeign: false }
  // Google and Azure Resource Manager send an object.
  const single = typeof error === "object" ? readEntry(quote, error) : readSingle(quote, body)
  return { errors: single, isForeign: true }
}

/** The digest of what a manifest lacks. Other errors are about the digest in the address of the request. */
const lackedBy = (error: RegistryError.ResponseError): string =>
  Option.match(error.code === "MANIFEST_BLOB_UNKNOWN" ? RegistryError.digestOf(error) : Option.none(), {
    onNone: () => "",
    onSome: (digest) => (error.message.includes(digest) ? "" : digest)
  })

const printed = (error: RegistryError.ResponseError): string =>
  [error.code, error.message, lackedBy(error)].filter((text) => text !== "").join(": ")

const describe = (status: number, errors: ReadonlyArray<RegistryError.ResponseError>): string => {
  if (errors.length === 0) {
    return `the registry answered ${status} without an explanation${status === 401 ? ": no login, or not a valid one" : ""}`
  }
  const all = errors.map(printed).join("; ")
  return all.length > longestDescription ? `${all.slice(0, longestDescription)}…` : all
}

/** The resource that an `_UNKNOWN` code means. go-containerregistry has a code for a path that its registry does not know. */
const resources = new Map<string, RegistryError.NotFound["resource"]>([
  ["NAME_UNKNOWN", "repository"],
  ["TAG_UNKNOWN", "tag"],
  ["MANIFEST_UNKNOWN", "manifest"],
  ["BLOB_UNKNOWN", "blob"],
  // The request is for a manifest, and its repository need not exist before.
  ["MANIFEST_BLOB_UNKNOWN", "blob"],
  ["BLOB_UPLOAD_UNKNOWN", "upload"],
  ["BLOB_UPLOAD_INVALID", "upload"],
  ["METHOD_UNKNOWN", "endpoint"]
])

/** The resource that errors mean by their codes; none if no code means one. */
export const findResource = (
  errors: ReadonlyArray<RegistryError.ResponseError>
): RegistryError.NotFound["resource"] | undefined =>
  errors.map(({ code }) => resources.get(code)).find((resource) => resource !== undefined)

/** More than a request needs. */
const mostMissing = 32

/** ACR and distribution write `Type`, others `type`. */
const decodePermission = (value: unknown): Option.Option<RegistryError.MissingPermission> =>
  Option.flatMap(decodeRecord(value), (fields) =>
    decodeMissing(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name.toLowerCase(), field])))
  )
const decodeRecord = Schema.decodeUnknownOption(Schema.Record(Schema.String, Schema.Unknown))
const decodeMissing = Schema.decodeUnknownOption(RegistryError.MissingPermission)

/** The distinct permissions that the details of errors call missing. */
const missingIn = (
  errors: ReadonlyArray<RegistryError.ResponseError>
): ReadonlyArray<RegistryError.MissingPermission> => {
  const all = errors.flatMap(({ detail }) =>
    (Array.isArray(detail) ? detail : [detail]).flatMap((value) => Option.toArray(decodePermission(value)))
  )
  return Arr.dedupeWith(all, Equal.equals).slice(0, mostMissing)
}

/**
 * The facts of an error response that decide its reason.
 */
export interface Answer extends Explanation {
  readonly status: number
  readonly retryAfter: Option.Option<Duration.Duration>
  /** The resource that a 404 of the operation means. */
  readonly missing: RegistryError.NotFound["resource"]
  readonly method: Operation<unknown>["method"]
  /** Whether the request puts a manifest under a tag. */
  readonly putsTag: boolean
  /** Whether Azure Container Registry answered. */
  readonly isAcr: boolean
}

/** Quotes the reason of a decoding failure, because its description may contain a part of the answer. */
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

/** Whether a code or a message matches a pattern. */
const says = (errors: Answer["errors"], what: RegExp): boolean =>
  errors.some(({ code, message }) => what.test(code) || what.test(message))

const hasCode = (errors: Answer["errors"], wanted: string): boolean => errors.some(({ code }) => code === wanted)

/** ACR: "The operation is disallowed on this registry, repository or image." */
const disallowed = /disallowed/i

/** ECR, Google, Docker Hub and Harbor all use the word, each with another status and another code. */
const immutable = /immutab|cannot be overwritten/i

/** Harbor's code for content that a rule forbids to pull or push: vulnerable or unsigned images. */
const policyViolation = "PROJECTPOLICYVIOLATION"

/** What forbids the change, if the answer says so. */
const lockOf = ({ errors, isAcr, method, putsTag, status }: Answer): RegistryError.Locked["by"] | undefined => {
  const isWrite = method !== "GET" && method !== "HEAD"
  switch (status) {
    case 423:
      return "lock"
    case 405:
      // ACR answers a HEAD like this, which has no body to explain it.
      if (says(errors, disallowed) || (isAcr && !hasCode(errors, "UNSUPPORTED"))) return "lock"
      break
    case 409:
    case 412:
      if (hasCode(errors, policyViolation)) return undefined
      if (putsTag || (isWrite && hasCode(errors, "PRECONDITION"))) return "immutability"
  }
  return isWrite && says(errors, immutable) ? "immutability" : undefined
}

/** The reason for which a registry refuses a valid request. */
const refusalOf = (answer: Answer, description: string): RegistryError.Reason => {
  const { errors, status } = answer
  const by = lockOf(answer)
  if (by !== undefined) return new RegistryError.Locked({ description, by })
  if (status === 403 || hasCode(errors, policyViolation)) {
    return new RegistryError.Forbidden({ description, missing: missingIn(errors) })
  }
  return status === 405 || hasCode(errors, "UNSUPPORTED")
    ? new RegistryError.Unsupported({ description })
    : new RegistryError.InvalidRequest({ description })
}

/**
 * Classifies an error response: its reason, and whether a retry may help.
 */
export const classify = (answer: Answer): { readonly reason: RegistryError.Reason; readonly repeat: Repeat } => {
  const { errors, status } = answer
  const description = describe(status, errors)
  const wait = Option.match(answer.retryAfter, {
    onNone: () => ({}),
    onSome: (retryAfter) => ({ retryAfter })
  })
  switch (status) {
    case 401:
      return final(new RegistryError.Unauthenticated({ description, missing: missingIn(errors) }))
    case 404: {
      // A server that is not a registry, or a registry that does not know the path at all.
      const resource = findResource(errors) ?? (answer.isForeign ? "endpoint" : answer.missing)
      return final(new RegistryError.NotFound({ resource, description }))
    }
    case 429:
      return { reason: new RegistryError.Throttled({ description, ...wait }), repeat: "unprocessed" }
    // RFC 8470, section 5.2: the request was not processed, because it came too early.
    case 425:
    case 503:
      return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "unprocessed" }
    case 408:
      return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "uncertain" }
    case 501:
    case 505:
      return final(new RegistryError.Unsupported({ description }))
  }
  // A fault of the registry, or of a proxy before it: Cloudflare's 520 to 530, the 599 of proxies.
  if (status >= 500) return { reason: new RegistryError.Unavailable({ description, ...wait }), repeat: "uncertain" }
  if (status >= 400) return final(refusalOf(answer, description))
  if (status >= 300) return final(new RegistryError.Refused({ description: `a redirect (${status}) is not followed` }))
  return final(new RegistryError.InvalidResponse({ description: `unexpected status ${status}` }))
}
