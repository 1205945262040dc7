/**
 * Keeps apart what fails on each side of a copy, also where one side reads the other.
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** An error of the source, on its way through the target. */
export class OfSource<out E> {
  readonly _tag = "OfSource"
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

const ofSource = <E>(cause: E): OfSource<E> => new OfSource(cause)

/** A blob whose errors show that they are those of the source. */
export const markingSource = <E>(source: BlobSource<E>): BlobSource<OfSource<E>> => ({
  sizeBytes: Effect.mapError(source.sizeBytes, ofSource),
  read: (offset, held) => Stream.mapError(source.read(offset, held), ofSource),
  repeatable: source.repeatable,
  ...(source.unverified === undefined ? {} : { unverified: markingRead(source.unverified) })
})

const markingRead = <E>({ read }: Pick<BlobSource<E>, "read">): Pick<BlobSource<OfSource<E>>, "read"> => ({
  read: (offset, held) => Stream.mapError(read(offset, held), ofSource)
})
