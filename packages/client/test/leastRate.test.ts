/**
 * Downloads from slow servers: a rate below the minimum counts as stalled.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal, type Script } from "./support/registry.ts"

const kibibyte = 1024
const blob = Buffer.alloc(8 * 1024 * kibibyte, "the content of a blob, ")
const digest = sha256(blob)
const small = blob.subarray(0, 4000)

/** A server of the blob that sends bytes when the test says so; each answer starts at the requested offset. */
const obedient = () => {
  let answer: ReadableStreamDefaultController<Uint8Array> | undefined
  let position = 0
  const script: Script = ({ range }) => {
    position = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0)
    const headers = {
      "content-length": String(blob.length - position),
      ...(range === null ? {} : { "content-range": `bytes ${position}-${blob.length - 1}/${blob.length}` })
    }
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        answer = controller
      }
    })
    return new Response(body, { status: range === null ? 200 : 206, headers })
  }
  return {
    script,
    send: (bytes: number) => {
      answer?.enqueue(blob.subarray(position, position + bytes))
      position += bytes
      if (position >= blob.length) answer?.close()
    },
    cut: () => answer?.error(new Error("cut"))
  }
}

/** Runs everything that is due. */
const settle = Effect.repeat(TestClock.adjust(0), { times: 20 })

const requests = Effect.map(Journal, (asked) => asked.length)

const download = Effect.flatMap(RegistryContent, (registry) => Stream.runDrain(registry.blob("alpine", digest)))

/** Runs a test against a server, after the download has begun. */
const against = <E, R>(
  test: (
    server: ReturnType<typeof obedient>,
    fiber: Fiber.Fiber<void, unknown>
  ) => Effect.Effect<void, E, R | RegistryContent | Journal>
) => {
  const server = obedient()
  return Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(download)
    yield* settle
    yield* test(server, fiber)
  }).pipe(Effect.provide(content(server.script)))
}

/** The result of a download that must have ended by now. */
const ended = (fiber: Fiber.Fiber<void, unknown>) =>
  Effect.suspend(() => fiber.pollUnsafe() ?? Effect.die(new Error("the download has not ended")))

/** Sends a number of bytes at intervals of a number of seconds, for a number of turns, while the download runs. */
const drip = Effect.fnUntraced(function* (
  server: ReturnType<typeof obedient>,
  fiber: Fiber.Fiber<void, unknown>,
  options: { readonly bytes: number; readonly seconds: number; readonly turns: number }
) {
  for (let turn = 0; turn < options.turns && fiber.pollUnsafe() === undefined; turn++) {
    server.send(options.bytes)
    yield* settle
    yield* TestClock.adjust(`${options.seconds} seconds`)
    yield* settle
  }
})

describe("a download", () => {
  it.effect("is not kept alive by a byte now and then: the connection stalls at the end of the idle timeout", () =>
    against((server) =>
      Effect.gen(function* () {
        for (const second of [0, 20, 40]) {
          server.send(1)
          yield* settle
          yield* TestClock.adjust(second === 40 ? 19_999 : 20_000)
        }
        yield* settle
        assert.strictEqual(yield* requests, 1)
        yield* TestClock.adjust(1)
        yield* settle
        assert.strictEqual(yield* requests, 2)
      })
    )
  )

  it.effect(
    "that began fast stalls as well when only a byte arrives now and then: the rate is measured for each idle timeout",
    () =>
      against((server, fiber) =>
        Effect.gen(function* () {
          server.send(4 * 1024 * kibibyte)
          yield* settle
          yield* drip(server, fiber, { bytes: 1, seconds: 20, turns: 5 })
          assert.strictEqual(yield* requests, 1)
          yield* drip(server, fiber, { bytes: 1, seconds: 20, turns: 1 })
          assert.strictEqual(yield* requests, 2)
        })
      )
  )

  for (const seconds of [1, 20, 59]) {
    it.effect(`fails after as many slow connections as the policy allows: a byte each ${seconds} seconds`, () =>
      against((server, fiber) =>
        Effect.gen(function* () {
          yield* drip(server, fiber, { bytes: 1, seconds, turns: 1000 })
          const error = yield* Effect.flip(ended(fiber))
          assert.include(String(error), "Unavailable")
          assert.include(String(error), "16 KiB")
          assert.strictEqual(yield* requests, 4)
        })
      )
    )
  }

  it.effect("fails after as many connections as the policy allows, each cut after a few bytes in a long time", () =>
    against((server, fiber) =>
      Effect.gen(function* () {
        for (let turn = 0; turn < 1000 && fiber.pollUnsafe() === undefined; turn++) {
          server.send(100)
          yield* settle
          yield* TestClock.adjust("1 second")
          server.cut()
          yield* settle
        }
        yield* Effect.flip(ended(fiber))
        assert.strictEqual(yield* requests, 4)
      })
    )
  )

  it.effect("may take any time at the minimum rate", () =>
    against((server, fiber) =>
      Effect.gen(function* () {
        yield* drip(server, fiber, { bytes: 16 * kibibyte, seconds: 1, turns: 1000 })
        yield* ended(fiber)
        assert.strictEqual(yield* requests, 1)
      })
    )
  )

  it.effect("at the minimum rate may be cut any number of times", () =>
    against((server, fiber) =>
      Effect.gen(function* () {
        for (let turn = 0; turn < 1000 && fiber.pollUnsafe() === undefined; turn++) {
          yield* TestClock.adjust("1 second")
          server.send(20 * kibibyte)
          yield* settle
          if (turn % 10 === 9) server.cut()
          yield* settle
        }
        yield* ended(fiber)
        assert.isAbove(yield* requests, 30)
      })
    )
  )

  it.effect("is measured by the server's time: its consumer may take ten minutes for a hundred bytes", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const fiber = yield* registry.blob("alpine", sha256(small)).pipe(
        Stream.runForEachArray(() => Effect.sleep("10 minutes")),
        Effect.forkChild
      )
      for (let minute = 0; minute < 600 && fiber.pollUnsafe() === undefined; minute++) {
        yield* settle
        yield* TestClock.adjust("1 minute")
      }
      yield* ended(fiber)
      assert.strictEqual(yield* requests, 1)
    }).pipe(
      Effect.provide(
        content(() => {
          const pieces = Array.from({ length: 40 }, (_, index) => small.subarray(index * 100, index * 100 + 100))
          const body = new ReadableStream<Uint8Array>(
            {
              pull: (controller) => {
                const next = pieces.shift()
                if (next === undefined) controller.close()
                else controller.enqueue(next)
              }
            },
            { highWaterMark: 0 }
          )
          return new Response(body, { headers: { "content-length": String(small.length) } })
        })
      )
    )
  )
})
