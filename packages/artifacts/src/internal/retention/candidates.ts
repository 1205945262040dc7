/**
 * What rules judge: tags, untagged manifests and orphans.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as DateTime from "effect/DateTime"
import type { Tag } from "../../RetentionInventory.ts"
import type { Candidates, Kind, Since } from "../../RetentionRules.ts"
import type { Graph, Node } from "./graph.ts"

export interface Candidate {
  readonly of: Candidates
  /** The tag, if the candidate is a tag. */
  readonly tag: Tag | undefined
  readonly node: Node
  readonly kind: Kind | "unknown"
}

const ofTag = (tag: Tag, node: Node, of: Candidates, kind: Candidate["kind"]): Candidate => ({
  of,
  tag,
  node,
  kind
})

const ofNode = (node: Node, of: Candidates): Candidate => ({
  of,
  tag: undefined,
  node,
  kind: node.manifest.kind
})

/** The tag as a candidate; none if it follows what it attaches to. */
const tagCandidate = (tag: Tag, node: Node, { attachments }: Graph): ReadonlyArray<Candidate> => {
  const attachment = attachments.get(tag.name)
  if (attachment === undefined) return [ofTag(tag, node, "tags", node.manifest.kind)]
  return attachment.node === undefined ? [ofTag(tag, node, "orphans", attachment.kind)] : []
}

/** An untagged manifest as a candidate; none if it follows an index or a subject. */
const untaggedCandidate = (node: Node): ReadonlyArray<Candidate> => {
  if (node.tags.length > 0 || node.parents.length > 0 || node.subject !== undefined) return []
  return [ofNode(node, node.manifest.subject === undefined ? "untagged" : "orphans")]
}

export const all = (graph: Graph): ReadonlyArray<Candidate> =>
  Array.from(graph.nodes.values(), (node) => [
    ...node.tags.flatMap((tag) => tagCandidate(tag, node, graph)),
    ...untaggedCandidate(node)
  ]).flat()

/** The last pull of a manifest, if the program supplied it. */
export type Pulls = ReadonlyMap<Digest.Digest, DateTime.Utc>

/**
 * A time in milliseconds; undefined if there is none. A time before 1970 counts as none: Go programs write the year 1 for an
 * unknown time.
 */
export const millisOf = (time: DateTime.Utc | undefined): number | undefined => {
  const millis = time === undefined ? -1 : DateTime.toEpochMillis(time)
  return millis < 0 ? undefined : millis
}

/**
 * A time of a candidate in milliseconds. A candidate without a time counts as the youngest, so that it stays. For a manifest that
 * was never pulled, the push counts as a pull.
 */
export const timeOf = ({ node, tag }: Candidate, since: Since, pulls: Pulls | undefined): number => {
  const { createdOn, digest, updatedOn } = node.manifest
  const pushed = millisOf(createdOn) ?? Infinity
  if (since === "push") return pushed
  if (since === "pull") {
    const pulled = pulls?.get(digest)
    return pulled === undefined ? pushed : Math.max(pushed, DateTime.toEpochMillis(pulled))
  }
  return millisOf(tag === undefined ? updatedOn : tag.updatedOn) ?? (tag === undefined ? pushed : Infinity)
}
