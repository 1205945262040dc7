/**
 * A repository of a registry without ACR's management API: only manifests that tags lead to are known.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { RetentionTarget, TagState } from "../../RetentionTarget.ts"
import { ifFound, orEmpty } from "../found.ts"
import { registryTime, type Services } from "./services.ts"

/** Tags that are resolved at the same time. */
const resolvesAtOnce = 16

const namesByDigest = (tags: ReadonlyArray<TagState>): ReadonlyMap<Digest.Digest, ReadonlyArray<string>> => {
  const names = new Map<Digest.Digest, Array<string>>()
  for (const { digest, name } of tags) {
    const others = names.get(digest)
    if (others === undefined) names.set(digest, [name])
    else others.push(name)
  }
  return names
}

export const make = ({ content, registry, transport }: Services, repository: string): RetentionTarget => {
  const tag = (name: string): Effect.Effect<Option.Option<TagState>, RegistryError> =>
    Effect.map(
      ifFound(content.resolve(repository, name)),
      Option.map(({ digest }) => ({ name, digest, isLocked: false }))
    )
  const tags = orEmpty(content.tags(repository)).pipe(
    Stream.mapEffect(tag, { concurrency: resolvesAtOnce }),
    Stream.flatMap((found) => Stream.fromIterable(Option.toArray(found)))
  )
  const referrers = (subject: Digest.Digest) =>
    Stream.map(content.referrers(repository, subject), ({ digest }) => digest)
  return {
    origin: { place: registry.loginServer, repository },
    now: registryTime(transport),
    contents: Effect.succeedNone,
    tags,
    listing: { _tag: "Tagged", referrers },
    manifest: (digest) => ifFound(content.rawManifest(repository, digest)),
    tag,
    look: (digests) => {
      const present = Effect.forEach(digests, (digest) => ifFound(content.resolve(repository, digest)), {
        concurrency: resolvesAtOnce
      })
      const attached = Effect.forEach(digests, (digest) => Stream.runCollect(referrers(digest)), {
        concurrency: resolvesAtOnce
      })
      // There is no list by time: any tag may have moved.
      const looks = Effect.all([Stream.runCollect(tags), present, attached], { concurrency: 3 })
      return Effect.map(looks, ([all, found, refer]) => {
        const named = namesByDigest(all)
        const namesOf = (digest: Digest.Digest) => named.get(digest) ?? []
        return {
          newerTags: all,
          newer: [
            ...Array.from(named, ([digest, names]) => ({ digest, tags: names })),
            ...refer.flat().map((digest) => ({ digest, tags: namesOf(digest) }))
          ],
          manifests: new Map(
            found
              .flatMap((one) => Option.toArray(one))
              .map(({ digest }) => [digest, { digest, isLocked: false, tags: namesOf(digest) }] as const)
          )
        }
      })
    },
    deleteTag: (name) => content.deleteTag(repository, name),
    // `RegistryContent` would read the manifest first, to update the list of its subject's referrers.
    deleteManifest: (digest) => Effect.asVoid(registry.deleteManifest(repository, digest)),
    // Without the API there are no locks.
    unlock: () => Effect.succeed({ relock: Effect.void }),
    deletedTags: Stream.empty
  }
}
