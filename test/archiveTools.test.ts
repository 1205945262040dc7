/**
 * Archives of images go both ways between this library and skopeo, crane, regctl, oras, GNU tar and Python, with equal digests where
 * the format keeps them.
 */
import { createReadStream } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Copy from "@effect-acr/artifacts/Copy"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Reference from "@effect-acr/client/Reference"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { assert, describe, it } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"
import * as Registries from "./support/registries.ts"
import { skopeoFor } from "./support/skopeo.ts"
import { isThere, toolFor } from "./support/tools.ts"

const services = Layer.merge(NodeServices.layer, NodeCompression.layer)

const encoder = new TextEncoder()

const putBlob = <E>(store: ContentStore<E>, mediaType: MediaType.MediaType, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const start = yield* Hasher.Hasher
    const blob: Descriptor = { mediaType, digest: Hasher.digest(start, "sha256", bytes), size: bytes.length }
    yield* store.putBlob(blob, BlobSource.fromBytes(bytes))
    return blob
  })

/** A layer with a file. */
const layerOf = (name: string) =>
  Stream.make(Tar.directory("app"), Tar.file(`app/${name}`, name.repeat(1000))).pipe(
    Stream.pipeThroughChannel(Tar.encode()),
    Stream.runCollect,
    Effect.map(Bytes.concat)
  )

/** Puts an image that can be run: its layers are archives, and its configuration names them. */
const putImage = <E>(store: ContentStore<E>, tag: string) =>
  Effect.gen(function* () {
    const start = yield* Hasher.Hasher
    const tars = yield* Effect.forEach(["lower", "upper"], layerOf)
    const diffIds = tars.map((tar) => Hasher.digest(start, "sha256", tar))
    const config = yield* putBlob(
      store,
      MediaType.ociImageConfig,
      encoder.encode(
        JSON.stringify({
          architecture: "amd64",
          os: "linux",
          config: {},
          rootfs: { type: "layers", diff_ids: diffIds }
        })
      )
    )
    const layers = yield* Effect.forEach(tars, (tar) =>
      putBlob(store, MediaType.ociImageLayerGzip, new Uint8Array(gzipSync(tar)))
    )
    const bytes = encoder.encode(Manifest.format(Manifest.image({ config, layers })))
    const descriptor = {
      mediaType: MediaType.ociImageManifest,
      digest: Hasher.digest(start, "sha256", bytes),
      size: bytes.length
    }
    yield* store.putManifest({ bytes, descriptor }, { tags: [tag] })
    return { config, descriptor, diffIds }
  })

/** A layout with the image under the tag `v1`. */
const seeded = Effect.gen(function* () {
  const folder = join(yield* temporaryFolder, "layout")
  const layout = yield* ImageLayout.open(folder)
  return { folder, layout, image: yield* putImage(layout, "v1") }
})

const digestOf = <E>(store: Reader<E>, reference: string) =>
  Effect.map(store.resolve(reference), (found) => Option.getOrThrow(found).digest)

/** The digests of the configuration and the layers of an image that is complete, which a copy has verified. */
const partsOf = <E>(store: Reader<E>, reference: string) =>
  Effect.gen(function* () {
    const copy = yield* ImageLayout.open(join(yield* temporaryFolder, "copy"))
    const { root } = yield* Copy.run(store, copy, reference, { tags: ["copy"] })
    const { bytes } = Option.getOrThrow(yield* copy.manifest({ digest: root }))
    const manifest = Manifest.view(MediaType.ociImageManifest, new TextDecoder().decode(bytes))
    if (manifest._tag !== "ImageManifest") return yield* Effect.die("this is no image")
    return { root, config: manifest.config.digest, layers: manifest.layers.map(({ digest }) => digest) }
  })

const skopeo = Effect.map(skopeoFor("127.0.0.1:1", ""), ({ run }) => run)

describe("an archive of ours", () => {
  it.live.runIf(isInstalled("skopeo"))("is read by skopeo, as an OCI archive and as a Docker archive", () =>
    Effect.gen(function* () {
      const { image, layout } = yield* seeded
      const folder = yield* temporaryFolder
      const at = (name: string) => join(folder, name)
      const copy = yield* skopeo
      yield* ImageArchive.save(layout, "v1", at("oci.tar"))
      yield* copy("copy", "--preserve-digests", `oci-archive:${at("oci.tar")}:v1`, `oci:${at("oci")}:v1`)
      assert.strictEqual(yield* digestOf(yield* ImageLayout.open(at("oci")), "v1"), image.descriptor.digest)

      yield* ImageArchive.save(layout, "v1", at("docker.tar"), { format: "docker", name: "shop/api" })
      yield* copy("copy", `docker-archive:${at("docker.tar")}:shop/api:v1`, `oci:${at("docker")}:v1`)
      const parts = yield* partsOf(yield* ImageLayout.open(at("docker")), "v1")
      assert.strictEqual(parts.config, image.config.digest)
      // The same archive is an OCI archive.
      yield* copy("copy", "--preserve-digests", `oci-archive:${at("docker.tar")}:v1`, `oci:${at("both")}:v1`)
      assert.strictEqual(yield* digestOf(yield* ImageLayout.open(at("both")), "v1"), image.descriptor.digest)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("oras"))("is read by oras", () =>
    Effect.gen(function* () {
      const { image, layout } = yield* seeded
      const oras = yield* toolFor("oras")
      yield* ImageArchive.save(layout, "v1", join(oras.home, "image.tar"))
      yield* oras.run("copy", "--from-oci-layout", "image.tar:v1", "--to-oci-layout", "copied:v1")
      assert.strictEqual(
        yield* digestOf(yield* ImageLayout.open(join(oras.home, "copied")), "v1"),
        image.descriptor.digest
      )
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("regctl"))("is read by regctl", () =>
    Effect.gen(function* () {
      const { image, layout } = yield* seeded
      const regctl = yield* toolFor("regctl")
      for (const format of ["oci", "docker"] as const) {
        yield* ImageArchive.save(layout, "v1", join(regctl.home, `${format}.tar`), { format, name: "shop/api" })
        yield* regctl.run("image", "import", `ocidir://${format}:v1`, `${format}.tar`)
        const theirs = yield* ImageLayout.open(join(regctl.home, format))
        assert.strictEqual(yield* digestOf(theirs, "v1"), image.descriptor.digest)
      }
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("crane"))("is read by crane", () =>
    Effect.gen(function* () {
      const { layout } = yield* seeded
      const crane = yield* toolFor("crane")
      yield* ImageArchive.save(layout, "v1", join(crane.home, "image.tar"), { format: "docker", name: "shop/api" })
      yield* crane.run("validate", "--tarball", "image.tar")
      // crane reads manifest.json, so that the digest is one of its own.
      assert.match(yield* crane.run("digest", "--tarball", "image.tar", "shop/api:v1"), /^sha256:/)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("is unpacked by GNU tar and Python into a layout", () =>
    Effect.gen(function* () {
      const { image, layout } = yield* seeded
      const folder = yield* temporaryFolder
      const file = join(folder, "image.tar")
      yield* ImageArchive.save(layout, "v1", file)
      for (const [name, command] of [
        ["tar", (to: string) => run("tar", ["-xf", file, "-C", to])],
        ["python3", (to: string) => run("python3", ["-m", "tarfile", "-e", file, to])]
      ] as const) {
        if (!isInstalled(name)) continue
        const to = join(folder, name)
        yield* Effect.promise(() => mkdir(to))
        yield* command(to)
        assert.strictEqual((yield* partsOf(yield* ImageLayout.open(to), "v1")).root, image.descriptor.digest, name)
      }
    }).pipe(Effect.scoped, Effect.provide(services))
  )
})

/** Reads an archive from its file, and from a pipe. */
const bothWays = (file: string, use: (archive: ImageArchive.ImageArchive<unknown>) => Effect.Effect<void, unknown>) =>
  Effect.gen(function* () {
    yield* use(yield* ImageArchive.read(file))
    const pipe = NodeStream.fromReadable({ evaluate: () => createReadStream(file, { highWaterMark: 10_000 }) })
    yield* use(yield* ImageArchive.fromStream(pipe))
  }).pipe(Effect.scoped)

const expectRoot = (file: string, reference: string, digest: string) =>
  bothWays(file, (archive) =>
    Effect.gen(function* () {
      assert.isTrue(archive.hasOriginalDigests)
      assert.strictEqual((yield* partsOf(archive, reference)).root, digest)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

/** Of a Docker archive, the configuration and the content of layers stay the same. */
const expectImage = (file: string, reference: string, image: Effect.Success<ReturnType<typeof putImage>>) =>
  bothWays(file, (archive) =>
    Effect.gen(function* () {
      const { config, layers, root } = yield* partsOf(archive, reference)
      assert.strictEqual(config, image.config.digest)
      if (!archive.hasOriginalDigests) return assert.deepStrictEqual(layers, image.diffIds)
      assert.strictEqual(root, image.descriptor.digest)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

describe("an archive of others is read from a file and from a pipe", () => {
  it.live.runIf(isInstalled("skopeo"))("skopeo", () =>
    Effect.gen(function* () {
      const { folder, image } = yield* seeded
      const copy = yield* skopeo
      const out = yield* temporaryFolder
      yield* copy("copy", "--preserve-digests", `oci:${folder}:v1`, `oci-archive:${out}/oci.tar:v1`)
      yield* expectRoot(join(out, "oci.tar"), "v1", image.descriptor.digest)
      yield* copy("copy", `oci:${folder}:v1`, `docker-archive:${out}/docker.tar:docker.io/shop/api:v1`)
      yield* expectImage(join(out, "docker.tar"), "shop/api:v1", image)
      for (const program of ["gzip", "zstd"].filter(isInstalled)) {
        yield* run(program, ["-k", join(out, "docker.tar")])
        yield* expectImage(join(out, `docker.tar.${program === "gzip" ? "gz" : "zst"}`), "shop/api:v1", image)
      }
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live.runIf(isThere("regctl"))("regctl", () =>
    Effect.gen(function* () {
      const { folder, image } = yield* seeded
      const regctl = yield* toolFor("regctl")
      yield* regctl.run("image", "export", `ocidir://${folder}:v1`, "image.tar")
      yield* expectImage(join(regctl.home, "image.tar"), "v1", image)
      yield* regctl.run("image", "export", "--compress", `ocidir://${folder}:v1`, "image.tar.gz")
      yield* expectImage(join(regctl.home, "image.tar.gz"), "v1", image)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("GNU tar and Python, of a layout whose files are hard links", () =>
    Effect.gen(function* () {
      const { folder, image } = yield* seeded
      const out = yield* temporaryFolder
      const linked = join(out, "linked")
      yield* run("cp", ["-a", folder, linked])
      // Both names are in the archive, so that one of them is a hard link there.
      yield* run("cp", ["-l", join(linked, "index.json"), join(linked, ".index")])
      for (const format of ["gnu", "pax", "ustar"]) {
        const file = join(out, `${format}.tar`)
        yield* run("tar", [`--format=${format}`, "-cf", file, "-C", linked, "./.index", "."])
        yield* expectRoot(file, "v1", image.descriptor.digest)
      }
      if (!isInstalled("python3")) return
      yield* run("python3", [
        "-c",
        "import os, sys, tarfile\nwith tarfile.open(sys.argv[1], 'w') as t:\n  for n in sorted(os.listdir(sys.argv[2])): t.add(os.path.join(sys.argv[2], n), n)",
        join(out, "python.tar"),
        folder
      ])
      yield* expectRoot(join(out, "python.tar"), "v1", image.descriptor.digest)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  const registry = Registries.registries.find((one) => one.isThere && !one.redirectsBlobs)

  it.live.runIf(registry !== undefined && (isThere("crane") || isThere("oras")))(
    "crane and oras, from a registry",
    () =>
      Effect.gen(function* () {
        if (registry === undefined) return
        const context = yield* Layer.build(registry.layer)
        const running = Context.get(context, Registries.Running)
        const reference = yield* Effect.fromResult(Reference.parse(`${running.loginServer}/shop/api`))
        const store = Repository.make(Context.get(context, RegistryContent), reference)
        const image = yield* putImage(store, "v1")
        const name = `${running.loginServer}/shop/api:v1`
        if (isThere("crane")) {
          const crane = yield* toolFor("crane", running)
          yield* crane.run("pull", name, "image.tar")
          yield* bothWays(join(crane.home, "image.tar"), (archive) =>
            Effect.gen(function* () {
              const { config, layers } = yield* partsOf(archive, name)
              assert.strictEqual(config, image.config.digest)
              // crane keeps compressed layers, and only the manifest is lost.
              const { layers: original } = yield* partsOf(store, "v1")
              assert.deepStrictEqual(layers, original)
            }).pipe(Effect.scoped, Effect.provide(services))
          )
        }
        if (isThere("oras")) {
          const oras = yield* toolFor("oras", running)
          yield* oras.run("backup", "--output", "backup.tar", name)
          yield* expectRoot(join(oras.home, "backup.tar"), "v1", image.descriptor.digest)
        }
      }).pipe(Effect.scoped, Effect.provide(services))
  )
})
