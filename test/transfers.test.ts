/**
 * Transfers on a wire that is cut: what they cost, and what they leave behind.
 */
import { createHash, randomBytes } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RetryPolicy } from "@effect-acr/client/RetryPolicy"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { temporaryFolder } from "./support/command.ts"
import { requestsOf } from "./support/emulator.ts"
import { type Proxy, proxyTo, total } from "./support/proxy.ts"

const mebibyte = 1024 * 1024
const repository = "transfers"
const retry: RetryPolicy = {
  schedule: Schedule.recurs(3),
  maxRetryAfter: "1 second",
  attemptTimeout: "10 seconds"
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, until: (value: A) => boolean) =>
  Effect.repeat(effect, { until, schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 1000 })) })

/** The client behind a proxy; the emulator serves blobs itself, so that all bytes pass there. */
const behindProxy = <A, E, R>(
  test: (parts: {
    readonly proxy: Proxy
    readonly content: RegistryContent.Service
    readonly emulator: AcrEmulator.Service
  }) => Effect.Effect<A, E, R>,
  options: AcrEmulator.Options = {}
) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    const proxy = yield* proxyTo(Number(emulator.loginServer.split(":")[1]))
    const layer = RegistryContent.layer({
      endpoint: `http://127.0.0.1:${proxy.port}`,
      retry,
      idleTimeout: "10 seconds"
    })
    return yield* Effect.gen(function* () {
      return yield* test({ proxy, content: yield* RegistryContent.RegistryContent, emulator })
    }).pipe(
      Effect.provide(
        layer.pipe(
          Layer.provide(
            Credentials.layerEntra(Effect.succeed(emulator.logins.entraToken), { loginServers: ["127.0.0.1"] })
          ),
          Layer.provide(NodeRegistryHttpClient.layer)
        )
      )
    )
  }).pipe(Effect.provide([AcrEmulator.layer({ blobs: "direct", ...options }), NodeFileSystem.layer]))

const noOpenUploads = (emulator: AcrEmulator.Service) =>
  Effect.map(
    eventually(emulator.openUploads, (open) => open === 0),
    (open) => assert.strictEqual(open, 0, "open uploads")
  )

describe("a download of 64 MiB", () => {
  const bytes = randomBytes(64 * mebibyte)

  it.live(
    "that is cut nine times costs little more than its bytes",
    () =>
      behindProxy(({ content, proxy }) =>
        Effect.gen(function* () {
          const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
          const before = total(proxy, "down")
          proxy.cutAfter(
            "down",
            Array.from({ length: 9 }, (_, index) => before + (index + 1) * 6.4 * mebibyte)
          )
          const hash = createHash("sha256")
          yield* Stream.runForEach(content.blob(repository, descriptor), (piece) =>
            Effect.sync(() => hash.update(piece))
          )
          assert.strictEqual(`sha256:${hash.digest("hex")}`, descriptor.digest)
          assert.isAtMost(total(proxy, "down") - before, 1.2 * bytes.length)
          assert.isAtLeast(proxy.connections.filter(({ down }) => down > mebibyte).length, 10)
        })
      ),
    60_000
  )

  it.live(
    "into a file goes on from what an earlier run has left",
    () =>
      behindProxy(({ content, proxy }) =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const target = join(folder, "layer.tar")
          const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
          const before = total(proxy, "down")
          const run = content.downloadBlob(repository, descriptor, target, {
            resumable: true,
            onProgress: ({ doneBytes }) => (doneBytes > 40 * mebibyte ? Effect.interrupt : Effect.void)
          })
          assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(run)))
          assert.isFalse(existsSync(target))
          const left = readdirSync(folder)
          assert.strictEqual(left.length, 1)
          assert.match(left[0] ?? "", /^layer\.tar\.[0-9a-f]{16}\.partial$/)

          yield* content.downloadBlob(repository, descriptor, target, { resumable: true })
          assert.deepStrictEqual(readdirSync(folder), ["layer.tar"])
          assert.isTrue((yield* Effect.promise(() => readFile(target))).equals(bytes))
          assert.isAtMost(total(proxy, "down") - before, 1.2 * bytes.length)
        })
      ),
    60_000
  )

  it.live(
    "into a file leaves nothing when it is interrupted, and closes its connection",
    () =>
      behindProxy(({ content, proxy }) =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
          for (const at of [0, 10, 50]) {
            const exit = yield* content
              .downloadBlob(repository, descriptor, join(folder, "layer.tar"), {
                onProgress: ({ doneBytes }) => (doneBytes > at * mebibyte ? Effect.interrupt : Effect.void)
              })
              .pipe(Effect.exit)
            assert.isTrue(Exit.hasInterrupts(exit))
            assert.deepStrictEqual(readdirSync(folder), [])
          }
          const busy = Effect.sync(() => proxy.connections.filter(({ down, open }) => open && down > mebibyte))
          assert.deepStrictEqual(yield* eventually(busy, (open) => open.length === 0), [])
        })
      ),
    60_000
  )

  it.live("of which only the first bytes are taken closes its connection", () =>
    behindProxy(({ content, proxy }) =>
      Effect.gen(function* () {
        const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
        const before = total(proxy, "down")
        const connections = proxy.connections.length
        const [first] = yield* content.blob(repository, descriptor).pipe(Stream.take(1), Stream.runCollect)
        assert.isTrue(first !== undefined && bytes.subarray(0, first.length).equals(first))
        const open = Effect.sync(() => proxy.connections.filter((connection) => connection.open).length)
        // The one that carried the blob is gone; an idle one may wait for more.
        yield* eventually(open, (count) => count <= Math.max(0, connections - 1))
        assert.isBelow(total(proxy, "down") - before, bytes.length / 2)
      })
    )
  )
})

describe("a download into a file", () => {
  it.live("never gives wrong content its final name", () =>
    behindProxy(({ content, emulator }) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const target = join(folder, "layer.tar")
        const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(randomBytes(2 * mebibyte)))
        for (const resumable of [false, true]) {
          yield* emulator.inject({ method: "GET", path: /\/blobs\//, consequence: { _tag: "CorruptBody", atByte: 77 } })
          const error = yield* Effect.flip(content.downloadBlob(repository, descriptor, target, { resumable }))
          assert.strictEqual(error._tag === "RegistryError" ? error.reason._tag : error._tag, "ContentMismatch")
          assert.deepStrictEqual(readdirSync(folder), [])
        }
      })
    )
  )

  it.live("replaces a file of that name, when its content is verified", () =>
    behindProxy(({ content }) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const target = join(folder, "layer.tar")
        yield* Effect.promise(() => writeFile(target, "what was there before"))
        const descriptor = yield* content.uploadBlob(repository, BlobSource.fromString("new"))
        const missing = { ...descriptor, digest: digestOf(Buffer.from("missing")) }
        const error = yield* Effect.flip(content.downloadBlob(repository, missing.digest, target))
        assert.strictEqual(error._tag === "RegistryError" ? error.reason._tag : error._tag, "NotFound")
        assert.strictEqual(yield* Effect.promise(() => readFile(target, "utf8")), "what was there before")
        yield* content.downloadBlob(repository, descriptor, target)
        assert.strictEqual(yield* Effect.promise(() => readFile(target, "utf8")), "new")
        assert.deepStrictEqual(readdirSync(folder), ["layer.tar"])
      })
    )
  )

  it.live("does not go on from a partial file that is longer than the blob, or wrong", () =>
    behindProxy(({ content }) =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const target = join(folder, "layer.tar")
        const descriptor = yield* content.uploadBlob(repository, BlobSource.fromString("0123456789"))
        const partial = `${target}.${descriptor.digest.slice("sha256:".length, "sha256:".length + 16)}.partial`
        yield* Effect.promise(() => writeFile(partial, "much longer than that"))
        yield* content.downloadBlob(repository, descriptor, target, { resumable: true })
        assert.strictEqual(yield* Effect.promise(() => readFile(target, "utf8")), "0123456789")

        yield* Effect.promise(() => writeFile(partial, "wrong"))
        const error = yield* Effect.flip(content.downloadBlob(repository, descriptor, target, { resumable: true }))
        assert.strictEqual(error._tag === "RegistryError" ? error.reason._tag : error._tag, "ContentMismatch")
        assert.deepStrictEqual(readdirSync(folder), ["layer.tar"])
      })
    )
  )
})

describe("a link to the storage", () => {
  it.live("that has run out is asked for anew", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const emulator = yield* AcrEmulator.AcrEmulator
      const bytes = randomBytes(mebibyte)
      const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
      yield* emulator.inject({ path: "/blobs/", consequence: { _tag: "CutBody", afterBytes: 1000 } })
      yield* emulator.inject({ path: "/blobs/", consequence: { _tag: "Answer", status: 403, body: "<Error/>" } })
      const made = yield* requestsOf(
        Effect.gen(function* () {
          assert.isTrue(Buffer.from(yield* content.blobBytes(repository, descriptor)).equals(bytes))
        })
      )
      assert.deepStrictEqual(
        made.filter((request) => request.startsWith("GET")).map((request) => request.split(" ").at(-1)),
        ["307", "200", "307", "403", "307", "206"]
      )
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )
})

describe("an upload of 64 MiB", () => {
  const bytes = randomBytes(64 * mebibyte)

  it.live(
    "that is cut in the middle sends again only what the registry has not confirmed",
    () =>
      behindProxy(({ content, emulator, proxy }) =>
        Effect.gen(function* () {
          proxy.cutAfter("up", [32 * mebibyte])
          const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
          assert.strictEqual(descriptor.digest, digestOf(bytes))
          const [first = 0, second = 0] = proxy.connections.map(({ up }) => up).filter((up) => up > mebibyte)
          // What was on its way when the wire was cut: the buffers of two sockets.
          assert.isAtMost(first + second, bytes.length + 8 * mebibyte)
          assert.isAtLeast(first, 31 * mebibyte)
          yield* noOpenUploads(emulator)
        })
      ),
    60_000
  )

  it.live(
    "that is interrupted leaves no session",
    () =>
      behindProxy(({ content, emulator, proxy }) =>
        Effect.gen(function* () {
          const sources = {
            streamed: BlobSource.fromBytes(bytes),
            chunked: BlobSource.fromStream(Stream.fromIterable([bytes]))
          }
          for (const source of Object.values(sources)) {
            for (const at of [0, 1, 20, 63]) {
              const exit = yield* content
                .uploadBlob(repository, source, {
                  onProgress: ({ doneBytes }) => (doneBytes > at * mebibyte ? Effect.interrupt : Effect.void)
                })
                .pipe(Effect.exit)
              assert.isTrue(Exit.isFailure(exit))
              yield* noOpenUploads(emulator)
            }
          }
          const busy = Effect.sync(() => proxy.connections.filter(({ open, up }) => open && up > 2 * mebibyte))
          yield* eventually(busy, (open) => open.length <= 1)
        })
      ),
    60_000
  )

  it.live("whose source fails, fails with what that fails with, and leaves no session", () =>
    behindProxy(({ content, emulator }) =>
      Effect.gen(function* () {
        const broken = Stream.concat(
          Stream.make(bytes.subarray(0, 3 * mebibyte)),
          Stream.fail("the disk is gone" as const)
        )
        for (const source of [
          BlobSource.fromStream(broken),
          BlobSource.fromRepeatableStream(broken, { size: bytes.length })
        ]) {
          const error = yield* Effect.flip(content.uploadBlob(repository, source))
          assert.strictEqual(error, "the disk is gone")
          yield* noOpenUploads(emulator)
        }
      })
    )
  )

  it.live("that has another size than was said is refused, and leaves no session", () =>
    behindProxy(({ content, emulator }) =>
      Effect.gen(function* () {
        const stream = Stream.fromIterable([bytes.subarray(0, mebibyte), bytes.subarray(0, mebibyte)])
        for (const sizeBytes of [mebibyte, 3 * mebibyte]) {
          for (const make of [BlobSource.fromStream, BlobSource.fromRepeatableStream]) {
            const error = yield* Effect.flip(content.uploadBlob(repository, make(stream, { size: sizeBytes })))
            assert.strictEqual(error.reason._tag, "ContentMismatch")
            yield* noOpenUploads(emulator)
          }
        }
      })
    )
  )

  it.live("waits for an answer that never comes no longer than is allowed, interrupted or not", () =>
    behindProxy(({ content, emulator }) =>
      Effect.gen(function* () {
        yield* emulator.inject({ method: "PATCH", consequence: { _tag: "Stall" } })
        const fiber = yield* Effect.forkChild(content.uploadBlob(repository, BlobSource.fromString("small")))
        yield* eventually(emulator.journal, (entries) => entries.some(({ method }) => method === "PATCH"))
        yield* Fiber.interrupt(fiber)
        yield* noOpenUploads(emulator)
      })
    )
  )
})

describe("an upload", () => {
  const big = randomBytes(3 * mebibyte)

  it.live("of a blob that is there already sends nothing", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(big))
      const made = yield* requestsOf(
        content.uploadBlob(repository, BlobSource.fromBytes(big), { digest: descriptor.digest })
      )
      assert.deepStrictEqual(
        made.filter((request) => !request.includes("/oauth2/")),
        [`HEAD /v2/${repository}/blobs/${descriptor.digest} 200`]
      )
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("takes a blob over from another repository, or sends it where that does not go", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const { digest } = yield* content.uploadBlob("origin", BlobSource.fromBytes(big))
      const mounted = yield* requestsOf(
        content.uploadBlob("copy", BlobSource.fromBytes(big), { digest, mountFrom: "origin" })
      )
      assert.isFalse(mounted.some((request) => request.startsWith("PATCH")))
      assert.strictEqual((yield* content.headBlob("copy", digest)).size, big.length)
      const sent = yield* requestsOf(
        content.uploadBlob("other", BlobSource.fromBytes(big), { digest, mountFrom: "none" })
      )
      assert.isTrue(sent.some((request) => request.startsWith("PATCH")))
      const error = yield* Effect.flip(content.mountBlob("third", { digest, from: "none" }))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("of a blob that is known by its descriptor says how the repository has come to hold it", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const blob = yield* content.uploadBlob("origin", BlobSource.fromBytes(big))
      const source = content.blobSource("origin", blob)
      const putting = (to: string, options: RegistryContent.PutBlobOptions = {}) =>
        Effect.gen(function* () {
          const outcomes: Array<RegistryContent.BlobOutcome> = []
          const put = Effect.map(content.putBlob(to, blob, source, options), (outcome) => outcomes.push(outcome))
          const methods = (yield* requestsOf(put)).filter((line) => !line.includes("/oauth2/"))
          return [...outcomes, ...methods.map((line) => line.split(" ")[0])]
        })
      assert.deepStrictEqual(yield* putting("sent"), ["sent", "HEAD", "POST", "GET", "GET", "PATCH", "PUT"])
      assert.deepStrictEqual(yield* putting("sent"), ["present", "HEAD"])
      assert.deepStrictEqual(yield* putting("mounted", { mountFrom: "origin" }), ["mounted", "HEAD", "POST"])
      const unmounted = yield* putting("unmounted", { mountFrom: "none" })
      assert.deepStrictEqual(unmounted, ["sent", "HEAD", "POST", "GET", "GET", "PATCH", "PUT"])
      for (const repository of ["sent", "mounted", "unmounted"]) {
        assert.isTrue(Buffer.from(yield* content.blobBytes(repository, blob)).equals(big))
      }
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("is sent where the registry fails every mount, by a plain POST", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { inject, openUploads } = yield* AcrEmulator.AcrEmulator
      const blob = yield* content.uploadBlob("origin", BlobSource.fromBytes(big))
      const fault = { method: "POST", path: "/v2/copy/", consequence: { _tag: "Answer", status: 500 } } as const
      for (let attempt = 0; attempt < 4; attempt++) yield* inject(fault)
      const source = content.blobSource("origin", blob)
      const made = yield* requestsOf(content.putBlob("copy", blob, source, { mountFrom: "origin" }))
      const answers = made.filter((line) => line.startsWith("POST /v2/")).map((line) => line.split(" ").at(-1))
      assert.deepStrictEqual(answers, ["500", "500", "500", "500", "202"])
      assert.isTrue(made.some((line) => line.startsWith("PUT ")))
      assert.isTrue(Buffer.from(yield* content.blobBytes("copy", blob)).equals(big))
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("of a source that is longer or shorter than the blob leaves neither blob nor session", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const blob = yield* content.uploadBlob("origin", BlobSource.fromBytes(big))
      for (const bytes of [big.subarray(0, 2 * mebibyte), Buffer.concat([big, Buffer.from("more")])]) {
        for (const make of [BlobSource.fromRepeatableStream, BlobSource.fromStream]) {
          const error = yield* Effect.flip(content.putBlob("copy", blob, make(Stream.make(bytes))))
          assert.deepStrictEqual([error.operation, error.reason._tag], ["RegistryContent.putBlob", "ContentMismatch"])
        }
      }
      assert.strictEqual(yield* eventually(openUploads, (open) => open === 0), 0)
      assert.strictEqual((yield* Effect.flip(content.headBlob("copy", blob.digest))).reason._tag, "NotFound")
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("of a source that holds more than it says, or less, fails and leaves nothing open", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      for (const [mebibytes, actual] of [
        [1, `${mebibyte} bytes`],
        [3, "more"]
      ] as const) {
        const pieces = Array.from({ length: mebibytes }, () => big.subarray(0, mebibyte))
        for (const make of [BlobSource.fromRepeatableStream, BlobSource.fromStream]) {
          const source = make(Stream.fromIterable(pieces), { size: 2 * mebibyte })
          const { reason } = yield* Effect.flip(content.uploadBlob("sizes", source))
          assert.strictEqual(reason._tag, "ContentMismatch")
          assert.deepInclude(reason, { expected: `${2 * mebibyte} bytes`, actual })
        }
      }
      assert.strictEqual(yield* eventually(openUploads, (open) => open === 0), 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("of other content than its digest names is refused before it is committed", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const error = yield* Effect.flip(
        content.uploadBlob(repository, BlobSource.fromBytes(big), { digest: digestOf(Buffer.from("other")) })
      )
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("goes out in smaller pieces where the registry wants no more at once", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      // The last piece is sent with the commit, if it could be sent again otherwise.
      for (const [source, patches] of [
        [BlobSource.fromBytes(big), 5],
        [BlobSource.fromStream(Stream.make(big)), 6]
      ] as const) {
        const made = yield* requestsOf(
          Effect.gen(function* () {
            const { digest } = yield* content.uploadBlob(repository, source, { chunkSize: 2 * mebibyte })
            assert.strictEqual(digest, digestOf(big))
          })
        )
        const taken = made.filter((request) => /^P(?:ATCH .* 202|UT .* 201)$/.test(request))
        assert.deepStrictEqual(
          taken.map((request) => request.replace(/ .*/, "")),
          [...Array.from({ length: patches }, () => "PATCH"), "PUT"]
        )
      }
    }).pipe(
      Effect.provide(
        AcrEmulator.layerRegistry({ retry }).pipe(
          Layer.provideMerge(AcrEmulator.layer({ maxRequestBodySize: 600_000 }))
        )
      )
    )
  )

  it.live("goes out in chunks as large as the registry asks for", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const made = yield* requestsOf(
        content.uploadBlob(repository, BlobSource.fromStream(Stream.make(big)), { chunkSize: 100_000 })
      )
      assert.strictEqual(made.filter((request) => request.startsWith("PATCH")).length, 3)
    }).pipe(
      Effect.provide(
        AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer({ chunkMinLength: mebibyte })))
      )
    )
  )

  it.live("is known by sha512 where that is wanted", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(big), { algorithm: "sha512" })
      assert.strictEqual(descriptor.digest, `sha512:${createHash("sha512").update(big).digest("hex")}`)
      assert.isTrue(Buffer.from(yield* content.blobBytes(repository, descriptor)).equals(big))
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )

  it.live("tells its progress up to the end", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      const seen: Array<Option.Option<number>> = []
      let done = 0
      const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes?: number }) =>
        Effect.sync(() => {
          assert.isAtLeast(doneBytes, done)
          done = doneBytes
          seen.push(Option.fromUndefinedOr(totalBytes))
        })
      const descriptor = yield* content.uploadBlob(repository, BlobSource.fromBytes(big), { onProgress })
      assert.strictEqual(done, big.length)
      done = 0
      yield* content.blobBytes(repository, descriptor, { onProgress })
      assert.strictEqual(done, big.length)
      assert.deepStrictEqual(new Set(seen.map(Option.getOrUndefined)), new Set([big.length]))
    }).pipe(Effect.provide(AcrEmulator.layerRegistry({ retry }).pipe(Layer.provideMerge(AcrEmulator.layer()))))
  )
})
