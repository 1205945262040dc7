/**
 * How far a transfer has come.
 *
 * `UploadBlobOptions` and `DownloadBlobOptions` take an `onProgress`.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

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
  /** Bytes there are, as soon as that is known. */
  readonly totalBytes: number | undefined
}

/**
 * Is told of progress, at each piece that moves. The transfer waits for it.
 *
 * **Example** (Printing the percentage)
 *
 * ```ts
 * import { type Progress, RegistryContent } from "@effect-acr/client"
 * import { Console, Effect } from "effect"
 *
 * const onProgress: Progress.OnProgress = ({ doneBytes, totalBytes }) =>
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
