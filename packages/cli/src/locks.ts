/**
 * The locks of Azure Container Registry on repositories, manifests and tags, as far as a registry tells them.
 */
import type * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Registries from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Refused } from "./problem.ts"

/** A caller may read content and not metadata. */
const withoutAnswer: ReadonlySet<RegistryError["reason"]["_tag"]> = new Set([
  "Unsupported",
  "NotFound",
  "Forbidden",
  "Unauthenticated"
])

/** What the management API says; nothing if the registry has none, or does not tell this caller. */
export const ifTold = <A>(
  properties: Effect.Effect<A, RegistryError>
): Effect.Effect<Option.Option<A>, RegistryError> =>
  Effect.catchIf(
    Effect.asSome(properties),
    ({ reason }) => withoutAnswer.has(reason._tag),
    () => Effect.succeedNone
  )

/** What is to be deleted in a repository. */
interface Doomed {
  readonly tags: ReadonlyArray<string>
  readonly digest?: Digest.Digest
}

/** A lock against writing keeps a thing from being deleted, too. */
const isLocked = ({ canDelete, canWrite }: ChangeableAttributes.ChangeableAttributes): boolean =>
  !canDelete || !canWrite

/** Fails as a change would that a lock of the repository, of a tag or of a manifest forbids. */
const expectUnlocked = (
  place: Option.Option<Registries.Opened>,
  { digest, tags }: Doomed,
  isLocked: (attributes: ChangeableAttributes.ChangeableAttributes) => boolean
) =>
  Effect.gen(function* () {
    if (Option.isNone(place)) return
    const { registry, repository } = place.value
    const lockable = [
      [`the repository ${repository}`, registry.repositoryProperties(repository)] as const,
      ...(digest === undefined ? [] : [[digest, registry.manifestProperties(repository, digest)] as const]),
      ...tags.map((tag) => [`the tag ${tag}`, registry.tagProperties(repository, tag)] as const)
    ]
    for (const [name, properties] of lockable) {
      const told = yield* ifTold<ChangeableAttributes.ChangeableAttributes>(properties)
      if (!Option.exists(told, isLocked)) continue
      return yield* new Refused({ description: `${name} is locked`, help: "unlock it first: eacr unlock" })
    }
  })

/** Fails as a deletion would that a lock forbids. */
export const expectDeletable = (place: Option.Option<Registries.Opened>, doomed: Doomed) =>
  expectUnlocked(place, doomed, isLocked)

/** Fails as setting tags would, or putting a manifest without one, that a lock against writing forbids. */
export const expectWritable = (place: Option.Option<Registries.Opened>, tags: ReadonlyArray<string>) =>
  expectUnlocked(place, { tags }, ({ canWrite }) => !canWrite)
