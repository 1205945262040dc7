/**
 * The contents of a registry: manifests and blobs, of Azure Container Registry or any other that speaks OCI
 * distribution.
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
 * How to treat content.
 *
 * @category options
 * @since 0.1.0
 */
export interface ContentOptions {
  /**
   * How long nothing may come or go in a transfer before its connection is given up and another one goes on; a minute if
   * not given.
   */
  readonly idleTimeout?: Duration.Input
}

/**
 * Which registry, how to treat it, and how to treat its content.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Transport.Options, ContentOptions {}

/**
 * How to treat a registry that the configuration names, and its content.
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

  /** The registry's host, as it stands in references: `myregistry.azurecr.io`. */
  readonly loginServer: string

  /**
   * Lists the names of all repositories, in the registry's order.
   *
   * **Details**
   *
   * `GET /v2/_catalog`: distribution's documentation, "Listing Repositories". It is not in the specification of OCI, so a
   * registry may leave it out, list only what the login may see, or want a right of its own for it (the scope
   * `registry:catalog:*`; on ACR with rights by repository the role Catalog Lister). A name
   * that is not the name of a repository is left out, with a warning in the log.
   *
   * **Gotchas**
   *
   * Registries that everybody shares list nothing. Docker Hub refuses the list to every login (`Unauthenticated`). A
   * registry without such a list fails with `NotFound` (`endpoint`) or `Unsupported`.
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
   * The tags of a repository, in the registry's order: alphabetical, by the specification. A registry that knows no
   * pages (docker-registry 2.8) lists all of them in any order, whatever the options say. Fails with `NotFound`.
   *
   * **Details**
   *
   * OCI distribution specification, "Listing Tags". `ContainerRegistry.tags` has their properties, and other orders. A
   * name that is no tag is left out, with a warning in the log.
   */
  readonly tags: (
    repository: string,
    options?: {
      /** How many tags the registry sends at a time, at least 1; its own default if not given. */
      readonly pageSize?: number
      /** The tag behind which the list begins. */
      readonly continueFrom?: string
    }
  ) => Stream.Stream<Tag.Tag, RegistryError>

  /**
   * What a tag or a digest stands for: media type, digest and size, without its content. Fails with `NotFound`.
   *
   * **Example** (Promoting an image only if it is the one that was tested)
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
   * Downloads a manifest of at most 4 MiB and verifies it. Returns its bytes, its descriptor, and a view of what it says.
   * Fails with `NotFound`, `TooLarge` and `ContentMismatch`.
   *
   * **Details**
   *
   * OCI distribution specification, "Pulling manifests". By digest, the bytes are compared with that digest; by tag, with
   * the digest that the registry states. Bytes that match are returned whether or not this library can read them: the view
   * of a manifest that it cannot read is an `UnknownManifest`, whose `problem` says why.
   *
   * The media type is the registry's `Content-Type`. Where that is missing or says nothing of a manifest
   * (`application/json`, `text/json`, `application/octet-stream`, `binary/octet-stream`, `text/plain`), it is the
   * manifest's own: its `mediaType` field, or else what its fields show. docs/manifests.md has the rules.
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
   * Downloads a manifest of at most 4 MiB and verifies it, as `manifest` does, and returns its bytes without a view. Fails
   * with `NotFound`, `TooLarge` and `ContentMismatch`.
   *
   * **When to use**
   *
   * Use to copy, store or hash a manifest whose fields do not matter: it saves the time to read them.
   */
  readonly rawManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Manifest.Raw, RegistryError>

  /**
   * Finds the image for a platform, and reads its manifest and its configuration. Fails with `NotFound` if there is no image
   * for the platform, with `InvalidRequest` if there are several images and no platform is given, with `InvalidResponse`
   * if a manifest or the configuration cannot be read, and with `TooLarge` if the configuration is larger than 4 MiB.
   *
   * **When to use**
   *
   * Use to learn what one platform would pull: how large it is, which labels it has, when it was made.
   *
   * **Details**
   *
   * `Platform.matches` and `Platform.bestMatch` have the rules by which a platform is chosen. The client follows indexes
   * within indexes, at most 8 levels deep, and at most 100 of them. A tag or a digest that names an image rather than an
   * index is checked by its configuration. Without a platform, the image must be the only one; attestations do not count.
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
   * Puts a manifest: one that was made here, one that was pulled (its bytes, under its media type and the algorithm
   * of its digest), or bytes as they are. What it refers to must be there. Returns its descriptor and, if it has a subject,
   * where it is listed among the subject's referrers. Fails with `Locked`, with `TooLarge` before anything is sent if it has
   * more than 4 MiB, and with `ContentMismatch` if the registry says that it got another.
   *
   * **Details**
   *
   * OCI distribution specification, "Pushing Manifests". Several tags are several requests, one after the other. Bytes
   * and text name their media type themselves, or `mediaType` does; if neither does it fails with `InvalidRequest`.
   *
   * A registry that lists a manifest with a `subject` says so (`OCI-Subject`). Where it does not, this operation adds the
   * manifest to the list that the subject's referrers tag names, as the specification demands of clients. If that fails,
   * the operation fails, and `completed` of the error says that the manifest is pushed: put it again. Fails with `Refused`
   * if the tag names something other than a list of referrers. docs/referrers.md says what happens if several programs
   * change one list at the same time.
   *
   * **Example** (Giving an image other tags)
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
   * Gives a manifest of the repository another tag, and returns its descriptor. A tag that exists is moved. Fails with
   * `NotFound`, and with `Locked` if the tag cannot be moved.
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
   * such as signatures, attestations and bills of materials. A digest that has none, or that is not there, has an empty
   * list. A tag is resolved first, and one that does not exist fails with `NotFound`; so does a repository, where the registry
   * tells it apart from a manifest.
   *
   * **Details**
   *
   * OCI distribution specification, "Listing Referrers". A page is requested when its first item is needed. Where the
   * registry has no such API (404, 405, 501, or an answer of another media type), which is remembered for 15 minutes, the
   * list is that of the referrers tag. Where it has, the list includes what the tag names besides. Each referrer comes once.
   *
   * What the referrers tag names is checked: a manifest that is gone, or has another subject, is left out with a warning in
   * the log. Where the registry does not apply the filter, this library does; it then reads manifests whose artifact type
   * the list does not say. docs/referrers.md has the rules.
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
   * Deletes a tag; its manifest and the other tags stay. Fails with `NotFound` if the tag is not there, with `Locked`, and
   * with `Unsupported` if the registry does not delete tags.
   *
   * **Details**
   *
   * OCI distribution specification 1.1, "Deleting tags". ACR refuses that and deletes tags by its own API, which the client
   * uses for ACR's hosts, and for a registry that refuses the specification's request and has ACR's API: the client finds
   * out once and remembers it as long as the service lives.
   *
   * **Gotchas**
   *
   * Many registries do not delete tags, distribution (`docker-registry`) 2.8 among them. There `deleteManifest` is all there
   * is, which deletes **every** tag of the manifest. The client never does that in place of this, and it never pushes a
   * dummy manifest to delete, as other tools do.
   *
   * On Amazon ECR an image goes with its last tag (AWS's documentation, "BatchDeleteImage").
   *
   * **Example** (Deleting a tag, if it is there)
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
   * Deletes a manifest with all its tags, and tells its digest. A tag is resolved first, each time. Fails with
   * `NotFound`, `Locked`, and `Unsupported` if the registry does not delete.
   *
   * **Details**
   *
   * If the manifest has a subject and the registry does not list referrers, its entry is removed from the list that the
   * subject's referrers tag names. If that fails, a warning is logged: readers of the list find that the manifest is gone.
   */
  readonly deleteManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Digest.Digest, RegistryError>

  /**
   * Size and digest of a blob. Its media type is `application/octet-stream`: only manifests know another. Fails with
   * `NotFound`.
   */
  readonly headBlob: (repository: string, digest: string) => Effect.Effect<Descriptor, RegistryError>

  /**
   * The bytes of a blob, as they come. The stream ends only if they are those of the digest and as many as they
   * should be: who stops before the end holds bytes that nobody has verified. Fails with `NotFound` and
   * `ContentMismatch`.
   *
   * **Details**
   *
   * OCI distribution specification, "Pulling blobs". A connection that breaks or stalls is followed by another, which
   * goes on at the byte that is wanted next.
   *
   * **Example** (Counting the lines of a text, in constant memory)
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
   * A part of a blob. A part can't be verified. Fails with `NotFound`, and with `InvalidRequest` where `offset` or
   * `length` can't be right.
   */
  readonly blobRange: (
    repository: string,
    blob: Blob,
    range: {
      /** Where it begins, in bytes from the beginning of the blob. */
      readonly offset: number
      /** How many bytes it has, at least 1. */
      readonly length: number
    }
  ) => Stream.Stream<Uint8Array, RegistryError>

  /**
   * A blob as a source to upload: to another repository, or to another registry. An upload that goes on after a fault
   * asks for the rest of it alone.
   *
   * **Gotchas**
   *
   * Give the upload its `digest`. Content that was read in parts is verified by that.
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

  /** A blob in memory, verified. Fails with `NotFound`, `TooLarge` and `ContentMismatch`. */
  readonly blobBytes: (
    repository: string,
    blob: Blob,
    options?: DownloadBlobOptions & {
      /** How many bytes there may be; 16 MiB if not given. More fail with `TooLarge`. */
      readonly maxSize?: ByteSize.Input
    }
  ) => Effect.Effect<Uint8Array, RegistryError>

  /**
   * A blob in a file, verified before the file has its name; a file of that name is replaced. Fails with `NotFound`
   * and `ContentMismatch`, and with a `PlatformError` if the file can't be written.
   *
   * **Example** (A download that goes on where the last one broke off)
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
   * Uploads a blob, and returns its descriptor. Fails with `ContentMismatch`, and with whatever its source fails with.
   *
   * **Details**
   *
   * OCI distribution specification, "Pushing blobs". Memory is constant: content that can be read again goes out as a
   * stream, other content in chunks.
   *
   * An upload that fails or is interrupted deletes its session if the login may delete. Otherwise the registry lets the
   * session expire.
   *
   * With `mountFrom`, content that the registry does not mount is sent, as `putBlob` does.
   *
   * **Example** (Sending a layer only if it is not there)
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
   * Makes sure that a repository holds a blob that is known by its descriptor, and returns how the blob got there: it was
   * `present` before, it was `mounted`, or it was `sent`. Fails as `uploadBlob` does.
   *
   * **When to use**
   *
   * Use to copy blobs, where the digest and the size are known and a report says what was sent. `uploadBlob` is for new
   * content.
   *
   * **Details**
   *
   * A blob that is present costs one HEAD, and a mounted blob one POST more. In both cases the source is not read. If the
   * registry does not mount the blob, the content is sent: to the session that the registry opened instead, or to a new one.
   * Only 429 and a lost connection fail the operation, once retries end; so does an answer that names another digest
   * (`ContentMismatch`). The log says at level debug why a blob was not mounted.
   *
   * Content is hashed once, on its way out. Content of another size or another digest than the descriptor's is not committed
   * (`ContentMismatch`).
   *
   * **Example** (Copying a blob, and saying whether it crossed the network)
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
   * Takes over a blob of another repository of the same registry, without sending it. Fails with `NotFound` if it is
   * not there, may not be read, or the registry does not mount, and with `ContentMismatch` if the registry says that it
   * mounted other content.
   *
   * **Details**
   *
   * OCI distribution specification, "Mounting a blob from another repository".
   */
  readonly mountBlob: (
    repository: string,
    blob: {
      /** Which blob. */
      readonly digest: string
      /** The repository that has it. */
      readonly from: string
    }
  ) => Effect.Effect<void, RegistryError>

  /**
   * Deletes a blob. Fails with `NotFound`, `Locked`, and `Unsupported` if the registry does not delete.
   *
   * **Gotchas**
   *
   * Manifests that need it are broken then. Registries free what no manifest needs by themselves.
   */
  readonly deleteBlob: (repository: string, digest: string) => Effect.Effect<void, RegistryError>
}

/**
 * The contents of a registry's repositories.
 *
 * **Details**
 *
 * Names are plain strings, checked before anything is sent and refused with `InvalidRequest`; what comes back is
 * branded. Where a tag or a digest may stand, whatever holds a colon is a digest.
 *
 * Any operation may fail with the reasons that `ContainerRegistry` names for all of its own. Content that differs from
 * its digest or its size is a `ContentMismatch`. `manifest` reads any manifest, and `image` finds the image for a platform.
 * What a transfer survives, and how, stands in docs/uploads.md and
 * docs/downloads.md.
 *
 * **Example** (Pushing an image and pulling it)
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
 * Makes the service on a conversation with the registry. For who builds layers of their own: `layer` is what a program
 * wants.
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
 * The service on a conversation that is provided apart, and perhaps shared: with `ContainerRegistry` by
 * `Registry.layer`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (options?: ContentOptions): Layer.Layer<RegistryContent, never, Transport.Transport> =>
  // Fresh, as one layer may stand on the conversations of several registries.
  Layer.fresh(Layer.effect(RegistryContent, make(options)))

/**
 * The service and the conversation that it is on.
 *
 * **Details**
 *
 * Nothing is sent before the first operation. The layer fails with `InvalidRequest` if the endpoint is not the address of
 * a registry.
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
