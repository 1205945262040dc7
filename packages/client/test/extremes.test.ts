/**
 * Extreme numbers: they fail with a reason, never with a defect.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { behindOAuth, challenge, json, properties, registry, type Script } from "./support/registry.ts"

/** The reason of the failure. Success and defects fail the test. */
const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(Effect.flip(Effect.sandbox(effect)), (cause) => {
    const [first] = cause.reasons
    return first?._tag === "Fail" ? first.error.reason._tag : String(cause)
  })

const digest = sha256("content")
const serving: Script = ({ method }) =>
  method === "GET"
    ? new Response("content")
    : new Response(null, { status: method === "HEAD" ? 404 : 202, headers: { location: "/v2/alpine/blobs/uploads/1" } })

describe("a number among the arguments", () => {
  const calls: ReadonlyArray<
    readonly [string, (service: RegistryContent.Service) => Effect.Effect<unknown, RegistryError>]
  > = [Number.POSITIVE_INFINITY, Number.NaN, -1, 1.5, 1e300].flatMap((number) => [
    [`maxBytes: ${number}`, (service) => service.blobBytes("alpine", digest, { maxSize: number })],
    [
      `chunkBytes: ${number}`,
      (service) => service.uploadBlob("alpine", BlobSource.fromString("a"), { chunkSize: number })
    ],
    [`pageSize: ${number}`, (service) => Stream.runDrain(service.tags("alpine", { pageSize: number }))],
    [
      `offset: ${number}`,
      (service) => Stream.runDrain(service.blobRange("alpine", digest, { offset: number, length: 1 }))
    ],
    [
      `length: ${number}`,
      (service) => Stream.runDrain(service.blobRange("alpine", digest, { offset: 0, length: number }))
    ]
  ])
  for (const [what, call] of [
    ...calls,
    [
      "chunkBytes: 1e13",
      (service: RegistryContent.Service) =>
        service.uploadBlob("alpine", BlobSource.fromStream(Stream.make(new Uint8Array(1))), { chunkSize: 1e13 })
    ] as const
  ]) {
    it.effect(`is refused: ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(call(yield* RegistryContent.RegistryContent)), "InvalidRequest")
      }).pipe(Effect.provide(content(serving)))
    )
  }

  it.effect("that a source states as its size fails the upload with a reason", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent.RegistryContent
      for (const sizeBytes of [1e300, -1, Number.NaN, 0.5]) {
        const source = BlobSource.fromRepeatableStream(Stream.make(new Uint8Array(1)), { size: sizeBytes })
        assert.strictEqual(yield* reasonOf(service.uploadBlob("alpine", source)), "InvalidRequest", String(sizeBytes))
      }
    }).pipe(Effect.provide(content(serving)))
  )
})

describe("a number among the options of a registry", () => {
  for (const read of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it.effect(`is refused: rateLimits: { read: ${read} }`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Layer.build(registry(() => properties(), { rateLimits: { read } })))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(String(exit), "InvalidRequest")
      })
    )
  }
})

/** A token that expires then, in seconds since 1970. */
const claims = (exp: unknown): string => ["e30", btoa(JSON.stringify({ exp, iat: 0 })), "c2ln"].join(".")

describe("a number in an answer", () => {
  const read = Effect.flatMap(ContainerRegistry, (service) => service.repositoryProperties("alpine"))

  for (const wait of ["9".repeat(400), "1e400", "-1", "NaN", "0x10"]) {
    it.effect(`is a wait within bounds or none: Retry-After: ${wait.slice(0, 10)}`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(reasonOf(read))
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* Fiber.join(fiber), "Throttled")
      }).pipe(
        Effect.provide(
          registry(() =>
            json({ errors: [{ code: "TOOMANYREQUESTS" }] }, { status: 429, headers: { "retry-after": wait } })
          )
        )
      )
    )
  }

  const lives: ReadonlyArray<unknown> = [1e300, -1e300, 9e15, 0, null, "soon"]
  for (const exp of lives) {
    it.effect(`is the end of a token or none: exp ${exp}`, () =>
      Effect.gen(function* () {
        const service = yield* ContainerRegistry
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(service.login)))
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(read)))
      }).pipe(
        Effect.provide(
          registry(({ authorization, url }) => {
            if (url.pathname === "/oauth2/exchange") return json({ refresh_token: claims(exp) })
            if (url.pathname === "/oauth2/token")
              return json({ access_token: claims(exp), expires_in: typeof exp === "number" ? exp : 60 })
            return authorization === undefined ? challenge("repository:alpine:metadata_read") : properties()
          })
        )
      )
    )

    it.effect(`is the end of a refresh token that the user gave, or none: exp ${exp}`, () =>
      Effect.gen(function* () {
        const service = yield* ContainerRegistry
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(service.login)))
      }).pipe(
        Effect.provide(
          registry(
            behindOAuth("repository:alpine:metadata_read", () => properties()),
            {
              credentials: Credentials.layerRefreshToken(Redacted.make(claims(exp)))
            }
          )
        )
      )
    )
  }
})
