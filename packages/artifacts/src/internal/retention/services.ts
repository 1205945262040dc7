/**
 * What targets of all registries do with the services of a registry.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Operation from "@effect-acr/client/Operation"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Transport from "@effect-acr/client/Transport"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** The services of a registry that a retention needs. */
export interface Services {
  readonly content: RegistryContent.Service
  readonly registry: ContainerRegistry.Service
  readonly transport: Transport.Service
}

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

/** RFC 9110, "Date": the time at which the registry answered, to the second. */
export const registryTime = (transport: Transport.Service): Effect.Effect<Option.Option<DateTime.Utc>, RegistryError> =>
  transport.execute(
    Operation.get("/v2/", {
      name: "Retention.time",
      // The answer to a caller without a login has the header as well.
      success: [200, 401],
      decode: ({ headers }) => Effect.succeed(DateTime.make(headers["date"] ?? ""))
    })
  )
