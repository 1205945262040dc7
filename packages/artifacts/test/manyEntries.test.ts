/**
 * Indexes, layouts and lists of referrers with thousands of entries, which a hostile registry can write into few bytes. Work that
 * grows with the square of their number exceeds the time limit of each test many times.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import type * as Platform from "@effect-acr/client/Platform"
import { NodeCompression } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as Artifact from "../src/Artifact.ts"
import * as Copy from "../src/Copy.ts"
import * as Difference from "../src/Difference.ts"
import * as ImageArchive from "../src/ImageArchive.ts"
import * as ImageLayout from "../src/ImageLayout.ts"
import * as LayoutFiles from "../src/LayoutFiles.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { amd64, attachment, config, holding, index, layer, rawOf } from "./support/artifacts.ts"
import * as Layouts from "./support/layouts.ts"

const count = 30_000
const timeLimit = 20_000

const numbers = (most: number): ReadonlyArray<number> => Array.from({ length: most }, (_, number) => number)

const forPlatform = (platform: Platform.Platform): Descriptor => ({ ...amd64.descriptor, platform })

const architectures = (prefix: string): ReadonlyArray<Descriptor> =>
  numbers(count).map((number) => forPlatform({ os: "linux", architecture: `${prefix}${number}` }))

describe("an index of 30,000 platforms", () => {
  it.effect(
    "can be an entry of a new index",
    () =>
      Effect.gen(function* () {
        const many = index(...architectures("a"))
        const store = yield* holding(["base", "amd64"], [amd64, many])
        const made = yield* Artifact.index(store, [many.descriptor.digest])
        assert.isAbove(made.size, count)
      }),
    timeLimit
  )

  it.effect(
    "is compared with another one",
    () =>
      Effect.gen(function* () {
        const aarch64 = forPlatform({ os: "linux", architecture: "aarch64" })
        const arm64 = forPlatform({ os: "linux", architecture: "arm64", variant: "v8" })
        const one = index(aarch64, ...architectures("a"))
        const other = index(arm64, ...architectures("b"))
        const store = yield* holding(["base", "amd64"], [amd64, one, other])
        const { images, onlyLeft, onlyRight } = yield* Difference.compare(
          { reader: store, root: one.descriptor },
          { reader: store, root: other.descriptor }
        )
        assert.deepStrictEqual([images.length, onlyLeft.length, onlyRight.length], [1, count, count])
      }),
    timeLimit
  )
})

it.effect(
  "3,000 referrers are copied from memory",
  () =>
    Effect.gen(function* () {
      const referrers = numbers(3000).map((number) => attachment(`r${number}`, amd64.descriptor))
      const store = yield* holding(["base", "amd64"], [amd64, ...referrers])
      const { nodes } = yield* Copy.run(store, MemoryStore.make(), amd64.descriptor.digest)
      assert.lengthOf(
        nodes.filter(({ kind }) => kind === "manifest"),
        referrers.length + 1
      )
    }),
  timeLimit
)

it.effect(
  "a layout with 30,000 entries is searched for referrers 30,000 times",
  () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* Layouts.layoutFolder
      const source = yield* holding(["base", "amd64"], [amd64])
      yield* Copy.run(source, yield* ImageLayout.open(folder), amd64.descriptor.digest)
      const names = numbers(count).map(String)
      const text = LayoutFiles.formatIndex([{ descriptor: amd64.descriptor, names }])
      yield* files.writeFileString(path.join(folder, LayoutFiles.indexFile), text)
      const layout = yield* ImageLayout.open(folder)
      const found = layout.batch(
        Effect.forEach(names, () => Stream.runCollect(layout.referrers(amd64.descriptor.digest)))
      )
      assert.lengthOf((yield* found).flat(), 0)
    }).pipe(Effect.provide(Layouts.layer)),
  timeLimit
)

/** The tags of an archive of these files. */
const tagsOfArchive = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const archive = Tar.encode()
    const entries = Object.entries(files).map(([name, text]) => Tar.file(name, new TextEncoder().encode(text)))
    const opened = yield* ImageArchive.fromStream(Stream.pipeThroughChannel(Stream.fromIterable(entries), archive))
    return yield* Stream.runCollect(opened.tags)
  }).pipe(Effect.provide(Layer.merge(Layouts.layer, NodeCompression.layer)))

describe("an archive", () => {
  const padding = "a".repeat(1024 * 1024)

  it.effect(
    "with one large image under 30,000 names is opened",
    () =>
      Effect.gen(function* () {
        const large = rawOf(
          MediaType.ociImageManifest,
          Manifest.format(Manifest.image({ config, layers: [layer("base")], annotations: { padding } }))
        )
        const tags = yield* tagsOfArchive({
          "oci-layout": LayoutFiles.version,
          "index.json": LayoutFiles.formatIndex([{ descriptor: large.descriptor, names: numbers(count).map(String) }]),
          [LayoutFiles.blobPath(large.descriptor.digest)]: new TextDecoder().decode(large.bytes)
        })
        assert.lengthOf(tags, count)
      }),
    timeLimit
  )

  it.effect(
    "of docker save with one large configuration for 30,000 images is opened",
    () =>
      Effect.gen(function* () {
        const images = numbers(count).map((number) => ({
          Config: "config.json",
          RepoTags: [`a:${number}`],
          Layers: []
        }))
        const tags = yield* tagsOfArchive({
          "config.json": JSON.stringify({ padding, rootfs: { type: "layers", diff_ids: [] } }),
          "manifest.json": JSON.stringify(images)
        })
        assert.lengthOf(tags, count)
      }),
    timeLimit
  )
})
