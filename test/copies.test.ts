/**
 * Blobs that go from one registry to another on a wire that is cut.
 */
import { randomBytes } from "node:crypto"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RetryPolicy } from "@effect-acr/client/RetryPolicy"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import { AcrEmulator, type Fault } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

const mebibyte = 1024 * 1024
const retry: RetryPolicy = { schedule: Schedule.recurs(3), maxRetryAfter: "1 second", attemptTimeout: "10 seconds" }

/** A registry, and a conversation with it. */
const registry = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.make()
  const services = yield* Layer.build(
    AcrEmulator.layerRegistry({ retry }).pipe(Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, emulator)))
  )
  return { emulator, content: Context.get(services, RegistryContent.RegistryContent) }
})

type Registry = Effect.Success<typeof registry>

/** Two registries, and a blob of three mebibytes in the first of them. */
const copying = Effect.gen(function* () {
  const source = yield* registry
  const target = yield* registry
  const bytes = randomBytes(3 * mebibyte)
  const blob = yield* source.content.uploadBlob("samples", BlobSource.fromBytes(bytes))
  yield* source.emulator.clearJournal
  return { source, target, bytes, blob }
})

const copy = (source: Registry, target: Registry, blob: Descriptor) =>
  target.content.uploadBlob("mirror", source.content.blobSource("samples", blob), { digest: blob.digest })

/** The statuses with which the storage answered downloads: 200 for the whole, 206 for a part. */
const downloads = ({ emulator }: Registry) =>
  Effect.map(emulator.journal, (entries) =>
    entries.flatMap(({ server, status }) => (server === "storage" ? [status] : []))
  )

const cutUpload: Fault.Fault = {
  method: "PATCH",
  path: "/v2/",
  consequence: { _tag: "ResetRequest", afterBytes: 2 * mebibyte }
}

describe("a blob of another registry", () => {
  it.live("is read on from where an upload that was cut goes on", () =>
    Effect.gen(function* () {
      const { blob, bytes, source, target } = yield* copying
      yield* target.emulator.inject(cutUpload)
      assert.deepStrictEqual(yield* copy(source, target, blob), blob)
      assert.deepStrictEqual(yield* target.content.blobBytes("mirror", blob), new Uint8Array(bytes))
      assert.deepStrictEqual(yield* downloads(source), [200, 206])
    })
  )

  it.live("is sent anew where it was read in parts and is not what its digest names", () =>
    Effect.gen(function* () {
      const { blob, bytes, source, target } = yield* copying
      yield* target.emulator.inject(cutUpload)
      yield* source.emulator.inject({ path: "/blobs/", skip: 1, consequence: { _tag: "CorruptBody", atByte: 1000 } })
      assert.deepStrictEqual(yield* copy(source, target, blob), blob)
      assert.deepStrictEqual(yield* target.content.blobBytes("mirror", blob), new Uint8Array(bytes))
      assert.strictEqual(yield* target.emulator.openUploads, 0)
    })
  )

  it.live("is what its digest names, or is not there", () =>
    Effect.gen(function* () {
      const { blob, source, target } = yield* copying
      yield* target.emulator.inject(cutUpload)
      yield* source.emulator.inject({
        path: "/blobs/",
        skip: 1,
        times: 10,
        consequence: { _tag: "CorruptBody", atByte: 1000 }
      })
      const { reason } = yield* Effect.flip(copy(source, target, blob))
      assert.strictEqual(reason._tag, "ContentMismatch")
      assert.strictEqual(yield* target.emulator.openUploads, 0)
    })
  )

  it.live("has an end behind which there is nothing", () =>
    Effect.gen(function* () {
      const { blob, source } = yield* copying
      const { read } = source.content.blobSource("samples", blob)
      const last = yield* Stream.runCollect(read(blob.size - 1))
      assert.deepStrictEqual(
        last.map(({ length }) => length),
        [1]
      )
      assert.deepStrictEqual(yield* Stream.runCollect(read(blob.size)), [])
    })
  )
})
