/**
 * A registry that is reset: nothing is left of it, in memory, on disk and for the next emulator.
 */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { open, push } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const filesIn = (directory: string) =>
  Effect.promise(async () => [
    ...(await readdir(join(directory, "blobs/sha256"))),
    ...(await readdir(join(directory, "registry-uploads")))
  ])

describe("a registry that is reset", () => {
  it.live("has no repositories, no trash, no uploads and no content, also when it starts again", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        const { openUploads, reset, seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "b", tags: ["v1"] })
        assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/b")).status, 202)
        yield* push("kept")
        yield* open
        assert.strictEqual(yield* openUploads, 1)
        assert.strictEqual((yield* filesIn(directory)).length, 5)

        yield* reset
        assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/_catalog")).text, '{"repositories":null}')
        assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/_deleted/_catalog")).text, '{"repositories":[]}')
        assert.strictEqual(yield* openUploads, 0)
        assert.deepStrictEqual(yield* filesIn(directory), [])

        // It goes on.
        yield* push("kept")
      }).pipe(Effect.provide(emulator({ directory, softDelete: {} })))
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/_catalog")).text, '{"repositories":["a"]}')
        assert.strictEqual((yield* filesIn(directory)).length, 1)
      }).pipe(Effect.provide(emulator({ directory })))
      const index = yield* Effect.promise(() => readFile(join(directory, "index.json"), "utf8"))
      assert.deepStrictEqual(JSON.parse(index), {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: []
      })
    })
  )
})
