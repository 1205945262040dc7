/**
 * The referrers tag: concurrent changes by programs, and what happens to their entries.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Digest from "../src/Digest.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import * as Tag from "../src/Tag.ts"
import { sha256 } from "./support/content.ts"
import { interleaved, type Kind, make, mixtures, program } from "./support/tagRegistry.ts"

const empty = { mediaType: MediaType.ociEmpty, digest: Digest.Digest.make(sha256("{}")), size: 2 }
const image = Manifest.image({ config: empty, layers: [] })
const subject = {
  mediaType: MediaType.ociImageManifest,
  digest: Digest.Digest.make(sha256(Manifest.format(image))),
  size: Manifest.format(image).length
}
const tag = `sha256-${Digest.hex(subject.digest)}`

const artifactType = MediaType.MediaType.make("application/vnd.contoso.report.v1")

const report = (name: string) =>
  Manifest.image({ config: empty, layers: [empty], artifactType, subject, annotations: { name } })

const large = (name: string) => ({ ...report(name), annotations: { name, note: "x".repeat(2_200_000) } })

const digestOf = (manifest: Manifest.ImageManifest): string => sha256(Manifest.format(manifest))

const attach = (name: string) =>
  Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", report(name)))

const detach = (name: string) =>
  Effect.flatMap(RegistryContent, (content) => content.deleteManifest("alpine", digestOf(report(name))))

/** Runs an effect while time goes by. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

/** The index that the tag names, as the registry stores it. */
const indexOf = (registry: ReturnType<typeof make>) => JSON.parse(registry.text(tag))

const entry = {
  mediaType: MediaType.ociImageManifest,
  digest: digestOf(report("one")),
  size: Manifest.format(report("one")).length,
  artifactType,
  annotations: { name: "one" }
}

const foreign = {
  mediaType: "application/vnd.other+json",
  digest: sha256("foreign"),
  size: 7,
  other: [1]
}

describe("the referrers tag of a subject", () => {
  it.effect("is made for the first referrer, as the specification describes its entries", () =>
    Effect.gen(function* () {
      const registry = make()
      const { descriptor, listedBy } = yield* Effect.provide(inTime(attach("one")), program(registry))
      assert.strictEqual(String(descriptor.digest), digestOf(report("one")))
      assert.deepStrictEqual(listedBy, Option.some({ _tag: "ReferrersTag", tag: Tag.Tag.make(tag) }))
      assert.deepStrictEqual(indexOf(registry), {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        manifests: [entry]
      })
      // The referrer exists before anything points to it.
      assert.strictEqual(registry.log[0], `PUT manifests/${digestOf(report("one"))} 201`)
    })
  )

  it.effect("keeps all fields and entries of other clients", () =>
    Effect.gen(function* () {
      const registry = make()
      registry.store(tag, MediaType.ociImageIndex, {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        manifests: [foreign, "odd", null],
        annotations: { by: "another" },
        extra: { deep: [1] }
      })
      yield* Effect.provide(inTime(attach("one")), program(registry))
      assert.deepStrictEqual(indexOf(registry), {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        manifests: [foreign, "odd", null, entry],
        annotations: { by: "another" },
        extra: { deep: [1] }
      })
    })
  )

  it.effect("has one entry for a referrer that is put twice, and is not written again", () =>
    Effect.gen(function* () {
      const registry = make()
      yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("one"))), program(registry))
      assert.deepStrictEqual(registry.entries(tag), [digestOf(report("one"))])
      assert.lengthOf(
        registry.log.filter((line) => line.startsWith(`PUT manifests/${tag}`)),
        1
      )
    })
  )

  it.effect("gets the annotations that another client omitted from the entry, and keeps the rest of the entry", () =>
    Effect.gen(function* () {
      const registry = make()
      const { annotations: _, ...bare } = entry
      registry.store(tag, MediaType.ociImageIndex, { schemaVersion: 2, manifests: [{ ...bare, other: 1 }, foreign] })
      yield* Effect.provide(inTime(attach("one")), program(registry))
      assert.deepStrictEqual(indexOf(registry).manifests, [{ ...entry, other: 1 }, foreign])
    })
  )

  it.effect("of a sha512 digest has half of its hash", () =>
    Effect.gen(function* () {
      const registry = make()
      const hash = "0123456789abcdef".repeat(8)
      const manifest = { ...report("one"), subject: { ...subject, digest: Digest.Digest.make(`sha512:${hash}`) } }
      yield* Effect.provide(
        inTime(Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest))),
        program(registry)
      )
      assert.deepStrictEqual(registry.entries(`sha512-${hash.slice(0, 64)}`), [sha256(Manifest.format(manifest))])
    })
  )

  it.effect("has the type of the configuration for a manifest without its own, and none for an index", () =>
    Effect.gen(function* () {
      const registry = make()
      const config = { ...empty, mediaType: MediaType.MediaType.make("application/vnd.contoso.config.v1") }
      const content = yield* Effect.provide(RegistryContent, program(registry))
      yield* inTime(content.putManifest("alpine", Manifest.image({ config, layers: [], subject })))
      yield* inTime(content.putManifest("alpine", Manifest.index({ manifests: [], subject })))
      assert.deepStrictEqual(
        indexOf(registry).manifests.map(({ artifactType }: { readonly artifactType?: string }) => artifactType),
        ["application/vnd.contoso.config.v1", undefined]
      )
    })
  )

  for (const mediaType of [MediaType.ociArtifactManifest, MediaType.orasArtifactManifest]) {
    it.effect(`lists a manifest of type ${mediaType}`, () =>
      Effect.gen(function* () {
        const registry = make()
        const manifest = JSON.stringify({ mediaType, artifactType, blobs: [], subject })
        yield* Effect.provide(
          inTime(Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest))),
          program(registry)
        )
        assert.deepStrictEqual(indexOf(registry).manifests, [
          { mediaType, digest: sha256(manifest), size: manifest.length, artifactType }
        ])
      })
    )
  }

  it.effect("lists a manifest whose subject has no size", () =>
    Effect.gen(function* () {
      const registry = make()
      const { size: _, ...bare } = subject
      const manifest = JSON.stringify({ ...report("one"), _tag: undefined, subject: bare })
      yield* Effect.provide(
        inTime(Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest))),
        program(registry)
      )
      assert.deepStrictEqual(registry.entries(tag), [sha256(manifest)])
    })
  )

  for (const [what, parts] of [
    ["a configuration that is a text", { config: "none" }],
    ["a configuration that is a list", { config: [] }],
    ["annotations that are a list", { annotations: [] }],
    ["an artifact type that is a number", { artifactType: 7 }],
    ["a media type in capitals", { mediaType: MediaType.ociImageManifest.toUpperCase() }]
  ] as const) {
    it.effect(`lists a manifest with ${what}: only its subject matters`, () =>
      Effect.gen(function* () {
        const registry = make()
        const manifest = JSON.stringify({ ...report("one"), _tag: undefined, ...parts })
        const { listedBy } = yield* Effect.provide(
          inTime(Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest))),
          program(registry)
        )
        assert.isTrue(Option.isSome(listedBy))
        assert.deepStrictEqual(registry.entries(tag), [sha256(manifest)])
      })
    )
  }

  it.effect("is not touched by a manifest of Docker, whose format has no subject", () =>
    Effect.gen(function* () {
      const registry = make()
      const manifest = JSON.stringify({ ...report("one"), _tag: undefined, mediaType: MediaType.dockerManifest })
      const { listedBy } = yield* Effect.provide(
        Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest)),
        program(registry)
      )
      assert.isTrue(Option.isNone(listedBy))
      assert.isFalse(registry.tags.has(tag))
    })
  )

  for (const [what, mediaType, document] of [
    ["an image", MediaType.ociImageManifest, { schemaVersion: 2, config: empty, layers: [] }],
    ["an index that cannot be read", MediaType.ociImageIndex, { schemaVersion: 2, manifests: "none" }],
    ["a list of Docker", MediaType.dockerManifestList, { schemaVersion: 2, manifests: [] }]
  ] as const) {
    it.effect(`is not replaced if it names ${what}: the referrer remains pushed, and the error says so`, () =>
      Effect.gen(function* () {
        const registry = make()
        const before = registry.store(tag, mediaType, document)
        const error = yield* Effect.flip(Effect.provide(inTime(attach("one")), program(registry)))
        assert.strictEqual(error.reason._tag, "Refused")
        assert.strictEqual(error.operation, "RegistryContent.putManifest")
        assert.include(error.message, tag)
        assert.include(error.completed ?? "", digestOf(report("one")))
        assert.include(error.message, "was pushed")
        assert.strictEqual(registry.tags.get(tag), before)
        assert.notStrictEqual(registry.text(digestOf(report("one"))), "")
      })
    )
  }

  it.effect("loses only the entry of a deleted referrer", () =>
    Effect.gen(function* () {
      const registry = make()
      const { deleteManifest } = yield* Effect.provide(RegistryContent, program(registry))
      yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("two"))), program(registry))
      assert.strictEqual(String(yield* inTime(deleteManifest("alpine", entry.digest))), entry.digest)
      assert.deepStrictEqual(registry.entries(tag), [digestOf(report("two"))])
      yield* inTime(deleteManifest("alpine", digestOf(report("two"))))
      assert.deepStrictEqual(indexOf(registry), {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        manifests: []
      })
    })
  )

  it.effect("has the entry again if the referrer cannot be deleted", () =>
    Effect.gen(function* () {
      const registry = make()
      const guarded: typeof registry = {
        ...registry,
        answer: (request, url) =>
          request.method === "DELETE" ? new Response(null, { status: 403 }) : registry.answer(request, url)
      }
      yield* Effect.provide(inTime(attach("one")), program(registry))
      const error = yield* Effect.flip(Effect.provide(inTime(detach("one")), program(guarded)))
      assert.strictEqual(error.reason._tag, "Forbidden")
      assert.deepStrictEqual(registry.entries(tag), [digestOf(report("one"))])
    })
  )

  for (const [what, status] of [
    ["is refused", 403],
    ["is throttled", 429],
    ["meets with an outage", 503]
  ] as const) {
    it.effect(`has the entry again if everything after the removal ${what}`, () =>
      Effect.gen(function* () {
        const registry = make()
        yield* Effect.provide(inTime(attach("one")), program(registry))
        const guarded: typeof registry = {
          ...registry,
          answer: (request, url) =>
            request.method === "DELETE" || (request.method === "HEAD" && url.pathname.includes("sha256:"))
              ? new Response(null, { status })
              : registry.answer(request, url)
        }
        yield* Effect.flip(Effect.provide(inTime(detach("one")), program(guarded)))
        assert.deepStrictEqual(registry.entries(tag), [digestOf(report("one"))])
      })
    )
  }

  it.effect("has the entry again if the deletion is interrupted at any point", () =>
    Effect.gen(function* () {
      for (const after of [0, 1, 20, 60, 90, 120, 200, 400]) {
        const registry = make()
        const { deleteManifest } = yield* Effect.provide(RegistryContent, program(registry))
        yield* Effect.provide(inTime(attach("one")), program(registry))
        const fiber = yield* Effect.forkChild(deleteManifest("alpine", digestOf(report("one"))))
        yield* TestClock.adjust(after)
        yield* inTime(Fiber.interrupt(fiber))
        const isThere = registry.text(digestOf(report("one"))) !== ""
        assert.strictEqual(registry.entries(tag).length === 1, isThere, `interrupted after ${after} ms`)
      }
    })
  )

  it.effect("that cannot be changed does not fail the deletion of a referrer", () =>
    Effect.gen(function* () {
      const registry = make()
      yield* Effect.provide(inTime(attach("one")), program(registry))
      registry.store(tag, MediaType.ociImageManifest, { schemaVersion: 2, config: empty, layers: [] })
      yield* Effect.provide(inTime(detach("one")), program(registry))
      assert.strictEqual(registry.text(digestOf(report("one"))), "")
    })
  )
})

describe("programs that change the referrers tag", () => {
  const kinds: ReadonlyArray<readonly [string, Kind]> = [
    ["ignores conditions", {}],
    ["honours them", { honoursConditions: true }],
    ["refuses requests that have them", { refusesConditions: true }]
  ]

  for (const [what, kind] of kinds) {
    it.effect(`in one process lose nothing if the registry ${what}: 100 at once, 100 entries`, () =>
      Effect.gen(function* () {
        const registry = make(kind)
        const names = Array.from({ length: 100 }, (_, at) => `report ${at}`)
        yield* Effect.provide(inTime(Effect.forEach(names, attach, { concurrency: "unbounded" })), program(registry))
        assert.sameMembers([...registry.entries(tag)], names.map(report).map(digestOf))
        // One list has many changes.
        assert.isAtMost(registry.log.filter((line) => line.startsWith(`PUT manifests/${tag}`)).length, 8)
      })
    )

    it.effect(`in one process can be interrupted if the registry ${what}: the others continue`, () =>
      Effect.gen(function* () {
        const registry = make(kind)
        const content = yield* Effect.provide(RegistryContent, program(registry))
        const names = Array.from({ length: 20 }, (_, at) => `report ${at}`)
        const fibers = yield* Effect.forEach(names, (name) =>
          Effect.forkChild(content.putManifest("alpine", report(name)))
        )
        yield* TestClock.adjust("1 millis")
        const [first, ...others] = fibers
        if (first !== undefined) yield* Fiber.interrupt(first)
        yield* inTime(Effect.forEach(others, Fiber.join))
        assert.includeMembers([...registry.entries(tag)], names.slice(1).map(report).map(digestOf))
      })
    )
  }

  /** The orders of the requests of two programs after which the list lacks a change. */
  const losing = (
    kind: Kind,
    before: ReadonlyArray<object> | undefined,
    programs: ReadonlyArray<typeof attach | typeof detach>,
    after: ReadonlyArray<string>
  ) =>
    Effect.gen(function* () {
      const lost: Array<string> = []
      for (const schedule of mixtures("aaaa", "bbbb")) {
        const registry = make(kind)
        registry.store(digestOf(report("two")), MediaType.ociImageManifest, Manifest.format(report("two")))
        if (before !== undefined) {
          registry.store(tag, MediaType.ociImageIndex, { schemaVersion: 2, manifests: before })
        }
        yield* interleaved(
          registry,
          schedule,
          programs.map((run, at) => run(["one", "two"][at] ?? ""))
        )
        if (registry.entries(tag).toSorted().join() !== after.toSorted().join()) lost.push(schedule)
      }
      return lost
    })

  const both = [digestOf(report("one")), digestOf(report("two"))]
  const entryOfTwo = { ...entry, digest: digestOf(report("two")), annotations: { name: "two" } }

  /** Each row: the list before, the two programs, and what the list should have at last. */
  const rows = [
    ["add to a missing list", undefined, [attach, attach], both],
    ["add to an existing list", [foreign], [attach, attach], [...both, foreign.digest]],
    [
      "add to a list and remove from it",
      [foreign, entryOfTwo],
      [attach, detach],
      [digestOf(report("one")), foreign.digest]
    ]
  ] as const

  for (const [what, before, programs, after] of rows) {
    it.effect(`at the same time ${what}, and lose nothing if the registry honours conditions`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* losing({ honoursConditions: true }, before, programs, after), [])
      })
    )

    it.effect(`at the same time ${what}, and repair the list if it ignores them, except for one window`, () =>
      Effect.gen(function* () {
        // Each reads the list, checks it again, replaces it, and reads it back. The change of one program is lost if
        // the other one made its last check before, and replaces the list after the first one has read it back.
        const window = mixtures("aa", "bb").flatMap((looks) => [`${looks}aabb`, `${looks}bbaa`])
        assert.sameMembers([...(yield* losing({}, before, programs, after))], window)
      })
    )
  }

  it.effect("delete at once, and leave nothing that prevents changes of the list", () =>
    Effect.gen(function* () {
      const registry = make({ checksEntries: true })
      const { deleteManifest } = yield* Effect.provide(RegistryContent, program(registry))
      const names = ["one", "two", "three", "four"]
      yield* Effect.provide(inTime(Effect.forEach(names, attach)), program(registry))
      const [kept, ...others] = names.map(report).map(digestOf)
      yield* inTime(Effect.forEach(others, (digest) => deleteManifest("alpine", digest), { concurrency: "unbounded" }))
      assert.deepStrictEqual([...registry.entries(tag)], [kept])
    })
  )

  for (const kind of [{ checksEntries: true }, { checksEntries: true, honoursConditions: true }]) {
    it.effect(`remove deleted manifests if the registry refuses lists that name them: ${JSON.stringify(kind)}`, () =>
      Effect.gen(function* () {
        const registry = make(kind)
        yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("two"))), program(registry))
        registry.remove(digestOf(report("one")))
        yield* Effect.provide(inTime(attach("three")), program(registry))
        assert.deepStrictEqual([...registry.entries(tag)], ["two", "three"].map(report).map(digestOf))
      })
    )
  }

  it.effect("do not restore what another program has deleted meanwhile", () =>
    Effect.gen(function* () {
      const registry = make()
      const [one, two] = [digestOf(report("one")), digestOf(report("two"))]
      const meddled: typeof registry = {
        ...registry,
        answer: (request, url) => {
          // When the second attachment reads the list, the first one was deleted with its entry.
          if (request.method === "PUT" && url.pathname.endsWith(two)) {
            registry.remove(one)
            registry.store(tag, MediaType.ociImageIndex, { schemaVersion: 2, manifests: [foreign] })
          }
          return registry.answer(request, url)
        }
      }
      const content = yield* Effect.provide(RegistryContent, program(meddled))
      const first = yield* Effect.forkChild(content.putManifest("alpine", report("one")))
      yield* TestClock.adjust("1 millis")
      yield* inTime(content.putManifest("alpine", report("two")))
      yield* Fiber.await(first)
      assert.deepStrictEqual([...registry.entries(tag)], [foreign.digest, two])
    })
  )

  it.effect("wait for a registry that does not show new manifests everywhere yet", () =>
    Effect.gen(function* () {
      const registry = make({ checksEntries: true })
      yield* Effect.provide(inTime(attach("one")), program(registry))
      let looks = 0
      const lagging: typeof registry = {
        ...registry,
        answer: (request, url) => {
          // A part of the registry that does not know the manifest yet refuses the first two lists that name it.
          const isList = request.method === "PUT" && url.pathname.endsWith(tag)
          return isList && ++looks <= 2
            ? Response.json({ errors: [{ code: "MANIFEST_UNKNOWN", message: "not yet" }] }, { status: 400 })
            : registry.answer(request, url)
        }
      }
      yield* Effect.provide(inTime(attach("two")), program(lagging))
      assert.deepStrictEqual([...registry.entries(tag)], ["one", "two"].map(report).map(digestOf))
    })
  )

  it.effect("remove nothing because a HEAD finds nothing", () =>
    Effect.gen(function* () {
      const registry = make({ checksEntries: true })
      yield* Effect.provide(inTime(Effect.forEach(["one", "two"], attach)), program(registry))
      registry.remove(digestOf(report("one")))
      const headless: typeof registry = {
        ...registry,
        answer: (request, url) =>
          request.method === "HEAD" ? new Response(null, { status: 404 }) : registry.answer(request, url)
      }
      yield* Effect.provide(inTime(attach("three")), program(headless))
      assert.deepStrictEqual([...registry.entries(tag)], ["two", "three"].map(report).map(digestOf))
    })
  )

  it.effect("do not replace a list because a gateway says that it does not exist", () =>
    Effect.gen(function* () {
      const registry = make()
      yield* Effect.provide(inTime(attach("one")), program(registry))
      const before = registry.tags.get(tag)
      let isDone = false
      const meddled: typeof registry = {
        ...registry,
        answer: (request, url) => {
          if (isDone || request.method !== "GET" || !url.pathname.endsWith(tag)) return registry.answer(request, url)
          isDone = true
          return new Response("404 page not found", { status: 404 })
        }
      }
      const error = yield* Effect.flip(Effect.provide(inTime(attach("two")), program(meddled)))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual(registry.tags.get(tag), before)
    })
  )

  it.effect("do not remove again what another program has attached since", () =>
    Effect.gen(function* () {
      const registry = make()
      const { deleteManifest, putManifest } = yield* Effect.provide(RegistryContent, program(registry))
      yield* Effect.provide(inTime(attach("one")), program(registry))
      // One session: changes overlap from the first to the last.
      const session = yield* Effect.forkChild(
        Effect.all(
          [
            deleteManifest("alpine", digestOf(report("one"))),
            Effect.delay(putManifest("alpine", report("two")), "50 millis"),
            Effect.delay(putManifest("alpine", report("three")), "5 seconds")
          ],
          { concurrency: "unbounded" }
        )
      )
      const other = yield* Effect.forkChild(Effect.delay(Effect.provide(attach("one"), program(registry)), "3 seconds"))
      yield* inTime(Fiber.join(session))
      yield* inTime(Fiber.join(other))
      assert.includeMembers([...registry.entries(tag)], ["one", "two", "three"].map(report).map(digestOf))
    })
  )

  it.effect("fail together, and once, where the registry cannot be reached", () =>
    Effect.gen(function* () {
      const registry = make()
      let count = 0
      const broken: typeof registry = {
        ...registry,
        answer: (request, url) => {
          if (request.method !== "PUT" || !url.pathname.endsWith(tag)) return registry.answer(request, url)
          count += 1
          return new Response(null, { status: 403 })
        }
      }
      const names = Array.from({ length: 50 }, (_, at) => `report ${at}`)
      const results = yield* Effect.provide(
        inTime(Effect.forEach(names, (name) => Effect.flip(attach(name)), { concurrency: "unbounded" })),
        program(broken)
      )
      assert.isTrue(results.every(({ reason }) => reason._tag === "Forbidden"))
      assert.isTrue(results.every(({ completed }) => completed !== undefined))
      assert.isAtMost(count, 4)
    })
  )

  it.effect("lose nothing if a HEAD states no digest and conditions are honoured", () =>
    Effect.gen(function* () {
      const registry = make({ honoursConditions: true, headDigest: "none" })
      yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("two"))), program(registry))
      let isOutrun = false
      const meddled: typeof registry = {
        ...registry,
        answer: (request, url) => {
          if (!isOutrun && request.method === "PUT" && url.pathname.endsWith(tag)) {
            isOutrun = true
            const { manifests } = indexOf(registry)
            registry.store(tag, MediaType.ociImageIndex, { schemaVersion: 2, manifests: [...manifests, foreign] })
          }
          return registry.answer(request, url)
        }
      }
      yield* Effect.provide(inTime(attach("three")), program(meddled))
      assert.sameMembers(
        [...registry.entries(tag)],
        [...["one", "two", "three"].map(report).map(digestOf), foreign.digest]
      )
    })
  )

  it.effect("attach if a HEAD states a wrong digest", () =>
    Effect.gen(function* () {
      const registry = make({ headDigest: "wrong" })
      yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("two"))), program(registry))
      assert.deepStrictEqual([...registry.entries(tag)], ["one", "two"].map(report).map(digestOf))
    })
  )

  it.effect(
    "fail with the reason for which a registry refuses the list, not with that of other programs that replaced it",
    () =>
      Effect.gen(function* () {
        const registry = make({ isImmutable: true })
        const { completed, reason } = yield* Effect.flip(Effect.provide(inTime(attach("one")), program(registry)))
        assert.strictEqual(reason._tag, "Locked")
        assert.include(reason.message, "immutable")
        assert.include(completed ?? "", "was pushed")
      })
  )

  it.effect("do not fail because the change of another one is too large", () =>
    Effect.gen(function* () {
      const registry = make()
      const content = yield* Effect.provide(RegistryContent, program(registry))
      const small = Array.from({ length: 10 }, (_, at) => report(`small ${at}`))
      const all = [large("a"), ...small.slice(0, 5), large("b"), ...small.slice(5)]
      const results = yield* inTime(
        Effect.forEach(all, (manifest) => Effect.result(content.putManifest("alpine", manifest)), {
          concurrency: "unbounded"
        })
      )
      const failed = results.flatMap((result, at) =>
        Result.isFailure(result) ? [[at, result.failure.reason._tag]] : []
      )
      assert.lengthOf(failed, 1)
      assert.strictEqual(failed[0]?.[1], "TooLarge")
      assert.includeMembers([...registry.entries(tag)], small.map(digestOf))
    })
  )

  it.effect("fail with Unavailable if others keep replacing the list, and the referrer remains pushed", () =>
    Effect.gen(function* () {
      const registry = make()
      let count = 0
      const meddled: typeof registry = {
        ...registry,
        answer: (request, url) => {
          const given = registry.answer(request, url)
          if (request.method === "PUT" && url.pathname.endsWith(tag)) {
            registry.store(tag, MediaType.ociImageIndex, {
              schemaVersion: 2,
              manifests: [{ ...foreign, size: count++ }]
            })
          }
          return given
        }
      }
      const error = yield* Effect.flip(Effect.provide(inTime(attach("one")), program(meddled)))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.isTrue(error.isRetryable)
      assert.include(error.completed ?? "", "was pushed")
    })
  )

  it.effect("read what they wrote: the list has both", () =>
    Effect.gen(function* () {
      const registry = make()
      const content = yield* Effect.provide(RegistryContent, program(registry))
      yield* inTime(content.putManifest("alpine", image))
      yield* Effect.provide(inTime(Effect.andThen(attach("one"), attach("two"))), program(registry))
      const listed = yield* Stream.runCollect(content.referrers("alpine", subject.digest))
      assert.deepStrictEqual(
        listed.map(({ annotations }) => annotations?.["name"]),
        ["one", "two"]
      )
    })
  )
})
