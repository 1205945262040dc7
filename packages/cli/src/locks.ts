/**
 * The locks of Azure Container Registry on repositories, manifests and tags, as far as the registry reports them.
 */
import * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Registries from "@effect-acr/client/Registries"
import { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Refused, unlocks } from "./problem.ts"

/** A caller may have the right to read content and not metadata. */
const withoutAnswer: ReadonlySet<RegistryError["reason"]["_tag"]> = new Set([
  "Unsupported",
  "NotFound",
  "Forbidden",
  "Unauthenticated"
])

/** The answer of the management API; none if the registry has no such API, or refuses it to this caller. */
export const ifTold = <A>(
  properties: Effect.Effect<A, RegistryError>
): Effect.Effect<Option.Option<A>, RegistryError> =>
  Effect.catchIf(
    Effect.asSome(properties),
    ({ reason }) => withoutAnswer.has(reason._tag),
    () => Effect.succeedNone
  )

/** What a call deletes in a repository. */
interface Doomed {
  readonly tags: ReadonlyArray<string>
  readonly digest?: Digest.Digest
}

/** Fails as the change would if a lock of the repository, a tag or a manifest forbids it. */
const expectUnlocked = (
  place: Option.Option<Registries.Opened>,
  { digest, tags }: Doomed,
  isAllowed: (attributes: ChangeableAttributes.ChangeableAttributes) => boolean
) =>
  Effect.gen(function* () {
    if (Option.isNone(place)) return
    const { reference, registry, repository } = place.value
    const name = `${reference.registry}/${repository}`
    const lockable = [
      [`the repository ${repository}`, name, registry.repositoryProperties(repository)] as const,
      ...(digest === undefined
        ? []
        : [[digest, `${name}@${digest}`, registry.manifestProperties(repository, digest)] as const]),
      ...tags.map((tag) => [`the tag ${tag}`, `${name}:${tag}`, registry.tagProperties(repository, tag)] as const)
    ]
    for (const [what, full, properties] of lockable) {
      const told = yield* ifTold<ChangeableAttributes.ChangeableAttributes>(properties)
      if (Option.isNone(told) || isAllowed(told.value)) continue
      return yield* new Refused({ description: `${what} is locked`, help: unlocks(full) })
    }
  })

/** Fails as the deletion would if a lock forbids it. */
export const expectDeletable = (place: Option.Option<Registries.Opened>, doomed: Doomed) =>
  expectUnlocked(place, doomed, ChangeableAttributes.isDeletable)

/**
 * Deletes, and after a refusal says which lock forbids it: the registry does not tell whether it is that of the repository, the
 * manifest or a tag.
 */
export const deleting = <A, E, R>(
  place: Option.Option<Registries.Opened>,
  doomed: Doomed,
  deletion: Effect.Effect<A, E | RegistryError, R>
) =>
  Effect.tapError(deletion, (error) =>
    error instanceof RegistryError && error.reason._tag === "Locked" ? expectDeletable(place, doomed) : Effect.void
  )

/** Fails as setting the tags, or pushing a manifest without one, would if a lock against writing forbids it. */
export const expectWritable = (place: Option.Option<Registries.Opened>, tags: ReadonlyArray<string>) =>
  expectUnlocked(place, { tags }, ({ canWrite }) => canWrite)
