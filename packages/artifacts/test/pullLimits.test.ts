/**
 * The size limit of an artifact that is pulled into a folder.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Artifact from "../src/Artifact.ts"
import * as FolderError from "../src/FolderError.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { layer as platform } from "./support/dockerArchives.ts"

layer(platform)("an artifact", (it) => {
  it.effect("may not exceed the limit with all of its files and folders together", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const base = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-limits-" })
      const names = ["a", "b", "c"]
      for (const name of names) {
        yield* files.makeDirectory(`${base}/${name}`)
        // A few bytes once they are compressed.
        yield* files.writeFile(`${base}/${name}/zeros`, new Uint8Array(300_000))
        yield* files.writeFileString(`${base}/${name}/name`, name)
      }
      yield* files.writeFile(`${base}/file`, new Uint8Array(99_997))
      const store = MemoryStore.make()
      const inputs = [...names, "file"].map((title) => ({ path: `${base}/${title}`, title }))
      yield* Artifact.push(store, "v1", { artifactType: "application/vnd.contoso.site", files: inputs })

      const pull = (folder: string, maxBytes: number) => Artifact.pull(store, "v1", `${base}/${folder}`, { maxBytes })
      assert.lengthOf((yield* pull("whole", 1_000_000)).files, 4)
      const error = yield* Effect.flip(pull("refused", 999_999))
      assert.isTrue(error instanceof FolderError.FolderError && error.reason._tag === "LimitExceeded", String(error))
      assert.deepStrictEqual(yield* files.readDirectory(`${base}/refused/c`), [])
    })
  )
})
