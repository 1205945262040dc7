/**
 * Downloads from registries that cut, stall, lie and corrupt: a successful download is always correct.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Digest from "../src/Digest.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { Script } from "./support/registry.ts"
import { endpoint, Journal } from "./support/registry.ts"
import { content, sha256 } from "./support/content.ts"

/** The behaviour of a registry for one request for a blob. */
const Behaviour = Schema.Struct({
  kind: Schema.Literals([
    "honest",
    "honest",
    "cut",
    "cut",
    "short",
    "long",
    "flip",
    "swap",
    "ignore the range",
    "another range",
    "another size",
    "no length",
    "reset",
    "busy",
    "no range",
    "not modified"
  ]),
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2000 }))
})

type Behaviour = typeof Behaviour.Type

const Content = Schema.Uint8Array

/** A body that ends correctly, or breaks off. */
const body = (bytes: Uint8Array, breaks: boolean): ReadableStream<Uint8Array> => {
  let step = 0
  return new ReadableStream({
    pull(controller) {
      step += 1
      if (step === 1 && bytes.length > 0) controller.enqueue(bytes)
      else if (breaks) controller.error(new Error("terminated"))
      else controller.close()
    }
  })
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ 1
  return copy
}

/** Answers a request for a range correctly, except for one thing. */
const behave = (blob: Uint8Array, range: string | null, { at, kind }: Behaviour) => {
  const from = range === null ? 0 : Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0)
  const partial = range !== null && kind !== "ignore the range" && kind !== "no range"
  const start = partial ? from + (kind === "another range" ? 1 + (at % 7) : 0) : 0
  const bytes = blob.subarray(start)
  const total = blob.length + (kind === "another size" ? 1 : 0)
  const headers = {
    ...(kind === "no length" ? {} : { "content-length": String(bytes.length) }),
    ...(partial ? { "content-range": `bytes ${start}-${blob.length - 1}/${total}` } : {})
  }
  const init = { status: partial ? 206 : 200, headers }
  switch (kind) {
    case "reset":
      return "reset" as const
    case "busy":
      return new Response("", { status: 503 })
    case "not modified":
      return new Response(null, { status: 304 })
    case "cut":
      return new Response(body(bytes.subarray(0, at), true), init)
    case "short":
      return new Response(body(bytes.subarray(0, at), false), init)
    case "long":
      return new Response(body(Buffer.concat([bytes, Buffer.from("and more")]), false), init)
    case "flip":
      return new Response(body(flipped(bytes, at), false), init)
    case "swap":
      return new Response(body(bytes.toReversed(), false), init)
    default:
      return from >= blob.length && range !== null
        ? new Response("", { status: 416, headers: { "content-range": `bytes */${blob.length}` } })
        : new Response(body(bytes, false), init)
  }
}

/** Each request gets the next behaviour; after the last one the registry is correct. */
const registryThat = (blob: Uint8Array, behaviours: ReadonlyArray<Behaviour>): Script => {
  let turn = 0
  return (asked) => behave(blob, asked.range, behaviours[turn++] ?? { kind: "honest", at: 0 })
}

const download = (digest: string, size: number | undefined) =>
  Effect.flatMap(RegistryContent, (content) =>
    content.blobBytes("alpine", size === undefined ? digest : { digest: digestOf(digest), size })
  )

const digestOf = (digest: string) => Result.getOrThrow(Digest.parse(digest))

describe("a download", () => {
  it.effect.prop(
    "that succeeds has the bytes of its digest, whatever the registry did; one that fails says why",
    { blob: Content, behaviours: Schema.Array(Behaviour), known: Schema.Boolean },
    ({ behaviours, blob, known }) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.result(download(sha256(blob), known ? blob.length : undefined))
        if (Result.isSuccess(outcome)) assert.isTrue(Buffer.from(outcome.success).equals(blob))
        else {
          assert.include(
            ["ContentMismatch", "InvalidResponse", "Unavailable", "InvalidRequest", "Refused"],
            outcome.failure.reason._tag
          )
        }
      }).pipe(Effect.provide(content(registryThat(blob, behaviours)))),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "to a file creates the file only with the bytes of its digest, and otherwise leaves nothing",
    { blob: Content, behaviours: Schema.Array(Behaviour), resumable: Schema.Boolean },
    ({ behaviours, blob, resumable }) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const registry = yield* RegistryContent
        const folder = yield* files.makeTempDirectoryScoped()
        const outcome = yield* Effect.result(
          registry.downloadBlob("alpine", sha256(blob), `${folder}/target`, { resumable })
        )
        const left = yield* files.readDirectory(folder)
        if (Result.isSuccess(outcome)) {
          assert.deepStrictEqual(left, ["target"])
          assert.isTrue(Buffer.from(yield* files.readFile(`${folder}/target`)).equals(blob))
        } else if (!resumable || outcome.failure.reason._tag === "ContentMismatch") {
          assert.deepStrictEqual(left, [])
        } else {
          assert.isFalse(left.includes("target"))
        }
      }).pipe(Effect.scoped, Effect.provide([content(registryThat(blob, behaviours)), NodeFileSystem.layer])),
    { arbitrary: { runs: 200 } }
  )

  const blob = Buffer.from("0123456789".repeat(100))

  const outcomes: ReadonlyArray<readonly [Behaviour["kind"], string]> = [
    ["honest", "success"],
    ["cut", "success"],
    ["short", "success"],
    ["reset", "success"],
    ["busy", "success"],
    ["no length", "success"],
    ["long", "ContentMismatch"],
    ["flip", "ContentMismatch"],
    ["swap", "ContentMismatch"],
    ["not modified", "Refused"]
  ]
  for (const [kind, expected] of outcomes) {
    it.effect(`that begins with "${kind}" ends in ${expected}`, () =>
      Effect.gen(function* () {
        const outcome = yield* Effect.result(download(sha256(blob), blob.length))
        assert.strictEqual(Result.isSuccess(outcome) ? "success" : outcome.failure.reason._tag, expected)
      }).pipe(Effect.provide(content(registryThat(blob, [{ kind, at: 300 }]))))
    )
  }

  const resumed: ReadonlyArray<readonly [Behaviour["kind"], string]> = [
    ["honest", "success"],
    ["ignore the range", "success"],
    ["another range", "InvalidResponse"],
    ["another size", "ContentMismatch"],
    ["flip", "ContentMismatch"]
  ]
  for (const [kind, expected] of resumed) {
    it.effect(`that is cut and then meets "${kind}" ends in ${expected}`, () =>
      Effect.gen(function* () {
        const outcome = yield* Effect.result(download(sha256(blob), undefined))
        assert.strictEqual(Result.isSuccess(outcome) ? "success" : outcome.failure.reason._tag, expected)
        if (Result.isSuccess(outcome)) assert.isTrue(Buffer.from(outcome.success).equals(blob))
        const ranges = (yield* Journal).map(({ range }) => range)
        assert.deepStrictEqual(ranges, [null, "bytes=300-"])
      }).pipe(
        Effect.provide(
          content(
            registryThat(blob, [
              { kind: "cut", at: 300 },
              { kind, at: 5 }
            ])
          )
        )
      )
    )
  }

  it.effect("fails after as many cuts without progress as the policy allows", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(download(sha256(blob), blob.length))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual((yield* Journal).length, 4)
    }).pipe(
      Effect.provide(
        content(
          registryThat(
            blob,
            Array.from({ length: 9 }, () => ({ kind: "cut", at: 0 }))
          )
        )
      )
    )
  )

  it.effect("may be cut any number of times, as long as it makes progress", () =>
    Effect.gen(function* () {
      const bytes = yield* download(sha256(blob), blob.length)
      assert.isTrue(Buffer.from(bytes).equals(blob))
      assert.strictEqual((yield* Journal).length, 100)
    }).pipe(
      Effect.provide(
        content(
          registryThat(
            blob,
            Array.from({ length: 100 }, () => ({ kind: "cut", at: 10 }))
          )
        )
      )
    )
  )

  it.effect("of another size than its descriptor says fails at once", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(download(sha256(blob), blob.length + 1))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.strictEqual((yield* Journal).length, 1)
    }).pipe(Effect.provide(content(registryThat(blob, []))))
  )

  it.effect("stops reading when the blob has more bytes than its descriptor says", () => {
    let sent = 0
    const endless = () =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            sent += blob.length
            if (sent > 100 * blob.length) controller.close()
            else controller.enqueue(blob)
          }
        },
        { highWaterMark: 0 }
      )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(download(sha256(blob), blob.length))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.isAtMost(sent, 5 * blob.length)
    }).pipe(Effect.provide(content(() => new Response(endless()))))
  })

  it.effect("of an unknown size that breaks after its last byte is complete, by its digest", () =>
    Effect.gen(function* () {
      const bytes = yield* download(sha256(blob), undefined)
      assert.isTrue(Buffer.from(bytes).equals(blob))
      assert.deepStrictEqual(
        (yield* Journal).map(({ range }) => range),
        [null, `bytes=${blob.length}-`]
      )
    }).pipe(
      Effect.provide(
        content(({ range }) => (range === null ? new Response(body(blob, true)) : new Response("", { status: 416 })))
      )
    )
  )

  it.effect("of more than the limit is too large, and not read to its end", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const blob of [sha256("x"), { digest: digestOf(sha256("x")), size: 1000 }]) {
        const error = yield* Effect.flip(content.blobBytes("alpine", blob, { maxSize: 999 }))
        assert.strictEqual(error.reason._tag, "TooLarge")
      }
      assert.strictEqual((yield* Journal).length, 1)
    }).pipe(Effect.provide(content(registryThat(blob, []))))
  )

  it.effect("that stalls resumes after the idle timeout, to the millisecond", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(download(sha256(blob), blob.length))
      // The first bytes arrive at once, in several steps.
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      yield* TestClock.adjust(59_999)
      assert.strictEqual((yield* Journal).length, 1)
      yield* TestClock.adjust(1)
      assert.isTrue(Buffer.from(yield* Fiber.join(fiber)).equals(blob))
      assert.deepStrictEqual(
        (yield* Journal).map(({ range }) => range),
        [null, "bytes=100-"]
      )
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          count === 0
            ? new Response(stalling(blob.subarray(0, 100)), { headers: { "content-length": String(blob.length) } })
            : behave(blob, asked.range, { kind: "honest", at: 0 })
        )
      )
    )
  )

  it.effect("does not count as stalled because its consumer is slow", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const fiber = yield* content.blob("alpine", sha256(blob)).pipe(
        Stream.tap(() => Effect.sleep("1 hour")),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* TestClock.adjust("10 hours")
      assert.isTrue(Buffer.concat(yield* Fiber.join(fiber)).equals(blob))
      assert.strictEqual((yield* Journal).length, 1)
    }).pipe(Effect.provide(content(registryThat(blob, []))))
  )
})

/** A body that sends its bytes and then stalls forever. */
const stalling = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes)
    }
  })

describe("a redirect of a download", () => {
  const blob = Buffer.from("content")
  const to =
    (location: string): Script =>
    ({ url }) =>
      url.origin === endpoint && url.pathname.includes("sha256:")
        ? new Response(null, { status: 307, headers: { location } })
        : new Response(blob, { headers: { "content-length": String(blob.length) } })

  for (const location of ["https://storage.example/a%2Fb?sig=x%2By~z&se=1", "/elsewhere?x=%7E", "elsewhere"]) {
    it.effect(`to ${location} is followed, byte for byte`, () =>
      Effect.gen(function* () {
        assert.isTrue(Buffer.from(yield* download(sha256(blob), blob.length)).equals(blob))
        const [, second] = yield* Journal
        assert.isTrue(second?.url.href.endsWith(location))
        if (location.startsWith("https:")) assert.isUndefined(second?.authorization)
      }).pipe(Effect.provide(content(to(location))))
    )
  }

  for (const location of [
    "http://storage.example/a",
    "http://169.254.169.254/",
    "file:///etc/passwd",
    "https://[x",
    ""
  ]) {
    it.effect(`to "${location}" is refused`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(download(sha256(blob), blob.length))
        assert.strictEqual(error.reason._tag, "Refused")
        assert.isTrue((yield* Journal).every(({ url }) => url.origin === endpoint))
      }).pipe(Effect.provide(content(to(location))))
    )
  }
})

describe("a link to storage", () => {
  const blob = Buffer.from("content")
  const storage = "https://storage.example"

  for (const status of [400, 401, 403, 410]) {
    it.effect(`that storage refuses with ${status} is renewed`, () =>
      Effect.gen(function* () {
        assert.isTrue(Buffer.from(yield* download(sha256(blob), blob.length)).equals(blob))
        assert.deepStrictEqual(
          (yield* Journal).map(({ url }) => (url.origin === endpoint ? "registry" : url.search)),
          ["registry", "?sig=0", "registry", "?sig=1"]
        )
      }).pipe(
        Effect.provide(
          content(({ url }, count) => {
            if (url.origin === endpoint) {
              return new Response(null, { status: 307, headers: { location: `${storage}/blob?sig=${count}` } })
            }
            return url.search === "?sig=0" ? new Response(null, { status }) : new Response(blob)
          })
        )
      )
    )
  }

  it.effect("is not renewed if the registry itself answers 403", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(download(sha256(blob), blob.length))
      assert.strictEqual(error.reason._tag, "Forbidden")
      assert.strictEqual((yield* Journal).length, 1)
    }).pipe(Effect.provide(content(() => new Response(null, { status: 403 }))))
  )
})
