/**
 * Differences of two artifacts: in their manifests, and in the files of their layers.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { NodeCompression } from "@effect-acr/node"
import { assert, describe, layer as provided } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Stream from "effect/Stream"
import * as Difference from "../src/Difference.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { amd64, arm64, blobOf, forPlatform, holding, index, layer, rawOf } from "./support/artifacts.ts"

const decoder = new TextDecoder()

/** Puts an image with a configuration and layers, which are texts. */
const putImage = Effect.fnUntraced(function* (
  store: MemoryStore.MemoryStore,
  config: object,
  layers: ReadonlyArray<string>,
  annotations: Readonly<Record<string, string>> = {}
) {
  const text = JSON.stringify(config)
  const described = blobOf(MediaType.ociImageConfig, text)
  yield* store.putBlob(described, BlobSource.fromString(text))
  for (const content of layers) yield* store.putBlob(layer(content), BlobSource.fromString(content))
  const parts = { config: described, layers: layers.map(layer), annotations }
  const raw = rawOf(MediaType.ociImageManifest, Manifest.format(Manifest.image(parts)))
  yield* store.putManifest(raw)
  return raw.descriptor
})

/** An archive as a text: names and contents are ASCII. */
const archive = (...entries: ReadonlyArray<Tar.Entry>) =>
  Stream.fromIterable(entries).pipe(
    Stream.pipeThroughChannel(Tar.encode()),
    Stream.runCollect,
    Effect.map((chunks) => decoder.decode(Bytes.concat(chunks)))
  )

const layersOf = (layers: ReadonlyArray<ReadonlyArray<Tar.Entry>>) =>
  Effect.forEach(layers, (entries) => archive(...entries))

/** The differences of the files of two images, each a list of layers. */
const filesOf = Effect.fnUntraced(function* (
  left: ReadonlyArray<ReadonlyArray<Tar.Entry>>,
  right: ReadonlyArray<ReadonlyArray<Tar.Entry>>,
  options?: Difference.FilesOptions
) {
  const one = MemoryStore.make("one")
  const other = MemoryStore.make("other")
  const first = yield* putImage(one, {}, yield* layersOf(left))
  const second = yield* putImage(other, {}, yield* layersOf(right))
  return yield* Difference.files({ reader: one, root: first }, { reader: other, root: second }, options)
})

const changes = (files: ReadonlyArray<Difference.FileDifference>) => files.map(({ change, path }) => [change, path])

provided(NodeCompression.layer)("the difference of two artifacts", (it) => {
  it.effect("is empty for the same artifact in another store", () =>
    Effect.gen(function* () {
      const one = yield* holding(["base", "amd64"], [amd64])
      const other = yield* holding(["base", "amd64"], [amd64])
      const { images, isSame } = yield* Difference.compare(
        { reader: one, root: amd64.descriptor },
        { reader: other, root: amd64.descriptor }
      )
      assert.isTrue(isSame)
      assert.deepStrictEqual(
        images.map(({ annotations, config, layers }) => [annotations, config, layers.onlyLeft, layers.onlyRight]),
        [[[], [], [], []]]
      )
    })
  )

  it.effect("has layers, fields of the configuration, variables, labels and annotations", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const common = { architecture: "amd64", os: "linux" }
      const left = yield* putImage(
        store,
        { ...common, config: { Env: ["PATH=/bin", "A=1"], Labels: { version: "1" }, Entrypoint: ["/app"] } },
        ["base", "one"],
        { note: "left" }
      )
      const right = yield* putImage(
        store,
        { ...common, config: { Env: ["PATH=/bin", "A=2"], Labels: { version: "1", added: "yes" } } },
        ["base", "two", "three"]
      )
      const { images, isSame } = yield* Difference.compare(
        { reader: store, root: left },
        { reader: store, root: right }
      )
      assert.isFalse(isSame)
      assert.deepStrictEqual(images, [
        {
          left: left.digest,
          right: right.digest,
          isSame: false,
          layers: { shared: [layer("base")], onlyLeft: [layer("one")], onlyRight: [layer("two"), layer("three")] },
          config: [
            { name: "Entrypoint", left: '["/app"]' },
            { name: "Env.A", left: "1", right: "2" },
            { name: "Labels.added", right: "yes" }
          ],
          annotations: [{ name: "note", left: "left" }]
        }
      ])
    })
  )

  it.effect("pairs the images of indexes by platform", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
      const left = index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64"))
      const right = index(forPlatform(arm64, "amd64"), forPlatform(amd64, "riscv64"))
      yield* store.putManifest(left)
      yield* store.putManifest(right)
      const { images, onlyLeft, onlyRight } = yield* Difference.compare(
        { reader: store, root: left.descriptor },
        { reader: store, root: right.descriptor }
      )
      const pairs = images.map(({ isSame, left, platform, right }) => [platform, isSame, left, right])
      assert.deepStrictEqual(pairs, [["linux/amd64", false, amd64.descriptor.digest, arm64.descriptor.digest]])
      const platforms = [onlyLeft, onlyRight].map((list) => list.map(({ platform }) => platform?.architecture))
      assert.deepStrictEqual(platforms, [["arm64"], ["riscv64"]])
    })
  )

  it.effect("pairs images whose platform is written in different ways, equal text before equal meaning", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
      const asV8 = { ...arm64.descriptor, platform: { os: "linux", architecture: "arm64", variant: "v8" } }
      const left = index(forPlatform(arm64, "arm64"), forPlatform(amd64, "x86_64"))
      const right = index(forPlatform(amd64, "amd64"), asV8)
      const both = index(asV8, forPlatform(arm64, "arm64"))
      for (const raw of [left, right, both]) yield* store.putManifest(raw)
      const compared = (other: typeof right) =>
        Effect.map(
          Difference.compare({ reader: store, root: left.descriptor }, { reader: store, root: other.descriptor }),
          ({ images, onlyLeft, onlyRight }) => ({
            pairs: images.map(({ isSame, platform }) => [platform, isSame]),
            onlyLeft: onlyLeft.map(({ platform }) => platform?.architecture),
            onlyRight: onlyRight.map(({ platform }) => platform?.variant)
          })
        )
      assert.deepStrictEqual(yield* compared(right), {
        pairs: [
          ["linux/arm64", true],
          ["linux/x86_64", true]
        ],
        onlyLeft: [],
        onlyRight: []
      })
      assert.deepStrictEqual(yield* compared(both), {
        pairs: [["linux/arm64", true]],
        onlyLeft: ["x86_64"],
        onlyRight: ["v8"]
      })
    })
  )

  it.effect("compares artifacts that are not images by their types", () =>
    Effect.gen(function* () {
      const nothing = blobOf(MediaType.MediaType.make("application/vnd.oci.empty.v1+json"), "{}")
      const artifact = (name: string, artifactType: string) =>
        rawOf(
          MediaType.ociImageManifest,
          Manifest.format(
            Manifest.image({
              config: nothing,
              layers: [],
              artifactType: MediaType.MediaType.make(artifactType),
              annotations: { name }
            })
          )
        )
      const sbom = artifact("sbom", "application/spdx+json")
      const report = artifact("report", "application/vnd.contoso.report")
      const store = yield* holding([], [sbom, report])
      const { images } = yield* Difference.compare(
        { reader: store, root: sbom.descriptor },
        { reader: store, root: report.descriptor }
      )
      assert.deepStrictEqual(images[0]?.config, [
        { name: "artifact type", left: "application/spdx+json", right: "application/vnd.contoso.report" }
      ])
      assert.deepStrictEqual(images[0]?.annotations, [{ name: "name", left: "sbom", right: "report" }])
    })
  )

  it.effect("compares an image with an index that has one for its platform", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const image = yield* putImage(store, { os: "linux", architecture: "arm64" }, ["base"])
      const whole = index({ ...image, platform: { os: "linux", architecture: "arm64", variant: "v8" } })
      yield* store.putManifest(whole)
      const { images, isSame, onlyLeft, onlyRight } = yield* Difference.compare(
        { reader: store, root: image },
        { reader: store, root: whole.descriptor }
      )
      assert.deepStrictEqual(
        [isSame, images.map(({ isSame, platform }) => [platform, isSame]), onlyLeft, onlyRight],
        [false, [["linux/arm64", true]], [], []]
      )
    })
  )

  it.effect("fails if one of them is missing", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [amd64])
      const error = yield* Effect.flip(
        Difference.compare({ reader: store, root: amd64.descriptor }, { reader: store, root: arm64.descriptor })
      )
      assert.strictEqual(error._tag === "GraphError" && error.problem, "Missing")
    })
  )

  describe("of files", () => {
    const base = [Tar.directory("etc"), Tar.file("etc/hosts", "localhost"), Tar.file("etc/motd", "hello")]

    it.effect("are added, removed and changed by content, mode and type", () =>
      Effect.gen(function* () {
        const files = yield* filesOf(
          [[...base, Tar.file("a", "same"), Tar.file("b", "text"), Tar.file("c", "x", { mode: 0o644 })]],
          [
            [
              ...base,
              Tar.file("a", "same"),
              Tar.symlink("b", "a"),
              Tar.file("c", "x", { mode: 0o755 }),
              Tar.file("d", "")
            ]
          ]
        )
        assert.deepStrictEqual(changes(files), [
          ["changed", "b"],
          ["changed", "c"],
          ["added", "d"]
        ])
        assert.deepStrictEqual(
          files.map(({ left, right }) => [left?.type, left?.mode, right?.type, right?.mode, right?.target]),
          [
            ["file", 0o644, "link", 0o777, "a"],
            ["file", 0o644, "file", 0o755, undefined],
            [undefined, undefined, "file", 0o644, undefined]
          ]
        )
      })
    )

    it.effect("of the same size differ by their content", () =>
      Effect.gen(function* () {
        const files = yield* filesOf([[Tar.file("a", "one")]], [[Tar.file("a", "two")]])
        assert.deepStrictEqual(changes(files), [["changed", "a"]])
      })
    )

    it.effect("are removed by whiteouts, also of whole folders, at any position in their layer", () =>
      Effect.gen(function* () {
        const removed = yield* filesOf([base], [base, [Tar.file("etc/.wh.motd", "")]])
        assert.deepStrictEqual(changes(removed), [["removed", "etc/motd"]])
        const emptied = yield* filesOf([base], [base, [Tar.file("etc/new", "new"), Tar.file("etc/.wh..wh..opq", "")]])
        assert.deepStrictEqual(changes(emptied), [
          ["removed", "etc/hosts"],
          ["removed", "etc/motd"],
          ["added", "etc/new"]
        ])
        const replaced = yield* filesOf([base], [base, [Tar.file("etc/hosts", "localhost"), Tar.file(".wh.etc", "")]])
        assert.deepStrictEqual(changes(replaced), [["removed", "etc/motd"]])
        const folder = yield* filesOf([base], [base, [Tar.file(".wh.etc", "")]])
        assert.deepStrictEqual(changes(folder), [
          ["removed", "etc"],
          ["removed", "etc/hosts"],
          ["removed", "etc/motd"]
        ])
      })
    )

    it.effect("that are written again with the same content do not differ", () =>
      Effect.gen(function* () {
        const files = yield* filesOf([base], [base, [Tar.file("etc/motd", "hello")]])
        assert.deepStrictEqual(files, [])
      })
    )

    it.effect("of the lowest layers that both share are read once", () =>
      Effect.gen(function* () {
        const store = MemoryStore.make()
        const below = yield* archive(...base)
        const left = yield* putImage(store, {}, [below])
        const right = yield* putImage(store, {}, [below, yield* archive(Tar.hardlink("etc/copy", "etc/motd"))])
        const reads: Array<string> = []
        const counting: typeof store = {
          ...store,
          blob: (pointer) => {
            reads.push(pointer.digest)
            return store.blob(pointer)
          }
        }
        const files = yield* Difference.files({ reader: counting, root: left }, { reader: counting, root: right })
        assert.deepStrictEqual(changes(files), [["added", "etc/copy"]])
        assert.strictEqual(files[0]?.right?.size, "hello".length)
        assert.strictEqual(reads.length, 2)
      })
    )

    it.effect("are limited, and layers must be archives", () =>
      Effect.gen(function* () {
        const limited = yield* Effect.flip(filesOf([base], [[]], { maxFiles: 2 }))
        assert.strictEqual(limited._tag === "FolderError" && limited.reason._tag, "LimitExceeded")
        const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
        const odd = yield* Effect.flip(
          Difference.files({ reader: store, root: amd64.descriptor }, { reader: store, root: arm64.descriptor })
        )
        assert.strictEqual(odd._tag === "FolderError" && odd.reason._tag, "InvalidArchive")
      })
    )
  })
})
