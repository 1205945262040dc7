/**
 * Both implementations of hashes agree.
 */
import * as Hasher from "@effect-acr/client/Hasher"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as NodeHasher from "../src/NodeHasher.ts"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

const start = Hasher.Hasher

describe.for(["sha256", "sha512"] as const)("%s", (algorithm) => {
  it.effect.prop("is the same, in however many pieces", { pieces: Schema.Array(Schema.Uint8Array) }, ({ pieces }) =>
    Effect.gen(function* () {
      const portable = (yield* start)(algorithm)
      const native = (yield* Effect.provide(start, NodeHasher.layer))(algorithm)
      for (const piece of pieces) {
        portable.update(piece)
        native.update(piece)
      }
      assert.strictEqual(portable.hex(), native.hex())
    })
  )
})

describe("the HTTP client's layer", () => {
  it.effect("brings the fast hashes with it", () =>
    Effect.gen(function* () {
      const own = yield* Effect.provide(start, NodeHasher.layer)
      assert.strictEqual(yield* Effect.provide(start, NodeRegistryHttpClient.layer), own)
      assert.notStrictEqual(yield* start, own)
    })
  )

  it("knows the hash of nothing", () => {
    // FIPS 180-4's test vector.
    const digest = Hasher.digest(Hasher.Hasher.defaultValue(), "sha256", new Uint8Array())
    assert.strictEqual(digest, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  })
})
