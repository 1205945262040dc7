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
  readonly tags: Array<Tag>
  /** The indexes that name it. */
  readonly parents: Array<Node>
  readonly children: Array<Node>
  /** What it names and is not there. */
  readonly missing: ReadonlyArray<Digest.Digest>
  /** The manifest that it refers to, if that is there. */
  readonly subject: Node | undefined
  readonly referrers: Array<Node>
  /** The tags that attach something to it by their name. */
  readonly attached: Array<Tag>
}

/** A tag that attaches something, and to what; nothing if that is not there. */
interface Attachment extends AttachedTags.AttachedTag {
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

interface Draft extends Node {
  subject: Node | undefined
}

const draft = (manifest: Manifest, isThere: (digest: Digest.Digest) => boolean): Draft => ({
  manifest,
  tags: [],
  parents: [],
  children: [],
  missing: manifest.children.filter((digest) => !isThere(digest)),
  subject: undefined,
  referrers: [],
  attached: []
})

export const make = ({ manifests, tags }: Pick<Inventory, "manifests" | "tags">): Graph => {
  const digests = new Set(manifests.map(({ digest }) => digest))
  const isThere = (digest: Digest.Digest) => digests.has(digest)
  const nodes = new Map(manifests.map((manifest) => [manifest.digest, draft(manifest, isThere)] as const))
  for (const node of nodes.values()) {
    const { subject } = node.manifest
    for (const digest of entriesOf(node.manifest)) {
      const child = nodes.get(digest)
      if (child === undefined) continue
      node.children.push(child)
      child.parents.push(node)
    }
    const about = subject === undefined ? undefined : nodes.get(subject)
    if (about === undefined) continue
    node.subject = about
    about.referrers.push(node)
  }
  const lists = new Map(Array.from(nodes, ([digest, node]) => [String(Referrer.tag(digest)), node] as const))
  const attachments = new Map<string, Attachment>()
  for (const tag of tags) {
    let named = nodes.get(tag.digest)
    if (named === undefined) {
      // The tag came, or its manifest went, while the lists were read.
      named = draft(absent(tag.digest), isThere)
      nodes.set(tag.digest, named)
    }
    named.tags.push(tag)
    const attached = AttachedTags.parse(tag.name)
    if (Option.isNone(attached)) continue
    const node = lists.get(attached.value.list)
    node?.attached.push(tag)
    // Tools that relocate images tag each one with its own digest. Such a tag stays with it, and is judged as others are.
    if (node !== named) attachments.set(tag.name, { ...attached.value, node })
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
