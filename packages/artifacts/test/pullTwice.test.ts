/**
 * Files with the same content in one artifact.
 */
import * as Bytes from "effect/Bytes"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as Artifact from "../src/Artifact.ts"
import * as ImageArchive from "../src/ImageArchive.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { layer as platform } from "./support/dockerArchives.ts"

layer(platform)("files with the same content", (it) => {
  it.effect("are read once, also from an archive in a stream", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const base = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-twice-" })
      // Larger than what an archive keeps in memory.
      const content = new Uint8Array(5 * 1024 * 1024).fill(1)
      yield* files.writeFile(`${base}/one`, content)
      yield* files.writeFile(`${base}/other`, new Uint8Array(1))
      const store = MemoryStore.make()
      const inputs = ["one", "copy/one", "other", "last"].map((title) => ({
        path: `${base}/${title === "other" ? "other" : "one"}`,
        title
      }))
      yield* Artifact.push(store, "v1", { artifactType: "application/vnd.contoso.site", files: inputs })
      const bytes = Bytes.concat(yield* Stream.runCollect(ImageArchive.write(store, "v1")))
      const pieces = Stream.make(bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000))
      const archive = yield* ImageArchive.fromStream(Stream.rechunk(pieces, 1))
      const pulled = yield* Artifact.pull(archive, "v1", `${base}/out`)
      for (const { path, title } of pulled.files) {
        assert.strictEqual((yield* files.readFile(path)).length, title === "other" ? 1 : content.length, title)
      }
      assert.deepStrictEqual((yield* files.readDirectory(`${base}/out`)).toSorted(), ["copy", "last", "one", "other"])
    })
  )
})
