/**
 * Uploads to registries that misbehave.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { Asked, Reply, Script } from "./support/registry.ts"
import { endpoint, Journal, json } from "./support/registry.ts"
import { content, sha256 } from "./support/content.ts"

const uploads = "/v2/alpine/blobs/uploads/"

const accepted = (location: string, range?: string, headers: { readonly [name: string]: string } = {}) =>
  new Response(null, {
    status: 202,
    headers: { location, ...(range === undefined ? {} : { range }), ...headers }
  })

const created = (digest?: string) =>
  new Response(null, { status: 201, headers: digest === undefined ? {} : { "docker-content-digest": digest } })

const refusal = (status: number, code: string) => json({ errors: [{ code, message: "no" }] }, { status })

/** Answers by method, in turn; the last answer of a method forever. */
const inTurn = (answers: { readonly [method: string]: ReadonlyArray<(asked: Asked) => Reply> }): Script => {
  const turns = new Map<string, number>()
  return (asked) => {
    const own = answers[asked.method] ?? []
    const turn = turns.get(asked.method) ?? 0
    turns.set(asked.method, turn + 1)
    return (own[turn] ?? own.at(-1))?.(asked) ?? new Response(null, { status: 404 })
  }
}

const text = "0123456789"

/** Uploads in two chunks: the first is sent on its own (PATCH), and the last one with the commit (PUT). */
const upload = (source: BlobSource.BlobSource = BlobSource.fromString(text), options: object = {}) =>
  Effect.flatMap(RegistryContent, (content) => content.uploadBlob("alpine", source, { chunkSize: 5, ...options }))

/** The requests, as `PATCH /path?query 0-9`. */
const asked = Effect.map(Journal, (journal) =>
  journal.map(({ method, url }) => `${method} ${url.href.replace(endpoint, "")}`)
)

const commit = (location: string) => `PUT ${location}digest=${encodeURIComponent(sha256(text))}`

/** Accepts the first chunk, and no longer knows the session when the second one arrives. */
const forgetful = () =>
  inTurn({
    POST: [() => accepted(`${uploads}s`), () => accepted(`${uploads}t`)],
    PATCH: [() => accepted(`${uploads}s`), () => refusal(404, "BLOB_UPLOAD_UNKNOWN"), () => accepted(`${uploads}t`)],
    GET: [() => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
    PUT: [() => created()]
  })

describe("an upload", () => {
  it.effect("sends to the newest location, byte for byte, and closes it with the digest", () =>
    Effect.gen(function* () {
      const { digest, size } = yield* upload()
      assert.deepStrictEqual([String(digest), size], [sha256(text), 10])
      assert.deepStrictEqual(yield* asked, [
        `POST ${uploads}`,
        "PATCH /a%2fb?_state=x%2By~%7E&n=1",
        commit("/next?_state=2&")
      ])
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted("/a%2fb?_state=x%2By~%7E&n=1")],
            PATCH: [() => accepted("/next?_state=2", "0-4")],
            PUT: [() => created(sha256(text))]
          })
        )
      )
    )
  )

  it.effect("follows a location to another host, without credentials", () =>
    Effect.gen(function* () {
      yield* upload()
      const [, patch, put] = yield* Journal
      assert.strictEqual(patch?.url.href, "https://storage.example/session?sig=1")
      assert.isUndefined(patch?.authorization)
      assert.strictEqual(put?.url.origin, "https://storage.example")
      assert.isUndefined(put?.authorization)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted("https://storage.example/session?sig=1")],
            PATCH: [() => accepted("/session?sig=2")],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  for (const location of ["http://myregistry.azurecr.io/x", "http://169.254.169.254/", "ftp://x/", "https://[x"]) {
    it.effect(`does not follow ${location}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(upload())
        assert.strictEqual(error.reason._tag, "Refused")
        assert.strictEqual((yield* Journal).length, 1)
      }).pipe(Effect.provide(content(inTurn({ POST: [() => accepted(location)] }))))
    )
  }

  it.effect("without a location to continue at fails", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(upload())).reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(content(inTurn({ POST: [() => new Response(null, { status: 202 })] }))))
  )

  it.effect("to a registry that says it stored other content fails, and leaves nothing open", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error.reason._tag, "ContentMismatch")
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`)],
            PUT: [() => created(sha256("other"))]
          })
        )
      )
    )
  )

  it.effect("for which the registry says that it does not match its digest fails, and is cancelled", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      // So that a copy blames the registry, and not the source.
      assert.deepStrictEqual([error.request?.method, error.response?.status], ["PUT", 400])
      assert.strictEqual((yield* asked).at(-1), `DELETE ${uploads}t`)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}t`)],
            PUT: [() => refusal(400, "DIGEST_INVALID")],
            DELETE: [() => new Response(null, { status: 204 })]
          })
        )
      )
    )
  )

  it.effect("in chunks states the range of each chunk", () =>
    Effect.gen(function* () {
      yield* upload(BlobSource.fromString(text), { chunkSize: 4 })
      const chunks = (yield* Journal).filter(({ method }) => method !== "POST")
      assert.deepStrictEqual(
        chunks.map(({ body, contentRange }) => [contentRange, body]),
        [
          ["0-3", "0123"],
          ["4-7", "4567"],
          ["8-9", "89"]
        ]
      )
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`)],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  it.effect("to a registry that has 0-3 of ten bytes sends the others again", () =>
    Effect.gen(function* () {
      yield* upload(undefined, { chunkSize: 8 })
      assert.deepStrictEqual(
        (yield* Journal).map(({ body, method }) => `${method} ${body}`),
        ["POST ", "PATCH 01234567", "PATCH 4567", "PUT 89"]
      )
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-3"), () => accepted(`${uploads}s`, "0-7")],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  const once = ["POST", "PATCH", "PUT", "DELETE"]
  /** The last bytes are sent on their own, in case the registry did not accept them with the commit. */
  const again = ["POST", "PATCH", "PATCH", "PUT", "DELETE"]
  for (const range of ["0-0", "0-99"]) {
    it.effect(`to a registry that says ${range} of five bytes, and has others, is sent three times and fails`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(upload())
        assert.strictEqual(error.reason._tag, "ContentMismatch")
        assert.deepStrictEqual(
          (yield* Journal).map(({ method }) => method),
          [...once, ...again, ...again]
        )
      }).pipe(
        Effect.provide(
          content(
            inTurn({
              POST: [() => accepted(`${uploads}s`)],
              PATCH: [() => accepted(`${uploads}s`, range)],
              PUT: [() => refusal(400, "DIGEST_INVALID")],
              DELETE: [() => new Response(null, { status: 204 })]
            })
          )
        )
      )
    )
  }

  it.effect("of one byte is not confused with none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload(BlobSource.fromString("1"))).size, 1)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-0")],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  it.effect("of nothing is closed at once", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* upload(BlobSource.fromString(""))).digest, sha256(""))
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["POST", "PUT"]
      )
    }).pipe(Effect.provide(content(inTurn({ POST: [() => accepted(`${uploads}s`)], PUT: [() => created()] }))))
  )

  it.effect("whose closing answer is lost checks for the blob, and closes a session that may be open", () =>
    Effect.gen(function* () {
      yield* upload()
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["POST", "PATCH", "PUT", "HEAD", "DELETE"]
      )
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`)],
            PUT: [() => "reset"],
            HEAD: [() => new Response(null, { headers: { "content-length": "10" } })],
            DELETE: [() => new Response(null, { status: 404 })]
          })
        )
      )
    )
  )

  it.effect("that cannot be read again does not start again", () =>
    Effect.gen(function* () {
      const chunks = BlobSource.fromStream(Stream.fromIterable([Buffer.from("01234"), Buffer.from("56789")]))
      const error = yield* Effect.flip(upload(chunks, { chunkSize: 5 }))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual((yield* asked).filter((request) => request.startsWith("POST")).length, 1)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-4"), () => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
            GET: [() => refusal(404, "BLOB_UPLOAD_UNKNOWN")]
          })
        )
      )
    )
  )

  it.effect("that can be read again starts again if its session no longer exists", () =>
    Effect.gen(function* () {
      yield* upload()
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["POST", "PATCH", "GET", "DELETE", "POST", "PATCH", "PUT"]
      )
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`), () => accepted(`${uploads}t`)],
            PATCH: [() => refusal(404, "BLOB_UPLOAD_INVALID"), () => accepted(`${uploads}t`, "0-4")],
            GET: [() => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  it.effect("that restarts sends the same bytes again, and commits their digest", () =>
    Effect.gen(function* () {
      const { digest } = yield* upload(BlobSource.fromString(text), { chunkSize: 4 })
      assert.strictEqual(digest, sha256(text))
      const bodies = (yield* Journal).filter(({ method }) => method === "PATCH").map(({ body }) => body)
      assert.deepStrictEqual(bodies, ["0123", "4567", "0123", "4567"])
      assert.strictEqual((yield* asked).at(-1), commit(`${uploads}t?`))
    }).pipe(Effect.provide(content(forgetful())))
  )

  it.effect("that restarts closes its source before it opens the source again", () => {
    const notes: Array<string> = []
    const note = (text: string) => Effect.sync(() => notes.push(text))
    const file = Effect.acquireRelease(note("opened"), () => note("closed"))
    const source: BlobSource.BlobSource = {
      sizeBytes: Effect.succeed(text.length),
      read: (offset) =>
        Stream.scoped(Stream.flatMap(Stream.fromEffect(file), () => BlobSource.fromString(text.slice(offset)).read(0))),
      repeatable: true
    }
    return Effect.gen(function* () {
      yield* upload(source, { chunkSize: 3 })
      assert.deepStrictEqual(notes, ["opened", "closed", "opened", "closed"])
    }).pipe(Effect.provide(content(forgetful())))
  })

  for (const [bytes, actual] of [
    ["01234", "5 bytes"],
    ["0123456789abc", "more"]
  ] as const) {
    it.effect(`of ${bytes.length} bytes fails when its source states ten, and is cancelled`, () =>
      Effect.gen(function* () {
        const source = BlobSource.fromStream(Stream.make(Buffer.from(bytes)), { size: 10 })
        const { reason } = yield* Effect.flip(upload(source, { chunkSize: 16 }))
        assert.strictEqual(reason._tag, "ContentMismatch")
        assert.strictEqual(reason._tag === "ContentMismatch" ? reason.actual : "", actual)
        assert.deepStrictEqual(yield* asked, [`POST ${uploads}`, `DELETE ${uploads}s`])
      }).pipe(
        Effect.provide(
          content(
            inTurn({
              POST: [() => accepted(`${uploads}s`)],
              PATCH: [() => accepted(`${uploads}s`)],
              PUT: [() => created()],
              DELETE: [() => new Response(null, { status: 204 })]
            })
          )
        )
      )
    )
  }

  it.effect("is cancelled before it commits when the content does not match the expected digest", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(
        upload(BlobSource.fromString(text), { chunkSize: 16, digest: sha256("other") })
      )
      assert.strictEqual(reason._tag, "ContentMismatch")
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["HEAD", "POST", "DELETE"]
      )
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-4")],
            PUT: [() => created()],
            DELETE: [() => new Response(null, { status: 204 })]
          })
        )
      )
    )
  )

  it.effect("fails after as many faults without progress as the policy allows, without further requests", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error.reason._tag, "Unavailable")
      const methods = (yield* Journal).map(({ method }) => method)
      assert.strictEqual(methods.filter((method) => method === "PATCH").length, 4)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => "reset"],
            GET: [() => new Response(null, { status: 204, headers: { location: `${uploads}s`, range: "0-0" } })],
            DELETE: [() => new Response(null, { status: 204 })]
          })
        )
      )
    )
  )

  it.effect("that is never closed fails as well, even if all of its bytes arrived", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error.reason._tag, "Unavailable")
      const methods = (yield* Journal).map(({ method }) => method)
      // The first one has the last bytes.
      assert.strictEqual(methods.filter((method) => method === "PUT").length, 5)
      assert.strictEqual(methods.at(-1), "DELETE")
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-4")],
            PUT: [() => new Response(null, { status: 500 })],
            GET: [() => new Response(null, { status: 204, headers: { location: `${uploads}s`, range: "0-9" } })],
            DELETE: [() => new Response(null, { status: 204 })]
          })
        )
      )
    )
  )

  it.effect("whose sessions are repeatedly forgotten fails", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(upload())
      assert.strictEqual(error.reason._tag, "NotFound")
      // The first one has the last bytes.
      assert.strictEqual((yield* Journal).filter(({ method }) => method === "PUT").length, 5)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [() => accepted(`${uploads}s`, "0-4")],
            PUT: [() => refusal(404, "BLOB_UPLOAD_UNKNOWN")],
            GET: [() => refusal(404, "BLOB_UPLOAD_UNKNOWN")]
          })
        )
      )
    )
  )

  it.effect("waits as long as a busy registry asks for", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(upload())
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      assert.strictEqual((yield* Journal).length, 2)
      yield* TestClock.adjust(6999)
      assert.strictEqual((yield* Journal).length, 2)
      yield* TestClock.adjust(1)
      yield* Fiber.join(fiber)
      assert.strictEqual((yield* Journal).length, 4)
    }).pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`)],
            PATCH: [
              () => new Response(null, { status: 429, headers: { "retry-after": "7" } }),
              () => accepted(`${uploads}s`, "0-4")
            ],
            PUT: [() => created()]
          })
        )
      )
    )
  )

  for (const [what, size, silent, requests] of [
    ["streams its content", 3 * 1024 * 1024, "PATCH", ["POST", "PATCH", "GET"]],
    ["sends a chunk", 10, "PATCH", ["POST", "PATCH", "GET"]],
    ["sends the last bytes with the commit", 10, "PUT", ["POST", "PATCH", "PUT", "HEAD"]],
    ["commits what it streamed", 3 * 1024 * 1024, "PUT", ["POST", "PATCH", "PUT", "HEAD"]]
  ] as const) {
    it.effect(`that ${what} queries the registry after the idle timeout without a response`, () =>
      Effect.gen(function* () {
        const methods = Effect.map(Journal, (journal) => journal.map(({ method }) => method))
        const fiber = yield* Effect.forkChild(upload(BlobSource.fromBytes(Buffer.alloc(size))))
        yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(yield* methods, [...requests].slice(0, -1))
        yield* TestClock.adjust("2 seconds")
        yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
        assert.deepStrictEqual(yield* methods, [...requests])
        yield* Fiber.interrupt(fiber)
      }).pipe(
        Effect.provide(
          content((asked) => {
            if (asked.method === silent) return "stall"
            if (asked.method === "DELETE") return new Response(null, { status: 204 })
            return asked.method === "GET" || asked.method === "HEAD" ? "stall" : accepted(`${uploads}s`)
          })
        )
      )
    )
  }

  it.effect("that is interrupted while its session opens closes that, once the registry has answered", () =>
    Effect.gen(function* () {
      const answer = yield* Latch.make()
      const opening = Effect.as(answer.await, accepted(`${uploads}s`))
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(upload())
        yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
        const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
        yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
        yield* answer.open
        yield* Fiber.join(interrupting)
        assert.deepStrictEqual(
          (yield* Journal).map(({ method }) => method),
          ["POST", "DELETE"]
        )
      }).pipe(
        Effect.provide(content(inTurn({ POST: [() => opening], DELETE: [() => new Response(null, { status: 204 })] })))
      )
    })
  )

  it.effect("that is interrupted while its session opens waits for the answer for five seconds", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(upload())
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["POST"]
      )
    }).pipe(Effect.provide(content(inTurn({ POST: [() => "stall"] }))))
  )

  it.effect("that is interrupted while its registry is silent ends within five seconds", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(upload())
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["POST", "PATCH", "DELETE"]
      )
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(interrupting)
    }).pipe(
      Effect.provide(
        content(inTurn({ POST: [() => accepted(`${uploads}s`)], PATCH: [() => "stall"], DELETE: [() => "stall"] }))
      )
    )
  )

  it.effect("limits the size of chunks, whatever the registry says", () =>
    upload().pipe(
      Effect.provide(
        content(
          inTurn({
            POST: [() => accepted(`${uploads}s`, undefined, { "oci-chunk-min-length": "99999999999999" })],
            PATCH: [() => accepted(`${uploads}s`, "0-4")],
            PUT: [() => created()]
          })
        )
      )
    )
  )
})

it.effect("a mount that the registry answers with an upload session fails, and cancels the session", () =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    const error = yield* Effect.flip(registry.mountBlob("alpine", { digest: sha256(text), from: "other" }))
    assert.strictEqual(error.reason._tag, "NotFound")
    assert.strictEqual((yield* asked).at(-1), `DELETE ${uploads}s`)
  }).pipe(
    Effect.provide(
      content(inTurn({ POST: [() => accepted(`${uploads}s`)], DELETE: [() => new Response(null, { status: 204 })] }))
    )
  )
)
