/**
 * Graphs: their content, the order in which it can be put, and what ends a walk.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as MediaType from "@effect-acr/client/MediaType"
import type * as Manifest from "@effect-acr/client/Manifest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Graph from "../src/Graph.ts"
import { NotInMemory } from "../src/MemoryStore.ts"
import { amd64, arm64, attachment, both, config, holding, image, index, layer, rawOf } from "./support/artifacts.ts"

const names = (graph: Graph.Graph, known: { readonly [name: string]: Manifest.Raw }) =>
  Array.from(
    graph.nodes.keys(),
    (digest) => Object.entries(known).find(([, { descriptor }]) => descriptor.digest === digest)?.[0]
  )

/** The graph of an image with as many levels of referrers. */
const chain = (levels: number) => {
  const links = [amd64]
  for (let level = 1; level <= levels; level++) {
    links.push(attachment(`level ${level}`, links[level - 1]?.descriptor ?? amd64.descriptor))
  }
  return Effect.flatMap(holding(["base", "amd64"], links), (store) =>
    Graph.read(store, amd64.descriptor, { referrers: {} })
  )
}

describe("the graph of an artifact", () => {
  const sbom = attachment("sbom", amd64.descriptor)
  const signature = attachment("signature", sbom.descriptor, "application/vnd.example.signature")
  const known = { amd64, arm64, both, sbom, signature }
  const all = holding(["base", "amd64", "arm64"], [amd64, arm64, both, sbom, signature])

  it.effect("has each manifest after those that it names", () =>
    Effect.gen(function* () {
      const graph = yield* Graph.read(yield* all, both.descriptor)
      assert.deepStrictEqual(names(graph, known), ["amd64", "arm64", "both"])
      assert.strictEqual(graph.root, both.descriptor.digest)
    })
  )

  it.effect("ends if a registry reports referrers that refer to each other", () =>
    Effect.gen(function* () {
      const store = yield* all
      const lies = new Map<string, Manifest.Raw>([
        [amd64.descriptor.digest, sbom],
        [sbom.descriptor.digest, signature],
        [signature.descriptor.digest, sbom]
      ])
      const lying = {
        ...store,
        referrers: (subject: string) =>
          Stream.fromIterable(lies.has(subject) ? [lies.get(subject) ?? sbom] : []).pipe(
            Stream.map(({ descriptor }) => descriptor)
          )
      }
      const graph = yield* Graph.read(lying, amd64.descriptor, { referrers: { depth: 100 } })
      assert.deepStrictEqual(names(graph, known), ["amd64", "sbom", "signature"])
    })
  )

  it.effect("has referrers after their subjects, of all types or of some, to a depth", () =>
    Effect.gen(function* () {
      const store = yield* all
      const read = (referrers: NonNullable<Graph.GraphOptions["referrers"]>) =>
        Effect.map(Graph.read(store, both.descriptor, { referrers }), (graph) => names(graph, known))
      assert.deepStrictEqual(yield* read({}), ["amd64", "sbom", "signature", "arm64", "both"])
      assert.deepStrictEqual(yield* read({ depth: 1 }), ["amd64", "sbom", "arm64", "both"])
      assert.deepStrictEqual(yield* read({ artifactTypes: ["application/vnd.example.signature"] }), [
        "amd64",
        "arm64",
        "both"
      ])
      assert.deepStrictEqual(
        yield* read({ artifactTypes: ["application/vnd.example.signature", "application/spdx+json"] }),
        ["amd64", "sbom", "signature", "arm64", "both"]
      )
    })
  )

  it.effect("has referrers of referrers of all levels, or fails where there are too many", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* chain(10)).nodes.size, 11)
      assert.strictEqual((yield* Effect.flip(chain(16))).message.slice(0, 30), "manifests are nested more than")
    })
  )

  it.effect("counts shared content once", () =>
    Effect.gen(function* () {
      const graph = yield* Graph.read(yield* all, both.descriptor)
      assert.deepStrictEqual(
        Graph.blobs(graph).map(({ digest }) => digest),
        [config, layer("base"), layer("amd64"), layer("arm64")].map(({ digest }) => digest)
      )
      const manifests = [amd64, arm64, both].reduce((sum, { bytes }) => sum + bytes.length, 0)
      assert.strictEqual(Graph.size(graph), manifests + "{}baseamd64arm64".length)
    })
  )

  it.effect("reads each manifest once, however many name it", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [amd64, index(amd64.descriptor)])
      const root = index(amd64.descriptor, index(amd64.descriptor).descriptor, amd64.descriptor)
      yield* store.putManifest(root)
      let reads = 0
      const counting = {
        ...store,
        manifest: (pointer: Parameters<typeof store.manifest>[0]) => {
          reads += 1
          return store.manifest(pointer)
        }
      }
      const graph = yield* Graph.read(counting, root.descriptor)
      assert.strictEqual(graph.nodes.size, 3)
      assert.strictEqual(reads, 3)
    })
  )

  it.effect("treats entries of an index that are not manifests as blobs", () =>
    Effect.gen(function* () {
      const odd = { ...layer("odd"), mediaType: MediaType.MediaType.make("application/vnd.example.cache") }
      const store = yield* holding(["odd"], [])
      const root = index(odd)
      yield* store.putManifest(root)
      const graph = yield* Graph.read(store, root.descriptor)
      assert.deepStrictEqual([...graph.nodes.keys()], [root.descriptor.digest])
      assert.deepStrictEqual(
        Graph.blobs(graph).map(({ digest }) => digest),
        [odd.digest]
      )
    })
  )

  it.effect(
    "treats them as blobs also if the store fails where a blob is requested as a manifest, as distribution does",
    () =>
      Effect.gen(function* () {
        const store = yield* holding(["odd"], [])
        const broken = new NotInMemory({ digest: amd64.descriptor.digest })
        /** Reads the graph of an index with one entry, which the store fails to read as a manifest. */
        const read = Effect.fnUntraced(function* (entry: Descriptor) {
          const root = index(entry)
          yield* store.putManifest(root, { isSparse: true })
          const failing = {
            ...store,
            manifest: (wanted: Parameters<typeof store.manifest>[0]) =>
              wanted.digest === root.descriptor.digest ? store.manifest(wanted) : Effect.fail(broken)
          }
          return yield* Graph.read(failing, root.descriptor)
        })
        for (const mediaType of [MediaType.ociImageLayerGzip, MediaType.octetStream]) {
          const graph = yield* read({ ...layer("odd"), mediaType })
          assert.strictEqual(graph.nodes.size, 1)
          assert.strictEqual(Graph.blobs(graph).length, 1)
        }
        const neither = { ...amd64.descriptor, mediaType: MediaType.octetStream }
        assert.strictEqual(yield* Effect.flip(read(neither)), broken)
      })
  )

  it.effect("includes the blobs of artifact manifests that were withdrawn", () =>
    Effect.gen(function* () {
      for (const mediaType of [MediaType.ociArtifactManifest, MediaType.orasArtifactManifest]) {
        const artifact = rawOf(mediaType, { mediaType, blobs: [layer("base")] })
        const graph = yield* Graph.read(yield* holding(["base"], [artifact]), artifact.descriptor)
        assert.deepStrictEqual(
          Graph.blobs(graph).map(({ digest }) => digest),
          [layer("base").digest]
        )
      }
    })
  )

  it.effect("fails with the path to a manifest that is missing or whose content is unknown", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both])
      yield* store.remove(arm64.descriptor)
      const missing = yield* Effect.flip(Graph.read(store, both.descriptor))
      assert.deepInclude(missing, { problem: "Missing", path: [both.descriptor.digest, arm64.descriptor.digest] })

      const old = rawOf(MediaType.dockerSchema1SignedManifest, { schemaVersion: 1 })
      const unreadable = yield* Effect.flip(Graph.read(yield* holding([], [old]), old.descriptor))
      assert.strictEqual(unreadable._tag === "GraphError" ? unreadable.problem : undefined, "Unreadable")
      assert.include(unreadable.message, "schema 1")
    })
  )

  it.effect("fails if it is too deep or too large", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [amd64])
      let root = amd64
      for (let level = 0; level < 20; level++) {
        root = index(root.descriptor)
        yield* store.putManifest(root)
      }
      const deep = yield* Effect.flip(Graph.read(store, root.descriptor))
      assert.deepInclude(deep, { problem: "TooDeep" })

      const wide = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both])
      const large = yield* Effect.flip(Graph.read(wide, both.descriptor, { maxManifests: 2 }))
      assert.deepInclude(large, { problem: "TooLarge" })
    })
  )

  it.effect("fails if a list of referrers is endless, or manifests are too large together", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both])
      let listed = 0
      const endless: typeof store = {
        ...store,
        referrers: () =>
          Stream.map(Stream.forever(Stream.make(amd64.descriptor)), (descriptor) => {
            listed++
            return descriptor
          })
      }
      const many = yield* Effect.flip(Graph.read(endless, both.descriptor, { referrers: {}, maxManifests: 5 }))
      assert.deepInclude(many, { problem: "TooLarge" })
      assert.isAtMost(listed, 100)

      const huge: typeof store = {
        ...store,
        manifest: (manifest) =>
          Effect.map(
            store.manifest(manifest),
            Option.map((raw) => ({ ...raw, descriptor: { ...raw.descriptor, size: 100 * 1024 * 1024 } }))
          )
      }
      const error = yield* Effect.flip(Graph.read(huge, both.descriptor))
      assert.deepInclude(error, { problem: "TooLarge" })
    })
  )

  it.effect("fails within a level that is too large, without reading the rest", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 200 }, (_, number) => `layer ${number}`)
      const images = names.map((name) => image(name))
      const root = index(...images.map(({ descriptor }) => descriptor))
      const store = yield* holding(names, [...images, root])
      let reads = 0
      const huge: typeof store = {
        ...store,
        manifest: (manifest) => {
          reads++
          return Effect.map(
            store.manifest(manifest),
            Option.map((raw) => ({ ...raw, descriptor: { ...raw.descriptor, size: 16 * 1024 * 1024 } }))
          )
        }
      }
      assert.deepInclude(yield* Effect.flip(Graph.read(huge, root.descriptor)), { problem: "TooLarge" })
      // Some more are read at the same time.
      assert.isAtMost(reads, 30)
    })
  )

  it.effect("ends if a store reports a cycle", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [amd64])
      const root = index(amd64.descriptor)
      const liar = {
        ...store,
        manifest: () => Effect.succeedSome({ bytes: root.bytes, descriptor: root.descriptor }),
        referrers: () => store.referrers(amd64.descriptor.digest)
      }
      const graph = yield* Graph.read(liar, root.descriptor)
      assert.isAtMost(graph.nodes.size, 2)
    })
  )
})
