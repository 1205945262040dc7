/**
 * Modes: which kind of registry the emulator is, as far as that can change while it runs.
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
 * Use it to test a client against registries that lack a part of the referrers API. Each default is what the emulator
 * does as a registry of ACR that has the API.
 *
 * **Details**
 *
 * OCI distribution specification, "Listing Referrers" and "Pushing manifests with subject".
 *
 * **Gotchas**
 *
 * No recording shows ACR's referrers API: its page size, its order and whether it filters are not known. The emulator
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
   * customer-managed key do not have it, nor does the registry of the distribution project. Without it, the path is
   * answered 404 in plain text, a push of a referrer is answered without `OCI-Subject`, and the deletion of a subject
   * keeps its referrers, whatever `subjectHeader` and `cascade` are.
   */
  readonly api?: boolean
  /**
   * Whether a push of a manifest with a subject is answered with `OCI-Subject`. Defaults to `true`. Without it, clients
   * must maintain the fallback tag although the API lists the referrer.
   */
  readonly subjectHeader?: boolean
  /**
   * Whether the list is filtered by the `artifactType` of the query. Defaults to `true`. Otherwise all referrers are
   * listed, without `OCI-Filters-Applied`, and the client must filter.
   */
  readonly filter?: boolean
  /**
   * The number of referrers a page, 1 or more. A `Link` leads to the next page. Defaults to one page for all.
   */
  readonly pageSize?: number
  /** Whether the deletion of a subject deletes its referrers, as ACR does. Defaults to `true`. */
  readonly cascade?: boolean
}

/**
 * The soft delete policy of a registry: what is deleted stays in a trash for a while, and can be restored.
 *
 * **Details**
 *
 * ACR's documentation, "Recover deleted artifacts with soft delete policy". Deleted manifests and tags, and those of a
 * deleted repository, are listed under `/acr/v1/_deleted` and restored from there.
 *
 * **Gotchas**
 *
 * No public text shows how ACR refuses a restore or the push of a deleted digest. docs/emulator.md says what the emulator
 * answers.
 *
 * **Example** (A registry that keeps what is deleted for two weeks)
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
   * How long deleted things stay in the trash, counted from their deletion. Defaults to 7 days, as ACR's, which takes 1 to
   * 90 days. The emulator takes any time above zero.
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
   * How rights are granted, in ACR's words: to the whole registry, or by repository (attribute-based access control),
   * where no token is for all repositories. Defaults to `rbac`.
   */
  readonly roleAssignmentMode?: "rbac" | "rbac-abac"
  /**
   * Requests a minute, by kind, as ACR counts them (see `RateLimits` of `@effect-acr/client`); what is too many is
   * answered 429 with `Retry-After`. They are those of the whole registry, and come before those of `tier`. Not limited if
   * neither is given.
   */
  readonly rateLimits?: RateLimits
  /**
   * The tier of the registry, in ACR's words, whose limits it then has: those of the whole registry, and half of them for
   * each identity. The admin user is one identity, each scope-map token another one, all callers of Entra ID a third, and
   * all anonymous callers a fourth.
   */
  readonly tier?: NonNullable<Limits["tier"]>
  /**
   * Whether downloads of blobs are redirected to another host, as ACR's are, or served. Defaults to `redirect` on
   * `127.0.0.1`, whose storage is `localhost`, and on `localhost`, whose storage is `127.0.0.1`. On any other `host` they
   * are served, whatever is given here, and so they are with a `publicHost`, and with a certificate that is not for the
   * storage: `modes` of the service says so.
   */
  readonly blobs?: "redirect" | "direct"
  /** The largest body of an upload request, in bytes; more is answered 413. Defaults to no limit. */
  readonly maxRequestBodySize?: ByteSize.Input
  /** What `OCI-Chunk-Min-Length` asks for, in bytes. Without it, the header is not sent. */
  readonly chunkMinLength?: ByteSize.Input
  /** How the registry treats referrers. Defaults to those of a registry of ACR that has the referrers API. */
  readonly referrers?: ReferrersOptions
  /**
   * The soft delete policy. Without it, deletions are final; what an emulator with the policy left in the trash of the
   * `directory` stays there and can be restored.
   */
  readonly softDelete?: SoftDeleteOptions
  /**
   * Whether a push of a tag honours `If-Match` and `If-None-Match`. Defaults to `false`: these headers are ignored.
   *
   * With it, a push by tag is answered 412 `PRECONDITION_FAILED` unless the tag names a manifest of `If-Match` (`*`: any),
   * or if it names one of `If-None-Match` (`*`: any). The `ETag` of a manifest is its digest in quotes. Pushes by digest
   * have no conditions.
   */
  readonly conditionalPut?: boolean
}

const PositiveInt = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

const referrers = Schema.Struct({
  /** Whether the registry has the referrers API. */
  api: Schema.Boolean,
  /** Whether a push of a manifest with a subject is answered with `OCI-Subject`. */
  subjectHeader: Schema.Boolean,
  /** Whether the list is filtered by the `artifactType` of the query. */
  filter: Schema.Boolean,
  /** The number of referrers a page; `null` for one page for all. */
  pageSize: Schema.NullOr(PositiveInt),
  /** Whether the deletion of a subject deletes its referrers. */
  cascade: Schema.Boolean
})

const modes = Schema.Struct({
  /** Whether anonymous callers may list and pull. */
  anonymousPull: Schema.Boolean,
  /** How rights are granted, in ACR's words. Tokens keep what they were granted. */
  roleAssignmentMode: Schema.Literals(["rbac", "rbac-abac"]),
  /** Whether downloads of blobs are redirected to the storage; always `direct` on a host that has no other beside it. */
  blobs: Schema.Literals(["redirect", "direct"]),
  /** The largest body of an upload request, in bytes; `null` for no limit. */
  maxRequestBodySize: Schema.NullOr(Schema.Natural),
  /** What `OCI-Chunk-Min-Length` asks for, in bytes; `null` for no such header. */
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

/**
 * The modes of an emulator.
 *
 * @category models
 * @since 0.1.0
 */
export type Modes = typeof Modes.Type

/**
 * Modes that change. What is not named stays as it is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ModesChange = Schema.Struct({
  ...modes.mapFields(Struct.map(Schema.optionalKey)).fields,
  /** How the registry treats referrers. */
  referrers: Schema.optionalKey(referrers.mapFields(Struct.map(Schema.optionalKey)))
})

/**
 * Modes that change.
 *
 * @category models
 * @since 0.1.0
 */
export type ModesChange = typeof ModesChange.Type

/**
 * How many requests a minute a registry answers. What is too many is answered 429 with `Retry-After`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Limits = Schema.Struct({
  /** The tier whose limits it has; `null` for none. */
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

/**
 * How many requests a minute a registry answers.
 *
 * @category models
 * @since 0.1.0
 */
export type Limits = typeof Limits.Type
