/**
 * What may not be there.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** A 404 of a server that does not know the path, such as a proxy, says nothing of what is there. */
const isAbsent = ({ reason }: RegistryError): boolean => reason._tag === "NotFound" && reason.resource !== "endpoint"

/** What is there; none if nothing is. */
export const ifFound = <A>(effect: Effect.Effect<A, RegistryError>): Effect.Effect<Option.Option<A>, RegistryError> =>
  Effect.catchIf(Effect.asSome(effect), isAbsent, () => Effect.succeedNone)

/** A list; empty if the repository is not there. A 404 after the list has begun is no end of it: more would have come. */
export const orEmpty = <A>(list: Stream.Stream<A, RegistryError>): Stream.Stream<A, RegistryError> =>
  Stream.suspend(() => {
    let hasBegun = false
    const begun = Stream.map(list, (one) => {
      hasBegun = true
      return one
    })
    return Stream.catchIf(
      begun,
      (error) => !hasBegun && isAbsent(error),
      () => Stream.empty
    )
  })
