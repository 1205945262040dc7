/**
 * Copies between stores: the order in which content is put, what is left out, and how failures are handled.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Digest } from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { ContentMismatch, RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { MissingContent } from "../src/ContentStore.ts"
import * as Copy from "../src/Copy.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import {
  amd64,
  arm64,
  attachment,
  blobOf,
  both,
  config,
  holding,
  image,
  index,
  layer,
  rawOf,
  reportingOne
} from "./support/artifacts.ts"

const sbom = attachment("sbom", amd64.descriptor)
const signature = attachment("signature", both.descriptor, "application/vnd.example.signature")

/** An artifact that another program put under a tag. It needs no layers. */
const other = image()

const manifests = { amd64, arm64, both, sbom, signature }
const blobs = { config, base: layer("base"), amd64Layer: layer("amd64"), arm64Layer: layer("arm64") }

/** The names of digests in this file. */
const nameOf = (digest: Digest): string =>
  Object.entries(manifests).find(([, { descriptor }]) => descriptor.digest === digest)?.[0] ??
  Object.entries(blobs).find(([, descriptor]) => descriptor.digest === digest)?.[0] ??
  digest

const source = Effect.gen(function* () {
  const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both, sbom, signature])
  yield* store.putManifest(both, { tags: ["v1"] })
  return store
})

/** A store that logs its calls. */
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
    keeps: (manifest) => {
      noted("? digest")
      return store.keeps(manifest)
    },
    resolve: (reference) => {
      noted(`? ${reference}`)
      return store.resolve(reference)
    }
  }
  return { store: own, log }
}

const unavailable = new RegistryError({
  operation: "test",
  reason: new Unavailable({ description: "away", code: "ECONNRESET" })
})

const Events = Schema.Array(Copy.Event)

const outcomesOf = (nodes: Copy.Report["nodes"]) =>
  nodes.map(({ digest, kind, outcome }) => `${kind} ${nameOf(digest)} ${outcome}`).toSorted()

const placed = (store: MemoryStore.MemoryStore, repository: string): MemoryStore.MemoryStore => ({
  ...store,
  origin: { place: "registry.example", repository }
})

const tagOf = ({ descriptor }: Manifest.Raw, suffix: string) => descriptor.digest.replace(":", "-") + suffix

const requestsFor = (images: ReadonlyArray<Manifest.Raw>) =>
  Effect.gen(function* () {
    const from = yield* holding(["base", "amd64", "arm64", "a", "b", "c"], images)
    const many = index(...images.map(({ descriptor }) => descriptor))
    yield* from.putManifest(many, { tags: ["v1"] })
    let lists = 0
    let asked = 0
    const counting: MemoryStore.MemoryStore = {
      ...from,
      resolve: (reference) => {
        asked++
        return from.resolve(reference)
      },
      tags: Stream.suspend(() => {
        lists++
        return from.tags
      })
    }
    yield* Copy.run(counting, MemoryStore.make("target"), "v1", { cosignTags: true })
    return { lists, asked }
  })

const embedding = (data: string) => {
  const blob = { ...layer("embedded"), data }
  return rawOf(
    MediaType.ociImageManifest,
    Manifest.format(Manifest.image({ config: { ...config, data: "e30=" }, layers: [blob] }))
  )
}

const messageOf = (from: MemoryStore.MemoryStore) =>
  Effect.map(Effect.flip(Copy.run(from, MemoryStore.make("target"), "v2")), ({ message }) => message)

describe("a copy", () => {
  it.effect("gets the tag of a full name in a repository, the name itself elsewhere, and no tag of a number", () =>
    Effect.gen(function* () {
      const from = yield* source
      yield* from.putManifest(both, { tags: ["docker.io/shop/api:v1", "@0"] })
      const tagsIn = (store: MemoryStore.MemoryStore, reference: string) =>
        Effect.andThen(Copy.run(from, store, reference), Stream.runCollect(store.tags))
      const repository = placed(MemoryStore.make(), "shop/api")
      assert.deepStrictEqual(yield* tagsIn(repository, "docker.io/shop/api:v1"), ["v1"])
      assert.deepStrictEqual(yield* tagsIn(MemoryStore.make(), "docker.io/shop/api:v1"), ["docker.io/shop/api:v1"])
      assert.deepStrictEqual(yield* tagsIn(MemoryStore.make(), "@0"), [])
    })
  )

  it.effect("keeps media types that are only a word, or empty, as other clients do", () =>
    Effect.gen(function* () {
      const odd = rawOf(MediaType.ociImageManifest, {
        schemaVersion: 2,
        mediaType: MediaType.ociImageManifest,
        artifactType: "report",
        config: { ...config, mediaType: "config" },
        layers: [
          { ...layer("file"), mediaType: "file" },
          { ...layer("other"), mediaType: "" }
        ]
      })
      const from = yield* holding(["file", "other"], [odd])
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, odd.descriptor.digest, { tags: ["v1"] })
      assert.deepStrictEqual(yield* target.manifest(odd.descriptor), Option.some(odd))
      assert.isTrue(Option.isSome(yield* target.resolve("v1")))
      const types = (yield* Schema.encodeEffect(Copy.Report)(report)).nodes.map(({ mediaType }) => mediaType)
      assert.includeMembers(types, ["config", "file", MediaType.octetStream])
    })
  )

  it.effect("puts blobs before manifests, referrers after their subjects, and tags last", () =>
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

  it.effect("sets the tags with the root if it has no referrers", () =>
    Effect.gen(function* () {
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(yield* source, store, "v1", { referrers: false })
      assert.deepStrictEqual(
        log.filter((line) => line.startsWith("both")),
        ["both v1"]
      )
    })
  )

  it.effect("of existing content sends nothing, and requests only the tag and the referrers", () =>
    Effect.gen(function* () {
      const { log, store } = logging(placed(MemoryStore.make("target"), "shop/api"))
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

  it.effect("sends a new referrer although its subject exists", () =>
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
    ["overwrite", "moved", true],
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
        // Content that no tag would name is not sent.
        assert.strictEqual(Option.isSome(yield* target.resolve(both.descriptor.digest)), isMoved)
        assert.strictEqual(report.nodes.length > 0, isMoved)
      })
    )
  }

  it.effect("is sent if one of its tags is free, and the others are kept", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, amd64.descriptor.digest, { tags: ["v1"] })
      const report = yield* Copy.run(from, target, "v1", { onTag: "keep", tags: ["v1", "v2"] })
      assert.deepStrictEqual(
        report.tags.map(({ outcome }) => outcome),
        ["kept", "set"]
      )
      const named = Option.getOrThrow(yield* target.resolve("v2"))
      assert.strictEqual(named.digest, both.descriptor.digest)
    })
  )

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

  for (const onTag of ["keep", "fail"] as const) {
    it.effect(`does not move a tag that another program sets meanwhile: ${onTag}`, () =>
      Effect.gen(function* () {
        const from = yield* source
        const target = yield* holding([], [])
        const busy: MemoryStore.MemoryStore = {
          ...target,
          putBlob: (blob, content, options) =>
            Effect.andThen(
              Effect.orDie(target.putManifest(other, { tags: ["v1"] })),
              target.putBlob(blob, content, options)
            )
        }
        const result = yield* Effect.result(Copy.run(from, busy, "v1", { onTag, tags: ["v1", "v2"] }))
        assert.strictEqual(Option.getOrThrow(yield* target.resolve("v1")).digest, other.descriptor.digest)
        if (onTag === "fail") {
          assert.strictEqual(Result.isFailure(result) && result.failure.cause._tag, "TagExists")
          assert.isTrue(Option.isNone(yield* target.resolve("v2")))
          return
        }
        assert.deepStrictEqual(Result.getOrThrow(result).tags, [
          { tag: "v1", outcome: "kept", previous: other.descriptor.digest },
          { tag: "v2", outcome: "set" }
        ])
        assert.strictEqual(Option.getOrThrow(yield* target.resolve("v2")).digest, both.descriptor.digest)
      })
    )
  }

  it.effect("fails with the side, the node and the store's reason", () =>
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

  it.effect(
    "fails with an error whose message vitest can print, which replaces the causes of errors by plain data",
    () =>
      Effect.gen(function* () {
        const target: MemoryStore.MemoryStore = {
          ...MemoryStore.make("target"),
          putBlob: () => Effect.fail(unavailable)
        }
        const error = yield* Effect.flip(Copy.run(yield* source, target, "v1"))
        const { message } = error
        const printed = (cause: object) =>
          Object.defineProperty(error, "cause", { value: Object.assign(Object.create(null), cause) }).message
        assert.include(message, unavailable.message)
        assert.strictEqual(printed({ message: unavailable.message }), message)
        assert.include(printed({ code: "ECONNRESET" }), "ECONNRESET")
      })
  )

  it.effect("fails at the source for content that does not match its digest", () =>
    Effect.gen(function* () {
      const from = yield* source
      for (const text of ["basf", "bas", "", "base and more"]) {
        const lying: MemoryStore.MemoryStore = {
          ...from,
          blob: (blob) =>
            blob.digest === blobs.base.digest ? { ...from.blob(blob), ...BlobSource.fromString(text) } : from.blob(blob)
        }
        const target = MemoryStore.make("target")
        const error = yield* Effect.flip(Copy.run(lying, target, "v1"))
        assert.deepStrictEqual([error.side, Option.getOrUndefined(error.node)], ["source", blobs.base.digest])
        assert.deepStrictEqual(yield* Stream.runCollect(target.tags), [])
      }
    })
  )

  it.effect("fails at the target for content whose digest the registry refuses", () =>
    Effect.gen(function* () {
      const from = yield* source
      const refused = new RegistryError({
        operation: "RegistryContent.putBlob",
        reason: new ContentMismatch({ description: "refused", expected: "one", actual: "other" }),
        response: { status: 400, errors: [] }
      })
      const target = { ...MemoryStore.make("target"), putBlob: () => Effect.fail(refused) }
      assert.strictEqual((yield* Effect.flip(Copy.run(from, target, "v1"))).side, "target")
    })
  )

  it.effect("leaves out a listed referrer that has another subject", () =>
    Effect.gen(function* () {
      const from = yield* source
      const lying: MemoryStore.MemoryStore = {
        ...from,
        referrers: () => Stream.make(sbom.descriptor, signature.descriptor, arm64.descriptor)
      }
      const target = MemoryStore.make("target")
      yield* Copy.run(lying, target, amd64.descriptor.digest)
      assert.isTrue(yield* target.keeps(sbom.descriptor))
      assert.isFalse(yield* target.keeps(signature.descriptor))
      assert.isFalse(yield* target.keeps(arm64.descriptor))
    })
  )

  it.effect("fails at the source for a missing tag or digest", () =>
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

  it.effect("puts content again that the target lacks although its parent seemed complete", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, amd64.descriptor.digest)
      // A cache that has lost a child but claims to have it.
      const { log, store } = logging(target)
      const forgetful: MemoryStore.MemoryStore = {
        ...store,
        keeps: (manifest) =>
          manifest.digest === arm64.descriptor.digest ? Effect.succeed(true) : store.keeps(manifest)
      }
      yield* Copy.run(from, forgetful, "v1")
      assert.include(log, "arm64")
      assert.isTrue(Option.isSome(yield* target.resolve("v1")))
    })
  )

  it.effect("with trust walk looks for everything", () =>
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

  it.effect("sends a blob that ten concurrent copies share once", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 10 }, (_, index) => `own ${index}`)
      const images = texts.map((text) => image("base", text))
      const held = yield* holding(["base", ...texts], images)
      const from: MemoryStore.MemoryStore = {
        ...held,
        // The others have their turn before a blob has arrived.
        blob: (blob) => ({
          ...held.blob(blob),
          read: (offset) => Stream.unwrap(Effect.as(Effect.yieldNow, held.blob(blob).read(offset)))
        })
      }
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Effect.forEach(images, ({ descriptor }) => Copy.run(from, store, descriptor.digest), {
        concurrency: "unbounded"
      })
      assert.lengthOf(
        log.filter((line) => line === "base sent"),
        1
      )
    })
  )

  it.effect("looks up a blob that several manifests name once", () =>
    Effect.gen(function* () {
      const { log, store } = logging(MemoryStore.make("target"))
      yield* Copy.run(yield* source, store, "v1")
      assert.lengthOf(
        log.filter((line) => line.startsWith("base")),
        1
      )
    })
  )

  it.effect("puts many referrers concurrently, so that a client lists them together where it maintains the list", () =>
    Effect.gen(function* () {
      const referrers = Array.from({ length: 32 }, (_, number) => attachment(`sbom ${number}`, amd64.descriptor))
      const store = yield* holding(["base", "amd64"], [amd64, ...referrers])
      const target = MemoryStore.make("target")
      const together = yield* Latch.make()
      let begun = 0
      const waiting: MemoryStore.MemoryStore = {
        ...target,
        putManifest: (manifest, options) =>
          Effect.gen(function* () {
            const isReferrer = referrers.some(({ descriptor }) => descriptor.digest === manifest.descriptor.digest)
            if (isReferrer) begun += 1
            if (begun === referrers.length) yield* together.open
            if (isReferrer) yield* together.await
            return yield* target.putManifest(manifest, options)
          })
      }
      yield* Copy.run(store, waiting, amd64.descriptor.digest)
      assert.lengthOf(yield* Stream.runCollect(target.referrers(amd64.descriptor.digest)), 32)
    })
  )

  it.effect("sends blobs one after another if the concurrency is below one", () =>
    Effect.gen(function* () {
      for (const concurrency of [0, Number.NaN]) {
        const report = yield* Copy.run(yield* source, MemoryStore.make("target"), "v1", { concurrency })
        assert.strictEqual(Copy.totals(report).sent.nodes, 9)
      }
    })
  )

  it.effect("of a signature leaves out its subject", () =>
    Effect.gen(function* () {
      const target = MemoryStore.make("target")
      yield* Copy.run(yield* source, target, signature.descriptor.digest)
      assert.isTrue(Option.isSome(yield* target.resolve(signature.descriptor.digest)))
      assert.isTrue(Option.isNone(yield* target.resolve(both.descriptor.digest)))
    })
  )

  it.effect("copies referrers of some types, and to a depth", () =>
    Effect.gen(function* () {
      const from = yield* source
      const ofSbom = attachment("of the SBOM", sbom.descriptor, "application/vnd.example.signature")
      yield* from.putManifest(ofSbom)
      const copied = (referrers: Copy.Options["referrers"]) =>
        Effect.gen(function* () {
          const target = MemoryStore.make("target")
          yield* Copy.run(from, target, "v1", referrers === undefined ? {} : { referrers })
          return yield* Effect.filter([sbom, signature, ofSbom], ({ descriptor }) => target.keeps(descriptor))
        })
      assert.deepStrictEqual(yield* copied(true), [sbom, signature, ofSbom])
      assert.deepStrictEqual(yield* copied(false), [])
      assert.deepStrictEqual(yield* copied({ depth: 1 }), [sbom, signature])
      assert.deepStrictEqual(yield* copied({ artifactTypes: ["application/spdx+json"] }), [sbom])
    })
  )

  it.effect("leaves each manifest as it is, with its media type", () =>
    Effect.gen(function* () {
      const docker = rawOf(
        MediaType.dockerManifest,
        ` {"schemaVersion": 2,\n"mediaType":"${MediaType.dockerManifest}", "unknown": [1], "config": ${JSON.stringify(config)}, "layers": [] }\n`
      )
      const list = rawOf(
        MediaType.dockerManifestList,
        `{"manifests":[${JSON.stringify(docker.descriptor)}],"schemaVersion":2,"mediaType":"${MediaType.dockerManifestList}"}`
      )
      const from = yield* holding([], [docker, list])
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, list.descriptor.digest)
      for (const raw of [docker, list]) {
        assert.deepStrictEqual(Option.getOrThrow(yield* target.manifest(raw.descriptor)), raw)
      }
    })
  )

  it.effect("names the type of an unknown manifest in its error", () =>
    Effect.gen(function* () {
      const strange = rawOf(MediaType.MediaType.make("application/vnd.strange.v1+json"), { layers: [] })
      const from = yield* holding([], [strange])
      const error = yield* Effect.flip(Copy.run(from, MemoryStore.make("target"), strange.descriptor.digest))
      assert.include(error.message, "application/vnd.strange.v1+json")
    })
  )

  it.effect("within one repository reads nothing but the root, and sets the tag", () =>
    Effect.gen(function* () {
      const { log, store } = logging(yield* source)
      const report = yield* Copy.run(store, store, "v1", { tags: ["stable"] })
      assert.deepStrictEqual(log, ["? v1", "? stable", "both stable"])
      assert.deepStrictEqual(report.tags, [{ tag: "stable", outcome: "set" }])
    })
  )

  it.effect("offers the source and other repositories to a target that can mount", () =>
    Effect.gen(function* () {
      const offered: Array<unknown> = []
      const target = MemoryStore.make("target")
      const mounting: MemoryStore.MemoryStore = {
        ...target,
        putBlob: (blob, from, options) => {
          offered.push(options?.from)
          return target.putBlob(blob, from, options)
        }
      }
      const other = { place: "registry.example", repository: "other" }
      yield* Copy.run(yield* source, mounting, amd64.descriptor.digest, { referrers: false, mountFrom: [other] })
      assert.deepStrictEqual(offered[0], [{ place: "memory", repository: "" }, other])
    })
  )

  it.effect("in a dry run reports what it would do, and writes nothing", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, amd64.descriptor.digest, { referrers: false })
      const before = yield* Stream.runCollect(target.tags)
      const planned = yield* Copy.run(from, target, "v1", { isDryRun: true })
      assert.isTrue(planned.isDryRun)
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), before)
      assert.isTrue(Option.isNone(yield* target.resolve(both.descriptor.digest)))
      const done = yield* Copy.run(from, target, "v1")
      assert.deepStrictEqual(outcomesOf(planned.nodes), outcomesOf(done.nodes))
      assert.deepStrictEqual(planned.tags, done.tags)
    })
  )

  it.effect("in a dry run within a registry predicts mounts", () =>
    Effect.gen(function* () {
      const from = placed(yield* source, "staging")
      const target = placed(MemoryStore.make(), "production")
      const { mounted, sent } = Copy.totals(yield* Copy.run(from, target, "v1", { isDryRun: true }))
      assert.deepStrictEqual([mounted.nodes, sent.nodes], [4, 5])
    })
  )

  it.effect("is also a stream of events, with the report at its end", () =>
    Effect.gen(function* () {
      const target = MemoryStore.make("target")
      const events = yield* Stream.runCollect(Copy.events(yield* source, target, "v1"))
      const [first] = events
      assert.strictEqual(first?._tag, "Planned")
      if (first?._tag === "Planned") assert.strictEqual(first.manifests, 5)
      const last = events.at(-1)
      if (last?._tag !== "Finished") return assert.fail("the last event has no report")
      assert.deepStrictEqual(
        events.flatMap((event) => (event._tag === "NodeDone" ? [event.node] : [])),
        last.report.nodes
      )
      // The configuration of all of these is the empty object, which is not read.
      const progress = events.flatMap((event) =>
        event._tag === "Progress" && event.bytes === event.size ? [event] : []
      )
      assert.sameMembers(
        progress.map(({ digest }) => nameOf(digest)),
        ["config", "base", "amd64Layer", "arm64Layer"]
      )
      if (first?._tag === "Planned") assert.strictEqual(first.bytes, Copy.totals(last.report).sent.bytes)
      const encoded = yield* Schema.encodeEffect(Events)(events)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Events)(encoded), events)
    })
  )

  it.effect("stops when its stream is no longer read", () =>
    Effect.gen(function* () {
      const from = yield* source
      const reading = yield* Latch.make()
      let stopped = 0
      const endless: MemoryStore.MemoryStore = {
        ...from,
        blob: (blob) => ({
          ...from.blob(blob),
          read: () =>
            Stream.unwrap(Effect.as(reading.open, Stream.never)).pipe(
              Stream.ensuring(Effect.sync(() => void stopped++))
            )
        })
      }
      const target = MemoryStore.make("target")
      yield* Copy.events(endless, target, "v1").pipe(
        Stream.takeUntilEffect(() => Effect.as(reading.await, true)),
        Stream.runDrain
      )
      assert.strictEqual(stopped, 3)
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), [])
    })
  )

  it.effect("fails as a stream like as an effect", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(Copy.events(yield* source, MemoryStore.make("target"), "v2")))
      assert.strictEqual(error.side, "source")
    })
  )

  it.effect("copies cosign's tags on request, and sets them before its own", () =>
    Effect.gen(function* () {
      const from = yield* source
      const sig = image("amd64")
      const att = image("arm64")
      yield* from.putManifest(sig, { tags: [tagOf(both, ".sig")] })
      yield* from.putManifest(att, { tags: [tagOf(amd64, ".att"), "unrelated"] })
      const without = MemoryStore.make("target")
      yield* Copy.run(from, without, "v1")
      assert.deepStrictEqual(yield* Stream.runCollect(without.tags), ["v1"])
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, "v1", { cosignTags: true })
      assert.deepStrictEqual(yield* Stream.runCollect(target.tags), [tagOf(both, ".sig"), tagOf(amd64, ".att"), "v1"])
      assert.deepStrictEqual(
        report.tags.map(({ outcome }) => outcome),
        ["set", "set", "set"]
      )
      const again = yield* Copy.run(from, target, "v1", { cosignTags: true })
      assert.isTrue(again.tags.every(({ outcome }) => outcome === "unchanged"))
    })
  )

  it.effect("copies the cosign tags of an image whose index the target has, also without referrers", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, "v1")
      yield* from.putManifest(image("amd64"), { tags: [tagOf(arm64, ".sig")] })
      yield* Copy.run(from, target, "v1", { cosignTags: true })
      assert.sameMembers(yield* Stream.runCollect(target.tags), [tagOf(arm64, ".sig"), "v1"])
    })
  )

  it.effect("sets each tag of cosign, also if several name one manifest", () =>
    Effect.gen(function* () {
      const from = yield* holding(["base", "amd64", "arm64", "sbom"], [amd64, arm64])
      const shared = image("sbom")
      yield* from.putManifest(both, { tags: ["v1", tagOf(amd64, ".sig")] })
      yield* from.putManifest(shared, { tags: [tagOf(amd64, ".sbom"), tagOf(arm64, ".sbom")] })
      const target = MemoryStore.make("target")
      const { tags } = yield* Copy.run(from, target, "v1", { cosignTags: true })
      assert.deepStrictEqual([...new Set(tags.map(({ outcome }) => outcome))], ["set"])
      assert.sameMembers(yield* Stream.runCollect(target.tags), yield* Stream.runCollect(from.tags))
    })
  )

  it.effect("requests few cosign tags one by one, and lists the tags for many", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestsFor([amd64, arm64]), { lists: 0, asked: 1 + 3 * 3 })
      assert.deepStrictEqual(yield* requestsFor([amd64, arm64, image("a"), image("b"), image("c")]), {
        lists: 1,
        asked: 1
      })
    })
  )

  it.effect("skips layers that may not be distributed, and copies them on request", () =>
    Effect.gen(function* () {
      const type = MediaType.MediaType.make("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
      const foreign = { ...blobOf(type, "windows"), urls: ["http://169.254.169.254/"] }
      const windows = rawOf(
        MediaType.ociImageManifest,
        Manifest.format(Manifest.image({ config, layers: [foreign, layer("base")] }))
      )
      const from = yield* holding(["windows", "base"], [windows])
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, windows.descriptor.digest)
      const node = report.nodes.find(({ digest }) => digest === foreign.digest)
      assert.deepStrictEqual([node?.outcome, node?.reason], ["skipped", "foreign"])
      assert.isFalse(yield* target.has(foreign))
      yield* Copy.run(from, target, windows.descriptor.digest, { foreignLayers: true, trust: "walk" })
      assert.isTrue(yield* target.has(foreign))
    })
  )

  it.effect("uses content that a descriptor embeds, if it matches the digest", () =>
    Effect.gen(function* () {
      for (const [data, isRead] of [
        [Buffer.from("embedded").toString("base64"), false],
        [Buffer.from("another0").toString("base64"), true],
        ["no base64", true]
      ] as const) {
        const manifest = embedding(data)
        const from = yield* holding(["embedded"], [manifest])
        const read: Array<string> = []
        const watched: MemoryStore.MemoryStore = {
          ...from,
          blob: (blob) => {
            read.push(blob.digest)
            return from.blob(blob)
          }
        }
        const target = MemoryStore.make("target")
        yield* Copy.run(watched, target, manifest.descriptor.digest)
        assert.isTrue(yield* target.has(layer("embedded")))
        assert.deepStrictEqual(read, isRead ? [layer("embedded").digest] : [])
      }
    })
  )

  it.effect("sends a missing child although its parent exists, with trust walk", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, "v1")
      yield* target.remove(arm64.descriptor)
      const { log, store } = logging(placed(target, "shop/api"))
      yield* Copy.run(from, store, "v1", { trust: "walk" })
      assert.deepStrictEqual(
        log.filter((line) => !line.startsWith("?") && !line.endsWith("present")),
        ["arm64"]
      )
      assert.isTrue(Option.isSome(yield* target.resolve(arm64.descriptor.digest)))
    })
  )

  it.effect(
    "repairs what it can if the target does not report what it lacks, without layers that may not be distributed",
    () =>
      Effect.gen(function* () {
        const foreign = blobOf(
          MediaType.MediaType.make("application/vnd.oci.image.layer.nondistributable.v1.tar"),
          "windows"
        )
        const windows = rawOf(
          MediaType.ociImageManifest,
          Manifest.format(Manifest.image({ config, layers: [foreign, layer("base")] }))
        )
        const root = index(windows.descriptor)
        const from = yield* holding(["base"], [windows])
        yield* from.putManifest(root, { tags: ["v1"] })
        const store = MemoryStore.make("target")
        const target: MemoryStore.MemoryStore = {
          ...store,
          keeps: ({ digest }) => Effect.succeed(digest === windows.descriptor.digest),
          putManifest: (manifest, options) =>
            Effect.mapError(store.putManifest(manifest, options), (error) =>
              error instanceof MissingContent
                ? new MissingContent({ manifest: error.manifest, digests: [error.manifest] })
                : error
            )
        }
        yield* Copy.run(from, target, "v1")
        assert.isTrue(Option.isSome(yield* store.resolve("v1")))
        assert.isFalse(yield* store.has(foreign))
      })
  )

  it.effect("repairs as long as the target reports something else that it lacks", () =>
    Effect.gen(function* () {
      const texts = ["one", "two", "three"]
      const from = yield* holding(texts, [image(...texts, "one")])
      const target = MemoryStore.make("target")
      yield* Copy.run(from, reportingOne(target), image(...texts, "one").descriptor.digest)
      assert.isTrue(Option.isSome(yield* target.resolve(image(...texts, "one").descriptor.digest)))
    })
  )

  it.effect("repairs once, and fails if the target still lacks something", () =>
    Effect.gen(function* () {
      const from = yield* source
      const target = MemoryStore.make("target")
      let refused = 0
      const stubborn: MemoryStore.MemoryStore = {
        ...target,
        putManifest: (manifest, options) => {
          if (manifest.descriptor.digest !== both.descriptor.digest) return target.putManifest(manifest, options)
          refused++
          return Effect.fail(new MissingContent({ manifest: manifest.descriptor.digest, digests: [] }))
        }
      }
      const error = yield* Effect.flip(Copy.run(from, stubborn, "v1", { referrers: false }))
      assert.deepStrictEqual([error.side, error.cause._tag, refused], ["target", "MissingContent", 2])
    })
  )

  it.effect("copies the manifest that the tag named when the copy began", () =>
    Effect.gen(function* () {
      const from = yield* source
      const moving: MemoryStore.MemoryStore = {
        ...from,
        blob: (blob) => ({
          ...from.blob(blob),
          read: (offset) =>
            Stream.unwrap(
              Effect.as(Effect.orDie(from.putManifest(amd64, { tags: ["v1"] })), from.blob(blob).read(offset))
            )
        })
      }
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(moving, target, "v1")
      assert.strictEqual(report.root, both.descriptor.digest)
      assert.strictEqual(Option.getOrThrow(yield* target.resolve("v1")).digest, both.descriptor.digest)
      assert.strictEqual(Option.getOrThrow(yield* from.resolve("v1")).digest, amd64.descriptor.digest)
    })
  )

  it.effect("distinguishes a store without tags from a missing tag", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* messageOf(yield* source),
        "the copy failed at the source: memory has no tag or digest v2"
      )
      const empty = yield* messageOf(MemoryStore.make("empty"))
      assert.include(empty, "does it exist?")
      assert.include(empty, "use a digest")
    })
  )

  it.effect("refuses a manifest if what it names is unknown", () =>
    Effect.gen(function* () {
      const old = rawOf(MediaType.dockerSchema1SignedManifest, { schemaVersion: 1 })
      const from = yield* holding([], [])
      yield* from.putManifest(old, { tags: ["old"] })
      const error = yield* Effect.flip(Copy.run(from, MemoryStore.make("target"), "old"))
      assert.include(error.message, "schema 1")
    })
  )

  it.effect("copies the withdrawn artifact manifests, with their blobs", () =>
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

  it.effect("interrupted anywhere leaves no tag that names an incomplete image, and the next copy continues", () =>
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
