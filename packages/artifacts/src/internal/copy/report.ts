/**
 * The events and the report of a copy.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * A manifest or a blob of a copy, with its outcome.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CopiedNode = Schema.Struct({
  /** The digest of the content. */
  digest: Digest.Digest,
  /** Whether it is a manifest or a blob: one digest can be both. */
  kind: Schema.Literals(["manifest", "blob"]),
  /** The media type, as the manifest that names it states it. */
  mediaType: Schema.String,
  /** The size, in bytes. */
  size: Schema.Natural,
  /**
   * The outcome: the target had it (`present`), mounted it from another repository (`mounted`), or received it (`sent`), or the
   * copy left it out (`skipped`).
   */
  outcome: Schema.Literals(["present", "mounted", "sent", "skipped"]),
  /** Why it was skipped: it is for a platform that was not chosen, or it is a layer that may not be distributed. */
  reason: Schema.optionalKey(Schema.Literals(["platform", "foreign"]))
})

/**
 * One manifest or blob of a copy, with its outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type CopiedNode = typeof CopiedNode.Type

/**
 * A tag that a copy sets.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CopiedTag = Schema.Struct({
  /** The tag at the target. */
  tag: Schema.String,
  /**
   * `set`: the tag is new, and names the copy. `moved`: it named another manifest before. `unchanged`: it named the same manifest
   * before. `kept`: it still names another manifest, because `onTag` is `keep`, or because that is a list of referrers.
   */
  outcome: Schema.Literals(["set", "moved", "unchanged", "kept"]),
  /** The manifest that it named before, if the tag existed. */
  previous: Schema.optionalKey(Digest.Digest)
})

/**
 * One tag that a copy sets.
 *
 * @category models
 * @since 0.1.0
 */
export type CopiedTag = typeof CopiedTag.Type

/**
 * What a copy did or, in a dry run, would do. Each manifest and each blob is listed once. If the target had an image and `trust`
 * is `exists`, the content of that image is not listed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  /** The manifest that the tag or the digest names at the source. */
  source: Digest.Digest,
  /** The manifest that was copied. Differs from `source` if an index was rewritten for some platforms. */
  root: Digest.Digest,
  /** Manifests and blobs, in the order in which they were copied. */
  nodes: Schema.Array(CopiedNode),
  /** The tags, those of signatures first. */
  tags: Schema.Array(CopiedTag),
  /** Whether it was a dry run: nothing was written. */
  isDryRun: Schema.Boolean
})

/**
 * The report of one copy.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

/**
 * An event of a copy.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  /** The graph is known: the number of its manifests, and the size of the manifests and blobs that the target may lack. */
  Schema.TaggedStruct("Planned", { root: Digest.Digest, manifests: Schema.Natural, bytes: Schema.Natural }),
  /** The number of bytes read of a blob, counted from its beginning. It decreases if a transfer restarts. */
  Schema.TaggedStruct("Progress", { digest: Digest.Digest, bytes: Schema.Natural, size: Schema.Natural }),
  /** A manifest or a blob was copied or skipped. */
  Schema.TaggedStruct("NodeDone", { node: CopiedNode }),
  /** A tag was set or kept. A layout shows it once the copy has finished. */
  Schema.TaggedStruct("TagDone", { tag: CopiedTag }),
  /** The copy has finished. This is the last event. */
  Schema.TaggedStruct("Finished", { report: Report })
])

/**
 * One event of a copy.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * The number and the size of the manifests and blobs with one outcome.
 *
 * @category models
 * @since 0.1.0
 */
export interface Total {
  /** The number of manifests and blobs. */
  readonly nodes: number
  /** The sum of their sizes, in bytes. */
  readonly bytes: number
}

/**
 * Sums up a report by outcome.
 *
 * @category getters
 * @since 0.1.0
 */
export const totals = ({ nodes }: Report): Readonly<Record<CopiedNode["outcome"], Total>> => {
  const total = (outcome: CopiedNode["outcome"]): Total => {
    const those = nodes.filter((node) => node.outcome === outcome)
    return { nodes: those.length, bytes: those.reduce((sum, { size }) => sum + size, 0) }
  }
  return { present: total("present"), mounted: total("mounted"), sent: total("sent"), skipped: total("skipped") }
}
