/**
 * The last bytes of a blob, which are sent with the commit; and registries that do not accept both together.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"
import { content, sha256 } from "./support/content.ts"
import { by, digest, empty, refusal, text, upload, uploads } from "./support/lenient.ts"
import { type Asked, Journal, type Script } from "./support/registry.ts"

const named = upload({ digest })

/** Another blob, through the same client. */
const other = "abcdefghij"
const next = upload({ digest: sha256(other) }, BlobSource.fromString(other))

const requests = Effect.map(Journal, (journal) =>
  journal.map(({ body, method }) => (body === "" ? method : `${method} ${body}`))
)

/** A registry with a custom answer to a commit with bytes. */
const committing = (withBytes: (asked: Asked, count: number) => ReturnType<Script>): Script => {
  let sessions = 0
  return (asked, count) => {
    if (asked.method === "PUT" && asked.body !== "") return withBytes(asked, count)
    return by(
      ["POST", /uploads\/$/, () => empty(202, { location: `${uploads}${++sessions}` })],
      ["GET", /uploads/, () => empty(204, { location: `${uploads}${sessions}` })],
      ["PATCH", /uploads/, () => empty(202, { location: `${uploads}${sessions}`, range: "0-9" })],
      ["PUT", /uploads/, () => empty(201)],
      ["DELETE", /uploads/, () => empty(204)]
    )(asked, count)
  }
}

describe("a blob whose digest is not known before", () => {
  it.effect("takes one request in addition to the one that opens the upload", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload()).digest, digest)
      assert.deepStrictEqual(yield* requests, ["POST", `PUT ${text}`])
      assert.strictEqual((yield* Journal).at(-1)?.url.searchParams.get("digest"), digest)
    }).pipe(Effect.provide(content(committing(() => empty(201)))))
  )

  it.effect("is sent in chunks, and the last one commits", () =>
    Effect.gen(function* () {
      yield* upload({ chunkSize: 4 })
      assert.deepStrictEqual(yield* requests, ["POST", "PATCH 0123", "PATCH 4567", "PUT 89"])
    }).pipe(Effect.provide(content(committing(() => empty(201)))))
  )

  it.effect("is sent first if the registry does not accept it with the commit", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload()).digest, digest)
      assert.deepStrictEqual((yield* requests).slice(-2), [`PATCH ${text}`, "PUT"])
    }).pipe(Effect.provide(content(committing(() => refusal(400)))))
  )
})

describe("a blob whose digest is known", () => {
  it.effect("takes one request in addition to the one that opens the upload", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* named).digest, digest)
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", `PUT ${text}`])
      const [commit] = (yield* Journal).slice(-1)
      assert.strictEqual(commit?.url.searchParams.get("digest"), digest)
      assert.strictEqual(commit?.contentRange, undefined)
      assert.strictEqual(commit?.contentType, "application/octet-stream")
    }).pipe(Effect.provide(content(committing(() => empty(201)))))
  )

  it.effect("is sent in chunks, and the last one commits and states its range", () =>
    Effect.gen(function* () {
      yield* upload({ digest, chunkSize: 4 })
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", "PATCH 0123", "PATCH 4567", "PUT 89"])
      assert.strictEqual((yield* Journal).at(-1)?.contentRange, "8-9")
    }).pipe(Effect.provide(content(committing(() => empty(201)))))
  )

  it.effect("and whose content differs is never sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload({ digest }, BlobSource.fromString(other)))
      assert.deepInclude({ ...error.reason }, { _tag: "ContentMismatch", expected: digest, actual: sha256(other) })
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", "DELETE"])
    }).pipe(Effect.provide(content(committing(() => empty(201)))))
  )
})

describe("a registry that does not accept bytes with the commit", () => {
  const answers: ReadonlyArray<readonly [what: string, answer: () => ReturnType<Script>]> = [
    ["says 400", () => refusal(400)],
    ["says 405", () => refusal(405)],
    ["says 409", () => refusal(409)],
    ["has a firewall", () => new Response("<html>", { status: 403, headers: { "content-type": "text/html" } })],
    ["fails each time", () => refusal(500)],
    ["breaks off each time", () => "reset"],
    ["says 415", () => refusal(415)],
    ["says 501", () => refusal(501)],
    ["drops them, so that the digest is wrong", () => refusal(400, "DIGEST_INVALID")],
    ["accepts them like any others, and has no blob", () => empty(202, { location: `${uploads}1` })]
  ]
  for (const [what, answer] of answers) {
    it.effect(`gets them first, after it refused two blobs in a row: ${what}`, () =>
      Effect.gen(function* () {
        for (let blob = 0; blob < 2; blob++) {
          const before = (yield* Journal).length
          yield* named
          const asked = (yield* requests).slice(before)
          assert.include(asked, `PUT ${text}`)
          assert.deepStrictEqual(asked.slice(-2), [`PATCH ${text}`, "PUT"])
        }
        const before = (yield* Journal).length
        yield* next
        assert.deepStrictEqual((yield* requests).slice(before), ["HEAD", "POST", `PATCH ${other}`, "PUT"])
      }).pipe(Effect.provide(content(committing(answer))))
    )
  }

  it.effect("because it no longer knows the session gets them first, and the next blob's with the commit", () =>
    Effect.gen(function* () {
      for (let blob = 0; blob < 3; blob++) {
        const before = (yield* Journal).length
        yield* named
        const asked = (yield* requests).slice(before)
        assert.deepStrictEqual(asked.slice(0, 3), ["HEAD", "POST", `PUT ${text}`])
        assert.deepStrictEqual(asked.slice(-2), [`PATCH ${text}`, "PUT"])
      }
    }).pipe(Effect.provide(content(committing(() => refusal(404, "BLOB_UPLOAD_UNKNOWN")))))
  )

  it.effect("is not sent them if nothing could be sent again: a stream that is read once", () =>
    Effect.gen(function* () {
      const pieces = Stream.make(new TextEncoder().encode(text))
      yield* upload({ digest, chunkSize: 4 }, BlobSource.fromStream(pieces))
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", "PATCH 0123", "PATCH 4567", "PATCH 89", "PUT"])
    }).pipe(Effect.provide(content(committing(() => refusal(400)))))
  )

  it.effect("because the caller may not write gets no second request", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(named)).reason._tag, "Forbidden")
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", `PUT ${text}`, "DELETE"])
    }).pipe(Effect.provide(content(committing(() => refusal(403)))))
  )
})

describe("a commit with bytes", () => {
  it.effect("whose answer is lost has succeeded if the blob exists", () => {
    let isThere = false
    const script = committing(() => {
      isThere = true
      return "reset"
    })
    return Effect.gen(function* () {
      yield* named
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", `PUT ${text}`, "HEAD", "DELETE"])
    }).pipe(
      Effect.provide(
        content((asked, count) => (asked.method === "HEAD" && isThere ? empty(200) : script(asked, count)))
      )
    )
  })

  it.effect("that is lost is sent again, its bytes first", () =>
    Effect.gen(function* () {
      yield* named
      assert.deepStrictEqual(
        (yield* requests).filter((line) => line.startsWith("P")),
        ["POST", `PUT ${text}`, "POST", `PATCH ${text}`, "PUT"]
      )
    }).pipe(Effect.provide(content(committing(({ url }) => (url.pathname.endsWith("1") ? "reset" : empty(201))))))
  )

  it.effect("that is lost once does not change how the next blobs are sent", () =>
    Effect.gen(function* () {
      for (let blob = 0; blob < 4; blob++) {
        const before = (yield* Journal).length
        yield* named
        assert.include((yield* requests).slice(before), `PUT ${text}`)
      }
    }).pipe(Effect.provide(content(committing(({ url }) => (/[14]$/.test(url.pathname) ? "reset" : empty(201))))))
  )

  it.effect("that is rejected is repeated in the same session", () =>
    Effect.gen(function* () {
      yield* named
      assert.deepStrictEqual(yield* requests, ["HEAD", "POST", `PUT ${text}`, `PUT ${text}`])
    }).pipe(Effect.provide(content(committing((_, count) => (count === 0 ? refusal(503) : empty(201))))))
  )
})
