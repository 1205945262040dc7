/**
 * Counts what several artifacts of one repository store together.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type { Graph } from "./walk.ts"

/**
 * A manifest or a blob that is stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredContent {
  /** Whether it is a manifest or a blob. */
  readonly kind: "manifest" | "blob"
  /** Its descriptor: digest, media type, size and other fields of the manifest that names it. */
  readonly descriptor: Descriptor
  /** How many roots have it in their graphs. A root counts for itself. */
  readonly roots: number
  /** How many manifests name it. A referrer does not name its subject. */
  readonly manifests: number
}

/**
 * The storage that one root takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredRoot {
  /** The digest of the root. */
  readonly root: Digest.Digest
  /** The total size of its graph, in bytes. */
  readonly totalBytes: number
  /** The size of the content that no other root has in its graph, in bytes: what deleting only this root frees. */
  readonly ownBytes: number
}

/**
 * The storage that several artifacts of one repository take together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Storage {
  /** Manifests and blobs, each once, in the order of the graphs. */
  readonly contents: ReadonlyArray<StoredContent>
  /** The roots, each once, in the order of the graphs. */
  readonly roots: ReadonlyArray<StoredRoot>
  /** The size of all contents, in bytes. */
  readonly totalBytes: number
  /** The size of the contents that several roots share, in bytes. */
  readonly sharedBytes: number
}

/** Content, and the roots that have it. */
interface Use {
  kind: StoredContent["kind"]
  readonly descriptor: Descriptor
  readonly roots: Set<Digest.Digest>
  readonly manifests: Set<Digest.Digest>
}

const usesOf = (graphs: Iterable<Graph>): ReadonlyMap<Digest.Digest, Use> => {
  const uses = new Map<Digest.Digest, Use>()
  const useOf = (descriptor: Descriptor, root: Digest.Digest): Use => {
    const use = uses.get(descriptor.digest) ?? { kind: "blob", descriptor, roots: new Set(), manifests: new Set() }
    use.roots.add(root)
    uses.set(descriptor.digest, use)
    return use
  }
  for (const { nodes, root } of graphs) {
    for (const { blobs, children, descriptor } of nodes.values()) {
      useOf(descriptor, root).kind = "manifest"
      for (const blob of blobs) useOf(blob, root).manifests.add(descriptor.digest)
      // A child outside of the graph may not be stored.
      for (const child of children) {
        if (nodes.has(child.digest)) useOf(child, root).manifests.add(descriptor.digest)
      }
    }
  }
  return uses
}

const bytesByRoot = (uses: ReadonlyArray<Use>): ReadonlyMap<Digest.Digest, number> => {
  const bytes = new Map<Digest.Digest, number>()
  for (const { descriptor, roots } of uses) {
    for (const root of roots) bytes.set(root, (bytes.get(root) ?? 0) + descriptor.size)
  }
  return bytes
}

const sizeOf = (uses: ReadonlyArray<Use>): number => uses.reduce((sum, { descriptor }) => sum + descriptor.size, 0)

/** Counts what the graphs store. */
export const storage = (graphs: Iterable<Graph>): Storage => {
  const all = Array.from(graphs)
  const uses = Array.from(usesOf(all).values())
  const total = bytesByRoot(uses)
  const own = bytesByRoot(uses.filter(({ roots }) => roots.size === 1))
  return {
    contents: uses.map(({ descriptor, kind, manifests, roots }) => ({
      kind,
      descriptor,
      roots: roots.size,
      manifests: manifests.size
    })),
    roots: Array.from(new Set(all.map(({ root }) => root)), (root) => ({
      root,
      totalBytes: total.get(root) ?? 0,
      ownBytes: own.get(root) ?? 0
    })),
    totalBytes: sizeOf(uses),
    sharedBytes: sizeOf(uses.filter(({ roots }) => roots.size > 1))
  }
}
