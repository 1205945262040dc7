/**
 * A large blob through docker-registry, and the same images in the hands of skopeo.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isInstalled, temporaryFolder } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { mebibyte, pushImage } from "./support/dockerRegistryImage.ts"
import { writeLargeFile } from "./support/largeFile.ts"
import { skopeoFor } from "./support/skopeo.ts"

const digestOfFile = (path: string) =>
  Effect.promise(async () => {
    const hash = createHash("sha256")
    await pipeline(createReadStream(path, { highWaterMark: mebibyte }), hash)
    return `sha256:${hash.digest("hex")}`
  })

const skopeo = Effect.flatMap(Docker.DockerRegistry, ({ certificate, loginServer }) =>
  skopeoFor(loginServer, certificate)
)

const Inspected = Schema.fromJsonString(
  Schema.Struct({ Digest: Schema.String, Architecture: Schema.String, Layers: Schema.Array(Schema.String) })
)

const Registry = Docker.layerContent().pipe(
  Layer.provideMerge(Docker.layer({ access: "anonymous", relativeUrls: false })),
  Layer.merge(NodeFileSystem.layer)
)

describe.runIf(isInstalled("docker-registry"))("docker-registry", () => {
  layer(Registry, { excludeTestServices: true })((it) => {
    it.effect(
      "takes 256 MiB from a file, and gives them back into one",
      () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const folder = yield* temporaryFolder
          const source = join(folder, "source")
          const target = join(folder, "target")
          const digest = yield* writeLargeFile(source, 256)
          const blob = yield* content.uploadBlob("large", BlobSource.fromFile(source))
          assert.deepStrictEqual([blob.digest, blob.size], [digest, 256 * mebibyte])
          yield* content.downloadBlob("large", blob, target)
          assert.strictEqual(yield* digestOfFile(target), digest)
        }),
      180_000
    )

    it.effect.runIf(isInstalled("skopeo"))("lets skopeo read what the client pushed, unchanged", () =>
      Effect.gen(function* () {
        const tool = yield* skopeo
        const pushed = yield* pushImage("skopeo/reads", { tags: ["v1"], architecture: "arm64" })
        const image = `${tool.registry}/skopeo/reads:v1`

        const inspected = yield* Schema.decodeEffect(Inspected)(
          yield* tool.run("inspect", "--cert-dir", tool.certificates, image)
        )
        assert.deepStrictEqual(inspected, {
          Digest: pushed.descriptor.digest,
          Architecture: "arm64",
          Layers: pushed.manifest.layers.map(({ digest }) => String(digest))
        })

        const target = join(tool.home, "target")
        yield* tool.run("copy", "--preserve-digests", "--src-cert-dir", tool.certificates, image, `oci:${target}:v1`)
        for (const { bytes, descriptor } of [pushed, ...pushed.blobs]) {
          const file = yield* Effect.promise(() =>
            readFile(join(target, "blobs/sha256", Digest.hex(descriptor.digest)))
          )
          assert.isTrue(file.equals(bytes), descriptor.digest)
        }
      })
    )

    it.effect.runIf(isInstalled("skopeo"))("lets the client read what skopeo pushed, unchanged", () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        const tool = yield* skopeo
        const pushed = yield* pushImage("skopeo/source", { tags: ["v1"] })
        const layout = `oci:${join(tool.home, "layout")}:v1`
        const from = `${tool.registry}/skopeo/source:v1`
        const to = `${tool.registry}/skopeo/pushes:v2`
        // By way of a folder, so that it sends each blob itself.
        yield* tool.run("copy", "--preserve-digests", "--src-cert-dir", tool.certificates, from, layout)
        yield* tool.run("copy", "--preserve-digests", "--dest-cert-dir", tool.certificates, layout, to)

        const { bytes, descriptor, manifest } = yield* content.manifest("skopeo/pushes", "v2")
        assert.deepStrictEqual(descriptor, pushed.descriptor)
        assert.deepStrictEqual(manifest, pushed.manifest)
        assert.isTrue(Buffer.from(bytes).equals(pushed.bytes))
        for (const blob of pushed.blobs) {
          const read = yield* content.blobBytes("skopeo/pushes", blob.descriptor)
          assert.isTrue(Buffer.from(read).equals(blob.bytes), blob.descriptor.digest)
        }
        const tags = yield* Stream.runCollect(content.tags("skopeo/pushes"))
        assert.deepStrictEqual(tags.map(String), ["v2"])
      })
    )
  })
})
