/**
 * Manifests: indexes and what they refer to, tags that move, and what goes when something is deleted.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { digestOf, push } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const imageType = "application/vnd.oci.image.manifest.v1+json"
const indexType = "application/vnd.oci.image.index.v1+json"

const put = (reference: string, content: string, mediaType: string) =>
  askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
    body: HttpBody.uint8Array(new TextEncoder().encode(content), mediaType)
  })

const get = (path: string) => askAsAdmin("GET", path)

const tags = Effect.map(get("/v2/a/tags/list"), ({ text }) => text)

const descriptor = (mediaType: string, content: string) => ({
  mediaType,
  digest: digestOf(content),
  size: Buffer.byteLength(content)
})

/** An image of one layer, whose blobs are there. */
const image = Effect.fnUntraced(function* (layer: string) {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", ...(yield* push("{}")) }
  const layers = [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...(yield* push(layer)) }]
  return JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers })
})

const indexOf = (...images: ReadonlyArray<string>) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: images.map((image) => descriptor(imageType, image))
  })

describe("an index", () => {
  it.live("is refused as long as a manifest of it is missing", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* image("one"), yield* image("two")]
      yield* put(digestOf(one), one, imageType)
      const refused = yield* put("v1", indexOf(one, two), indexType)
      assert.deepStrictEqual([refused.status, yield* codeOf(refused)], [400, "MANIFEST_BLOB_UNKNOWN"])
      assert.include(refused.text, digestOf(two))
      yield* put(digestOf(two), two, imageType)
      assert.strictEqual((yield* put("v1", indexOf(one, two), indexType)).status, 201)
      assert.strictEqual((yield* get("/v2/a/manifests/v1")).headers["content-type"], indexType)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("leaves its manifests behind when it is deleted", () =>
    Effect.gen(function* () {
      const one = yield* image("one")
      yield* put(digestOf(one), one, imageType)
      yield* put("v1", indexOf(one), indexType)
      assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/manifests/${digestOf(indexOf(one))}`)).status, 202)
      assert.strictEqual(yield* tags, '{"name":"a","tags":[]}')
      assert.strictEqual((yield* get(`/v2/a/manifests/${digestOf(one)}`)).text, one)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a manifest", () => {
  it.live("is known by the digest that it was pushed with, also of sha512", () =>
    Effect.gen(function* () {
      const one = yield* image("one")
      const digest = digestOf(one, "sha512")
      const pushed = yield* put(digest, one, imageType)
      assert.deepStrictEqual([pushed.status, pushed.headers["docker-content-digest"]], [201, digest])
      assert.strictEqual((yield* get(`/v2/a/manifests/${digest}`)).text, one)
      assert.strictEqual((yield* put(digestOf("other", "sha512"), one, imageType)).status, 400)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that is pushed again keeps its age and its locks", () =>
    Effect.gen(function* () {
      const one = yield* image("one")
      yield* put("v1", one, imageType)
      const path = `/acr/v1/a/_manifests/${digestOf(one)}`
      yield* askAsAdmin("PATCH", path, { body: '{"deleteEnabled":false}' })
      const before = (yield* get(path)).text
      assert.strictEqual((yield* put("v1", one, imageType)).status, 201)
      assert.strictEqual((yield* get(path)).text, before)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("without its tag exists, and a tag moves from one to another", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* image("one"), yield* image("two")]
      yield* put("v1", one, imageType)
      yield* put("v1", two, imageType)
      assert.strictEqual((yield* get("/v2/a/manifests/v1")).text, two)
      assert.strictEqual((yield* get(`/v2/a/manifests/${digestOf(one)}`)).text, one)
      const deleted = yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/v1")
      assert.strictEqual(deleted.headers["x-ms-int-docker-content-digest"], digestOf(two))
      assert.strictEqual((yield* get("/v2/a/manifests/v1")).status, 404)
      assert.strictEqual((yield* get(`/v2/a/manifests/${digestOf(two)}`)).text, two)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not deleted by a tag", () =>
    Effect.gen(function* () {
      yield* put("v1", yield* image("one"), imageType)
      const refused = yield* askAsAdmin("DELETE", "/v2/a/manifests/v1")
      assert.strictEqual(refused.status, 405)
      assert.strictEqual(
        refused.text,
        '{"errors":[{"code":"UNSUPPORTED","message":"A manifest can only be deleted by digest."}]}'
      )
      assert.strictEqual(yield* tags, '{"name":"a","tags":["v1"]}')
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a fault that answers instead is not there", () =>
    Effect.gen(function* () {
      const { inject } = yield* AcrEmulator.AcrEmulator
      const one = yield* image("one")
      yield* inject({ method: "PUT", path: "/v2/a/manifests/", consequence: { _tag: "Answer", status: 500 } })
      assert.strictEqual((yield* put("v1", one, imageType)).status, 500)
      assert.strictEqual(yield* tags, '{"name":"a","tags":[]}')
      assert.strictEqual((yield* put("v1", one, imageType)).status, 201)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("does not need layers that are elsewhere", () =>
    Effect.gen(function* () {
      const one = yield* image("one")
      const urls = ["https://example.com/layer"]
      const layers = [{ ...descriptor("application/vnd.oci.image.layer.v1.tar", "elsewhere"), urls }]
      const foreign = JSON.stringify({ ...JSON.parse(one), layers })
      assert.strictEqual((yield* put("v1", foreign, imageType)).status, 201)
    }).pipe(Effect.provide(emulator()))
  )
})

/** Puts a manifest into `a` whose configuration is a blob of another repository, and returns its digest. */
const borrowing = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  yield* seed({ repository: "private/app", tags: ["v1"], platforms: ["plan9/riscv64"] })
  const { text } = yield* get("/v2/private/app/manifests/v1")
  const { config }: { readonly config: object } = JSON.parse(text)
  const urls = ["https://example.com/config"]
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: { ...config, urls },
    layers: []
  })
  assert.strictEqual((yield* put("v1", manifest, imageType)).status, 201)
  return digestOf(manifest)
})

const propertiesOf = (repository: string, digest: string) =>
  Effect.map(get(`/acr/v1/${encodeURIComponent(repository)}/_manifests/${digest}`), ({ text }) => text)

describe("the configuration of an image", () => {
  it.live("is read if the repository has it", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed({ repository: "a", tags: ["v1"], platforms: ["plan9/riscv64"] })
      assert.include(yield* propertiesOf("a", digest), '"architecture":"riscv64","os":"plan9"')
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not read from another repository", () =>
    Effect.gen(function* () {
      const described = yield* propertiesOf("a", yield* borrowing)
      assert.notInclude(described, "riscv64")
      assert.notInclude(described, "plan9")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not read from another repository after a restart", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const digest = yield* borrowing.pipe(Effect.provide(emulator({ directory })))
      const described = yield* propertiesOf("a", digest).pipe(Effect.provide(emulator({ directory })))
      assert.include(described, digest)
      assert.notInclude(described, "riscv64")
    })
  )
})

describe("a repository", () => {
  it.live("that is deleted reports what was deleted with it", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* image("one"), yield* image("two")]
      yield* put("v2", one, imageType)
      yield* put("v1", two, imageType)
      const reply = yield* askAsAdmin("DELETE", "/acr/v1/a")
      assert.strictEqual(reply.status, 202)
      assert.deepStrictEqual(JSON.parse(reply.text), {
        manifestsDeleted: [digestOf(one), digestOf(two)].toSorted(),
        tagsDeleted: ["v1", "v2"]
      })
      assert.strictEqual((yield* get(`/v2/a/blobs/${digestOf("one")}`)).status, 404)
    }).pipe(Effect.provide(emulator()))
  )
})
