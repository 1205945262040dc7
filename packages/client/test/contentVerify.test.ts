/**
 * Verifying a stream as it passes: what comes through, and when it fails.
 */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as Content from "../src/Content.ts"
import { Hasher } from "../src/Hasher.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { sha256 } from "./support/content.ts"

const encoder = new TextEncoder()
const text = "0123456789"

/** A stream with one text for each pull. */
const pieces = (...texts: ReadonlyArray<string>): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    texts.map((piece) => encoder.encode(piece)),
    { chunkSize: 1 }
  )

/** What a consumer got, and how the stream ended. */
const consumed = <E>(stream: Stream.Stream<Uint8Array, E>) =>
  Effect.suspend(() => {
    let seen = ""
    return Effect.map(
      Effect.exit(
        Stream.runForEach(stream, (piece) => Effect.sync(() => void (seen += Buffer.from(piece).toString())))
      ),
      (exit) => ({ seen, exit })
    )
  })

const reasonOf = (stream: Stream.Stream<Uint8Array, RegistryError>) =>
  Effect.map(Effect.flip(Stream.runDrain(stream)), ({ operation, reason }) => {
    assert.strictEqual(operation, "Content.verify")
    return reason
  })

describe("Content.verify", () => {
  const right: ReadonlyArray<readonly [string, Content.Expected]> = [
    ["a digest", { digest: sha256(text) }],
    ["a digest and a size", { digest: sha256(text), size: 10 }],
    ["a digest by sha512", { digest: `sha512:${createHash("sha512").update(text).digest("hex")}`, size: 10 }]
  ]
  for (const [what, expected] of right) {
    it.effect(`passes on content that matches ${what}`, () =>
      Effect.gen(function* () {
        const { exit, seen } = yield* consumed(Content.verify(pieces("012", "", "3456789"), expected))
        assert.deepStrictEqual([seen, Exit.isSuccess(exit)], [text, true])
      })
    )
  }

  it.effect("accepts empty content", () =>
    Effect.gen(function* () {
      yield* Stream.runDrain(Content.verify(Stream.empty, { digest: sha256(""), size: 0 }))
      const reason = yield* reasonOf(Content.verify(Stream.empty, { digest: sha256(text) }))
      assert.strictEqual(reason._tag, "ContentMismatch")
    })
  )

  it.effect("fails at the end if the digest differs", () =>
    Effect.gen(function* () {
      const stream = pieces("01234", "5678X").pipe(Content.verify({ digest: sha256(text), size: 10 }))
      const { exit, seen } = yield* consumed(stream)
      assert.deepStrictEqual([seen, Exit.isSuccess(exit)], ["012345678X", false])
      const reason = yield* reasonOf(stream)
      assert.deepInclude(reason, { _tag: "ContentMismatch", expected: sha256(text), actual: sha256("012345678X") })
    })
  )

  it.effect("fails at the end if bytes are missing", () =>
    Effect.gen(function* () {
      const reason = yield* reasonOf(Content.verify(pieces("01234"), { digest: sha256("01234"), size: 10 }))
      assert.deepInclude(reason, { _tag: "ContentMismatch", expected: "10 bytes", actual: "5 bytes" })
    })
  )

  it.effect("fails as soon as there are too many bytes, even if the stream is endless", () =>
    Effect.gen(function* () {
      const endless = Stream.forever(pieces("01234"))
      const stream = Content.verify(endless, { digest: sha256(text), size: 12 })
      const { exit, seen } = yield* consumed(stream)
      assert.deepStrictEqual([seen, Exit.isSuccess(exit)], ["0123401234", false])
      const reason = yield* reasonOf(stream)
      assert.deepInclude(reason, { _tag: "ContentMismatch", expected: "12 bytes", actual: "more" })
    })
  )

  it.effect("computes a new hash for each run", () =>
    Effect.gen(function* () {
      const stream = Content.verify(pieces("01234", "56789"), { digest: sha256(text) })
      yield* Stream.runDrain(Stream.take(stream, 1))
      yield* Stream.runDrain(stream)
      yield* Stream.runDrain(stream)
    })
  )

  it.effect("passes on the errors of the stream", () =>
    Effect.gen(function* () {
      const stream = Content.verify(Stream.concat(pieces(text), Stream.fail("torn" as const)), { digest: sha256(text) })
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(stream)), "torn")
    })
  )

  it.effect("refuses an invalid digest or size before it reads", () =>
    Effect.gen(function* () {
      const unread = Stream.die("read")
      const digest = yield* reasonOf(Content.verify(unread, { digest: "sha256:abc" }))
      assert.deepInclude(digest, { _tag: "InvalidRequest", argument: "digest" })
      const size = yield* reasonOf(Content.verify(unread, { digest: sha256(text), size: -1 }))
      assert.deepInclude(size, { _tag: "InvalidRequest", argument: "size" })
    })
  )

  it.effect("uses the hasher of the context in which it runs", () =>
    Effect.gen(function* () {
      const stream = Content.verify(pieces("anything"), { digest: `sha256:${"a".repeat(64)}` })
      const reason = yield* reasonOf(stream)
      assert.strictEqual(reason._tag, "ContentMismatch")
      yield* Effect.provideService(Stream.runDrain(stream), Hasher, () => ({
        update: () => {},
        hex: () => "a".repeat(64)
      }))
    })
  )
})
