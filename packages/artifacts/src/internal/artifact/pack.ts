/**
 * Makes the manifest and the blobs of an artifact from files and folders.
 */
import * as Annotations from "@effect-acr/client/Annotations"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ArtifactError, InvalidArtifact } from "../../ArtifactError.ts"
import { FileFailed, FolderError, InvalidArchive, RefusedEntry } from "../../FolderError.ts"
import { layerTypes, measured, mostManifestBytes } from "../contents.ts"
import { clean } from "../entryNames.ts"
import { conflictOf, problemOf } from "../folder/names.ts"
import { pack as packFolder } from "../folder/pack.ts"
import { sourceInstant } from "../folder/instant.ts"
import { nonce } from "../wholeFiles.ts"
import * as OrasAnnotations from "./annotations.ts"

/**
 * A file or a folder of an artifact.
 *
 * @category options
 * @since 0.1.0
 */
export interface FileInput {
  /** The path of the file or folder. */
  readonly path: string
  /**
   * The name under which a pull writes it, with `/` between folders. Defaults to the path if it is relative and stays below the
   * working directory, otherwise to its last part.
   */
  readonly title?: string
  /** The media type of the layer. Defaults to `application/octet-stream` for a file, and to that of an image layer for a folder. */
  readonly mediaType?: string
  /** Annotations of its layer, besides the title. */
  readonly annotations?: Annotations.Annotations
}

/**
 * The content of an artifact to make.
 *
 * @category options
 * @since 0.1.0
 */
export interface PackOptions {
  /** The artifact type, such as `application/spdx+json`. Defaults to none, which needs a `config` with a media type. */
  readonly artifactType?: string
  /** Files and folders. Defaults to none: the artifact then has only its annotations. */
  readonly files?: ReadonlyArray<string | FileInput>
  /** A configuration. Defaults to the empty one. */
  readonly config?: {
    /** The media type. */
    readonly mediaType: string
    /** The text or the bytes. */
    readonly content: string | Uint8Array
  }
  /** The manifest to which the artifact refers as its subject. It need not exist. */
  readonly subject?: Descriptor
  /** Annotations of the manifest. */
  readonly annotations?: Annotations.Annotations
  /**
   * The creation time, written as an annotation. Defaults to the variable `SOURCE_DATE_EPOCH` (in seconds) if it is set,
   * otherwise to no annotation, so that the same files produce the same digest.
   */
  readonly created?: Date
  /** How folders are compressed. Defaults to `gzip`. */
  readonly compression?: Compression.Format | "none"
}

/**
 * An artifact that is ready to be put into a store.
 *
 * @category models
 * @since 0.1.0
 */
export interface Packed {
  /** The manifest. */
  readonly manifest: Manifest.Raw
  /** The blobs that it names, each once, with their content. */
  readonly blobs: ReadonlyArray<{
    /** Media type, digest, size and annotations. */
    readonly descriptor: Descriptor
    /** Its content. */
    readonly source: BlobSource.BlobSource<FolderError>
  }>
}

type Blob = Packed["blobs"][number]

interface Titled extends FileInput {
  readonly title: string
}

const encoder = new TextEncoder()

const invalid = (description: string) => new ArtifactError({ image: "", reason: new InvalidArtifact({ description }) })

const ofFile = (folder: string) => (cause: PlatformError) =>
  new FolderError({ folder, reason: new FileFailed({ description: cause.message, cause }) })

/** A media type by RFC 6838, section 4.2. */
const mediaTypeOf = (text: string): Effect.Effect<MediaType.MediaType, ArtifactError> =>
  Effect.mapError(Effect.fromResult(MediaType.parse(text)), () =>
    invalid(`${JSON.stringify(text.slice(0, 300))} is not a media type, such as application/spdx+json`)
  )

/** The type of the artifact; undefined if that is the type of its configuration. */
const typeOf = ({ artifactType, config }: PackOptions) =>
  Effect.gen(function* () {
    if (artifactType === undefined && config === undefined) {
      return yield* invalid("an artifact needs a type: artifactType, or the media type of a configuration")
    }
    const type = artifactType === undefined ? undefined : yield* mediaTypeOf(artifactType)
    const isEmpty = type === MediaType.ociEmpty || (type === undefined && config?.mediaType === MediaType.ociEmpty)
    return isEmpty ? yield* invalid(`${MediaType.ociEmpty} is the type of empty content, not of an artifact`) : type
  })

/** The title for a path: the path itself if it is relative and stays below the working directory, otherwise its last part. */
const titleOf = (path: Path.Path, file: string): string => {
  const relative = clean(file.split(path.sep).join("/"))
  const isBelow = !path.isAbsolute(file) && relative !== "" && !relative.split("/").includes("..")
  return isBelow ? relative : path.basename(path.resolve(file))
}

const titled = (path: Path.Path, files: NonNullable<PackOptions["files"]>): ReadonlyArray<Titled> =>
  files.map((input) => {
    const file = typeof input === "string" ? { path: input } : input
    return { ...file, title: file.title ?? titleOf(path, file.path) }
  })

/** Why files cannot have their titles. */
const titleProblem = (files: ReadonlyArray<Titled>, separator: string): Option.Option<string> => {
  const [first] = files.flatMap(({ title }) =>
    Option.toArray(
      Option.map(problemOf(title, separator), (problem) => `the title ${JSON.stringify(title)}: ${problem}`)
    )
  )
  return first === undefined ? conflictOf(files.map(({ title }) => title)) : Option.some(first)
}

/** Sorted, so that the same annotations give the same bytes. */
const sorted = (annotations: Annotations.Annotations): Annotations.Annotations =>
  Object.fromEntries(Object.entries(annotations).toSorted(([left], [right]) => (left < right ? -1 : 1)))

const fileSource = (files: FileSystem.FileSystem, at: string, shown: string): BlobSource.BlobSource<FolderError> => {
  const source = BlobSource.fromFile(at)
  const own = Effect.provideService(FileSystem.FileSystem, files)
  return {
    sizeBytes: Effect.mapError(own(source.sizeBytes), ofFile(shown)),
    read: (offset, held) =>
      source
        .read(offset, held)
        .pipe(Stream.provideService(FileSystem.FileSystem, files), Stream.mapError(ofFile(shown))),
    repeatable: true
  }
}

/** A blob of bytes in memory. */
const bytesBlob = (startHash: Hasher.Start, mediaType: MediaType.MediaType, bytes: Uint8Array): Blob => ({
  descriptor: { mediaType, digest: Hasher.digest(startHash, "sha256", bytes), size: bytes.length },
  source: BlobSource.fromBytes(bytes)
})

const makePacker = (compression: Compression.Format | "none") =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const startHash = yield* Hasher.Hasher
    const compressor = yield* Compression.Compression

    /** A file is read twice: for its digest, and to send it. A store refuses it if it changed in between. */
    const packFile = (file: Titled, mediaType: MediaType.MediaType) =>
      Effect.gen(function* () {
        const source = fileSource(files, file.path, file.path)
        const { digest, size, stream } = measured(source.read(0), startHash("sha256"))
        yield* Stream.runDrain(stream)
        return { descriptor: { mediaType, digest: digest(), size: size() }, source, annotations: {} }
      })

    /** A folder is packed into a temporary file, so that it is read once. */
    const packTree = (file: Titled, mediaType: MediaType.MediaType) =>
      Effect.gen(function* () {
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-pack-" })
        const at = path.join(folder, yield* nonce)
        const tar = measured(packFolder(file.path, { prefix: file.title }), startHash("sha256"))
        const stored = measured(
          compression === "none" ? tar.stream : compressor.compress(tar.stream, compression),
          startHash("sha256")
        )
        yield* Stream.run(stored.stream, files.sink(at))
        return {
          descriptor: { mediaType, digest: stored.digest(), size: stored.size() },
          source: fileSource(files, at, file.path),
          annotations: { [OrasAnnotations.unpack]: "true", [OrasAnnotations.unpackedDigest]: tar.digest() }
        }
      }).pipe(
        Effect.mapError((error) => {
          if (error instanceof FolderError) return error
          return error._tag === "PlatformError"
            ? ofFile(file.path)(error)
            : new FolderError({ folder: file.path, reason: new InvalidArchive({ description: error.message }) })
        })
      )

    return (
      file: Titled
    ): Effect.Effect<Blob, ArtifactError | FolderError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
      Effect.gen(function* () {
        const { type } = yield* Effect.mapError(files.stat(file.path), ofFile(file.path))
        if (type !== "File" && type !== "Directory") {
          const description = `${file.path} is neither a file nor a folder`
          return yield* new FolderError({
            folder: file.path,
            reason: new RefusedEntry({ entry: file.path, description })
          })
        }
        const usual = type === "File" ? MediaType.octetStream : layerTypes[compression]
        const mediaType = file.mediaType === undefined ? usual : yield* mediaTypeOf(file.mediaType)
        const packed = type === "File" ? yield* packFile(file, mediaType) : yield* packTree(file, mediaType)
        const annotations = sorted({ ...file.annotations, ...packed.annotations, [Annotations.title]: file.title })
        return { descriptor: { ...packed.descriptor, annotations }, source: packed.source }
      })
  })

/** The creation time; undefined if neither the option nor the variable is set. */
const createdOf = ({ created }: PackOptions): Effect.Effect<string | undefined, ArtifactError> =>
  Effect.gen(function* () {
    const instant =
      created === undefined
        ? yield* Effect.mapError(sourceInstant, ({ message }) => invalid(message))
        : Option.some(created)
    if (Option.exists(instant, (date) => Number.isNaN(date.getTime())))
      return yield* invalid("created is not a valid date")
    // RFC 3339, without zero milliseconds.
    return Option.getOrUndefined(Option.map(instant, (date) => date.toISOString().replace(".000Z", "Z")))
  })

/** Keeps one blob for each digest: several layers may have the same content. */
const distinct = (blobs: ReadonlyArray<Blob>): ReadonlyArray<Blob> => [
  ...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()
]

/** Packs files and folders. Folders are in temporary files until the scope closes. */
export const pack = (
  options: PackOptions
): Effect.Effect<
  Packed,
  ArtifactError | FolderError,
  Compression.Compression | FileSystem.FileSystem | Path.Path | Scope.Scope
> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const startHash = yield* Hasher.Hasher
    const artifactType = yield* typeOf(options)
    const created = yield* createdOf(options)
    const inputs = titled(path, options.files ?? [])
    const problem = titleProblem(inputs, path.sep)
    if (Option.isSome(problem)) return yield* invalid(`${problem.value}: set the title of a file to another name`)

    const empty = bytesBlob(startHash, MediaType.ociEmpty, encoder.encode("{}"))
    const config =
      options.config === undefined
        ? empty
        : bytesBlob(
            startHash,
            yield* mediaTypeOf(options.config.mediaType),
            typeof options.config.content === "string" ? encoder.encode(options.config.content) : options.config.content
          )
    const packFileOrFolder = yield* makePacker(options.compression ?? "gzip")
    const layers = inputs.length === 0 ? [empty] : yield* Effect.forEach(inputs, packFileOrFolder)

    const annotations = sorted({
      ...(created === undefined ? {} : { [Annotations.created]: created }),
      ...options.annotations
    })
    const bytes = encoder.encode(
      Manifest.format(
        Manifest.image({
          config: config.descriptor,
          layers: layers.map(({ descriptor }) => descriptor),
          ...(artifactType === undefined ? {} : { artifactType }),
          ...(options.subject === undefined ? {} : { subject: options.subject }),
          ...(Object.keys(annotations).length === 0 ? {} : { annotations })
        })
      )
    )
    if (bytes.length > mostManifestBytes) {
      return yield* invalid(`the manifest has ${bytes.length} bytes, and registries take 4 MiB`)
    }
    const manifest: Manifest.Raw = {
      bytes,
      descriptor: {
        mediaType: MediaType.ociImageManifest,
        digest: Hasher.digest(startHash, "sha256", bytes),
        size: bytes.length
      }
    }
    return { manifest, blobs: distinct([config, ...layers]) }
  })
