/**
 * Artifacts that are restored from the trash of an emulator, with everything that belongs to them.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import type { Fault } from "@effect-acr/emulator/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Trash from "../src/Trash.ts"
import { attachment, config, forPlatform, image, index, layer } from "./support/artifacts.ts"
import { image as named } from "./support/retention.ts"

const repository = "shop/api"

const registry = (options: AcrEmulator.Options = {}, client: AcrEmulator.RegistryOptions = {}) =>
  AcrEmulator.layerRegistry({ retry: RetryPolicy.never, ...client }).pipe(
    Layer.provideMerge(AcrEmulator.layer({ softDelete: {}, ...options }))
  )

const keeping = registry()

/** Pushes a manifest with its blobs. */
const push = Effect.fnUntraced(function* (manifest: Manifest.Raw, ...tags: ReadonlyArray<string>) {
  const content = yield* RegistryContent
  for (const text of ["{}", "base", "amd64", "arm64", "other"]) {
    yield* content.putBlob(repository, text === "{}" ? config : layer(text), BlobSource.fromString(text))
  }
  yield* content.putManifest(repository, manifest, { tags })
  return manifest.descriptor.digest
})

const remove = (tagOrDigest: string) =>
  Effect.flatMap(ContainerRegistry, (service) => service.deleteManifest(repository, tagOrDigest))

const untag = (tag: string) => Effect.flatMap(ContainerRegistry, (service) => service.deleteTag(repository, tag))

const removeAll = Effect.flatMap(ContainerRegistry, (service) => service.deleteRepository(repository))

const inject = (fault: Fault) => Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.inject(fault))

const clearFaults = Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.clearFaults)

const orNothing = <A>(list: Stream.Stream<A, RegistryError>) =>
  Effect.catchReason(Stream.runCollect(list), "RegistryError", "NotFound", () => Effect.succeed<ReadonlyArray<A>>([]))

/** The content of the repository: its manifests, and its tags with the manifests that they name. */
const contents = Effect.gen(function* () {
  const service = yield* ContainerRegistry
  const manifests = yield* orNothing(service.manifests(repository))
  const tags = yield* orNothing(service.tags(repository))
  return {
    manifests: manifests.map(({ digest }) => digest).toSorted(),
    tags: tags.map(({ digest, name }) => `${name}=${digest}`).toSorted()
  }
})

const deletedManifests = Effect.flatMap(ContainerRegistry, (service) =>
  Effect.map(orNothing(service.deletedManifests(repository)), (all) => all.map(({ digest }) => digest).toSorted())
)

/** Outcomes by digest and by tag. */
const outcomes = (steps: ReadonlyArray<Trash.RestoredStep>): Record<string, string> =>
  Object.fromEntries(
    steps.flatMap(({ digest, outcome, tags }) => [[digest, outcome], ...tags.map((tag) => [tag.name, tag.outcome])])
  )

const restore = (tagOrDigest: string) => Trash.restore(repository, tagOrDigest)

const step = ({ descriptor }: Manifest.Raw, ...tags: ReadonlyArray<string>): Trash.Step => ({
  digest: descriptor.digest,
  tags
})

const digestOf = ({ descriptor }: Manifest.Raw): Digest.Digest => descriptor.digest

const amd64 = image("base", "amd64")
const arm64 = image("base", "arm64")
const other = image("other")
const both = index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64"))

const cosignTag = (manifest: Manifest.Raw, suffix: string): string =>
  `${Referrer.tag(manifest.descriptor.digest)}${suffix}`

/** A cosign manifest: no subject, as tags attach it. */
const signature = image("amd64")
const signatureOfImage = image("arm64")
const sbom = image("base")

const referrer = (subject: Descriptor) => attachment("sbom", subject)

/** An index with tags, a signature of it, one of an image in it, and an SBOM in a list of referrers. */
const pushEverything = Effect.gen(function* () {
  yield* push(amd64)
  yield* push(arm64)
  yield* push(both, "v1", "latest", "stable")
  yield* push(signature, cosignTag(both, ".sig"))
  yield* push(signatureOfImage, cosignTag(amd64, ".att"))
  const attached = referrer(both.descriptor)
  yield* push(attached)
  yield* push(index({ ...attached.descriptor }), cosignTag(both, ""))
})

const everything: ReadonlyArray<Trash.Step> = [
  step(amd64),
  step(arm64),
  step(both, "v1", "latest", "stable"),
  step(signature, cosignTag(both, ".sig")),
  step(signatureOfImage, cosignTag(amd64, ".att")),
  step(referrer(both.descriptor)),
  step(index(referrer(both.descriptor).descriptor), cosignTag(both, ""))
]

/** The paths of a manifest, in which a colon is an escape. */
const about = (manifest: Manifest.Raw, under = "/"): RegExp =>
  new RegExp(`^${under}.*${Digest.hex(digestOf(manifest))}`)

/** Fails a request without refusing the credentials. */
const refusal = (code: string, status = 409): Fault["consequence"] => ({
  _tag: "Answer",
  status,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ errors: [{ code, message: "refused by a fault" }] })
})

describe("restore", () => {
  it.live("restores an image with all its tags, page by page", () =>
    Effect.gen(function* () {
      const tags = Array.from({ length: 120 }, (_, at) => `build-${at}`)
      const digest = yield* push(amd64, "v1", ...tags)
      const before = yield* contents
      yield* remove(digest)
      assert.deepStrictEqual((yield* contents).manifests, [])
      const { root, steps } = yield* restore("v1")
      assert.strictEqual(root, digest)
      assert.deepStrictEqual(
        outcomes(steps),
        Object.fromEntries([digest, "v1", ...tags].map((name) => [name, "restored"]))
      )
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  for (const [what, tagOrDigest] of [
    ["tag", "v1"],
    ["digest", digestOf(both)]
  ] as const) {
    it.live(`brings an index back by ${what} with its images, signatures and lists of referrers`, () =>
      Effect.gen(function* () {
        yield* pushEverything
        const before = yield* contents
        yield* removeAll
        const { referrers, root, steps } = yield* restore(tagOrDigest)
        assert.strictEqual(root, digestOf(both))
        assert.strictEqual(referrers, "attached by tags")
        assert.deepStrictEqual(new Set(Object.values(outcomes(steps))), new Set(["restored"]))
        assert.strictEqual(steps[0]?.digest, root)
        assert.deepStrictEqual(yield* contents, before)
        assert.deepStrictEqual(yield* deletedManifests, [])
        assert.deepStrictEqual(new Set(Object.values(outcomes((yield* restore(root)).steps))), new Set(["present"]))
      }).pipe(Effect.provide(keeping))
    )
  }

  it.live("restores nested indexes", () =>
    Effect.gen(function* () {
      const nested = index(both.descriptor, other.descriptor)
      for (const manifest of [amd64, arm64, other, both]) yield* push(manifest)
      yield* push(nested, "v1")
      const before = yield* contents
      yield* removeAll
      yield* restore("v1")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("restores tags after all manifests, those of the image last, and the requested tag at the very end", () =>
    Effect.gen(function* () {
      yield* pushEverything
      yield* removeAll
      const service = yield* ContainerRegistry
      const restored: Array<string | undefined> = []
      const recording: typeof service = {
        ...service,
        restoreManifest: (name, digest, options) =>
          Effect.tap(service.restoreManifest(name, digest, options), () =>
            Effect.sync(() => restored.push(options?.tag))
          )
      }
      const { steps } = yield* Effect.provideService(restore("latest"), ContainerRegistry, recording)
      assert.deepStrictEqual(
        restored.slice(0, steps.length),
        steps.map(() => undefined)
      )
      const tags = restored.slice(steps.length)
      assert.sameMembers(tags.slice(0, 3), [cosignTag(both, ".sig"), cosignTag(amd64, ".att"), cosignTag(both, "")])
      assert.sameMembers(tags.slice(3, 5), ["stable", "v1"])
      assert.deepStrictEqual(tags.slice(5), ["latest"])
    }).pipe(Effect.provide(keeping))
  )

  it.live("leaves what does not belong to it in the trash", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* push(other, "v2")
      const unlisted = yield* push(referrer(amd64.descriptor))
      const unrelated = yield* push(sbom, cosignTag(arm64, ".sbom"))
      yield* removeAll
      yield* restore("v1")
      assert.deepStrictEqual(yield* contents, {
        manifests: [digestOf(amd64)],
        tags: [`v1=${digestOf(amd64)}`]
      })
      // The service returns nothing by which the referrer could be found.
      assert.deepStrictEqual(yield* deletedManifests, [digestOf(other), unlisted, unrelated].toSorted())
    }).pipe(Effect.provide(keeping))
  )

  it.live("restores signatures of signatures, and a manifest with all tags that attach it", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* push(arm64, cosignTag(amd64, ".sig"), cosignTag(amd64, ".att"))
      yield* push(other, cosignTag(arm64, ".sig"))
      const before = yield* contents
      yield* removeAll
      yield* restore("v1")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("follows a list of referrers that stayed when its subject was deleted", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      const attached = referrer(amd64.descriptor)
      yield* push(attached)
      yield* push(index(attached.descriptor), cosignTag(amd64, ""))
      const before = yield* contents
      // The registry deletes the referrer with its subject. The list is not a referrer.
      yield* remove("v1")
      assert.deepStrictEqual((yield* contents).tags.length, 1)
      assert.lengthOf(yield* deletedManifests, 2)
      const { steps } = yield* restore("v1")
      assert.strictEqual(outcomes(steps)[digestOf(attached)], "restored")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("restores a subject before its referrers, in any order of the index", () =>
    Effect.gen(function* () {
      const signed = referrer(amd64.descriptor)
      yield* push(amd64)
      yield* push(signed)
      yield* push(index(signed.descriptor, amd64.descriptor), "v1")
      const before = yield* contents
      yield* removeAll
      const { steps } = yield* restore("v1")
      assert.deepStrictEqual(new Set(Object.values(outcomes(steps))), new Set(["restored"]))
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("restores the newest deletion of a tag", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      yield* push(arm64, "v1", "latest")
      yield* remove("v1")
      assert.strictEqual((yield* restore("v1")).root, digestOf(arm64))
      assert.deepStrictEqual(yield* contents, {
        manifests: [digestOf(arm64)],
        tags: [`latest=${digestOf(arm64)}`, `v1=${digestOf(arm64)}`]
      })
    }).pipe(Effect.provide(keeping))
  )

  it.live("does not restore a tag to a manifest if another one had it later", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1", "first")
      yield* remove("v1")
      yield* push(arm64, "v1")
      yield* remove("v1")
      yield* restore(digestOf(amd64))
      assert.deepStrictEqual((yield* contents).tags, [`first=${digestOf(amd64)}`])
    }).pipe(Effect.provide(keeping))
  )

  it.live("moves no tag that was pushed again", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1", "latest")
      yield* remove("v1")
      yield* push(other, "latest", "v1")
      const { root, steps } = yield* restore("v1")
      assert.strictEqual(root, digestOf(amd64))
      assert.deepStrictEqual(outcomes(steps), { [root]: "restored", v1: "taken", latest: "taken" })
      assert.include(steps[0]?.tags[0]?.detail, digestOf(other))
      assert.deepStrictEqual((yield* contents).tags, [`latest=${digestOf(other)}`, `v1=${digestOf(other)}`])
    }).pipe(Effect.provide(keeping))
  )

  it.live("moves no tag that is pushed during the restore", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* push(other)
      yield* remove("v1")
      const service = yield* ContainerRegistry
      const content = yield* RegistryContent
      const racing: typeof service = {
        ...service,
        restoreManifest: (name, digest, options) =>
          options?.tag === undefined
            ? service.restoreManifest(name, digest, options)
            : Effect.andThen(
                content.putManifest(name, other, { tag: options.tag }),
                service.restoreManifest(name, digest, options)
              )
      }
      const { steps } = yield* Effect.provideService(restore("v1"), ContainerRegistry, racing)
      assert.deepStrictEqual(outcomes(steps), { [digestOf(amd64)]: "restored", v1: "taken" })
      assert.deepStrictEqual((yield* contents).tags, [`v1=${digestOf(other)}`])
    }).pipe(Effect.provide(keeping))
  )

  it.live("restores a tag that was deleted alone, and an image that an existing index lacks", () =>
    Effect.gen(function* () {
      yield* push(amd64)
      yield* push(arm64)
      yield* push(both, "v1", "latest")
      const before = yield* contents
      yield* untag("v1")
      yield* remove(digestOf(arm64))
      const { steps } = yield* restore("v1")
      assert.deepStrictEqual(outcomes(steps), {
        [digestOf(both)]: "present",
        [digestOf(amd64)]: "present",
        [digestOf(arm64)]: "restored",
        v1: "restored"
      })
      assert.deepStrictEqual(yield* contents, before)
      yield* remove(digestOf(arm64))
      // The tag is there: it names the root.
      assert.strictEqual(outcomes((yield* restore("v1")).steps)["v1"], "present")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("continues if a manifest is refused or unreadable, reports it, and does the rest when it runs again", () =>
    Effect.gen(function* () {
      yield* pushEverything
      const before = yield* contents
      yield* removeAll
      yield* inject({ method: "POST", path: about(arm64), times: 100, consequence: refusal("BUSY") })
      const list = index(referrer(both.descriptor).descriptor)
      yield* inject({ method: "GET", path: about(list, "/v2/"), consequence: refusal("DISALLOWED", 405) })
      const { steps } = yield* restore("v1")
      const failed = steps.filter(({ outcome }) => outcome !== "restored")
      assert.deepStrictEqual(
        failed.map(({ digest, outcome }) => [digest, outcome]),
        [[digestOf(arm64), "failed"]]
      )
      assert.include(failed[0]?.detail, "refused by a fault")
      assert.deepStrictEqual(
        steps.filter(({ unread }) => unread !== undefined).map(({ digest }) => digest),
        [digestOf(list)]
      )
      assert.deepStrictEqual((yield* contents).tags, before.tags)
      yield* clearFaults
      assert.deepStrictEqual(outcomes((yield* restore("v1")).steps)[digestOf(arm64)], "restored")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("reports the tags of a refused manifest as failed", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      yield* inject({ method: "POST", path: "/acr/v1/_deleted/", consequence: refusal("BUSY") })
      const { steps } = yield* restore("v1")
      assert.deepStrictEqual(outcomes(steps), { [digestOf(amd64)]: "failed", v1: "failed" })
      assert.deepStrictEqual((yield* contents).manifests, [])
    }).pipe(Effect.provide(keeping))
  )

  it.live("reports which image of an index is no longer in the trash", () =>
    Effect.gen(function* () {
      yield* push(amd64)
      yield* push(arm64)
      yield* push(both, "v1")
      yield* removeAll
      yield* inject({
        method: "POST",
        path: about(arm64),
        times: 100,
        consequence: refusal("MANIFEST_UNKNOWN", 404)
      })
      assert.strictEqual(outcomes((yield* restore("v1")).steps)[digestOf(arm64)], "missing")
      assert.include((yield* contents).tags, `v1=${digestOf(both)}`)
    }).pipe(Effect.provide(keeping))
  )

  it.live("finds out the outcome of restores whose responses are lost", () =>
    Effect.gen(function* () {
      yield* pushEverything
      const before = yield* contents
      yield* removeAll
      yield* inject({
        method: "POST",
        path: "/acr/v1/_deleted/",
        times: 1000,
        consequence: { _tag: "LostAnswer" }
      })
      const { steps } = yield* restore("v1")
      assert.deepStrictEqual(new Set(Object.values(outcomes(steps))), new Set(["restored"]))
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  for (const [what, tagOrDigest, resource] of [
    ["digest", digestOf(amd64), "manifest"],
    ["tag", "v1", "tag"]
  ] as const) {
    it.live(`fails with NotFound for a ${what} that was never there`, () =>
      Effect.gen(function* () {
        const missing = Effect.map(Effect.flip(restore(tagOrDigest)), ({ operation, reason }) => [
          operation,
          reason._tag,
          "resource" in reason ? reason.resource : ""
        ])
        assert.deepStrictEqual(yield* missing, ["Trash.restore", "NotFound", resource])
        yield* push(other, "v2")
        assert.deepStrictEqual(yield* missing, ["Trash.restore", "NotFound", resource])
      }).pipe(Effect.provide(keeping))
    )
  }

  it.live("refuses what is neither a tag nor a digest", () =>
    Effect.gen(function* () {
      for (const wrong of ["", "a b", "sha256:1"]) {
        assert.strictEqual((yield* Effect.flip(restore(wrong))).reason._tag, "InvalidRequest", wrong)
      }
    }).pipe(Effect.provide(keeping))
  )

  it.effect("fails with NotFound for what has expired", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      yield* TestClock.adjust("7 days")
      for (const expired of ["v1", digestOf(amd64)]) {
        assert.strictEqual((yield* Effect.flip(restore(expired))).reason._tag, "NotFound")
      }
    }).pipe(Effect.provide(keeping))
  )
})

describe("restoreSteps", () => {
  it.live("restores in the order of the list, the first tag with its manifest", () =>
    Effect.gen(function* () {
      yield* pushEverything
      const before = yield* contents
      yield* removeAll
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.clearJournal
      const steps = yield* Trash.restoreSteps(repository, everything)
      assert.deepStrictEqual(
        steps.map(({ digest }) => digest),
        everything.map(({ digest }) => digest)
      )
      assert.deepStrictEqual(new Set(Object.values(outcomes(steps))), new Set(["restored"]))
      assert.deepStrictEqual(yield* contents, before)
      const posts = (yield* emulator.journal).filter(({ method, path }) => method === "POST" && path.startsWith("/acr"))
      assert.deepStrictEqual(
        posts.map(({ path }) => decodeURIComponent(path).split("/_manifests/")[1]),
        everything.flatMap(({ digest, tags }) => Array.from({ length: Math.max(1, tags.length) }, () => digest))
      )
      const again = yield* Trash.restoreSteps(repository, everything)
      assert.deepStrictEqual(new Set(Object.values(outcomes(again))), new Set(["present"]))
    }).pipe(Effect.provide(keeping))
  )

  it.live("continues after a taken tag, a tag and a manifest that are not in the trash, and a refusal", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1", "v2")
      yield* push(arm64, "arm")
      yield* remove("v1")
      yield* remove("arm")
      yield* push(other, "v1")
      yield* inject({ method: "POST", path: about(arm64), times: 100, consequence: refusal("BUSY") })
      const steps = yield* Trash.restoreSteps(repository, [
        step(arm64, "arm"),
        step(both, "never"),
        step(amd64, "v1", "unknown", "v2")
      ])
      assert.deepStrictEqual(outcomes(steps), {
        [digestOf(arm64)]: "failed",
        arm: "failed",
        [digestOf(both)]: "missing",
        never: "missing",
        [digestOf(amd64)]: "restored",
        v1: "taken",
        unknown: "missing",
        v2: "restored"
      })
      assert.deepStrictEqual((yield* contents).tags, [`v1=${digestOf(other)}`, `v2=${digestOf(amd64)}`])
      // Written and read again, as a program keeps it.
      const json = Schema.toCodecJson(Schema.Array(Trash.RestoredStep))
      const written = yield* Schema.encodeEffect(json)(steps)
      assert.deepStrictEqual(yield* Schema.decodeEffect(json)(written), steps)
    }).pipe(Effect.provide(keeping))
  )

  it.live("finds out the outcome of restores whose responses are lost", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1", "v2")
      const before = yield* contents
      yield* remove("v1")
      yield* inject({ method: "POST", path: "/acr/v1/_deleted/", times: 100, consequence: { _tag: "LostAnswer" } })
      const steps = yield* Trash.restoreSteps(repository, [step(amd64, "v1", "v2")])
      assert.deepStrictEqual(outcomes(steps), { [digestOf(amd64)]: "restored", v1: "restored", v2: "restored" })
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.effect("reports expired objects as missing", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      yield* TestClock.adjust("6 days")
      yield* push(arm64, "v2")
      yield* remove("v2")
      yield* TestClock.adjust("1 day")
      const steps = yield* Trash.restoreSteps(repository, [step(amd64, "v1"), step(arm64, "v2")])
      assert.deepStrictEqual(outcomes(steps), {
        [digestOf(amd64)]: "missing",
        v1: "missing",
        [digestOf(arm64)]: "restored",
        v2: "restored"
      })
    }).pipe(Effect.provide(keeping))
  )

  it.live("sends one request for a manifest to a registry that does not respond", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      yield* inject({ method: "POST", path: "/acr/v1/_deleted/", consequence: { _tag: "Reset" } })
      const emulator = yield* AcrEmulator.AcrEmulator
      yield* emulator.clearJournal
      const steps = yield* Trash.restoreSteps(repository, [step(amd64, "v1")])
      assert.deepStrictEqual(outcomes(steps), { [digestOf(amd64)]: "failed", v1: "failed" })
      const posts = (yield* emulator.journal).filter(({ method, path }) => method === "POST" && path.startsWith("/acr"))
      assert.lengthOf(posts, 1)
    }).pipe(Effect.provide(keeping))
  )

  it.live("refuses an invalid repository name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Trash.restoreSteps("No Repository", everything))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
    }).pipe(Effect.provide(keeping))
  )
})

/** Services that interrupt the n-th request, before it is sent or after the response. */
const interruptedAt = Effect.fnUntraced(function* (at: number, isSent: boolean) {
  const service = yield* ContainerRegistry
  const content = yield* RegistryContent
  let count = 0
  const gate = Effect.suspend(() => (count++ === at ? Effect.interrupt : Effect.void))
  const gated = <A, E>(request: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    isSent ? Effect.flatMap(Effect.exit(request), (exit) => Effect.andThen(gate, exit)) : Effect.andThen(gate, request)
  const list = <A, E>(items: Stream.Stream<A, E>): Stream.Stream<A, E> =>
    Stream.unwrap(Effect.map(gated(Stream.runCollect(items)), Stream.fromIterable))
  return Layer.mergeAll(
    Layer.succeed(ContainerRegistry, {
      ...service,
      deletedTags: (...args) => list(service.deletedTags(...args)),
      tags: (...args) => list(service.tags(...args)),
      tagProperties: (...args) => gated(service.tagProperties(...args)),
      manifestProperties: (...args) => gated(service.manifestProperties(...args)),
      restoreManifest: (...args) => gated(service.restoreManifest(...args))
    }),
    Layer.succeed(RegistryContent, { ...content, rawManifest: (...args) => gated(content.rawManifest(...args)) })
  )
})

const runs = {
  "restore by tag": Effect.asVoid(restore("v1")),
  "restore by digest": Effect.asVoid(restore(digestOf(both))),
  restoreSteps: Effect.asVoid(Trash.restoreSteps(repository, everything))
}

describe("interrupted at any request and run again", () => {
  for (const [name, run] of Object.entries(runs)) {
    for (const isSent of [false, true]) {
      it.live(`${name} does the rest (${isSent ? "after" : "before"} the registry does what is requested)`, () =>
        Effect.gen(function* () {
          yield* pushEverything
          const before = yield* contents
          let at = 0
          for (let isInterrupted = true; isInterrupted; at++) {
            yield* removeAll
            const exit = yield* Effect.exit(Effect.provide(run, yield* interruptedAt(at, isSent)))
            isInterrupted = Exit.hasInterrupts(exit)
            yield* run
            assert.deepStrictEqual(yield* contents, before, `request ${at}`)
            assert.deepStrictEqual(yield* deletedManifests, [])
          }
          assert.isAbove(at, 20)
        }).pipe(Effect.provide(keeping))
      )
    }
  }

  it.live("restore by tag finds the same manifest although an older deletion of the tag is in the trash", () =>
    Effect.gen(function* () {
      yield* push(other, "v1")
      yield* remove("v1")
      yield* push(amd64, "v1", "x1", "x2")
      const before = yield* contents
      for (let at = 0, isRestored = false; !isRestored; at++) {
        yield* remove(digestOf(amd64))
        const exit = yield* Effect.exit(Effect.provide(restore("v1"), yield* interruptedAt(at, true)))
        // Once the tag exists, nothing is left to do.
        isRestored = (yield* contents).tags.includes(`v1=${digestOf(amd64)}`)
        assert.isTrue(isRestored || Exit.hasInterrupts(exit))
        if (!isRestored) yield* restore("v1")
        assert.deepStrictEqual(yield* contents, before, `request ${at}`)
      }
    }).pipe(Effect.provide(keeping))
  )
})

describe("without permission", () => {
  const puller = { username: "puller", password: Redacted.make("only for this test") }
  const scopeMap = [{ repository: "*", actions: ["content/read", "metadata/read"] as const }]
  const asPuller = AcrEmulator.layerRegistry({
    retry: RetryPolicy.never,
    credentials: Credentials.layerPassword(puller)
  })

  const layers = registry({ scopeMapTokens: [{ ...puller, scopeMap }] })

  it.live("nothing is restored, and the reason is a permission", () =>
    Effect.gen(function* () {
      yield* push(amd64, "v1")
      yield* remove("v1")
      for (const run of Object.values(runs)) {
        const error = yield* Effect.flip(Effect.provide(run, asPuller))
        assert.include(["Forbidden", "Unauthenticated"], error.reason._tag)
        assert.isUndefined(error.completed)
      }
      assert.deepStrictEqual(yield* deletedManifests, [digestOf(amd64)])
    }).pipe(Effect.provide(layers))
  )

  for (const [status, reason] of [
    [401, "Unauthenticated"],
    [403, "Forbidden"]
  ] as const) {
    for (const [name, run] of Object.entries(runs)) {
      it.live(`${name} ends at a ${status} in the middle, and says what is restored`, () =>
        Effect.gen(function* () {
          yield* pushEverything
          const before = yield* contents
          yield* removeAll
          yield* inject({
            method: "POST",
            path: "/acr/v1/_deleted/",
            skip: 3,
            times: 1000,
            consequence: refusal("DENIED", status)
          })
          const emulator = yield* AcrEmulator.AcrEmulator
          const error = yield* Effect.flip(run)
          assert.strictEqual(error.reason._tag, reason)
          assert.match(error.completed ?? "", /^manifests were restored: 3/)
          assert.isBelow(
            (yield* emulator.journal).filter(({ method, status: got }) => method === "POST" && got === status).length,
            9
          )
          yield* clearFaults
          yield* run
          assert.deepStrictEqual(yield* contents, before)
        }).pipe(Effect.provide(keeping))
      )
    }
  }

  it.live("no more requests are sent than are under way at the first refusal", () =>
    Effect.gen(function* () {
      const images = Array.from({ length: 30 }, (_, at) => named(`image ${at}`))
      for (const one of images) yield* push(one)
      yield* push(index(...images.map(({ descriptor }) => descriptor)), "v1")
      const before = yield* contents
      yield* removeAll
      yield* inject({
        method: "POST",
        path: "/acr/v1/_deleted/",
        skip: 1,
        times: 1000,
        consequence: refusal("DENIED", 403)
      })
      assert.strictEqual((yield* Effect.flip(restore("v1"))).completed, "manifests were restored: 1")
      const { journal } = yield* AcrEmulator.AcrEmulator
      assert.isAtMost((yield* journal).filter(({ status }) => status === 403).length, 8)
      yield* clearFaults
      yield* restore("v1")
      assert.deepStrictEqual(yield* contents, before)
    }).pipe(Effect.provide(keeping))
  )

  it.live("on a registry that is not ACR, everything is unsupported", () =>
    Effect.gen(function* () {
      yield* inject({
        path: "/acr/",
        times: 100,
        consequence: {
          _tag: "Answer",
          status: 404,
          headers: { "Content-Type": "text/plain" },
          body: "404 page not found"
        }
      })
      for (const run of Object.values(runs)) {
        assert.strictEqual((yield* Effect.flip(run)).reason._tag, "Unsupported")
      }
    }).pipe(Effect.provide(keeping))
  )
})
