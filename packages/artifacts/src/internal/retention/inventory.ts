/**
 * Reads the inventory of a repository.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Stream from "effect/Stream"
import { isImageConfig } from "../references.ts"
import type { RetentionError } from "../../RetentionError.ts"
import type { Inventory, Manifest, Tag } from "../../RetentionInventory.ts"
import type { Contents, ManifestState, RetentionTarget } from "../../RetentionTarget.ts"
import * as AttachedTags from "../attachedTags.ts"
import * as Descriptions from "./descriptions.ts"

/**
 * How to read an inventory.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReadOptions {
  /**
   * A cache of what manifests name, by digest. Manifests never change, so that a second inventory reads only the lists and new
   * manifests. Defaults to none.
   */
  readonly cache?: KeyValueStore.KeyValueStore
}

/** Manifests that are read at the same time. */
const readsAtOnce = 8

const largestDifference = Duration.minutes(5)

type Failure = RegistryError | RetentionError

/** Docker images name neither manifests nor a subject. */
const dockerImages: ReadonlySet<string> = new Set([
  MediaType.dockerManifest,
  MediaType.dockerSchema1Manifest,
  MediaType.dockerSchema1SignedManifest
])

const isDockerImage = ({ mediaType }: ManifestState): boolean =>
  mediaType !== undefined && dockerImages.has(MediaType.essence(mediaType).toLowerCase())

/** A manifest as the lists describe it. */
const stated = ({ createdOn, digest, isLocked, quarantineState, updatedOn }: ManifestState) => ({
  digest,
  isLocked,
  ...(createdOn === undefined ? {} : { createdOn }),
  ...(updatedOn === undefined ? {} : { updatedOn }),
  ...(quarantineState === undefined ? {} : { quarantineState })
})

/** Most manifests name no others. */
const noChildren: ReadonlyArray<Digest.Digest> = []

const describeDockerImage = (state: ManifestState): Manifest => {
  const { configMediaType, sizeBytes } = state
  const isImage = configMediaType === undefined || isImageConfig({ mediaType: configMediaType })
  return {
    ...stated(state),
    kind: isImage ? "image" : "artifact",
    ...(configMediaType === undefined ? {} : { artifactType: configMediaType }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    children: noChildren
  }
}

/** Shares equal strings. Each response has its own, and digests are a good part of the memory of an inventory. */
const sharing = <A extends string>(): ((text: A) => A) => {
  const known = new Map<A, A>()
  return (text) => {
    const one = known.get(text)
    if (one !== undefined) return one
    known.set(text, text)
    return text
  }
}

/** Descriptions whose digests and types are shared with those of other manifests, and of tags. */
const shared = (
  descriptions: Descriptions.Descriptions,
  share: (digest: Digest.Digest) => Digest.Digest
): Descriptions.Descriptions => {
  const shareType = sharing<string>()
  const shareParts = (description: Descriptions.Description): Descriptions.Description => {
    const { artifactType, children, otherEntries, subject } = description
    return {
      ...description,
      children: children.length === 0 ? noChildren : children.map(share),
      ...(artifactType === undefined ? {} : { artifactType: shareType(artifactType) }),
      ...(otherEntries === undefined ? {} : { otherEntries: otherEntries.map(share) }),
      ...(subject === undefined ? {} : { subject: share(subject) })
    }
  }
  return { ...descriptions, read: (digest) => Effect.map(descriptions.read(digest), Option.map(shareParts)) }
}

/** A listed manifest with what it names. */
const describe =
  (descriptions: Descriptions.Descriptions) =>
  (state: ManifestState): Effect.Effect<Manifest, Failure> =>
    isDockerImage(state)
      ? Effect.succeed(describeDockerImage(state))
      : Effect.map(
          descriptions.read(state.digest),
          Option.match({
            onNone: () => ({ ...stated(state), kind: "unknown" as const, children: [] }),
            onSome: (description) => ({ ...stated(state), ...description })
          })
        )

/** A manifest, and whether it is unknown which others it names. */
interface Found {
  readonly manifest: Manifest
  /** The tags that the registry returns with it. */
  readonly tags: ReadonlyArray<string>
  readonly hidesOthers: boolean
}

const find =
  (descriptions: Descriptions.Descriptions) =>
  (state: ManifestState): Effect.Effect<Found, Failure> =>
    Effect.map(describe(descriptions)(state), (manifest) => ({
      manifest,
      tags: state.tags,
      hidesOthers:
        manifest.kind === "unknown" && (state.mediaType === undefined || Descriptions.mayNameOthers(state.mediaType))
    }))

/** Pages of a list may overlap: a tag that is listed twice could be both kept and deleted. The later entry is newer. */
const uniqueTags = (tags: ReadonlyArray<Tag>): Iterable<Tag> => new Map(tags.map((tag) => [tag.name, tag])).values()

/** The manifests that a registry lists, and unlisted ones that its tags name. */
const listed = (
  target: RetentionTarget,
  manifests: Stream.Stream<ManifestState, RegistryError>,
  tags: ReadonlyArray<Tag>,
  descriptions: Descriptions.Descriptions
): Effect.Effect<ReadonlyArray<Found>, Failure> =>
  Effect.gen(function* () {
    const found = yield* manifests.pipe(
      Stream.mapEffect(find(descriptions), { concurrency: readsAtOnce, unordered: true }),
      Stream.runCollect
    )
    const known = new Map(found.map((one) => [one.manifest.digest, one]))
    const unlisted = Arr.dedupe(tags.map(({ digest }) => digest).filter((digest) => !known.has(digest)))
    if (!Arr.isReadonlyArrayNonEmpty(unlisted)) return Array.from(known.values())
    const { manifests: states } = yield* target.look(unlisted, DateTime.makeUnsafe(8.64e15))
    const besides = yield* Effect.forEach(states.values(), find(descriptions), { concurrency: readsAtOnce })
    return [...known.values(), ...besides]
  })

type Referrers = (subject: Digest.Digest) => Stream.Stream<Digest.Digest, RegistryError>

/** A manifest, and what refers to it. */
const visit = (referrers: Referrers, descriptions: Descriptions.Descriptions) => (digest: Digest.Digest) =>
  Effect.all([find(descriptions)({ digest, isLocked: false, tags: [] }), Stream.runCollect(referrers(digest))])

/** The manifests that tags lead to: what they name, and what refers to them. */
const reached = (
  referrers: Referrers,
  tags: ReadonlyArray<Tag>,
  descriptions: Descriptions.Descriptions
): Effect.Effect<ReadonlyArray<Found>, Failure> =>
  Effect.gen(function* () {
    const found = new Map<Digest.Digest, Found>()
    const tagged = new Set(tags.map(({ digest }) => digest))
    // The subject of a signature may have no tag.
    const attached = tags.flatMap(({ name }) =>
      Option.toArray(Option.flatMap(AttachedTags.parse(name), ({ subject }) => subject))
    )
    let level: ReadonlyArray<Digest.Digest> = Array.from(new Set([...tagged, ...attached]))
    const seen = new Set(level)
    while (level.length > 0) {
      const next: Array<Digest.Digest> = []
      for (const [one, refer] of yield* Effect.forEach(level, visit(referrers, descriptions), {
        concurrency: readsAtOnce
      })) {
        const { digest, kind, subject } = one.manifest
        // A missing child is not part of the repository. An unreadable one is, and may name others.
        if (kind === "unknown" && !tagged.has(digest) && Option.isNone(yield* descriptions.ask(digest))) continue
        found.set(digest, one)
        for (const other of [
          ...Descriptions.entriesOf(one.manifest),
          ...refer,
          ...(subject === undefined ? [] : [subject])
        ]) {
          if (seen.has(other)) continue
          seen.add(other)
          next.push(other)
        }
      }
      level = next
    }
    return Array.from(found.values())
  })

/** Tags of a manifest that are not in the list of tags. */
const withHiddenTags =
  (names: ReadonlySet<string>) =>
  ({ manifest, tags }: Found): Manifest => {
    const hiddenTags = tags.filter((tag) => !names.has(tag))
    return hiddenTags.length === 0 ? manifest : { ...manifest, hiddenTags }
  }

/** The lower of the counts before and after the lists were read. */
const countOf = (counts: ReadonlyArray<Option.Option<Contents>>, field: "manifestCount" | "tagCount"): number =>
  Math.min(...counts.map(Option.match({ onNone: () => 0, onSome: (contents) => contents[field] })))

const byName = Order.mapInput(Order.String, ({ name }: Tag) => name)
const byDigest = Order.mapInput(Order.String, ({ digest }: Manifest) => String(digest))

const clockWarning = (registry: DateTime.Utc, here: DateTime.Utc): ReadonlyArray<string> => {
  const difference = DateTime.distance(here, registry)
  if (Duration.isLessThanOrEqualTo(Duration.abs(difference), largestDifference)) return []
  return [
    `the registry's clock and this machine's differ by ${Duration.format(difference)}: ages are by the registry's`
  ]
}

const short = (what: string, listed: number, counted: number): ReadonlyArray<string> =>
  listed < counted
    ? [`the registry lists ${listed} ${what} and counts ${counted}: some are hidden or cannot be read`]
    : []

/** Why no manifest can be called unused, if so. */
const gaps = (
  found: ReadonlyArray<Found>,
  tags: ReadonlyArray<Tag>,
  counts: ReadonlyArray<Option.Option<Contents>>
): ReadonlyArray<string> => {
  const hiding = found.filter(({ hidesOthers }) => hidesOthers)
  return [
    ...short("manifests", found.length, countOf(counts, "manifestCount")),
    ...short("tags", tags.length, countOf(counts, "tagCount")),
    ...hiding.map(({ manifest }) => `it is not known what ${manifest.digest} names, since it cannot be read`)
  ]
}

export const read = (target: RetentionTarget, { cache }: ReadOptions = {}): Effect.Effect<Inventory, Failure> =>
  readBy(target, Descriptions.make(target, cache))

/** Reads an inventory, with the descriptions of manifests that are cached. */
export const readBy = (
  target: RetentionTarget,
  descriptions: Descriptions.Descriptions
): Effect.Effect<Inventory, Failure> =>
  Effect.gen(function* () {
    const stated = yield* target.now
    const here = yield* DateTime.now
    const at = Option.getOrElse(stated, () => here)
    const before = yield* target.contents
    const share = sharing<Digest.Digest>()
    const states = Stream.map(target.tags, (tag) => ({ ...tag, digest: share(tag.digest) }))
    const tags: ReadonlyArray<Tag> = Arr.sort(uniqueTags(yield* Stream.runCollect(states)), byName)
    const { listing } = target
    const known = shared(descriptions, share)
    const found =
      listing._tag === "Everything"
        ? yield* listed(
            target,
            Stream.map(listing.manifests, (state) => ({ ...state, digest: share(state.digest) })),
            tags,
            known
          )
        : yield* reached(listing.referrers, tags, known)
    const after = yield* target.contents
    const missing = gaps(found, tags, [before, after])
    const complete = listing._tag === "Everything" ? "everything" : "tagged"
    const names = new Set(tags.map(({ name }) => name))
    return {
      registry: target.origin.place,
      repository: target.origin.repository,
      at,
      coverage: missing.length > 0 ? "partial" : complete,
      isLocked: Option.exists(after, ({ isLocked }) => isLocked),
      tags,
      manifests: Arr.sort(found.map(withHiddenTags(names)), byDigest),
      warnings: [
        ...clockWarning(at, here),
        ...missing,
        ...(complete === "tagged"
          ? ["the registry lists no manifests and tells no times: what no tag leads to is not known"]
          : [])
      ]
    }
  })
