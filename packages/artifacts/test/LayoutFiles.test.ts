/**
 * A layout that a program writes itself, read by ImageLayout.
 */
import { createHash } from "node:crypto"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Digest } from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as NodeHasher from "@effect-acr/node/NodeHasher"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ImageLayout from "../src/ImageLayout.ts"
import * as LayoutFiles from "../src/LayoutFiles.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "layout-files-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const write = (at: string, text: string) =>
  Effect.promise(async () => {
    await mkdir(dirname(at), { recursive: true })
    await writeFile(at, text)
  })

const indexOf = (name: string): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: [], annotations: { name } })

const entryOf = (text: string, names: ReadonlyArray<string>): LayoutFiles.Entry => ({
  descriptor: {
    mediaType: MediaType.ociImageIndex,
    digest: Digest.make(`sha256:${createHash("sha256").update(text).digest("hex")}`),
    size: text.length
  },
  names
})

describe("LayoutFiles", () => {
  it.effect("makes a layout of blobs and a list of manifests", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const texts = [indexOf("tagged"), indexOf("untagged")]
      const entries = texts.map((text, index) => entryOf(text, index === 0 ? ["a:v1", "a:v2"] : []))
      yield* write(join(at, LayoutFiles.versionFile), LayoutFiles.version)
      yield* write(join(at, LayoutFiles.indexFile), LayoutFiles.formatIndex(entries))
      for (const [index, { descriptor }] of entries.entries()) {
        yield* write(join(at, LayoutFiles.blobPath(descriptor.digest)), texts[index] ?? "")
      }
      const layout = yield* ImageLayout.open(at)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["a:v1", "a:v2"])
      for (const { descriptor, names } of entries) {
        for (const reference of [...names, descriptor.digest]) {
          const found = yield* layout.resolve(reference)
          assert.deepStrictEqual(
            Option.map(found, ({ digest }) => digest),
            Option.some(descriptor.digest)
          )
        }
        assert.isTrue(yield* layout.keeps(descriptor))
      }
    }).pipe(Effect.provide([NodeServices.layer, NodeHasher.layer]))
  )

  it("produces the same text for the same entries", () => {
    const [one, other] = [entryOf("one", ["a:v1"]), entryOf("other", [])]
    assert.strictEqual(LayoutFiles.formatIndex([one, other]), LayoutFiles.formatIndex([other, one]))
    const moved = LayoutFiles.formatIndex([one, entryOf("other", ["a:v1"])])
    assert.include(moved, `"digest":"${other.descriptor.digest}","size":5,"annotations"`)
  })
})
