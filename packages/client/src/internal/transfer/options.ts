/**
 * What the operations of `RegistryContent` on manifests and blobs take and return. It exports these types.
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Descriptor } from "../../Descriptor.ts"
import type { Algorithm } from "../../Digest.ts"
import type { Tag } from "../../Tag.ts"

/**
 * How far a transfer has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /**
   * Bytes that are done: handed to the consumer of a download, or taken over by the connection of an upload. It falls
   * when an upload has to send some again.
   */
  readonly doneBytes: number
  /** Bytes there are, once that is known. */
  readonly totalBytes?: number
}

/**
 * Called with the progress after each piece that moves. The transfer waits for it to finish.
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
 * How to put a manifest.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutManifestOptions {
  /** The tag to point at it; it is known by its digest alone if neither this nor `tags` is given. */
  readonly tag?: string
  /** Several tags, beside `tag`. */
  readonly tags?: ReadonlyArray<string>
  /** Its media type, if not the one that it came with or that its content names. */
  readonly mediaType?: string
  /**
   * The algorithm of the digest to push it under. Defaults to that of the digest that it came with, or `sha256`, the only
   * one that ACR takes.
   */
  readonly algorithm?: Algorithm
}

/**
 * Where readers find a manifest among the referrers of its subject.
 *
 * **Details**
 *
 * - `ReferrersApi`: the registry lists it, as its answer says (`OCI-Subject`).
 * - `ReferrersTag`: a tag names a list of referrers, which clients maintain, and this library added the manifest to it. The
 *   tag is made of the digest of the subject: OCI distribution specification, "Referrers tag schema".
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
 * How to upload a blob.
 *
 * **Details**
 *
 * A blob whose digest is given is known by that, and can be taken from another repository; of any other the algorithm can
 * be chosen.
 *
 * @category options
 * @since 0.1.0
 */
export type UploadBlobOptions = {
  /** The media type in the descriptor that is returned. Defaults to `application/octet-stream`. */
  readonly mediaType?: string
  /** The size of chunks where content goes out in chunks: `"16 MiB"`, or a number of bytes. Defaults to 8 MiB. */
  readonly chunkSize?: ByteSize.Input
  /** Called with the progress. */
  readonly onProgress?: OnProgress
} & (
  | {
      /**
       * The digest that it must have. A blob that the repository holds already is not sent, and other content is refused
       * (`ContentMismatch`). With it, content of at most 2 MiB takes one request less.
       */
      readonly digest: string
      /** A repository of this registry from which to take the blob if it is there. */
      readonly mountFrom?: string
      readonly algorithm?: never
    }
  | {
      /** The algorithm of the digest to upload it under. Defaults to `sha256`. */
      readonly algorithm?: Algorithm
      readonly digest?: never
      readonly mountFrom?: never
    }
)

/**
 * How a repository has come to hold a blob: it was there before (`present`), it was taken from another repository of the
 * registry (`mounted`), or it was sent (`sent`).
 *
 * @category models
 * @since 0.1.0
 */
export type BlobOutcome = "present" | "mounted" | "sent"

/**
 * How to put a blob that is known by its descriptor.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutBlobOptions {
  /**
   * A repository of this registry from which to take the blob if it is there. The token for it has to read that repository
   * as well; a login that may not do so sends the content.
   */
  readonly mountFrom?: string
  /** The size of chunks where content goes out in chunks: `"16 MiB"`, or a number of bytes. Defaults to 8 MiB. */
  readonly chunkSize?: ByteSize.Input
  /** Called with the progress. */
  readonly onProgress?: OnProgress
}

/**
 * How to download a blob.
 *
 * @category options
 * @since 0.1.0
 */
export interface DownloadBlobOptions {
  /** Called with the progress. */
  readonly onProgress?: OnProgress
}

/**
 * How to download a blob to a file.
 *
 * **Details**
 *
 * The content is written to a partial file beside the target, which gets the final name once the content is verified.
 * A file that is there before is replaced by it, never written to, and a link is never followed. Several downloads to
 * one target may run at once.
 *
 * The names of partial files, and what is promised in a folder that other users can write, are in docs/downloads.md.
 *
 * @category options
 * @since 0.1.0
 */
export interface DownloadFileOptions extends DownloadBlobOptions {
  /**
   * Whether a download that fails or is interrupted leaves its partial file, named after the target and the digest and
   * ending in `.partial`, and whether it continues from one that it finds. It copies the content, so it needs as much
   * space again until it has done so. Defaults to `false`: nothing is left.
   *
   * The download begins anew if the partial file has another owner, other permissions than a new file, or a second
   * name; and on Windows and Deno, where a file cannot be opened without following links.
   */
  readonly resumable?: boolean
}

/**
 * A blob: its digest, or a descriptor, whose size is then checked as well.
 *
 * @category models
 * @since 0.1.0
 */
export type Blob = string | Pick<Descriptor, "digest" | "size">
