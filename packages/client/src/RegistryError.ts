/**
 * The error of the library: one type, with a reason that a program can act on.
 *
 * Every operation fails with a `RegistryError`; its `reason` is one of thirteen that a caller can act on. Handle one of
 * them with `Effect.catchReason`, several with `Effect.catchReasons`. `isRetryable` says whether the same operation may
 * succeed later:
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { Console, Effect } from "effect"
 *
 * const deleteUnlessLocked = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   yield* registry.deleteTag("library/hello-world", "latest").pipe(
 *     Effect.catchReason("RegistryError", "Locked", () => Console.log("locked: unlock it first"))
 *   )
 * })
 * ```
 *
 * Errors never contain tokens, passwords or signed addresses, in any form in which they are printed. Control characters
 * in texts of a registry are escaped, so an error is safe to print to a terminal and to write to a log.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Digest } from "./Digest.ts"
import { printable } from "./Printable.ts"

/** What happened, as a text for humans: the message of the registry, or a finding of the client. */
const description = Schema.String

/**
 * A permission that a request lacked, as the registry names it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MissingPermission = Schema.Struct({
  /** The type of the resource: `repository`, or `registry` for the list of repositories. */
  type: Schema.String,
  /** The name of the repository; `catalog` for the list of repositories. */
  name: Schema.String,
  /** The action that was refused: `pull`, `push`, `delete`, `metadata_read`, `metadata_write`, or `*`. */
  action: Schema.String
})

export type MissingPermission = typeof MissingPermission.Type

const permissionFields = {
  description,
  /** The permissions that the request lacked, if the registry names them, as Azure Container Registry does. */
  missing: Schema.Array(MissingPermission).pipe(Schema.withConstructorDefault(Effect.succeed([])))
}

const lacking = (description: string, missing: ReadonlyArray<MissingPermission>): string => {
  const permissions = missing.map(({ action, name, type }) => `${action} on ${type} ${name}`)
  return printable(missing.length === 0 ? description : `${description} (missing: ${permissions.join(", ")})`)
}

/**
 * The registry requires a login, or refuses the one that was sent (401). Log in, or use another login.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>(
  "@effect-acr/client/RegistryError/Unauthenticated"
)("Unauthenticated", permissionFields) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return lacking(this.description, this.missing)
  }
}

/**
 * The registry accepts the login and refuses the request: a role or permission is missing, or a network rule or a
 * policy forbids it (403; ACR answers 401 if the login lacks the scope).
 *
 * @category reasons
 * @since 0.1.0
 */
export class Forbidden extends Schema.TaggedError<Forbidden>("@effect-acr/client/RegistryError/Forbidden")(
  "Forbidden",
  permissionFields
) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return lacking(this.description, this.missing)
  }
}

/**
 * The requested repository, tag, manifest, blob or endpoint does not exist (404).
 *
 * **Gotchas**
 *
 * A registry may also answer 404 for content that the caller may not see.
 *
 * **Example** (Reading a tag if it exists)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const findTag = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   return yield* registry
 *     .tagProperties("library/hello-world", "latest")
 *     .pipe(Effect.asSome, Effect.catchReason("RegistryError", "NotFound", () => Effect.succeedNone))
 * })
 * ```
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>("@effect-acr/client/RegistryError/NotFound")("NotFound", {
  /** What is missing; `endpoint` if the server does not know the path at all. */
  resource: Schema.Literals(["repository", "tag", "manifest", "blob", "upload", "endpoint"]),
  description
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(this.description)
  }
}

/**
 * The repository, tag or manifest is locked, or the tag exists and is immutable.
 *
 * **Details**
 *
 * Registries report this in different ways. ACR answers 405 for a lock. For an existing tag that cannot be overwritten,
 * ECR and Google answer 400, Docker Hub 403, Harbor 412, and others 409; the client recognizes them by the code or the
 * message.
 *
 * **Gotchas**
 *
 * ACR sends the same response to a push when the storage of the registry is full, and to a pull by digest of a manifest
 * in quarantine (`quarantineState` of `ManifestProperties`).
 *
 * @category reasons
 * @since 0.1.0
 */
export class Locked extends Schema.TaggedError<Locked>("@effect-acr/client/RegistryError/Locked")("Locked", {
  description,
  /**
   * `lock`: a lock that can be removed (ACR: `canDelete`, `canWrite` or `canRead` is false). `immutability`: a rule of
   * the registry forbids changing the tag; push another tag.
   */
  by: Schema.Literals(["lock", "immutability"])
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(this.description)
  }
}

/**
 * The registry does not offer this to any caller: it does not implement the request, or its operators disabled it (405,
 * 501, or the code `UNSUPPORTED`). Many registries do not support deletion by this API.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unsupported extends Schema.TaggedError<Unsupported>("@effect-acr/client/RegistryError/Unsupported")(
  "Unsupported",
  { description }
) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(this.description)
  }
}

/** How long the registry asks to wait. Milliseconds in the JSON form of the error. */
const retryAfter = Schema.optionalKey(Schema.DurationFromMillis)

const waiting = (description: string, retryAfter: Duration.Duration | undefined): string =>
  printable(
    retryAfter === undefined ? description : `${description}; the registry asks to wait ${Duration.format(retryAfter)}`
  )

/**
 * The registry asks for fewer requests (429), and the retry policy ended or allows no wait as long as the registry asks for.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Throttled extends Schema.TaggedError<Throttled>("@effect-acr/client/RegistryError/Throttled")(
  "Throttled",
  {
    description,
    /** How long the registry asks to wait, if it states a time. */
    retryAfter
  }
) {
  /** Always true. */
  get isRetryable(): boolean {
    return true
  }

  override get message(): string {
    return waiting(this.description, this.retryAfter)
  }
}

/**
 * Codes of connections that fail until a certificate changes: the names of OpenSSL's verification errors, Node's own,
 * and what servers say of the client's certificate.
 */
const untrusted = [
  /^(?:CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|ERROR_IN_C)/,
  /^(?:HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/,
  /^ERR_SSL_.*(?:CERT|UNKNOWN_CA|ACCESS_DENIED)/
]

/**
 * Codes that indicate a wrong name, scheme or port, unless the registry has answered at this address before. TLS:
 * OpenSSL's reasons for which a handshake fails; damaged records are not among them.
 */
const misled = [
  /^(?:ENOTFOUND|ERR_INVALID_URL|EPROTO|NOT_HTTP)$/,
  /^ERR_SSL_.*(?:VERSION|PROTOCOL|HANDSHAKE_FAILURE|CIPHER|UNRECOGNIZED_NAME|_TOO_SMALL|_TOO_WEAK|HTTP_REQUEST|PROXY_REQUEST|PACKET_LENGTH|SECURITY)/
]

const isAmong = (patterns: ReadonlyArray<RegExp>, code: string): boolean =>
  patterns.some((pattern) => pattern.test(code))

/**
 * Why a connection to a server failed, where a setting of the caller may help.
 *
 * - `WithoutTls`: the server does not speak TLS, and the endpoint begins with `https://`.
 * - `ProbablyWithTls`: the endpoint begins with `http://`, and the server has not answered in HTTP yet.
 * - `UntrustedIssuer`: this program does not trust the issuer of the server's certificate.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ConnectionProblem = Schema.Literals(["WithoutTls", "ProbablyWithTls", "UntrustedIssuer"])

export type ConnectionProblem = typeof ConnectionProblem.Type

/** Codes of handshakes with a server that does not speak TLS. */
const withoutTls = [/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/]

/** Codes of certificates that are valid, but whose issuer this program does not trust. */
const untrustedIssuer = [/^(?:CERT_UNTRUSTED$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_)/]

/**
 * Returns the problem that a code of Node.js or OpenSSL indicates by itself: `WithoutTls` or `UntrustedIssuer`.
 *
 * **When to use**
 *
 * Use in tools that open connections themselves. Errors of this library have the `problem` already.
 *
 * @category getters
 * @since 0.1.0
 */
export const connectionProblemOf = (code: string): Option.Option<ConnectionProblem> => {
  if (isAmong(withoutTls, code)) return Option.some("WithoutTls")
  return isAmong(untrustedIssuer, code) ? Option.some("UntrustedIssuer") : Option.none()
}

const advice: Record<ConnectionProblem, string> = {
  WithoutTls: "for plain http the endpoint begins with http://",
  ProbablyWithTls: "if the server speaks TLS, the endpoint begins with https://",
  UntrustedIssuer:
    "if the certificate is right, trust its issuer: NODE_EXTRA_CA_CERTS names a file of certificates, and NODE_USE_SYSTEM_CA=1 trusts those of the system"
}

/**
 * The registry is unavailable: the connection failed or broke, the response timed out, or the registry reports a fault
 * of its own (408, 5xx).
 *
 * **Gotchas**
 *
 * An operation that changes something may have been carried out although its response was lost.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("@effect-acr/client/RegistryError/Unavailable")(
  "Unavailable",
  {
    description,
    /**
     * The runtime's code if the connection failed: `ENOTFOUND`, `ECONNREFUSED`, `ECONNRESET`, `CERT_HAS_EXPIRED`,
     * `UND_ERR_CONNECT_TIMEOUT`. This library adds `TIMEOUT` (no response or no progress in time), `TRUNCATED` (a
     * response that ended early) and `NOT_HTTP` (a server of another protocol).
     */
    code: Schema.optionalKey(Schema.String),
    /** Why the connection failed, if a setting of the caller may help. The message says which one. */
    problem: Schema.optionalKey(ConnectionProblem),
    /**
     * True if the connection was refused or no route leads to the host, and the registry has not answered any request
     * of this transport. Such a failure is not retried. False if the registry has answered before. Absent for all other
     * failures at first contact, and for servers other than the registry.
     */
    firstContact: Schema.optionalKey(Schema.Boolean),
    /** How long the registry asks to wait, if it states a time. */
    retryAfter
  }
) {
  /**
   * False if the cause lasts: an untrusted or expired certificate; and an unknown host, or a server without TLS or
   * HTTP, unless the registry has answered at this address before.
   */
  get isRetryable(): boolean {
    const { code, firstContact } = this
    return code === undefined || !(isAmong(untrusted, code) || (firstContact !== false && isAmong(misled, code)))
  }

  override get message(): string {
    const { description, problem } = this
    return waiting(problem === undefined ? description : `${description}; ${advice[problem]}`, this.retryAfter)
  }
}

/**
 * The request is invalid: the client refuses an argument before it sends anything, or the registry refuses the request
 * with 400 or a similar status. Only in the second case does the error have a `response`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-acr/client/RegistryError/InvalidRequest"
)("InvalidRequest", {
  description,
  /** The argument or the option that the client refused: `tag`, `pageSize`, `endpoint`. */
  argument: Schema.optionalKey(Schema.String),
  /**
   * The refused value, at most 128 characters. Parts that may be a secret, such as a pasted password, are replaced with
   * `<redacted>`, and unprintable characters with escapes.
   */
  value: Schema.optionalKey(Schema.String)
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    const { argument, description, value } = this
    const subject = argument === undefined || value === undefined ? argument : `${argument} "${value}"`
    return printable(subject === undefined ? description : `${subject}: ${description}`)
  }
}

/**
 * The registry broke its protocol: a response that cannot be read, pages that repeat, an unexpected status.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidResponse extends Schema.TaggedError<InvalidResponse>(
  "@effect-acr/client/RegistryError/InvalidResponse"
)("InvalidResponse", { description }) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(this.description)
  }
}

/**
 * Content does not match its digest or its size: it was changed in transit, or the digest or size was wrong.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentMismatch extends Schema.TaggedError<ContentMismatch>(
  "@effect-acr/client/RegistryError/ContentMismatch"
)("ContentMismatch", {
  description,
  /** The expected digest or size. */
  expected: Schema.String,
  /** The actual digest or size. */
  actual: Schema.String
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(`${this.description}: expected ${this.expected}, got ${this.actual}`)
  }
}

/**
 * A response or a document is larger than the limit that protects the program's memory.
 *
 * @category reasons
 * @since 0.1.0
 */
export class TooLarge extends Schema.TaggedError<TooLarge>("@effect-acr/client/RegistryError/TooLarge")("TooLarge", {
  description,
  /** The limit, in bytes. */
  limitBytes: Schema.Natural
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(`${this.description} is larger than ${this.limitBytes} bytes`)
  }
}

/**
 * The client refuses to continue, because it would send credentials or requests to a server that the caller did not
 * allow. `trustedRealms` and `allowedHosts` of `Transport.Options` allow one; docs/origins.md explains when to.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>("@effect-acr/client/RegistryError/Refused")("Refused", {
  description
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return printable(this.description)
  }
}

/**
 * Why a credential is unavailable: it is not configured here or not meant for this registry, it failed, or it timed
 * out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CredentialProblem = Schema.Literals(["NotConfigured", "Failed", "TimedOut"])

export type CredentialProblem = typeof CredentialProblem.Type

/**
 * One credential of several, and why it was passed over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PassedOver = Schema.Struct({
  /** The name of the credential: `AzureCliCredential`, `docker configuration`. */
  credential: Schema.String,
  /** Whether the credential is not configured here, failed, or timed out. */
  problem: CredentialProblem,
  description
})

export type PassedOver = typeof PassedOver.Type

/**
 * The caller's own credential failed before a request to the registry, or is not of the kind that the operation needs.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialUnavailable extends Schema.TaggedError<CredentialUnavailable>(
  "@effect-acr/client/RegistryError/CredentialUnavailable"
)("CredentialUnavailable", {
  /** The name of the credential: `AzureCliCredential`, `docker configuration`. */
  credential: Schema.String,
  /** Whether the credential is not configured here, failed, or timed out. */
  problem: CredentialProblem,
  description,
  /** If several credentials were tried: each of them, in order. */
  passedOver: Schema.Array(PassedOver).pipe(Schema.withConstructorDefault(Effect.succeed([]))),
  /** The error of the credential. */
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** True if the credential timed out. */
  get isRetryable(): boolean {
    return this.problem === "TimedOut"
  }

  override get message(): string {
    return [
      // With several credentials, each of them is named below.
      this.passedOver.length === 0 ? `${this.credential}: ${this.description}` : this.description,
      ...this.passedOver.map(({ credential, description }) => `- ${credential}: ${description}`)
    ]
      .map(printable)
      .join("\n")
  }
}

/**
 * The schema of all reasons.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Unauthenticated,
  Forbidden,
  NotFound,
  Locked,
  Unsupported,
  Throttled,
  Unavailable,
  InvalidRequest,
  InvalidResponse,
  ContentMismatch,
  TooLarge,
  Refused,
  CredentialUnavailable
])

/**
 * Any of the reasons; `_tag` distinguishes them.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * One entry of an error response.
 *
 * **Details**
 *
 * OCI distribution specification, "Error Codes". Other bodies are read as well: a `message` without a code, as
 * Artifactory and gateways send it, the `error` and `error_description` of OAuth, the `details` of Docker Hub. In all
 * texts, secrets are replaced with `<redacted>`, and unprintable characters with escapes such as `\u001b`, because
 * programs print these fields more often than they compare them. Long texts, and a `detail` of more than 16 levels or
 * 1000 values, are cut and marked with `…`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseError = Schema.Struct({
  /** The code of the error: `MANIFEST_UNKNOWN`. Empty if the registry sends none. */
  code: Schema.String,
  /** The message for humans. Empty if the registry sends none. */
  message: Schema.String,
  /** Further data of the registry. */
  detail: Schema.optionalKey(Schema.Json)
})

export type ResponseError = typeof ResponseError.Type

const decodeDigest = Schema.decodeUnknownOption(Schema.Union([Digest, Schema.Struct({ digest: Digest })]))

/**
 * Returns the digest that an entry of an error response names in its detail: as a field of an object, or as the detail itself. For
 * `MANIFEST_BLOB_UNKNOWN`, that is the content that the registry lacks.
 *
 * @category getters
 * @since 0.1.0
 */
export const digestOf = ({ detail }: ResponseError): Option.Option<Digest> =>
  Option.map(decodeDigest(detail), (stated) => (typeof stated === "string" ? stated : stated.digest))

/**
 * The answer that an error stems from.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailedResponse = Schema.Struct({
  /** The status code. */
  status: Schema.Int,
  /** ACR's id of the response, which Azure support asks for. */
  correlationId: Schema.optionalKey(Schema.String),
  /** The registry's own errors, first to last. Empty if the body was not the registry's JSON. */
  errors: Schema.Array(ResponseError)
})

export type FailedResponse = typeof FailedResponse.Type

/**
 * The failed request. The query is left out, because it may contain secret state.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailedRequest = Schema.Struct({
  /** The HTTP method. */
  method: Schema.String,
  /** The address, without its query. */
  url: Schema.String,
  /** The client's id of the request (`x-ms-client-request-id`), with which the operators of a registry can find it. */
  clientRequestId: Schema.String
})

export type FailedRequest = typeof FailedRequest.Type

/**
 * A failed operation.
 *
 * **Details**
 *
 * `message` has all of it: the operation, the reason, the request, the status and the two ids with which the operators
 * of a registry can find the request.
 *
 * **Example** (Handling several reasons)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { Console, Effect } from "effect"
 *
 * const remove = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   yield* registry.deleteTag("library/hello-world", "latest").pipe(
 *     Effect.asVoid,
 *     Effect.catchReasons("RegistryError", {
 *       NotFound: ({ resource }) => Console.log(`no such ${resource}`),
 *       Locked: () => Console.log("locked: unlock it first"),
 *       Throttled: ({ retryAfter }) => Console.log(`too many requests, wait ${retryAfter ?? "some time"}`)
 *     })
 *   )
 * })
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistryError extends Schema.TaggedError<RegistryError>("@effect-acr/client/RegistryError")(
  "RegistryError",
  {
    /**
     * The operation that the caller called, for example `ContainerRegistry.deleteTag`, even if a request for a token or
     * a part of a transfer failed. `request` is the failed request.
     */
    operation: Schema.String,
    /** The reason, for the program to act on. */
    reason: Reason,
    /**
     * The failed request, even if it was refused before it was sent. Absent if an argument was refused, or if the body
     * of a download broke off.
     */
    request: Schema.optionalKey(FailedRequest),
    /** The error response of the registry. Absent if there was no response, or if its status was not an error. */
    response: Schema.optionalKey(FailedResponse),
    /**
     * What the operation completed before it failed, if a part remains done: a manifest was pushed, but not listed
     * among the referrers of its subject, or was pushed under some of its tags.
     */
    completed: Schema.optionalKey(Schema.String)
  }
) {
  /**
   * Whether the same operation may succeed later, with no change by the caller. The retries of the policy have already
   * ended. `Throttled` is retryable, and so are `Unavailable` unless the cause lasts (an unknown host, an untrusted
   * certificate), and a credential that timed out.
   */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** How long the registry asks to wait before the next attempt, if it states a time. */
  get retryAfter(): Duration.Duration | undefined {
    return "retryAfter" in this.reason ? this.reason.retryAfter : undefined
  }

  override get message(): string {
    const asked =
      this.request === undefined
        ? ""
        : ` (${this.request.method} ${this.request.url}${answered(this.response)}, client request id ${this.request.clientRequestId})`
    const before = this.completed === undefined ? "" : `; before that, ${this.completed}`
    return `${printable(this.operation)}: ${this.reason._tag}: ${this.reason.message}${printable(`${before}${asked}`)}`
  }
}

const answered = (response: FailedResponse | undefined): string =>
  response === undefined
    ? ""
    : ` answered ${response.status}${response.correlationId === undefined ? "" : `, correlation id ${response.correlationId}`}`

/**
 * Tests whether a value is a `RegistryError`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRegistryError: (input: unknown) => input is RegistryError = Schema.is(RegistryError)
