/**
 * Reads the content of repositories: from Azure Container Registry's own lists, or tag by tag elsewhere.
 */
import { namesList } from "@effect-acr/artifacts/ContentStore"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import type { Opened as RegistryOpened } from "@effect-acr/client/Registries"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type { Rules } from "../MigrationRules.ts"
import { isIndex } from "./artifact.ts"
import type { PlaceError, Source } from "./places.ts"

/** A manifest with its tags, as listed. */
export interface Listed {
  readonly tags: ReadonlyArray<string>
  /** The size of its content in bytes. */
  readonly size?: number
  /** Seconds since 1970. */
  readonly changed?: number
}

/** The content of a source repository. */
export interface Inventory {
  readonly manifests: ReadonlyMap<Digest.Digest, Listed>
  /** Whether it is listed by tags, so that new referrers may not be listed. */
  readonly isOfTags?: boolean
  /** The signature tags of cosign 2 that the rules do not select, each with its digest. */
  readonly signatures?: ReadonlyArray<string>
}

/** The content of a target repository. */
export interface Holdings {
  /** The digests of the tags; `undefined` for a tag whose digest is not listed. */
  readonly tags: ReadonlyMap<string, Digest.Digest | undefined>
  /** All manifests, if they are listed. */
  readonly manifests?: ReadonlySet<Digest.Digest>
  /** Manifests that it was asked for, and lacks. */
  readonly lacking?: ReadonlySet<Digest.Digest>
}

const resolvesAtOnce = 8

const isUnsupported = ({ reason }: RegistryError): boolean => reason._tag === "Unsupported"

const isAbsent = ({ reason }: RegistryError): boolean => reason._tag === "NotFound" && reason.resource !== "endpoint"

/** The tags under which cosign 2 stores signatures, attestations and SBOMs of an image. */
const isSignature = (tag: string): boolean => /^sha256-[0-9a-f]{64}\.(sig|att|sbom)$/.test(tag)

const secondsOf = (time: DateTime.Utc): number => Math.floor(DateTime.toEpochMillis(time) / 1000)

/** Reads a list page by page. One effect per entry would cost more than the rest of a pass of a million entries. */
const eachOf = <A, E>(list: Stream.Stream<A, E>, read: (entry: A) => void): Effect.Effect<void, E> =>
  Stream.runForEachArray(list, (page) => Effect.sync(() => page.forEach((entry) => read(entry))))

/** A tag as listed, or as resolved. */
interface ListedTag {
  readonly digest: Digest.Digest
  readonly changed?: number
}

/** A manifest while lists are read. */
type Draft = Omit<Types.Mutable<Listed>, "tags"> & { readonly tags: Array<string> }

/** The manifests that tags name. A list may have a tag on two pages: the last entry counts. */
const manifestsOf = (listed: ReadonlyMap<string, ListedTag>): Map<Digest.Digest, Draft> => {
  const manifests = new Map<Digest.Digest, Draft>()
  for (const [tag, { changed, digest }] of listed) {
    const found = manifests.get(digest) ?? { tags: [] }
    found.tags.push(tag)
    if (changed !== undefined) found.changed = Math.max(changed, found.changed ?? 0)
    manifests.set(digest, found)
  }
  return manifests
}

/** Leaves out the tag of a list of referrers, and the list without another tag. */
const leaveOut = (manifests: Map<Digest.Digest, Draft>, digest: Digest.Digest, tag: string): void => {
  const found = manifests.get(digest)
  const tags = found?.tags.filter((one) => one !== tag) ?? []
  if (found === undefined || tags.length === 0) manifests.delete(digest)
  else manifests.set(digest, { ...found, tags })
}

const byLists = (
  { registry, repository }: RegistryOpened,
  isWanted: (tag: string) => boolean
): Effect.Effect<Inventory, RegistryError> =>
  Effect.gen(function* () {
    const listed = new Map<string, ListedTag>()
    const signatures = new Set<string>()
    yield* eachOf(registry.tags(repository), ({ digest, lastUpdatedOn, name }) => {
      if (isWanted(name)) listed.set(name, { digest, changed: secondsOf(lastUpdatedOn) })
      else if (isSignature(name)) signatures.add(`${name} ${digest}`)
    })
    const manifests = manifestsOf(listed)
    const digests = new Set<Digest.Digest>()
    const indexes: Array<Pick<Descriptor, "digest" | "mediaType">> = []
    // An entry that moves while the list is read may be on two pages: the map holds it once.
    yield* eachOf(registry.manifests(repository), ({ digest, lastUpdatedOn, mediaType, sizeInBytes, tags }) => {
      digests.add(digest)
      const found = manifests.get(digest)
      if (found === undefined && tags.length > 0) return
      if (found?.tags.every(Referrer.isTag) === true && mediaType !== undefined) indexes.push({ digest, mediaType })
      const entry = found ?? { tags: [], changed: secondsOf(lastUpdatedOn) }
      if (sizeInBytes !== undefined) entry.size = sizeInBytes
      if (found === undefined) manifests.set(digest, entry)
    })
    const isThere = (subject: Digest.Digest) => digests.has(subject)
    for (const index of indexes) {
      const isList = (tag: string) =>
        Referrer.mayBeList(tag, index) && Option.getOrElse(Option.map(Referrer.taggedSubject(tag), isThere), () => true)
      for (const tag of manifests.get(index.digest)?.tags.filter(isList) ?? []) leaveOut(manifests, index.digest, tag)
    }
    return { manifests, signatures: Array.from(signatures) }
  })

/** Tags with the descriptors that they name, without those that are deleted meanwhile. */
const resolved = (
  { store }: Source,
  tags: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<readonly [string, Descriptor]>, PlaceError> => {
  const resolve = (tag: string) =>
    Effect.map(store.resolve(tag), (found) => Option.map(found, (one) => [tag, one] as const))
  return Effect.map(Effect.forEach(tags, resolve, { concurrency: resolvesAtOnce }), (found) =>
    found.flatMap(Option.toArray)
  )
}

const byTags = (opened: Source, wanted: ReadonlyArray<string>): Effect.Effect<Inventory, PlaceError> =>
  Effect.gen(function* () {
    const tags = yield* resolved(opened, wanted)
    const manifests = manifestsOf(new Map(tags.map(([tag, { digest }]) => [tag, { digest }])))
    for (const [tag, manifest] of tags) {
      if (manifests.get(manifest.digest)?.tags.every(Referrer.isTag) !== true) continue
      if (yield* namesList(opened.store, tag, manifest)) leaveOut(manifests, manifest.digest, tag)
    }
    yield* eachOf(opened.store.untagged ?? Stream.empty, ({ digest }) => {
      if (!manifests.has(digest)) manifests.set(digest, { tags: [] })
    })
    return { manifests, isOfTags: true }
  })

/** The content of a repository of the source; none if it does not exist. */
export const read = (
  opened: Source,
  isWanted: (tag: string) => boolean
): Effect.Effect<Option.Option<Inventory>, PlaceError> => {
  const { registry } = opened
  if (registry === undefined) {
    return Effect.gen(function* () {
      const tags = yield* Stream.runCollect(opened.store.tags)
      const inventory = yield* byTags(opened, tags.filter(isWanted))
      return tags.length === 0 && inventory.manifests.size === 0 ? Option.none() : Option.some(inventory)
    })
  }
  return byLists(registry, isWanted).pipe(
    Effect.asSome,
    // Another registry may answer a path that it does not know as if the repository were missing: a run would be complete without it.
    Effect.catchIf(
      (error) => isAbsent(error) || isUnsupported(error),
      () =>
        // A store does not distinguish a missing repository from an empty one. The request for its tags does.
        Stream.runCollect(registry.content.tags(registry.repository)).pipe(
          Effect.asSome,
          Effect.catchIf(isAbsent, () => Effect.succeedNone),
          Effect.flatMap((tags) =>
            Option.isNone(tags) ? Effect.succeedNone : Effect.asSome(byTags(opened, tags.value.filter(isWanted)))
          )
        )
    )
  )
}

const holdingsByLists = ({ registry, repository }: RegistryOpened): Effect.Effect<Holdings, RegistryError> =>
  Effect.gen(function* () {
    const tags = new Map<string, Digest.Digest>()
    yield* eachOf(registry.tags(repository), ({ digest, name }) => tags.set(name, digest))
    const manifests = new Set<Digest.Digest>()
    yield* eachOf(registry.manifests(repository), ({ digest }) => manifests.add(digest))
    return { tags, manifests }
  })

/** The content of a repository of the target, from lists only, without a request per tag. */
export const holdings = (opened: Source): Effect.Effect<Holdings, PlaceError> => {
  const { registry } = opened
  if (registry === undefined) {
    return Effect.map(
      Effect.flatMap(Stream.runCollect(opened.store.tags), (tags) => resolved(opened, tags)),
      (tags) => ({ tags: new Map(tags.map(([tag, { digest }]) => [tag, digest])) })
    )
  }
  return holdingsByLists(registry).pipe(
    Effect.catchIf(isAbsent, () => Effect.succeed<Holdings>({ tags: new Map(), manifests: new Set() })),
    Effect.catchIf(isUnsupported, () =>
      Effect.map(Stream.runCollect(opened.store.tags), (tags) => ({
        tags: new Map(tags.map((tag) => [tag, undefined]))
      }))
    )
  )
}

/** Requests the digests of tags that the target lists without. */
export const withDigests = (
  { store }: Source,
  held: Holdings,
  wanted: ReadonlyArray<string>
): Effect.Effect<Holdings, PlaceError> => {
  const unknown = wanted.filter((tag) => held.tags.has(tag) && held.tags.get(tag) === undefined)
  if (unknown.length === 0) return Effect.succeed(held)
  const request = (tag: string) => Effect.map(store.resolve(tag), (found) => [tag, found] as const)
  return Effect.map(Effect.forEach(unknown, request, { concurrency: resolvesAtOnce }), (requested) => {
    const tags = new Map(held.tags)
    for (const [tag, found] of requested) {
      if (Option.isSome(found)) tags.set(tag, found.value.digest)
      else tags.delete(tag)
    }
    return { ...held, tags }
  })
}

/** Asks for manifests that no list of the target shows. */
export const withLacking = (
  { store }: Source,
  held: Holdings,
  digests: ReadonlyArray<Digest.Digest>
): Effect.Effect<Holdings, PlaceError> => {
  if (held.manifests !== undefined || digests.length === 0) return Effect.succeed(held)
  const isLacking = (digest: Digest.Digest) => Effect.map(store.resolve(digest), Option.isNone)
  return Effect.map(Effect.filter(digests, isLacking, { concurrency: resolvesAtOnce }), (lacking) => ({
    ...held,
    lacking: new Set(lacking)
  }))
}

const decoder = new TextDecoder()

/** The manifests that the indexes of a repository name, as far as its registry lists indexes. */
export const partsOf = ({ registry, store }: Source): Effect.Effect<ReadonlySet<Digest.Digest>, PlaceError> =>
  Effect.gen(function* () {
    const parts = new Set<Digest.Digest>()
    if (registry === undefined) return parts
    const indexes: Array<Digest.Digest> = []
    const manifests = registry.registry.manifests(registry.repository)
    yield* eachOf(manifests, ({ digest, mediaType }) => {
      if (mediaType !== undefined && isIndex(mediaType)) indexes.push(digest)
    }).pipe(
      Effect.catchIf(
        (error) => isAbsent(error) || isUnsupported(error),
        () => Effect.void
      )
    )
    const read = (digest: Digest.Digest) =>
      Effect.map(
        store.manifest({ digest }),
        Option.map(({ bytes, descriptor }) => {
          const view = Manifest.view(descriptor.mediaType, decoder.decode(bytes))
          if (view._tag === "ImageIndex") for (const part of view.manifests) parts.add(part.digest)
        })
      )
    yield* Effect.forEach(indexes, read, { concurrency: resolvesAtOnce, discard: true })
    return parts
  })

/**
 * Fingerprints what the source lists and may be referrers that the target lacks: signature tags that the rules do not select, and
 * untagged manifests if the target does not list its own. None if there is no such thing.
 */
export const possibleReferrers = (
  { manifests, signatures = [] }: Inventory,
  target: Holdings,
  { cosignTags, referrers }: Pick<Rules, "cosignTags" | "referrers">
): Effect.Effect<string | undefined> => {
  const untagged = Array.from(manifests).flatMap(([digest, { tags }]) => (tags.length === 0 ? [digest] : []))
  const possible = [
    ...(cosignTags === true ? signatures : []),
    ...(referrers === false || target.manifests !== undefined ? [] : untagged)
  ]
  if (possible.length === 0) return Effect.undefined
  const bytes = new TextEncoder().encode(possible.toSorted().join("\n"))
  return Effect.map(Hasher.Hasher, (start) => Hasher.digest(start, "sha256", bytes))
}
