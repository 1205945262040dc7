/**
 * A repository that crane, cosign and oras made, before and after a retention: they judge what is left.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import type { Plan } from "@effect-acr/artifacts/RetentionPlan"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import type { RetentionTarget } from "@effect-acr/artifacts/RetentionTarget"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Registries from "./support/registries.ts"
import * as Releases from "./support/releases.ts"

const decodeRules = Schema.decodeUnknownEffect(RetentionRules.Rules)

const keep = { action: "keep", because: "no rule names it" }

/** Keeps the newest three releases. Everything was pushed just now. */
const newestThree = (by: "update" | "version") =>
  Effect.orDie(
    decodeRules({
      repositories: ["**"],
      defaults: { tags: keep, untagged: keep, orphans: keep },
      rules: [
        {
          name: "newest",
          because: "to go back by two",
          of: ["tags"],
          tags: [{ semver: "*" }],
          newest: { count: 3, by },
          action: "keep"
        },
        { name: "old", because: "they cost", of: ["tags"], tags: [{ semver: "*" }], action: "delete" }
      ],
      safetyAge: "none",
      limits: { maxFraction: 0.8 }
    })
  )

const planFor = (target: RetentionTarget, rules: RetentionRules.Rules) =>
  Effect.flatMap(Retention.inventory(target), (inventory) => Effect.fromResult(Retention.plan(inventory, rules)))

const kept = ["1.8.0", "1.9.0", "1.10.0"] as const
const gone = ["1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0"] as const

/** The lines of a tree with several branches, which cosign prints in any order. */
const linesOf = (tree: string): ReadonlyArray<string> =>
  tree
    .split("\n")
    .map((line) => line.replace(/^[^\w:]+/, ""))
    .toSorted()

/** All that the tools show of what stays. */
const shown = (tools: Releases.Tools, image: string) =>
  Effect.forEach(
    [...kept, "for-the-lab", "base"],
    (tag) =>
      Effect.gen(function* () {
        const { cosign, crane, oras } = tools
        const name = `${image}:${tag}`
        yield* crane.run("validate", "--remote", name)
        return {
          tag,
          manifest: yield* crane.run("manifest", name),
          tree: yield* cosign.run("tree", name),
          referrers: linesOf(yield* cosign.run("tree", "--experimental-oci11", name)),
          discovered: yield* oras.run("discover", "--format", "json", name)
        }
      }),
    { concurrency: Releases.concurrency }
  )

/** Which of some manifests are there, as crane pulls them. */
const present = ({ crane }: Releases.Tools, image: string, digests: ReadonlyArray<string>) =>
  Effect.filter(digests, (digest) => Effect.isSuccess(crane.run("manifest", `${image}@${digest}`)), {
    concurrency: Releases.concurrency
  })

const verify = ({ cosign }: Releases.Tools, image: string, digest: string, ...more: ReadonlyArray<string>) =>
  cosign.run("verify", ...cosign.verifying, ...more, `${image}@${digest}`)

const deletedTags = ({ tags }: Plan) => tags.filter(({ verdict }) => verdict === "delete").map(({ name }) => name)

/** Version 2 of distribution would show the same as version 3: retentionRegistries.test.ts has what is different. */
const registries = Registries.registries.filter(({ name }) => name !== "docker-registry")

describe.runIf(Releases.areToolsThere)("releases that crane, cosign and oras made", () => {
  for (const registry of registries) {
    const services = Layer.provideMerge(ContainerRegistry.layerTransport, registry.layer)

    it.live.runIf(registry.isThere)(`are kept whole, or go with their signatures: ${registry.name}`, () =>
      Effect.gen(function* () {
        const running = yield* Registries.Running
        const tools = yield* Releases.toolsFor(running)
        const { cosign, crane } = tools
        const image = `${running.loginServer}/shop/api`
        const release = yield* Releases.make(tools, image)
        const referrers = (digest: string) => Releases.referrersOf(tools, image, digest)
        const digestOf = (tag: string) => Effect.map(crane.run("digest", `${image}:${tag}`), (digest) => digest.trim())

        const child = release("1.5.0").images.arm64
        const shared = release("1.10.0").images.amd64
        const staying = [
          ...kept.flatMap((version) => [release(version).index, ...Object.values(release(version).images)]),
          child,
          yield* digestOf("base"),
          yield* digestOf(Releases.signatureTag(release("1.10.0").index)),
          yield* digestOf(Releases.signatureTag(child)),
          ...(yield* referrers(release("1.9.0").index)),
          ...(yield* referrers(release("1.8.0").images.amd64))
        ]
        const going = [
          ...gone
            .flatMap((version) => [release(version).index, ...Object.values(release(version).images)])
            .filter((digest) => digest !== child && digest !== shared),
          yield* digestOf(Releases.signatureTag(release("1.4.0").index)),
          ...(yield* referrers(release("1.3.0").index)),
          ...(yield* referrers(release("1.4.0").images.amd64))
        ]
        assert.deepStrictEqual([staying.length, going.length], [16, 17])
        const before = yield* shown(tools, image)
        const tagsBefore = (yield* crane.run("ls", image)).trim().split("\n")

        const opened = yield* Retention.target("shop/api")
        const rules = yield* newestThree(opened.listing._tag === "Everything" ? "update" : "version")
        const plan = yield* planFor(opened, rules)
        const report = yield* Retention.apply(opened, plan, rules)
        assert.strictEqual(RetentionReport.status(report), "done", JSON.stringify(report.outcomes))

        assert.deepStrictEqual(yield* shown(tools, image), before)
        assert.deepStrictEqual(yield* present(tools, image, staying), staying)
        assert.deepStrictEqual(yield* present(tools, image, going), [])
        const tags = (yield* crane.run("ls", image)).trim().split("\n")
        assert.deepStrictEqual(tagsBefore.filter((tag) => !tags.includes(tag)).toSorted(), deletedTags(plan).toSorted())
        assert.deepStrictEqual(
          deletedTags(plan).filter((tag) => !tag.startsWith("sha256-")),
          gone.toSorted()
        )

        yield* verify(tools, image, release("1.10.0").index)
        yield* verify(tools, image, release("1.9.0").index, ...cosign.bundle)
        yield* verify(tools, image, child)

        const again = yield* planFor(opened, rules)
        assert.deepStrictEqual(again.frees, { tags: 0, manifests: 0, atMostBytes: 0 })
        assert.deepStrictEqual(again.broken, [])
      }).pipe(Effect.provide(services))
    )
  }
})
