/**
 * Real registries: what they leave unset, which statuses they choose, and what they do not support. The linked reports
 * are those of other clients.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import {
  asked,
  by,
  digest,
  empty,
  manifest,
  manifestAnswer,
  pull,
  refusal,
  type Route,
  taking,
  text,
  upload,
  uploads
} from "./support/lenient.ts"
import { challenge, endpoint, Journal, json, type Reply } from "./support/registry.ts"

describe("a token answer", () => {
  // Harbor: https://github.com/bazel-contrib/rules_oci/pull/856
  const answers: ReadonlyArray<readonly [string, object]> = [
    ["an empty access_token", { token: "granted", access_token: "" }],
    ["an empty token", { token: "", access_token: "granted" }],
    ["no access_token", { token: "granted", access_token: null }],
    ["no time", { token: "granted", expires_in: null }],
    ["an unset time as Go writes it", { token: "granted", expires_in: 0, issued_at: "" }],
    ["a time as text", { token: "granted", expires_in: "300" }],
    ["an invalid time", { token: "granted", expires_in: "soon" }]
  ]
  for (const [what, answer] of answers) {
    it.effect(`with ${what} is used`, () =>
      Effect.gen(function* () {
        yield* pull
        yield* pull
        const journal = yield* Journal
        assert.strictEqual(journal.at(-1)?.authorization, "Bearer granted")
        assert.lengthOf(
          journal.filter(({ url }) => url.pathname === "/oauth2/token"),
          1
        )
      }).pipe(
        Effect.provide(
          content(({ authorization, url }) => {
            if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh", access_token: "" })
            if (url.pathname === "/oauth2/token") return json(answer)
            return authorization === undefined ? challenge("repository:alpine:pull") : manifestAnswer()
          })
        )
      )
    )
  }

  it.effect("without any token fails", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "InvalidResponse")
    }).pipe(
      Effect.provide(
        content(({ url }) => {
          if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          return url.pathname === "/oauth2/token"
            ? json({ token: "", access_token: null })
            : challenge("repository:alpine:pull")
        })
      )
    )
  )
})

const answering = (status: number, named: boolean, ...routes: ReadonlyArray<Route>) => {
  const answer = (name: string) => () => empty(status, named ? { "docker-content-digest": name } : {})
  return content(
    by(
      ...routes,
      ["POST", /uploads\/$/, () => empty(status, { location: `${uploads}1` })],
      ["PATCH", /uploads/, () => empty(status, { location: `${uploads}1`, range: "0-9" })],
      ["PUT", /uploads/, answer(digest)],
      ["PUT", /manifests/, answer(sha256(manifest))],
      ["DELETE", /manifests|blobs/, () => empty(status)]
    )
  )
}

describe("a status of success", () => {
  const statuses = [200, 201, 202, 204]
  const put = Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest, { tag: "v1" }))

  for (const status of statuses) {
    it.effect(`may be ${status} if only headers are read`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        yield* upload()
        yield* put
        yield* content.deleteManifest("alpine", sha256(manifest))
        yield* content.deleteBlob("alpine", digest)
        assert.notInclude((yield* asked).join(), "HEAD")
      }).pipe(Effect.provide(answering(status, true)))
    )
  }

  // A captive portal answers 200 to everything.
  for (const status of statuses.filter((status) => status !== 201)) {
    it.effect(`${status} without a digest is followed by a check of the manifest`, () =>
      Effect.gen(function* () {
        yield* upload()
        yield* put
        assert.deepStrictEqual(
          (yield* asked).filter((line) => line.startsWith("HEAD")),
          [`HEAD /v2/alpine/blobs/${digest}`, "HEAD /v2/alpine/manifests/v1"]
        )
      }).pipe(
        Effect.provide(
          answering(status, false, ["HEAD", /./, () => empty(200)], ["GET", /manifests/, () => manifestAnswer()])
        )
      )
    )

    it.effect(`${status} without a digest fails if the manifest does not exist`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(upload())).reason._tag, "InvalidResponse")
        assert.strictEqual((yield* Effect.flip(put)).reason._tag, "NotFound")
      }).pipe(Effect.provide(answering(status, false)))
    )
  }
})

const old = JSON.stringify({ schemaVersion: 2, manifests: [] })

describe("a manifest that a registry says it has accepted", () => {
  const put = Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest, { tag: "v1" }))
  const heads: ReadonlyArray<readonly [string, () => Reply]> = [
    ["names the digest of the previous manifest", () => empty(200, { "docker-content-digest": sha256(old) })],
    ["names no digest", () => empty(200)],
    ["is not supported", () => empty(405)],
    ["leads to a portal", () => empty(302, { location: "https://portal.example/" })]
  ]
  for (const [what, head] of heads) {
    const answering = (body: string) =>
      content(
        by(
          ["PUT", /manifests/, () => empty(204)],
          ["HEAD", /manifests/, head],
          ["HEAD", /^\/$/, () => empty(200)],
          ["GET", /manifests/, () => new Response(body, { headers: { "content-type": "application/json" } })]
        )
      )

    it.effect(`is checked by its tag if HEAD ${what}`, () =>
      Effect.asVoid(put).pipe(Effect.provide(answering(manifest)))
    )

    it.effect(`fails if its tag names another one and HEAD ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(put)
        assert.strictEqual(error.reason._tag, "InvalidResponse")
        assert.strictEqual(error.operation, "RegistryContent.putManifest")
      }).pipe(Effect.provide(answering(old)))
    )
  }
})

describe("a portal that answers 200 with a page to everything", () => {
  const portal = content(() => new Response("<html>log in</html>", { headers: { "content-type": "text/html" } }))

  it.effect("has no manifest", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const asked of [
        Effect.asVoid(content.manifest("alpine", "v1")),
        Effect.asVoid(content.resolve("alpine", "v1")),
        Effect.asVoid(content.deleteManifest("alpine", "v1"))
      ]) {
        assert.strictEqual((yield* Effect.flip(asked)).reason._tag, "InvalidResponse")
      }
    }).pipe(Effect.provide(portal))
  )

  it.effect("takes no upload", () =>
    Effect.gen(function* () {
      assert.include(["ContentMismatch", "InvalidResponse"], (yield* Effect.flip(upload({ digest }))).reason._tag)
    }).pipe(Effect.provide(portal))
  )
})

describe("a mount", () => {
  it.effect("that opened a session becomes an upload, whatever its status", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload({ digest, mountFrom: "debian" })).size, text.length)
      assert.include(
        (yield* asked).map((line) => line.replace(/\?.*/, "")),
        `PUT ${uploads}1`
      )
    }).pipe(Effect.provide(content(taking(["POST", /mount=/, () => empty(201, { location: `${uploads}1` })]))))
  )

  const refusals: ReadonlyArray<readonly [string, () => Reply]> = [400, 401, 403, 404, 405, 501].map((status) => [
    String(status),
    () => refusal(status)
  ])
  for (const [what, answer] of refusals) {
    it.effect(`that is refused with ${what} becomes an upload`, () =>
      Effect.gen(function* () {
        const { size } = yield* upload({ digest, mountFrom: "debian" })
        assert.strictEqual(size, text.length)
        assert.include(yield* asked, `POST ${uploads}`)
      }).pipe(Effect.provide(content(taking(["POST", /mount=/, answer]))))
    )
  }

  it.effect("for whose source there is no token becomes an upload", () =>
    Effect.gen(function* () {
      const { size } = yield* upload({ digest, mountFrom: "debian" })
      assert.strictEqual(size, text.length)
    }).pipe(
      Effect.provide(
        content((asked, count) => {
          const { authorization, body, url } = asked
          if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (url.pathname === "/oauth2/token") {
            return body.includes("debian") ? refusal(401, "UNAUTHORIZED") : json({ access_token: "access" })
          }
          if (authorization === undefined) return challenge("repository:alpine:pull,push")
          return taking()(asked, count)
        })
      )
    )
  )

  it.effect("that the registry cannot answer now does not become an upload", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload({ digest, mountFrom: "debian" }))
      assert.strictEqual(error.reason._tag, "Throttled")
      assert.notInclude(yield* asked, `POST ${uploads}`)
    }).pipe(Effect.provide(content(taking(["POST", /mount=/, () => refusal(429)]))))
  )
})

describe("a HEAD that a registry does not answer", () => {
  for (const status of [400, 405, 501]) {
    it.effect(`is followed by a GET of the manifest: ${status}`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const descriptor = yield* content.resolve("alpine", "v1")
        assert.strictEqual<string>(descriptor.digest, sha256(manifest))
      }).pipe(
        Effect.provide(
          content(by(["HEAD", /manifests/, () => empty(status)], ["GET", /manifests/, () => manifestAnswer()]))
        )
      )
    )

    it.effect(`is followed by a GET of the blob: ${status}`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        assert.strictEqual((yield* content.headBlob("alpine", digest)).size, text.length)
      }).pipe(
        Effect.provide(
          content(
            by(
              ["HEAD", /blobs/, () => empty(status)],
              [
                "GET",
                /blobs/,
                () => new Response("0", { status: 206, headers: { "content-range": `bytes 0-0/${text.length}` } })
              ]
            )
          )
        )
      )
    )
  }

  for (const status of [400, 401, 403, 405, 501]) {
    it.effect(`lets an upload send the bytes: ${status}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* upload({ digest })).size, text.length)
      }).pipe(Effect.provide(content(taking(["HEAD", /blobs/, () => empty(status)]))))
    )
  }

  it.effect("because it is busy fails", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(upload({ digest }))).reason._tag, "Unavailable")
    }).pipe(Effect.provide(content(taking(["HEAD", /blobs/, () => empty(503)]))))
  )
})

describe("an upload whose session has no status", () => {
  for (const status of [400, 403, 405, 501]) {
    it.effect(`starts again: ${status}`, () => {
      let sent = 0
      return Effect.gen(function* () {
        assert.strictEqual((yield* upload({ chunkSize: 5 })).size, text.length)
        assert.lengthOf(
          (yield* asked).filter((line) => line === `POST ${uploads}`),
          2
        )
      }).pipe(
        Effect.provide(
          content(
            taking(
              ["GET", /uploads/, () => refusal(status)],
              [
                "PATCH",
                /uploads/,
                () => (sent++ === 0 ? "reset" : empty(202, { location: `${uploads}1`, range: "0-4" }))
              ]
            )
          )
        )
      )
    })
  }
})

const chunks = (ranges: ReadonlyArray<string | undefined>) => {
  const received: Array<string> = []
  let sent = 0
  const script = taking([
    "PATCH",
    /uploads/,
    ({ body }) => {
      received.push(body)
      const range = ranges[sent++]
      return empty(202, { location: `${uploads}1`, ...(range === undefined ? {} : { range }) })
    }
  ])
  return { received, layer: content(script) }
}

describe("the offset that a session states", () => {
  const dialects: ReadonlyArray<readonly [string, ReadonlyArray<string | undefined>]> = [
    ["right", ["0-3", "0-7", "0-9"]],
    ["nothing", [undefined, undefined, undefined]],
    ["one too many", ["0-4", "0-8", "0-10"]],
    ["one too few", ["0-2", "0-6", "0-8"]],
    ["always the first chunk", ["0-3", "0-3", "0-3"]],
    ["the chunk alone", ["0-3", "0-3", "0-1"]],
    ["none", ["0-0", "0-0", "0-0"]],
    ["more than there are", ["0-99", "0-99", "0-99"]],
    ["nonsense", ["4-7", "bytes", "9"]]
  ]
  for (const [what, ranges] of dialects) {
    it.effect(`is a hint, the digest decides: ${what}`, () => {
      const { layer, received } = chunks(ranges)
      return Effect.gen(function* () {
        const source = BlobSource.fromStream(Stream.make(new TextEncoder().encode(text)))
        yield* upload({ chunkSize: 4 }, source)
        assert.deepStrictEqual(received, ["0123", "4567", "89"])
      }).pipe(Effect.provide(layer))
    })
  }
})

describe("a session that accepts one byte of each request", () => {
  it.effect("is not sent the rest forever: the digest decides", () => {
    let confirmed = 0
    let sent = 0
    const most = 3 * 1024 * 1024
    return Effect.gen(function* () {
      const bytes = new Uint8Array(most)
      yield* Effect.exit(upload({ chunkSize: "2 MiB" }, BlobSource.fromStream(Stream.make(bytes))))
      assert.isBelow(sent, 20 * most)
    }).pipe(
      Effect.provide(
        content(
          taking([
            "PATCH",
            /uploads/,
            ({ body }) => {
              sent += body.length
              return empty(202, { location: `${uploads}1`, range: `0-${++confirmed}` })
            }
          ])
        )
      )
    )
  })
})

describe("a chunk at the offset of its session that is refused with 416", () => {
  // GHCR: https://github.com/oras-project/rust-oci-client/issues/35
  const most = 4 * 1024 * 1024
  for (const tells of [true, false]) {
    it.effect(`is too large (the session ${tells ? "states" : "does not state"} its offset)`, () => {
      let confirmed = 0
      let largest = 0
      const bytes = new Uint8Array(20 * 1024 * 1024)
      return Effect.gen(function* () {
        const { size } = yield* upload({ chunkSize: "16 MiB" }, BlobSource.fromStream(Stream.make(bytes)))
        assert.deepStrictEqual([size, confirmed, largest], [bytes.length, bytes.length, most])
      }).pipe(
        Effect.provide(
          content(
            taking(
              [
                "POST",
                /uploads\/$/,
                () => {
                  confirmed = 0
                  return empty(202, { location: `${uploads}1` })
                }
              ],
              [
                "PATCH",
                /uploads/,
                ({ body }) => {
                  if (body.length > most) return empty(416)
                  largest = Math.max(largest, body.length)
                  confirmed += body.length
                  return empty(202, { location: `${uploads}1`, range: `0-${confirmed - 1}` })
                }
              ],
              [
                "GET",
                /uploads/,
                () =>
                  tells
                    ? empty(204, { location: `${uploads}1`, range: `0-${Math.max(0, confirmed - 1)}` })
                    : refusal(404, "BLOB_UPLOAD_UNKNOWN")
              ]
            )
          )
        )
      )
    })
  }
})

const inStorage = (status: number, headers: { readonly [name: string]: string } = {}) =>
  content(
    by(
      ["HEAD", /^\/v2\/.*blobs/, () => empty(307, { location: "https://storage.example/b?sig=1" })],
      ["HEAD", /^\/b/, () => empty(status, headers)],
      ["GET", /^\/v2\/.*blobs/, () => new Response("0", { status: 206, headers: { "content-range": "bytes 0-0/10" } })]
    )
  )

describe("a redirect", () => {
  // https://github.com/kubernetes/registry.k8s.io/issues/326
  const elsewhere = "https://mirror.example"
  const mirrored = (...routes: ReadonlyArray<Route>) =>
    content((asked, count) => {
      const { authorization, method, url } = asked
      if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
      if (url.pathname === "/oauth2/token") return json({ access_token: "access" })
      if (url.origin === elsewhere) return by(...routes)(asked, count)
      if (authorization === undefined) return challenge("repository:alpine:pull")
      return empty(method === "POST" ? 307 : 302 + (count % 2) * 5, {
        location: `${elsewhere}/copy${url.pathname}${url.search}`
      })
    })
  const toldElsewhere = Effect.map(Journal, (journal) =>
    journal.filter(({ url }) => url.origin === elsewhere).map(({ authorization }) => authorization)
  )

  it.effect("of a manifest is followed, without credentials", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const { descriptor } = yield* content.manifest("alpine", "v1")
      assert.strictEqual<string>(descriptor.digest, sha256(manifest))
      assert.strictEqual<string>((yield* content.resolve("alpine", "v1")).digest, sha256(manifest))
      assert.deepStrictEqual(yield* toldElsewhere, [undefined, undefined, undefined])
    }).pipe(
      Effect.provide(
        mirrored(
          ["GET", /^\/copy\/v2\/alpine\/manifests\/v1$/, () => manifestAnswer()],
          ["HEAD", /^\/copy\/v2\/alpine\/manifests\/v1$/, () => manifestAnswer()]
        )
      )
    )
  )

  it.effect("of a list is followed, and so are its other pages there", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      assert.deepStrictEqual<ReadonlyArray<string>>(yield* Stream.runCollect(content.tags("alpine")), ["v1", "v2"])
      assert.deepStrictEqual(yield* toldElsewhere, [undefined, undefined])
    }).pipe(
      Effect.provide(
        mirrored(
          ["GET", /list\?last=v1$/, () => json({ name: "alpine", tags: ["v2"] })],
          [
            "GET",
            /list$/,
            () =>
              json(
                { name: "alpine", tags: ["v1"] },
                { headers: { link: '</copy/v2/alpine/tags/list?last=v1>; rel="next"' } }
              )
          ]
        )
      )
    )
  )

  for (const link of [`${endpoint}/v2/alpine/tags/list?last=v1`, "https://other.example/list"]) {
    it.effect(`of a list does not lead to ${link}`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const { reason } = yield* Effect.flip(Stream.runDrain(content.tags("alpine")))
        assert.strictEqual(reason._tag, "Refused")
      }).pipe(
        Effect.provide(
          mirrored([
            "GET",
            /list$/,
            () => json({ name: "alpine", tags: ["v1"] }, { headers: { link: `<${link}>; rel="next"` } })
          ])
        )
      )
    )
  }

  it.effect("of the opening of an upload is followed, and the session is at the target", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload()).size, text.length)
      assert.deepStrictEqual(yield* toldElsewhere, [undefined, undefined])
    }).pipe(
      Effect.provide(
        mirrored(
          ["POST", /^\/copy\/v2\/alpine\/blobs\/uploads\/$/, () => empty(202, { location: "/session" })],
          ["PUT", /^\/session\?/, () => empty(201)]
        )
      )
    )
  )

  for (const target of [
    "http://169.254.169.254/v2/",
    "http://127.0.0.1/v2/",
    "https://10.0.0.1/v2/",
    "ftp://mirror.example/"
  ]) {
    it.effect(`to ${target} is refused`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "Refused")
        assert.lengthOf(yield* Journal, 1)
      }).pipe(Effect.provide(content(() => empty(307, { location: target }))))
    )
  }

  it.effect("that never ends fails", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(pull)).reason._tag, "Refused")
      assert.lengthOf(yield* Journal, 5)
    }).pipe(Effect.provide(content(({ url }) => empty(307, { location: `${url.pathname}x` }))))
  )

  it.effect("within the registry keeps the login", () =>
    Effect.gen(function* () {
      yield* pull
      assert.strictEqual((yield* Journal).at(-1)?.authorization, "Bearer access")
    }).pipe(
      Effect.provide(
        content(({ authorization, url }) => {
          if (url.pathname === "/oauth2/exchange") return json({ refresh_token: "refresh" })
          if (url.pathname === "/oauth2/token") return json({ access_token: "access" })
          if (authorization === undefined) return challenge("repository:alpine:pull")
          return url.pathname.startsWith("/v2/alpine/")
            ? empty(307, { location: "/v2/other/manifests/v1" })
            : manifestAnswer()
        })
      )
    )
  )

  it.effect("of a change is not followed", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const change of [
        Effect.asVoid(content.deleteManifest("alpine", digest)),
        Effect.asVoid(content.putManifest("alpine", manifest, { tag: "v1" }))
      ]) {
        assert.strictEqual((yield* Effect.flip(change)).reason._tag, "Refused")
      }
      const changes = (yield* Journal).filter(({ method }) => method !== "GET")
      assert.deepStrictEqual(
        changes.map(({ method, url }) => `${method} ${url.origin}`),
        [`DELETE ${endpoint}`, `PUT ${endpoint}`]
      )
    }).pipe(Effect.provide(content(() => empty(307, { location: "https://mirror.example/" }))))
  )

  describe("of a HEAD of a blob to storage", () => {
    const head = Effect.flatMap(RegistryContent, (content) => content.headBlob("alpine", digest))

    it.effect("exists, with its size, if the storage answers", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* head).size, 10)
        assert.lengthOf(yield* Journal, 2)
      }).pipe(Effect.provide(inStorage(200, { "content-length": "10" })))
    )

    it.effect("does not exist if the storage refuses GET as well: an upload sends it", () =>
      Effect.gen(function* () {
        yield* upload({ digest })
        assert.include((yield* asked).join(), `PUT ${uploads}`)
      }).pipe(
        Effect.provide(
          content(
            taking(
              ["HEAD", /^\/v2\/.*blobs/, () => empty(307, { location: "https://storage.example/b?sig=1" })],
              ["GET", /^\/v2\/.*blobs\/sha/, () => empty(307, { location: "https://storage.example/b?sig=1" })],
              ["HEAD", /^\/b/, () => empty(403)],
              ["GET", /^\/b/, () => empty(403)]
            )
          )
        )
      )
    )

    it.effect("is missing if the storage says so", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(head)).reason._tag, "NotFound")
      }).pipe(Effect.provide(inStorage(404)))
    )

    for (const status of [401, 403, 405]) {
      it.effect(`exists if the storage has signed its link only for GET: ${status}`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* head).size, 10)
          yield* upload({ digest })
          assert.notInclude((yield* asked).join(), "POST")
        }).pipe(Effect.provide(inStorage(status)))
      )
    }
  })
})
