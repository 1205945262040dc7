/**
 * Manifests without a tag: signatures, SBOMs, and those that nothing names.
 */
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Digest from "@effect-acr/client/Digest"
import * as Registries from "@effect-acr/client/Registries"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf, withoutLists } from "./support/world.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>

const image = { repository: "shop/api", tags: ["1.0"], layers: ["api"] }

const signature = { artifactType: "application/vnd.signature", layers: ["signature"] }

const signed = { ...image, referrers: [signature] }

const digestsIn = ({ contents }: World["source"]) =>
  Effect.map(contents("shop/api"), (found) =>
    Option.getOrThrow(found)
      .manifests.map(({ digest }) => digest)
      .toSorted()
  )

/** Asserts that a run is complete, and that the target has all manifests of the source. */
const assertWhole = ({ source, status, target }: World) =>
  Effect.gen(function* () {
    assert.deepEqual(yield* digestsIn(target), yield* digestsIn(source))
    assert.isTrue(MigrationReport.isComplete(yield* status))
  })

/** Makes a target refuse manifests. */
const refuseManifests = ({ inject }: World["target"]) =>
  inject({
    method: "PUT",
    path: /\/manifests\//,
    times: "always",
    consequence: { _tag: "Answer", status: 400, body: '{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}' }
  })

/** The number of artifacts to copy in each pass. */
const artifactsToCopy = (events: Iterable<Migration.Event>) =>
  Array.from(events).flatMap((event) => (event._tag === "Planned" ? [event.artifacts] : []))

/** Takes the tag away, so that nothing names the manifest. */
const untag = ({ services, source }: World, tag: string) =>
  Effect.provide(
    Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
      registry.deleteTag("shop/api", tag)
    ),
    services
  )

describe("a signature", () => {
  it.live("arrives in the first call where the target has all that is tagged", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.source.seed(signed)
      yield* world.target.seed(image)
      const plan = Effect.provide(Effect.flatMap(world.decode({}), Migration.plan), world.services)
      assert.deepInclude(yield* plan, { artifacts: 1, present: 1 })
      yield* world.run()
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("that comes between two passes arrives, also if a tag is newer and the target lists only tags", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* withoutLists(world.target)
      yield* world.source.setTime(DateTime.makeUnsafe("2026-01-01T00:00:00.001Z"))
      yield* world.seed(image)
      yield* Migration.run("test", yield* world.decode({})).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "BatchDone"),
        Stream.runDrain,
        Effect.provide(world.services)
      )
      yield* world.seed(signed, { ...image, tags: ["1.1"], layers: ["newer"] })
      yield* world.run()
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("that comes later in the same second arrives where the target lists only tags", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* withoutLists(world.target)
      yield* world.source.setTime(DateTime.makeUnsafe("2026-01-01T00:00:00.001Z"))
      yield* world.seed({ ...image, platforms: ["linux/amd64", "linux/arm64"] })
      yield* world.run()
      yield* world.seed({ ...image, platforms: ["linux/amd64", "linux/arm64"], referrers: [signature] })
      yield* world.run()
      yield* assertWhole(world)
      // Nothing is new: nothing is looked at again.
      yield* world.source.clearJournal
      yield* world.run()
      const read = (yield* world.source.journal).filter(({ path }) => path.startsWith("/v2/shop/"))
      assert.deepEqual(read, [])
    }).pipe(Effect.scoped)
  )

  it.live("that the target refuses leaves the run incomplete, until a later call copies it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* withoutLists(world.source)
      yield* world.source.seed(signed)
      yield* world.target.seed(image)
      const fault = yield* refuseManifests(world.target)
      yield* world.run()
      assert.deepInclude((yield* world.report)[0], { state: "refused", class: "refused" })
      assert.isFalse(MigrationReport.isComplete(yield* world.status))
      yield* world.target.removeFault(fault)
      yield* world.run()
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("is copied once its subject is at the target, also if another program pushed that", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = { ...image, tags: ["2.0"], layers: ["other"] }
      const rules = { routes: [{ ...world.route, tags: { include: ["1.*"] } }] }
      yield* world.seed(image, { ...other, referrers: [signature] })
      yield* world.run(rules)
      assert.lengthOf(yield* digestsIn(world.target), 1)
      yield* world.target.seed(other)
      yield* world.run(rules)
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )
})

/** Rules for tags other than those of signatures. */
const rulesOf = ({ route }: World, more: Record<string, unknown> = {}) => ({
  routes: [{ ...route, tags: { include: ["1.*"] } }],
  cosignTags: true,
  ...more
})

/** A signature of cosign 2. */
const signatureOf = (digest: string) => ({
  ...image,
  tags: [`${digest.replace(":", "-")}.sig`],
  layers: ["signature"]
})

describe("a signature in a tag of cosign 2", () => {
  it.live("that comes later arrives although the rules select other tags, and is looked for no more", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const call = world.run(rulesOf(world, { referrers: false }))
      const [digest = ""] = yield* world.seed(image)
      yield* call
      yield* world.seed(signatureOf(digest), { ...image, tags: ["2.0"], layers: ["another"] })
      yield* call
      assert.deepEqual(
        (yield* tagsOf(world.target)).map((tag) => tag.split(" ")[0]),
        ["shop/api:1.0", `shop/api:${digest.replace(":", "-")}.sig`]
      )
      assert.deepEqual(artifactsToCopy(yield* call), [0])
      assert.isTrue(MigrationReport.isComplete(yield* world.status))
    }).pipe(Effect.scoped)
  )

  it.live("that the target refuses leaves the run incomplete, until a later call copies it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [digest = ""] = yield* world.seed(image)
      yield* world.seed(signatureOf(digest))
      yield* world.target.seed(image)
      const fault = yield* refuseManifests(world.target)
      yield* world.run(rulesOf(world))
      assert.isFalse(MigrationReport.isComplete(yield* world.status))
      yield* world.target.removeFault(fault)
      yield* world.run(rulesOf(world))
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("that comes while its image is damaged at the target arrives once the image is whole again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [digest = ""] = yield* world.seed(image)
      const answers = [
        { method: "GET", path: /\/blobs\//, times: "always", consequence: { _tag: "CorruptBody", atByte: 1 } },
        { method: "DELETE", path: /\/blobs\//, times: "always", consequence: { _tag: "Answer", status: 405 } }
      ] as const
      const faults = yield* Effect.forEach(answers, world.target.inject)
      yield* world.run(rulesOf(world))
      assert.deepInclude((yield* world.report)[0], { state: "failed", class: "damaged" })
      yield* Effect.forEach(faults, world.target.removeFault)
      yield* world.seed(signatureOf(digest))
      yield* world.run(rulesOf(world))
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("of a manifest without a tag, and of an image of an index, arrives when it comes later", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const rules = rulesOf(world, { untagged: true, referrers: false })
      yield* world.seed({ ...image, platforms: ["linux/amd64", "linux/arm64"] })
      const [loose = ""] = yield* world.seed({ ...image, tags: ["gone"], layers: ["left over"] })
      yield* untag(world, "gone")
      yield* world.run(rules)
      const manifests = Option.getOrThrow(yield* world.source.contents("shop/api")).manifests
      const part = manifests.find(({ digest, tags }) => tags.length === 0 && digest !== loose)?.digest ?? ""
      yield* world.seed(signatureOf(loose), { ...signatureOf(part), layers: ["of a part"] })
      yield* world.run(rules)
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )
})

describe("a manifest that nothing names", () => {
  const leftOver = { ...image, tags: ["gone"], layers: ["left over"] }

  it.live("stays behind unless the rules want it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.seed(image, leftOver)
      yield* untag(world, "gone")
      yield* world.run()
      assert.lengthOf(yield* digestsIn(world.target), 1)
      yield* world.run({ untagged: true }, "all")
      assert.deepEqual(yield* digestsIn(world.target), yield* digestsIn(world.source))
    }).pipe(Effect.scoped)
  )

  it.live("stays behind unless an index of the target has lost it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.seed({ ...image, platforms: ["linux/amd64", "linux/arm64"] })
      yield* world.run()
      const { manifests } = Option.getOrThrow(yield* world.target.contents(image.repository))
      const part = manifests.find(({ tags }) => tags.length === 0)?.digest ?? ""
      const remove = Effect.flatMap(
        Registries.open(`${world.target.loginServer}/${image.repository}`),
        ({ registry }) => registry.deleteManifest(image.repository, part)
      )
      for (const _ of [1, 2]) {
        yield* Effect.provide(remove, world.services)
        yield* world.run()
        yield* assertWhole(world)
      }
    }).pipe(Effect.scoped)
  )

  it.live("names the target if that refuses to show its indexes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { run, seed, target } = world
      yield* seed({ ...image, platforms: ["linux/amd64", "linux/arm64"] }, leftOver)
      yield* untag(world, "gone")
      yield* target.inject({
        method: "GET",
        path: /\/manifests\/sha256:/,
        times: "always",
        consequence: { _tag: "Answer", status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"no more"}]}' }
      })
      const deniedBy = { side: "target" as const, registry: target.loginServer }
      assert.deepInclude(yield* Effect.flip(run({ verify: { sample: 0 } })), { problem: "Denied", deniedBy })
    }).pipe(Effect.scoped)
  )

  it.live("goes also to a registry that lists only tags, once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* withoutLists(world.target)
      yield* world.seed(image, leftOver)
      yield* untag(world, "gone")
      yield* world.run({ untagged: true })
      yield* assertWhole(world)
      yield* world.target.clearJournal
      yield* world.run({ untagged: true })
      const pushed = (yield* world.target.journal).filter(({ method }) => method === "PUT")
      assert.deepEqual(pushed, [])
      yield* assertWhole(world)
    }).pipe(Effect.scoped)
  )

  it.live("goes to layouts and archives, with its referrers", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.seed(image, { ...leftOver, referrers: [signature] })
      yield* untag(world, "gone")
      const digests = (yield* digestsIn(world.source)).map((digest) => Digest.Digest.make(digest))
      for (const kind of ["layouts", "archives"]) {
        const rules = {
          routes: [{ from: world.route.from, to: { [kind]: join(world.folder, kind) } }],
          untagged: true
        }
        yield* world.run(rules, kind)
        assert.deepEqual(artifactsToCopy(yield* world.run(rules, kind)), [0])
      }
      const layout = yield* ImageLayout.open(join(world.folder, "layouts", "shop", "api"))
      yield* Effect.promise(() => rm(join(world.folder, "archives", ".layouts"), { recursive: true }))
      yield* world.seed({ ...image, tags: ["1.1"], layers: ["newer"] })
      const to = { archives: join(world.folder, "archives") }
      yield* world.run({ routes: [{ from: world.route.from, to }], untagged: true }, "archives")
      const archive = yield* ImageArchive.read(join(world.folder, "archives", "shop", "api.tar"))
      for (const digest of digests) {
        assert.isTrue(Option.isSome(yield* layout.resolve(digest)))
        assert.isTrue(Option.isSome(yield* archive.resolve(digest)))
      }
    }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeCompression.layer]))
  )

  for (const kind of ["layouts", "archives"]) {
    it.live(`comes back from ${kind}, and is reported unless the rules want it`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.seed(signed, { ...leftOver, referrers: [signature] })
        yield* untag(world, "gone")
        const folder = { [kind]: join(world.folder, kind) }
        yield* world.run({ routes: [{ from: world.route.from, to: folder }], untagged: true }, "out")
        const back = { routes: [{ from: folder, to: world.route.to }] }
        yield* world.run(back)
        assert.lengthOf(yield* digestsIn(world.target), 2)
        assert.sameMembers(
          (yield* world.report).flatMap(({ class: kind, state }) => (state === "skipped" ? [kind] : [])),
          ["untagged", "orphan"]
        )
        yield* world.run({ ...back, untagged: true }, "all")
        assert.deepEqual(yield* digestsIn(world.target), yield* digestsIn(world.source))
        assert.isTrue(MigrationReport.isComplete(yield* Effect.provide(Migration.status("all"), world.services)))
      }).pipe(Effect.scoped)
    )
  }

  it.live("is all that a layout of images without names has", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.seed(signed)
      const layouts = join(world.folder, "layouts")
      yield* world.run({ routes: [{ from: world.route.from, to: { layouts } }] }, "out")
      const index = join(layouts, "shop", "api", "index.json")
      const named = yield* Effect.promise(() => readFile(index, "utf8"))
      yield* Effect.promise(() => writeFile(index, named.replaceAll("org.opencontainers.image.ref.name", "no.name")))
      yield* world.run({ routes: [{ from: { layouts }, to: world.route.to }], untagged: true }, "back")
      const whole = yield* digestsIn(world.source)
      const arrived = yield* digestsIn(world.target)
      assert.deepEqual(
        arrived.filter((digest) => whole.includes(digest)),
        whole
      )
      assert.isTrue(MigrationReport.isComplete(yield* Effect.provide(Migration.status("back"), world.services)))
    }).pipe(Effect.scoped)
  )
})
