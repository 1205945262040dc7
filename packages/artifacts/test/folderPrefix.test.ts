/**
 * The folder that all names of an archive begin with, in each form that a caller may write.
 */
import { assert, layer } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Folder from "../src/Folder.ts"
import { treeOf } from "./support/archives.ts"
import { layer as platform } from "./support/dockerArchives.ts"

layer(platform)("a prefix", (it) => {
  it.effect("may end with a slash, and begin with a dot", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const base = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-prefix-" })
      yield* files.makeDirectory(`${base}/site`)
      yield* files.writeFileString(`${base}/site/page`, "hello")
      const packed = (prefix: string) =>
        Effect.map(Stream.runCollect(Folder.pack(`${base}/site`, { prefix })), Bytes.concat)
      const plain = yield* packed("a/b")
      for (const prefix of ["a/b/", "./a/b", "a//b"]) {
        assert.deepStrictEqual(yield* packed(prefix), plain, prefix)
        const folder = `${base}/out-${prefix.replaceAll("/", "-")}`
        yield* Folder.unpack(Stream.make(plain), folder, { prefix })
        assert.deepStrictEqual(yield* treeOf(folder), { page: "644 hello" })
      }
      // One of nothing is none.
      const none = Bytes.concat(yield* Stream.runCollect(Folder.pack(`${base}/site`)))
      for (const prefix of ["", "."]) assert.deepStrictEqual(yield* packed(prefix), none, prefix)
    })
  )
})
