/**
 * Modes: features of the emulated registry that can change while the emulator runs.
 *
 * `AcrEmulator.modes` and `AcrEmulator.limits` return them.
 *
 * @since 0.1.0
 */
import type { RateLimits } from "@effect-acr/client/RateLimits"
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { Period } from "./internal/period.ts"

/**
 * How a registry treats referrers: manifests that have a `subject`, such as signatures.
 *
 * **When to use**
 *
 * Use to test a client against registries that lack a part of the referrers API. The defaults are those of a registry
 * of ACR that has the API.
 *
 * **Details**
 *
 * OCI distribution specification, "Listing Referrers" and "Pushing manifests with subject".
 *
 * **Gotchas**
 *
 * No recording shows ACR's referrers API: its page size, its order and whether it filters are unknown. The emulator
 * follows the specification.
 *
 * **Example** (A registry without the referrers API)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 *
 * const Emulator = AcrEmulator.layer({ referrers: { api: false } })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface ReferrersOptions {
  /**
   * Whether the registry has the referrers API. Defaults to `true`. Registries of ACR that are encrypted with a
   * customer-managed key do not have it, nor does the registry of the distribution project. Without it, the response to
   * its path is 404 in plain text, the response to a push of a referrer has no `OCI-Subject`, and the deletion of a
   * subject keeps its referrers, whatever `subjectHeader` and `cascade` are.
   */
  readonly api?: boolean
  /**
   * Whether the response to a push of a manifest with a subject has `OCI-Subject`. Defaults to `true`. Without it,
   * clients must maintain the fallback tag although the API lists the referrer.
   */
  readonly subjectHeader?: boolean
  /**
   * Whether the list is filtered by the `artifactType` of the query. Defaults to `true`. Otherwise all referrers are
   * listed, without `OCI-Filters-Applied`, and the client must filter.
   */
  readonly filter?: boolean
  /**
   * The number of referrers per page, 1 or more. A `Link` leads to the next page. Defaults to one page for all.
   */
  readonly pageSize?: number
  /** Whether the deletion of a subject deletes its referrers, as ACR does. Defaults to `true`. */
  readonly cascade?: boolean
}

/**
 * The soft delete policy of a registry: deleted artifacts stay in a trash for some days, and can be restored.
 *
 * **Details**
 *
 * Deleted manifests and tags, and those of a deleted repository, are listed under `/acr/v1/_deleted` and restored from
 * there. Source: ACR's documentation, "Recover deleted artifacts with soft delete policy".
 *
 * **Gotchas**
 *
 * No public text shows how ACR refuses a restore or the push of a deleted digest. docs/emulator.md describes the
 * emulator's responses.
 *
 * **Example** (A registry that keeps deleted artifacts for two weeks)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 *
 * const Emulator = AcrEmulator.layer({ softDelete: { retention: "14 days" } })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface SoftDeleteOptions {
  /**
   * How long deleted artifacts stay in the trash after their deletion. Defaults to 7 days, as in ACR. ACR accepts 1 to
   * 90 days, the emulator any duration above zero.
   */
  readonly retention?: Duration.Input
}

/**
 * The modes and limits to start with.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Whether anonymous callers may list and pull. Defaults to `false`. */
  readonly anonymousPull?: boolean
  /**
   * How permissions are granted, in ACR's words: to the whole registry, or by repository (attribute-based access
   * control), which allows no token for all repositories. Defaults to `rbac`.
   */
  readonly roleAssignmentMode?: "rbac" | "rbac-abac"
  /**
   * The limits of the whole registry in requests per minute, by kind, as ACR counts them (see `RateLimits` of
   * `@effect-acr/client`). Requests above a limit fail with 429 and `Retry-After`. They override the limits of `tier`.
   * Without both, requests are not limited.
   */
  readonly rateLimits?: RateLimits
  /**
   * The tier of the registry, in ACR's words. It sets the limits of the whole registry, and half of them for each
   * identity. The admin user is one identity, each scope-map token another one, all callers of Entra ID a third, and
   * all anonymous callers a fourth. Defaults to no tier.
   */
  readonly tier?: NonNullable<Limits["tier"]>
  /**
   * Whether downloads of blobs are redirected to another host, as in ACR, or served directly. Defaults to `redirect` on
   * `127.0.0.1`, whose storage is `localhost`, and on `localhost`, whose storage is `127.0.0.1`. They are always served
   * directly on any other `host`, with a `publicHost`, and with a certificate that is not for the storage. `modes` of
   * the service shows the result.
   */
  readonly blobs?: "redirect" | "direct"
  /** The maximum size of the body of an upload request. Larger ones fail with 413. Defaults to no limit. */
  readonly maxRequestBodySize?: ByteSize.Input
  /** The value of `OCI-Chunk-Min-Length`, the minimum size of a chunk. Defaults to none: the header is not sent. */
  readonly chunkMinLength?: ByteSize.Input
  /** How the registry treats referrers. Defaults to a registry of ACR that has the referrers API. */
  readonly referrers?: ReferrersOptions
  /**
   * The soft delete policy. Without it, deletions are final. Artifacts that an earlier emulator with the policy left in
   * the trash of the `directory` stay there and can be restored.
   */
  readonly softDelete?: SoftDeleteOptions
  /**
   * Whether a push of a tag honours `If-Match` and `If-None-Match`. Defaults to `false`: these headers are ignored.
   *
   * With `true`, a push by tag fails with 412 `PRECONDITION_FAILED` unless the tag names a manifest of `If-Match` (`*`:
   * any), or if it names one of `If-None-Match` (`*`: any). The `ETag` of a manifest is its digest in quotes. Pushes by
   * digest have no conditions.
   */
  readonly conditionalPut?: boolean
}

const PositiveInt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const referrers = Schema.Struct({
  /** Whether the registry has the referrers API. */
  api: Schema.Boolean,
  /** Whether the response to a push of a manifest with a subject has `OCI-Subject`. */
  subjectHeader: Schema.Boolean,
  /** Whether the list is filtered by the `artifactType` of the query. */
  filter: Schema.Boolean,
  /** The number of referrers per page; `null` for one page for all. */
  pageSize: Schema.NullOr(PositiveInt),
  /** Whether the deletion of a subject deletes its referrers. */
  cascade: Schema.Boolean
})

const modes = Schema.Struct({
  /** Whether anonymous callers may list and pull. */
  anonymousPull: Schema.Boolean,
  /** How permissions are granted, in ACR's words. A change does not affect tokens that were issued before. */
  roleAssignmentMode: Schema.Literals(["rbac", "rbac-abac"]),
  /** Whether downloads of blobs are redirected to the storage; always `direct` if the emulator has no storage host. */
  blobs: Schema.Literals(["redirect", "direct"]),
  /** The maximum size of the body of an upload request, in bytes; `null` for no limit. */
  maxRequestBodySize: Schema.NullOr(Schema.Natural),
  /** The value of `OCI-Chunk-Min-Length`, in bytes; `null` for no such header. */
  chunkMinLength: Schema.NullOr(Schema.Natural),
  /** The soft delete policy; `null` if deletions are final. */
  softDelete: Schema.NullOr(Schema.Struct({ retention: Period })),
  /** Whether a push of a tag honours `If-Match` and `If-None-Match`. */
  conditionalPut: Schema.Boolean
})

/**
 * The modes of an emulator. `Options` describes each of them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Modes = Schema.Struct({
  ...modes.fields,
  /** How the registry treats referrers. */
  referrers
})

export type Modes = typeof Modes.Type

/**
 * A change of modes. Modes that it does not name are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ModesChange = Schema.Struct({
  ...modes.mapFields(Struct.map(Schema.optionalKey)).fields,
  /** How the registry treats referrers. */
  referrers: Schema.optionalKey(referrers.mapFields(Struct.map(Schema.optionalKey)))
})

export type ModesChange = typeof ModesChange.Type

/**
 * The rate limits of a registry, in requests per minute. Requests above a limit fail with 429 and `Retry-After`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Limits = Schema.Struct({
  /** The tier whose limits apply; `null` for none. */
  tier: Schema.NullOr(Schema.Literals(["basic", "standard", "premium"])),
  /** Limits of the whole registry by kind of request, which override those of the tier. */
  rateLimits: Schema.Struct({
    /** GET and HEAD. */
    read: Schema.optionalKey(PositiveInt),
    /** PUT, PATCH and POST. */
    write: Schema.optionalKey(PositiveInt),
    /** DELETE. */
    delete: Schema.optionalKey(PositiveInt),
    /** Lists of referrers. */
    referrers: Schema.optionalKey(PositiveInt),
    /** Requests for tokens. */
    oauth: Schema.optionalKey(PositiveInt)
  })
})

export type Limits = typeof Limits.Type
