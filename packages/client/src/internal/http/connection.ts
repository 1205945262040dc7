/**
 * Interprets a runtime's error of a failed connection: its code, a message for humans, and whether the request may have
 * been sent.
 *
 * Errors are wrapped. The innermost cause says what happened (`connect ECONNREFUSED 127.0.0.1:5000`); if several
 * addresses were tried, each has an error (RFC 8305, "happy eyeballs").
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Outbound from "../../Outbound.ts"
import {
  type ConnectionProblem,
  connectionProblemOf,
  InvalidRequest,
  type Reason,
  Refused,
  Unavailable
} from "../../RegistryError.ts"
import type { Quote } from "./quote.ts"
import type { Repeat } from "./repeat.ts"

/** An error of an HTTP client. It is described here, because `effect/http` may change with each minor version of Effect. */
type HttpError = Error & { readonly reason: { readonly _tag: string } }

/** More wrappers than any runtime has, and more addresses than one host has. */
const mostLevels = 8
const mostAttempts = 16

/** Far above the length of a runtime's message about a connection. */
const longestMessage = 300

const ownCode = (error: Error): string | undefined =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" && /^[\w./-]{1,64}$/.test(error.code)
    ? error.code
    : undefined

/** No route leads to the host. */
const unreachable: ReadonlySet<string | undefined> = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EAFNOSUPPORT"
])

/** This machine can open no connection: all its ports are in use, or its network is down. */
const unready: ReadonlySet<string | undefined> = new Set(["EADDRNOTAVAIL", "ENETDOWN"])

/**
 * How little an error means for a host with several addresses. The connection counts as refused only if no address may
 * still answer. An address without a route means least, because most machines have no IPv6.
 */
const rank = (code: string | undefined): number =>
  unreachable.has(code) || unready.has(code) ? 2 : code === "ECONNREFUSED" ? 1 : 0

/** The error and its causes, the innermost last. */
const causesOf = (error: unknown, levels = mostLevels): ReadonlyArray<Error> => {
  if (!(error instanceof Error) || levels === 0) return []
  const attempts = error instanceof AggregateError ? error.errors.slice(0, mostAttempts) : [error.cause]
  const [telling = []] = attempts
    .map((attempt) => causesOf(attempt, levels - 1))
    .toSorted((one, other) => rank(innermostCode(one)) - rank(innermostCode(other)))
  return [error, ...telling]
}

const innermostCode = (causes: ReadonlyArray<Error>): string | undefined =>
  causes.map(ownCode).findLast((code) => code !== undefined)

/** The messages of runtimes without codes, mainly Deno, and of undici about a server that does not speak HTTP. */
const spoken: ReadonlyArray<readonly [RegExp, string]> = [
  [/connection refused/i, "ECONNREFUSED"],
  [/temporary failure in name resolution/i, "EAI_AGAIN"],
  [/dns error/i, "ENOTFOUND"],
  [/invalid peer certificate: Expired/i, "CERT_HAS_EXPIRED"],
  [/invalid peer certificate: NotValidForName/i, "ERR_TLS_CERT_ALTNAME_INVALID"],
  [/invalid peer certificate/i, "CERT_UNTRUSTED"],
  [/InvalidContentType|wrong version number/i, "ERR_SSL_WRONG_VERSION_NUMBER"],
  [/does not match the HTTP|invalid HTTP version/i, "HPE_INVALID_CONSTANT"],
  [/connection closed|reset by peer/i, "ECONNRESET"],
  [/invalid header value/i, "ERR_INVALID_CHAR"]
]

const codeAmong = (causes: ReadonlyArray<Error>): string | undefined =>
  innermostCode(causes) ?? spoken.find(([text]) => causes.some(({ message }) => text.test(message)))?.[1]

/** The code of a failed connection, if there is one: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `UND_ERR_SOCKET`. */
export const codeOf = (error: HttpError): string | undefined => codeAmong(causesOf(error))

/** The answer broke off. */
export const cut = (error: HttpError): Reason =>
  new Unavailable({
    description: `the response broke off (${error.reason._tag})`,
    code: codeOf(error) ?? "TRUNCATED"
  })

/** OpenSSL's own messages begin with the number of a thread, and end with a line of its source. */
const openSsl = /error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/

/** Requests that cannot be sent at all. */
const isUnsendable = (tag: string, code: string | undefined): boolean =>
  tag === "EncodeError" ||
  tag === "InvalidUrlError" ||
  /^(?:UND_ERR_INVALID_ARG|ERR_INVALID_(?:URL|CHAR|HTTP_TOKEN)|ERR_UNESCAPED_CHARACTERS)$/.test(code ?? "")

/** Whether the connection failed before a request could be sent. */
const isUnsent = (causes: ReadonlyArray<Error>, code: string | undefined): boolean =>
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/.test(code ?? "") ||
  causes.some((cause) => Predicate.hasProperty(cause, "syscall") && cause.syscall === "connect")

/** The server answers, but not in HTTP. */
const isNotHttp = (code: string | undefined): boolean => /^(?:HPE_|Malformed_HTTP)/.test(code ?? "")

const isClosed = (code: string | undefined): boolean => code === "ECONNRESET" || code === "UND_ERR_SOCKET"

/** The facts about a failed connection. */
export interface Attempt {
  /** For connections to the registry itself: whether the registry has not answered any request of the transport yet. */
  readonly firstContact: boolean | undefined
  /** Whether the connection was plain http. */
  readonly isPlain: boolean
  readonly quote: Quote
}

const problemOf = (
  message: string,
  code: string | undefined,
  { firstContact, isPlain }: Attempt
): ConnectionProblem | undefined => {
  // Old versions of Node.js have the code EPROTO for all that OpenSSL reports.
  if (/wrong version/.test(message)) return "WithoutTls"
  if (isPlain && firstContact === true && (code === "NOT_HTTP" || isClosed(code))) return "ProbablyWithTls"
  return Option.getOrUndefined(connectionProblemOf(code ?? ""))
}

/** Node.js adds a flag to its message, which is not all that helps. The error has its own advice. */
const advice = /; if the root CA is installed locally, .*/

const explained = (message: string, code: string | undefined, problem: ConnectionProblem | undefined): string => {
  if (problem === "WithoutTls") return "the server does not speak TLS"
  if (code === "NOT_HTTP") return "the server does not speak HTTP"
  return openSsl.exec(message)?.[1] ?? message.replace(advice, "")
}

/**
 * The reason of a failed connection.
 *
 * A registry that answered before may refuse connections while it restarts, so the client retries. One that has never
 * answered probably has another address, so the operation fails at once.
 */
export const connectionFailure = (
  error: HttpError,
  attempt: Attempt
): { readonly reason: Reason; readonly repeat: Repeat } => {
  const causes = causesOf(error)
  const found = codeAmong(causes)
  const { firstContact } = attempt
  const code = firstContact === true && isNotHttp(found) ? "NOT_HTTP" : found
  const root = causes.findLast(({ message }) => message !== "")?.message ?? error.message
  const problem = problemOf(root, code, attempt)
  const message = attempt.quote.text(explained(root, code, problem), longestMessage)
  if (causes.some((cause) => cause instanceof Outbound.AddressRefused)) {
    return { reason: new Refused({ description: message }), repeat: "never" }
  }
  const description = `${error.reason._tag}: ${message}`
  if (isUnsendable(error.reason._tag, code)) return { reason: new InvalidRequest({ description }), repeat: "never" }

  const coded = { ...(code === undefined ? {} : { code }), ...(problem === undefined ? {} : { problem }) }
  if (firstContact === true && (code === "ECONNREFUSED" || unreachable.has(code))) {
    const why = "; nothing has answered at this address yet, so it was not retried"
    return {
      reason: new Unavailable({ description: description + why, ...coded, firstContact }),
      repeat: "never"
    }
  }
  const reason = new Unavailable({ description, ...coded, ...(firstContact === false ? { firstContact } : {}) })
  if (!reason.isRetryable) return { reason, repeat: "never" }
  return { reason, repeat: isUnsent(causes, code) ? "unprocessed" : "uncertain" }
}
