/**
 * Files that are put into a folder, one after the other.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Place from "../src/internal/folder/place.ts"
import { outside, place as makePlace, restOf, treeOf } from "./support/archives.ts"
import { layer as platform } from "./support/layouts.ts"

/** Puts a file with this content into a folder. */
const put = (site: Place.Site, name: string, content: string, overwrite = true) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const staged = path.join(site.staging, "staged")
    yield* Effect.orDie(files.writeFileString(staged, content))
    yield* site.place(name, staged, { overwrite })
  })

layer(platform)("a file that is put into a folder", (it) => {
  it.effect("exists, with its parent folders", () =>
    Effect.gen(function* () {
      const { folder } = yield* makePlace
      yield* Effect.scoped(
        Effect.gen(function* () {
          const site = yield* Place.open(folder)
          yield* put(site, "a/b/one", "1")
          yield* put(site, "a/b/two", "2")
          yield* put(site, "a/b/one", "3")
        })
      )
      assert.deepStrictEqual(yield* treeOf(folder), {
        a: "folder 755",
        "a/b": "folder 755",
        "a/b/one": "644 3",
        "a/b/two": "644 2"
      })
    })
  )

  it.effect("replaces another file only if allowed, and never a folder", () =>
    Effect.gen(function* () {
      const { folder } = yield* makePlace
      const site = yield* Place.open(folder)
      yield* put(site, "a/f", "old", false)
      const there = yield* Effect.flip(put(site, "a/f", "new", false))
      assert.strictEqual(there.reason._tag, "AlreadyThere")
      for (const overwrite of [true, false]) {
        const refused = yield* Effect.flip(put(site, "a", "new", overwrite))
        assert.strictEqual(refused.reason._tag, "RefusedEntry")
        assert.strictEqual(refused.message, `${folder}: "a": a folder is there, where a file is put`)
        const behind = yield* Effect.flip(put(site, "a/f/x", "new", overwrite))
        assert.strictEqual(behind.reason._tag, "RefusedEntry")
      }
      const tree = yield* treeOf(folder)
      assert.strictEqual(tree["a/f"], "644 old")
    })
  )

  it.effect("is not written through a link, and replaces one", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, base, folder } = yield* makePlace
      yield* files.symlink("../outside", at("out"))
      yield* files.symlink("../outside/secret", at("file"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const site = yield* Place.open(folder)
          const refused = yield* Effect.flip(put(site, "out/x", "evil"))
          assert.strictEqual(refused.reason._tag, "RefusedEntry")
          yield* put(site, "file", "mine")
        })
      )
      assert.deepStrictEqual(yield* treeOf(folder), { file: "644 mine", out: "-> ../outside" })
      assert.deepStrictEqual(yield* restOf(base), outside)
    })
  )

  it.effect("is put into a folder that another program created meanwhile", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, base, folder } = yield* makePlace
      const site = yield* Place.open(folder)
      for (const name of ["made", "linked"]) yield* site.checkFile(`${name}/f`, { overwrite: true })
      yield* files.makeDirectory(at("made"))
      yield* files.symlink("../outside", at("linked"))
      yield* put(site, "made/f", "1")
      const refused = yield* Effect.flip(put(site, "linked/f", "1"))
      assert.strictEqual(refused.reason._tag, "RefusedEntry")
      assert.deepStrictEqual(yield* restOf(base), outside)
    })
  )

  it.effect("cannot be put where a file is in the place of its folder", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at } = yield* makePlace
      yield* files.writeFileString(at("f"), "")
      const error = yield* Effect.flip(Effect.scoped(Place.open(at("f"))))
      assert.strictEqual(error.reason._tag, "FileFailed")
    })
  )
})
