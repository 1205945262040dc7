/**
 * An artifact as a graph: its manifests, what they name, and what refers to them.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import { type Graph, type GraphError, type GraphOptions, walk } from "./internal/walk.ts"

export { type Graph, GraphError, type GraphNode, type GraphOptions } from "./internal/walk.ts"

/**
 * Reads the graph of an artifact: the manifest, those that it names, and their referrers if they are wanted. Fails with
 * `GraphError` if a manifest is missing or cannot be read.
 *
 * **Details**
 *
 * Manifests are read, blobs are not. Each manifest is read once, however many others name it. Descriptors are kept, and the
 * bytes of manifests are not.
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
 * The blobs of a graph, each once.
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
 * The size of a graph in bytes: its manifests, and its blobs, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (graph: Graph): number =>
  [...graph.nodes.values()].reduce((sum, { descriptor }) => sum + descriptor.size, 0) +
  blobs(graph).reduce((sum, { size }) => sum + size, 0)
