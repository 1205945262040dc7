/**
 * The types of errors: which reasons remain, and the fields of each.
 */
import type * as ContainerRegistry from "../src/ContainerRegistry.ts"
import type { Digest } from "../src/Digest.ts"
import type * as RegistryContent from "../src/RegistryContent.ts"
import type * as RegistryError from "../src/RegistryError.ts"
import type { TagProperties } from "../src/TagProperties.ts"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { expectTypeOf } from "vitest"

declare const registry: ContainerRegistry.Service
declare const content: RegistryContent.Service
declare const error: RegistryError.RegistryError

/** The tags of all reasons, as docs/errors-and-retries.md lists them. */
type Tags =
  | "Unauthenticated"
  | "CredentialUnavailable"
  | "Forbidden"
  | "NotFound"
  | "Locked"
  | "Unsupported"
  | "Throttled"
  | "Unavailable"
  | "InvalidRequest"
  | "InvalidResponse"
  | "ContentMismatch"
  | "TooLarge"
  | "Refused"

expectTypeOf(error.reason).toEqualTypeOf<RegistryError.Reason>()
expectTypeOf(error.reason._tag).toEqualTypeOf<Tags>()

// The error and each of its reasons have `isRetryable`, so that it can be used before and after `unwrapReason`.
expectTypeOf(error.isRetryable).toBeBoolean()
expectTypeOf(error.reason.isRetryable).toBeBoolean()
expectTypeOf(error.retryAfter).toEqualTypeOf<Duration.Duration | undefined>()

// A handler of one reason receives that reason and the whole error; the others remain in a RegistryError.
const withoutTag = registry.deleteTag("library/hello-world", "latest").pipe(
  Effect.catchReason("RegistryError", "NotFound", (reason, whole) => {
    expectTypeOf(reason).toEqualTypeOf<RegistryError.NotFound>()
    expectTypeOf(reason.resource).toEqualTypeOf<"repository" | "tag" | "manifest" | "blob" | "upload" | "endpoint">()
    expectTypeOf(whole.operation).toBeString()
    expectTypeOf(whole.response?.status).toEqualTypeOf<number | undefined>()
    return Effect.succeed("nothing to delete")
  })
)
expectTypeOf<Effect.Success<typeof withoutTag>>().toEqualTypeOf<Option.Option<Digest> | string>()
expectTypeOf<Effect.Error<typeof withoutTag>>().toEqualTypeOf<RegistryError.RegistryError>()

export const handlers = registry.repositoryProperties("library/hello-world").pipe(
  Effect.catchReasons("RegistryError", {
    Throttled: ({ retryAfter }) => {
      expectTypeOf(retryAfter).toEqualTypeOf<Duration.Duration | undefined>()
      return Effect.void
    },
    Locked: ({ by }) => {
      expectTypeOf(by).toEqualTypeOf<"lock" | "immutability">()
      return Effect.void
    },
    Unavailable: ({ code, firstContact, problem }) => {
      expectTypeOf(problem).toEqualTypeOf<"WithoutTls" | "ProbablyWithTls" | "UntrustedIssuer" | undefined>()
      expectTypeOf(code).toEqualTypeOf<string | undefined>()
      expectTypeOf(firstContact).toEqualTypeOf<boolean | undefined>()
      return Effect.void
    },
    InvalidRequest: ({ argument, value }) => {
      expectTypeOf(argument).toEqualTypeOf<string | undefined>()
      expectTypeOf(value).toEqualTypeOf<string | undefined>()
      return Effect.void
    },
    Forbidden: ({ missing }) => {
      expectTypeOf(missing).toEqualTypeOf<ReadonlyArray<RegistryError.MissingPermission>>()
      return Effect.void
    },
    CredentialUnavailable: ({ passedOver, problem }) => {
      expectTypeOf(problem).toEqualTypeOf<"NotConfigured" | "Failed" | "TimedOut">()
      expectTypeOf(passedOver).toEqualTypeOf<ReadonlyArray<RegistryError.PassedOver>>()
      return Effect.void
    }
  })
)

const tagsOrResource = registry
  .tags("library/hello-world")
  .pipe(Stream.catchReason("RegistryError", "NotFound", ({ resource }) => Stream.succeed(resource)))
expectTypeOf<Stream.Success<typeof tagsOrResource>>().toEqualTypeOf<
  TagProperties | RegistryError.NotFound["resource"]
>()

export const misspelt = registry
  .repositoryProperties("library/hello-world")
  // @ts-expect-error there is no such reason
  .pipe(Effect.catchReason("RegistryError", "Gone", () => Effect.void))

// A handled reason is removed from the remaining ones.
const unwrapped = content.headBlob("library/hello-world", "sha256:0").pipe(
  Effect.unwrapReason("RegistryError"),
  Effect.catchTag("NotFound", () => Effect.void)
)
expectTypeOf<Effect.Error<typeof unwrapped>["_tag"]>().toEqualTypeOf<Exclude<Tags, "NotFound">>()

const left = registry.deleteTag("library/hello-world", "latest").pipe(
  Effect.catchReason(
    "RegistryError",
    "NotFound",
    () => Effect.void,
    (reason) => Effect.fail(reason)
  )
)
expectTypeOf<Effect.Error<typeof left>["_tag"]>().toEqualTypeOf<Exclude<Tags, "NotFound">>()

/** A switch over all reasons needs no default. */
export const advice = (reason: RegistryError.Reason): string => {
  switch (reason._tag) {
    case "Unauthenticated":
    case "CredentialUnavailable":
      return "log in"
    case "Forbidden":
      return "ask for a role"
    case "NotFound":
      return `there is no such ${reason.resource}`
    case "Locked":
      return reason.by === "lock" ? "unlock it" : "push another tag"
    case "Unsupported":
      return "the registry cannot do that"
    case "Throttled":
    case "Unavailable":
      return `try again in ${Duration.format(reason.retryAfter ?? Duration.seconds(1))}`
    case "InvalidRequest":
    case "InvalidResponse":
    case "Refused":
      return reason.description
    case "ContentMismatch":
      return `${reason.actual} is not ${reason.expected}`
    case "TooLarge":
      return `more than ${reason.limitBytes} bytes`
  }
}
