/**
 * A store in memory, for tests and for building an artifact before it is copied elsewhere.
 *
 * @since 0.1.0
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Content from "@effect-acr/client/Content"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type ContentStore, MissingContent, type Pointer } from "./ContentStore.ts"
import { neededBy, type References } from "./internal/references.ts"
import * as Turns from "./internal/turns.ts"

/**
 * The store lacks a blob that was read.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotInMemory extends Schema.TaggedError<NotInMemory>("@effect-acr/artifacts/NotInMemory")("NotInMemory", {
  /** The blob. */
  digest: Digest.Digest
}) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return `${this.digest} is not in this store`
  }
}

/**
 * A store in memory. Fails with `NotInMemory` if a missing blob is read, and with `RegistryError` if content does not match its
 * digest.
 *
 * @category models
 * @since 0.1.0
 */
export type MemoryStore = ContentStore<NotInMemory | RegistryError>

/** What a manifest needs and the store lacks. An entry of an index may be a blob. */
const missingOf = (
  { blobs: neededBlobs, manifests: neededManifests }: References,
  manifests: ReadonlyMap<string, unknown>,
  blobs: ReadonlyMap<string, unknown>
): ReadonlyArray<Digest.Digest> => [
  ...neededManifests.map(({ digest }) => digest).filter((digest) => !manifests.has(digest) && !blobs.has(digest)),
  ...neededBlobs.map(({ digest }) => digest).filter((digest) => !blobs.has(digest))
]

/** The whole content of a source, verified. */
const collect = <E, R>(
  blob: Pointer,
  source: BlobSource.BlobSource<E, R>
): Effect.Effect<Uint8Array, E | RegistryError, R> =>
  Effect.map(Stream.runCollect(Content.verify(blob)((source.unverified ?? source).read(0))), Bytes.concat)

/**
 * Makes an empty store. Its content lives as long as the value.
 *
 * **When to use**
 *
 * Use in tests, and to build an artifact before it is copied elsewhere. `ImageLayout.open` is for content that must not be in
 * memory or must last.
 *
 * **Details**
 *
 * Like a registry, the store refuses a manifest whose content it lacks (`MissingContent`), and verifies content
 * (`ContentMismatch`). `name` is the name of the store in messages. Defaults to `memory`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string = "memory"): MemoryStore => {
  const manifests = new Map<string, Manifest.Raw>()
  const blobs = new Map<string, Uint8Array>()
  const tags = new Map<string, Digest.Digest>()
  /** The referrers by their subjects, and by their digests. */
  const referrers = new Map<string, Map<string, Descriptor>>()
  const oneAtATime = Turns.make()

  const find = (tagOrDigest: string): Option.Option<Manifest.Raw> =>
    Option.fromUndefinedOr(manifests.get(tags.get(tagOrDigest) ?? tagOrDigest))

  const unlist = (digest: Digest.Digest): void => {
    const referrer = Option.flatMap(Option.fromUndefinedOr(manifests.get(digest)), Referrer.fromManifest)
    if (Option.isSome(referrer)) referrers.get(referrer.value.subject)?.delete(digest)
  }

  const remove = (digest: Digest.Digest): void => {
    unlist(digest)
    manifests.delete(digest)
    for (const [tag, named] of tags) if (named === digest) tags.delete(tag)
  }

  return {
    origin: { place: name, repository: "" },
    resolve: (tagOrDigest) => Effect.sync(() => Option.map(find(tagOrDigest), ({ descriptor }) => descriptor)),
    manifest: ({ digest }) => Effect.sync(() => Option.fromUndefinedOr(manifests.get(digest))),
    blob: ({ digest, size }) => ({
      sizeBytes: Effect.succeed(size),
      read: (offset) =>
        Stream.suspend((): Stream.Stream<Uint8Array, NotInMemory> => {
          const bytes = blobs.get(digest)
          return bytes === undefined
            ? Stream.fail(new NotInMemory({ digest }))
            : BlobSource.fromBytes(bytes).read(offset)
        }),
      repeatable: true
    }),
    has: ({ digest }) => Effect.sync(() => blobs.has(digest)),
    tags: Stream.suspend(() => Stream.fromIterable(Array.from(tags.keys()))),
    referrers: (subject, { artifactType } = {}) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          Array.from(referrers.get(subject)?.values() ?? []).filter(
            (descriptor) => artifactType === undefined || descriptor.artifactType === artifactType
          )
        )
      ),
    keeps: ({ digest }) => Effect.sync(() => manifests.has(digest)),
    putManifest: (manifest, { isSparse = false, tags: names = [] } = {}) =>
      Effect.gen(function* () {
        const { digest } = manifest.descriptor
        yield* Stream.runDrain(Content.verify(manifest.descriptor)(Stream.make(manifest.bytes)))
        const missing = missingOf(neededBy(manifest, isSparse), manifests, blobs)
        if (missing.length > 0) return yield* new MissingContent({ manifest: digest, digests: missing })
        unlist(digest)
        manifests.set(digest, { bytes: manifest.bytes, descriptor: manifest.descriptor })
        for (const tag of names) tags.set(tag, digest)
        const referrer = Referrer.fromManifest(manifest)
        if (Option.isSome(referrer)) {
          const { descriptor, subject } = referrer.value
          referrers.set(subject, (referrers.get(subject) ?? new Map<string, Descriptor>()).set(digest, descriptor))
        }
        return { listedBy: Option.as(referrer, { _tag: "ReferrersApi" as const }) }
      }),
    putBlob: (blob, source) =>
      oneAtATime(
        blob.digest,
        Effect.gen(function* () {
          if (blobs.has(blob.digest)) return "present"
          blobs.set(blob.digest, yield* collect(blob, source))
          return "sent"
        })
      ),
    untag: (tag) => Effect.sync(() => void tags.delete(tag)),
    remove: ({ digest }) => Effect.sync(() => remove(digest)),
    batch: identity
  }
}
