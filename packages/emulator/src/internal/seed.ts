/**
 * Puts images of seeds into a registry, without requests.
 */
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import type { Digest } from "@effect-acr/client/Digest"
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SeedError } from "../SeedError.ts"
import * as SeedImage from "../SeedImage.ts"
import { nameOfSeed } from "./seedName.ts"
import { plan } from "./seedPlan.ts"
import * as Target from "./seedTarget.ts"
import type { Repository, Store } from "./store.ts"
import * as EmulatorClock from "./clock.ts"

/** The time of the push of a seed, in milliseconds since 1970. */
export const pushedAtMillis = ({ pushedAt }: Pick<SeedImage.SeedImage, "pushedAt">, nowMillis: number): number => {
  if (pushedAt === undefined) return nowMillis
  return EmulatorClock.within(
    DateTime.isDateTime(pushedAt) ? DateTime.toEpochMillis(pushedAt) : nowMillis - Duration.toMillis(pushedAt)
  )
}

/** Checks a seed of a caller, because types do not check grammars. */
export const check = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S
): ((seed: unknown) => Effect.Effect<S["Type"], SeedError>) => {
  const decode = Schema.decodeUnknownEffect(schema, { onExcessProperty: "error" })
  return (seed) =>
    Effect.mapError(decode(seed), ({ message }) => new SeedError({ seed: nameOfSeed(seed), description: message }))
}

/**
 * Whether all tags of a seed name other manifests, and are kept. The seed is then done, because the manifest that its
 * tags named may have been deleted since.
 */
export const isTaken = (
  repository: Pick<Repository, "tags"> | undefined,
  tags: ReadonlyArray<string>,
  { onTag = "keep" }: Pick<SeedImage.SeedImage, "onTag">,
  root: Digest
): boolean =>
  onTag === "keep" &&
  tags.length > 0 &&
  tags.every((tag) => {
    const present = repository?.tags.get(tag)
    return present !== undefined && present.digest !== root
  })

/** The tags to set. */
const unset = (store: Store, { onTag, repository }: SeedImage.SeedImage, tags: ReadonlyArray<string>) =>
  tags.filter((tag) => onTag === "overwrite" || store.repositories.get(repository)?.tags.has(tag) !== true)

const encodeLocks = Schema.encodeSync(SeedImage.SeedLocks)

/** The number of things in a repository. Seeds add to it, and remove nothing. */
const countIn = (store: Store, name: string): number => {
  const repository = store.repositories.get(name)
  return repository === undefined ? 0 : repository.tags.size + repository.manifests.size
}

const checkImage = check(Schema.toType(SeedImage.SeedImage))

/** Puts an image, and returns its digest: that of the index if it has one. */
export const seed = (
  parts: Target.Parts,
  input: SeedImage.SeedImage,
  nowMillis: number
): Effect.Effect<Digest, SeedError> =>
  Effect.gen(function* () {
    const { management, store } = parts
    const image = yield* checkImage(input)
    const name = nameOfSeed(image)
    const { blobs, manifests, root } = yield* plan(image)
    const { locks = {}, repository, tags = [] } = image
    const known = store.repositories.get(repository)
    if (isTaken(known, tags, image, root)) return root

    const newTags = tags.filter((tag) => known?.tags.has(tag) !== true)
    const isNew = known?.manifests.has(root) !== true
    const before = countIn(store, repository)
    const millis = pushedAtMillis(image, nowMillis)
    const stamp = store.stamp(millis)
    const at = (time: () => string): ContentStore<SeedError> =>
      Target.make(parts, { repository: RepositoryName.make(repository), seed: name, stamp: time })
    const target = at(() => stamp)
    // Referrers are listed by their times.
    const later = at(() => store.stamp(millis))

    for (const { descriptor, source } of blobs) yield* target.putBlob(descriptor, source)
    for (const manifest of manifests) {
      const options = { tags: unset(store, image, manifest.tags) }
      yield* (manifest.isLater ? later : target).putManifest(manifest.raw, options)
    }

    // Existing things keep their current locks.
    const lock = () => {
      if (locks.tags !== undefined) {
        for (const tag of newTags) management.updateTag(repository, tag, encodeLocks(locks.tags))
      }
      if (locks.manifest !== undefined && isNew) {
        management.updateManifest(repository, root, encodeLocks(locks.manifest), false)
      }
      if (locks.repository !== undefined && countIn(store, repository) > before) {
        management.updateRepository(repository, encodeLocks(locks.repository))
      }
    }
    yield* Effect.try({
      try: lock,
      catch: (cause) => new SeedError({ seed: name, description: String(cause), cause })
    })
    return root
  }).pipe(
    Effect.mapError((cause) =>
      cause instanceof SeedError ? cause : new SeedError({ seed: nameOfSeed(input), description: cause.message, cause })
    )
  )
