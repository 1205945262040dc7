/**
 * Adds to the error of a restore that ends early what was restored.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type { Place } from "./step.ts"

/** What was restored, for people to read; empty if nothing was. */
const describe = ({ manifests, tags }: Place["restored"]): string =>
  [
    ...(manifests.size === 0 ? [] : [`manifests were restored: ${manifests.size}`]),
    ...(tags.size === 0 ? [] : [`tags were restored: ${tags.size}`])
  ].join(", ")

export const restoring = <A>(
  registry: ContainerRegistry.Service,
  repository: string,
  restore: (place: Place) => Effect.Effect<A, RegistryError>
): Effect.Effect<A, RegistryError> =>
  Effect.suspend(() => {
    const place: Place = { registry, repository, restored: { manifests: new Set(), tags: new Set() } }
    return Effect.mapError(restore(place), (error) => {
      const completed = describe(place.restored)
      return completed === "" ? error : new RegistryError({ ...error, completed })
    })
  })
