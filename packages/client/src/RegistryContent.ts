/**
 * The contents of a registry: manifests and blobs, of Azure Container Registry or any other that speaks OCI
 * distribution.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type * as HttpClient from "effect/http/HttpClient"
import { type BlobSource, HeldBytes } from "./BlobSource.ts"
import type * as Credentials from "./Credentials.ts"
import type { Descriptor } from "./Descriptor.ts"
import type * as Digest from "./Digest.ts"
import { Hasher } from "./Hasher.ts"
import * as Arguments from "./internal/api/arguments.ts"
import * as Blobs from "./internal/transfer/blobs.ts"
import * as Distribution from "./internal/api/distribution.ts"
import * as Manifests from "./internal/transfer/manifests.ts"
import type * as Manifest from "./Manifest.ts"
import type { RegistryError } from "./RegistryError.ts"
import type * as Tag from "./Tag.ts"
import type {
  Blob,
  DownloadBlobOptions,
  DownloadFileOptions,
  PutManifestOptions,
  UploadBlobOptions
} from "./TransferOptions.ts"
import * as Transport from "./Transport.ts"

/**
 * How to treat content, beside how to treat the registry.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Transport.Options {
  /** How long nothing may come or go in a transfer before its connection is given up; a minute if not given. */
  readonly idleTimeout?: Duration.Input
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
 * its digest or its size is a `ContentMismatch`. What a transfer survives, and how, stands in docs/uploads.md and
 * docs/downloads.md.
 *
 * @category services
 * @since 0.1.0
 */
export class RegistryContent extends Context.Service<
  RegistryContent,
  {
    /** The registry's origin: `https://myregistry.azurecr.io`. */
    readonly endpoint: string

    /** The registry's host, as it stands in references: `myregistry.azurecr.io`. */
    readonly loginServer: string

    /**
     * The tags of a repository, in the registry's order: alphabetical, by the specification. A registry that knows no
     * pages (docker-registry 2.8) lists all of them in any order, whatever the options say. Fails with `NotFound`.
     */
    readonly tags: (
      repository: string,
      options?: { readonly pageSize?: number; readonly continueFrom?: string }
    ) => Stream.Stream<Tag.Tag, RegistryError>

    /** What a tag or a digest stands for, without its content. Fails with `NotFound`. */
    readonly resolve: (repository: string, tagOrDigest: string) => Effect.Effect<Descriptor, RegistryError>

    /** A manifest of at most 4 MiB, verified. Fails with `NotFound`, `TooLarge` and `ContentMismatch`. */
    readonly manifest: (repository: string, tagOrDigest: string) => Effect.Effect<Manifest.Content, RegistryError>

    /**
     * Puts a manifest: one that was made here, one that was pulled (its bytes, under its media type and the algorithm
     * of its digest), or bytes as they are. What it refers to must be there. Fails with `Locked`, and with
     * `ContentMismatch` if the registry says that it got another.
     */
    readonly putManifest: (
      repository: string,
      manifest: Manifest.ImageManifest | Manifest.ImageIndex | Manifest.Content | Uint8Array | string,
      options?: PutManifestOptions
    ) => Effect.Effect<Descriptor, RegistryError>

    /**
     * Deletes a manifest with all its tags, and tells its digest. A tag is resolved first, each time. Fails with
     * `NotFound` and `Locked`.
     */
    readonly deleteManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Digest.Digest, RegistryError>

    /** Size and digest of a blob. Fails with `NotFound`. */
    readonly headBlob: (repository: string, digest: string) => Effect.Effect<Descriptor, RegistryError>

    /**
     * The bytes of a blob, as they come. The stream ends only if they are those of the digest and as many as they
     * should be: who stops before the end holds bytes that nobody has verified. Fails with `NotFound` and
     * `ContentMismatch`.
     */
    readonly blob: (
      repository: string,
      blob: Blob,
      options?: DownloadBlobOptions
    ) => Stream.Stream<Uint8Array, RegistryError>

    /** A part of a blob. A part can't be verified. Fails with `NotFound`. */
    readonly blobRange: (
      repository: string,
      blob: Blob,
      range: { readonly offset: number; readonly length: number }
    ) => Stream.Stream<Uint8Array, RegistryError>

    /**
     * A blob in memory, verified; `maxBytes` is 16 MiB if not given. Fails with `NotFound`, `TooLarge` and
     * `ContentMismatch`.
     */
    readonly blobBytes: (
      repository: string,
      blob: Blob,
      options?: DownloadBlobOptions & { readonly maxBytes?: number }
    ) => Effect.Effect<Uint8Array, RegistryError>

    /**
     * A blob in a file, verified before the file has its name; a file of that name is replaced. Fails with `NotFound`
     * and `ContentMismatch`.
     */
    readonly downloadBlob: (
      repository: string,
      blob: Blob,
      path: string,
      options?: DownloadFileOptions
    ) => Effect.Effect<void, RegistryError | PlatformError.PlatformError, FileSystem.FileSystem>

    /**
     * Uploads a blob, and tells its descriptor. A failed or interrupted upload leaves no session behind. Fails with
     * `ContentMismatch`, and with whatever its source fails with.
     */
    readonly uploadBlob: <E, R>(
      repository: string,
      source: BlobSource<E, R>,
      options?: UploadBlobOptions
    ) => Effect.Effect<Descriptor, RegistryError | E, R>

    /** Takes over a blob of another repository without sending it. Fails with `NotFound`. */
    readonly mountBlob: (
      repository: string,
      blob: { readonly digest: string; readonly from: string }
    ) => Effect.Effect<void, RegistryError>

    /** Deletes a blob. Manifests that need it are broken then. Fails with `NotFound` and `Locked`. */
    readonly deleteBlob: (repository: string, digest: string) => Effect.Effect<void, RegistryError>
  }
>()("@effect-acr/client/RegistryContent") {}

/**
 * Makes the service on a conversation with the registry.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Pick<Options, "idleTimeout"> = {}
): Effect.fn.Return<RegistryContent["Service"], never, Transport.Transport> {
  const transport = yield* Transport.Transport
  const startHash = yield* Hasher

  return RegistryContent.of({
    endpoint: transport.endpoint,
    loginServer: transport.loginServer,

    tags: (repository, { continueFrom, pageSize } = {}) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* Arguments.repositoryName("RegistryContent.tags", repository)
          const n = yield* Arguments.pageSize("RegistryContent.tags", pageSize)
          return transport.list(Distribution.listTags(name, { n, last: continueFrom }))
        })
      ),
    ...Manifests.make(transport, startHash),
    ...Blobs.make(transport, {
      startHash,
      heldBytes: yield* HeldBytes,
      idleTimeout: Duration.fromInputUnsafe(options.idleTimeout ?? "1 minute")
    })
  })
})

/**
 * The service on a conversation that is provided apart, and perhaps shared: with `ContainerRegistry` by
 * `Registry.layer`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (
  options?: Pick<Options, "idleTimeout">
): Layer.Layer<RegistryContent, never, Transport.Transport> =>
  // Fresh, as one layer may stand on the conversations of several registries.
  Layer.fresh(Layer.effect(RegistryContent, make(options)))

/**
 * The service and the conversation that it is on.
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
  options: Transport.ConfigOptions & Pick<Options, "idleTimeout"> = {}
): Layer.Layer<
  RegistryContent | Transport.Transport,
  RegistryError | Config.ConfigError,
  HttpClient.HttpClient | Credentials.Credentials
> => Layer.provideMerge(layerTransport(options), Transport.layerConfig(options))
