/**
 * The interface of repositories that rules can be applied to: what a retention run reads, checks again and deletes.
 *
 * @since 0.1.0
 */
import type { Digest } from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import type { MediaType } from "@effect-acr/client/MediaType"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Arr from "effect/Array"
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Origin } from "./ContentStore.ts"

/**
 * A tag as a registry describes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface TagState {
  /** The tag. */
  readonly name: string
  /** The manifest that it names. */
  readonly digest: Digest
  /** When it was last updated, if the registry returns that. */
  readonly updatedOn?: DateTime.Utc
  /** Whether a lock forbids to delete or move it. */
  readonly isLocked: boolean
}

/**
 * A manifest as the registry lists it, without reading the manifest itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManifestState {
  /** The manifest. */
  readonly digest: Digest
  /** Its media type, if the registry returns it. */
  readonly mediaType?: MediaType
  /** The media type of its configuration, if the registry returns it. */
  readonly configMediaType?: MediaType
  /** The size of the image in bytes, layers included, if the registry returns it. */
  readonly sizeBytes?: number
  /** When it was first pushed, if the registry returns that. */
  readonly createdOn?: DateTime.Utc
  /** When it was last changed, if the registry returns that. */
  readonly updatedOn?: DateTime.Utc
  /** Whether a lock forbids to delete or overwrite it. */
  readonly isLocked: boolean
  /** Its quarantine state, if it has one. */
  readonly quarantineState?: string
  /** The tags that name it, as far as the registry returns them with the manifest. */
  readonly tags: ReadonlyArray<string>
}

/**
 * The counts and the lock of a repository, as the registry returns them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contents {
  /** The number of tags. */
  readonly tagCount: number
  /** The number of manifests. */
  readonly manifestCount: number
  /** Whether the repository is locked against deletions. */
  readonly isLocked: boolean
}

/**
 * The state of a repository right before a deletion.
 *
 * @category models
 * @since 0.1.0
 */
export interface Look {
  /** The requested manifests that exist. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>
  /**
   * The manifests that may have been pushed since, with the tags that name them. May also have older ones. If they have times,
   * the next look requests only what was pushed since the newest of these manifests and of `newerTags`.
   */
  readonly newer: ReadonlyArray<Pick<ManifestState, "digest" | "tags" | "updatedOn">>
  /**
   * The tags that may have been pushed since. May also have older ones. Needed besides `newer`, since a registry may not update
   * the time of a manifest when a tag that names it is pushed.
   */
  readonly newerTags: ReadonlyArray<TagState>
}

/**
 * Which manifests a registry lists.
 *
 * **Details**
 *
 * `Everything`: all manifests, tagged or not. `Tagged`: none, so that only manifests that tags lead to are known; `referrers`
 * then finds the manifests that refer to one.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing =
  | {
      readonly _tag: "Everything"
      /** Each manifest of the repository. */
      readonly manifests: Stream.Stream<ManifestState, RegistryError>
    }
  | {
      readonly _tag: "Tagged"
      /** The manifests that refer to one as their subject. */
      readonly referrers: (subject: Digest) => Stream.Stream<Digest, RegistryError>
    }

/**
 * A tag in the trash.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeletedTag {
  /** The tag. */
  readonly name: string
  /** The manifest that it named. */
  readonly digest: Digest
  /** When it was deleted. */
  readonly deletedOn: DateTime.Utc
}

/**
 * An unlocked object.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unlocked {
  /** Restores the lock as it was. */
  readonly relock: Effect.Effect<void, RegistryError>
}

/**
 * A repository that rules can be applied to.
 *
 * **When to use**
 *
 * `Retention.open` and `Retention.target` serve every registry. Implement this to apply rules to something else.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetentionTarget {
  /** The registry and the repository. */
  readonly origin: Origin
  /** The registry's clock, if it can be read. */
  readonly now: Effect.Effect<Option.Option<DateTime.Utc>, RegistryError>
  /** The counts and the lock of the repository; none if the registry does not return them. */
  readonly contents: Effect.Effect<Option.Option<Contents>, RegistryError>
  /** The tags. */
  readonly tags: Stream.Stream<TagState, RegistryError>
  /** The manifests. */
  readonly listing: Listing
  /** The bytes of a manifest; none if it does not exist. */
  readonly manifest: (digest: Digest) => Effect.Effect<Option.Option<Manifest.Raw>, RegistryError>
  /** The current state of a tag; none if it does not exist. */
  readonly tag: (name: string) => Effect.Effect<Option.Option<TagState>, RegistryError>
  /**
   * Reads the manifests that are about to be deleted, and what was pushed since a time. All requests of a look are sent at once:
   * a change between the first request and the deletion goes unseen.
   */
  readonly look: (
    manifests: Arr.NonEmptyReadonlyArray<Digest>,
    since: DateTime.Utc
  ) => Effect.Effect<Look, RegistryError>
  /** Deletes a tag but not its manifest, in one request. Fails with `NotFound` if it does not exist, and with `Locked`. */
  readonly deleteTag: (name: string) => Effect.Effect<void, RegistryError>
  /** Deletes a manifest with its tags, in one request. Fails with `NotFound` if it does not exist, and with `Locked`. */
  readonly deleteManifest: (digest: Digest) => Effect.Effect<void, RegistryError>
  /** Unlocks a tag or a manifest. */
  readonly unlock: (tagOrDigest: string) => Effect.Effect<Unlocked, RegistryError>
  /** The tags in the trash; empty if the registry has no trash. */
  readonly deletedTags: Stream.Stream<DeletedTag, RegistryError>
}
