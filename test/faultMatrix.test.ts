/**
 * An image is pushed and pulled while, one at a time, everything goes wrong that can: the operation ends with the right
 * bytes or with the right reason, no upload is left open, and no credential goes to another origin.
 */
import { createHash, randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { RetryPolicy } from "@effect-acr/client/RetryPolicy"
import { AcrEmulator } from "@effect-acr/emulator"
import type { JournalEntry } from "@effect-acr/emulator/Journal"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type Case, casesOf, type Step } from "./support/faults.ts"

const repository = "matrix/image"

const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", padding: "x".repeat(500) }))
/** One in a piece, one streamed, one in chunks; and two whose digests are said before, in a piece and in chunks. */
const layers = [
  randomBytes(50_000),
  randomBytes(2_500_000),
  randomBytes(300_000),
  randomBytes(40_000),
  randomBytes(200_000)
] as const
const chunkBytes = 128 * 1024

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
const blobs = new Map([config, ...layers].map((bytes) => [digestOf(bytes), bytes]))

const policy: RetryPolicy = { schedule: Schedule.recurs(4), maxRetryAfter: "2 seconds", attemptTimeout: "2 seconds" }
const client = { retry: policy, idleTimeout: "2 seconds" } as const

/** Cut at odd places, and not to be read again. */
const oneShot = (bytes: Uint8Array) =>
  BlobSource.fromStream(
    Stream.fromIterable(
      Array.from({ length: Math.ceil(bytes.length / 7777) }, (_, index) =>
        bytes.subarray(index * 7777, index * 7777 + 7777)
      )
    )
  )

const push = Effect.gen(function* () {
  const content = yield* RegistryContent
  const [first, second, third, fourth, fifth] = layers
  const pushed = Manifest.image({
    config: yield* content.uploadBlob(repository, BlobSource.fromBytes(config), {
      mediaType: MediaType.ociImageConfig
    }),
    layers: [
      yield* content.uploadBlob(repository, BlobSource.fromBytes(first)),
      yield* content.uploadBlob(repository, BlobSource.fromBytes(second)),
      yield* content.uploadBlob(repository, oneShot(third), { chunkSize: chunkBytes }),
      yield* content.uploadBlob(repository, BlobSource.fromBytes(fourth), { digest: digestOf(fourth) }),
      yield* content.uploadBlob(repository, BlobSource.fromBytes(fifth), {
        digest: digestOf(fifth),
        chunkSize: chunkBytes
      })
    ]
  })
  yield* content.putManifest(repository, pushed, { tag: "v1" })
})

/** Pulls the image and asserts that it is the one that was pushed. */
const pull = Effect.gen(function* () {
  const content = yield* RegistryContent
  const { digest } = yield* content.resolve(repository, "v1")
  const { manifest } = yield* content.manifest(repository, digest)
  assert.strictEqual(manifest._tag, "ImageManifest")
  if (manifest._tag !== "ImageManifest") return
  for (const descriptor of [manifest.config, ...manifest.layers]) {
    const bytes = yield* content.blobBytes(repository, descriptor)
    assert.isTrue(blobs.get(descriptor.digest)?.equals(bytes), "the bytes of the blob")
  }
  assert.strictEqual(manifest.layers.length, layers.length)
})

/** The bodies of the requests on upload sessions, in bytes and in order. */
const sentBytes: { readonly [method: string]: ReadonlyArray<number> } = {
  PATCH: [config.length, layers[0].length, layers[1].length, 131_072, 131_072, 300_000 - 2 * 131_072, 131_072],
  PUT: [0, 0, 0, 0, layers[3].length, 200_000 - 131_072]
}

/** How many bytes of bodies a request carries: those that the operation above is known to send and to get. */
const measure = (entries: ReadonlyArray<JournalEntry>): ReadonlyArray<Step> => {
  const seen: { [method: string]: number } = {}
  const nextOf = (method: string): number => {
    const at = (seen[method] ?? -1) + 1
    seen[method] = at
    return sentBytes[method]?.[at] ?? 0
  }
  return entries.map(({ method, path, server, status }, index) => {
    const digest = /sha256[:/][0-9a-f]{64}/.exec(path)?.[0]?.replace("/", ":") ?? ""
    const blob = blobs.get(digest)?.length ?? 0
    const isToken = path.startsWith("/oauth2/")
    const isManifest = path.includes("/manifests/")
    const isSession = path.includes("/blobs/uploads/")
    const requestBytes = isSession ? nextOf(method) : isToken ? 200 : method === "PUT" && isManifest ? 700 : 0
    const responseBytes =
      isToken || status === 401 ? 200 : method !== "GET" || status === 307 ? 0 : isManifest ? 700 : blob
    return { index, server, method, path, requestBytes, responseBytes }
  })
}

/** What went over the wire, when nothing goes wrong. */
const stepsOf = (operation: typeof push) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    if (operation === pull) yield* push.pipe(Effect.provide(AcrEmulator.layerRegistry()))
    yield* emulator.clearJournal
    yield* operation.pipe(Effect.provide(AcrEmulator.layerRegistry()))
    return measure(yield* emulator.journal)
  }).pipe(Effect.provide(AcrEmulator.layer()))

/** The reasons that a fault may end with. Where none is named, the operation has to survive. */
const mayFail = ({ kind, step }: Case): ReadonlyArray<RegistryError["reason"]["_tag"]> => {
  // Entra's own token was refused.
  if (kind === "401" && step.path === "/oauth2/exchange") return ["Unauthenticated"]
  if (kind !== "corruption") return []
  // A token that was changed is not valid, and another one is requested; JSON that was changed is none.
  if (step.path.startsWith("/oauth2/")) return ["InvalidResponse", "Unauthenticated"]
  return step.responseBytes === 0 || step.index === 0 ? [] : ["ContentMismatch"]
}

/** A session is forgotten when its registry notices that a connection broke, a moment later. */
const noOpenUploads = Effect.flatMap(AcrEmulator.AcrEmulator, ({ openUploads }) =>
  Effect.repeat(openUploads, {
    until: (open) => open === 0,
    schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 500 }))
  })
)

/** Asserts how an operation ends that meets a fault. */
const meet = (operation: typeof push, fault: Case) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.AcrEmulator
    yield* emulator.clearJournal
    const challenge = `Bearer realm="${emulator.endpoint}/oauth2/token",service="${emulator.loginServer}",error="invalid_token"`
    yield* emulator.inject({
      skip: fault.step.index,
      consequence:
        fault.kind === "401" && fault.consequence._tag === "Answer"
          ? { ...fault.consequence, headers: { "WWW-Authenticate": challenge } }
          : fault.consequence
    })
    const outcome = yield* Effect.result(operation.pipe(Effect.provide(AcrEmulator.layerRegistry(client))))
    yield* emulator.clearFaults

    const allowed = mayFail(fault)
    if (Result.isFailure(outcome)) assert.include(allowed, outcome.failure.reason._tag, outcome.failure.message)
    else if (operation === push) yield* pull.pipe(Effect.provide(AcrEmulator.layerRegistry()))
    assert.strictEqual(yield* noOpenUploads, 0, "open uploads")
    const journal = yield* emulator.journal
    assert.isAbove(journal.length, fault.step.index, "the fault was met")
    for (const { authorization, server } of journal) {
      if (server === "storage") assert.strictEqual(authorization, "none", "a credential for the storage")
    }
  }).pipe(
    Effect.catchDefect((defect) => Effect.die(new Error(`${fault.name}: ${String(defect)}`))),
    Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.die(new Error(`${fault.name}: no end`)) })
  )

/** Asserts how operations end that meet faults, one after the other, and returns what was wrong. */
const meetAll = (operation: typeof push, cases: ReadonlyArray<Case>) =>
  Effect.gen(function* () {
    if (operation === pull) yield* push.pipe(Effect.provide(AcrEmulator.layerRegistry()))
    const exits = yield* Effect.forEach(cases, (fault) => Effect.exit(meet(operation, fault)))
    return exits.flatMap((exit) => (exit._tag === "Failure" ? [String(exit.cause)] : []))
  }).pipe(Effect.provide(AcrEmulator.layer()))

const kinds = [
  "reset",
  "stall",
  "lost answer",
  "429",
  "429 with Retry-After",
  "500",
  "502",
  "503",
  "503 with Retry-After",
  "401",
  "reset of the request",
  "stall of the request",
  "truncation",
  "stall of the answer",
  "corruption"
]

/** Cases that wait out a time limit need little of the machine: more of them wait at once. */
const concurrencyOf = (kind: string): number => (/stall|Retry-After/.test(kind) ? 16 : 8)

describe.for([
  ["push", push],
  ["pull", pull]
] as const)("the %s of an image", ([, operation]) => {
  for (const kind of kinds) {
    it.live(
      `survives: ${kind}`,
      () =>
        Effect.gen(function* () {
          const cases = casesOf(yield* stepsOf(operation), "").filter((fault) => fault.kind === kind)
          assert.isTrue(cases.length > 0 || (operation === pull && kind.endsWith("request")))
          const concurrency = concurrencyOf(kind)
          // Each push needs an emulator without the image. A pull changes nothing: the next one can use the same emulator.
          const turns =
            operation === push ? cases.map(Arr.of) : Arr.chunksOf(cases, Math.ceil(cases.length / concurrency))
          const failed = yield* Effect.forEach(turns, (turn) => meetAll(operation, turn), { concurrency })
          assert.deepStrictEqual(failed.flat(), [])
        }),
      180_000
    )
  }
})

it.live("there are at least 400 cases, as many as docs/transfers.md says", () =>
  Effect.gen(function* () {
    const cases = [...casesOf(yield* stepsOf(push), ""), ...casesOf(yield* stepsOf(pull), "")]
    assert.isAtLeast(cases.length, 400)
    const page = yield* Effect.promise(() => readFile(new URL("../docs/transfers.md", import.meta.url), "utf8"))
    assert.include(page.replace(/\s+/g, " "), `through ${cases.length} faults`)
    assert.deepStrictEqual(new Set(cases.map(({ kind }) => kind)), new Set(kinds))
  })
)
