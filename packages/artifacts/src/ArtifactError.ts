/**
 * Why an artifact could not be made or pulled.
 *
 * @since 0.1.0
 */
import * as Platform from "@effect-acr/client/Platform"
import * as Schema from "effect/Schema"
import { PlatformRequired } from "./ArchiveError.ts"

export { PlatformRequired }

/**
 * The store lacks an image, or the manifest of an image in an index.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>("@effect-acr/artifacts/ArtifactError/NotFound")("NotFound", {
  /** What is missing. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A manifest is not an image that the index can list: it is another kind of artifact, it cannot be read, its configuration is
 * larger than 4 MiB, or it is an OCI image and the index is a Docker manifest list.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotAnImage extends Schema.TaggedError<NotAnImage>("@effect-acr/artifacts/ArtifactError/NotAnImage")(
  "NotAnImage",
  {
    /** What the manifest is instead. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The configuration of an image does not name an operating system and an architecture.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoPlatform extends Schema.TaggedError<NoPlatform>("@effect-acr/artifacts/ArtifactError/NoPlatform")(
  "NoPlatform",
  {
    /** What is missing. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Two images have the same platform: clients would only ever pull the first.
 *
 * @category reasons
 * @since 0.1.0
 */
export class DuplicatePlatform extends Schema.TaggedError<DuplicatePlatform>(
  "@effect-acr/artifacts/ArtifactError/DuplicatePlatform"
)("DuplicatePlatform", {
  /** The platform, and the image that already has it. */
  description: Schema.String,
  /** The platform. */
  platform: Platform.Platform
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The list of images is empty. An empty index would replace what its tags name.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NoImages extends Schema.TaggedError<NoImages>("@effect-acr/artifacts/ArtifactError/NoImages")("NoImages", {
  /** What is missing. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The artifact would be invalid: it has no type, its type is not a media type, the titles of its files conflict, or its manifest
 * exceeds 4 MiB.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidArtifact extends Schema.TaggedError<InvalidArtifact>(
  "@effect-acr/artifacts/ArtifactError/InvalidArtifact"
)("InvalidArtifact", {
  /** What is wrong. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The reasons of an `ArtifactError`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  NotFound,
  NotAnImage,
  NoPlatform,
  DuplicatePlatform,
  NoImages,
  PlatformRequired,
  InvalidArtifact
])

export type Reason = typeof Reason.Type

/**
 * An artifact could not be made or pulled. `Effect.catchReason("ArtifactError", …)` handles one of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export class ArtifactError extends Schema.TaggedError<ArtifactError>("@effect-acr/artifacts/ArtifactError")(
  "ArtifactError",
  {
    /** The image or the artifact, as the caller named it: a tag or a digest. Empty if none was named. */
    image: Schema.String,
    /** Why. */
    reason: Reason
  }
) {
  /** Always false. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return this.image === "" ? this.reason.description : `${this.image}: ${this.reason.description}`
  }
}
