/**
 * Shared parts of the targets of all registries.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Operation from "@effect-acr/client/Operation"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Transport from "@effect-acr/client/Transport"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** The services of a registry that a retention needs. */
export interface Services {
  readonly content: RegistryContent.Service
  readonly registry: ContainerRegistry.Service
  readonly transport: Transport.Service
}

/** RFC 9110, "Date": the time of the response, to the second. */
export const registryTime = (transport: Transport.Service): Effect.Effect<Option.Option<DateTime.Utc>, RegistryError> =>
  transport.execute(
    Operation.get("/v2/", {
      name: "Retention.time",
      // A response to an anonymous request has the header, too.
      success: [200, 401],
      decode: ({ headers }) => Effect.succeed(DateTime.make(headers["date"] ?? ""))
    })
  )
