/**
 * Reads an artifact as a graph: its manifests, what they name, and what refers to them.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import * as References from "./internal/references.ts"
import * as Stored from "./internal/storage.ts"
import type { Storage } from "./internal/storage.ts"
import * as Tree from "./internal/tree.ts"
import { type Graph, type GraphError, type GraphOptions, walk } from "./internal/walk.ts"

export type { Storage, StoredContent, StoredRoot } from "./internal/storage.ts"
export { type Graph, GraphError, type GraphNode, type GraphOptions } from "./internal/walk.ts"

/**
 * Reads the graph of an artifact: the manifest, those that it names, and their referrers if `referrers` is set. Fails with
 * `GraphError` if a manifest is missing or cannot be read.
 *
 * **Details**
 *
 * Manifests are read, blobs are not. Each manifest is read once, however many others name it. The graph holds descriptors, not
 * the bytes of manifests.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = <E>(
  reader: Reader<E>,
  root: Descriptor,
  options: GraphOptions = {}
): Effect.Effect<Graph, E | GraphError> => walk(reader, root, options)

/**
 * Lists the blobs of a graph, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const blobs = ({ nodes }: Graph): ReadonlyArray<Descriptor> => {
  const all = new Map<Digest.Digest, Descriptor>()
  for (const { blobs } of nodes.values()) {
    for (const blob of blobs) if (!all.has(blob.digest)) all.set(blob.digest, blob)
  }
  return [...all.values()]
}

/**
 * Sums up the size of a graph in bytes: its manifests and its blobs, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (graph: Graph): number =>
  [...graph.nodes.values()].reduce((sum, { descriptor }) => sum + descriptor.size, 0) +
  blobs(graph).reduce((sum, { size }) => sum + size, 0)

/**
 * Formats a graph as a tree for people to read: the root, the images of an index by platform, their blobs, and referrers under
 * their subjects.
 *
 * **Details**
 *
 * Each line has a digest, a type and a size. The type is the artifact type if the manifest states one, otherwise the media type.
 * The digest of the root is complete; others are cut to 12 digits. A manifest that several others name is written in full once,
 * and afterwards marked `(shown above)`.
 *
 * Text from the artifact is escaped, so that it can neither control a terminal nor begin a line, and is cut after 200 characters.
 *
 * **Gotchas**
 *
 * The format is for people and may change. Programs read `nodes`.
 *
 * **Example** (Showing an image with its signatures and SBOMs)
 *
 * ```ts
 * import { Graph, Repository } from "@effect-acr/artifacts"
 * import { Console, Effect, Option } from "effect"
 *
 * export const show = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const image = yield* store.resolve("v1.4.0")
 *   if (Option.isNone(image)) return
 *   const graph = yield* Graph.read(store, image.value, { referrers: {} })
 *   yield* Console.log(Graph.format(graph))
 * })
 * ```
 *
 * @category formatting
 * @since 0.1.0
 */
export const format: (graph: Graph) => string = Tree.format

/**
 * Counts what several artifacts of one repository store together: each manifest and blob once, what the roots share, and what
 * only one root holds.
 *
 * **When to use**
 *
 * Use for graphs that you have read already. `StorageUsage` reads a whole store and counts it.
 *
 * **Details**
 *
 * Several graphs with one root count as one root.
 *
 * **Gotchas**
 *
 * If there is a graph of an index and one of an image in it, both are roots, and what the image stores counts as shared.
 *
 * **Example** (What each of two versions holds alone)
 *
 * ```ts
 * import { Graph } from "@effect-acr/artifacts"
 *
 * export const ownBytes = (older: Graph.Graph, newer: Graph.Graph) =>
 *   Graph.storage([older, newer]).roots.map(({ ownBytes, root }) => `${root} ${ownBytes}`)
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const storage: (graphs: Iterable<Graph>) => Storage = Stored.storage

/**
 * Tells whether a blob is a layer that may not be distributed, such as base layers of Windows. Registries need not hold it.
 *
 * @category guards
 * @since 0.1.0
 */
export const isForeign: (blob: Pick<Descriptor, "mediaType">) => boolean = References.isForeign
