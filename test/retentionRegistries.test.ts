/**
 * Retention against registries that cannot do everything, and against Azure Container Registry on a bad day.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Docker from "./support/dockerRegistry.ts"
import * as Refusing from "./support/refusingRegistry.ts"
import { deleteOld, outcomeOf, planFor, pushImage, pushIndex, rulesOf } from "./support/retention.ts"

const tagsOf = (repository: string) =>
  Effect.flatMap(RegistryContent, (content) =>
    Effect.map(Stream.runCollect(content.tags(repository)), (tags) => tags.map(String).toSorted())
  )

const noList = "the registry lists no manifests and tells no times: what no tag leads to is not known"

for (const version of ["installed", "3"] as const) {
  const deletesTags = version === "3"
  const services = ContainerRegistry.layerTransport.pipe(
    Layer.provideMerge(Docker.layerContent()),
    Layer.provideMerge(Docker.layer({ version, access: "anonymous", relativeUrls: false }))
  )

  describe.runIf(Docker.isThere(version))(`distribution, version ${deletesTags ? 3 : 2}`, () => {
    it.live(
      deletesTags
        ? "deletes a tag alone, and an image with all its tags"
        : "refuses to delete a tag alone, which the report says, and deletes an image with all its tags",
      () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const both = yield* pushImage("app", "both", ["old", "new"])
          const child = yield* pushImage("app", "child")
          const index = yield* pushIndex("app", [child], ["old-1", "old-2"])
          const target = yield* Retention.target("app")
          const rules = yield* rulesOf([deleteOld])
          const plan = yield* planFor(target, rules)
          assert.strictEqual(plan.coverage, "tagged")
          assert.include(plan.warnings, noList)
          assert.include(plan.warnings, "7 tags and manifests have no time: rules by age do not delete them")

          const report = yield* Retention.apply(target, plan, rules)
          assert.strictEqual(outcomeOf(report, "old"), deletesTags ? "done" : "refused")
          assert.strictEqual(RetentionReport.status(report), deletesTags ? "done" : "failed")
          assert.deepStrictEqual([outcomeOf(report, index.digest), outcomeOf(report, child.digest)], ["done", "done"])
          assert.deepStrictEqual(yield* tagsOf("app"), deletesTags ? ["new"] : ["new", "old"])
          assert.strictEqual((yield* content.resolve("app", "new")).digest, both.digest)
          for (const { digest } of [index, child]) {
            assert.strictEqual((yield* Effect.flip(content.resolve("app", digest))).reason._tag, "NotFound")
          }
        }).pipe(Effect.provide(services))
    )

    it.live("keeps everything under rules by age, and says that nothing has a time", () =>
      Effect.gen(function* () {
        yield* pushImage("app", "an image", ["old"])
        const target = yield* Retention.target("app")
        const byAge = yield* rulesOf([{ ...deleteOld, olderThan: "1 minute" }])
        assert.strictEqual((yield* planFor(target, byAge)).frees.manifests, 0)
        const careful = yield* planFor(target, yield* rulesOf([deleteOld], { safetyAge: "1 day" }))
        assert.strictEqual(careful.frees.manifests, 0)
        assert.include(careful.warnings, "2 tags and manifests have no time: they stay, since their age is not known")
      }).pipe(Effect.provide(services))
    )
  })
}

/** An old index of two images, and an image that has the tag `new` as well. */
const fill = Effect.gen(function* () {
  const children = yield* Effect.all([pushImage("app", "amd64"), pushImage("app", "arm64")])
  const index = yield* pushIndex("app", children, ["old"])
  const image = yield* pushImage("app", "an image", ["old-1", "new"])
  return { children, index, image }
})

const run = Effect.gen(function* () {
  const target = yield* Retention.target("app")
  const rules = yield* rulesOf([deleteOld])
  const plan = yield* planFor(target, rules)
  return { plan, report: yield* Retention.apply(target, plan, rules) }
})

describe("a registry without a list of manifests", () => {
  it.effect("that refuses to delete what an index names has the index deleted before", () => {
    const registry = Refusing.make(({ parents }) =>
      parents.length > 0 ? [400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"] : undefined
    )
    return Effect.gen(function* () {
      const { image } = yield* fill
      const { plan, report } = yield* run
      assert.strictEqual(plan.coverage, "tagged")
      assert.strictEqual(RetentionReport.status(report), "done", JSON.stringify(report.outcomes))
      assert.deepStrictEqual([registry.digests(), registry.tags()], [[image.digest], ["new"]])
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("that refuses to delete what an unknown index names deletes the rest, and the report says so", () => {
    const registry = Refusing.make(({ parents }) =>
      parents.length > 0 ? [400, "GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE"] : undefined
    )
    return Effect.gen(function* () {
      const { children, image, index } = yield* fill
      const content = yield* RegistryContent
      const unknown = yield* pushIndex("app", children.slice(0, 1), ["temporary"])
      yield* content.deleteTag("app", "temporary")
      const { report } = yield* run
      assert.strictEqual(RetentionReport.status(report), "failed")
      assert.deepStrictEqual(
        [index, ...children].map(({ digest }) => outcomeOf(report, digest)),
        ["done", "refused", "done"]
      )
      const [first] = children
      assert.deepStrictEqual(
        registry.digests().toSorted(),
        [image.digest, unknown.digest, first?.digest].map(String).toSorted()
      )
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("that deletes nothing loses nothing: each refusal is reported, and what depends on it is not tried", () => {
    const registry = Refusing.make(() => [405, "UNSUPPORTED"])
    return Effect.gen(function* () {
      const { children, index } = yield* fill
      const before = [registry.digests(), registry.tags()]
      const { report } = yield* run
      assert.strictEqual(RetentionReport.status(report), "failed")
      assert.deepStrictEqual(
        [index.digest, "old-1", ...children.map(({ digest }) => digest)].map((one) => outcomeOf(report, one)),
        ["refused", "refused", "needed", "needed"]
      )
      assert.deepStrictEqual([registry.digests(), registry.tags()], before)
    }).pipe(Effect.provide(registry.layer))
  })
})
