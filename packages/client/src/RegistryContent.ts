/**
 * The contents of a registry: manifests and blobs, in Azure Container Registry or any registry that implements the OCI
 * distribution specification.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import type * as Stream from "effect/Stream"
import type * as HttpClient from "effect/http/HttpClient"
import type { BlobSource } from "./BlobSource.ts"
import type * as Credentials from "./Credentials.ts"
import type { Descriptor } from "./Descriptor.ts"
import type * as Digest from "./Digest.ts"
import { Hasher } from "./Hasher.ts"
import * as Blobs from "./internal/content/blobs.ts"
import * as Images from "./internal/content/images.ts"
import type { Image, ImageOptions } from "./internal/content/images.ts"
import * as Manifests from "./internal/content/manifests.ts"
import * as Tags from "./internal/content/tags.ts"
import type * as Manifest from "./Manifest.ts"
import type { RegistryError } from "./RegistryError.ts"
import type * as RepositoryName from "./RepositoryName.ts"
import type * as Tag from "./Tag.ts"
import type {
  Blob,
  BlobOutcome,
  DownloadBlobOptions,
  DownloadFileOptions,
  PutBlobOptions,
  PutManifestOptions,
  PutManifestResult,
  ReferrersOptions,
  UploadBlobOptions
} from "./internal/transfer/options.ts"
import * as Transport from "./Transport.ts"

export type { Image, ImageOptions } from "./internal/content/images.ts"

export type {
  Blob,
  BlobOutcome,
  DownloadBlobOptions,
  DownloadFileOptions,
  OnProgress,
  Progress,
  PutBlobOptions,
  PutManifestOptions,
  PutManifestResult,
  ReferrersListing,
  ReferrersOptions,
  UploadBlobOptions
} from "./internal/transfer/options.ts"

/**
 * Options for the transfer of content.
 *
 * @category options
 * @since 0.1.0
 */
export interface ContentOptions {
  /**
   * How long a transfer may stall before the client closes its connection and resumes on another one. Defaults to 1
   * minute.
   */
  readonly idleTimeout?: Duration.Input
}

/**
 * The registry, and options for its requests and for the transfer of content.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Transport.Options, ContentOptions {}

/**
 * Options for a registry that the configuration names, and for the transfer of its content.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions extends Transport.ConfigOptions, ContentOptions {}

/**
 * The operations of `RegistryContent`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /** The registry's origin: `https://myregistry.azurecr.io`. */
  readonly endpoint: string

  /** The registry's host, as in references: `myregistry.azurecr.io`. */
  readonly loginServer: string

  /**
   * Lists the names of all repositories, in the registry's order.
   *
   * **Details**
   *
   * `GET /v2/_catalog`: distribution's documentation, "Listing Repositories". The OCI specification does not include
   * it, so a registry may lack it, list only what the login may see, or require a separate right (the scope
   * `registry:catalog:*`; on ACR with rights by repository, the role Catalog Lister). Invalid names of repositories are
   * left out, with a warning in the log.
   *
   * **Gotchas**
   *
   * Public registries do not list their repositories. Docker Hub refuses the list to every login (`Unauthenticated`).
   * On a registry without this API, the operation fails with `NotFound` (`endpoint`) or `Unsupported`.
   *
   * **Example** (Counting the tags of each repository)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Console, Effect, Stream } from "effect"
   *
   * const countTags = Effect.gen(function* () {
   *   const content = yield* RegistryContent.RegistryContent
   *   yield* content.repositories().pipe(
   *     Stream.mapEffect((name) => Effect.map(Stream.runCount(content.tags(name)), (count) => `${name}: ${count}`)),
   *     Stream.runForEach((line) => Console.log(line))
   *   )
   * })
   * ```
   */
  readonly repositories: (options?: {
    /** How many names the registry sends at a time, at least 1. Defaults to the registry's own default. */
    readonly pageSize?: number
    /** The repository after which the list begins. */
    readonly continueFrom?: string
  }) => Stream.Stream<RepositoryName.RepositoryName, RegistryError>

  /**
   * Lists the tags of a repository, in the registry's order: alphabetical, by the specification. A registry without
   * pagination (docker-registry 2.8) lists all of them in any order and ignores the options. Fails with `NotFound`.
   *
   * **Details**
   *
   * OCI distribution specification, "Listing Tags". `ContainerRegistry.tags` also has their properties and other
   * orders. Invalid tags are left out, with a warning in the log.
   */
  readonly tags: (
    repository: string,
    options?: {
      /** How many tags the registry sends at a time, at least 1. Defaults to the registry's own default. */
      readonly pageSize?: number
      /** The tag after which the list begins. */
      readonly continueFrom?: string
    }
  ) => Stream.Stream<Tag.Tag, RegistryError>

  /**
   * Resolves a tag or a digest to a descriptor: media type, digest and size, without the content. Fails with
   * `NotFound`.
   *
   * **When to use**
   *
   * Use to learn the digest of a tag, or whether it exists. `manifest` downloads the manifest as well.
   *
   * **Example** (Promoting an image only if it is the tested one)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const isTested = (tested: string) =>
   *   Effect.gen(function* () {
   *     const content = yield* RegistryContent.RegistryContent
   *     const { digest } = yield* content.resolve("library/hello-world", "candidate")
   *     return digest === tested
   *   })
   * ```
   */
  readonly resolve: (repository: string, tagOrDigest: string) => Effect.Effect<Descriptor, RegistryError>

  /**
   * Downloads a manifest of at most 4 MiB and verifies it. Returns its bytes, its descriptor, and the parsed manifest.
   * Fails with `NotFound`, `TooLarge` and `ContentMismatch`.
   *
   * **Details**
   *
   * OCI distribution specification, "Pulling manifests". By digest, the bytes are compared with that digest; by tag,
   * with the digest that the registry states. Matching bytes are returned even if this library cannot read them: the
   * manifest is then an `UnknownManifest`, whose `problem` says why.
   *
   * The media type is the registry's `Content-Type`. If that is missing or generic (`application/json`, `text/json`,
   * `application/octet-stream`, `binary/octet-stream`, `text/plain`), the media type comes from the manifest: from its
   * `mediaType` field, or else from its other fields. docs/manifests.md has the rules.
   *
   * **Example** (The images of an index)
   *
   * ```ts
   * import { Platform, RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const platforms = Effect.gen(function* () {
   *   const content = yield* RegistryContent.RegistryContent
   *   const { manifest } = yield* content.manifest("library/alpine", "3.20")
   *   return manifest._tag === "ImageIndex"
   *     ? manifest.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [Platform.format(platform)]))
   *     : []
   * })
   * ```
   */
  readonly manifest: (repository: string, tagOrDigest: string) => Effect.Effect<Manifest.Content, RegistryError>

  /**
   * Downloads a manifest of at most 4 MiB and verifies it, as `manifest` does, and returns its bytes without parsing
   * them. Fails with `NotFound`, `TooLarge` and `ContentMismatch`.
   *
   * **When to use**
   *
   * Use to copy, store or hash a manifest whose fields do not matter: it saves the time to parse them.
   */
  readonly rawManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Manifest.Raw, RegistryError>

  /**
   * Finds the image for a platform, and reads its manifest and configuration. Fails with `NotFound` if there is no
   * image for the platform, with `InvalidRequest` if there are several images and no platform is given, with
   * `InvalidResponse` if a manifest or the configuration cannot be read, and with `TooLarge` if the configuration is
   * larger than 4 MiB.
   *
   * **When to use**
   *
   * Use to inspect what one platform would pull: its size, its labels, when it was built.
   *
   * **Details**
   *
   * `Platform.matches` and `Platform.bestMatch` document how a platform is chosen. The client follows indexes within
   * indexes, at most 8 levels deep, and at most 100 of them. If a tag or a digest names an image and not an index, the
   * platform is compared with the image's configuration. Without a platform, the image must be the only one;
   * attestations do not count.
   *
   * **Example** (The size of an image on one platform)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const sizeOnArm = Effect.gen(function* () {
   *   const content = yield* RegistryContent.RegistryContent
   *   const { config, size } = yield* content.image("library/alpine", "3.20", { platform: "linux/arm64" })
   *   return { size, created: config.created }
   * })
   * ```
   */
  readonly image: (
    repository: string,
    tagOrDigest: string,
    options?: ImageOptions
  ) => Effect.Effect<Image, RegistryError>

  /**
   * Pushes a manifest: one made with `Manifest.image` or `Manifest.index`, a pulled one (its bytes, with its media type
   * and the algorithm of its digest), or bytes as they are. The content that it refers to must exist in the repository.
   * Returns its descriptor and, if it has a subject, where it is listed among the subject's referrers. Fails with
   * `Locked`, with `TooLarge` before anything is sent if it has more than 4 MiB, and with `ContentMismatch` if the
   * registry states another digest.
   *
   * **Details**
   *
   * OCI distribution specification, "Pushing Manifests". Each tag is a request, one after the other. For bytes and
   * text, the media type is `mediaType` or that of the content; without either, the operation fails with
   * `InvalidRequest`.
   *
   * A registry that lists a manifest with a `subject` says so (`OCI-Subject`). If it does not, this operation adds the
   * manifest to the list that the subject's referrers tag names, as the specification requires of clients. If that
   * fails, the operation fails, and `completed` of the error says that the manifest is pushed: push it again. Fails
   * with `Refused` if the tag names something other than a list of referrers. docs/referrers.md describes what happens
   * if several programs change one list at the same time.
   *
   * **Example** (Adding tags to an image)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const promote = Effect.gen(function* () {
   *   const content = yield* RegistryContent.RegistryContent
   *   const candidate = yield* content.manifest("library/hello-world", "candidate")
   *   yield* content.putManifest("library/hello-world", candidate, { tags: ["v1.4.0", "latest"] })
   * })
   * ```
   */
  readonly putManifest: (
    repository: string,
    manifest: Manifest.ImageManifest | Manifest.ImageIndex | Manifest.Raw | Uint8Array | string,
    options?: PutManifestOptions
  ) => Effect.Effect<PutManifestResult, RegistryError>

  /**
   * Adds a tag to a manifest of the repository, and returns the manifest's descriptor. An existing tag is moved. Fails
   * with `NotFound`, and with `Locked` if the tag cannot be moved.
   *
   * **Example** (Promoting a candidate)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const promote = Effect.flatMap(RegistryContent.RegistryContent, (content) =>
   *   content.retag("library/hello-world", "candidate", "v1.4.0")
   * )
   * ```
   */
  readonly retag: (repository: string, tagOrDigest: string, tag: string) => Effect.Effect<Descriptor, RegistryError>

  /**
   * Lists the referrers of a manifest, by tag or digest: the manifests of its repository that name it as their subject,
   * such as signatures, attestations and bills of materials. The list is empty for a digest without referrers, and for
   * one that does not exist. A tag is resolved first, and fails with `NotFound` if it does not exist; so does a missing
   * repository, if the registry distinguishes it from a missing manifest.
   *
   * **Details**
   *
   * OCI distribution specification, "Listing Referrers". A page is requested when its first item is needed. If the
   * registry has no referrers API (404, 405, 501, or a response of another media type), which is cached for 15 minutes,
   * the list is that of the referrers tag. If it has the API, the list also includes further entries of the tag. Each
   * referrer is listed once.
   *
   * Entries of the referrers tag are checked: a manifest that was deleted or has another subject is left out, with a
   * warning in the log. If the registry does not apply the filter, this library does; it then reads the manifests whose
   * artifact type the list does not state. docs/referrers.md has the rules.
   *
   * **Example** (The signatures of an image)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect, Stream } from "effect"
   *
   * const signatures = Effect.gen(function* () {
   *   const content = yield* RegistryContent.RegistryContent
   *   return yield* content
   *     .referrers("library/alpine", "3.20", { artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json" })
   *     .pipe(Stream.runCollect)
   * })
   * ```
   */
  readonly referrers: (
    repository: string,
    tagOrDigest: string,
    options?: ReferrersOptions
  ) => Stream.Stream<Descriptor, RegistryError>

  /**
   * Deletes a tag. Its manifest and the other tags remain. Fails with `NotFound` if the tag does not exist, with
   * `Locked`, and with `Unsupported` if the registry does not delete tags.
   *
   * **Details**
   *
   * OCI distribution specification 1.1, "Deleting tags". ACR refuses that request and deletes tags with its own API.
   * The client uses ACR's API for ACR's hosts, and for a registry that refuses the specification's request and has
   * ACR's API. It detects this once and remembers it for the lifetime of the service.
   *
   * **Gotchas**
   *
   * Many registries do not delete tags, distribution (`docker-registry`) 2.8 among them. There only `deleteManifest`
   * works, which deletes **every** tag of the manifest. The client never does that instead of deleting one tag, and it
   * never pushes a dummy manifest to delete, as other tools do.
   *
   * Amazon ECR deletes an image with its last tag (AWS's documentation, "BatchDeleteImage").
   *
   * **Example** (Deleting a tag if it exists)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const untag = Effect.flatMap(RegistryContent.RegistryContent, (content) =>
   *   content
   *     .deleteTag("library/hello-world", "candidate")
   *     .pipe(Effect.catchReason("RegistryError", "NotFound", () => Effect.void))
   * )
   * ```
   */
  readonly deleteTag: (repository: string, tag: string) => Effect.Effect<void, RegistryError>

  /**
   * Deletes a manifest **with all its tags**, and returns its digest. A tag is resolved first, each time. Fails with
   * `NotFound`, `Locked`, and `Unsupported` if the registry does not delete.
   *
   * **When to use**
   *
   * Use to delete an image. To remove one tag and keep the image, use `deleteTag`.
   *
   * **Details**
   *
   * If the manifest has a subject and the registry does not list referrers, its entry is removed from the list that the
   * subject's referrers tag names. If that fails, a warning is logged: readers of the list then find that the manifest
   * does not exist.
   */
  readonly deleteManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Digest.Digest, RegistryError>

  /**
   * Returns the size and the digest of a blob. The media type of the descriptor is `application/octet-stream`, because
   * only manifests state another one. Fails with `NotFound`.
   */
  readonly headBlob: (repository: string, digest: string) => Effect.Effect<Descriptor, RegistryError>

  /**
   * Streams the bytes of a blob. The stream succeeds only if they match the digest and the size: a consumer that stops
   * before the end has unverified bytes. Fails with `NotFound` and `ContentMismatch`.
   *
   * **When to use**
   *
   * Use to process a blob of any size in constant memory. `blobBytes` returns a small blob at once, `downloadBlob`
   * writes one to a file, and `blobSource` passes one on to an upload.
   *
   * **Details**
   *
   * OCI distribution specification, "Pulling blobs". After a connection breaks or stalls, the download resumes on
   * another one at the next byte.
   *
   * **Example** (Counting the lines of a text in constant memory)
   *
   * ```ts
   * import { RegistryContent } from "@effect-acr/client"
   * import { Effect, Stream } from "effect"
   *
   * const countLines = (digest: string) =>
   *   Effect.gen(function* () {
   *     const content = yield* RegistryContent.RegistryContent
   *     return yield* content
   *       .blob("samples/reports", digest)
   *       .pipe(Stream.decodeText, Stream.splitLines, Stream.runCount)
   *   })
   * ```
   */
  readonly blob: (
    repository: string,
    blob: Blob,
    options?: DownloadBlobOptions
  ) => Stream.Stream<Uint8Array, RegistryError>

  /**
   * Streams a part of a blob. A part cannot be verified. Fails with `NotFound`, and with `InvalidRequest` if `offset`
   * or `length` is invalid.
   */
  readonly blobRange: (
    repository: string,
    blob: Blob,
    range: {
      /** The offset of the part, in bytes from the beginning of the blob. */
      readonly offset: number
      /** The number of bytes, at least 1. */
      readonly length: number
    }
  ) => Stream.Stream<Uint8Array, RegistryError>

  /**
   * Makes an upload source of a blob, to copy it to another repository or registry. An upload that resumes requests
   * only the rest of the blob.
   *
   * **Gotchas**
   *
   * Pass the `digest` to the upload: it verifies content that was read in parts.
   *
   * **Example** (Copying a blob from one registry to another)
   *
   * ```ts
   * import type { Descriptor, RegistryContent } from "@effect-acr/client"
   *
   * export const copy = (
   *   from: RegistryContent.Service,
   *   to: RegistryContent.Service,
   *   blob: Descriptor.Descriptor
   * ) => to.uploadBlob("mirror/hello", from.blobSource("samples/hello", blob), { digest: blob.digest })
   * ```
   */
  readonly blobSource: (repository: string, blob: Pick<Descriptor, "digest" | "size">) => BlobSource<RegistryError>

  /** Downloads a blob into memory and verifies it. Fails with `NotFound`, `TooLarge` and `ContentMismatch`. */
  readonly blobBytes: (
    repository: string,
    blob: Blob,
    options?: DownloadBlobOptions & {
      /** The largest size that is accepted. Defaults to 16 MiB. A larger blob fails with `TooLarge`. */
      readonly maxSize?: ByteSize.Input
    }
  ) => Effect.Effect<Uint8Array, RegistryError>

  /**
   * Downloads a blob to a file. The file gets its final name only once the content is verified; an existing file of
   * that name is replaced. Fails with `NotFound` and `ContentMismatch`, and with a `PlatformError` if the file cannot
   * be written.
   *
   * **Example** (Resuming an earlier download)
   *
   * ```ts
   * import { type Descriptor, RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const download = (layer: Descriptor.Descriptor) =>
   *   Effect.flatMap(RegistryContent.RegistryContent, (content) =>
   *     content.downloadBlob("library/alpine", layer, "layer.tar.gz", { resumable: true })
   *   )
   * ```
   */
  readonly downloadBlob: (
    repository: string,
    blob: Blob,
    path: string,
    options?: DownloadFileOptions
  ) => Effect.Effect<void, RegistryError | PlatformError.PlatformError, FileSystem.FileSystem>

  /**
   * Uploads a blob, and returns its descriptor. Fails with `ContentMismatch`, and with the errors of its source.
   *
   * **When to use**
   *
   * Use for new content, whose digest the upload computes. To copy a blob whose digest and size are known, use
   * `putBlob`, which skips blobs that exist.
   *
   * **Details**
   *
   * OCI distribution specification, "Pushing blobs". Memory is constant: content that can be read again is sent as a
   * stream, other content in chunks.
   *
   * An upload that fails or is interrupted cancels its session if the login may delete. Otherwise the session expires.
   *
   * With `mountFrom`, content that the registry does not mount is sent, as with `putBlob`.
   *
   * **Example** (Sending a layer only if it is missing)
   *
   * ```ts
   * import { BlobSource, MediaType, RegistryContent } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const upload = (digest: string) =>
   *   Effect.flatMap(RegistryContent.RegistryContent, (content) =>
   *     content.uploadBlob("samples/hello", BlobSource.fromFile("layer.tar"), {
   *       mediaType: MediaType.ociImageLayer,
   *       digest,
   *       mountFrom: "samples/base"
   *     })
   *   )
   * ```
   */
  readonly uploadBlob: <E, R>(
    repository: string,
    source: BlobSource<E, R>,
    options?: UploadBlobOptions
  ) => Effect.Effect<Descriptor, RegistryError | E, R>

  /**
   * Ensures that a repository has a blob, whose descriptor is known, and returns how: the blob was already `present`,
   * it was `mounted`, or it was `sent`. Fails as `uploadBlob` does.
   *
   * **When to use**
   *
   * Use to copy blobs whose digest and size are known, and to report what was sent. `uploadBlob` is for new content.
   *
   * **Details**
   *
   * A blob that is present costs one HEAD request, and a mounted blob one more POST. In both cases the source is not
   * read. If the registry does not mount the blob, the content is sent in the session that the registry opened instead,
   * or in a new one. A failed mount fails the operation only after 429 or a lost connection, once retries end, and
   * after a response that names another digest (`ContentMismatch`). The log says at level debug why a blob was not
   * mounted.
   *
   * Content is hashed once, while it is sent. Content whose size or digest differs from the descriptor is not committed
   * (`ContentMismatch`).
   *
   * **Example** (Copying a blob and reporting whether it crossed the network)
   *
   * ```ts
   * import type { Descriptor, RegistryContent } from "@effect-acr/client"
   *
   * export const copy = (
   *   from: RegistryContent.Service,
   *   to: RegistryContent.Service,
   *   blob: Descriptor.Descriptor
   * ) => to.putBlob("mirror/hello", blob, from.blobSource("samples/hello", blob))
   * ```
   */
  readonly putBlob: <E, R>(
    repository: string,
    blob: Pick<Descriptor, "digest" | "size">,
    source: BlobSource<E, R>,
    options?: PutBlobOptions
  ) => Effect.Effect<BlobOutcome, RegistryError | E, R>

  /**
   * Mounts a blob of another repository of the same registry, without sending it. Fails with `NotFound` if the blob
   * does not exist, may not be read, or the registry does not mount, and with `ContentMismatch` if the registry says
   * that it mounted other content.
   *
   * **When to use**
   *
   * Use if the content must not be sent. `putBlob` and `uploadBlob` with `mountFrom` send it if the registry does not
   * mount.
   *
   * **Details**
   *
   * OCI distribution specification, "Mounting a blob from another repository".
   */
  readonly mountBlob: (
    repository: string,
    blob: {
      /** The digest of the blob. */
      readonly digest: string
      /** The repository that has the blob. */
      readonly from: string
    }
  ) => Effect.Effect<void, RegistryError>

  /**
   * Deletes a blob. Fails with `NotFound`, `Locked`, and `Unsupported` if the registry does not delete.
   *
   * **Gotchas**
   *
   * Manifests that refer to the blob are broken afterwards. Registries delete unreferenced blobs by themselves.
   */
  readonly deleteBlob: (repository: string, digest: string) => Effect.Effect<void, RegistryError>
}

/**
 * Reads and writes the contents of a registry: manifests and blobs.
 *
 * **When to use**
 *
 * Use for every registry that implements the OCI distribution specification, ACR included: to pull, push, copy, tag and
 * delete. `ContainerRegistry` has what only ACR offers: properties, orders and locks.
 *
 * **Details**
 *
 * Names are plain strings. Invalid ones fail with `InvalidRequest` before anything is sent; results are branded. For
 * `tagOrDigest`, a value with a colon is a digest.
 *
 * Every operation may fail with the reasons that `ContainerRegistry` documents for all of its operations. Content that
 * differs from its digest or its size fails with `ContentMismatch`. `manifest` reads any manifest, and `image` finds
 * the image for a platform. docs/uploads.md and docs/downloads.md describe how transfers retry and resume.
 *
 * **Example** (Pushing and pulling an image)
 *
 * ```ts
 * import { BlobSource, Manifest, MediaType, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const roundTrip = Effect.gen(function* () {
 *   const content = yield* RegistryContent.RegistryContent
 *
 *   const config = yield* content.uploadBlob("samples/hello", BlobSource.fromString("{}"), {
 *     mediaType: MediaType.ociImageConfig
 *   })
 *   const layer = yield* content.uploadBlob("samples/hello", BlobSource.fromFile("layer.tar"), {
 *     mediaType: MediaType.ociImageLayer
 *   })
 *   yield* content.putManifest("samples/hello", Manifest.image({ config, layers: [layer] }), { tag: "demo" })
 *
 *   const { manifest } = yield* content.manifest("samples/hello", "demo")
 *   if (manifest._tag !== "ImageManifest") return
 *   for (const [index, blob] of manifest.layers.entries()) {
 *     yield* content.downloadBlob("samples/hello", blob, `layer-${index}.tar`)
 *   }
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class RegistryContent extends Context.Service<RegistryContent, Service>()(
  "@effect-acr/client/RegistryContent"
) {}

/**
 * Makes the service on a transport. For building custom layers. Most programs want `layer`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: ContentOptions = {}
): Effect.fn.Return<Service, never, Transport.Transport> {
  const transport = yield* Transport.Transport
  const startHash = yield* Hasher
  const manifests = Manifests.make(transport, startHash)
  const blobs = Blobs.make(transport, {
    startHash,
    idleTimeout: Duration.fromInputUnsafe(options.idleTimeout ?? "1 minute")
  })

  return RegistryContent.of({
    endpoint: transport.endpoint,
    loginServer: transport.loginServer,

    ...Tags.make(transport),
    ...manifests,
    ...blobs,
    ...Images.make(transport, { ...manifests, ...blobs })
  })
})

/**
 * Makes the service on a transport that another layer provides.
 *
 * **When to use**
 *
 * Use to share one transport with `ContainerRegistry` or with custom operations. `Registry.layer` shares it between the
 * two services.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (options?: ContentOptions): Layer.Layer<RegistryContent, never, Transport.Transport> =>
  // Fresh, because one layer may be provided with the transports of several registries.
  Layer.fresh(Layer.effect(RegistryContent, make(options)))

/**
 * Makes the service, with its own transport.
 *
 * **Details**
 *
 * The layer sends nothing before the first operation. It fails with `InvalidRequest` if the endpoint is not the address
 * of a registry.
 *
 * **Example** (The contents of a registry that is not ACR)
 *
 * ```ts
 * import { Credentials, RegistryContent } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const DockerHub = RegistryContent.layer({ endpoint: "registry-1.docker.io" }).pipe(
 *   Layer.provide(Credentials.layerAnonymous),
 *   Layer.provide(NodeRegistryHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options
): Layer.Layer<RegistryContent | Transport.Transport, RegistryError, HttpClient.HttpClient | Credentials.Credentials> =>
  Layer.provideMerge(layerTransport(options), Transport.layer(options))

/**
 * `layer` for the endpoint that the configuration names, by default `REGISTRY_ENDPOINT`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: ConfigOptions = {}
): Layer.Layer<
  RegistryContent | Transport.Transport,
  RegistryError | Config.ConfigError,
  HttpClient.HttpClient | Credentials.Credentials
> => Layer.provideMerge(layerTransport(options), Transport.layerConfig(options))
