/**
 * What rules decide for each tag and manifest of a repository, and why.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"
import * as Inventory from "./RetentionInventory.ts"
import * as Rules from "./RetentionRules.ts"

/**
 * What decides about a tag or a manifest.
 *
 * **Details**
 *
 * - `rule`, `default`: the rules.
 * - `lock`: it is locked, or the repository is.
 * - `age`: it is younger than the safety age, or has no time.
 * - `tag`: a tag that stays names it.
 * - `child`, `referrer`, `subject`, `attached`: something that stays needs it, as its child, its referrer, its subject, by the
 *   name of a tag, or as an earlier list of its referrers.
 * - `follows`: what it belongs to goes.
 * - `hidden`: the registry tells a tag of it that it does not list.
 * - `unread`: it could not be read, or not all of the repository is known.
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

/**
 * What decides.
 *
 * @category models
 * @since 0.1.0
 */
export type By = typeof By.Type

const decision = {
  /** What decides. */
  by: By,
  /** The rule, if one decides. What goes or stays with something else has none: `of` says with what. */
  rule: Schema.optionalKey(Schema.String),
  /** The reason, for people to read. */
  because: Schema.String,
  /** The manifest that needs it, or that it goes with. */
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
  /** What becomes of the tag. */
  verdict: Schema.Literals(["keep", "delete"]),
  ...decision
})

/**
 * A tag of a plan.
 *
 * @category models
 * @since 0.1.0
 */
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
  /** What becomes of the manifest. */
  verdict: Schema.Literals(["keep", "delete"]),
  ...decision
})

/**
 * A manifest of a plan.
 *
 * @category models
 * @since 0.1.0
 */
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
  /** What it names and is missing. */
  missing: Schema.Array(Digest.Digest)
})

/**
 * A manifest that names others that are missing.
 *
 * @category models
 * @since 0.1.0
 */
export type Broken = typeof Broken.Type

/**
 * A plan for one repository.
 *
 * **Details**
 *
 * It is data: it can be stored as JSON, reviewed, compared with another, and carried out by `Retention.apply`. The order of
 * its parts is the same for the same inventory and rules.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Plan = Schema.Struct({
  /** The form of this data. */
  version: Schema.Literal(1),
  /** The registry. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** When the inventory was begun, by the registry's clock if that can be read. */
  at: Schema.DateTimeUtcFromString,
  /** How much of the repository is known. */
  coverage: Inventory.Inventory.fields.coverage,
  /** The rules. */
  rules: Rules.Rules,
  /** Each tag, by name. */
  tags: Schema.Array(PlannedTag),
  /** Each manifest, by digest. */
  manifests: Schema.Array(PlannedManifest),
  /** What is broken already. */
  broken: Schema.Array(Broken),
  /** What the plan frees. */
  frees: Schema.Struct({
    /** How many tags it deletes. */
    tags: Schema.Natural,
    /** How many manifests it deletes. */
    manifests: Schema.Natural,
    /** The size of what it deletes, in bytes. Layers that other images share are in it, and stay. */
    atMostBytes: Schema.Natural
  }),
  /** The limits of the rules that it exceeds, for people to read. It is carried out only if there are none. */
  exceeds: Schema.Array(Schema.String),
  /** Patterns of rules that match nothing in this repository. */
  unmatched: Schema.Array(Schema.Struct({ rule: Schema.String, pattern: Rules.Pattern })),
  /** What is odd, for people to read. */
  warnings: Schema.Array(Schema.String)
})

/**
 * A plan for one repository.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = typeof Plan.Type
