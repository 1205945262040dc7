/**
 * The options and results of the operations of `RegistryContent` on manifests and blobs. `RegistryContent` exports
 * these types.
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Descriptor } from "../../Descriptor.ts"
import type { Algorithm } from "../../Digest.ts"
import type { Tag } from "../../Tag.ts"

/**
 * The progress of a transfer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /**
   * The bytes that are done: passed to the consumer of a download, or accepted by the connection of an upload. The
   * number falls when an upload has to send bytes again.
   */
  readonly doneBytes: number
  /** The total number of bytes, once it is known. */
  readonly totalBytes?: number
}

/**
 * Called with the progress after each chunk. The transfer waits for it to finish.
 *
 * **Example** (Printing the percentage)
 *
 * ```ts
 * import { RegistryContent } from "@effect-acr/client"
 * import { Console, Effect } from "effect"
 *
 * const onProgress: RegistryContent.OnProgress = ({ doneBytes, totalBytes }) =>
 *   totalBytes === undefined || totalBytes === 0
 *     ? Effect.void
 *     : Console.log(`${Math.floor((100 * doneBytes) / totalBytes)} %`)
 *
 * export const download = (digest: string) =>
 *   Effect.flatMap(RegistryContent.RegistryContent, (content) =>
 *     content.downloadBlob("library/alpine", digest, "layer.tar.gz", { onProgress })
 *   )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type OnProgress = (progress: Progress) => Effect.Effect<void>

/**
 * Options for pushing a manifest.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutManifestOptions {
  /** The tag of the manifest. Without this and `tags`, the manifest is pushed by its digest alone. */
  readonly tag?: string
  /** Further tags. */
  readonly tags?: ReadonlyArray<string>
  /** The media type of the manifest. Defaults to the one it was pulled with, or the one that its content states. */
  readonly mediaType?: string
  /**
   * The algorithm of the digest to push it by. Defaults to that of the digest it was pulled with, or `sha256`, the only
   * one that ACR supports.
   */
  readonly algorithm?: Algorithm
}

/**
 * Where a manifest is listed among the referrers of its subject.
 *
 * **Details**
 *
 * - `ReferrersApi`: the registry lists it, as its response says (`OCI-Subject`).
 * - `ReferrersTag`: a tag names a list of referrers, which clients maintain, and this library added the manifest to it.
 *   The tag follows from the digest of the subject: OCI distribution specification, "Referrers tag schema".
 *
 * @category models
 * @since 0.1.0
 */
export type ReferrersListing =
  | { readonly _tag: "ReferrersApi" }
  | {
      readonly _tag: "ReferrersTag"
      /** The tag. */
      readonly tag: Tag
    }

/**
 * The result of putting a manifest.
 *
 * @category models
 * @since 0.1.0
 */
export interface PutManifestResult {
  /** Media type, digest and size of the manifest. */
  readonly descriptor: Descriptor
  /** Where the manifest is listed among the referrers of its subject, if it has one. */
  readonly listedBy: Option.Option<ReferrersListing>
}

/**
 * Which referrers to list.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReferrersOptions {
  /** The artifact type: `application/vnd.dev.sigstore.bundle.v0.3+json`. Defaults to all. */
  readonly artifactType?: string
}

/**
 * Options for uploading a blob.
 *
 * **Details**
 *
 * With `digest`, the blob can be mounted from another repository. Without it, you can choose the algorithm of the
 * digest.
 *
 * @category options
 * @since 0.1.0
 */
export type UploadBlobOptions = {
  /** The media type in the returned descriptor. Defaults to `application/octet-stream`. */
  readonly mediaType?: string
  /** The size of chunks, for content that is sent in chunks: `"16 MiB"`, or a number of bytes. Defaults to 8 MiB. */
  readonly chunkSize?: ByteSize.Input
  /** Called with the progress. */
  readonly onProgress?: OnProgress
} & (
  | {
      /**
       * The digest that the content must have. A blob that the repository already has is not sent, and other content
       * fails with `ContentMismatch`. With a digest, content of at most 2 MiB takes one request less.
       */
      readonly digest: string
      /** A repository of this registry to mount the blob from, if it has the blob. */
      readonly mountFrom?: string
      readonly algorithm?: never
    }
  | {
      /** The algorithm of the digest. Defaults to `sha256`. */
      readonly algorithm?: Algorithm
      readonly digest?: never
      readonly mountFrom?: never
    }
)

/**
 * How a repository got a blob: it had the blob before (`present`), the registry mounted it from another repository
 * (`mounted`), or the client sent it (`sent`).
 *
 * @category models
 * @since 0.1.0
 */
export type BlobOutcome = "present" | "mounted" | "sent"

/**
 * Options for putting a blob whose descriptor is known.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutBlobOptions {
  /**
   * A repository of this registry to mount the blob from, if it has the blob. The token must also have the right to
   * read that repository; with a login that lacks it, the content is sent.
   */
  readonly mountFrom?: string
  /** The size of chunks, for content that is sent in chunks: `"16 MiB"`, or a number of bytes. Defaults to 8 MiB. */
  readonly chunkSize?: ByteSize.Input
  /** Called with the progress. */
  readonly onProgress?: OnProgress
}

/**
 * Options for downloading a blob.
 *
 * @category options
 * @since 0.1.0
 */
export interface DownloadBlobOptions {
  /** Called with the progress. */
  readonly onProgress?: OnProgress
}

/**
 * Options for downloading a blob to a file.
 *
 * **Details**
 *
 * The content is written to a partial file beside the target, which gets the final name once the content is verified.
 * An existing file is replaced, never written to, and links are never followed. Several downloads to one target may run
 * at once.
 *
 * docs/downloads.md documents the names of partial files, and the guarantees in a folder that other users can write to.
 *
 * @category options
 * @since 0.1.0
 */
export interface DownloadFileOptions extends DownloadBlobOptions {
  /**
   * Whether a download that fails or is interrupted leaves its partial file, named after the target and the digest and
   * ending in `.partial`, and whether the download resumes from such a file. To resume, it copies the content, so it
   * needs the same space again until the copy is done. Defaults to `false`: the partial file is removed.
   *
   * The download starts from the beginning if the partial file has another owner, other permissions than a new file, or
   * a second hard link; and on Windows and Deno, where a file cannot be opened without following links.
   */
  readonly resumable?: boolean
}

/**
 * A blob, named by its digest or by a descriptor, whose size is then checked as well.
 *
 * @category models
 * @since 0.1.0
 */
export type Blob = string | Pick<Descriptor, "digest" | "size">
