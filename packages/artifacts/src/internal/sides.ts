/**
 * Tells the errors of a source from those of a target that reads the source.
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"

/** Whether reading a store takes no requests, since it is not a repository of a registry. */
export const isAskedFreely = ({ origin }: Pick<Reader<unknown>, "origin">): boolean => origin.repository === ""

/** An error of the source that passes through the target. */
export class OfSource<out E> {
  readonly _tag = "OfSource"
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

export const ofSource = <E>(cause: E): OfSource<E> => new OfSource(cause)

/** Watches how a blob is read. */
interface Watch {
  /** Called before bytes are read, of which there may be none. */
  readonly onOpen: () => void
  /** Called with the number of bytes read, counted from the beginning of the blob. */
  readonly onRead: (bytes: number) => Effect.Effect<void>
}

const markingRead =
  <E>({ read }: Pick<BlobSource<E>, "read">, { onOpen, onRead }: Watch): BlobSource<OfSource<E>>["read"] =>
  (offset, held) =>
    Stream.suspend(() => {
      onOpen()
      let bytes = offset
      return read(offset, held).pipe(
        Stream.mapError(ofSource),
        Stream.mapArrayEffect((pieces) => {
          for (const { length } of pieces) bytes += length
          return Effect.as(onRead(bytes), pieces)
        })
      )
    })

/** A blob whose errors are marked as the source's, and which reports progress. */
export const marking = <E>(source: BlobSource<E>, watch: Watch): BlobSource<OfSource<E>> => ({
  sizeBytes: Effect.mapError(source.sizeBytes, ofSource),
  read: markingRead(source, watch),
  repeatable: source.repeatable,
  ...(source.unverified === undefined ? {} : { unverified: { read: markingRead(source.unverified, watch) } })
})
