/**
 * The manifests of a repository, and which needs which.
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
  /** What it names and is not there. */
  readonly missing: ReadonlyArray<Digest.Digest>
  /** The manifest that it refers to, if that is there. */
  readonly subject: Node | undefined
  readonly referrers: ReadonlyArray<Node>
  /** The tags that attach something to it by their name. */
  readonly attached: ReadonlyArray<Tag>
}

/** A tag that attaches something, and to what; nothing if that is not there. */
interface Attachment extends Pick<AttachedTags.AttachedTag, "kind"> {
  readonly node: Node | undefined
}

export interface Graph {
  readonly nodes: ReadonlyMap<Digest.Digest, Node>
  /** Tags that attach something, by name. */
  readonly attachments: ReadonlyMap<string, Attachment>
  /** Indexes without a tag that were lists of the referrers of a manifest, and that manifest. */
  readonly formerLists: ReadonlyMap<Node, Node>
  /** The same by that manifest. */
  readonly formerListsOf: (node: Node) => ReadonlyArray<Node>
}

/** What a repository says of a digest that it does not hold. */
const absent = (digest: Digest.Digest): Manifest => ({ digest, kind: "unknown", isLocked: false, children: [] })

/**
 * The manifest whose referrers an index without a tag lists; none if it is another index. Clients push a new list under the tag
 * for each referrer, and many leave the earlier one behind.
 */
const listedSubject = ({ children, manifest, parents, tags }: Node): Node | undefined => {
  if (manifest.subject !== undefined || tags.length > 0 || parents.length > 0) return undefined
  const [first] = children
  return children.every(({ subject }) => subject === first?.subject) ? first?.subject : undefined
}

/** A node while its neighbours are found. Most nodes have none or one of each kind: lists are made when they are needed. */
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

/** Adds to a list. An array that grows has room for sixteen more: one that is made of its only item does not. */
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

/** The nodes by their referrers tags. Such a tag has the hash of a digest, unless that is longer. */
const byList = (nodes: ReadonlyMap<string, Draft>): ((list: string) => Draft | undefined) => {
  const others = new Map(
    Array.from(nodes).flatMap(([digest, node]) =>
      digest.startsWith("sha256:") ? [] : [[String(Referrer.tag(node.manifest.digest)), node] as const]
    )
  )
  return (list) => nodes.get(list.replace("-", ":")) ?? others.get(list)
}

export const make = ({ manifests, tags }: Pick<Inventory, "manifests" | "tags">): Graph => {
  // Nothing is added to it: `added` makes another one.
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
    // Tools that relocate images tag each one with its own digest. Such a tag stays with it, and is judged as others are.
    if (node === undefined || node.manifest.digest !== tag.digest) {
      attachments.set(tag.name, { kind: attached.value.kind, node })
    }
  }
  for (const tag of tags) {
    let named = nodes.get(tag.digest)
    if (named === undefined) {
      // The tag came, or its manifest went, while the lists were read.
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

/** Some nodes, and all that lead to them from above. */
export const withParents = (nodes: Iterable<Node>): ReadonlySet<Node> => {
  const found = new Set(nodes)
  // A set also visits what is added while it is read.
  for (const node of found) for (const parent of node.parents) found.add(parent)
  return found
}
