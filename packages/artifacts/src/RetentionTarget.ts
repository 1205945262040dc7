/**
 * Repositories that rules can be applied to: what a retention reads, looks at again, and deletes.
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
  /** When it was last moved, if the registry tells. */
  readonly updatedOn?: DateTime.Utc
  /** Whether it is locked against being deleted or moved. */
  readonly isLocked: boolean
}

/**
 * A manifest as a registry describes it, without reading it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManifestState {
  /** The manifest. */
  readonly digest: Digest
  /** Its media type, if the registry tells. */
  readonly mediaType?: MediaType
  /** The media type of its configuration, if the registry tells. */
  readonly configMediaType?: MediaType
  /** The size of the image in bytes, layers included, if the registry tells. */
  readonly sizeBytes?: number
  /** When it was pushed first, if the registry tells. */
  readonly createdOn?: DateTime.Utc
  /** When it was last changed, if the registry tells. */
  readonly updatedOn?: DateTime.Utc
  /** Whether it is locked against being deleted or overwritten. */
  readonly isLocked: boolean
  /** Its state of quarantine, if it has one. */
  readonly quarantineState?: string
  /** The tags that name it, as far as the registry tells them with the manifest. */
  readonly tags: ReadonlyArray<string>
}

/**
 * What a registry says of a repository as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contents {
  /** How many tags it counts. */
  readonly tagCount: number
  /** How many manifests it counts. */
  readonly manifestCount: number
  /** Whether the repository is locked against deletions. */
  readonly isLocked: boolean
}

/**
 * What is there right before something is deleted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Look {
  /** The manifests that were asked for and are there. */
  readonly manifests: ReadonlyMap<Digest, ManifestState>
  /**
   * The manifests that may have come since, with the tags that name them. It may have more than these. If they have times, the
   * next look asks only for what came since the newest of them, and of the tags.
   */
  readonly newer: ReadonlyArray<Pick<ManifestState, "digest" | "tags" | "updatedOn">>
  /**
   * The tags that may have been pushed since. It may have more than these. A registry may leave the time of a manifest as it is
   * when a tag is pushed that names it.
   */
  readonly newerTags: ReadonlyArray<TagState>
}

/**
 * Which manifests a registry lists.
 *
 * **Details**
 *
 * `Everything`: all, tagged or not. `Tagged`: none, so that only what tags lead to is known; `referrers` finds what refers to
 * a manifest.
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
 * What undoes an unlocking.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unlocked {
  /** Locks the object again as it was. */
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
  /** Where it is. */
  readonly origin: Origin
  /** The registry's clock, if it can be read. */
  readonly now: Effect.Effect<Option.Option<DateTime.Utc>, RegistryError>
  /** What the registry says of the repository; none if it says nothing. */
  readonly contents: Effect.Effect<Option.Option<Contents>, RegistryError>
  /** The tags. */
  readonly tags: Stream.Stream<TagState, RegistryError>
  /** The manifests. */
  readonly listing: Listing
  /** The bytes of a manifest; none if it is not there. */
  readonly manifest: (digest: Digest) => Effect.Effect<Option.Option<Manifest.Raw>, RegistryError>
  /** A tag as it is now; none if it is not there. */
  readonly tag: (name: string) => Effect.Effect<Option.Option<TagState>, RegistryError>
  /**
   * Looks at manifests that are about to be deleted, and at what came since a time. All requests of a look are sent at once:
   * what happens between the first of them and the deletion is not seen.
   */
  readonly look: (
    manifests: Arr.NonEmptyReadonlyArray<Digest>,
    since: DateTime.Utc
  ) => Effect.Effect<Look, RegistryError>
  /** Deletes a tag alone, in one request. Fails with `NotFound` if it is not there, and with `Locked`. */
  readonly deleteTag: (name: string) => Effect.Effect<void, RegistryError>
  /** Deletes a manifest with its tags, in one request. Fails with `NotFound` if it is not there, and with `Locked`. */
  readonly deleteManifest: (digest: Digest) => Effect.Effect<void, RegistryError>
  /** Unlocks a tag or a manifest. */
  readonly unlock: (tagOrDigest: string) => Effect.Effect<Unlocked, RegistryError>
  /** The tags in the trash; empty if the registry has no trash. */
  readonly deletedTags: Stream.Stream<DeletedTag, RegistryError>
}
