/**
 * Artifacts that are made in a store: of images, and of files and folders.
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
 * Makes a multi-platform index of images that are in a store, puts it there, and returns its descriptor.
 *
 * **When to use**
 *
 * Use after images for several platforms were built and pushed one by one, for example by several machines.
 *
 * **Details**
 *
 * Each image is named by a tag or a digest. Its platform is read from its configuration, with the variant, and the version and
 * the features of the operating system. An index among the images contributes its entries, with their platforms,
 * annotations and attestations.
 *
 * The same images in the same order give the same bytes.
 *
 * Fails with `ArtifactError`, which names the image, if an image is missing (`NotFound`), is something else (`NotAnImage`),
 * is for no platform (`NoPlatform`), or is for the platform of another one (`DuplicatePlatform`), and with `NoImages` if there is
 * no image at all. Nothing is put then.
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
 * Finds the manifest that a tag or a digest names, or the image of an index for a platform.
 *
 * **Details**
 *
 * The reference may be a tag with a digest (`v1.4.0@sha256:…`), of which the digest counts.
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
 * Makes the manifest and the blobs of an artifact of files and folders. Nothing is sent.
 *
 * **Details**
 *
 * OCI image specification, manifest.md, "Guidelines for Artifact Usage". A file is a layer, and so is a folder, packed by `Folder.pack`
 * and compressed. Each has its title as an annotation; that a layer is a folder is said by the annotations of oras, which pulls it, too.
 * An artifact without files has one empty layer.
 *
 * The same files give the same manifest. Where folders are compressed, this holds for one version of one runtime; with
 * `compression: "none"` it holds everywhere.
 *
 * Folders are packed into temporary files, which are gone with the scope.
 *
 * Fails with `ArtifactError` (`InvalidArtifact`: a type is missing or is no media type, titles that are not safe or are one file, a
 * manifest of more than 4 MiB) and with `FolderError`.
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
 * Pushes files and folders as an artifact, under a tag or several, or under none.
 *
 * **Details**
 *
 * See `pack` for what is made of them. Blobs that the store has are not sent again, and files are not kept in memory. A file that changes
 * after it was hashed fails with the store's error for content that is not what its digest says.
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
  /** Whether it was attached now. If the same artifact was there already, nothing was sent. */
  readonly isNew: boolean
}

/**
 * Attaches files and folders to an artifact: an SBOM, a report, a signature.
 *
 * **Details**
 *
 * The subject is a tag, a digest, or a tag with a digest, of which the digest counts. A tag is resolved once: `subject` of the result
 * says what it named. `listedBy` says how others find the artifact: by the referrers API of the registry, or by the tag of the subject
 * (OCI distribution specification, "Referrers Tag Schema"), which is kept where the registry has no such API.
 *
 * The same files attached twice are one artifact: `isNew` is false the second time. With `created` they are two.
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
 * Use to see what `pull` would write, or to read a file without writing it: `blob` of the store has the content of a layer.
 *
 * **Details**
 *
 * A layer with a title (`org.opencontainers.image.title`) is a file or a folder. An image has none.
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
 * Pulls the files and folders of an artifact into a folder, which is made if it is not there.
 *
 * **Details**
 *
 * A layer with a title (`org.opencontainers.image.title`) is a file of this name; one that oras or `push` made of a folder is unpacked.
 * Layers without a title are not written, and are listed in `untitled`.
 *
 * Nothing is written outside of the folder: titles that are absolute or go up, or that are one file on some file systems, are refused
 * before anything is transferred, symbolic links in the folder are not followed, and archives are unpacked by the rules of
 * `Folder.unpack`. A file appears when it is whole and verified, so that a pull that fails leaves the old one. Files that are there
 * are replaced, and others stay. If `overwrite` is false, a file with other content fails with `AlreadyThere` before any file is
 * written, and one with the same content stays.
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
 * Writes the files and folders of artifacts that `files` listed into one folder, by the rules of `pull`.
 *
 * **When to use**
 *
 * Use to look at what artifacts hold before it is written, and to write several of them: all that is attached to an image.
 *
 * **Details**
 *
 * A file that has the same title and content in several artifacts is written once. Titles that are one file and have other content
 * are refused (`FolderError`, `RefusedEntry`) before anything is transferred.
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
