/**
 * Migrations to folders of archives and from there to a registry.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Registries from "@effect-acr/client/Registries"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Archives from "../src/internal/archives.ts"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

const images = [
  {
    repository: "shop/api",
    tags: ["1.0"],
    platforms: ["linux/amd64", "linux/arm64"],
    layers: ["api"],
    referrers: [{ artifactType: "application/spdx+json", referrers: [{ artifactType: "application/vnd.note" }] }]
  },
  { repository: "shop/api", tags: ["1.1", "latest"], layers: ["api 1.1"] },
  { repository: "shop/api/tools", tags: ["1.0"], layers: ["tools"] }
]

/** The tags of an archive. */
const tagsIn = (file: string) =>
  Effect.flatMap(ImageArchive.read(file), ({ tags }) => Stream.runCollect(tags)).pipe(
    Effect.scoped,
    Effect.provide([NodeServices.layer, NodeCompression.layer])
  )

const makeArchived = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* world.seed(...images)
  const archives = { archives: join(world.folder, "archives") }
  const out = world.run({ routes: [{ from: world.route.from, to: archives }] }, "out")
  const api = join(archives.archives, "shop", "api.tar")
  const digestOf = (tag: string) =>
    Effect.map(world.source.contents("shop/api"), (contents) => {
      const { tags } = Option.getOrThrow(contents)
      return tags.find(({ name }) => name === tag)?.digest ?? ""
    })
  const deleteAtSource = Effect.fnUntraced(function* (tag: string) {
    const { registry } = yield* Registries.open(`${world.source.loginServer}/shop/api`)
    yield* registry.deleteManifest("shop/api", yield* digestOf(tag))
  }, Effect.provide(world.services))
  return { ...world, api, archives, deleteAtSource, digestOf, out }
})

/** The bytes of an archive from where a blob begins. */
const contentAt = (archive: Buffer, digest: string): Buffer => {
  const headerBytes = 512
  return archive.subarray(archive.indexOf(`blobs/${digest.replace(":", "/")}`) + headerBytes)
}

/** Changes the first byte of a blob in an archive. */
const damage = (archive: string, digest: string): void => {
  const bytes = readFileSync(archive)
  contentAt(bytes, digest)[0] = 0
  writeFileSync(archive, bytes)
}

describe("a folder of archives", () => {
  it.live("gets an archive for each repository, from which all goes to another registry", () =>
    Effect.gen(function* () {
      const { api, archives, out, report, route, run, services, source, status, target } = yield* makeArchived
      yield* out
      assert.isTrue(existsSync(api))
      assert.isTrue(existsSync(join(archives.archives, "shop", "api", "tools.tar")))
      const states = Effect.map(Stream.runCollect(Migration.report("out")), (all) => all.map(({ state }) => state))
      assert.deepEqual(yield* Effect.provide(states, services), ["verified", "verified", "verified"])
      // Archives are all that is needed to read from them.
      yield* Effect.promise(() => rm(join(archives.archives, ".layouts"), { recursive: true }))
      yield* run({ routes: [{ from: archives, to: route.to }] })
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      const manifests = (registry: typeof source) =>
        Effect.map(registry.contents("shop/api"), (found) => Option.getOrThrow(found).manifests.length)
      assert.strictEqual(yield* manifests(target), yield* manifests(source))
      assert.isTrue((yield* report).every(({ state }) => state === "verified"))
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("has images whose tags look like those of lists of referrers, as `cosign copy` sets them", () =>
    Effect.gen(function* () {
      const { api, archives, out, route, run, seed, source, status, target } = yield* makeArchived
      yield* seed({ repository: "shop/api", tags: ["1.2", `sha256-${"a".repeat(64)}`], layers: ["api 1.2"] })
      yield* out
      assert.include(yield* tagsIn(api), `sha256-${"a".repeat(64)}`)
      yield* run({ routes: [{ from: archives, to: route.to }] })
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )

  it.live("keeps signatures and untagged images where another run, whose rules leave them out, adds to it", () =>
    Effect.gen(function* () {
      const { api, archives, route, run, seed, services, source } = yield* makeArchived
      yield* seed({ repository: "shop/api", tags: ["gone"], layers: ["untagged"] })
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteTag("shop/api", "gone")
        ),
        services
      )
      const { manifests } = Option.getOrThrow(yield* source.contents("shop/api"))
      const routes = [{ from: route.from, to: archives }]
      yield* run({ routes, untagged: true }, "all")
      yield* seed({ repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      yield* run({ routes, referrers: false }, "few")
      yield* run({ routes, untagged: true }, "all")
      const archive = yield* ImageArchive.read(api)
      for (const { digest } of manifests) assert.isTrue(Option.isSome(yield* archive.resolve(digest)))
      assert.include(yield* tagsIn(api), "1.2")
    }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeCompression.layer]))
  )

  it.live("is left alone where nothing changed, and gets what is new", () =>
    Effect.gen(function* () {
      const { api, archives, out, route, run, seed, source, target } = yield* makeArchived
      yield* out
      const before = statSync(api)
      yield* out
      assert.strictEqual(statSync(api).ino, before.ino)
      yield* seed({ repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      const events = yield* out
      assert.strictEqual(events.filter(({ _tag }) => _tag === "ArtifactDone").length, 1)
      assert.notStrictEqual(statSync(api).ino, before.ino)
      yield* run({ routes: [{ from: archives, to: route.to }] })
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )

  it.live("gets what is new also where the clock was set back, or the folder was copied with other times", () =>
    Effect.gen(function* () {
      const { api, out, seed } = yield* makeArchived
      yield* out
      const inAnHour = Math.floor(Date.now() / 1000) + 3600
      utimesSync(api, inAnHour, inAnHour)
      yield* seed({ repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      yield* out
      assert.include(yield* tagsIn(api), "1.2")
    }).pipe(Effect.scoped)
  )

  it.live("has no archive of a repository that is not complete, and the next call writes it", () =>
    Effect.gen(function* () {
      const { api, archives, decode, out, route, services } = yield* makeArchived
      const rules = yield* decode({ routes: [{ from: route.from, to: archives }] })
      const interrupted = Migration.run("out", rules).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "ArtifactDone"),
        Stream.runDrain
      )
      yield* Effect.provide(interrupted, services)
      assert.isFalse(existsSync(api))
      yield* out
      assert.isTrue(existsSync(api))
    }).pipe(Effect.scoped)
  )

  it.live("has nothing left of an archive that a killed process did not finish", () =>
    Effect.gen(function* () {
      const { api, out } = yield* makeArchived
      mkdirSync(dirname(api), { recursive: true })
      const unfinished = join(dirname(api), ".api.tar.0123456789abcdef")
      const other = join(dirname(api), ".other.tar.0123456789abcdef")
      writeFileSync(unfinished, "a part")
      writeFileSync(other, "of another program")
      yield* out
      assert.isTrue(existsSync(api))
      assert.isFalse(existsSync(unfinished))
      assert.isTrue(existsSync(other))
    }).pipe(Effect.scoped)
  )

  it.live("keeps what only the archive has, although the layouts beside it were deleted", () =>
    Effect.gen(function* () {
      const { api, archives, deleteAtSource, out, report, route, run, source, status } = yield* makeArchived
      yield* out
      const before = yield* tagsIn(api)
      yield* Effect.promise(() => rm(join(archives.archives, ".layouts"), { recursive: true }))
      yield* deleteAtSource("1.0")
      yield* source.seed({ repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      for (let call = 0; call < 2; call++) {
        yield* run({ routes: [{ from: route.from, to: archives }] }, "out")
        assert.sameMembers(yield* tagsIn(api), [...before, "1.2"])
      }
      // Another run knows nothing of the first one.
      yield* run({ routes: [{ from: route.from, to: archives }] })
      assert.sameMembers(yield* tagsIn(api), [...before, "1.2"])
      assert.isTrue((yield* report).every(({ state }) => state === "present" || state === "skipped"))
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("keeps what only the archive has, although an image in it is damaged and the layouts were deleted", () =>
    Effect.gen(function* () {
      const { api, archives, deleteAtSource, digestOf, out, seed } = yield* makeArchived
      yield* seed({ repository: "shop/api", tags: ["0.9"], layers: ["api 0.9"] })
      yield* out
      const before = yield* tagsIn(api)
      rmSync(join(archives.archives, ".layouts"), { recursive: true })
      const manifest = contentAt(readFileSync(api), yield* digestOf("0.9")).toString()
      damage(api, /"layers":\[.*?"digest":"(sha256:[0-9a-f]+)"/.exec(manifest)?.[1] ?? "")
      yield* deleteAtSource("1.0")
      yield* out
      assert.sameMembers(yield* tagsIn(api), before)
    }).pipe(Effect.scoped)
  )

  it.live("keeps an image and what is untagged, although a signature is damaged and the layouts were deleted", () =>
    Effect.gen(function* () {
      const { api, archives, deleteAtSource, digestOf, run, route, seed } = yield* makeArchived
      const rules = { routes: [{ from: route.from, to: archives }], untagged: true }
      yield* seed({ repository: "shop/api", tags: ["0.9"], layers: ["api 0.9"] })
      yield* run(rules, "out")
      const untagged = yield* digestOf("0.9")
      yield* deleteAtSource("0.9")
      yield* seed({ repository: "shop/api", tags: ["0.9"], layers: ["api 0.9, again"] })
      yield* run(rules, "out")
      const before = yield* tagsIn(api)
      rmSync(join(archives.archives, ".layouts"), { recursive: true })
      yield* Effect.gen(function* () {
        const archive = yield* ImageArchive.read(api)
        const subject = Option.getOrThrow(yield* archive.resolve("1.0"))
        const [signature] = yield* Stream.runCollect(archive.referrers(subject.digest))
        const raw = Option.getOrThrow(yield* archive.manifest({ digest: signature?.digest ?? subject.digest }))
        const { layers = [] } = JSON.parse(new TextDecoder().decode(raw.bytes))
        damage(api, layers[0].digest)
      }).pipe(Effect.scoped)
      yield* deleteAtSource("1.0")
      yield* seed({ repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      // Another run knows nothing of the first one.
      yield* run(rules, "other")
      assert.sameMembers(yield* tagsIn(api), [...before, "1.2"])
      const archive = yield* ImageArchive.read(api)
      assert.isTrue(Option.isSome(yield* archive.resolve(untagged)))
    }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeCompression.layer]))
  )

  it.live(
    "is written anew where it was damaged and its layout was deleted, although what it had before is all there",
    () =>
      Effect.gen(function* () {
        const { api, archives, digestOf, out, route, run, source, status, target } = yield* makeArchived
        yield* out
        rmSync(join(archives.archives, ".layouts", "shop%2Fapi"), { recursive: true })
        const manifest = contentAt(readFileSync(api), yield* digestOf("1.1")).toString()
        damage(api, /"layers":\[.*?"digest":"(sha256:[0-9a-f]+)"/.exec(manifest)?.[1] ?? "")
        yield* out
        yield* run({ routes: [{ from: archives, to: route.to }] })
        assert.isTrue(MigrationReport.isComplete(yield* status))
        assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      }).pipe(Effect.scoped)
  )

  it.live("has repositories whose names end like those of files beside layouts", () =>
    Effect.gen(function* () {
      const { archives, route, run, seed, source, status, target } = yield* makeArchived
      const names = ["a", "a.sealed", "a.unfilled"]
      yield* seed(...names.map((repository) => ({ repository, tags: ["1.0"] })))
      yield* run({ routes: [{ from: route.from, to: archives }] }, "out")
      rmSync(join(archives.archives, ".layouts", "a"), { recursive: true })
      yield* seed({ repository: "a", tags: ["1.1"], layers: ["a 1.1"] })
      yield* run({ routes: [{ from: route.from, to: archives }] }, "out")
      yield* run({ routes: [{ from: archives, to: route.to }] })
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )

  it.live("leaves an archive alone that it cannot read, where the layouts were deleted, and reports that", () =>
    Effect.gen(function* () {
      const { api, archives, digestOf, out, services } = yield* makeArchived
      yield* out
      rmSync(join(archives.archives, ".layouts"), { recursive: true })
      damage(api, yield* digestOf("1.1"))
      const before = readFileSync(api)
      yield* out
      assert.isTrue(before.equals(readFileSync(api)))
      const outcomes = yield* Effect.provide(Stream.runCollect(Migration.report("out")), services)
      const [failed] = outcomes.filter(({ state }) => state === "failed")
      assert.include(failed?.detail, `shop/api cannot be opened: ${api}: `)
      assert.include(failed?.detail, "the content does not match its digest")
      rmSync(api)
      yield* out
      assert.isTrue(MigrationReport.isComplete(yield* Effect.provide(Migration.status("out"), services)))
      assert.sameMembers(yield* tagsIn(api), ["1.0", "1.1", "latest"])
    }).pipe(Effect.scoped)
  )

  it.live("keeps what only the archive has, although a process was killed while it filled the layout from it", () =>
    Effect.gen(function* () {
      const { api, archives, deleteAtSource, out, route, run } = yield* makeArchived
      yield* out
      const before = yield* tagsIn(api)
      const layouts = join(archives.archives, ".layouts")
      rmSync(layouts, { recursive: true })
      yield* deleteAtSource("1.0")
      // What a killed process leaves.
      const layout = join(layouts, "shop%2Fapi")
      yield* Effect.gen(function* () {
        const target = yield* ImageLayout.open(layout)
        const tags = ["1.1", "latest"]
        yield* Copy.run(yield* ImageArchive.read(api), target, "1.1", { tags })
      }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, NodeCompression.layer]))
      writeFileSync(join(layouts, ".shop%2Fapi.unfilled"), "")
      // Another run knows nothing of the first one. With referrers, it would compare all artifacts.
      yield* run({ routes: [{ from: route.from, to: archives }], referrers: false })
      assert.sameMembers(yield* tagsIn(api), before)
    }).pipe(Effect.scoped)
  )

  it.live("is not replaced by one that lacks what another process added while this one hung", () =>
    Effect.gen(function* () {
      const { api, archives, out } = yield* makeArchived
      yield* out
      const before = readFileSync(api)
      const layout = join(archives.archives, ".layouts", "shop%2Fapi")
      const change = () => appendFileSync(join(layout, "index.json"), " ")
      change()
      const store = yield* ImageLayout.open(layout)
      const hidden = yield* Archives.makeHidden
      const changing: typeof store = {
        ...store,
        manifest: (manifest) => Effect.tap(store.manifest(manifest), () => Effect.sync(change))
      }
      const seal = (from: typeof store) => Archives.seal(archives.archives, "shop/api", from, hidden)
      assert.include(String(yield* Effect.flip(seal(changing))), "the layout has changed meanwhile")
      assert.isTrue(before.equals(readFileSync(api)))
      assert.deepEqual(readdirSync(dirname(api)).toSorted(), ["api", "api.tar"])
      yield* seal(store)
      assert.sameMembers(yield* tagsIn(api), ["1.0", "1.1", "latest"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is written also where another process takes its unfinished file for that of a killed one", () =>
    Effect.gen(function* () {
      const { api, archives, out } = yield* makeArchived
      yield* out
      const layout = join(archives.archives, ".layouts", "shop%2Fapi")
      appendFileSync(join(layout, "index.json"), " ")
      const before = statSync(api)
      const store = yield* ImageLayout.open(layout)
      const unfinished = () => readdirSync(dirname(api)).filter((name) => name.startsWith("."))
      let isRemoved = false
      const removing: typeof store = {
        ...store,
        manifest: (manifest) =>
          Effect.tap(store.manifest(manifest), () =>
            Effect.sync(() => {
              if (isRemoved) return
              for (const name of unfinished()) {
                rmSync(join(dirname(api), name))
                isRemoved = true
              }
            })
          )
      }
      yield* Archives.seal(archives.archives, "shop/api", removing, yield* Archives.makeHidden)
      assert.isTrue(isRemoved)
      assert.notStrictEqual(statSync(api).ino, before.ino)
      assert.deepEqual(unfinished(), [])
      assert.sameMembers(yield* tagsIn(api), ["1.0", "1.1", "latest"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("is reported where its layout has lost a blob, and the others are written", () =>
    Effect.gen(function* () {
      const { api, archives, out, seed, services } = yield* makeArchived
      yield* out
      const blobs = join(archives.archives, ".layouts", "shop%2Fapi", "blobs", "sha256")
      const lost = readdirSync(blobs).find((name) => readFileSync(join(blobs, name), "utf8")[0] !== "{") ?? ""
      rmSync(join(blobs, lost))
      const tools = { repository: "shop/api/tools", tags: ["1.1"], layers: ["tools 1.1"] }
      yield* seed(tools, { repository: "shop/api", tags: ["1.2"], layers: ["api 1.2"] })
      yield* out
      const summary = yield* Effect.provide(Migration.status("out"), services)
      assert.deepEqual(
        summary.problems.map(({ problem, source }) => [source, problem]),
        [["shop/api", "notWritten"]]
      )
      assert.sameMembers(yield* tagsIn(api.replace(/\.tar$/, "/tools.tar")), ["1.0", "1.1"])
      // What the message suggests.
      rmSync(join(archives.archives, ".layouts", "shop%2Fapi"), { recursive: true })
      yield* out
      assert.isTrue(MigrationReport.isComplete(yield* Effect.provide(Migration.status("out"), services)))
      assert.include(yield* tagsIn(api), "1.2")
    }).pipe(Effect.scoped)
  )

  it.live("has a file in the place of a folder: its repositories are reported, and the others go on", () =>
    Effect.gen(function* () {
      const { archives, report, route, run, seed, status } = yield* makeArchived
      yield* seed({ repository: "web", tags: ["1.0"], layers: ["web"] })
      mkdirSync(archives.archives)
      const file = join(archives.archives, "shop")
      writeFileSync(file, "a file")
      const routes = [{ from: route.from, to: archives }]
      yield* run({ routes })
      const states = Effect.map(report, (all) => all.map(({ source, state }) => `${source} ${state}`))
      assert.deepEqual(yield* states, ["shop/api failed", "shop/api failed", "shop/api/tools failed", "web verified"])
      assert.include((yield* report)[0]?.detail, "shop/api cannot be opened")
      rmSync(file)
      yield* run({ routes })
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("is one folder however the rules spell it: repositories that would get the same name collide", () =>
    Effect.gen(function* () {
      const { archives, route, run, status } = yield* makeArchived
      const again = { ...route, to: { archives: `${archives.archives}/` }, repositories: { names: ["shop/api"] } }
      yield* run({ routes: [{ from: route.from, to: archives }, again] })
      assert.deepEqual(
        (yield* status).problems.map(({ problem, route: index, source }) => `${index} ${source} ${problem}`),
        ["0 shop/api collision", "1 shop/api collision"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("is planned without a write", () =>
    Effect.gen(function* () {
      const { api, archives, decode, out, route, services } = yield* makeArchived
      const rules = yield* decode({ routes: [{ from: route.from, to: archives }] })
      const plan = Effect.provide(Migration.plan(rules), services)
      assert.deepInclude(yield* plan, { artifacts: 3, problems: [] })
      assert.isFalse(existsSync(archives.archives))
      yield* out
      yield* Effect.promise(() => rm(api))
      assert.deepInclude(yield* plan, { artifacts: 0, present: 3 })
      assert.isFalse(existsSync(api))
    }).pipe(Effect.scoped)
  )

  it.live("with a file that is no archive is reported, and the others go on", () =>
    Effect.gen(function* () {
      const { api, archives, out, route, run, status } = yield* makeArchived
      yield* out
      writeFileSync(api, "this is no archive")
      yield* run({ routes: [{ from: archives, to: route.to }] })
      const { problems, totals } = yield* status
      assert.deepEqual(
        problems.map(({ problem, source }) => [source, problem]),
        [["shop/api", "notListed"]]
      )
      assert.deepEqual(
        totals.map(({ count, state }) => [state, count]),
        [["verified", 1]]
      )
    }).pipe(Effect.scoped)
  )
})
