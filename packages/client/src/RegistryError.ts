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
 * No token, password or signed address is part of an error, in whatever form it is printed. Texts of a registry have no
 * control characters, so that an error can be printed to a terminal and written to a log.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { printable } from "./internal/schema/printable.ts"

/** What happened, for a person to read: what the registry said, or what was found here. */
const description = Schema.String

/**
 * The registry does not know who is asking: no credential, a refused one, or an anonymous caller where one is needed (401).
 * Log in, or log in differently.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>(
  "@effect-acr/client/RegistryError/Unauthenticated"
)("Unauthenticated", { description }) {
  override get message(): string {
    return printable(this.description)
  }
}

/**
 * The registry knows who is asking and refuses: a missing role or permission, or a network rule (403).
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
    return printable(this.description)
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
  override get message(): string {
    return printable(this.description)
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
    return printable(this.description)
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
    return printable(this.description)
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
    return printable(this.description)
  }
}

/**
 * The request can't be right: an argument that breaks its grammar, found here, or whatever the registry refuses with
 * 400 and the like. `request` of the error tells the two apart: what was found here has none.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>(
  "@effect-acr/client/RegistryError/InvalidRequest"
)("InvalidRequest", { description }) {
  override get message(): string {
    return printable(this.description)
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
  override get message(): string {
    return [
      this.description,
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
 * OCI distribution specification, "Error Codes". In all texts, secrets are replaced by `<redacted>`, and characters that do
 * not print by escapes such as `\u001b`: programs print these fields more often than they compare them. Long texts, and a
 * `detail` of more than 16 levels or 1000 values, are cut and marked with `…`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseError = Schema.Struct({
  /** What went wrong, in one word: `MANIFEST_UNKNOWN`. */
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
 *       Throttled: ({ retryAfterMillis }) => Console.log(`the registry wants ${retryAfterMillis ?? "some"} ms`)
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
    /** The operation that failed, for example `ContainerRegistry.deleteTag`. */
    operation: Schema.String,
    /** Why, as something to act on. */
    reason: Reason,
    /** The request that failed; none if nothing was sent. */
    request: Schema.optionalKey(FailedRequest),
    /** What the registry answered; none if nothing came, or if it was no answer of failure. */
    response: Schema.optionalKey(FailedResponse)
  }
) {
  override get message(): string {
    const asked =
      this.request === undefined
        ? ""
        : ` (${this.request.method} ${this.request.url}${answered(this.response)}, client request id ${this.request.clientRequestId})`
    return `${printable(this.operation)}: ${this.reason._tag}: ${this.reason.message}${printable(asked)}`
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
