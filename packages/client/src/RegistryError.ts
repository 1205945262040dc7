/**
 * The one error of the library.
 *
 * Every operation fails with a `RegistryError`; its `reason` is one of a dozen things that a caller can act on. Handle
 * one of them with `Effect.catchReason`, several with `Effect.catchReasons`:
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
 * No token, password or signed address is part of an error, in whatever form it is printed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const description = Schema.String

/**
 * The registry does not know who is asking: no credential, a refused one, or an anonymous caller where one is needed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>(
  "@effect-acr/client/RegistryError/Unauthenticated"
)("Unauthenticated", { description }) {
  override get message(): string {
    return this.description
  }
}

/**
 * The registry knows who is asking and refuses: a missing role or permission, or a network rule.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Forbidden extends Schema.TaggedError<Forbidden>("@effect-acr/client/RegistryError/Forbidden")(
  "Forbidden",
  {
    description
  }
) {
  override get message(): string {
    return this.description
  }
}

/**
 * What was asked for is not there.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>("@effect-acr/client/RegistryError/NotFound")("NotFound", {
  /** What is missing. */
  resource: Schema.Literals(["repository", "tag", "manifest", "blob", "upload", "endpoint"]),
  description
}) {
  override get message(): string {
    return this.description
  }
}

/**
 * The repository, tag or manifest is locked (ACR: `deleteEnabled` or `writeEnabled` is false), or the operation is not
 * allowed on this registry (405).
 *
 * @category reasons
 * @since 0.1.0
 */
export class Locked extends Schema.TaggedError<Locked>("@effect-acr/client/RegistryError/Locked")("Locked", {
  description
}) {
  override get message(): string {
    return this.description
  }
}

/**
 * The registry asks for fewer requests (429), and retrying was given up or would take longer than the policy allows.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Throttled extends Schema.TaggedError<Throttled>("@effect-acr/client/RegistryError/Throttled")(
  "Throttled",
  {
    description,
    /** How long the registry asks to wait, in milliseconds, if it says so. */
    retryAfterMillis: Schema.optionalKey(Schema.Finite)
  }
) {
  override get message(): string {
    return this.description
  }
}

/**
 * No answer that counts: the connection failed or was cut, the answer did not come in time, or the registry reports a
 * fault of its own (408, 5xx). Trying again later may help.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("@effect-acr/client/RegistryError/Unavailable")(
  "Unavailable",
  {
    description,
    /** How long the registry asks to wait, in milliseconds, if it says so. */
    retryAfterMillis: Schema.optionalKey(Schema.Finite)
  }
) {
  override get message(): string {
    return this.description
  }
}

/**
 * The request can't be right: an argument that breaks its grammar, found here, or whatever the registry refuses with
 * 400 and the like.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-acr/client/RegistryError/InvalidRequest"
)("InvalidRequest", { description }) {
  override get message(): string {
    return this.description
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
  override get message(): string {
    return this.description
  }
}

/**
 * Content differs from what its digest or its size says.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentMismatch extends Schema.TaggedError<ContentMismatch>(
  "@effect-acr/client/RegistryError/ContentMismatch"
)("ContentMismatch", {
  description,
  expected: Schema.String,
  actual: Schema.String
}) {
  override get message(): string {
    return `${this.description}: expected ${this.expected}, got ${this.actual}`
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
  override get message(): string {
    return `${this.description} is larger than ${this.limitBytes} bytes`
  }
}

/**
 * This library refuses: going on would send credentials, or follow the registry, where the caller did not point it.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>("@effect-acr/client/RegistryError/Refused")("Refused", {
  description
}) {
  override get message(): string {
    return this.description
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
 * @category models
 * @since 0.1.0
 */
export type CredentialProblem = typeof CredentialProblem.Type

const credentialFields = {
  /** Which one: `AzureCliCredential`, `the docker configuration /root/.docker/config.json`. */
  credential: Schema.String,
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
 * @category models
 * @since 0.1.0
 */
export type PassedOver = typeof PassedOver.Type

/**
 * The caller's own credential failed before the registry was asked.
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
  override get message(): string {
    return [
      this.description,
      ...this.passedOver.map(({ credential, description }) => `- ${credential}: ${description}`)
    ].join("\n")
  }
}

/**
 * All reasons.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Unauthenticated,
  Forbidden,
  NotFound,
  Locked,
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
 * @category models
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * One entry of an error answer.
 *
 * **Details**
 *
 * OCI distribution specification, "Error codes". `code` is upper-case by convention, `detail` is whatever the registry
 * adds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseError = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  detail: Schema.optionalKey(Schema.Json)
})

/**
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
  status: Schema.Int,
  /** ACR's name for this very answer, which its support asks for. */
  correlationId: Schema.optionalKey(Schema.String),
  /** The registry's own errors, first to last; none where the answer was not its usual JSON. */
  errors: Schema.Array(ResponseError)
})

/**
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
  method: Schema.String,
  url: Schema.String,
  /** This library's own name for the request (`x-ms-client-request-id`), by which a registry's operators find it. */
  clientRequestId: Schema.String
})

/**
 * @category models
 * @since 0.1.0
 */
export type FailedRequest = typeof FailedRequest.Type

/**
 * A failed operation.
 *
 * @category errors
 * @since 0.1.0
 */
export class RegistryError extends Schema.TaggedError<RegistryError>("@effect-acr/client/RegistryError")(
  "RegistryError",
  {
    /** The operation that failed, for example `ContainerRegistry.deleteTag`. */
    operation: Schema.String,
    reason: Reason,
    request: Schema.optionalKey(FailedRequest),
    response: Schema.optionalKey(FailedResponse)
  }
) {
  override get message(): string {
    const asked =
      this.request === undefined
        ? ""
        : ` (${this.request.method} ${this.request.url}${answered(this.response)}, client request id ${this.request.clientRequestId})`
    return `${this.operation}: ${this.reason._tag}: ${this.reason.message}${asked}`
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
