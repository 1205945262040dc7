/**
 * How far a transfer has come.
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
 * @category models
 * @since 0.1.0
 */
export type OnProgress = (progress: Progress) => Effect.Effect<void>
