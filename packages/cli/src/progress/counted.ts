/**
 * Stores that report their transfers to the progress.
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

/** Counts the bytes that are read, and reports the blob as done at its end. */
const toTheEnd =
  <E, R>(read: BlobSource<E, R>["read"], blob: Pointer, progress: Progress): BlobSource<E, R>["read"] =>
  (offset, held) =>
    Stream.onEnd(counting(read, blob, progress)(offset, held), done(progress, "blob", blob, "sent"))

const countedSource = <E, R>(source: BlobSource<E, R>, blob: Pointer, progress: Progress): BlobSource<E, R> => ({
  ...source,
  read: counting(source.read, blob, progress),
  ...(source.unverified === undefined ? {} : { unverified: { read: counting(source.unverified.read, blob, progress) } })
})

/** The blobs of a manifest that a transfer reads. */
export type Wanted = (manifest: Manifest.Manifest) => ReadonlyArray<Descriptor>

const decoder = new TextDecoder()

/**
 * A store to read from. A blob is done once it is read whole. Content that several manifests name, or that is read again,
 * counts once, also across readers that share what they have seen.
 */
export const reader = <E>(
  store: Reader<E>,
  progress: Progress,
  wanted: Wanted,
  seen: Set<string> = new Set()
): Reader<E> => {
  const isNew = ({ digest }: Pick<Pointer, "digest">): boolean => {
    const isFirst = !seen.has(digest)
    seen.add(digest)
    return isFirst
  }
  const manifest: Reader<E>["manifest"] = (pointer) =>
    Effect.tap(store.manifest(pointer), (found) => {
      if (Option.isNone(found) || !isNew(pointer)) return Effect.void
      const { bytes, descriptor } = found.value
      const blobs = wanted(Manifest.view(descriptor.mediaType, decoder.decode(bytes))).filter(isNew)
      const planned = blobs.reduce((sum, { size }) => sum + size, descriptor.size)
      return Effect.andThen(
        progress.note({ _tag: "Planned", bytes: planned }),
        done(progress, "manifest", descriptor, "sent")
      )
    })
  const blob: Reader<E>["blob"] = (pointer) => {
    const source = store.blob(pointer)
    return {
      ...source,
      read: toTheEnd(source.read, pointer, progress),
      ...(source.unverified === undefined
        ? {}
        : { unverified: { read: toTheEnd(source.unverified.read, pointer, progress) } })
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
