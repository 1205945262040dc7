/**
 * What may not be there.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** What is there; none if nothing is. */
export const ifFound = <A>(effect: Effect.Effect<A, RegistryError>): Effect.Effect<Option.Option<A>, RegistryError> =>
  Effect.catchReason(Effect.asSome(effect), "RegistryError", "NotFound", () => Effect.succeedNone)

/** A list; empty if the repository is not there. */
export const orEmpty = <A>(list: Stream.Stream<A, RegistryError>): Stream.Stream<A, RegistryError> =>
  Stream.catchIf(
    list,
    ({ reason }) => reason._tag === "NotFound",
    () => Stream.empty
  )
