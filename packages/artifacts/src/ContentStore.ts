/**
 * Places of content: what a repository of a registry, an image layout on disk and memory have in common.
 *
 * A store holds manifests and blobs by digest, and tags that name manifests. Everything that this package does with
 * artifacts is a function over stores: copying is from one `Reader` to one `Writer`.
 *
 * What such functions decide on is in the interface: whether something is there is an `Option`, and a manifest that a store
 * refuses because it lacks something that the manifest names is `MissingContent`. The error type of a store is for what went
 * wrong. Errors have `isRetryable`: whether the same operation may succeed later, with nothing changed by the caller.
 *
 * @since 0.1.0
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import { Digest } from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import type { BlobOutcome, ReferrersListing } from "@effect-acr/client/RegistryContent"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * Where the content of a store is. Two stores of one `place` can take blobs from each other without a transfer: two
 * repositories of one registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Origin {
  /** What holds the content: the login server of a registry, or the path of a layout. */
  readonly place: string
  /** The repository in it; empty if it has none. */
  readonly repository: string
}

/**
 * What names content: a descriptor is one.
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
  /** The artifact type. Defaults to all. */
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
  /** What a tag or a digest names; none if it is not there. */
  readonly resolve: (tagOrDigest: string) => Effect.Effect<Option.Option<Descriptor>, E>
  /** The verified bytes of a manifest; none if it is not there. */
  readonly manifest: (manifest: Pick<Pointer, "digest">) => Effect.Effect<Option.Option<Manifest.Raw>, E>
  /** A blob, readable from any offset and again. It is verified if it is read whole. Reading one that is not there fails. */
  readonly blob: (blob: Pointer) => BlobSource<E>
  /** Whether a blob is there. */
  readonly has: (blob: Pick<Pointer, "digest">) => Effect.Effect<boolean, E>
  /** The tags, in the order of the store. */
  readonly tags: Stream.Stream<string, E>
  /** The manifests that name a manifest as their subject. It need not be there itself. */
  readonly referrers: (subject: Digest, options?: ReferrersOptions) => Stream.Stream<Descriptor, E>
}

/**
 * How to put a manifest.
 *
 * @category options
 * @since 0.1.0
 */
export interface PutManifestOptions {
  /** The tags to point at it. Defaults to none: it is known by its digest alone. */
  readonly tags?: ReadonlyArray<string>
  /**
   * Whether some of the manifests that it names are left out on purpose. A store that decides by itself what it takes, such
   * as a registry, may refuse it all the same.
   */
  readonly isSparse?: boolean
}

/**
 * What became of a manifest that was put.
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
  /** Where else the blob may be, the likeliest first. A store takes it from there if it can, without reading the source. */
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
   * Whether a manifest is there and stays there. A layout may have the file of one that nothing leads to: an interrupted copy
   * left it.
   */
  readonly keeps: (manifest: Pick<Pointer, "digest">) => Effect.Effect<boolean, E>
  /** Puts the bytes of a manifest as they are. Fails with `MissingContent` if the store lacks what it names. */
  readonly putManifest: (
    manifest: Manifest.Raw,
    options?: PutManifestOptions
  ) => Effect.Effect<PutManifestResult, E | MissingContent>
  /**
   * Makes sure that a blob is there, and returns how it came to be. The content is verified before the store has it; the
   * source is not read if it is there.
   */
  readonly putBlob: <E2, R2>(
    blob: Pointer,
    source: BlobSource<E2, R2>,
    options?: PutBlobOptions
  ) => Effect.Effect<BlobOutcome, E | E2, R2>
  /** Removes a tag; the manifest that it names stays. Does nothing if there is no such tag. */
  readonly untag: (tag: string) => Effect.Effect<void, E>
  /** Removes a manifest with its tags. Does nothing if it is not there. */
  readonly remove: (manifest: Pick<Pointer, "digest">) => Effect.Effect<void, E>
  /**
   * Runs an effect whose changes the store may write together: a layout writes its index once, when the effect ends, be it
   * with a failure. Within the effect, the changes are visible.
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
 * A store refuses a manifest because it lacks a blob or a manifest that this one names. Putting what is missing and then the
 * manifest again mends it.
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingContent extends Schema.TaggedError<MissingContent>("@effect-acr/artifacts/MissingContent")(
  "MissingContent",
  {
    /** The manifest that was refused. */
    manifest: Digest,
    /** What is missing, as far as the store says so. */
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
