/**
 * The requests of a retention at Azure Container Registry between the last look at an object and its deletion: none but those of
 * the look.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emulated, requestsOf } from "./support/emulator.ts"
import { planFor, pushImage, pushIndex, rulesOf } from "./support/retention.ts"

/** What requests are about, with what is written differently each time left out. */
const shortened = (names: ReadonlyMap<string, string>) => (request: string) =>
  Array.from(names)
    .reduce((text, [digest, name]) => text.replaceAll(digest, name), request)
    .replace(/ 20[02]$/, "")

describe("a retention that deletes one object after the other", () => {
  it.live("sends no request between the look at an object and its deletion", () =>
    Effect.gen(function* () {
      const amd64 = yield* pushImage("app", "amd64")
      const index = yield* pushIndex("app", [amd64], ["v1"])
      const sbom = yield* pushImage("app", "sbom", [], amd64)
      const both = yield* pushImage("app", "both", ["old", "latest"])
      const target = yield* Retention.target("app")
      const rules = yield* rulesOf([
        { tags: ["latest"], action: "keep" },
        { of: ["tags"], action: "delete" }
      ])
      const plan = yield* planFor(target, rules)
      const all = yield* requestsOf(
        Effect.map(Retention.apply(target, plan, rules, { concurrency: 1 }), (report) =>
          assert.strictEqual(RetentionReport.status(report), "done", JSON.stringify(report))
        )
      )
      const names = new Map(
        Object.entries({ amd64, index, sbom, both }).map(([name, { digest }]) => [String(digest), name] as const)
      )
      const requests = all.map(shortened(names)).filter((request) => !request.includes("oauth2"))
      const lists = ["GET /acr/v1/app/_manifests", "GET /acr/v1/app/_tags"]
      /** The requests up to a deletion, from the end of what came before: those of a look are sent at once, in any order. */
      const before = (deletion: string, count: number) => {
        const at = requests.indexOf(deletion)
        assert.isAbove(at, 0, requests.join("\n"))
        return requests.slice(at - count, at).toSorted()
      }
      assert.deepStrictEqual(before("DELETE /acr/v1/app/_tags/old", 1), ["GET /acr/v1/app/_tags/old"])
      assert.deepStrictEqual(
        before("DELETE /v2/app/manifests/index", 3),
        [...lists, "GET /acr/v1/app/_manifests/index"].toSorted()
      )
      assert.deepStrictEqual(
        before("DELETE /v2/app/manifests/amd64", 4),
        [...lists, "GET /acr/v1/app/_manifests/amd64", "GET /acr/v1/app/_manifests/sbom"].toSorted()
      )
    }).pipe(Effect.provide(emulated()))
  )

  it.live("unlocks an object between the look and its deletion", () =>
    Effect.gen(function* () {
      const { digest } = yield* pushImage("app", "locked", ["v1"])
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* registry.updateManifest("app", digest, { canDelete: false })
      const target = yield* Retention.target("app")
      const rules = yield* rulesOf([{ action: "delete" }], {
        locked: "include",
        limits: { maxFraction: 1, minRemaining: 0 }
      })
      const plan = yield* planFor(target, rules)
      const all = yield* requestsOf(Retention.apply(target, plan, rules, { concurrency: 1, allowLocked: true }))
      const requests = all
        .map(shortened(new Map([[String(digest), "locked"]])))
        .filter((one) => !one.includes("oauth2"))
      const at = requests.indexOf("DELETE /v2/app/manifests/locked")
      assert.deepStrictEqual(requests.slice(at - 2, at), [
        "GET /acr/v1/app/_manifests/locked",
        "PATCH /acr/v1/app/_manifests/locked"
      ])
      assert.deepStrictEqual(
        requests.slice(at - 5, at - 2).toSorted(),
        ["GET /acr/v1/app/_manifests", "GET /acr/v1/app/_tags", "GET /acr/v1/app/_manifests/locked"].toSorted()
      )
    }).pipe(Effect.provide(emulated()))
  )
})
