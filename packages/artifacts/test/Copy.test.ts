/**
 * Copies between stores: in which order content is put, what is left out, and what becomes of faults.
 */
import type { Digest } from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Copy from "../src/Copy.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { amd64, arm64, attachment, both, config, holding, layer, rawOf } from "./support/artifacts.ts"

const sbom = attachment("sbom", amd64.descriptor)
const signature = attachment("signature", both.descriptor, "application/vnd.example.signature")

const manifests = { amd64, arm64, both, sbom, signature }
const blobs = { config, base: layer("base"), amd64Layer: layer("amd64"), arm64Layer: layer("arm64") }

/** What a digest is called here. */
const nameOf = (digest: Digest): string =>
  Object.entries(manifests).find(([, { descriptor }]) => descriptor.digest === digest)?.[0] ??
  Object.entries(blobs).find(([, descriptor]) => descriptor.digest === digest)?.[0] ??
  digest

const source = Effect.gen(function* () {
  const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both, sbom, signature])
  yield* store.putManifest(both, { tags: ["v1"] })
  return store
})

/** A store that writes down what is asked of it. */
const logging = (store: MemoryStore.MemoryStore) => {
  const log: Array<string> = []
  const noted = (line: string) => void log.push(line)
  const own: MemoryStore.MemoryStore = {
    ...store,
    putManifest: (manifest, options) =>
      Effect.tap(store.putManifest(manifest, options), () =>
        Effect.sync(() => noted([nameOf(manifest.descriptor.digest), ...(options?.tags ?? [])].join(" ")))
      ),
    putBlob: (blob, from, options) =>
      Effect.tap(store.putBlob(blob, from, options), (outcome) =>
        Effect.sync(() => noted(`${nameOf(blob.digest)} ${outcome}`))
      ),
    resolve: (reference) => {
      noted(`? ${reference.includes(":") ? "digest" : reference}`)
      return store.resolve(reference)
    }
  }
  return { store: own, log }
}

const unavailable = new RegistryError({
  operation: "test",
  reason: new Unavailable({ description: "away", code: "ECONNRESET" })
})

describe("a copy", () => {
  it.effect("puts blobs before manifests, referrers behind their subjects, and tags last", () =>
    Effect.gen(function* () {
      const { log, store } = logging(MemoryStore.make("target"))
      const report = yield* Copy.run(yield* source, store, "v1", { tags: ["v1", "latest"] })
      const at = (line: string) => log.indexOf(line)
      for (const [before, after] of [
        ["amd64Layer sent", "amd64"],
        ["config sent", "amd64"],
        ["base sent", "arm64"],
        ["amd64", "sbom"],
        ["amd64", "both"],
        ["arm64", "both"],
        ["both", "signature"],
        ["sbom", "both v1 latest"],
        ["signature", "both v1 latest"]
      ] as const) {
        assert.isAtLeast(at(before), 0, before)
        assert.isBelow(at(before), at(after), `${before} comes before ${after}`)
      }
      assert.strictEqual(log.at(-1), "both v1 latest")
      assert.deepStrictEqual(report.tags, [
        { tag: "v1", outcome: "set" },
        { tag: "latest", outcome: "set" }
      ])
      assert.sameMembers(
        report.nodes.map(({ digest, kind, outcome }) => `${kind} ${nameOf(digest)} ${outcome}`),
        [
          ...Object.keys(manifests).map((name) => `manifest ${name} sent`),
          ...Object.keys(blobs).map((name) => `blob ${name} sent`)
        ]
      )
      const encoded = yield* Schema.encodeEffect(Copy.Report)(report)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Copy.Report)(encoded), report)
    })
  )

  it.effect("copies bytes as they are, and referrers that can be listed", () =>
    Effect.gen(function* () {
      const target = MemoryStore.make("target")
      yield* Copy.run(yield* source, target, "v1")
      const copied = Option.getOrThrow(yield* target.manifest(both.descriptor))
      assert.deepStrictEqual(copied.bytes, both.bytes)
      const listed = yield* Stream.runCollect(target.referrers(amd64.descriptor.digest))
      assert.deepStrictEqual(
        listed.map(({ digest }) => digest),
        [sbom.descriptor.digest]
      )
    })
  )

  it.effect("puts the root by its tags at once if nothing refers to it", () =>
    Effect.gen(function* () {
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(yield* source, store, "v1", { referrers: false })
      assert.deepStrictEqual(
        log.filter((line) => line.startsWith("both")),
        ["both v1"]
      )
    })
  )

  it.effect("of what is there sends nothing, and looks for the tag and the referrers alone", () =>
    Effect.gen(function* () {
      const { log, store } = logging(MemoryStore.make("target"))
      const from = yield* source
      yield* Copy.run(from, store, "v1")
      log.length = 0
      const report = yield* Copy.run(from, store, "v1")
      // The tag, and the two referrers.
      assert.deepStrictEqual(log, ["? v1", "? digest", "? digest"])
      assert.deepStrictEqual(report.tags, [{ tag: "v1", outcome: "unchanged", previous: both.descriptor.digest }])
      assert.isTrue(report.nodes.every(({ outcome }) => outcome === "present"))
    })
  )

  it.effect("sends a referrer that is new, although its subject is there", () =>
    Effect.gen(function* () {
      const from = yield* source
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(from, store, "v1")
      const late = attachment("late", arm64.descriptor)
      yield* from.putManifest(late)
      log.length = 0
      yield* Copy.run(from, store, "v1")
      assert.include(log, late.descriptor.digest)
    })
  )

  it.effect("names the artifact by digest, under other tags", () =>
    Effect.gen(function* () {
      const target = MemoryStore.make("target")
      const from = yield* source
      const report = yield* Copy.run(from, target, amd64.descriptor.digest)
      assert.deepStrictEqual([report.root, report.tags], [amd64.descriptor.digest, []])
      yield* Copy.run(from, target, amd64.descriptor.digest, { tags: ["amd64"] })
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), ["amd64"])
    })
  )

  for (const [onTag, outcome, isMoved] of [
    ["overwrite", "set", true],
    ["keep", "kept", false]
  ] as const) {
    it.effect(`whose tag names something else: ${onTag}`, () =>
      Effect.gen(function* () {
        const from = yield* source
        const target = MemoryStore.make("target")
        yield* Copy.run(from, target, amd64.descriptor.digest, { tags: ["v1"] })
        const report = yield* Copy.run(from, target, "v1", { onTag })
        assert.deepStrictEqual(report.tags, [{ tag: "v1", outcome, previous: amd64.descriptor.digest }])
        const named = Option.getOrThrow(yield* target.resolve("v1"))
        assert.strictEqual(named.digest, isMoved ? both.descriptor.digest : amd64.descriptor.digest)
        assert.isTrue(Option.isSome(yield* target.resolve(both.descriptor.digest)))
      })
    )
  }

  it.effect("fails before anything is sent if a tag must not be moved", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, amd64.descriptor.digest, { tags: ["v1"] })
      const { log, store } = logging(target)
      const error = yield* Effect.flip(Copy.run(from, store, "v1", { onTag: "fail" }))
      assert.strictEqual(error.side, "target")
      assert.strictEqual(error.cause._tag, "TagExists")
      assert.deepStrictEqual(log, ["? v1"])
    })
  )

  it.effect("says on which side it failed, at what, and with the store's reason", () =>
    Effect.gen(function* () {
      const from = yield* source
      const broken: MemoryStore.MemoryStore = {
        ...from,
        blob: (blob) => ({ ...from.blob(blob), read: () => Stream.fail(unavailable) })
      }
      const atSource = yield* Effect.flip(Copy.run(broken, MemoryStore.make("target"), "v1"))
      assert.strictEqual(atSource.side, "source")
      assert.isTrue(atSource.isRetryable)
      assert.isTrue(Option.isSome(atSource.node))

      const target = MemoryStore.make("target")
      const refusing: MemoryStore.MemoryStore = { ...target, putBlob: () => Effect.fail(unavailable) }
      const reason = yield* Copy.run(from, refusing, "v1").pipe(
        Effect.as("copied"),
        Effect.catchReason("CopyError", "Unavailable", ({ code }) => Effect.succeed(code))
      )
      assert.strictEqual(reason, "ECONNRESET")
      assert.strictEqual((yield* Effect.flip(Copy.run(from, refusing, "v1"))).side, "target")
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), [])
    })
  )

  it.effect("fails at the source for what is not there", () =>
    Effect.gen(function* () {
      const from = yield* source
      const absent = yield* Effect.flip(Copy.run(from, MemoryStore.make("target"), "v2"))
      assert.deepStrictEqual([absent.side, absent.cause._tag], ["source", "GraphError"])
      yield* from.remove(arm64.descriptor)
      const target = MemoryStore.make("target")
      const child = yield* Effect.flip(Copy.run(from, target, "v1"))
      assert.strictEqual(child.side, "source")
      assert.include(child.message, arm64.descriptor.digest)
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), [])
    })
  )

  it.effect("puts again what the target lacks although its parent seemed whole", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, amd64.descriptor.digest)
      // A cache that has lost a child and says that it has it.
      const { log, store } = logging(target)
      const forgetful: MemoryStore.MemoryStore = {
        ...store,
        resolve: (reference) =>
          reference === arm64.descriptor.digest ? Effect.succeedSome(arm64.descriptor) : store.resolve(reference)
      }
      yield* Copy.run(from, forgetful, "v1")
      assert.include(log, "arm64")
      assert.isTrue(Option.isSome(yield* target.resolve("v1")))
    })
  )

  it.effect("with no trust looks at everything", () =>
    Effect.gen(function* () {
      const from = yield* source
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(from, store, "v1")
      log.length = 0
      const report = yield* Copy.run(from, store, "v1", { trust: "walk" })
      assert.includeMembers(log, ["config present", "base present", "amd64Layer present", "arm64Layer present"])
      assert.lengthOf(report.nodes, 9)
    })
  )

  it.effect("sends a blob that ten copies at once have in common as often as they run, and each of them once", () =>
    Effect.gen(function* () {
      const from = yield* source
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(from, store, "v1", { concurrency: 1 })
      assert.lengthOf(
        log.filter((line) => line.startsWith("base")),
        1
      )
    })
  )

  it.effect("refuses a manifest of which it is not known what it names", () =>
    Effect.gen(function* () {
      const old = rawOf(MediaType.dockerSchema1SignedManifest, { schemaVersion: 1 })
      const from = yield* holding([], [])
      yield* from.putManifest(old, { tags: ["old"] })
      const error = yield* Effect.flip(Copy.run(from, MemoryStore.make("target"), "old"))
      assert.include(error.message, "schema 1")
    })
  )

  it.effect("takes the withdrawn artifact manifests along, with their blobs", () =>
    Effect.gen(function* () {
      const artifact = rawOf(MediaType.orasArtifactManifest, {
        mediaType: MediaType.orasArtifactManifest,
        blobs: [layer("base")],
        subject: amd64.descriptor
      })
      const from = yield* source
      yield* from.putManifest(artifact)
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, "v1")
      assert.isTrue(Option.isSome(yield* target.manifest(artifact.descriptor)))
    })
  )

  it.effect("interrupted anywhere leaves no tag that names something incomplete, and goes on where it was", () =>
    Effect.gen(function* () {
      for (let stop = 0; stop < 14; stop++) {
        const from = yield* source
        const target = MemoryStore.make("target")
        let steps = 0
        const next = Effect.suspend(() => (steps++ === stop ? Effect.interrupt : Effect.void))
        const stopping: MemoryStore.MemoryStore = {
          ...target,
          putBlob: (blob, source, options) => Effect.andThen(next, target.putBlob(blob, source, options)),
          putManifest: (manifest, options) => Effect.andThen(next, target.putManifest(manifest, options))
        }
        yield* Effect.exit(Copy.run(from, stopping, "v1"))
        const tagged = yield* target.resolve("v1")
        if (Option.isSome(tagged)) {
          const view = Manifest.view(both.descriptor.mediaType, new TextDecoder().decode(both.bytes))
          assert.strictEqual(view._tag, "ImageIndex")
          for (const digest of Object.values(manifests).map(({ descriptor }) => descriptor.digest)) {
            assert.isTrue(Option.isSome(yield* target.resolve(digest)), `${nameOf(digest)} after ${stop} steps`)
          }
        }
        const { log, store } = logging(target)
        yield* Copy.run(from, store, "v1")
        assert.isAtMost(log.filter((line) => line.endsWith(" sent")).length, Math.max(0, 4 - Math.max(0, stop - 8)))
        assert.isTrue(Option.isSome(yield* target.resolve("v1")))
      }
    })
  )
})
