/**
 * Shortcuts: a HEAD, a mount, the status of an upload. Registries need not offer them, and say so in many ways. What they
 * would save is done the long way then, and only what fails there is told.
 */
import * as Effect from "effect/Effect"
import type { Reason, RegistryError } from "../../RegistryError.ts"

/** The registry can't answer now: it could not answer the long way either. */
const isOutage = ({ _tag }: Reason): boolean =>
  _tag === "Throttled" || _tag === "Unavailable" || _tag === "CredentialUnavailable"

/** Does something else where a shortcut is refused for such a reason. */
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

/** Takes the long way where a shortcut is refused, however that is said. */
export const orLongWay = otherwise((reason) => !isOutage(reason))

/**
 * Whether a registry answered that it does not mount a blob. A 5xx counts, because the fault may affect mounts alone. A 429
 * and a lost connection do not count, because a plain POST would meet the same. A registry that says it mounted other
 * content is not sent any.
 */
export const isNotMounted = ({ reason, response }: RegistryError): boolean =>
  reason._tag === "Unavailable" ? response !== undefined : !isOutage(reason) && reason._tag !== "ContentMismatch"

/** A HEAD has no body that could explain itself. That there is nothing, or no login, is an answer nonetheless. */
const isUnclear = ({ _tag }: Reason): boolean =>
  _tag === "Unsupported" || _tag === "InvalidRequest" || _tag === "InvalidResponse" || _tag === "Forbidden"

/** Whether storage refused a HEAD to which the registry redirected: it signs its links for GET alone. */
export const isOfStorage =
  (endpoint: string) =>
  ({ request, response }: RegistryError): boolean =>
    request !== undefined && new URL(request.url).origin !== endpoint && [401, 403, 405].includes(response?.status ?? 0)

/** Asks by GET where a HEAD is not understood. */
export const orByGet = otherwise(isUnclear)
