/**
 * Transfers against registries with random behaviour: the right bytes or a reason, in time, and nothing left open.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { isRegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { runs } from "./support/fuzz.ts"
import { json, type Reply, type Script } from "./support/registry.ts"

const bytes = "the bytes of a blob: neither many nor few, and all of them different from their neighbours"
const digest = sha256(bytes)
const storage = "https://storage.example"

/** An offset in the blob. */
const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: bytes.length }))

/** The faults of a registry for a request. */
const Move = Schema.Union([
  Schema.Struct({
    does: Schema.Literals([
      "right",
      "reset",
      "stall",
      "lose the answer",
      "elsewhere",
      "whole",
      "no length",
      "corrupt",
      "more",
      "no location",
      "other range",
      "garbage"
    ])
  }),
  Schema.Struct({ does: Schema.Literals(["cut", "shifted", "half"]), at: Place }),
  Schema.Struct({
    does: Schema.Literal("status"),
    status: Schema.Literals([200, 204, 206, 301, 400, 401, 403, 404, 405, 408, 413, 416, 429, 500, 502, 503, 504]),
    retryAfter: Schema.UndefinedOr(Schema.Literals(["0", "7", "3600", "soon"]))
  })
])

type Move = typeof Move.Type

const Moves = Schema.Array(Move).check(Schema.isMaxLength(10))

/** When the caller interrupts: after a number of minutes, or never. */
const Patience = Schema.UndefinedOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })))

/** Runs to the end by the test clock. An hour is longer than all timeouts together. */
const ended = <A, E, R>(effect: Effect.Effect<A, E, R>, patience: number | undefined) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let minute = 0; minute < 60; minute++) {
      // Runs everything that is ready.
      for (let turn = 0; turn < 5; turn++) yield* TestClock.adjust(0)
      if (minute === patience) {
        const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
        // An upload waits this long for a session that is about to open, and as long again to close it.
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(interrupting)
      }
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* TestClock.adjust("1 minute")
    }
    return assert.fail("no answer within an hour")
  })

/** Fails if a fibre that the effect started is still alive. */
const withoutFibersLeft = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let alive = 0
    return effect.pipe(
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => {
          alive++
        },
        recordFiberEnd: () => {
          alive--
        }
      }),
      Effect.tap(() => Effect.sync(() => assert.strictEqual(alive, 0, "fibres alive")))
    )
  })

/** Only a success, a reason, or an expected interruption is allowed. */
const assertAnswered = (exit: Exit.Exit<unknown, unknown>, patience: number | undefined) => {
  if (Exit.isSuccess(exit)) return
  for (const reason of exit.cause.reasons) {
    if (reason._tag === "Fail") assert.isTrue(isRegistryError(reason.error), String(reason.error))
    else assert.isTrue(reason._tag === "Interrupt" && patience !== undefined, `${reason._tag}: ${exit.cause}`)
  }
}

const refusal = ({ retryAfter, status }: { readonly status: number; readonly retryAfter: string | undefined }): Reply =>
  status === 204
    ? new Response(null, { status })
    : json(
        { errors: [{ code: "WHATEVER", message: "no" }] },
        {
          status,
          ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } })
        }
      )

/** A body that breaks off. */
const cut = (text: string): ReadableStream<Uint8Array> => {
  let sent = false
  return new ReadableStream({
    pull: (controller) => {
      if (sent) return controller.error(new Error("cut"))
      sent = true
      controller.enqueue(new TextEncoder().encode(text))
    }
  })
}

/* Downloads */

/** Serves the blob, with random faults. */
const serving = (moves: ReadonlyArray<Move>): Script => {
  let turn = 0
  return ({ range, url }) => {
    const move: Move = moves[turn++] ?? { does: "right" }
    const from = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0)
    const answer = (start: number, body: string | ReadableStream<Uint8Array>, length: number) =>
      new Response(body, {
        status: range === null ? 200 : 206,
        headers: {
          "content-length": String(length),
          ...(range === null ? {} : { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` })
        }
      })
    const rest = bytes.slice(from)
    switch (move.does) {
      case "reset":
      case "lose the answer":
        return "reset"
      case "stall":
        return "stall"
      case "status":
        return refusal(move)
      case "cut":
      case "half":
        return answer(from, cut(rest.slice(0, move.at)), rest.length)
      case "shifted":
        return answer(move.at, bytes.slice(move.at), bytes.length - move.at)
      case "elsewhere":
        return url.origin === storage
          ? answer(from, rest, rest.length)
          : new Response(null, { status: 307, headers: { location: `${storage}/blob` } })
      case "whole":
        return new Response(bytes, { headers: { "content-length": String(bytes.length) } })
      case "no length":
        return new Response(rest, { status: range === null ? 200 : 206 })
      case "corrupt":
        return answer(from, rest.replace("e", "E"), rest.length)
      case "more":
        return answer(from, `${rest}!`, rest.length + 1)
      case "other range":
        return new Response(rest, { status: 206, headers: { "content-range": "bytes */1" } })
      case "garbage":
        return new Response("garbage", { status: 206, headers: { "content-range": "bytes 9-2/" } })
      default:
        return answer(from, rest, rest.length)
    }
  }
}

describe("a download", () => {
  it.effect.prop(
    "ends with the bytes of its digest, or with a reason",
    [Moves, Patience],
    ([moves, patience]) =>
      Effect.gen(function* () {
        const registry = yield* RegistryContent
        let got = ""
        const download = registry.blob("alpine", digest).pipe(
          Stream.runForEach((piece) =>
            Effect.sync(() => {
              got += new TextDecoder().decode(piece)
            })
          )
        )
        const exit = yield* ended(download, patience)
        assertAnswered(exit, patience)
        if (Exit.isSuccess(exit)) assert.strictEqual(got, bytes)
      }).pipe(Effect.provide(content(serving(moves))), withoutFibersLeft),
    runs(500)
  )
})

/* Uploads */

interface Uploads {
  readonly script: Script
  /** Sessions that the client knows, and that are neither committed nor cancelled. */
  readonly open: () => number
  readonly blobs: ReadonlyMap<string, string>
}

/** Accepts uploads, with random faults; every cancellation of a session succeeds. */
const taking = (moves: ReadonlyArray<Move>): Uploads => {
  const blobs = new Map<string, string>()
  const sessions = new Map<string, string>()
  const told = new Set<string>()
  let turn = 0
  let count = 0

  const state = (id: string, status: number) => {
    const had = sessions.get(id) ?? ""
    return new Response(null, {
      status,
      headers: {
        location: `/v2/alpine/blobs/uploads/${id}?_state=${count++}`,
        range: `0-${Math.max(0, had.length - 1)}`
      }
    })
  }

  /** The correct behaviour of the registry. */
  const right = (method: string, url: URL, body: string): Response => {
    const id = url.pathname.split("/").at(-1) ?? ""
    const had = sessions.get(id)
    switch (method) {
      case "HEAD": {
        const blob = blobs.get(url.pathname.split("/").at(-1) ?? "")
        return blob === undefined
          ? new Response(null, { status: 404 })
          : new Response(null, { headers: { "content-length": String(blob.length) } })
      }
      case "POST": {
        const opened = `session-${count++}`
        sessions.set(opened, "")
        return state(opened, 202)
      }
      case "PATCH":
        if (had === undefined) return json({ errors: [{ code: "BLOB_UPLOAD_UNKNOWN" }] }, { status: 404 })
        sessions.set(id, had + body)
        return state(id, 202)
      case "GET":
        return had === undefined ? json({ errors: [{ code: "BLOB_UPLOAD_UNKNOWN" }] }, { status: 404 }) : state(id, 204)
      case "DELETE":
        sessions.delete(id)
        return new Response(null, { status: 204 })
      default: {
        const wanted = url.searchParams.get("digest") ?? ""
        if (had === undefined) return json({ errors: [{ code: "BLOB_UPLOAD_UNKNOWN" }] }, { status: 404 })
        if (sha256(had) !== wanted) return json({ errors: [{ code: "DIGEST_INVALID" }] }, { status: 400 })
        blobs.set(wanted, had)
        sessions.delete(id)
        return new Response(null, { status: 201 })
      }
    }
  }

  /** The client must close every session that it knows. */
  const given = (response: Response): Response => {
    const id = /uploads\/([^?]+)/.exec(response.headers.get("location") ?? "")?.[1]
    if (id !== undefined) told.add(id)
    return response
  }

  const without = (response: Response, name: string): Response => {
    response.headers.delete(name)
    return given(response)
  }

  const script: Script = ({ body, method, url }) => {
    const move: Move = method === "DELETE" ? { does: "right" } : (moves[turn++] ?? { does: "right" })
    switch (move.does) {
      case "reset":
        return "reset"
      case "stall":
        return "stall"
      case "status":
        // Only reading the whole blob could show that it does not exist although the registry says so.
        return method === "HEAD" && move.status < 300 ? right(method, url, body) : refusal(move)
      case "lose the answer":
        right(method, url, body)
        return "reset"
      case "cut":
      case "half":
        // Only a part of the sent bytes arrived.
        if (method === "PATCH") right(method, url, body.slice(0, move.at))
        return "reset"
      case "no location":
        return without(right(method, url, body), "location")
      case "other range":
      case "shifted":
        return without(right(method, url, body), "range")
      default:
        return given(right(method, url, body))
    }
  }

  return {
    script,
    open: () => Array.from(sessions.keys()).filter((id) => told.has(id)).length,
    blobs
  }
}

const Source = Schema.Literals(["bytes", "repeatable", "once"])

const sourceOf = (kind: typeof Source.Type): BlobSource.BlobSource => {
  const pieces = Stream.fromIterable([bytes.slice(0, 10), bytes.slice(10, 50), bytes.slice(50)]).pipe(
    Stream.map((text) => new TextEncoder().encode(text))
  )
  switch (kind) {
    case "bytes":
      return BlobSource.fromString(bytes)
    case "repeatable":
      return BlobSource.fromRepeatableStream(pieces)
    case "once":
      return BlobSource.fromStream(pieces)
  }
}

describe("an upload", () => {
  it.effect.prop(
    "ends with the blob in the registry, or with a reason and no session",
    [Moves, Patience, Source, Schema.Literals([7, 32, 1000])],
    ([moves, patience, kind, chunkBytes]) => {
      const { blobs, open, script } = taking(moves)
      return Effect.gen(function* () {
        const registry = yield* RegistryContent
        const exit = yield* ended(registry.uploadBlob("alpine", sourceOf(kind), { chunkSize: chunkBytes }), patience)
        assertAnswered(exit, patience)
        if (Exit.isSuccess(exit)) {
          assert.strictEqual(String(exit.value.digest), digest)
          assert.strictEqual(exit.value.size, bytes.length)
          assert.strictEqual(blobs.get(digest), bytes)
        }
        for (const blob of blobs.values()) assert.strictEqual(blob, bytes)
        assert.strictEqual(open(), 0, "open sessions")
      }).pipe(Effect.provide(content(script)), withoutFibersLeft)
    },
    runs(500)
  )
})
