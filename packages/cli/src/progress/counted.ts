/**
 * Stores whose transfers count.
 */
import type { ContentStore, Pointer, Reader } from "@effect-acr/artifacts/ContentStore"
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Manifest from "@effect-acr/client/Manifest"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Progress } from "./progress.ts"
import type { Outcome } from "./state.ts"

const done = ({ note }: Progress, kind: "blob" | "manifest", { digest, size }: Pointer, outcome: Outcome) =>
  note({ _tag: "Done", node: { digest, kind, outcome, size } })

const counting =
  <E, R>(read: BlobSource<E, R>["read"], { digest, size }: Pointer, { note }: Progress): BlobSource<E, R>["read"] =>
  (offset, held) =>
    Stream.suspend(() => {
      let bytes = offset
      return Stream.mapArrayEffect(read(offset, held), (pieces) => {
        for (const { length } of pieces) bytes += length
        return Effect.as(note({ _tag: "Read", digest, bytes, size }), pieces)
      })
    })

const countedSource = <E, R>(source: BlobSource<E, R>, blob: Pointer, progress: Progress): BlobSource<E, R> => ({
  ...source,
  read: counting(source.read, blob, progress),
  ...(source.unverified === undefined ? {} : { unverified: { read: counting(source.unverified.read, blob, progress) } })
})

/** The blobs of a manifest that a transfer reads. */
export type Wanted = (manifest: Manifest.Manifest) => ReadonlyArray<Descriptor>

const decoder = new TextDecoder()

/** A store to read from. A blob is done when it was read whole; a manifest that is read again counts once. */
export const reader = <E>(store: Reader<E>, progress: Progress, wanted: Wanted): Reader<E> => {
  const seen = new Set<string>()
  const manifest: Reader<E>["manifest"] = (pointer) =>
    Effect.tap(store.manifest(pointer), (found) => {
      if (Option.isNone(found) || seen.has(pointer.digest)) return Effect.void
      seen.add(pointer.digest)
      const { bytes, descriptor } = found.value
      const blobs = wanted(Manifest.view(descriptor.mediaType, decoder.decode(bytes)))
      const planned = blobs.reduce((sum, { size }) => sum + size, descriptor.size)
      return Effect.andThen(
        progress.note({ _tag: "Planned", bytes: planned }),
        done(progress, "manifest", descriptor, "sent")
      )
    })
  const blob: Reader<E>["blob"] = (pointer) => {
    const source = countedSource(store.blob(pointer), pointer, progress)
    return {
      ...source,
      read: (offset, held) => Stream.onEnd(source.read(offset, held), done(progress, "blob", pointer, "sent"))
    }
  }
  return { ...store, manifest, blob }
}

/** A store to write to. */
export const store = <E>(target: ContentStore<E>, progress: Progress): ContentStore<E> => ({
  ...target,
  putBlob: (blob, source, options) =>
    progress.note({ _tag: "Planned", bytes: blob.size }).pipe(
      Effect.andThen(target.putBlob(blob, countedSource(source, blob, progress), options)),
      Effect.tap((outcome) => done(progress, "blob", blob, outcome))
    ),
  putManifest: (manifest, options) =>
    progress.note({ _tag: "Planned", bytes: manifest.descriptor.size }).pipe(
      Effect.andThen(target.putManifest(manifest, options)),
      Effect.tap(() => done(progress, "manifest", manifest.descriptor, "sent"))
    )
})
