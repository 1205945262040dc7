/**
 * Memory is used again or freed at once, and never while it may still be in use.
 */
import { randomBytes } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as BlobSource from "../src/BlobSource.ts"
import { Digest } from "../src/Digest.ts"
import * as Credentials from "../src/Credentials.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import * as RetryPolicy from "../src/RetryPolicy.ts"
import * as ScopedHttpClient from "../src/ScopedHttpClient.ts"
import { content, sha256 } from "./support/content.ts"
import { taking } from "./support/lenient.ts"

const mebibyte = 1024 * 1024

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const blobs = (count: number) => Array.from({ length: count }, () => randomBytes(mebibyte))

const read = (heldBytes: number | undefined) =>
  Effect.gen(function* () {
    const path = join(yield* folder, "blob")
    const bytes = randomBytes(mebibyte + 1)
    yield* Effect.promise(() => writeFile(path, bytes))
    const pieces = yield* Stream.runCollect(BlobSource.fromFile(path).read(0, heldBytes))
    return { bytes, pieces }
  }).pipe(Effect.provide(NodeFileSystem.layer))

describe("a file that is read", () => {
  it.live(
    "is read into one piece of memory, which is freed at its end, if the reader uses nothing of it when it pulls",
    () =>
      Effect.gen(function* () {
        const { pieces } = yield* read(0)
        assert.isAbove(pieces.length, 2)
        assert.strictEqual(new Set(pieces.map(({ buffer }) => buffer)).size, 1)
        assert.strictEqual(pieces[0]?.buffer.byteLength, 0)
      })
  )

  for (const heldBytes of [undefined, 2 * mebibyte]) {
    it.live(`is not freed if the reader may still use ${heldBytes ?? "all"} bytes`, () =>
      Effect.gen(function* () {
        const { bytes, pieces } = yield* read(heldBytes)
        assert.isTrue(Buffer.concat(pieces).equals(bytes))
      })
    )
  }
})

describe("a blob that is downloaded to a file", () => {
  it.live("is freed once it is written", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "blob")
      const [bytes = Buffer.of()] = blobs(1)
      const written: Array<ArrayBufferLike> = []
      const noting = (file: FileSystem.File): FileSystem.File =>
        Object.assign(Object.create(file), {
          writeAll: (part: Uint8Array) => {
            written.push(part.buffer)
            return file.writeAll(part)
          }
        })
      const files = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (files) => ({
          ...files,
          open: (...options: Parameters<typeof files.open>) => Effect.map(files.open(...options), noting)
        }))
      ).pipe(Layer.provide(NodeFileSystem.layer))
      const pieces = Stream.fromIterable([bytes.subarray(0, 99_999), bytes.subarray(99_999)])
      const registry = content(taking(["GET", /blobs/, () => new Response(Stream.toReadableStream(pieces))]))
      yield* Effect.flatMap(RegistryContent.RegistryContent, ({ downloadBlob }) =>
        downloadBlob("alpine", Digest.make(sha256(bytes)), path)
      ).pipe(Effect.provide([files, registry]))
      assert.isTrue((yield* Effect.promise(() => readFile(path))).equals(bytes))
      assert.isNotEmpty(written)
      for (const { byteLength } of written) assert.strictEqual(byteLength, 0)
    })
  )
})

/** A registry, whose HTTP client says how much it holds of a body, and what it has received. */
const receiving = (
  heldBytes: number | undefined,
  answer: (turn: number) => Effect.Effect<number> = () => Effect.succeed(201)
) => {
  const received: Array<{ readonly memory: ArrayBufferLike | undefined; readonly digest: string }> = []
  const client = ScopedHttpClient.make(
    HttpClient.make(() => Effect.die("not within a scope")),
    (request) =>
      Effect.gen(function* () {
        const respond = (status: number) =>
          HttpClientResponse.fromWeb(
            request,
            new Response(null, { status, headers: { location: "/v2/alpine/blobs/uploads/1" } })
          )
        if (request.method !== "PUT") return respond(request.method === "HEAD" ? 404 : 202)
        assert.strictEqual(request.body._tag, "Stream")
        if (request.body._tag !== "Stream") return respond(500)
        const pieces = yield* Stream.runCollect(request.body.stream).pipe(
          Effect.provideService(ScopedHttpClient.HeldBytes, heldBytes),
          Effect.orDie
        )
        // Others are sent meanwhile, if there are any.
        yield* Effect.yieldNow
        received.push({ memory: pieces[0]?.buffer, digest: sha256(Buffer.concat(pieces)) })
        return respond(yield* answer(received.length))
      })
  )
  const layer = RegistryContent.layer({ endpoint: "https://myregistry.azurecr.io", retry: RetryPolicy.never }).pipe(
    Layer.provide(Credentials.layerAnonymous),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
  )
  return { received, layer }
}

const upload = (bytes: Uint8Array) =>
  Effect.flatMap(RegistryContent.RegistryContent, ({ uploadBlob }) =>
    uploadBlob("alpine", BlobSource.fromBytes(bytes), { digest: Digest.make(sha256(bytes)) })
  )

/** The number of pieces of memory from which a registry got its blobs. */
const memoriesOf = ({ received }: ReturnType<typeof receiving>) => new Set(received.map(({ memory }) => memory)).size

describe("blobs that are uploaded", () => {
  it.effect("one after another are sent from the same memory", () => {
    const registry = receiving(65_536)
    const all = blobs(5)
    return Effect.gen(function* () {
      yield* Effect.forEach(all, upload)
      assert.deepStrictEqual(
        registry.received.map(({ digest }) => digest),
        all.map(sha256)
      )
      assert.strictEqual(memoriesOf(registry), 1)
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("at the same time are sent from memory of their own", () => {
    const registry = receiving(65_536)
    const all = blobs(12)
    return Effect.gen(function* () {
      yield* Effect.forEach(all, upload, { concurrency: 3 })
      assert.sameMembers(
        registry.received.map(({ digest }) => digest),
        all.map(sha256)
      )
      assert.isAtMost(memoriesOf(registry), 3)
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("have memory of their own if the HTTP client may still use it", () => {
    const registry = receiving(undefined)
    return Effect.gen(function* () {
      yield* Effect.forEach(blobs(3), upload)
      assert.strictEqual(memoriesOf(registry), 3)
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("do not use the memory of one that failed", () => {
    const registry = receiving(65_536, (turn) => Effect.succeed(turn === 1 ? 403 : 201))
    return Effect.gen(function* () {
      const [first = Buffer.of(), ...others] = blobs(3)
      yield* Effect.flip(upload(first))
      yield* Effect.forEach(others, upload)
      assert.strictEqual(memoriesOf(registry), 2)
    }).pipe(Effect.provide(registry.layer))
  })

  it.effect("do not use the memory of one that was interrupted", () => {
    const arrived = Latch.makeUnsafe(false)
    const registry = receiving(65_536, (turn) =>
      turn === 1 ? Effect.andThen(arrived.open, Effect.never) : Effect.succeed(201)
    )
    return Effect.gen(function* () {
      const [first = Buffer.of(), ...others] = blobs(3)
      const fiber = yield* Effect.forkChild(upload(first))
      yield* arrived.await
      yield* Fiber.interrupt(fiber)
      yield* Effect.forEach(others, upload)
      assert.strictEqual(memoriesOf(registry), 2)
    }).pipe(Effect.provide(registry.layer))
  })
})
