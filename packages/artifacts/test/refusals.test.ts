/**
 * Refusals of stores, limits of graphs, and caches that fail.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as BlobSource from "@effect-acr/client/BlobSource"
import { NodeCompression } from "@effect-acr/node"
import * as Reference from "@effect-acr/client/Reference"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Copy from "../src/Copy.ts"
import * as Repository from "../src/Repository.ts"
import * as Retention from "../src/Retention.ts"
import * as Validation from "../src/Validation.ts"
import { config, holding, image, index, layer } from "./support/artifacts.ts"
import { image as named, registry } from "./support/retention.ts"

describe("a manifest whose content is missing", () => {
  it.live("is refused by a registry, and the error names what is missing", () =>
    Effect.provide(
      Effect.gen(function* () {
        const content = yield* RegistryContent.RegistryContent
        const store = Repository.make(content, yield* Effect.fromResult(Reference.parse("registry.test/shop/missing")))
        const raw = image("never sent")
        const error = yield* Effect.flip(store.putManifest(raw, { tags: ["v1"] }))
        assert.strictEqual(error._tag, "MissingContent")
        assert.include(error.message, raw.descriptor.digest)
        assert.isTrue(
          error._tag === "MissingContent" &&
            error.digests.every((digest) => [config.digest, layer("never sent").digest].includes(digest))
        )
        assert.isTrue(Option.isNone(yield* store.resolve("v1")))
      }),
      AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
    )
  )

  it.live("does not accept other content in its place", () =>
    Effect.provide(
      Effect.gen(function* () {
        const content = yield* RegistryContent.RegistryContent
        const store = Repository.make(content, yield* Effect.fromResult(Reference.parse("registry.test/shop/other")))
        yield* Effect.flip(store.putManifest(image("never sent"), { tags: ["v1"] }))
        const error = yield* Effect.flip(store.putBlob(config, BlobSource.fromString("[]")))
        assert.strictEqual(error.reason._tag, "ContentMismatch")
        assert.isFalse(yield* store.has(config))
      }),
      AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
    )
  )

  it.live("is accepted once a copy has sent all that it names, if the registry does not report what it lacks", () =>
    Effect.provide(
      Effect.gen(function* () {
        const { inject, journal } = yield* AcrEmulator.AcrEmulator
        const content = yield* RegistryContent.RegistryContent
        const store = Repository.make(content, yield* Effect.fromResult(Reference.parse("registry.test/shop/mute")))
        const raw = image("base")
        yield* inject({
          method: "HEAD",
          path: `/v2/shop/mute/blobs/${layer("base").digest}`,
          times: "always",
          consequence: { _tag: "Answer", status: 200, body: "base" }
        })
        const body = JSON.stringify({
          errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown to registry" }]
        })
        yield* inject({ method: "PUT", path: /manifests/, consequence: { _tag: "Answer", status: 404, body } })
        yield* Copy.run(yield* holding(["base"], [raw]), store, raw.descriptor.digest)
        const puts = (yield* journal).filter(({ method, path }) => method === "PUT" && path.includes("/manifests/"))
        assert.deepStrictEqual(
          puts.map(({ status }) => status),
          [404, 201]
        )
      }),
      AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
    )
  )

  it.live("is accepted once a copy has sent what the registry lacks, whatever it answers to a HEAD", () =>
    Effect.provide(
      Effect.gen(function* () {
        const { inject, journal } = yield* AcrEmulator.AcrEmulator
        const content = yield* RegistryContent.RegistryContent
        const store = Repository.make(content, yield* Effect.fromResult(Reference.parse("registry.test/shop/healed")))
        const raw = image("base")
        const { digest } = layer("base")
        yield* inject({
          method: "HEAD",
          path: `/v2/shop/healed/blobs/${digest}`,
          times: "always",
          consequence: { _tag: "Answer", status: 200, body: "base" }
        })
        const report = yield* Copy.run(yield* holding(["base"], [raw]), store, raw.descriptor.digest)
        assert.include(
          report.nodes.map((node) => `${node.digest} ${node.outcome}`),
          `${digest} sent`
        )
        assert.deepStrictEqual(yield* content.blobBytes("shop/healed", digest), new TextEncoder().encode("base"))
        const puts = (yield* journal).filter(({ method, path }) => method === "PUT" && path.includes("/manifests/"))
        assert.deepStrictEqual(
          puts.map(({ status }) => status),
          [400, 201]
        )
      }),
      AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
    )
  )
})

describe("a validation", () => {
  it.effect("fails if manifests are nested without end", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base"], [image("base")])
      let top = image("base")
      for (let level = 0; level < 20; level++) {
        top = index(top.descriptor)
        yield* store.putManifest(top)
      }
      const error = yield* Effect.flip(Validation.validate(store, top.descriptor))
      assert.strictEqual(error._tag === "GraphError" && error.problem, "TooDeep")
    }).pipe(Effect.provide(NodeCompression.layer))
  )
})

describe("a cache of manifests", () => {
  const old = { manifest: named("old"), tags: ["old"], age: 10 }

  it.effect("saves the second inventory from reading them", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push(old)
      const cache = yield* Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)
      const reads = () => held.requests.filter(({ name }) => name === "manifest").length
      const first = yield* Retention.inventory(held.target, { cache })
      const once = reads()
      const second = yield* Retention.inventory(held.target, { cache })
      assert.strictEqual(reads(), once)
      assert.deepStrictEqual(second.manifests, first.manifests)
      assert.isAbove(once, 0)
      yield* cache.set(first.manifests[0]?.digest ?? "", "of an earlier version")
      const third = yield* Retention.inventory(held.target, { cache })
      assert.deepStrictEqual(third.manifests, first.manifests)
    })
  )

  it.effect("that fails fails the inventory", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push(old)
      const failing = new KeyValueStore.KeyValueStoreError({ method: "get", key: "any", message: "the disk is gone" })
      const memory = yield* Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)
      const cache = { ...memory, get: () => Effect.fail(failing) }
      const error = yield* Effect.flip(Retention.inventory(held.target, { cache }))
      assert.strictEqual(error._tag === "RetentionError" && error.problem, "CacheFailed")
      assert.include(error.message, "the disk is gone")
    })
  )
})
