/**
 * The one error of the library.
 *
 * Every operation fails with a `RegistryError`; its `reason` is one of thirteen things that a caller can act on. Handle
 * one of them with `Effect.catchReason`, several with `Effect.catchReasons`. `isRetryable` tells whether the same
 * operation may succeed later:
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
 * No token, password or signed address is part of an error, in whatever form it is printed. Texts of a registry have no
 * control characters, so that an error can be printed to a terminal and written to a log.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { printable } from "./Printable.ts"

/** What happened, for a person to read: what the registry said, or what was found here. */
const description = Schema.String

/**
 * A permission that a request lacked, as the registry names it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MissingPermission = Schema.Struct({
  /** What it is for: `repository`, or `registry` for the list of repositories. */
  type: Schema.String,
  /** The name of the repository; `catalog` for the list of repositories. */
  name: Schema.String,
  /** What the request would do: `pull`, `push`, `delete`, `metadata_read`, `metadata_write`, or `*`. */
  action: Schema.String
})

/**
 * A permission that a request lacked, as the registry names it.
 *
 * @category models
 * @since 0.1.0
 */
export type MissingPermission = typeof MissingPermission.Type

const permissionFields = {
  description,
  /** The permissions that the request lacked, if the registry says so, as Azure Container Registry does. */
  missing: Schema.Array(MissingPermission).pipe(Schema.withConstructorDefault(Effect.succeed([])))
}

const lacking = (description: string, missing: ReadonlyArray<MissingPermission>): string => {
  const permissions = missing.map(({ action, name, type }) => `${action} on ${type} ${name}`)
  return printable(missing.length === 0 ? description : `${description} (missing: ${permissions.join(", ")})`)
}

/**
 * The registry does not know the caller: it needs a login, or refuses the one that was sent (401). Log in, or log in
 * differently.
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
 * The registry knows the caller and refuses: a role or permission is missing, or a network rule or a policy is in the way
 * (403; ACR answers 401 where the login lacks the scope).
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
 * What was asked for is not there (404).
 *
 * **Gotchas**
 *
 * A registry may say so as well of what one may not see.
 *
 * **Example** (A tag, if there is one)
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
  /** What is missing; `endpoint` if the server does not know such a path at all. */
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
 * The ways in which registries say so differ: ACR answers 405 for a lock. For a tag that exists and cannot be overwritten
 * ECR and Google answer 400, Docker Hub 403, Harbor 412, others 409, which is recognized by the code or the message.
 *
 * **Gotchas**
 *
 * ACR answers the same to a push when the storage of the registry is full, and to a pull by digest of a manifest in
 * quarantine (`quarantineState` of `ManifestProperties`).
 *
 * @category reasons
 * @since 0.1.0
 */
export class Locked extends Schema.TaggedError<Locked>("@effect-acr/client/RegistryError/Locked")("Locked", {
  description,
  /**
   * `lock`: a lock that can be removed (ACR: `canDelete`, `canWrite` or `canRead` is false). `immutability`: a rule of the
   * registry keeps the tag as it is; push another tag.
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
 * The registry does not offer this to any caller: it does not implement the request, or its operators disabled it (405, 501, or
 * the code `UNSUPPORTED`). Many registries do not delete by this API.
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

/** How long the registry asks to wait. In milliseconds where the error is written as JSON. */
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
    /** How long the registry asks to wait, if it says so. */
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
 * Codes of connections that fail until somebody changes a certificate: the names of OpenSSL's verification errors, Node's own,
 * and what servers say of the client's certificate.
 */
const untrusted = [
  /^(?:CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|ERROR_IN_C)/,
  /^(?:HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/,
  /^ERR_SSL_.*(?:CERT|UNKNOWN_CA|ACCESS_DENIED)/
]

/**
 * Codes that a wrong name, scheme or port explains, unless the registry has answered at this address before. TLS: OpenSSL's
 * reasons for which a handshake fails; damaged records are not among them.
 */
const misled = [
  /^(?:ENOTFOUND|ERR_INVALID_URL|EPROTO|NOT_HTTP)$/,
  /^ERR_SSL_.*(?:VERSION|PROTOCOL|HANDSHAKE_FAILURE|CIPHER|UNRECOGNIZED_NAME|_TOO_SMALL|_TOO_WEAK|HTTP_REQUEST|PROXY_REQUEST|PACKET_LENGTH|SECURITY)/
]

const isAmong = (patterns: ReadonlyArray<RegExp>, code: string): boolean =>
  patterns.some((pattern) => pattern.test(code))

/**
 * The registry gave no answer that counts: the connection failed or broke, the answer did not come in time, or the registry
 * reports a fault of its own (408, 5xx).
 *
 * **Gotchas**
 *
 * An operation that changes something may have been carried out although its answer was lost.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("@effect-acr/client/RegistryError/Unavailable")(
  "Unavailable",
  {
    description,
    /**
     * What went wrong with the connection, if it did, in the words of the runtime: `ENOTFOUND`, `ECONNREFUSED`,
     * `ECONNRESET`, `CERT_HAS_EXPIRED`, `UND_ERR_CONNECT_TIMEOUT`. This library adds `TIMEOUT` (no answer or no progress in
     * time), `TRUNCATED` (an answer that ended early) and `NOT_HTTP` (a server of another protocol).
     */
    code: Schema.optionalKey(Schema.String),
    /**
     * True if the connection was refused or no route leads to the host, and the registry has not answered any request of
     * this conversation. It is not retried then. False if the registry has answered before. Absent for all other failures
     * at first contact, and for other servers than the registry.
     */
    firstContact: Schema.optionalKey(Schema.Boolean),
    /** How long the registry asks to wait, if it says so. */
    retryAfter
  }
) {
  /**
   * False if the connection fails until somebody changes something: an untrusted or expired certificate; and an unknown host,
   * or a server without TLS or HTTP, unless the registry has answered at this address before.
   */
  get isRetryable(): boolean {
    const { code, firstContact } = this
    return code === undefined || !(isAmong(untrusted, code) || (firstContact !== false && isAmong(misled, code)))
  }

  override get message(): string {
    return waiting(this.description, this.retryAfter)
  }
}

/**
 * The request is wrong: an argument breaks its grammar, which is found before anything is sent, or the registry refuses the
 * request with 400 and the like. Only the latter has a `response` in the error.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-acr/client/RegistryError/InvalidRequest"
)("InvalidRequest", {
  description,
  /** The argument or the option that is refused, if the caller's own: `tag`, `pageSize`, `endpoint`. */
  argument: Schema.optionalKey(Schema.String),
  /**
   * The value that is refused, at most 128 characters. Parts that may be a secret, such as a pasted password, are replaced by
   * `<redacted>`, and characters that do not print by escapes.
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
 * The registry broke its protocol: an answer that can't be read, pages that go in a circle, a status nobody expects.
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
 * Content differs from what its digest or its size says: it was changed on the way, or is not what it was said to be.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentMismatch extends Schema.TaggedError<ContentMismatch>(
  "@effect-acr/client/RegistryError/ContentMismatch"
)("ContentMismatch", {
  description,
  /** The digest or the size that was wanted. */
  expected: Schema.String,
  /** The digest or the size that it has. */
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
 * Something is larger than the limit that protects this program's memory.
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
 * This library refuses: going on would send credentials, or follow the registry, where the caller did not point it.
 * `trustedRealms` and `allowedHosts` of `Transport.Options` point it there; docs/origins.md says what for.
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
 * Why a credential gave nothing: it is not set up here or not meant for this registry, it was tried and failed, or it
 * did not answer in time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CredentialProblem = Schema.Literals(["NotConfigured", "Failed", "TimedOut"])

/**
 * Why one credential gave nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type CredentialProblem = typeof CredentialProblem.Type

const credentialFields = {
  /** Which one: `AzureCliCredential`, `docker configuration`. */
  credential: Schema.String,
  /** Whether it is not set up here, failed, or did not answer in time. */
  problem: CredentialProblem,
  description
}

/**
 * One credential of several, and why it was passed over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PassedOver = Schema.Struct(credentialFields)

/**
 * One credential of several, and why it was passed over.
 *
 * @category models
 * @since 0.1.0
 */
export type PassedOver = typeof PassedOver.Type

/**
 * The caller's own credential failed before the registry was asked, or is not of the kind that the operation needs.
 *
 * @category reasons
 * @since 0.1.0
 */
export class CredentialUnavailable extends Schema.TaggedError<CredentialUnavailable>(
  "@effect-acr/client/RegistryError/CredentialUnavailable"
)("CredentialUnavailable", {
  ...credentialFields,
  /** Where several were tried: each of them, in order. */
  passedOver: Schema.Array(PassedOver).pipe(Schema.withConstructorDefault(Effect.succeed([]))),
  /** What the credential failed with. */
  cause: Schema.optionalKey(Schema.Defect())
}) {
  /** True if the credential did not answer in time. */
  get isRetryable(): boolean {
    return this.problem === "TimedOut"
  }

  override get message(): string {
    return [
      // Whoever fails for several is named beside each of them.
      this.passedOver.length === 0 ? `${this.credential}: ${this.description}` : this.description,
      ...this.passedOver.map(({ credential, description }) => `- ${credential}: ${description}`)
    ]
      .map(printable)
      .join("\n")
  }
}

/**
 * All reasons, as one schema.
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
 * Any of the reasons; `_tag` tells them apart.
 *
 * @category models
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * One entry of an error answer.
 *
 * **Details**
 *
 * OCI distribution specification, "Error Codes". Other bodies are read as well: a `message` without a code, as Artifactory
 * and gateways send it, the `error` and `error_description` of OAuth, the `details` of Docker Hub. In all texts, secrets are replaced by `<redacted>`, and characters that do
 * not print by escapes such as `\u001b`: programs print these fields more often than they compare them. Long texts, and a
 * `detail` of more than 16 levels or 1000 values, are cut and marked with `…`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseError = Schema.Struct({
  /** What went wrong, in one word: `MANIFEST_UNKNOWN`; empty if the registry does not say. */
  code: Schema.String,
  /** What went wrong, for a person to read; empty if the registry does not say. */
  message: Schema.String,
  /** Whatever the registry adds. */
  detail: Schema.optionalKey(Schema.Json)
})

/**
 * One entry of an error answer, read.
 *
 * @category models
 * @since 0.1.0
 */
export type ResponseError = typeof ResponseError.Type

/**
 * The answer that an error stems from.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailedResponse = Schema.Struct({
  /** The status code. */
  status: Schema.Int,
  /** ACR's name for this very answer, which its support asks for. */
  correlationId: Schema.optionalKey(Schema.String),
  /** The registry's own errors, first to last; none where the answer was not its usual JSON. */
  errors: Schema.Array(ResponseError)
})

/**
 * The answer that an error stems from.
 *
 * @category models
 * @since 0.1.0
 */
export type FailedResponse = typeof FailedResponse.Type

/**
 * The request that an error stems from. The query is left out: it may hold state that is a secret.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailedRequest = Schema.Struct({
  /** The method. */
  method: Schema.String,
  /** The address, without its query. */
  url: Schema.String,
  /** This library's own name for the request (`x-ms-client-request-id`), by which a registry's operators find it. */
  clientRequestId: Schema.String
})

/**
 * The request that an error stems from.
 *
 * @category models
 * @since 0.1.0
 */
export type FailedRequest = typeof FailedRequest.Type

/**
 * A failed operation.
 *
 * **Details**
 *
 * `message` puts all of it in one line: the operation, the reason, the request, the status and the two ids by which a
 * registry's operators find it.
 *
 * **Example** (Several reasons at once)
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
     * The operation that the caller called, for example `ContainerRegistry.deleteTag`; also if a request for a token or a
     * part of a transfer failed. `request` tells which request it was.
     */
    operation: Schema.String,
    /** Why, as something to act on. */
    reason: Reason,
    /**
     * The request that failed, also if it was refused before it was sent. None if an argument was refused, and none if the
     * body of a download broke off.
     */
    request: Schema.optionalKey(FailedRequest),
    /** What the registry answered; none if nothing came, or if it was no answer of failure. */
    response: Schema.optionalKey(FailedResponse),
    /**
     * What the operation had done before it failed, if a part of it stays done: a manifest is pushed, but not listed among
     * the referrers of its subject, or is pushed under some of its tags.
     */
    completed: Schema.optionalKey(Schema.String)
  }
) {
  /**
   * Whether the same operation may succeed later, with nothing changed by the caller. The retries of the policy are over by
   * then. `Throttled` is retryable, `Unavailable` unless the cause lasts (an unknown host, an untrusted certificate), and a
   * credential that did not answer in time.
   */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** How long the registry asks to wait before the next attempt, if it says so. */
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
 * Tells whether a value is a `RegistryError`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRegistryError: (input: unknown) => input is RegistryError = Schema.is(RegistryError)
