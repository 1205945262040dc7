/**
 * The manifests of a repository, and which manifest needs which.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Option from "effect/Option"
import type { Inventory, Manifest, Tag } from "../../RetentionInventory.ts"
import * as AttachedTags from "../attachedTags.ts"
import { entriesOf } from "./descriptions.ts"

/** A manifest with its neighbours. */
export interface Node {
  readonly manifest: Manifest
  readonly tags: ReadonlyArray<Tag>
  /** The indexes that name it. */
  readonly parents: ReadonlyArray<Node>
  readonly children: ReadonlyArray<Node>
  /** The missing manifests that it names. */
  readonly missing: ReadonlyArray<Digest.Digest>
  /** The manifest that it refers to, if that exists. */
  readonly subject: Node | undefined
  readonly referrers: ReadonlyArray<Node>
  /** The tags whose names attach something to it. */
  readonly attached: ReadonlyArray<Tag>
}

/** A tag that attaches something, and its subject if that exists. */
interface Attachment extends Pick<AttachedTags.AttachedTag, "kind"> {
  readonly node: Node | undefined
}

export interface Graph {
  readonly nodes: ReadonlyMap<Digest.Digest, Node>
  /** Tags that attach something, by name. */
  readonly attachments: ReadonlyMap<string, Attachment>
  /** Untagged indexes that were lists of the referrers of a manifest, and that manifest. */
  readonly formerLists: ReadonlyMap<Node, Node>
  /** The same by that manifest. */
  readonly formerListsOf: (node: Node) => ReadonlyArray<Node>
}

/** A placeholder for a manifest that the repository lacks. */
const absent = (digest: Digest.Digest): Manifest => ({ digest, kind: "unknown", isLocked: false, children: [] })

/**
 * The manifest whose referrers an untagged index lists; none if the index is not such a list. Clients push a new list under the
 * tag for each referrer, and many leave the earlier one behind.
 */
const listedSubject = ({ children, manifest, parents, tags }: Node): Node | undefined => {
  if (manifest.subject !== undefined || tags.length > 0 || parents.length > 0) return undefined
  const [first] = children
  return children.every(({ subject }) => subject === first?.subject) ? first?.subject : undefined
}

/** A node while its neighbours are collected. Most nodes have none or one of each kind: lists are created when needed. */
interface Draft extends Node {
  tags: Array<Tag>
  parents: Array<Draft>
  children: Array<Draft>
  missing: ReadonlyArray<Digest.Digest>
  subject: Draft | undefined
  referrers: Array<Draft>
  attached: Array<Tag>
}

const none: ReadonlyArray<Digest.Digest> = []

/** Adds to a list. A growing array reserves room for sixteen more items; an array literal of one item does not. */
const added = <A>(list: Array<A>, item: A): Array<A> => {
  if (list.length === 0) return [item]
  list.push(item)
  return list
}

const draft = (manifest: Manifest, empty: Array<never>): Draft => ({
  manifest,
  tags: empty,
  parents: empty,
  children: empty,
  missing: none,
  subject: undefined,
  referrers: empty,
  attached: empty
})

/** The nodes by referrers tag. Such a tag has the hash of the digest, cut if that is too long. */
const byList = (nodes: ReadonlyMap<string, Draft>): ((list: string) => Draft | undefined) => {
  const others = new Map(
    Array.from(nodes).flatMap(([digest, node]) =>
      digest.startsWith("sha256:") ? [] : [[String(Referrer.tag(node.manifest.digest)), node] as const]
    )
  )
  return (list) => nodes.get(list.replace("-", ":")) ?? others.get(list)
}

export const make = ({ manifests, tags }: Pick<Inventory, "manifests" | "tags">): Graph => {
  // Never modified: `added` returns a new one.
  const empty: Array<never> = []
  const nodes = new Map(manifests.map((manifest) => [manifest.digest, draft(manifest, empty)] as const))
  for (const node of nodes.values()) {
    const { children, subject } = node.manifest
    const missing = children.filter((digest) => !nodes.has(digest))
    if (missing.length > 0) node.missing = missing
    const there = entriesOf(node.manifest).flatMap((digest) => nodes.get(digest) ?? [])
    if (there.length > 0) node.children = there
    for (const child of there) child.parents = added(child.parents, node)
    const about = subject === undefined ? undefined : nodes.get(subject)
    if (about === undefined) continue
    node.subject = about
    about.referrers = added(about.referrers, node)
  }
  const nodeOf = byList(nodes)
  const attachments = new Map<string, Attachment>()
  for (const tag of tags) {
    const attached = AttachedTags.parse(tag.name)
    if (Option.isNone(attached)) continue
    const node = nodeOf(attached.value.list)
    if (node !== undefined) node.attached = added(node.attached, tag)
    // Tools that relocate images tag each one with its own digest. Such a tag is judged like any other.
    if (node === undefined || node.manifest.digest !== tag.digest) {
      attachments.set(tag.name, { kind: attached.value.kind, node })
    }
  }
  for (const tag of tags) {
    let named = nodes.get(tag.digest)
    if (named === undefined) {
      // The tag was pushed, or its manifest deleted, while the lists were read.
      named = draft(absent(tag.digest), empty)
      nodes.set(tag.digest, named)
    }
    named.tags = added(named.tags, tag)
  }
  const formerLists = new Map<Node, Node>()
  const bySubject = new Map<Node, Array<Node>>()
  for (const node of nodes.values()) {
    const subject = listedSubject(node)
    if (subject === undefined) continue
    formerLists.set(node, subject)
    const others = bySubject.get(subject)
    if (others === undefined) bySubject.set(subject, [node])
    else others.push(node)
  }
  return { nodes, attachments, formerLists, formerListsOf: (node) => bySubject.get(node) ?? [] }
}

/** Some nodes, and all nodes that directly or indirectly name them. */
export const withParents = (nodes: Iterable<Node>): ReadonlySet<Node> => {
  const found = new Set(nodes)
  // Iterating a set also visits items that are added meanwhile.
  for (const node of found) for (const parent of node.parents) found.add(parent)
  return found
}
