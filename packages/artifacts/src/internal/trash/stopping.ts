/**
 * A restore that ends early says what it has done.
 */
import { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import type { RestoredStep } from "./step.ts"

const isRestored = ({ outcome }: Pick<RestoredStep, "outcome">): boolean => outcome === "restored"

/** What was restored, for a person to read; empty if nothing was. */
const describe = (steps: ReadonlyArray<RestoredStep>): string => {
  const manifests = steps.filter(isRestored).map(({ digest }) => digest)
  const tags = steps.flatMap((step) => step.tags.filter(isRestored).map(({ name }) => name))
  return [
    ...(manifests.length === 0 ? [] : [`manifests were restored: ${manifests.length}`]),
    ...(tags.length === 0 ? [] : [`tags were restored: ${tags.length}`])
  ].join(", ")
}

/** Adds to the error of a restore what it has done so far. */
export const stopping = <A>(
  restore: Effect.Effect<A, RegistryError>,
  done: () => ReadonlyArray<RestoredStep>
): Effect.Effect<A, RegistryError> =>
  Effect.mapError(restore, (error) => {
    const completed = describe(done())
    return completed === "" ? error : new RegistryError({ ...error, completed })
  })
