/**
 * Restores one manifest with its tags from the trash.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isDenied } from "../denied.ts"
import { ifFound } from "../found.ts"

/**
 * A step of a restore: a manifest with its tags.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Step = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** The tags to restore with it. */
  tags: Schema.Array(Schema.String)
})

/**
 * One step of a restore.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = typeof Step.Type

/**
 * The outcome for a manifest or a tag.
 *
 * **Details**
 *
 * - `restored`: it was restored.
 * - `present`: it existed already.
 * - `missing`: the trash does not have it: it expired, or was never deleted.
 * - `taken`: the tag names another manifest by now, and was not moved.
 * - `failed`: the registry refused the restore or did not respond, and the object does not exist.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["restored", "present", "missing", "taken", "failed"])

/**
 * One outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * The result of a step.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RestoredStep = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** The outcome. */
  outcome: Outcome,
  /** Why, if it failed. */
  detail: Schema.optionalKey(Schema.String),
  /** Why `restore` could not read the manifest, if so. What it names was then not restored. */
  unread: Schema.optionalKey(Schema.String),
  /** The outcomes for its tags. */
  tags: Schema.Array(
    Schema.Struct({
      /** The tag. */
      name: Schema.String,
      /** The outcome. */
      outcome: Outcome,
      /** Why it failed, or which manifest has the tag. */
      detail: Schema.optionalKey(Schema.String)
    })
  )
})

/**
 * The result of one step.
 *
 * @category models
 * @since 0.1.0
 */
export type RestoredStep = typeof RestoredStep.Type

/** The repository that something is restored in, and what was restored so far. */
export interface Place {
  readonly registry: ContainerRegistry.Service
  readonly repository: string
  readonly restored: { readonly manifests: Set<string>; readonly tags: Set<string> }
}

interface Said {
  readonly outcome: Outcome
  readonly detail?: string
}

const restored: Said = { outcome: "restored" }
const present: Said = { outcome: "present" }

/** Whether an error is fatal: no other step would succeed either. */
export const isFatal = (error: RegistryError): boolean =>
  isDenied(error) ||
  error.reason._tag === "Unsupported" ||
  (error.reason._tag === "InvalidRequest" && error.reason.argument === "repository")

const saidOf = ({ message, reason }: RegistryError): Said =>
  reason._tag === "NotFound" ? { outcome: "missing" } : { outcome: "failed", detail: message }

/** The outcome of a failed request; a fatal error ends the run. */
const said = (effect: Effect.Effect<Said, RegistryError>): Effect.Effect<Said, RegistryError> =>
  Effect.catchIf(
    effect,
    (error) => !isFatal(error),
    (error) => Effect.succeed(saidOf(error))
  )

/** Sends a restore request. Only a fatal error ends the run. */
const attempt = (
  place: Place,
  digest: Digest.Digest,
  tag: string | undefined
): Effect.Effect<Result.Result<ContainerRegistry.RestoredManifest, RegistryError>, RegistryError> =>
  place.registry.restoreManifest(place.repository, digest, tag === undefined ? {} : { tag }).pipe(
    Effect.map(Result.succeed),
    Effect.catchIf(
      (error) => !isFatal(error),
      (error) => Effect.succeed(Result.fail(error))
    )
  )

const isManifestThere = (place: Place, digest: Digest.Digest): Effect.Effect<boolean, RegistryError> =>
  Effect.map(ifFound(place.registry.manifestProperties(place.repository, digest)), Option.isSome)

/** Restores a manifest that does not exist in the repository. */
const bringBack = (place: Place, digest: Digest.Digest, tag: string | undefined): Effect.Effect<Said, RegistryError> =>
  Effect.gen(function* () {
    const result = yield* attempt(place, digest, tag)
    // The response may be lost, and ACR's refusals are not documented: the state of the repository decides, not the response.
    if (Result.isSuccess(result) || (yield* isManifestThere(place, digest))) {
      place.restored.manifests.add(digest)
      return restored
    }
    // The refusal may be about the tag.
    return tag === undefined || result.failure.isRetryable
      ? saidOf(result.failure)
      : yield* bringBack(place, digest, undefined)
  })

/** Restores a manifest without its tags. */
export const restoreManifest = (place: Place, digest: Digest.Digest): Effect.Effect<Said, RegistryError> =>
  said(
    Effect.flatMap(isManifestThere(place, digest), (isThere) =>
      isThere ? Effect.succeed(present) : bringBack(place, digest, undefined)
    )
  )

/** The outcome for a tag that exists; none if it does not. */
const lookAtTag = (
  place: Place,
  digest: Digest.Digest,
  tag: string
): Effect.Effect<Option.Option<Said>, RegistryError> =>
  Effect.map(
    ifFound(place.registry.tagProperties(place.repository, tag)),
    Option.map((found): Said =>
      found.digest === digest ? present : { outcome: "taken", detail: `it names ${found.digest}` }
    )
  )

const note = ({ restored: { tags } }: Place, tag: string, one: Said): Said => {
  if (one.outcome === "restored") tags.add(tag)
  return one
}

const asRestored = (one: Said): Said => (one.outcome === "present" ? restored : one)

/** Restores a tag of an existing manifest, unless the tag names another manifest by now. */
const restoreTag = (place: Place, digest: Digest.Digest, tag: string): Effect.Effect<Said, RegistryError> =>
  Effect.gen(function* (): Effect.fn.Return<Said, RegistryError> {
    const before = yield* lookAtTag(place, digest, tag)
    if (Option.isSome(before)) return before.value
    const result = yield* attempt(place, digest, tag)
    const isSaid = Result.isSuccess(result) && Option.exists(result.success.tag, (name) => name === tag)
    // The response may be lost or not mention the tag, and the tag may have been pushed meanwhile.
    const after = isSaid ? Option.some(restored) : yield* lookAtTag(place, digest, tag)
    if (Option.isSome(after)) return note(place, tag, asRestored(after.value))
    return Result.isFailure(result)
      ? saidOf(result.failure)
      : { outcome: "failed", detail: "the registry says that it restored the manifest, but the tag is not there" }
  }).pipe(said)

/** Restores tags of an existing manifest. A request restores one tag. */
export const restoreTags = (place: Place, { digest, tags }: Step): Effect.Effect<RestoredStep["tags"], RegistryError> =>
  Effect.forEach(tags, (name) => Effect.map(restoreTag(place, digest, name), (outcome) => ({ name, ...outcome })))

/** The outcomes for the tags of a manifest that could not be restored. */
export const lostTags = (tags: ReadonlyArray<string>, { outcome }: Said): RestoredStep["tags"] =>
  tags.map((name) => ({ name, outcome, ...(outcome === "failed" ? { detail: "its manifest is not there" } : {}) }))

export const isThere = ({ outcome }: Said): boolean => outcome === "restored" || outcome === "present"

/** Whether a tag can be restored together with its manifest. */
const isFree = (place: Place, digest: Digest.Digest, tag: string): Effect.Effect<boolean, RegistryError> =>
  lookAtTag(place, digest, tag).pipe(
    Effect.map(Option.isNone),
    Effect.catchIf(
      (error) => !isFatal(error),
      () => Effect.succeed(false)
    )
  )

/** Restores a manifest with its first free tag in one request, and then the other tags. */
export const restoreStep = (place: Place, step: Step): Effect.Effect<RestoredStep, RegistryError> =>
  Effect.gen(function* () {
    const { digest } = step
    let first: string | undefined
    const manifest = yield* Effect.gen(function* () {
      if (yield* isManifestThere(place, digest)) return present
      first = Option.getOrUndefined(yield* Effect.findFirst(step.tags, (tag) => isFree(place, digest, tag)))
      return yield* bringBack(place, digest, first)
    }).pipe(said)
    if (!isThere(manifest)) return { digest, ...manifest, tags: lostTags(step.tags, manifest) }
    const tags = yield* restoreTags(place, step)
    return { digest, ...manifest, tags: tags.map((tag) => (tag.name === first ? { ...tag, ...asRestored(tag) } : tag)) }
  })
