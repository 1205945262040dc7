/**
 * Reads the tags of a trash: which manifest was deleted under a tag, and which tags attach something to a manifest.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import type * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { SoftDeletedTag } from "@effect-acr/client/SoftDeleted"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as AttachedTags from "../attachedTags.ts"
import { orEmpty } from "../found.ts"

/** The newest deletion of each tag. */
export interface DeletedTags {
  readonly digestOf: (tag: string) => Option.Option<Digest.Digest>
  readonly tagsOf: (digest: Digest.Digest) => ReadonlyArray<string>
}

/** A tag that attaches what it names to another manifest. */
export interface Attached {
  readonly name: string
  readonly digest: Digest.Digest
}

type Deletion = Pick<SoftDeletedTag, "digest" | "deletedOn">

/** Reads the records of a trash one by one, and keeps only the digest and the time of the newest one of each tag. */
const readDeleted = (
  registry: ContainerRegistry.Service,
  repository: string
): Effect.Effect<ReadonlyMap<string, Deletion>, RegistryError> =>
  Stream.runFold(
    orEmpty(registry.deletedTags(repository)),
    () => new Map<string, Deletion>(),
    (newest, { deletedOn, digest, name }) => {
      const known = newest.get(name)
      // Of two records with the same time the last one counts, as in the Azure CLI.
      if (known === undefined || DateTime.isGreaterThanOrEqualTo(deletedOn, known.deletedOn)) {
        newest.set(name, { digest, deletedOn })
      }
      return newest
    }
  )

/**
 * Existing tags that attach something. What they name may be missing in part: a list of referrers stays when its subject is
 * deleted with the referrers in it.
 */
const readPresent = (
  registry: ContainerRegistry.Service,
  repository: string
): Effect.Effect<ReadonlyArray<Attached>, RegistryError> =>
  orEmpty(registry.tags(repository)).pipe(
    Stream.filter(({ name }) => Option.isSome(AttachedTags.parse(name))),
    Stream.map(({ digest, name }): Attached => ({ name, digest })),
    Stream.runCollect
  )

/** Tags that attach something, by the referrers tag of their subject. */
const byList = (
  present: ReadonlyArray<Attached>,
  deletions: ReadonlyMap<string, Deletion>
): ReadonlyMap<string, ReadonlyArray<Attached>> => {
  const lists = new Map<string, Array<Attached>>()
  const add = (one: Attached) => {
    const attached = AttachedTags.parse(one.name)
    if (Option.isNone(attached)) return
    const { list } = attached.value
    const others = lists.get(list) ?? []
    others.push(one)
    lists.set(list, others)
  }
  for (const one of present) add(one)
  for (const [name, { digest }] of deletions) add({ name, digest })
  return lists
}

/** Reads the tags of a repository: those in the trash, and the existing ones that attach something. */
export const readTags = (
  registry: ContainerRegistry.Service,
  repository: string
): Effect.Effect<
  { readonly deleted: DeletedTags; readonly attached: ReadonlyMap<string, ReadonlyArray<Attached>> },
  RegistryError
> =>
  Effect.gen(function* () {
    const deletions = yield* readDeleted(registry, repository)
    const present = yield* readPresent(registry, repository)
    return {
      attached: byList(present, deletions),
      deleted: {
        digestOf: (tag) => Option.map(Option.fromUndefinedOr(deletions.get(tag)), ({ digest }) => digest),
        tagsOf: (wanted) => Array.from(deletions).flatMap(([name, { digest }]) => (digest === wanted ? [name] : []))
      }
    }
  })
