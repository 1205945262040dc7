/**
 * Keeps the errors of a source and of a target apart where one reads the other, and what each is.
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"

/** Whether questions to a store are no requests: it is no repository of a registry. */
export const isAskedFreely = ({ origin }: Pick<Reader<unknown>, "origin">): boolean => origin.repository === ""

/** An error of the source, on its way through the target. */
export class OfSource<out E> {
  readonly _tag = "OfSource"
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

export const ofSource = <E>(cause: E): OfSource<E> => new OfSource(cause)

/** Called with how many bytes of a blob are read, from its beginning. */
type OnRead = (bytes: number) => Effect.Effect<void>

const markingRead =
  <E>({ read }: Pick<BlobSource<E>, "read">, onRead: OnRead): BlobSource<OfSource<E>>["read"] =>
  (offset, held) =>
    Stream.suspend(() => {
      let bytes = offset
      return read(offset, held).pipe(
        Stream.mapError(ofSource),
        Stream.mapArrayEffect((pieces) => {
          for (const { length } of pieces) bytes += length
          return Effect.as(onRead(bytes), pieces)
        })
      )
    })

/** A blob whose errors show that they are those of the source, and whose progress can be seen. */
export const marking = <E>(source: BlobSource<E>, onRead: OnRead): BlobSource<OfSource<E>> => ({
  sizeBytes: Effect.mapError(source.sizeBytes, ofSource),
  read: markingRead(source, onRead),
  repeatable: source.repeatable,
  ...(source.unverified === undefined ? {} : { unverified: { read: markingRead(source.unverified, onRead) } })
})
