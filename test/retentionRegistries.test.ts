/**
 * Retention against registries that cannot do everything, and against Azure Container Registry on a bad day.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Docker from "./support/dockerRegistry.ts"
import { emulated } from "./support/emulator.ts"
import * as Refusing from "./support/refusingRegistry.ts"
import { countOf, deleteOld, outcomeOf, planFor, pushImage, pushIndex, rulesOf } from "./support/retention.ts"

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
          assert.include(
            plan.warnings,
            "7 tags and manifests have no time: rules by age do not delete them, and newest keeps all of them, except by version"
          )

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
        assert.include(
          careful.warnings,
          "2 tags and manifests have no time: they stay, since nothing without an age is deleted unless safetyAge is none"
        )
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

  it.effect("that refuses to delete what a tag names deletes tags alone, and loses nothing", () => {
    const registry = Refusing.make(({ tags }) => (tags.length > 0 ? [400, "GOOGLE_MANIFEST_DANGLING_TAG"] : undefined))
    return Effect.gen(function* () {
      const { children, index } = yield* fill
      const before = registry.digests()
      const { report } = yield* run
      assert.strictEqual(RetentionReport.status(report), "failed")
      assert.deepStrictEqual(
        [index.digest, "old-1", ...children.map(({ digest }) => digest)].map((one) => outcomeOf(report, one)),
        ["refused", "done", "needed", "needed"]
      )
      assert.deepStrictEqual([registry.digests(), registry.tags()], [before, ["new", "old"]])
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

/** The clock of a machine that is off by some milliseconds. */
const clockOffBy = (millis: number) =>
  Effect.map(Clock.Clock, (clock): Clock.Clock => ({
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(millis) * 1_000_000n,
    currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(millis) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }))

/** A registry whose clock is off by some milliseconds, and a client of it whose clock is right. */
const registryOffBy = (millis: number, options: AcrEmulator.Options = {}) =>
  AcrEmulator.layerRegistry().pipe(
    Layer.provideMerge(
      Layer.effect(
        AcrEmulator.AcrEmulator,
        Effect.flatMap(clockOffBy(millis), (clock) =>
          Effect.provideService(AcrEmulator.make(options), Clock.Clock, clock)
        )
      )
    )
  )

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const clockWarnings = (warnings: ReadonlyArray<string>) => warnings.filter((warning) => warning.includes("clock"))

/** Eight old images and a new one. */
const seedOld = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  const names = Array.from({ length: 8 }, (_, at) => `old-${at}`)
  for (const name of names) yield* emulator.seed({ repository: "app", tags: [name], layers: [name] })
  yield* emulator.seed({ repository: "app", tags: ["new"], layers: ["new"] })
  yield* emulator.clearJournal
  return emulator
})

describe("a registry whose clock is off", () => {
  for (const [words, millis] of [
    ["a day ahead", day],
    ["a day behind", -day]
  ] as const) {
    it.live(`by ${words}, counts ages by that clock, and the plan warns`, () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const now = (yield* Clock.currentTimeMillis) + millis
        for (const hours of [6, 18]) {
          const tags = [`old-${hours}`]
          yield* emulator.seed({
            repository: "app",
            tags,
            layers: tags,
            pushedAt: DateTime.makeUnsafe(now - hours * hour)
          })
        }
        const target = yield* Retention.target("app")
        const rules = yield* rulesOf([{ ...deleteOld, olderThan: "12 hours" }], { safetyAge: "1 hour" })
        const plan = yield* planFor(target, rules)
        assert.lengthOf(clockWarnings(plan.warnings), 1)
        const report = yield* Retention.apply(target, plan, rules)
        assert.strictEqual(RetentionReport.status(report), "done")
        assert.deepStrictEqual(yield* tagsOf("app"), ["old-6"])
      }).pipe(Effect.provide(registryOffBy(millis)))
    )

    it.live(`by ${words}, has a tag that went with an image unseen, and the check after the run finds it`, () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const content = yield* RegistryContent
        const digest = yield* emulator.seed({ repository: "app", tags: ["old"] })
        const target = yield* Retention.target("app")
        const rules = yield* rulesOf([deleteOld], { limits: { maxFraction: 1, minRemaining: 0 } })
        const plan = yield* planFor(target, rules)
        const tag = Effect.flatMap(content.rawManifest("app", digest), (manifest) =>
          content.putManifest("app", manifest, { tags: ["pushed-meanwhile"] })
        )
        const report = yield* Retention.apply(
          { ...target, deleteManifest: (digest) => Effect.andThen(tag, target.deleteManifest(digest)) },
          plan,
          rules
        )
        assert.strictEqual(RetentionReport.status(report), "failed")
        assert.deepStrictEqual(report.check?.lostTags, [{ name: "pushed-meanwhile", digest }])
      }).pipe(Effect.provide(registryOffBy(millis, { softDelete: {} })))
    )
  }

  for (const [minutes, warns] of [
    [4, false],
    [-4, false],
    [6, true],
    [-6, true]
  ] as const) {
    it.live(`by ${minutes} minutes ${warns ? "is warned of" : "is no cause for a warning"}`, () =>
      Effect.gen(function* () {
        yield* seedOld
        const { warnings } = yield* Retention.inventory(yield* Retention.target("app"))
        assert.lengthOf(clockWarnings(warnings), warns ? 1 : 0)
      }).pipe(Effect.provide(registryOffBy(minutes * minute)))
    )
  }
})

describe("a registry of ACR", () => {
  it.live("that throttles in the middle is asked again when it says, and the run comes to its end", () =>
    Effect.gen(function* () {
      const emulator = yield* seedOld
      const target = yield* Retention.target("app")
      const rules = yield* rulesOf([deleteOld])
      const plan = yield* planFor(target, rules)
      const throttled = { _tag: "Answer", status: 429, headers: { "retry-after": "1" } } as const
      yield* emulator.inject({ method: "DELETE", skip: 2, times: 3, consequence: throttled })
      yield* emulator.inject({
        method: "GET",
        path: "/acr/v1/app/_manifests",
        skip: 9,
        times: 3,
        consequence: throttled
      })
      yield* emulator.clearJournal
      const report = yield* Retention.apply(target, plan, rules)
      assert.strictEqual(RetentionReport.status(report), "done", JSON.stringify(report.outcomes))
      assert.strictEqual(countOf(report, "done"), 8)
      assert.strictEqual((yield* emulator.journal).filter(({ status }) => status === 429).length, 6)
      assert.deepStrictEqual(yield* tagsOf("app"), ["new"])
    }).pipe(Effect.provide(emulated()))
  )

  for (const status of [401, 403]) {
    it.live(`that answers ${status} in the middle stops the run, and the report says what it did not reach`, () =>
      Effect.gen(function* () {
        const emulator = yield* seedOld
        const target = yield* Retention.target("app")
        const rules = yield* rulesOf([deleteOld])
        const plan = yield* planFor(target, rules)
        yield* emulator.inject({
          method: "DELETE",
          skip: 3,
          times: "always",
          consequence: { _tag: "Answer", status }
        })
        const report = yield* Retention.apply(target, plan, rules, { concurrency: 2 })
        assert.strictEqual(RetentionReport.status(report), "stopped")
        assert.isDefined(report.stopped)
        const counts = (["done", "failed", "notReached"] as const).map((outcome) => countOf(report, outcome))
        assert.strictEqual(counts[0], 3)
        assert.include([1, 2], counts[1], "two were under way")
        assert.strictEqual(counts[2], 5 - (counts[1] ?? 0))
        assert.lengthOf(yield* tagsOf("app"), 6)

        yield* emulator.clearFaults
        const rest = yield* Retention.apply(target, yield* planFor(target, rules), rules)
        assert.deepStrictEqual([RetentionReport.status(rest), countOf(rest, "done")], ["done", 5])
      }).pipe(Effect.provide(emulated()))
    )
  }

  it.live("that answers 405 to one deletion has the others carried out, and the report says which was refused", () =>
    Effect.gen(function* () {
      const emulator = yield* seedOld
      const target = yield* Retention.target("app")
      const rules = yield* rulesOf([deleteOld])
      const plan = yield* planFor(target, rules)
      const digest = plan.tags.find(({ name }) => name === "old-3")?.digest
      const consequence = { _tag: "Answer", status: 405 } as const
      yield* emulator.inject({ method: "DELETE", path: `/v2/app/manifests/${digest}`, consequence })
      const report = yield* Retention.apply(target, plan, rules)
      assert.strictEqual(RetentionReport.status(report), "failed")
      assert.deepStrictEqual([outcomeOf(report, String(digest)), countOf(report, "done")], ["refused", 7])
      assert.deepStrictEqual(yield* tagsOf("app"), ["new", "old-3"])
    }).pipe(Effect.provide(emulated()))
  )
})

const cleaner = { username: "cleaner", password: Redacted.make("a-password") }
const reading = ["content/read", "metadata/read"] as const
const byRepository: AcrEmulator.Options = {
  roleAssignmentMode: "rbac-abac",
  scopeMapTokens: [
    {
      ...cleaner,
      scopeMap: [
        { repository: "team/a", actions: [...reading, "content/delete"] },
        { repository: "team/b", actions: [...reading, "content/delete"] },
        { repository: "team/c", actions: reading }
      ]
    }
  ]
}

const cleanUp = (repository: string) =>
  Effect.gen(function* () {
    const target = yield* Retention.target(repository)
    const rules = yield* rulesOf([deleteOld])
    return yield* Retention.apply(target, yield* planFor(target, rules), rules)
  })

describe("a registry that grants rights by repository", () => {
  const repositories = ["team/a", "team/b", "team/c", "team/d"]

  it.live("and lists no repositories has those cleaned up that the program names, as far as the login may", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry.ContainerRegistry
      for (const repository of repositories) {
        yield* emulator.seed({ repository, tags: ["old"], layers: ["old"] })
        yield* emulator.seed({ repository, tags: ["new"], layers: ["new"] })
      }
      const catalog = yield* Effect.flip(Stream.runCollect(registry.repositories()))
      assert.strictEqual(catalog.reason._tag, "Forbidden")
      for (const repository of ["team/a", "team/b"]) {
        assert.strictEqual(RetentionReport.status(yield* cleanUp(repository)), "done")
        assert.deepStrictEqual(yield* tagsOf(repository), ["new"])
      }
      // It may read, and not delete.
      const report = yield* cleanUp("team/c")
      assert.strictEqual(RetentionReport.status(report), "stopped")
      assert.strictEqual(countOf(report, "done"), 0)
      assert.deepStrictEqual(yield* tagsOf("team/c"), ["new", "old"])
      // It may not even read.
      const refused = yield* Effect.flip(cleanUp("team/d"))
      assert(refused._tag === "RegistryError")
      assert.strictEqual(refused.reason._tag, "Forbidden")
    }).pipe(Effect.provide(emulated(byRepository, { credentials: Credentials.layerPassword(cleaner) })))
  )

  it.live("has repositories cleaned up by an identity, with a token for each", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      for (const repository of repositories) {
        for (const tag of ["old", "new"]) yield* emulator.seed({ repository, tags: [tag], layers: [tag] })
      }
      const reports = yield* Effect.forEach(repositories, cleanUp, { concurrency: 2 })
      assert.deepStrictEqual(
        reports.map(RetentionReport.status),
        repositories.map(() => "done")
      )
    }).pipe(Effect.provide(emulated(byRepository)))
  )
})

describe("a registry that lists referrers and no manifests", () => {
  it.live("keeps an image to which something was attached after the plan", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const content = yield* RegistryContent
      yield* emulator.inject({
        path: "/acr/",
        times: "always",
        consequence: { _tag: "Answer", status: 404, body: "404 page not found\n" }
      })
      const signed = yield* pushImage("app", "signed", ["old-1"])
      const unsigned = yield* pushImage("app", "unsigned", ["old-2", "new"])
      const target = yield* Retention.target("app")
      const rules = yield* rulesOf([deleteOld])
      const plan = yield* planFor(target, rules)
      assert.strictEqual(plan.coverage, "tagged")
      const signature = yield* pushImage("app", "a signature", [], signed)
      const report = yield* Retention.apply(target, plan, rules)
      assert.strictEqual(outcomeOf(report, signed.digest), "changed")
      for (const { digest } of [signed, signature, unsigned]) {
        assert.strictEqual((yield* content.resolve("app", digest)).digest, digest)
      }
    }).pipe(Effect.provide(emulated()))
  )
})
