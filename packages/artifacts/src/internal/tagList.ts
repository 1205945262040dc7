/**
 * Lists tags with the manifests that they name.
 */
import * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type { ImageConfig } from "@effect-acr/client/ImageConfig"
import type { ManifestProperties } from "@effect-acr/client/ManifestProperties"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Platform from "@effect-acr/client/Platform"
import type { Opened } from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { TagProperties } from "@effect-acr/client/TagProperties"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"
import * as Repository from "../Repository.ts"
import { platformOf } from "./configs.ts"
import { ifFound } from "./found.ts"
import { storage } from "./storage.ts"
import { imageConfigOf } from "./summary.ts"
import { graphOf, survey } from "./survey.ts"
import { readingOf } from "./validation/finding.ts"
import type { GraphError } from "./walk.ts"

/**
 * A tag and the manifest that it names.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TagEntry = Schema.Struct({
  /** The tag. */
  name: Schema.String,
  /** The digest of the manifest that it names. */
  digest: Digest.Digest,
  /** The media type of the manifest, if it is known. */
  mediaType: Schema.optionalKey(Schema.String),
  /**
   * The size of the manifest and of all that it names, in bytes, as far as known: on Azure Container Registry, as counted by the
   * registry; elsewhere, without missing content.
   */
  sizeBytes: Schema.optionalKey(Schema.Natural),
  /** On Azure Container Registry, when the tag was last changed. Elsewhere, when the image was built, by its configuration. */
  time: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** The platforms of the image or of the images of an index. */
  platforms: Schema.Array(Schema.String),
  /** Whether a lock of the tag or of its manifest forbids to change or delete it. Absent if the registry has no locks. */
  isLocked: Schema.optionalKey(Schema.Boolean)
})

/**
 * One tag and the manifest that it names.
 *
 * @category models
 * @since 0.1.0
 */
export type TagEntry = typeof TagEntry.Type

/**
 * Which tags to list, and in which order.
 *
 * @category options
 * @since 0.1.0
 */
export interface TagListOptions {
  /** A predicate that selects the tags to list. Others are not read. `NamePatterns.compile` makes one of globs. Defaults to all tags. */
  readonly isWanted?: (name: string) => boolean
  /** The order. Tags without a time come last in an order by time. Defaults to `name`. */
  readonly order?: "name" | "newest" | "oldest"
}

/** Tags or indexes that are read at the same time. */
const readsAtOnce = 8

const byName = Order.mapInput(Order.String, ({ name }: TagEntry) => name)

const timeOf = ({ time }: TagEntry, otherwise: number): number =>
  time === undefined ? otherwise : DateTime.toEpochMillis(time)

const orders: Record<NonNullable<TagListOptions["order"]>, Order.Order<TagEntry>> = {
  name: byName,
  newest: Order.combine(
    Order.flip(Order.mapInput(Order.Number, (entry: TagEntry) => timeOf(entry, Number.NEGATIVE_INFINITY))),
    byName
  ),
  oldest: Order.combine(
    Order.mapInput(Order.Number, (entry: TagEntry) => timeOf(entry, Number.POSITIVE_INFINITY)),
    byName
  )
}

const decoder = new TextDecoder()

/** The platforms of the entries of an index. The platform of attestations, `unknown/unknown`, is left out. */
const platformsOf = ({ manifests }: Manifest.ImageIndex): ReadonlyArray<string> =>
  Arr.dedupe(
    manifests.flatMap(({ platform }) =>
      platform === undefined || platform.os === "unknown" ? [] : [Platform.format(platform)]
    )
  )

/** The view of a manifest; none if it is missing or does not match its digest. */
const viewOf = <E>(reader: Reader<E>, digest: Digest.Digest): Effect.Effect<Option.Option<Manifest.Manifest>, E> =>
  reader.manifest({ digest }).pipe(
    Effect.map(Option.map(({ bytes, descriptor }) => Manifest.view(descriptor.mediaType, decoder.decode(bytes)))),
    Effect.catchIf(
      (error) => readingOf(error) !== undefined,
      () => Effect.succeed(Option.none<Manifest.Manifest>())
    )
  )

/** A store that reads each manifest once. */
const remembering = <E>(reader: Reader<E>): Reader<E> => {
  const known = new Map<Digest.Digest, Option.Option<Manifest.Raw>>()
  return {
    ...reader,
    manifest: ({ digest }) =>
      Effect.suspend(() => {
        const found = known.get(digest)
        if (found !== undefined) return Effect.succeed(found)
        return Effect.tap(reader.manifest({ digest }), (raw) => Effect.sync(() => known.set(digest, raw)))
      })
  }
}

const isForPlatform = ({ platform }: Descriptor): boolean => platform?.os !== "unknown"

/** The configurations of an image, or of the images of an index. */
const configsOf = <E>(reader: Reader<E>, view: Manifest.Manifest) =>
  Effect.gen(function* () {
    const views =
      view._tag === "ImageIndex"
        ? yield* Effect.forEach(view.manifests.filter(isForPlatform), ({ digest }) => viewOf(reader, digest))
        : [Option.some(view)]
    return Arr.getSomes(yield* Effect.forEach(Arr.getSomes(views), (image) => imageConfigOf(reader, image)))
  })

/** When the newest of some images was built. */
const newestOf = (configs: ReadonlyArray<ImageConfig>): Option.Option<DateTime.Utc> => {
  const times = configs.flatMap(({ created }) =>
    created === undefined ? [] : Option.toArray(Option.map(DateTime.make(created), DateTime.toUtc))
  )
  return Arr.isReadonlyArrayNonEmpty(times) ? Option.some(Arr.max(times, DateTime.Order)) : Option.none()
}

/** The fields of the manifest that a tag names. */
const contentOf = <E>(from: Reader<E>, root: Descriptor) =>
  Effect.gen(function* () {
    const reader = remembering(from)
    const { nodes } = yield* survey(reader, [root], { withReferrers: false })
    const view = yield* viewOf(reader, root.digest)
    const configs = Option.isNone(view) ? [] : yield* configsOf(reader, view.value)
    const time = newestOf(configs)
    return {
      digest: root.digest,
      mediaType: root.mediaType,
      sizeBytes: storage([graphOf(nodes, root.digest)]).totalBytes,
      ...(Option.isSome(time) ? { time: time.value } : {}),
      platforms:
        Option.isSome(view) && view.value._tag === "ImageIndex"
          ? platformsOf(view.value)
          : Arr.getSomes(configs.map(platformOf)).map(Platform.format)
    }
  })

const sorted = (entries: ReadonlyArray<TagEntry>, { order = "name" }: TagListOptions): ReadonlyArray<TagEntry> =>
  Arr.sort(entries, orders[order])

/** Lists the tags of any store. */
export const read = <E>(
  reader: Reader<E>,
  options: TagListOptions
): Effect.Effect<ReadonlyArray<TagEntry>, E | GraphError> =>
  Effect.gen(function* () {
    const names = yield* Stream.runCollect(Stream.filter(reader.tags, options.isWanted ?? constTrue))
    const found = yield* Effect.forEach(
      names,
      (name) =>
        Effect.map(
          reader.resolve(name),
          Option.map((root) => ({ name, root }))
        ),
      { concurrency: readsAtOnce }
    )
    const tags = Arr.getSomes(found)
    const roots = new Map(tags.map(({ root }) => [root.digest, root]))
    const contents = yield* Effect.forEach(roots.values(), (root) => contentOf(reader, root), {
      concurrency: readsAtOnce
    })
    const known = new Map(contents.map((content) => [content.digest, content]))
    const entries = tags.flatMap(({ name, root }): ReadonlyArray<TagEntry> => {
      const content = known.get(root.digest)
      return content === undefined ? [] : [{ name, ...content }]
    })
    return sorted(entries, options)
  })

const ownPlatform = ({ architecture = "", operatingSystem = "" }: ManifestProperties): ReadonlyArray<string> =>
  architecture === "" || operatingSystem === "" ? [] : [`${operatingSystem}/${architecture}`]

const indexTypes = /index|manifest\.list/

const isIndex = ({ mediaType }: ManifestProperties): boolean => mediaType !== undefined && indexTypes.test(mediaType)

/** The platforms of indexes, which are not in the lists of manifests. */
const indexPlatforms = (
  reader: Reader<RegistryError>,
  digests: ReadonlyArray<Digest.Digest>
): Effect.Effect<ReadonlyMap<Digest.Digest, ReadonlyArray<string>>, RegistryError> =>
  Effect.map(
    Effect.forEach(
      digests,
      (digest) =>
        Effect.map(viewOf(reader, digest), (view) => {
          const isRead = Option.isSome(view) && view.value._tag === "ImageIndex"
          return [digest, isRead ? platformsOf(view.value) : []] as const
        }),
      { concurrency: readsAtOnce }
    ),
    (entries) => new Map(entries)
  )

const entryOf = (
  tag: TagProperties,
  manifest: ManifestProperties | undefined,
  platforms: ReadonlyArray<string>
): TagEntry => ({
  name: tag.name,
  digest: tag.digest,
  ...(manifest?.mediaType === undefined ? {} : { mediaType: manifest.mediaType }),
  ...(manifest?.sizeInBytes === undefined ? {} : { sizeBytes: manifest.sizeInBytes }),
  time: tag.lastUpdatedOn,
  platforms,
  isLocked:
    !ChangeableAttributes.isDeletable(tag) || (manifest !== undefined && !ChangeableAttributes.isDeletable(manifest))
})

/** Lists the tags of a repository by the management API. */
const byManagementApi = (
  { content, reference, registry, repository }: Opened,
  options: TagListOptions
): Effect.Effect<ReadonlyArray<TagEntry>, RegistryError> =>
  Effect.gen(function* () {
    const { isWanted = constTrue } = options
    const tags = yield* Stream.runCollect(Stream.filter(registry.tags(repository), ({ name }) => isWanted(name)))
    const named = new Set(tags.map(({ digest }) => digest))
    const listed = registry.manifests(repository).pipe(Stream.filter(({ digest }) => named.has(digest)))
    const manifests = new Map((yield* Stream.runCollect(listed)).map((manifest) => [manifest.digest, manifest]))
    const indexes = Array.from(manifests.values()).filter(isIndex)
    const platforms = yield* indexPlatforms(
      Repository.make(content, reference),
      indexes.map(({ digest }) => digest)
    )
    return sorted(
      tags.map((tag) => {
        const manifest = manifests.get(tag.digest)
        const own = manifest === undefined ? [] : ownPlatform(manifest)
        return entryOf(tag, manifest, platforms.get(tag.digest) ?? own)
      }),
      options
    )
  })

/** Lists the tags of a repository. */
export const ofRegistry = (
  opened: Opened,
  options: TagListOptions
): Effect.Effect<ReadonlyArray<TagEntry>, GraphError | RegistryError> =>
  Effect.map(
    ifFound(byManagementApi(opened, options)),
    Option.getOrElse((): ReadonlyArray<TagEntry> => [])
  ).pipe(
    Effect.catchReason("RegistryError", "Unsupported", () =>
      read(Repository.make(opened.content, opened.reference), options)
    )
  )

/** Lists the names of tags, as a stream. */
export const names = (
  { content, reference, registry, repository }: Opened,
  options: TagListOptions
): Stream.Stream<string, GraphError | RegistryError> => {
  const { isWanted = constTrue, order = "name" } = options
  const store = Repository.make(content, reference)
  if (order === "name") return Stream.filter(content.tags(repository), isWanted)
  return registry.tags(repository, { orderBy: order }).pipe(
    Stream.map(({ name }): string => name),
    Stream.filter(isWanted),
    Stream.catchIf(
      ({ reason }) => reason._tag === "Unsupported",
      () =>
        Stream.unwrap(
          Effect.map(read(store, options), (entries) => Stream.fromIterable(entries.map(({ name }) => name)))
        )
    )
  )
}
