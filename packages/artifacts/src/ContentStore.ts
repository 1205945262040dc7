/**
 * The interface of stores: what a repository of a registry, an image layout on disk and a store in memory have in common.
 *
 * A store holds manifests and blobs by digest, and tags that name manifests. Everything that this package does with
 * artifacts is a function over stores: copying is from one `Reader` to one `Writer`.
 *
 * What such functions decide on is part of the interface: content that may be absent is an `Option`, and a store that refuses a
 * manifest because it lacks content that the manifest names fails with `MissingContent`. The error type `E` of a store is for all
 * other failures. Errors have `isRetryable`: whether the same operation may succeed later, with nothing changed by the caller.
 *
 * @since 0.1.0
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import { Digest } from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import type { BlobOutcome, ReferrersListing } from "@effect-acr/client/RegistryContent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * Where a store keeps its content. Two stores of the same `place`, such as two repositories of one registry, can take blobs from
 * each other without a transfer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Origin {
  /** What holds the content: the login server of a registry, or the path of a layout. */
  readonly place: string
  /** The repository; empty for a store that has none. */
  readonly repository: string
}

/**
 * Identifies content. Every descriptor is a `Pointer`.
 *
 * @category models
 * @since 0.1.0
 */
export type Pointer = Pick<Descriptor, "digest" | "mediaType" | "size">

/**
 * Which referrers to list.
 *
 * @category options
 * @since 0.1.0
 */
export interface ReferrersOptions {
  /** The artifact type of the referrers. Defaults to all types. */
  readonly artifactType?: string
}

/**
 * A store to read from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reader<out E> {
  /** Where the content is. */
  readonly origin: Origin
  /** The manifest that a tag or a digest names; none if it does not exist. */
  readonly resolve: (tagOrDigest: string) => Effect.Effect<Option.Option<Descriptor>, E>
  /** The verified bytes of a manifest; none if it does not exist. */
  readonly manifest: (manifest: Pick<Pointer, "digest">) => Effect.Effect<Option.Option<Manifest.Raw>, E>
  /** A blob, readable from any offset and repeatedly. It is verified when it is read as a whole. Reading a missing blob fails. */
  readonly blob: (blob: Pointer) => BlobSource<E>
  /** Whether the store has a blob. */
  readonly has: (blob: Pick<Pointer, "digest">) => Effect.Effect<boolean, E>
  /** The tags, in the order of the store. */
  readonly tags: Stream.Stream<string, E>
  /** The manifests that the store lists without a tag, referrers included. Layouts and archives have such lists. */
  readonly untagged?: Stream.Stream<Descriptor, E>
  /** The manifests that name a manifest as their subject. The subject itself need not exist. */
  readonly referrers: (subject: Digest, options?: ReferrersOptions) => Stream.Stream<Descriptor, E>
}

/**
 * How to put a manifest.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutManifestOptions {
  /** The tags to set. Defaults to none: the manifest is then known by its digest alone. */
  readonly tags?: ReadonlyArray<string>
  /**
   * Whether some of the manifests that it names are left out on purpose. A registry may refuse such a manifest all the same.
   * Defaults to false.
   */
  readonly isSparse?: boolean
}

/**
 * The result of putting a manifest.
 *
 * @category models
 * @since 0.1.0
 */
export interface PutManifestResult {
  /** Where it is listed among the referrers of its subject, if it has one. */
  readonly listedBy: Option.Option<ReferrersListing>
}

/**
 * How to put a blob.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutBlobOptions {
  /** Where else the blob may be, the likeliest first. If the store can take the blob from there, the source is not read. */
  readonly from?: ReadonlyArray<Origin>
}

/**
 * A store to write to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Writer<out E> {
  /**
   * Whether the store has a manifest and will keep it. A layout may have the file of a manifest that its index does not reach,
   * left by an interrupted copy: that file may be pruned.
   */
  readonly keeps: (manifest: Pick<Pointer, "digest">) => Effect.Effect<boolean, E>
  /** Puts the bytes of a manifest unchanged. Fails with `MissingContent` if the store lacks content that the manifest names. */
  readonly putManifest: (
    manifest: Manifest.Raw,
    options?: PutManifestOptions
  ) => Effect.Effect<PutManifestResult, E | MissingContent>
  /**
   * Ensures that the store has a blob, and returns how: it was present, mounted or sent. The content is verified before the store
   * keeps it. The source is not read if the blob is present.
   */
  readonly putBlob: <E2, R2>(
    blob: Pointer,
    source: BlobSource<E2, R2>,
    options?: PutBlobOptions
  ) => Effect.Effect<BlobOutcome, E | E2, R2>
  /** Removes a tag; the manifest that it names stays. Does nothing if the tag does not exist. */
  readonly untag: (tag: string) => Effect.Effect<void, E>
  /** Removes a manifest with its tags. Does nothing if the manifest does not exist. */
  readonly remove: (manifest: Pick<Pointer, "digest">) => Effect.Effect<void, E>
  /**
   * Runs an effect whose changes the store may write together: a layout writes its index once, when the effect succeeds or fails.
   * Within the effect, the changes are visible.
   */
  readonly batch: <A, E2, R>(effect: Effect.Effect<A, E2, R>) => Effect.Effect<A, E | E2, R>
}

/**
 * A store to read from and to write to.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContentStore<out E> extends Reader<E>, Writer<E> {}

/**
 * A store refused a manifest because it lacks a blob or a manifest that this manifest names. To recover, put the missing content,
 * and then the manifest again.
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingContent extends Schema.TaggedError<MissingContent>("@effect-acr/artifacts/MissingContent")(
  "MissingContent",
  {
    /** The manifest that was refused. */
    manifest: Digest,
    /** The missing content, as far as the store reports it. */
    digests: Schema.Array(Digest)
  }
) {
  /** Always false: content has to be put first. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    const missing = this.digests.length === 0 ? "something that it names" : this.digests.join(", ")
    return `the store refused ${this.manifest}: it lacks ${missing}`
  }
}

/**
 * Checks whether a tag names a list of referrers: an image index under the referrers tag of a manifest that the store has.
 *
 * **Details**
 *
 * OCI distribution specification, "Referrers tag schema". Copies of referrers write the list of the target, so that copying such a
 * tag would replace what the target has in its own list. For a tag of a sha512 digest, which has half of the hash, an index is
 * enough.
 *
 * @category getters
 * @since 0.1.0
 */
export const namesList = <E>(
  store: Pick<Reader<E>, "resolve">,
  tag: string,
  manifest: Pointer
): Effect.Effect<boolean, E> => {
  if (!Referrer.mayBeList(tag, manifest)) return Effect.succeed(false)
  return Option.match(Referrer.taggedSubject(tag), {
    onNone: () => Effect.succeed(true),
    onSome: (subject) => Effect.map(store.resolve(subject), Option.isSome)
  })
}
