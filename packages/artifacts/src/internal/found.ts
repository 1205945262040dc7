/**
 * Requests for content that may be absent.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** A 404 of a server that does not know the path, such as a proxy, does not mean that the content is absent. */
const isAbsent = ({ reason }: RegistryError): boolean => reason._tag === "NotFound" && reason.resource !== "endpoint"

/** The result of a request; none if the content is absent. */
export const ifFound = <A>(effect: Effect.Effect<A, RegistryError>): Effect.Effect<Option.Option<A>, RegistryError> =>
  Effect.catchIf(Effect.asSome(effect), isAbsent, () => Effect.succeedNone)

/** A list; empty if the repository does not exist. A 404 on a later page is an error, since the list is then incomplete. */
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
