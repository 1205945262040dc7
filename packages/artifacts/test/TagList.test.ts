/**
 * Lists of tags with the manifests that they name, in any store and in a registry.
 */
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { NodeRegistries } from "@effect-acr/node"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Registries from "@effect-acr/client/Registries"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as MemoryStore from "../src/MemoryStore.ts"
import * as TagList from "../src/TagList.ts"
import { blobOf, forPlatform, image, index, layer, rawOf } from "./support/artifacts.ts"

/** An image for a platform that was built at a time. */
const built = (architecture: string, created: string) => {
  const config = JSON.stringify({ architecture, os: "linux", created, rootfs: { type: "layers", diff_ids: [] } })
  const configured = blobOf(MediaType.ociImageConfig, config)
  const document = Manifest.format(Manifest.image({ config: configured, layers: [layer("base")] }))
  return { config, configured, raw: rawOf(MediaType.ociImageManifest, document) }
}

const amd64 = built("amd64", "2026-02-01T00:00:00Z")
const arm64 = built("arm64", "2026-03-01T00:00:00Z")
const old = built("amd64", "2026-01-01T00:00:00Z")

const timeOf = ({ time }: TagList.TagEntry) => (time === undefined ? "none" : DateTime.formatIso(time).slice(0, 10))

const filled = Effect.gen(function* () {
  const store = MemoryStore.make()
  yield* store.putBlob(layer("base"), BlobSource.fromString("base"))
  yield* store.putBlob(layer("{}"), BlobSource.fromString("{}"))
  for (const { config, configured, raw } of [amd64, arm64, old]) {
    yield* store.putBlob(configured, BlobSource.fromString(config))
    yield* store.putManifest(raw)
  }
  const attestation = { ...old.raw.descriptor, platform: { os: "unknown", architecture: "unknown" } }
  const multi = index(forPlatform(amd64.raw, "amd64"), forPlatform(arm64.raw, "arm64"), attestation)
  yield* store.putManifest(multi, { tags: ["multi"] })
  yield* store.putManifest(old.raw, { tags: ["old", "also-old"] })
  yield* store.putManifest(image("base"), { tags: ["plain"] })
  return store
})

describe("tags of a store", () => {
  it.effect("have the platforms and the time of the newest image that they name", () =>
    Effect.gen(function* () {
      const entries = yield* TagList.read(yield* filled)
      assert.deepStrictEqual(
        entries.map((entry) => [entry.name, entry.platforms, timeOf(entry)]),
        [
          ["also-old", ["linux/amd64"], "2026-01-01"],
          ["multi", ["linux/amd64", "linux/arm64"], "2026-03-01"],
          ["old", ["linux/amd64"], "2026-01-01"],
          ["plain", [], "none"]
        ]
      )
      assert.isTrue(entries.every(({ isLocked }) => isLocked === undefined))
    })
  )

  it.effect("are sorted by time, those without a time last, and by name for equal times", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const namesBy = (order: "newest" | "oldest") =>
        Effect.map(TagList.read(store, { order }), (entries) => entries.map(({ name }) => name))
      assert.deepStrictEqual(yield* namesBy("newest"), ["multi", "also-old", "old", "plain"])
      assert.deepStrictEqual(yield* namesBy("oldest"), ["also-old", "old", "multi", "plain"])
    })
  )

  it.effect("that are not selected are not read", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const resolved: Array<string> = []
      const watched = {
        ...store,
        resolve: (tag: string) => {
          resolved.push(tag)
          return store.resolve(tag)
        }
      }
      const entries = yield* TagList.read(watched, { isWanted: (name) => name.startsWith("o") })
      assert.deepStrictEqual([entries.map(({ name }) => name), resolved], [["old"], ["old"]])
    })
  )

  it.effect("whose content is partly missing are listed with the existing content", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const lossy = {
        ...store,
        manifest: (pointer: Parameters<typeof store.manifest>[0]) =>
          pointer.digest === arm64.raw.descriptor.digest ? Effect.succeedNone : store.manifest(pointer)
      }
      const [entry] = yield* TagList.read(lossy, { isWanted: (name) => name === "multi" })
      assert.deepStrictEqual(entry?.platforms, ["linux/amd64", "linux/arm64"])
      assert.strictEqual(entry === undefined ? "" : timeOf(entry), "2026-02-01")
    })
  )

  it.effect("that are deleted after the list was read are left out", () =>
    Effect.gen(function* () {
      const store = yield* filled
      const late = {
        ...store,
        resolve: (tag: string) => (tag === "old" ? Effect.succeedNone : store.resolve(tag))
      }
      const names = (yield* TagList.read(late)).map(({ name }) => name)
      assert.deepStrictEqual(names, ["also-old", "multi", "plain"])
    })
  )
})

const openedOf = (repository: string) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ loginServer }) => Registries.open(`${loginServer}/${repository}`))

const emulated = <A, E>(effect: Effect.Effect<A, E, AcrEmulator.AcrEmulator | Registries.Registries>) => {
  const registries = Layer.unwrap(
    Effect.map(AcrEmulator.AcrEmulator, ({ endpoint, loginServer }) =>
      NodeRegistries.layerOptions({ registries: { [loginServer]: { endpoint } } })
    )
  )
  const emulator = AcrEmulator.layer({
    anonymousPull: true,
    seed: [
      { repository: "shop/multi", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] },
      { repository: "shop/multi", tags: ["v2"], locks: { tags: { deleteEnabled: false } } }
    ]
  })
  return Effect.provide(effect, Layer.provideMerge(registries, emulator))
}

describe("tags of a registry", () => {
  it.live("of Azure have locks, and the platforms of indexes", () =>
    emulated(
      Effect.gen(function* () {
        const opened = yield* openedOf("shop/multi")
        const entries = yield* TagList.ofRegistry(opened, { order: "newest" })
        const found = new Map(entries.map((entry) => [entry.name, entry]))
        assert.deepStrictEqual(found.get("v1")?.platforms, ["linux/amd64", "linux/arm64"])
        assert.deepStrictEqual([found.get("v1")?.isLocked, found.get("v2")?.isLocked], [false, true])
        assert.sameMembers([...(yield* Stream.runCollect(TagList.names(opened, { order: "newest" })))], ["v1", "v2"])
      })
    )
  )

  it.live("that does not exist are an empty list, and NotFound by name", () =>
    emulated(
      Effect.gen(function* () {
        const opened = yield* openedOf("shop/missing")
        assert.deepStrictEqual(yield* TagList.ofRegistry(opened), [])
        const error = yield* Effect.flip(Stream.runCollect(TagList.names(opened)))
        assert.strictEqual(error._tag === "RegistryError" && error.reason._tag, "NotFound")
      })
    )
  )
})
