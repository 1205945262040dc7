/**
 * Writes the files and folders of an artifact into a folder.
 */
import * as Annotations from "@effect-acr/client/Annotations"
import * as Compression from "@effect-acr/client/Compression"
import * as Content from "@effect-acr/client/Content"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import type * as Platform from "@effect-acr/client/Platform"
import * as Arr from "effect/Array"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ArtifactError, NotAnImage, NotFound, PlatformRequired } from "../../ArtifactError.ts"
import type { Reader } from "../../ContentStore.ts"
import { FolderError, InvalidArchive, LimitExceeded, RefusedEntry } from "../../FolderError.ts"
import type { PlatformNotFound } from "../copy/choice.ts"
import { conflictOf, problemOf, shown } from "../folder/names.ts"
import * as Place from "../folder/place.ts"
import { prepare, type UnpackOptions } from "../folder/unpack.ts"
import { nonce, writeAll } from "../wholeFiles.ts"
import { choiceOf, imagesOf, platformOf, platformsOf } from "../platformImage.ts"
import { ofSource, OfSource } from "../sides.ts"
import { lacksIt } from "../storeName.ts"
import type { GraphError } from "../walk.ts"
import * as OrasAnnotations from "./annotations.ts"

/**
 * How to pull an artifact.
 *
 * @category options
 * @since 0.1.0
 */
export interface PullOptions extends WriteOptions {
  /** The platform to pull from an index, such as `linux/arm64`. Required if the index has several. */
  readonly platform?: Platform.Input
}

/**
 * How to write the files of artifacts.
 *
 * @category options
 * @since 0.1.0
 */
export interface WriteOptions extends Pick<UnpackOptions, "maxBytes" | "maxEntries" | "overwrite"> {
  /** Whether to unpack folders that were packed into an archive. Defaults to true. */
  readonly unpack?: boolean
}

/**
 * A file or a folder that was pulled.
 *
 * @category models
 * @since 0.1.0
 */
export interface PulledFile {
  /** Its name in the folder, with `/` between folders. */
  readonly title: string
  /** Its path. */
  readonly path: string
  /** Whether it is a folder that was unpacked. */
  readonly isFolder: boolean
  /** The layer. */
  readonly layer: Descriptor
}

/**
 * What was pulled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pulled {
  /** The manifest. */
  readonly manifest: Descriptor
  /** The files and folders, in the order of the manifest. */
  readonly files: ReadonlyArray<PulledFile>
  /** Layers without a title. They are not written. */
  readonly untitled: ReadonlyArray<Descriptor>
}

const defaultMaxBytes = ByteSize.gibibytes(64)

/** Files that are transferred at the same time. */
const filesAtOnce = 6

const decoder = new TextDecoder()

const fail = (image: string, reason: ArtifactError["reason"]) => Effect.fail(new ArtifactError({ image, reason }))

/** The manifest with layers that a reference names, or the one for a platform in an index. */
const manifestOf = <E>(source: Reader<E>, reference: string, platform: Platform.Input | undefined) =>
  Effect.gen(function* () {
    const found = yield* source.resolve(reference)
    const notFound = new NotFound({ description: lacksIt(source.origin) })
    if (Option.isNone(found)) return yield* fail(reference, notFound)
    const wanted = platform === undefined ? undefined : yield* platformOf(platform)
    const [first, ...others] = yield* imagesOf(source, found.value, wanted)
    if (first === undefined) {
      return yield* fail(reference, new NotAnImage({ description: "this is an index without an image" }))
    }
    if (others.length > 0) {
      const available = platformsOf([first, ...others])
      const description = `this is an index of several images: ${choiceOf(available)}`
      return yield* fail(reference, new PlatformRequired({ description, available }))
    }
    const raw = yield* source.manifest(first)
    if (Option.isNone(raw)) return yield* fail(reference, notFound)
    const { bytes, descriptor } = raw.value
    const view = Manifest.view(descriptor.mediaType, decoder.decode(bytes))
    if (view._tag !== "ImageManifest") {
      return yield* fail(reference, new NotAnImage({ description: `${descriptor.digest} has no layers` }))
    }
    return { descriptor, layers: view.layers }
  })

interface Titled {
  readonly title: string
  readonly layer: Descriptor
}

/** Files of the same content are read once: a registry then sends it once, and an archive from a stream has it only once. */
const contentOf = ({ layer }: Titled): string => `${layer.digest} ${layer.size}`

const sizeOf = (files: ReadonlyArray<Titled>): number => files.reduce((sum, { layer }) => sum + layer.size, 0)

const titledOf = (layers: ReadonlyArray<Descriptor>): ReadonlyArray<Titled> =>
  layers.flatMap((layer) => {
    const title = layer.annotations?.[Annotations.title]
    return title === undefined ? [] : [{ title, layer }]
  })

/** Refuses titles that lead out of the folder, or that are the same file on some file systems. */
const expectSafe = (folder: string, files: ReadonlyArray<Titled>, separator: string) =>
  Effect.gen(function* () {
    for (const { title } of files) {
      const problem = problemOf(title, separator)
      if (Option.isNone(problem)) continue
      const description = `the title ${shown(title)}: ${problem.value}`
      return yield* new FolderError({ folder, reason: new RefusedEntry({ entry: title, description }) })
    }
    const conflict = conflictOf(files.map(({ title }) => title))
    if (Option.isNone(conflict)) return
    return yield* new FolderError({
      folder,
      reason: new RefusedEntry({ entry: "", description: `the titles of layers: ${conflict.value}` })
    })
  })

const isFolder = ({ layer }: Titled): boolean => layer.annotations?.[OrasAnnotations.unpack] === "true"

/** Content whose digest before compression must match an annotation. */
const comparedWith = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  { annotations }: Descriptor,
  folder: string
): Stream.Stream<Uint8Array, E | FolderError, R> => {
  const expected = annotations?.[OrasAnnotations.unpackedDigest]
  if (!Digest.isDigest(expected)) return content
  return Stream.mapError(Content.verify(Stream.mapError(content, ofSource), { digest: expected }), (error) => {
    if (error instanceof OfSource) return error.cause
    const description = `the archive is not what the annotation ${OrasAnnotations.unpackedDigest} says`
    return new FolderError({ folder, reason: new InvalidArchive({ description }) })
  })
}

/** Where the layers of an artifact are written. */
interface Target {
  readonly folder: string
  readonly site: Place.Site
  readonly overwrite: boolean
  /** The size limit of all files and folders together, in bytes. */
  readonly maxBytes: number
  readonly maxEntries: number | undefined
}

/** A file in the staging folder, and its title. */
interface Staged {
  readonly title: string
  readonly at: string
}

const stageContent = <E>(
  source: Reader<E>,
  { site }: Target,
  layer: Descriptor
): Effect.Effect<string, E | FolderError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const staged = path.join(site.staging, yield* nonce)
    // Each chunk is written before the next one is read.
    const content = Stream.mapError(source.blob(layer).read(0, 0), ofSource)
    const write = Effect.flatMap(files.open(staged, { flag: "wx" }), (file) =>
      Effect.andThen(writeAll(file, content, layer.size), file.sync)
    )
    return yield* Effect.scoped(write).pipe(
      Effect.mapError((error) => {
        if (error instanceof OfSource) return error.cause
        return error instanceof PlatformError ? site.ofFile(error) : error
      }),
      Effect.as(staged)
    )
  })

/** Writes files that have the same content. */
const stageAlike = <E>(
  source: Reader<E>,
  target: Target,
  [first, ...others]: Arr.NonEmptyReadonlyArray<Titled>
): Effect.Effect<ReadonlyArray<Staged>, E | FolderError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { site } = target
    const written = yield* stageContent(source, target, first.layer)
    const copies = yield* Effect.forEach(others, ({ title }) =>
      Effect.gen(function* () {
        const at = path.join(site.staging, yield* nonce)
        // An interrupted file operation continues, in a folder that is being removed.
        yield* Effect.uninterruptible(Effect.mapError(files.copyFile(written, at), site.ofFile))
        return { title, at }
      })
    )
    return [{ title: first.title, at: written }, ...copies]
  })

/** Unpacks the archive of a folder into a staging folder in its final place. Ends when the whole archive was read. */
const prepareFolder = <E>(source: Reader<E>, target: Target, { layer, title }: Titled, maxBytes: number) =>
  Effect.gen(function* () {
    const { folder, maxEntries, overwrite, site } = target
    // A link in its place fails here, so that none is followed below: it is a real folder by now.
    yield* site.makeFolder(title)
    const archive = comparedWith(Compression.decompress(source.blob(layer).read(0)), layer, folder)
    return yield* prepare(archive, site.pathOf(title), {
      overwrite,
      prefix: title,
      maxBytes: ByteSize.bytes(maxBytes),
      ...(maxEntries === undefined ? {} : { maxEntries })
    }).pipe(
      Effect.mapError((error) =>
        error instanceof Compression.CompressionError
          ? site.failure(new InvalidArchive({ description: error.message }))
          : error
      )
    )
  })

/** Whether a file that is there has the content of a layer. */
const isSame =
  (files: FileSystem.FileSystem, { digest, size }: Descriptor): Place.IsSame =>
  (at, found) => {
    if (found.type !== "File" || Number(found.size) !== size) return Effect.succeed(false)
    return Stream.runDrain(Content.verify(files.stream(at), { digest, size })).pipe(
      Effect.as(true),
      Effect.catchTag("RegistryError", () => Effect.succeed(false))
    )
  }

/**
 * Writes files and folders. Conflicts with existing files are found before anything changes, and for files before anything is
 * transferred.
 */
const writeTo = <E>(
  source: Reader<E>,
  target: Target,
  wanted: ReadonlyArray<Titled>,
  folders: ReadonlyArray<Titled>
): Effect.Effect<void, E | FolderError, Compression.Compression | FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const { maxBytes, site } = target
    const fileSystem = yield* FileSystem.FileSystem
    const files = yield* Effect.filter(wanted, ({ layer, title }) =>
      site.checkFile(title, target, isSame(fileSystem, layer))
    )
    for (const { title } of folders) yield* site.checkFolder(title)
    const staged = yield* Effect.forEach(
      Object.values(Arr.groupBy(files, contentOf)),
      (alike) => stageAlike(source, target, alike),
      { concurrency: filesAtOnce }
    )
    // The size of a folder is not known from its compressed layer.
    let left = maxBytes - sizeOf(wanted)
    const publishes: Array<Effect.Effect<void, FolderError>> = []
    for (const folder of folders) {
      const { publish, unpacked } = yield* prepareFolder(source, target, folder, left)
      left -= unpacked.bytes
      publishes.push(publish)
    }
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        for (const publish of publishes) yield* publish
        for (const { at, title } of staged.flat()) yield* site.place(title, at, target)
      })
    )
  })

/**
 * A layer of an artifact that `pull` writes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ArtifactFile {
  /** Its name in the folder, with `/` between folders, as the artifact states it. The name is not checked and may be unsafe. */
  readonly title: string
  /** Whether it is a folder that was packed into an archive. */
  readonly isFolder: boolean
  /** Media type, digest, size and annotations. */
  readonly layer: Descriptor
}

/**
 * The files and folders of an artifact.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listed {
  /** The manifest. */
  readonly manifest: Descriptor
  /** The files and folders, in the order of the manifest. */
  readonly files: ReadonlyArray<ArtifactFile>
  /** Layers without a title, such as those of an image. */
  readonly untitled: ReadonlyArray<Descriptor>
}

const untitledOf = (layers: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> =>
  layers.filter(({ annotations }) => annotations?.[Annotations.title] === undefined)

/** Lists the files and folders of the artifact that a reference names. */
export const list = <E>(source: Reader<E>, reference: string, platform: Platform.Input | undefined) =>
  Effect.map(manifestOf(source, reference, platform), ({ descriptor, layers }): Listed => ({
    manifest: descriptor,
    files: titledOf(layers).map((file) => ({ ...file, isFolder: isFolder(file) })),
    untitled: untitledOf(layers)
  }))

/** The files of several artifacts. A file with the same name and content in several of them is written once. */
const together = (artifacts: ReadonlyArray<Listed>): ReadonlyArray<ArtifactFile> => {
  const seen = new Map<string, Listed>()
  return artifacts.flatMap((artifact) =>
    artifact.files.filter(({ isFolder, layer, title }) => {
      const key = JSON.stringify([title, layer.digest, isFolder])
      const first = seen.get(key) ?? artifact
      seen.set(key, first)
      return first === artifact
    })
  )
}

/** Writes files and folders of artifacts into one folder. Returns the result for each artifact. */
const written = <E>(
  source: Reader<E>,
  artifacts: ReadonlyArray<Listed>,
  folder: string,
  { maxBytes: most = defaultMaxBytes, maxEntries, overwrite = true, unpack: isUnpacking = true }: WriteOptions
): Effect.Effect<
  (artifact: Listed) => Pulled,
  E | FolderError,
  Compression.Compression | FileSystem.FileSystem | Path.Path
> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const titled = together(artifacts)
    yield* expectSafe(folder, titled, path.sep)
    const maxBytes = Number(ByteSize.toBigInt(ByteSize.fromInputUnsafe(most)))
    const size = sizeOf(titled)
    if (size > maxBytes) {
      const description = `the layers have ${size} bytes, more than ${maxBytes}`
      return yield* new FolderError({ folder, reason: new LimitExceeded({ description }) })
    }
    const folders = isUnpacking ? titled.filter(isFolder) : []
    const files = isUnpacking ? titled.filter((file) => !isFolder(file)) : titled
    const site = yield* Place.open(folder)
    yield* writeTo(source, { folder, site, overwrite, maxBytes, maxEntries }, files, folders)
    return ({ files, manifest, untitled }: Listed): Pulled => ({
      manifest,
      files: files.map((file) => ({ ...file, path: site.pathOf(file.title), isFolder: isUnpacking && file.isFolder })),
      untitled
    })
  }).pipe(Effect.scoped)

/** Writes the files and folders of artifacts that were listed into one folder. */
export const write = <E>(
  source: Reader<E>,
  artifacts: ReadonlyArray<Listed>,
  folder: string,
  options: WriteOptions
): Effect.Effect<ReadonlyArray<Pulled>, E | FolderError, Compression.Compression | FileSystem.FileSystem | Path.Path> =>
  Effect.map(written(source, artifacts, folder, options), (pulledOf) => artifacts.map(pulledOf))

/** Pulls the artifact that a reference names into a folder. */
export const pull = <E>(
  source: Reader<E>,
  reference: string,
  folder: string,
  { platform, ...options }: PullOptions
): Effect.Effect<
  Pulled,
  ArtifactError | E | FolderError | GraphError | PlatformNotFound,
  Compression.Compression | FileSystem.FileSystem | Path.Path
> =>
  Effect.flatMap(list(source, reference, platform), (listed) =>
    Effect.map(written(source, [listed], folder, options), (pulledOf) => pulledOf(listed))
  )
