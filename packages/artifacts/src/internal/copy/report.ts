/**
 * What a copy reports, while it runs and at its end.
 */
import * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Schema from "effect/Schema"

/**
 * A manifest or a blob that a copy accounted for.
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
  mediaType: MediaType.MediaType,
  /** The size, in bytes. */
  size: Schema.Natural,
  /**
   * What became of it: the target had it (`present`), took it from another repository (`mounted`), or received it (`sent`), or
   * it is not copied (`skipped`).
   */
  outcome: Schema.Literals(["present", "mounted", "sent", "skipped"]),
  /** Why it is not copied: it is for a platform that was not chosen, or it is a layer that may not be distributed. */
  reason: Schema.optionalKey(Schema.Literals(["platform", "foreign"]))
})

/**
 * One manifest or blob that a copy accounted for.
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
   * `set`: it is new, and names the copy. `moved`: it named something else before. `unchanged`: it named the copy before. `kept`: it
   * names something else, and was to be kept.
   */
  outcome: Schema.Literals(["set", "moved", "unchanged", "kept"]),
  /** What it named before, if it existed. */
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
 * What a copy did, or of a dry run, what it would do. Each manifest and each blob stands in it once. What an image names is not
 * listed if the target had the image and was trusted.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  /** What the tag or the digest names at the source. */
  source: Digest.Digest,
  /** What was copied. It differs from `source` if an index was rewritten for some platforms. */
  root: Digest.Digest,
  /** Manifests and blobs, in the order in which they were done. */
  nodes: Schema.Array(CopiedNode),
  /** The tags: those of signatures first. */
  tags: Schema.Array(CopiedTag),
  /** Whether nothing was written. */
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
 * What happens in a copy.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  /** The graph is known: so many manifests, and so many bytes in manifests and blobs that the target may lack. */
  Schema.TaggedStruct("Planned", { root: Digest.Digest, manifests: Schema.Natural, bytes: Schema.Natural }),
  /** So many bytes of a blob are read, from its beginning. The number goes down if a transfer starts again. */
  Schema.TaggedStruct("Progress", { digest: Digest.Digest, bytes: Schema.Natural, size: Schema.Natural }),
  /** A manifest or a blob is done. */
  Schema.TaggedStruct("NodeDone", { node: CopiedNode }),
  /** A tag is done. A layout has it when the copy is done. */
  Schema.TaggedStruct("TagDone", { tag: CopiedTag }),
  /** The copy is done. This event is the last. */
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
 * How many manifests and blobs have one outcome, and their bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Total {
  /** How many manifests and blobs there are. */
  readonly nodes: number
  /** The sum of their sizes. */
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
