/**
 * Seeds from folders in OCI layout and from archives, which are made from another registry.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Reference from "@effect-acr/client/Reference"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import type * as SeedImage from "../src/SeedImage.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"

const api: SeedImage.SeedImage = {
  repository: "shop/api",
  tags: ["1.4.0"],
  platforms: ["linux/amd64", "linux/arm64"],
  layers: [{ sizeInBytes: 3_000_000 }],
  signatures: ["cosign-tag"],
  referrers: [{ artifactType: "application/spdx+json", referrers: [{ artifactType: "application/vnd.contoso.note" }] }]
}

const web: SeedImage.SeedImage = { repository: "shop/web", tags: ["2.0.0"], layers: ["web"] }

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "acr-seeds-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const Source = Layer.mergeAll(
  AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer({ blobs: "direct" }))),
  NodeServices.layer,
  NodeCompression.layer
)

/** Two images in a folder, under the names that are given, and as they are named in a registry. */
const layoutOf = Effect.fnUntraced(function* (names: { readonly api: string; readonly web: string }) {
  const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
  const content = yield* RegistryContent
  const layout = yield* ImageLayout.open(join(yield* temporary, "images"))
  const copy = Effect.fnUntraced(function* (image: SeedImage.SeedImage, name: string) {
    const digest = yield* seed(image)
    const store = Repository.make(
      content,
      Result.getOrThrow(Reference.parse(`${loginServer}/${image.repository}:${image.tags?.[0]}`))
    )
    yield* Copy.run(store, layout, digest, { tags: [name], cosignTags: true })
    return digest
  })
  return {
    layout,
    path: layout.folder,
    digests: { api: yield* copy(api, names.api), web: yield* copy(web, names.web) }
  }
})

const Target = emulator({ blobs: "direct" })

const seedFrom = (contents: SeedImage.SeedContents) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (service) => service.seedFrom(contents))

const failureOf = (contents: SeedImage.SeedContents) =>
  Effect.map(Effect.flip(seedFrom(contents)), (error) => {
    assert.strictEqual(error._tag, "SeedError")
    return error.message
  })

const get = (path: string) => Effect.map(askAsAdmin("GET", path), ({ text }) => text)

/** Everything of the image with its platforms, its signature and its referrers. */
const assertApi = Effect.fnUntraced(function* (repository: string, digest: string) {
  const references = [digest, `sha256-${digest.replace("sha256:", "")}.sig`]
  const index = yield* get(`/v2/${repository}/manifests/${digest}`)
  assert.include(index, '"arm64"')
  const [, image = ""] = /"digest":"(sha256:[0-9a-f]{64})"/.exec(index) ?? []
  const manifest = yield* get(`/v2/${repository}/manifests/${image}`)
  const [, layer = ""] = /"layers":\[\{[^}]*"digest":"(sha256:[0-9a-f]{64})"/.exec(manifest) ?? []
  const head = yield* askAsAdmin("HEAD", `/v2/${repository}/blobs/${layer}`)
  assert.strictEqual(head.headers["content-length"], "3000000")
  for (const reference of references) {
    assert.strictEqual((yield* askAsAdmin("GET", `/v2/${repository}/manifests/${reference}`)).status, 200)
  }
  const referrers = yield* get(`/v2/${repository}/referrers/${digest}`)
  assert.include(referrers, "application/spdx+json")
  const [, sbom = ""] = /"digest":"(sha256:[0-9a-f]{64})"/.exec(referrers) ?? []
  assert.include(yield* get(`/v2/${repository}/referrers/${sbom}`), "application/vnd.contoso.note")
})

describe("a folder in OCI layout", () => {
  it.live("fills a repository: its names are tags, and signatures and referrers come along", () =>
    Effect.gen(function* () {
      const { digests, path } = yield* layoutOf({ api: "1.4.0", web: "web" })
      yield* Effect.gen(function* () {
        const pushedAt = DateTime.makeUnsafe("2026-01-02T03:04:05Z")
        const seeded = yield* seedFrom({ from: path, repository: "team/app", pushedAt })
        const signature = seeded.find(({ tags }) => tags[0]?.endsWith(".sig"))
        assert.deepStrictEqual(seeded, [
          { repository: "team/app", tags: ["1.4.0"], digest: digests.api },
          ...(signature === undefined ? [] : [signature]),
          { repository: "team/app", tags: ["web"], digest: digests.web }
        ])
        yield* assertApi("team/app", digests.api)
        assert.include(yield* get("/acr/v1/team%2Fapp/_tags/1.4.0"), '"createdTime":"2026-01-02T03:04:05.')
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )

  it.live("fills the repositories that its names have", () =>
    Effect.gen(function* () {
      const { digests, path } = yield* layoutOf({ api: "shop/api:1.4.0", web: "localhost:5000/shop/web:2.0.0" })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* seedFrom({ from: path }), [
          { repository: "shop/web", tags: ["2.0.0"], digest: digests.web },
          { repository: "shop/api", tags: ["1.4.0"], digest: digests.api }
        ])
        assert.strictEqual(yield* get("/v2/_catalog"), '{"repositories":["shop/api","shop/web"]}')
        yield* assertApi("shop/api", digests.api)
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )

  it.live("changes nothing the second time, and moves no tag", () =>
    Effect.gen(function* () {
      const { digests, path } = yield* layoutOf({ api: "1.4.0", web: "latest" })
      yield* Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        const latest = yield* seed({ repository: "a", tags: ["latest"] })
        const contents = { from: path, repository: "a" }
        const all = Effect.forEach(["/acr/v1/a", "/acr/v1/a/_tags", "/acr/v1/a/_manifests"], get)
        yield* seedFrom(contents)
        const before = yield* all
        assert.include(yield* get("/acr/v1/a/_tags/latest"), latest)
        // Nothing would name it.
        assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/manifests/${digests.web}`)).status, 404)
        yield* seedFrom(contents)
        assert.deepStrictEqual(yield* all, before)
        yield* seedFrom({ ...contents, images: ["latest"], onTag: "overwrite" })
        const [named] = yield* seedFrom({ ...contents, repository: "b", images: [digests.web] })
        assert.deepStrictEqual(named, { repository: "b", tags: [], digest: digests.web })
        assert.notInclude(yield* get("/acr/v1/a/_tags/latest"), latest)
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )

  it.live("can have images without a name", () =>
    Effect.gen(function* () {
      const { digests, layout, path } = yield* layoutOf({ api: "1.4.0", web: "web" })
      for (const tag of ["1.4.0", "web", `sha256-${digests.api.replace("sha256:", "")}.sig`]) yield* layout.untag(tag)
      yield* Effect.gen(function* () {
        const seeded = yield* seedFrom({ from: path, repository: "a" })
        assert.include(
          seeded.map(({ digest }) => digest),
          digests.web
        )
        assert.deepStrictEqual(
          seeded.flatMap(({ tags }) => tags),
          []
        )
        assert.strictEqual((yield* askAsAdmin("GET", `/v2/a/manifests/${digests.api}`)).status, 200)
        assert.match(yield* failureOf({ from: path }), /the image @0 names no repository/)
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )
})

describe("seeds to start with", () => {
  it.live("are of either kind, and there again after a reset", () =>
    Effect.gen(function* () {
      const { path } = yield* layoutOf({ api: "1.4.0", web: "2.0.0" })
      const seed = [
        { repository: "small", tags: ["v1"] },
        { from: path, repository: "big", images: ["2.0.0"] }
      ]
      yield* Effect.gen(function* () {
        const { isReady, reset } = yield* AcrEmulator.AcrEmulator
        const catalog = '{"repositories":["big","small"]}'
        assert.strictEqual(yield* get("/v2/_catalog"), catalog)
        assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/big")).status, 202)
        yield* reset
        assert.strictEqual(yield* get("/v2/_catalog"), catalog)

        yield* Effect.promise(() => rm(path, { recursive: true }))
        assert.strictEqual((yield* Effect.flip(reset))._tag, "SeedError")
        assert.isFalse(yield* isReady)
      }).pipe(Effect.provide(emulator({ blobs: "direct", seed })))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(AcrEmulator.layer({ seed }))))
      assert.strictEqual(error._tag, "SeedError")
    }).pipe(Effect.scoped, Effect.provide(Source))
  )
})

describe("an archive", () => {
  for (const format of ["oci", "docker"] as const) {
    it.live(`of the format ${format} fills a repository`, () =>
      Effect.gen(function* () {
        const { layout, path } = yield* layoutOf({ api: "1.4.0", web: "2.0.0" })
        const file = join(path, "..", "web.tar")
        yield* ImageArchive.save(layout, "2.0.0", file, { format })
        yield* Effect.gen(function* () {
          const [seeded] = yield* seedFrom({ from: file, repository: "shop/web" })
          assert.deepStrictEqual(seeded?.tags, ["2.0.0"])
          assert.strictEqual((yield* askAsAdmin("GET", "/v2/shop/web/manifests/2.0.0")).status, 200)
        }).pipe(Effect.provide(Target))
      }).pipe(Effect.scoped, Effect.provide(Source))
    )
  }
})

describe("contents that cannot be read", () => {
  it.live("are named with their problem", () =>
    Effect.gen(function* () {
      const { digests, path } = yield* layoutOf({ api: "1.4.0", web: "v1/2" })
      const empty = join(path, "../empty")
      const other = join(path, "../other")
      yield* Effect.promise(() => mkdir(empty))
      yield* Effect.promise(() => mkdir(other))
      yield* Effect.promise(() => writeFile(join(other, "file"), "no archive"))
      yield* Effect.gen(function* () {
        const from = path
        assert.match(yield* failureOf({ from: "/not/there" }), /^cannot seed \/not\/there: .*stat/)
        assert.match(yield* failureOf({ from: empty, repository: "a" }), /: there is no image in it$/)
        assert.match(yield* failureOf({ from: other, repository: "a" }), /not an image layout/)
        assert.match(yield* failureOf({ from: join(other, "file"), repository: "a" }), /^cannot seed .*file: ./)
        assert.match(yield* failureOf({ from, repository: "No" }), /Expected a repository name/)
        assert.match(yield* failureOf({ from, repository: "a", images: ["v9"] }), /there is no image v9 in it$/)
        assert.match(yield* failureOf({ from, images: ["1.4.0"] }), /1\.4\.0 names no repository/)
        assert.match(yield* failureOf({ from, repository: "a" }), /v1\/2 is not the name of an image: /)
        assert.match(yield* failureOf({ from, images: [digests.web] }), /names no repository/)
        // Nothing was put for the names that are right.
        assert.strictEqual(yield* get("/v2/_catalog"), '{"repositories":null}')

        const blobs = join(path, "blobs/sha256")
        yield* Effect.promise(() => rm(join(blobs, digests.api.replace("sha256:", ""))))
        assert.match(yield* failureOf({ from, repository: "a", images: ["1.4.0"] }), /^cannot seed [^]*1\.4\.0/)
        for (const name of yield* Effect.promise(() => readdir(blobs))) {
          yield* Effect.promise(() => writeFile(join(blobs, name), "damaged"))
        }
        assert.match(yield* failureOf({ from, repository: "a", images: [digests.web] }), /^cannot seed /)
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )

  it.live("are refused if two images are one tag", () =>
    Effect.gen(function* () {
      const { path } = yield* layoutOf({ api: "a:v1", web: "b:v1" })
      yield* Effect.gen(function* () {
        assert.match(
          yield* failureOf({ from: path, repository: "c" }),
          /a:v1 and b:v1 are different images, and both would be c:v1$/
        )
      }).pipe(Effect.provide(Target))
    }).pipe(Effect.scoped, Effect.provide(Source))
  )
})
