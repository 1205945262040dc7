/**
 * Restores one manifest with its tags from the trash.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isDenied } from "../denied.ts"

/**
 * What to restore from the trash.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Step = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** The tags that it gets back. */
  tags: Schema.Array(Schema.String)
})

/**
 * What to restore from the trash.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = typeof Step.Type

/**
 * What became of a manifest or a tag.
 *
 * **Details**
 *
 * - `restored`: it is there again.
 * - `present`: it was there already.
 * - `missing`: it is not in the trash: it expired, or was never deleted.
 * - `taken`: the tag names another manifest by now, and stays there.
 * - `failed`: the registry refused it, or did not answer. A second attempt finds out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["restored", "present", "missing", "taken", "failed"])

/**
 * What became of a manifest or a tag.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * What became of a step.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RestoredStep = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** What became of it. */
  outcome: Outcome,
  /** Why, if it failed. */
  detail: Schema.optionalKey(Schema.String),
  /** What became of its tags. */
  tags: Schema.Array(
    Schema.Struct({
      /** The tag. */
      name: Schema.String,
      /** What became of it. */
      outcome: Outcome,
      /** Why, if it failed. */
      detail: Schema.optionalKey(Schema.String)
    })
  )
})

/**
 * What became of a step.
 *
 * @category models
 * @since 0.1.0
 */
export type RestoredStep = typeof RestoredStep.Type

interface Said {
  readonly outcome: Outcome
  readonly detail?: string
}

const said = (effect: Effect.Effect<Outcome, RegistryError>): Effect.Effect<Said, RegistryError> =>
  effect.pipe(
    Effect.map((outcome): Said => ({ outcome })),
    Effect.catchReason("RegistryError", "NotFound", () => Effect.succeed<Said>({ outcome: "missing" })),
    Effect.catchIf(
      (error) => !isDenied(error),
      ({ message }) => Effect.succeed<Said>({ outcome: "failed", detail: message })
    )
  )

/** Restores a manifest without its tags. */
export const restoreManifest = (
  registry: ContainerRegistry.Service,
  repository: string,
  digest: Digest.Digest
): Effect.Effect<Said, RegistryError> =>
  said(
    registry.manifestProperties(repository, digest).pipe(
      Effect.as<Outcome>("present"),
      Effect.catchReason("RegistryError", "NotFound", () =>
        Effect.as(registry.restoreManifest(repository, digest), "restored" as const)
      )
    )
  )

/** Restores a tag of a manifest, unless it names another one by now. */
const restoreTag = (
  registry: ContainerRegistry.Service,
  repository: string,
  digest: Digest.Digest,
  tag: string
): Effect.Effect<Said, RegistryError> =>
  said(
    registry.tagProperties(repository, tag).pipe(
      Effect.map((found): Outcome => (found.digest === digest ? "present" : "taken")),
      Effect.catchReason("RegistryError", "NotFound", () =>
        Effect.as(registry.restoreManifest(repository, digest, { tag }), "restored" as const)
      )
    )
  )

/** Restores the tags of a manifest that is there. The registry takes one at a time. */
export const restoreTags = (
  registry: ContainerRegistry.Service,
  repository: string,
  { digest, tags }: Step
): Effect.Effect<RestoredStep["tags"], RegistryError> =>
  Effect.forEach(tags, (name) =>
    Effect.map(restoreTag(registry, repository, digest, name), (outcome) => ({ name, ...outcome }))
  )

const isThere = ({ outcome }: Said): boolean => outcome === "restored" || outcome === "present"

/** Restores a manifest, and then its tags. */
export const restoreStep = (
  registry: ContainerRegistry.Service,
  repository: string,
  step: Step
): Effect.Effect<RestoredStep, RegistryError> =>
  Effect.gen(function* () {
    const manifest = yield* restoreManifest(registry, repository, step.digest)
    const tags = isThere(manifest)
      ? yield* restoreTags(registry, repository, step)
      : step.tags.map((name) => ({ name, outcome: manifest.outcome }))
    return { digest: step.digest, ...manifest, tags }
  })
