/**
 * OCI image layouts: folders that hold images and artifacts, for backups, air-gapped machines and exchange with other tools.
 *
 * OCI image specification, image-layout.md. skopeo, oras, regctl, crane, BuildKit and containerd read and write the same folders.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { ContentStore, MissingContent } from "./ContentStore.ts"
import * as Catalog from "./internal/layout/catalog.ts"
import * as ContentFiles from "./internal/layout/content.ts"
import * as Disk from "./internal/layout/disk.ts"
import * as Index from "./internal/layout/index.ts"
import * as Lock from "./internal/layout/lock.ts"
import * as Prune from "./internal/layout/prune.ts"
import * as Subjects from "./internal/layout/subjects.ts"
import * as Unread from "./internal/layout/unread.ts"
import type { PruneReport } from "./internal/layout/prune.ts"
import { decodeVersion, layoutVersion } from "./internal/contents.ts"
import { neededBy } from "./internal/references.ts"
import * as Turns from "./internal/turns.ts"
import { ContentMissing, type LayoutError, NotALayout, SharedBlobs, UnsupportedVersion } from "./LayoutError.ts"

export { PruneReport } from "./internal/layout/prune.ts"

/**
 * What `prune` removes.
 *
 * @category options
 * @since 0.1.0
 */
export interface PruneOptions {
  /** Whether to only report what would be removed. Defaults to false. */
  readonly isDryRun?: boolean
  /**
   * Whether to also remove manifests without a tag, except those that a tagged manifest names, and their referrers. Defaults to
   * false.
   */
  readonly untagged?: boolean
  /** The minimum age of content to remove: another program may be about to name younger content. Defaults to one hour. */
  readonly minAge?: Duration.Input
}

/**
 * A folder with an image layout.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageLayout extends ContentStore<LayoutError> {
  /** The absolute path of the folder. */
  readonly folder: string
  /**
   * Removes content that no entry of the index reaches.
   *
   * **Details**
   *
   * An entry reaches what it names, and the referrers of that. Files whose names are not digests are left alone. Other programs
   * can read the layout meanwhile; programs that use the same lock wait before they write.
   */
  readonly prune: (options?: PruneOptions) => Effect.Effect<PruneReport, LayoutError>
}

/** The version file has 30 bytes; a later version may add fields. */
const mostVersionBytes = 64 * 1024

/** Whether a killed program left an entry behind: a folder with only such entries may become a layout. */
const isLeftover = (name: string): boolean => name.startsWith(".") || name === Disk.ingestFolder

/** The age from which a temporary file counts as left by a killed program. */
const leftoverAge = Duration.hours(1)

/** How often a manifest is put again if another program removes it before it is listed. */
const mostPuts = 5

const defaultMinAge = Duration.hours(1)

/**
 * Opens a folder as an image layout. A missing or empty folder becomes a layout with the first write.
 *
 * **When to use**
 *
 * Use to back up repositories, to carry images to machines without a network, and to exchange them with other programs. Use
 * `ImageArchive` for a single file, or for `docker load`.
 *
 * **Details**
 *
 * A tag is the annotation `org.opencontainers.image.ref.name` of an entry in `index.json`. A reference may also be the full name
 * of an image (`docker.io/library/alpine:3`), the tag of such a name, a digest, or `@` and the number of an entry. If several
 * manifests have the name, the operation fails with `Ambiguous`.
 *
 * Files appear once they are complete. Content is verified when it is written and when it is read. Several processes can write at
 * the same time: the index is changed under a lock. The same content produces the same bytes in `index.json`, and existing
 * content is not written again. `batch` writes the index once for many tags.
 *
 * Referrers are listed in `index.json` and under the tag of their subject (`sha256-…`), so that oras, regctl and other programs
 * find them. `tags` leaves the tags of these lists out.
 *
 * Fails with `NotALayout` if the folder holds something else, and with `UnsupportedVersion` if the version of the layout is not
 * 1.0.0.
 *
 * **Example** (Backing up an image with its signatures)
 *
 * ```ts
 * import { Copy, ImageLayout, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const backUp = Effect.gen(function* () {
 *   const repository = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const layout = yield* ImageLayout.open("backup")
 *   return yield* Copy.run(repository, layout, "v1.4.0")
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (folder: string): Effect.Effect<ImageLayout, LayoutError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const startHash = yield* Hasher.Hasher
    return yield* make(files, path, path.resolve(folder), startHash)
  })

const make = Effect.fnUntraced(function* (
  files: FileSystem.FileSystem,
  path: Path.Path,
  folder: string,
  startHash: Hasher.Start
) {
  const disk = Disk.make(files, path, folder)
  const content = ContentFiles.make(files, path, folder, disk, startHash)
  const lock = yield* Lock.make(files, path, folder)
  const versionFile = path.join(folder, "oci-layout")
  /** Writes the version file if there is none. Another program may have removed the folder since the last write. */
  const putVersion: Effect.Effect<void, LayoutError> = Effect.gen(function* () {
    if (Option.isSome(yield* content.sizeAt(versionFile))) return
    const text = new TextEncoder().encode(JSON.stringify({ imageLayoutVersion: layoutVersion }))
    yield* Effect.mapError(disk.write(versionFile, { content: Stream.make(text), size: text.length }), content.ofFile)
  })
  const catalog = Catalog.make(files, path, folder, disk, content, lock, putVersion, startHash)
  const subjects = Subjects.make(
    ({ digest, mediaType }) => content.manifest(digest, Option.some(mediaType)),
    ContentFiles.isDamage
  )
  const oneAtATime = Turns.make()
  const pruning = Prune.make({ files, path, folder, content, catalog, subjects })
  let isPrepared = false
  const preparing = Semaphore.makeUnsafe(1)

  const orAbsent = <A>(effect: Effect.Effect<A, PlatformError>, absent: A): Effect.Effect<A, LayoutError> =>
    Effect.mapError(
      Effect.catchIf(effect, Disk.isAbsent, () => Effect.succeed(absent)),
      content.ofFile
    )

  /** Whether the folder is a layout. False if it is missing or empty, so that it may become one. Fails if it holds something else. */
  const isLayout: Effect.Effect<boolean, LayoutError> = Effect.gen(function* () {
    const type = yield* orAbsent(
      Effect.map(files.stat(folder), (info) => info.type),
      undefined
    )
    if (type === undefined) return false
    if (type !== "Directory") {
      const description = "this is not a folder: ImageArchive.read reads image layouts in a tar archive"
      return yield* content.failure(new NotALayout({ description, found: "File" }))
    }
    let size = yield* content.sizeAt(versionFile)
    if (Option.isNone(size)) {
      const names = yield* orAbsent(files.readDirectory(folder), [])
      if (names.every(isLeftover)) return false
      // Another program may have made it a layout between the two reads.
      size = yield* content.sizeAt(versionFile)
    }
    if (Option.isNone(size)) {
      const description = "the folder is not an image layout: it has other content, and no file oci-layout"
      return yield* content.failure(new NotALayout({ description, found: "OtherFolder" }))
    }
    const isSmall = size.value <= mostVersionBytes
    const found = isSmall ? decodeVersion(yield* orAbsent(files.readFileString(versionFile), "")) : Option.none()
    if (Option.isNone(found)) {
      const description = "the file oci-layout cannot be read"
      return yield* content.failure(new NotALayout({ description, found: "UnreadableVersion" }))
    }
    if (found.value.imageLayoutVersion !== layoutVersion) {
      const description = `the layout has version ${found.value.imageLayoutVersion}, and ${layoutVersion} is known`
      return yield* content.failure(new UnsupportedVersion({ description }))
    }
    return true
  })

  const assertNotShared = (at: string): Effect.Effect<void, LayoutError> =>
    Effect.gen(function* () {
      const type = yield* orAbsent(
        Effect.map(files.lstat(at), (info) => info.type),
        "Directory"
      )
      if (type !== "SymbolicLink") return
      const description = `${at} is a symbolic link: other layouts may share it, so that it is not written`
      return yield* content.failure(new SharedBlobs({ description }))
    })

  const makeLayout: Effect.Effect<void, LayoutError> = Effect.gen(function* () {
    if (isPrepared) return
    const blobs = path.join(folder, "blobs")
    const ingest = path.join(folder, Disk.ingestFolder)
    for (const at of [blobs, path.join(blobs, "sha256"), path.join(blobs, "sha512"), ingest]) {
      yield* assertNotShared(at)
    }
    yield* isLayout
    yield* putVersion
    yield* Effect.mapError(files.makeDirectory(path.join(blobs, "sha256"), { recursive: true }), content.ofFile)
    yield* Prune.sweepIngest(files, path, ingest, content, leftoverAge)
    isPrepared = true
  })

  /** Makes the folder a layout before the first write. Writes that begin together wait for the first one. */
  const prepare: Effect.Effect<void, LayoutError> = Effect.suspend(() =>
    isPrepared ? Effect.void : preparing.withPermit(makeLayout)
  )

  /** A manifest that the index lists, or that exists without being listed. */
  const ofDigest = (digest: Digest.Digest): Effect.Effect<Option.Option<Descriptor>, LayoutError> =>
    Effect.gen(function* () {
      const entry = (yield* catalog.current).entry(digest)
      if (Option.isSome(entry)) {
        const size = yield* content.sizeOf(digest)
        return Option.isNone(size) ? Option.none() : Option.map(entry, Index.pointerOf)
      }
      const raw = yield* manifest({ digest })
      return Option.map(raw, ({ descriptor }) => descriptor)
    })

  const resolve = (reference: string): Effect.Effect<Option.Option<Descriptor>, LayoutError> =>
    Effect.gen(function* () {
      if (Digest.isDigest(reference)) return yield* ofDigest(reference)
      const found = Index.theOne(reference, (yield* catalog.current).find(reference))
      return yield* Effect.mapError(Effect.fromResult(found), content.failure)
    })

  const manifest: ImageLayout["manifest"] = ({ digest }) =>
    Effect.gen(function* () {
      if (yield* catalog.isRemoved(digest)) return Option.none()
      const entry = (yield* catalog.current).entry(digest)
      return yield* content.manifest(
        digest,
        Option.map(entry, ({ mediaType }) => mediaType)
      )
    })

  const referrers: ImageLayout["referrers"] = (subject, { artifactType } = {}) =>
    Stream.fromIterableEffect(
      Effect.flatMap(catalog.current, (index) => subjects.referrersOf(index, subject, artifactType))
    ).pipe(
      // The list under the tag of the subject is written at the end of a batch.
      Stream.filterEffect(({ digest }) => Effect.map(catalog.isRemoved(digest), (isRemoved) => !isRemoved))
    )

  const has: ImageLayout["has"] = ({ digest }) =>
    Effect.gen(function* () {
      return !(yield* catalog.isRemoved(digest)) && Option.isSome(yield* content.sizeOf(digest))
    })

  const keeps: ImageLayout["keeps"] = ({ digest }) =>
    Effect.gen(function* () {
      if (yield* catalog.isRemoved(digest)) return false
      // A manifest that an index names may have been removed on its own.
      if (Option.isNone(yield* content.sizeOf(digest))) return false
      const { reached } = yield* Effect.flatMap(catalog.current, subjects.survey)
      return reached.has(digest)
    })

  const putManifest: ImageLayout["putManifest"] = (raw, { isSparse = false, tags = [] } = {}) =>
    Effect.gen(function* () {
      yield* prepare
      const { digest } = raw.descriptor
      const referrer = Referrer.fromManifest(raw)
      const descriptor = Option.match(referrer, {
        onNone: () => raw.descriptor,
        onSome: (found) => Index.pointerOf(found.descriptor)
      })
      const needed = neededBy(raw, isSparse)
      yield* content.putManifest(raw).pipe(
        Effect.andThen(catalog.change({ _tag: "Put", descriptor, tags, needed, referrer })),
        Effect.retry({
          times: mostPuts,
          while: (error) => error._tag === "MissingContent" && error.digests.includes(digest)
        })
      )
      const listedBy = Option.map(referrer, ({ subject }) => ({
        _tag: "ReferrersTag" as const,
        tag: Referrer.tag(subject)
      }))
      return { listedBy }
    })

  /** A change of the index alone needs no content, so that `MissingContent` should not occur. */
  const changed = (change: Catalog.Change): Effect.Effect<void, LayoutError> =>
    Effect.catchTag(Effect.andThen(prepare, catalog.change(change)), "MissingContent", (error: MissingContent) =>
      Effect.fail(content.failure(new ContentMissing({ digest: error.manifest, description: error.message })))
    )

  const untag: ImageLayout["untag"] = (tag) =>
    Effect.flatMap(catalog.current, (index) =>
      index.find(tag).length === 0 ? Effect.void : changed({ _tag: "Untag", tag })
    )

  const remove: ImageLayout["remove"] = ({ digest }) =>
    Effect.gen(function* () {
      // A damaged manifest can be removed, but its subject is unknown.
      const raw = yield* Effect.catchIf(manifest({ digest }), ContentFiles.isDamage, () => Effect.succeedNone)
      if (Option.isNone(raw) && Option.isNone((yield* catalog.current).entry(digest))) return
      yield* changed({ _tag: "Remove", digest, referrer: Option.flatMap(raw, Referrer.fromManifest) })
    })

  const prune: ImageLayout["prune"] = ({ isDryRun = false, minAge = defaultMinAge, untagged = false } = {}) =>
    Effect.gen(function* () {
      if (!(yield* isLayout)) return Prune.reportOf([], isDryRun)
      if (!isDryRun) yield* prepare
      return yield* pruning({ isDryRun, untagged, minAge: Duration.fromInputUnsafe(minAge) })
    })

  yield* isLayout
  const layout: ImageLayout = {
    folder,
    origin: { place: folder, repository: "" },
    resolve,
    manifest,
    blob: content.blob,
    has,
    tags: Stream.fromIterableEffect(
      Effect.map(
        Effect.tap(catalog.current, (index) => Unread.warn(folder, index)),
        Catalog.tagsIn
      )
    ),
    untagged: Stream.fromIterableEffect(Effect.map(catalog.current, Catalog.untaggedIn)),
    referrers,
    keeps,
    putManifest,
    putBlob: (blob, source) =>
      Effect.andThen(prepare, oneAtATime(blob.digest, content.put(blob, source.unverified ?? source))),
    untag,
    remove,
    batch: catalog.inBatch,
    prune
  }
  return layout
})
