/**
 * OCI distribution: manifests, blobs, and uploads in all their forms.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as TestClock from "effect/testing/TestClock"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { digestOf, locationOf, open, push, uploads, withDigest } from "./support/content.ts"

const manifestType = "application/vnd.oci.image.manifest.v1+json"

const get = (path: string, headers: { readonly [name: string]: string } = {}) => askAsAdmin("GET", path, { headers })

const put = (reference: string, body: string, contentType = manifestType) =>
  askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
    body: HttpBody.uint8Array(new TextEncoder().encode(body), contentType)
  })

describe("an upload", () => {
  it.live("in one PUT", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      assert.strictEqual((yield* get(`/v2/a/blobs/${digest}`)).text, "a blob")
      assert.strictEqual(yield* (yield* AcrEmulator.AcrEmulator).openUploads, 0)
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )

  it.live("in one POST", () =>
    Effect.gen(function* () {
      const reply = yield* askAsAdmin("POST", withDigest(uploads, digestOf("a blob")), { body: "a blob" })
      assert.strictEqual(reply.status, 201)
      assert.strictEqual((yield* get(`/v2/a/blobs/${digestOf("a blob")}`)).text, "a blob")
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )

  it.live("in chunks, each at a new location, the last with the closing PUT", () =>
    Effect.gen(function* () {
      const first = yield* open
      const one = yield* askAsAdmin("PATCH", first, { body: "a ", headers: { "content-range": "0-1" } })
      assert.deepStrictEqual([one.status, one.headers["range"]], [202, "0-1"])
      assert.notStrictEqual(locationOf(one), first)
      const two = yield* askAsAdmin("PATCH", locationOf(one), { body: "bl" })
      assert.strictEqual(two.headers["range"], "0-3")
      const done = yield* askAsAdmin("PUT", withDigest(locationOf(two), digestOf("a blob")), { body: "ob" })
      assert.strictEqual(done.status, 201)
      assert.strictEqual(done.headers["docker-content-digest"], digestOf("a blob"))
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of sha512", () =>
    Effect.gen(function* () {
      const digest = digestOf("a blob", "sha512")
      const reply = yield* askAsAdmin("PUT", withDigest(yield* open, digest), { body: "a blob" })
      assert.strictEqual(reply.status, 201)
      assert.strictEqual((yield* get(`/v2/a/blobs/${digest}`)).text, "a blob")
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )

  it.live("refuses chunks out of order and in a wrong form, and reports its progress", () =>
    Effect.gen(function* () {
      const one = yield* askAsAdmin("PATCH", yield* open, { body: "a " })
      for (const range of ["0-1", "3-4", "1-3"]) {
        const refused = yield* askAsAdmin("PATCH", locationOf(one), { body: "bl", headers: { "content-range": range } })
        assert.deepStrictEqual([refused.status, refused.headers["range"]], [416, "0-1"])
      }
      const wrong = yield* askAsAdmin("PATCH", locationOf(one), {
        body: "bl",
        headers: { "content-range": "bytes 2-3/*" }
      })
      assert.strictEqual(wrong.status, 400)
      const status = yield* get(locationOf(one))
      assert.deepStrictEqual([status.status, status.headers["range"]], [204, "0-1"])
      const done = yield* askAsAdmin("PUT", withDigest(locationOf(status), digestOf("a ")))
      assert.strictEqual(done.status, 201)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("refuses a location that was used before", () =>
    Effect.gen(function* () {
      const first = yield* open
      yield* askAsAdmin("PATCH", first, { body: "a " })
      const again = yield* askAsAdmin("PATCH", first, { body: "a " })
      assert.strictEqual(again.status, 404)
      assert.strictEqual(yield* codeOf(again), "BLOB_UPLOAD_INVALID")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("refuses content that its digest does not name", () =>
    Effect.gen(function* () {
      const refused = yield* askAsAdmin("PUT", withDigest(yield* open, digestOf("a blob")), { body: "another" })
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(yield* codeOf(refused), "DIGEST_INVALID")
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const before = yield* openUploads
      const atOnce = yield* askAsAdmin("POST", withDigest(uploads, digestOf("a blob")), { body: "another" })
      assert.strictEqual(atOnce.status, 400)
      assert.strictEqual(yield* openUploads, before)
      assert.strictEqual((yield* get(`/v2/a/blobs/${digestOf("a blob")}`)).status, 404)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is forgotten when it is cancelled", () =>
    Effect.gen(function* () {
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const location = yield* open
      assert.strictEqual(yield* openUploads, 1)
      assert.strictEqual((yield* askAsAdmin("DELETE", location)).status, 204)
      assert.strictEqual(yield* openUploads, 0)
      const late = yield* askAsAdmin("PATCH", location, { body: "a " })
      assert.strictEqual(yield* codeOf(late), "BLOB_UPLOAD_UNKNOWN")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("accepts no more at once than is allowed", () =>
    Effect.gen(function* () {
      const location = yield* open
      const refused = yield* askAsAdmin("PATCH", location, { body: "12345" })
      assert.strictEqual(refused.status, 413)
      const one = yield* askAsAdmin("PATCH", location, { body: "1234" })
      assert.deepStrictEqual([one.status, one.headers["range"]], [202, "0-3"])
    }).pipe(Effect.provide(emulator({ maxRequestBodySize: 4 })))
  )

  it.live("keeps no byte of a request that is too large, even if its first bytes were within the limit", () =>
    Effect.gen(function* () {
      const location = yield* open
      const tooMuch = yield* askAsAdmin("PATCH", location, { body: new Uint8Array(4 * 1024 * 1024) })
      assert.strictEqual(tooMuch.status, 413)
      const done = yield* askAsAdmin("PUT", withDigest(location, digestOf("a blob")), { body: "a blob" })
      assert.strictEqual(done.status, 201)
      assert.strictEqual((yield* get(`/v2/a/blobs/${digestOf("a blob")}`)).text, "a blob")
    }).pipe(Effect.provide(emulator({ blobs: "direct", maxRequestBodySize: "1 MiB" })))
  )

  it.live("may require a minimum size of chunks", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* askAsAdmin("POST", uploads)).headers["oci-chunk-min-length"], "1024")
    }).pipe(Effect.provide(emulator({ chunkMinLength: 1024 })))
  )

  it.live("is not needed for a blob of another repository", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      const mounted = yield* askAsAdmin("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`)
      assert.strictEqual(mounted.status, 201)
      assert.strictEqual((yield* askAsAdmin("HEAD", `/v2/b/blobs/${digest}`)).status, 200)
      const unknown = yield* askAsAdmin("POST", `/v2/b/blobs/uploads/?mount=${digestOf("none")}&from=a`)
      assert.strictEqual(unknown.status, 202)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a blob", () => {
  it.live("is redirected to another origin that refuses tokens, with an address that is signed", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* AcrEmulator.AcrEmulator
      const { digest } = yield* push("a blob")
      const redirect = yield* get(`/v2/a/blobs/${digest}`)
      assert.strictEqual(redirect.status, 307)
      const address = locationOf(redirect)
      assert.notStrictEqual(new URL(address).origin, endpoint)
      assert.strictEqual((yield* ask("GET", address)).text, "a blob")
      assert.strictEqual((yield* get(address)).status, 400)
      assert.strictEqual(
        (yield* ask(
          "GET",
          address.replace(/sig=./, (sig) => (sig === "sig=x" ? "sig=y" : "sig=x"))
        )).status,
        403
      )
      assert.strictEqual((yield* ask("GET", address.replace(/se=20/, "se=21"))).status, 403)
    }).pipe(Effect.provide(emulator()))
  )

  it.effect("has an address that expires after 20 minutes", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      const address = locationOf(yield* get(`/v2/a/blobs/${digest}`))
      yield* TestClock.adjust("19 minutes")
      assert.strictEqual((yield* ask("GET", address)).text, "a blob")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* ask("GET", address)).status, 403)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is served in ranges", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("0123456789")
      for (const [range, status, text, contentRange] of [
        ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
        ["bytes=7-", 206, "789", "bytes 7-9/10"],
        ["bytes=7-99", 206, "789", "bytes 7-9/10"],
        ["bytes=10-", 416, "the range is not within the blob", "bytes */10"],
        ["lines=1-2", 200, "0123456789", undefined]
      ] as const) {
        const reply = yield* get(`/v2/a/blobs/${digest}`, { range })
        assert.deepStrictEqual([reply.status, reply.text, reply.headers["content-range"]], [status, text, contentRange])
      }
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )

  it.live("has a size and can be deleted", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      const head = yield* askAsAdmin("HEAD", `/v2/a/blobs/${digest}`)
      assert.deepStrictEqual([head.status, head.headers["content-length"]], [200, "6"])
      assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/blobs/${digest}`)).status, 202)
      assert.strictEqual((yield* askAsAdmin("HEAD", `/v2/a/blobs/${digest}`)).status, 404)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a manifest", () => {
  const makeManifest = Effect.gen(function* () {
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", ...(yield* push("{}")) }
    const layers = [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...(yield* push("a layer")) }]
    return JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }, null, 3)
  })
  it.live("comes back as it was pushed, by tag and by digest", () =>
    Effect.gen(function* () {
      const text = yield* makeManifest
      const pushed = yield* put("v1", text)
      assert.deepStrictEqual([pushed.status, pushed.headers["docker-content-digest"]], [201, digestOf(text)])
      for (const reference of ["v1", digestOf(text)]) {
        const reply = yield* get(`/v2/a/manifests/${reference}`)
        assert.deepStrictEqual([reply.text, reply.headers["content-type"]], [text, manifestType])
        const head = yield* askAsAdmin("HEAD", `/v2/a/manifests/${reference}`)
        assert.strictEqual(head.headers["content-length"], String(Buffer.byteLength(text)))
      }
      assert.strictEqual((yield* get("/v2/a/tags/list")).text, '{"name":"a","tags":["v1"]}')
      assert.strictEqual((yield* get("/v2/a/manifests/v1", { accept: "application/json" })).status, 404)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is refused when something is wrong with it", () =>
    Effect.gen(function* () {
      const text = yield* makeManifest
      const missing = text.replace(digestOf("a layer"), digestOf("none"))
      for (const [reference, body, contentType, code] of [
        [digestOf("other"), text, manifestType, "DIGEST_INVALID"],
        ["v1", missing, manifestType, "MANIFEST_BLOB_UNKNOWN"],
        ["v1", "{", manifestType, "MANIFEST_INVALID"],
        ["v1", text.replace('"schemaVersion": 2,', ""), manifestType, "MANIFEST_INVALID"],
        ["v1", text, "application/vnd.oci.image.index.v1+json", "MANIFEST_INVALID"],
        ["v1", text, "nonsense", "MANIFEST_INVALID"]
      ] as const) {
        const reply = yield* put(reference, body, contentType)
        assert.strictEqual(reply.status, 400)
        assert.strictEqual(yield* codeOf(reply), code)
      }
      assert.strictEqual((yield* put("v1", " ".repeat(4 * 1024 * 1024 + 1))).status, 413)
      assert.strictEqual((yield* get("/v2/a/tags/list")).text, '{"name":"a","tags":[]}')
      yield* askAsAdmin("PUT", "/v2/b/manifests/v1", {
        body: HttpBody.uint8Array(new TextEncoder().encode(text), manifestType)
      })
      assert.strictEqual((yield* get("/v2/_catalog")).text, '{"repositories":["a"]}')
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is listed by its subject, and deleted with it", () =>
    Effect.gen(function* () {
      const text = yield* makeManifest
      yield* put("v1", text)
      const subject = { mediaType: manifestType, digest: digestOf(text), size: Buffer.byteLength(text) }
      const about = JSON.stringify({ ...JSON.parse(text), subject, artifactType: "application/x.signature" })
      const pushed = yield* put(digestOf(about), about)
      assert.strictEqual(pushed.headers["oci-subject"], digestOf(text))
      const referrers = yield* get(`/v2/a/referrers/${digestOf(text)}`)
      assert.include(referrers.text, digestOf(about))
      const others = yield* get(`/v2/a/referrers/${digestOf(text)}?artifactType=application/x.other`)
      assert.notInclude(others.text, digestOf(about))
      assert.strictEqual(others.headers["oci-filters-applied"], "artifactType")
      assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/manifests/${digestOf(text)}`)).status, 202)
      assert.strictEqual((yield* get(`/v2/a/manifests/${digestOf(about)}`)).status, 404)
      assert.strictEqual((yield* get("/v2/a/manifests/v1")).status, 404)
    }).pipe(Effect.provide(emulator()))
  )
})
