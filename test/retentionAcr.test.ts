/**
 * Retention on Azure Container Registry: its locks, times, quarantine, hidden things and odd records, on the emulator.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import type { Plan } from "@effect-acr/artifacts/RetentionPlan"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { emulated, requests } from "./support/emulator.ts"
import { outcomeOf, planFor, pushImage, pushIndex, rulesOf } from "./support/retention.ts"

interface Fields {
  readonly [field: string]: unknown
}

const everything: ReadonlyArray<Fields> = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

/** May delete all there is. */
const unlimited = { limits: { maxFraction: 1, minRemaining: 0 } }

const planned = Effect.fnUntraced(function* (rules: ReadonlyArray<Fields>, others: Fields = {}) {
  const target = yield* Retention.target("app")
  const decoded = yield* rulesOf(rules, { ...unlimited, ...others })
  const plan = yield* planFor(target, decoded)
  return {
    plan,
    apply: (options: Retention.ApplyOptions = {}) => Retention.apply(target, plan, decoded, options)
  }
})

/** A release for two platforms with a signature, and an untagged image. */
const release = Effect.gen(function* () {
  const amd64 = yield* pushImage("app", "amd64")
  const arm64 = yield* pushImage("app", "arm64")
  const index = yield* pushIndex("app", [amd64, arm64], ["v1"])
  const signature = yield* pushImage("app", "signature", [], index)
  const other = yield* pushImage("app", "other")
  return { amd64, arm64, index, signature, other }
})

const digestsIn = Effect.gen(function* () {
  const registry = yield* ContainerRegistry
  const found = yield* Stream.runCollect(registry.manifests("app"))
  return found.map(({ digest }) => String(digest)).toSorted()
})

const tagsIn = Effect.gen(function* () {
  const registry = yield* ContainerRegistry
  return (yield* Stream.runCollect(registry.tags("app"))).map(({ name }) => String(name)).toSorted()
})

const goes = ({ manifests }: Plan): ReadonlyArray<string> =>
  manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => String(digest))

/** An image of its own, so many days old. */
const seed = Effect.fnUntraced(function* (name: string, days: number, tags: ReadonlyArray<string> = [name]) {
  const emulator = yield* AcrEmulator.AcrEmulator
  return yield* emulator.seed({ repository: "app", tags, layers: [name], pushedAt: Duration.days(days) })
})

const lists = /^\/acr\/v1\/app\/_manifests$/

describe("a lock of ACR", () => {
  for (const attribute of [{ canDelete: false }, { canWrite: false }]) {
    const words = JSON.stringify(attribute)

    it.live(`on a manifest keeps it with all that it needs: ${words}`, () =>
      Effect.gen(function* () {
        const { index, other } = yield* release
        const registry = yield* ContainerRegistry
        yield* registry.updateManifest("app", index.digest, attribute)
        const before = yield* digestsIn
        const { apply, plan } = yield* planned(everything)
        assert.deepStrictEqual(goes(plan), [other.digest])
        assert.strictEqual(RetentionReport.status(yield* apply()), "done")
        assert.deepStrictEqual(
          yield* digestsIn,
          before.filter((digest) => digest !== other.digest)
        )
      }).pipe(Effect.provide(emulated()))
    )

    it.live(`on a tag keeps it, and its image with all that it needs: ${words}`, () =>
      Effect.gen(function* () {
        const { other } = yield* release
        const registry = yield* ContainerRegistry
        yield* registry.updateTag("app", "v1", attribute)
        const { apply, plan } = yield* planned(everything)
        assert.deepStrictEqual(goes(plan), [other.digest])
        yield* apply()
        assert.deepStrictEqual(yield* tagsIn, ["v1"])
        assert.lengthOf(yield* digestsIn, 4)
      }).pipe(Effect.provide(emulated()))
    )

    it.live(`on the repository keeps everything: ${words}`, () =>
      Effect.gen(function* () {
        yield* release
        const registry = yield* ContainerRegistry
        yield* registry.updateRepository("app", attribute)
        const { plan } = yield* planned(everything, { locked: "include" })
        assert.deepStrictEqual(goes(plan), [])
      }).pipe(Effect.provide(emulated()))
    )

    it.live(`that is included is taken away before, and is as it was if the deletion fails: ${words}`, () =>
      Effect.gen(function* () {
        const { index } = yield* release
        const registry = yield* ContainerRegistry
        const emulator = yield* AcrEmulator.AcrEmulator
        yield* registry.updateManifest("app", index.digest, attribute)
        yield* registry.updateTag("app", "v1", attribute)
        const { apply } = yield* planned(everything, { locked: "include" })
        yield* emulator.inject({
          method: "DELETE",
          path: `/v2/app/manifests/${index.digest}`,
          consequence: { _tag: "Answer", status: 400 }
        })
        const report = yield* apply({ allowLocked: true })
        assert.strictEqual(outcomeOf(report, index.digest), "refused")
        const expected = { canDelete: true, canWrite: true, ...attribute }
        assert.deepInclude(yield* registry.manifestProperties("app", index.digest), expected)
        assert.deepInclude(yield* registry.tagProperties("app", "v1"), expected)
        const { apply: again } = yield* planned(everything, { locked: "include" })
        assert.strictEqual(RetentionReport.status(yield* again({ allowLocked: true })), "done")
        assert.deepStrictEqual(yield* digestsIn, [])
      }).pipe(Effect.provide(emulated()))
    )
  }

  it.live("that came after the plan keeps the release, and the rest goes", () =>
    Effect.gen(function* () {
      const { amd64, index, other } = yield* release
      const registry = yield* ContainerRegistry
      const { apply } = yield* planned(everything)
      yield* registry.updateManifest("app", index.digest, { canDelete: false })
      const report = yield* apply()
      assert.strictEqual(outcomeOf(report, index.digest), "changed")
      assert.strictEqual(outcomeOf(report, amd64.digest), "needed")
      assert.strictEqual(outcomeOf(report, other.digest), "done")
      assert.lengthOf(yield* digestsIn, 4)
    }).pipe(Effect.provide(emulated()))
  )

  it.live(
    "on a tag that came after the plan has the deletion refused: a manifest does not tell the locks of its tags",
    () =>
      Effect.gen(function* () {
        const { amd64, index } = yield* release
        const registry = yield* ContainerRegistry
        const { apply } = yield* planned(everything)
        yield* registry.updateTag("app", "v1", { canDelete: false })
        const report = yield* apply()
        assert.strictEqual(outcomeOf(report, index.digest), "refused")
        assert.strictEqual(outcomeOf(report, amd64.digest), "needed")
        assert.strictEqual(RetentionReport.status(report), "failed")
      }).pipe(Effect.provide(emulated()))
  )
})

describe("what came to ACR after the plan", () => {
  const comes: ReadonlyArray<
    readonly [string, (made: Effect.Success<typeof release>) => ReturnType<typeof pushImage>]
  > = [
    ["a tag", () => pushIndexAgain(["v2"])],
    ["the same tag again", () => pushIndexAgain(["v1"])],
    ["a new index that names it", ({ index }) => pushIndex("app", [index], ["v2"])],
    ["a new referrer", ({ index }) => pushImage("app", "SBOM", [], index)],
    ["a new referrer of its referrer", ({ signature }) => pushImage("app", "timestamp", [], signature)]
  ]

  for (const [what, come] of comes) {
    it.live(`keeps a release as it is: ${what}`, () =>
      Effect.gen(function* () {
        const made = yield* release
        const { apply } = yield* planned(everything)
        yield* come(made)
        const report = yield* apply()
        assert.strictEqual(outcomeOf(report, made.index.digest), "changed")
        const after = yield* digestsIn
        for (const { digest } of [made.index, made.amd64, made.arm64, made.signature]) assert.include(after, digest)
        assert.notInclude(after, made.other.digest)
        assert.strictEqual(RetentionReport.status(report), "changed")
      }).pipe(Effect.provide(emulated()))
    )
  }
})

/** Pushes the index of the release, whose images are there. */
function pushIndexAgain(tags: ReadonlyArray<string>) {
  return Effect.gen(function* () {
    const amd64 = yield* pushImage("app", "amd64")
    const arm64 = yield* pushImage("app", "arm64")
    return yield* pushIndex("app", [amd64, arm64], tags)
  })
}

describe("the requests of a retention on ACR", () => {
  it.live("of a dry run read alone", () =>
    Effect.gen(function* () {
      yield* release
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.clearJournal
      const { plan } = yield* planned(everything)
      assert.lengthOf(goes(plan), 5)
      const methods = (yield* emulator.journal).filter(({ path }) => !path.startsWith("/oauth2/"))
      assert.deepStrictEqual(Array.from(new Set(methods.map(({ method }) => method))), ["GET"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("delete a tag that stands alone by its name, and a manifest with its tags by one request", () =>
    Effect.gen(function* () {
      const index = yield* seed("image", 60, ["v1", "v2", "latest"])
      const gone = yield* seed("other", 60, ["v3", "v4"])
      const { apply } = yield* planned([{ tags: ["v*"], action: "delete" }])
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.clearJournal
      assert.strictEqual(RetentionReport.status(yield* apply()), "done")
      assert.deepStrictEqual((yield* requests).filter((request) => request.startsWith("DELETE")).toSorted(), [
        "DELETE /acr/v1/app/_tags/v1 202",
        "DELETE /acr/v1/app/_tags/v2 202",
        `DELETE /v2/app/manifests/${gone} 202`
      ])
      assert.deepStrictEqual([yield* tagsIn, yield* digestsIn], [["latest"], [index]])
    }).pipe(Effect.provide(emulated()))
  )
})

describe("the times of ACR", () => {
  it.live("are those by which rules count", () =>
    Effect.gen(function* () {
      for (const [name, days] of [
        ["a", 50],
        ["b", 40],
        ["c", 20],
        ["d", 2]
      ] as const)
        yield* seed(name, days)
      yield* seed("untagged", 50, [])
      const rules = [
        { tags: ["a"], newest: { count: 1 }, action: "keep" },
        { of: ["tags", "untagged"], olderThan: "30 days", action: "delete" }
      ]
      const { plan } = yield* planned(rules)
      assert.deepStrictEqual(
        plan.tags.filter(({ verdict }) => verdict === "delete").map(({ name }) => name),
        ["b"]
      )
      assert.lengthOf(goes(plan), 2)
      const safe = yield* planned(everything, { safetyAge: "30 days" })
      assert.lengthOf(goes(safe.plan), 3)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("may be odd: a record that cannot be read keeps all manifests, and the plan says so", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const time = "2026-01-01T00:00:00Z"
      const first = yield* seed("first", 60)
      const second = yield* seed("second", 60)
      for (const lastUpdateTime of ["soon", "", null, 5, undefined]) {
        const manifests = [
          {
            digest: first,
            createdTime: time,
            lastUpdateTime: time,
            mediaType: "application/vnd.oci.image.manifest.v1+json"
          },
          { digest: second, createdTime: time, lastUpdateTime }
        ]
        yield* emulator.inject({
          path: lists,
          consequence: {
            _tag: "Answer",
            status: 200,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ registry: "emulated", imageName: "app", manifests })
          }
        })
        const { plan } = yield* planned([{ of: ["untagged"], action: "delete" }])
        assert.deepStrictEqual(goes(plan), [])
      }
    }).pipe(Effect.provide(emulated()))
  )

  it.live("may be odd when it looks again: what cannot be read stays", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed("image", 60)
      const { apply } = yield* planned(everything)
      yield* emulator.inject({
        path: /^\/acr\/v1\/app\/_manifests\/sha256/,
        consequence: {
          _tag: "Answer",
          status: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ registry: "emulated", imageName: "app", manifest: { digest, lastUpdateTime: "soon" } })
        }
      })
      const report = yield* apply()
      assert.strictEqual(outcomeOf(report, digest), "failed")
      assert.deepStrictEqual(yield* digestsIn, [digest])
    }).pipe(Effect.provide(emulated()))
  )
})

describe("quarantine", () => {
  it.live("is a condition of rules", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const failed = yield* seed("failed", 60)
      const passed = yield* seed("passed", 60)
      yield* seed("new", 60)
      yield* registry.updateManifest("app", failed, { quarantineState: "Failed" })
      yield* registry.updateManifest("app", passed, { quarantineState: "Passed" })
      const { apply, plan } = yield* planned([{ quarantine: ["Failed"], olderThan: "7 days", action: "delete" }])
      assert.deepStrictEqual(goes(plan), [failed])
      yield* apply()
      assert.deepStrictEqual(yield* tagsIn, ["new", "passed"])
    }).pipe(Effect.provide(emulated()))
  )

  const reader = { username: "reader", password: Redacted.make("of a scope map") }

  it.live("keeps everything where a login cannot read an index in quarantine", () =>
    Effect.gen(function* () {
      const { index } = yield* release
      const registry = yield* ContainerRegistry
      yield* registry.updateManifest("app", index.digest, { quarantineState: "Failed" })
      const { endpoint } = yield* AcrEmulator.AcrEmulator
      assert.isNotEmpty(endpoint)
      const { plan } = yield* planned(everything).pipe(
        Effect.provide(AcrEmulator.layerRegistry({ credentials: Credentials.layerPassword(reader) }))
      )
      assert.strictEqual(plan.coverage, "partial")
      assert.deepStrictEqual(goes(plan), [])
      assert.include(plan.warnings.join(), `it is not known what ${index.digest} names`)
    }).pipe(
      Effect.provide(
        emulated({
          scopeMapTokens: [{ ...reader, scopeMap: [{ repository: "app", actions: ["content/read", "metadata/read"] }] }]
        })
      )
    )
  )
})

describe("what ACR does not list", () => {
  it.live("keeps its image, if it is a tag", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const hidden = yield* seed("image", 60, ["v1", "hidden"])
      yield* seed("other", 60)
      yield* registry.updateTag("app", "hidden", { canList: false })
      const { apply, plan } = yield* planned(everything)
      assert.notInclude(goes(plan), hidden)
      assert.deepInclude(
        plan.manifests.find(({ digest }) => digest === hidden),
        { hiddenTags: ["hidden"] }
      )
      yield* apply()
      assert.include(yield* digestsIn, hidden)
      assert.strictEqual((yield* registry.tagProperties("app", "hidden")).digest, hidden)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("keeps everything, if it is a manifest: it may be an index", () =>
    Effect.gen(function* () {
      const { index } = yield* release
      const registry = yield* ContainerRegistry
      const { apply: deleteTag } = yield* planned([{ action: "untag" }])
      yield* deleteTag()
      yield* registry.updateManifest("app", index.digest, { canList: false })
      const { plan } = yield* planned(everything)
      assert.strictEqual(plan.coverage, "partial")
      assert.deepStrictEqual(goes(plan), [])
      assert.include(plan.warnings.join(), "lists 4 manifests and counts 5")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is an empty inventory, if there is no such repository", () =>
    Effect.gen(function* () {
      const { apply, plan } = yield* planned(everything)
      assert.deepStrictEqual([plan.tags, plan.manifests], [[], []])
      assert.strictEqual(RetentionReport.status(yield* apply()), "done")
    }).pipe(Effect.provide(emulated()))
  )
})
