/**
 * Shortcuts: a HEAD, a mount, the status of an upload. Registries need not support them, and refuse them in many ways.
 * Then the client uses the longer way, and reports only its failures.
 */
import * as Effect from "effect/Effect"
import type { Reason, RegistryError } from "../../RegistryError.ts"

/** The registry cannot answer now, so the longer way would fail as well. */
const isOutage = ({ _tag }: Reason): boolean =>
  _tag === "Throttled" || _tag === "Unavailable" || _tag === "CredentialUnavailable"

/** Runs another effect if a shortcut is refused for such a reason. */
const otherwise =
  (isRefusal: (reason: Reason) => boolean) =>
  <A, R, B, R2>(
    shortcut: Effect.Effect<A, RegistryError, R>,
    longWay: Effect.Effect<B, RegistryError, R2>
  ): Effect.Effect<A | B, RegistryError, R | R2> =>
    Effect.catchIf(
      shortcut,
      ({ reason }) => isRefusal(reason),
      () => longWay
    )

/** Uses the longer way if a shortcut is refused for any reason but an outage. */
export const orLongWay = otherwise((reason) => !isOutage(reason))

/**
 * Whether a registry answered that it does not mount a blob. A 5xx counts, because the fault may affect only mounts. A
 * 429 and a lost connection do not count, because a plain POST would meet the same. A registry that says it mounted
 * other content is not sent any.
 */
export const isNotMounted = ({ reason, response }: RegistryError): boolean =>
  reason._tag === "Unavailable" ? response !== undefined : !isOutage(reason) && reason._tag !== "ContentMismatch"

/**
 * The answer to a HEAD has no body that could explain a refusal. `NotFound` and `Unauthenticated` are clear without
 * one.
 */
const isUnclear = ({ _tag }: Reason): boolean =>
  _tag === "Unsupported" || _tag === "InvalidRequest" || _tag === "InvalidResponse" || _tag === "Forbidden"

/** Whether storage refused a HEAD to which the registry redirected: it signs its links only for GET. */
export const isOfStorage =
  (endpoint: string) =>
  ({ request, response }: RegistryError): boolean =>
    request !== undefined && new URL(request.url).origin !== endpoint && [401, 403, 405].includes(response?.status ?? 0)

/** Requests with GET if a HEAD is not supported. */
export const orByGet = otherwise(isUnclear)
