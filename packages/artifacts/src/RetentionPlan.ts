/**
 * The plan of a retention run: the verdict on each tag and manifest of a repository, and the reason.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"
import * as Inventory from "./RetentionInventory.ts"
import * as Rules from "./RetentionRules.ts"

/**
 * What decided about a tag or a manifest.
 *
 * **Details**
 *
 * - `rule`, `default`: a rule, or the default of the rules.
 * - `lock`: it or the repository is locked.
 * - `age`: it is younger than the safety age, or has no time.
 * - `tag`: a kept tag names it.
 * - `child`, `referrer`, `subject`, `attached`: a kept object needs it: as its child, referrer or subject, because the name of a
 *   tag attaches it, or as an earlier list of its referrers.
 * - `follows`: what it belongs to is deleted.
 * - `hidden`: it has a tag that the registry does not list.
 * - `unread`: it could not be read, or the inventory is partial.
 *
 * @category schemas
 * @since 0.1.0
 */
export const By = Schema.Literals([
  "rule",
  "default",
  "lock",
  "age",
  "tag",
  "child",
  "referrer",
  "subject",
  "attached",
  "follows",
  "hidden",
  "unread"
])

export type By = typeof By.Type

const decision = {
  /** What decided. */
  by: By,
  /** The rule, if a rule decided. Absent if it is kept or deleted because of another manifest, which is then `of`. */
  rule: Schema.optionalKey(Schema.String),
  /** The reason, for people to read. */
  because: Schema.String,
  /** The manifest that needs it, or with which it is deleted. */
  of: Schema.optionalKey(Digest.Digest)
}

/**
 * A tag of a plan.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PlannedTag = Schema.Struct({
  ...Inventory.Tag.fields,
  /** Whether the tag is kept or deleted. */
  verdict: Schema.Literals(["keep", "delete"]),
  ...decision
})

export type PlannedTag = typeof PlannedTag.Type

/**
 * A manifest of a plan.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PlannedManifest = Schema.Struct({
  ...Inventory.Manifest.fields,
  /** The tags that name it. */
  tags: Schema.Array(Schema.String),
  /** Whether the manifest is kept or deleted. */
  verdict: Schema.Literals(["keep", "delete"]),
  ...decision
})

export type PlannedManifest = typeof PlannedManifest.Type

/**
 * A manifest that names others that are missing.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Broken = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** The missing manifests that it names. */
  missing: Schema.Array(Digest.Digest)
})

export type Broken = typeof Broken.Type

/**
 * A plan for one repository.
 *
 * **Details**
 *
 * A plan is data: it can be stored as JSON, reviewed, compared with another plan, and carried out by `Retention.apply`. The same
 * inventory and rules produce the same order of tags and manifests.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Plan = Schema.Struct({
  /** The version of this format. */
  version: Schema.Literal(1),
  /** The registry. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** When reading the inventory began, by the registry's clock if that can be read. */
  at: Schema.DateTimeUtcFromString,
  /** How much of the repository is known. */
  coverage: Inventory.Inventory.fields.coverage,
  /** The rules. */
  rules: Rules.Rules,
  /** Each tag, by name. */
  tags: Schema.Array(PlannedTag),
  /** Each manifest, by digest. */
  manifests: Schema.Array(PlannedManifest),
  /** Manifests that were broken before the run. */
  broken: Schema.Array(Broken),
  /** How much the plan deletes. */
  frees: Schema.Struct({
    /** How many tags it deletes. */
    tags: Schema.Natural,
    /** How many manifests it deletes. */
    manifests: Schema.Natural,
    /** The size of what it deletes, in bytes. An upper bound: layers that kept images share are counted, and stay. */
    atMostBytes: Schema.Natural
  }),
  /** The limits of the rules that it exceeds, for people to read. A plan that exceeds a limit is not carried out. */
  exceeds: Schema.Array(Schema.String),
  /** Patterns of rules that match nothing in this repository. */
  unmatched: Schema.Array(Schema.Struct({ rule: Schema.String, pattern: Rules.Pattern })),
  /** Warnings for people to read. */
  warnings: Schema.Array(Schema.String)
})

export type Plan = typeof Plan.Type
