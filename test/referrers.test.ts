/**
 * Referrers on the emulator, in each of its modes: what is attached is listed, however the registry goes about it.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type { Digest } from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { emulated, requestsOf } from "./support/emulator.ts"

const sbom = MediaType.MediaType.make("application/spdx+json")
const report = MediaType.MediaType.make("application/vnd.contoso.report.v1")

const repository = "samples/app"

/** An image with the tag `v1`, and the empty blob of artifacts. */
const seeded = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  const content = yield* RegistryContent
  yield* seed({ repository, tags: ["v1"] })
  const empty = yield* content.uploadBlob(repository, BlobSource.fromString("{}"), { mediaType: MediaType.ociEmpty })
  return { empty, subject: yield* content.resolve(repository, "v1") }
})

const attach = (
  { empty, subject }: { readonly empty: Descriptor; readonly subject: Descriptor },
  artifactType: MediaType.MediaType,
  name: string
) =>
  Effect.flatMap(RegistryContent, (content) =>
    content.putManifest(
      repository,
      Manifest.image({ config: empty, layers: [empty], artifactType, subject, annotations: { name } })
    )
  )

const names = (subject: Digest, artifactType?: MediaType.MediaType) =>
  Effect.flatMap(RegistryContent, (content) =>
    content.referrers(repository, subject, artifactType === undefined ? {} : { artifactType }).pipe(
      Stream.map(({ annotations }) => annotations?.["name"]),
      Stream.runCollect
    )
  )

const listsItself = { api: true, listedBy: "ReferrersApi" } as const
const listsByTag = { api: false, listedBy: "ReferrersTag" } as const

/** Each mode: its options, and who is to list what is pushed. */
const modes: ReadonlyArray<
  readonly [string, AcrEmulator.Options, { readonly api: boolean; readonly listedBy: "ReferrersApi" | "ReferrersTag" }]
> = [
  ["as ACR is", {}, listsItself],
  ["with pages of two", { referrers: { pageSize: 2 } }, listsItself],
  ["that does not filter", { referrers: { filter: false, pageSize: 2 } }, listsItself],
  ["that lists and does not say so", { referrers: { subjectHeader: false } }, { api: true, listedBy: "ReferrersTag" }],
  ["without the API", { referrers: { api: false } }, listsByTag],
  ["without the API that honours conditions", { referrers: { api: false }, conditionalPut: true }, listsByTag]
]

describe("referrers on a registry", () => {
  for (const [mode, options, { api, listedBy }] of modes) {
    it.live(`${mode} are listed, by type as well, and are gone when they are deleted`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const image = yield* seeded
        const { digest } = image.subject
        for (const [at, type] of [sbom, report, sbom, sbom, report].entries()) {
          const put = yield* attach(image, type, `attachment ${at}`)
          const listing =
            listedBy === "ReferrersTag" ? { _tag: listedBy, tag: digest.replace(":", "-") } : { _tag: listedBy }
          assert.deepNestedInclude(put.listedBy, { value: listing })
          if (at === 4) {
            assert.sameMembers(
              yield* names(digest),
              [0, 1, 2, 3, 4].map((at) => `attachment ${at}`)
            )
            assert.sameMembers(yield* names(digest, report), ["attachment 1", "attachment 4"])
            yield* content.deleteManifest(repository, put.descriptor.digest)
            assert.deepStrictEqual(yield* names(digest, report), ["attachment 1"])
          }
        }
        const tags = yield* Stream.runCollect(content.tags(repository))
        assert.strictEqual(
          tags.some((tag) => tag.startsWith("sha256-")),
          listedBy === "ReferrersTag"
        )
      }).pipe(Effect.provide(emulated(options)))
    )

    it.live(`${mode} are none of an image that has none, or of a digest that is not there`, () =>
      Effect.gen(function* () {
        const { empty, subject } = yield* seeded
        assert.deepStrictEqual(yield* names(subject.digest), [])
        assert.deepStrictEqual(yield* names(empty.digest), [])
      }).pipe(Effect.provide(emulated(options)))
    )

    it.live(`${mode} of a repository that is not there are none`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const { subject } = yield* seeded
        const listed = yield* Effect.result(Stream.runCollect(content.referrers("samples/other", subject.digest)))
        // With the API a registry must not answer 404. Without it, it is asked for a tag, and may say that there is no such
        // repository.
        if (api) assert.deepNestedInclude(listed, { success: [] })
      }).pipe(Effect.provide(emulated(options)))
    )
  }

  it.live("with an API cost nothing more to attach", () =>
    Effect.gen(function* () {
      const image = yield* seeded
      assert.lengthOf(yield* requestsOf(attach(image, sbom, "one")), 1)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("that two programs attach at the same time are all listed where conditions are honoured", () =>
    Effect.gen(function* () {
      const image = yield* seeded
      const attachAll = (who: string) =>
        Effect.forEach([1, 2, 3, 4], (at) => attach(image, sbom, `${who} ${at}`)).pipe(
          Effect.provide(AcrEmulator.layerRegistry(), { local: true })
        )
      yield* Effect.all([attachAll("one"), attachAll("other")], { concurrency: "unbounded" })
      assert.lengthOf(yield* names(image.subject.digest), 8)
    }).pipe(Effect.provide(emulated({ referrers: { api: false }, conditionalPut: true })))
  )

  it.live("cannot be attached if the list is locked: the referrer stays, and the error says so", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const registry = yield* ContainerRegistry
      const image = yield* seeded
      yield* attach(image, sbom, "one")
      const tag = image.subject.digest.replace(":", "-")
      yield* registry.updateTag(repository, tag, { canWrite: false })
      const error = yield* Effect.flip(attach(image, sbom, "two"))
      assert.strictEqual(error.reason._tag, "Locked")
      const [pushed = ""] = /sha256:[0-9a-f]{64}/.exec(error.completed ?? "") ?? []
      assert.strictEqual((yield* content.resolve(repository, pushed)).digest, pushed)
      assert.deepStrictEqual(yield* names(image.subject.digest), ["one"])
    }).pipe(Effect.provide(emulated({ referrers: { api: false } })))
  )

  it.live("can be attached to an image that is locked, whose manifest does not change", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const image = yield* seeded
      yield* registry.updateManifest(repository, image.subject.digest, { canWrite: false })
      yield* attach(image, sbom, "one")
      assert.deepStrictEqual(yield* names(image.subject.digest), ["one"])
    }).pipe(Effect.provide(emulated()))
  )

  for (const [what, referrers, left] of [
    ["go with their subject on ACR", {}, 0],
    ["stay elsewhere", { cascade: false }, 2]
  ] as const) {
    it.live(`${what}`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const image = yield* seeded
        const all = [yield* attach(image, sbom, "one"), yield* attach(image, report, "two")]
        yield* content.deleteManifest(repository, image.subject.digest)
        const there = yield* Effect.forEach(all, ({ descriptor }) =>
          Effect.isSuccess(content.resolve(repository, descriptor.digest))
        )
        assert.lengthOf(there.filter(Boolean), left)
      }).pipe(Effect.provide(emulated({ referrers })))
    )
  }

  it.live("can refer to a manifest that is not there", () =>
    Effect.gen(function* () {
      const image = yield* seeded
      const digest = image.empty.digest
      yield* attach({ ...image, subject: { ...image.subject, digest } }, sbom, "early")
      assert.deepStrictEqual(yield* names(digest), ["early"])
    }).pipe(Effect.provide(emulated()))
  )
})
