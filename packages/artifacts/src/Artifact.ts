/**
 * Makes artifacts in a store: multi-platform indexes of images, and artifacts of files and folders.
 *
 * @since 0.1.0
 */
import type * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type { ArtifactError } from "./ArtifactError.ts"
import type { ContentStore, MissingContent, PutManifestResult, Reader } from "./ContentStore.ts"
import type { FolderError } from "./FolderError.ts"
import * as Indexing from "./internal/artifact/imageIndex.ts"
import type { IndexOptions } from "./internal/artifact/imageIndex.ts"
import * as Packing from "./internal/artifact/pack.ts"
import type { Packed, PackOptions } from "./internal/artifact/pack.ts"
import * as Pulling from "./internal/artifact/pull.ts"
import type { Listed, Pulled, PullOptions, WriteOptions } from "./internal/artifact/pull.ts"
import { isAttached, put } from "./internal/artifact/put.ts"
import * as Resolving from "./internal/artifact/resolve.ts"
import type { PlatformNotFound } from "./internal/copy/choice.ts"
import type { GraphError } from "./internal/walk.ts"

export type { DockerIndexOptions, IndexOptions, OciIndexOptions } from "./internal/artifact/imageIndex.ts"
export type { FileInput, Packed, PackOptions } from "./internal/artifact/pack.ts"
export type { ArtifactFile, Listed, Pulled, PulledFile, PullOptions, WriteOptions } from "./internal/artifact/pull.ts"

/**
 * Makes a multi-platform index of images in a store, puts it into that store, and returns its descriptor.
 *
 * **When to use**
 *
 * Use after images for several platforms were built and pushed one by one, for example by several machines.
 *
 * **Details**
 *
 * Each image is named by a tag or a digest. Its platform is read from its configuration: operating system, architecture and
 * variant, and the version and features of the operating system. If one of the images is an index, its entries are added with
 * their platforms, annotations and attestations.
 *
 * The same images in the same order produce the same bytes.
 *
 * Fails with `ArtifactError`, which names the image, if an image is missing (`NotFound`), is not an image (`NotAnImage`), states
 * no platform (`NoPlatform`), or has the same platform as another one (`DuplicatePlatform`), and with `NoImages` if the list is
 * empty. Nothing is put in that case.
 *
 * **Example** (One tag for two platforms)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const publish = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   return yield* Artifact.index(store, ["v1.4.0-amd64", "v1.4.0-arm64"], { tags: ["v1.4.0", "latest"] })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const index: <E>(
  store: ContentStore<E>,
  images: ReadonlyArray<string>,
  options?: IndexOptions
) => Effect.Effect<Descriptor, E | MissingContent | ArtifactError> = Indexing.index

/**
 * Which manifest to find.
 *
 * @category options
 * @since 0.1.0
 */
export interface ResolveOptions {
  /** The platform of the image to find in an index, such as `linux/arm64`. Defaults to the index itself. */
  readonly platform?: Platform.Input
}

/**
 * Finds the manifest that a tag or a digest names, or the image for one platform in an index.
 *
 * **When to use**
 *
 * Use to get a digest for other operations, or the image for one platform. `resolve` of a store finds a tag without platforms,
 * as an `Option`.
 *
 * **Details**
 *
 * If the reference has a tag and a digest (`v1.4.0@sha256:…`), the digest decides and the tag is ignored.
 *
 * Fails with `ArtifactError` (`NotFound`, and `NotAnImage` for an index without an image), and with `PlatformNotFound`.
 *
 * **Example** (The digest of an image for one platform)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const digest = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const image = yield* Artifact.resolve(store, "v1.4.0", { platform: "linux/arm64" })
 *   return image.digest
 * })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const resolve = <E>(
  reader: Reader<E>,
  reference: string,
  { platform }: ResolveOptions = {}
): Effect.Effect<Descriptor, ArtifactError | E | GraphError | PlatformNotFound> =>
  Resolving.resolve(reader, reference, platform)

/**
 * Why an artifact could not be pushed, attached or pulled, besides the errors of the store.
 *
 * @category errors
 * @since 0.1.0
 */
export type Fault = ArtifactError | FolderError | GraphError | MissingContent | PlatformNotFound

/**
 * Makes the manifest and the blobs of an artifact from files and folders, without sending them.
 *
 * **When to use**
 *
 * Use to learn the digest before a push, or to put the artifact into a store yourself. Otherwise `push` or `attach` is enough.
 *
 * **Details**
 *
 * OCI image specification, manifest.md, "Guidelines for Artifact Usage". Each file becomes a layer, and each folder a layer that
 * `Folder.pack` packs and that is compressed. The title of a layer is an annotation. Folders are marked by the annotations of
 * oras, so that oras can pull them too. An artifact without files has one empty layer.
 *
 * The same files produce the same manifest. With compressed folders, that holds within one version of one runtime; with
 * `compression: "none"` it holds everywhere.
 *
 * Folders are packed into temporary files, which are removed when the scope closes.
 *
 * Fails with `ArtifactError` (`InvalidArtifact`: a type is missing or is not a media type, titles are unsafe or name the same
 * file, or the manifest exceeds 4 MiB) and with `FolderError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pack: (
  options: PackOptions
) => Effect.Effect<
  Packed,
  ArtifactError | FolderError,
  Compression.Compression | FileSystem.FileSystem | Path.Path | Scope.Scope
> = Packing.pack

/**
 * A manifest that was pushed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pushed extends PutManifestResult {
  /** Its media type, digest and size. */
  readonly descriptor: Descriptor
}

/**
 * Pushes files and folders as an artifact, with one tag, several, or none.
 *
 * **When to use**
 *
 * Use for an artifact that stands by itself. `attach` adds one to an existing image; `index` makes a multi-platform image.
 *
 * **Details**
 *
 * `pack` describes the artifact. Blobs that the store has are not sent again, and files are streamed. If a file changes after it
 * was hashed, the push fails with the store's error for content that does not match its digest.
 *
 * **Example** (Pushing a folder)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const push = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/site")
 *   return yield* Artifact.push(store, "v1", { artifactType: "application/vnd.contoso.site", files: ["dist", "README.md"] })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const push = <E>(
  store: ContentStore<E>,
  tags: string | ReadonlyArray<string>,
  options: PackOptions
): Effect.Effect<
  Pushed,
  ArtifactError | E | FolderError | MissingContent,
  Compression.Compression | FileSystem.FileSystem | Path.Path
> =>
  Effect.gen(function* () {
    const packed = yield* Packing.pack(options)
    const { listedBy } = yield* put(store, packed, typeof tags === "string" ? [tags] : tags)
    return { descriptor: packed.manifest.descriptor, listedBy }
  }).pipe(Effect.scoped)

/**
 * What to attach, and to what.
 *
 * @category options
 * @since 0.1.0
 */
export interface AttachOptions extends Omit<PackOptions, "subject"> {
  /** The platform of the image to attach to, if the subject is an index. Defaults to the index itself. */
  readonly platform?: Platform.Input
}

/**
 * An artifact that is attached to another.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attached extends Pushed {
  /** What it is attached to. */
  readonly subject: Descriptor
  /** Whether this call attached it. False if the same artifact was attached before: nothing was sent. */
  readonly isNew: boolean
}

/**
 * Attaches files and folders to an artifact: an SBOM, a report, a signature.
 *
 * **When to use**
 *
 * Use to add an SBOM, a report or a signature to an existing image. `push` makes an artifact that stands by itself.
 *
 * **Details**
 *
 * The subject is a tag, a digest, or a tag with a digest, in which case the digest decides. A tag is resolved once: `subject` of
 * the result is the manifest that it named. `listedBy` is how clients find the artifact: by the referrers API of the registry or,
 * where the registry has none, by the tag of the subject (OCI distribution specification, "Referrers Tag Schema").
 *
 * Attaching the same files twice produces one artifact: `isNew` is false the second time. With different times in `created` it
 * produces two.
 *
 * **Example** (Attaching an SBOM to the image for one platform)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const attach = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   return yield* Artifact.attach(store, "v1.4.0", {
 *     artifactType: "application/spdx+json",
 *     files: [{ path: "build/sbom.json", title: "sbom.json", mediaType: "application/spdx+json" }],
 *     platform: "linux/amd64"
 *   })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const attach = <E>(
  store: ContentStore<E>,
  subject: string,
  { platform, ...options }: AttachOptions
): Effect.Effect<Attached, E | Fault, Compression.Compression | FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const about = yield* Resolving.resolve(store, subject, platform)
    const packed = yield* Packing.pack({ ...options, subject: about })
    const { descriptor } = packed.manifest
    if (yield* isAttached(store, about, descriptor.digest)) {
      return { descriptor, subject: about, isNew: false, listedBy: Option.none() }
    }
    const { listedBy } = yield* put(store, packed, [])
    return { descriptor, subject: about, isNew: true, listedBy }
  }).pipe(Effect.scoped)

/**
 * Lists the files and folders of an artifact, without their content.
 *
 * **When to use**
 *
 * Use to see what `pull` would write, or to read a file without writing it: the store's `blob` reads the content of a layer.
 *
 * **Details**
 *
 * A layer with a title (`org.opencontainers.image.title`) is a file or a folder. Layers of images have no title.
 *
 * Fails with `ArtifactError` (`NotFound`, `NotAnImage`, and `PlatformRequired` for an index of several platforms), and the errors of the
 * store.
 *
 * **Example** (Reading an SBOM)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect, Stream } from "effect"
 *
 * export const sbom = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const { files } = yield* Artifact.files(store, "v1.4.0-sbom")
 *   return yield* Effect.forEach(files, ({ layer }) => Stream.mkString(Stream.decodeText(store.blob(layer).read(0))))
 * })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const files = <E>(
  reader: Reader<E>,
  reference: string,
  { platform }: ResolveOptions = {}
): Effect.Effect<Listed, ArtifactError | E | GraphError | PlatformNotFound> => Pulling.list(reader, reference, platform)

/**
 * Pulls the files and folders of an artifact into a folder, which is created if it does not exist.
 *
 * **When to use**
 *
 * Use for artifacts of files, such as those of `push` and oras. To save an image, use `ImageArchive.save`, or `Copy.run` into
 * an `ImageLayout`.
 *
 * **Details**
 *
 * A layer with a title (`org.opencontainers.image.title`) becomes a file of that name; a folder that oras or `push` packed is
 * unpacked. Layers without a title are not written, and are listed in `untitled`.
 *
 * Nothing is written outside of the folder. Titles that are absolute, that lead out of the folder, or that name the same file on
 * some file systems are refused before anything is transferred. Symbolic links in the folder are not followed, and archives are
 * unpacked by the rules of `Folder.unpack`. A file gets its final name only once it is complete and verified: a failed pull
 * leaves the old file. Existing files of the same name are replaced, and others stay. If `overwrite` is false, an existing file
 * with other content fails with `AlreadyThere` before any file is written, and one with the same content stays.
 *
 * Fails with `ArtifactError` (`NotFound`, `NotAnImage`, and `PlatformRequired` for an index of several platforms), `FolderError`, and the
 * errors of the store.
 *
 * **Example** (Pulling a folder)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const pull = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/site")
 *   return yield* Artifact.pull(store, "v1", "public")
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const pull = <E>(
  store: Reader<E>,
  reference: string,
  folder: string,
  options: PullOptions = {}
): Effect.Effect<
  Pulled,
  ArtifactError | E | FolderError | GraphError | PlatformNotFound,
  Compression.Compression | FileSystem.FileSystem | Path.Path
> => Pulling.pull(store, reference, folder, options)

/**
 * Writes the files and folders of several artifacts, as listed by `files`, into one folder, by the rules of `pull`.
 *
 * **When to use**
 *
 * Use to inspect the list of files before they are written, or to write several artifacts at once, such as everything that is
 * attached to an image. For one artifact use `pull`.
 *
 * **Details**
 *
 * A file that has the same title and content in several artifacts is written once. Titles that name the same file with different
 * content are refused (`FolderError`, `RefusedEntry`) before anything is transferred.
 *
 * **Example** (Writing the SBOMs of an image)
 *
 * ```ts
 * import { Artifact, Repository } from "@effect-acr/artifacts"
 * import { Effect, Stream } from "effect"
 *
 * export const sboms = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const { digest } = yield* Artifact.resolve(store, "v1.4.0")
 *   const referrers = yield* Stream.runCollect(store.referrers(digest, { artifactType: "application/spdx+json" }))
 *   const listed = yield* Effect.forEach(referrers, (referrer) => Artifact.files(store, referrer.digest))
 *   return yield* Artifact.write(store, listed, "sboms", { overwrite: false })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const write = <E>(
  store: Reader<E>,
  artifacts: ReadonlyArray<Listed>,
  folder: string,
  options: WriteOptions = {}
): Effect.Effect<ReadonlyArray<Pulled>, E | FolderError, Compression.Compression | FileSystem.FileSystem | Path.Path> =>
  Pulling.write(store, artifacts, folder, options)
