/**
 * Archives as other programs write them, made by hand.
 */
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"

export const layer = Layer.merge(NodeServices.layer, NodeCompression.layer)

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

export const hexOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** The bytes of a tar archive. */
export const tarOf = (entries: ReadonlyArray<Tar.Entry>): Effect.Effect<Uint8Array, Tar.TarError> =>
  Stream.fromIterable(entries).pipe(
    Stream.pipeThroughChannel(Tar.encode()),
    Stream.runCollect,
    Effect.map(Bytes.concat)
  )

/** A file that is gone after the test. */
export const fileOf = (bytes: Uint8Array, name = "archive.tar") =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-archive-" }), name)
    yield* files.writeFile(file, bytes)
    return file
  })

/** Layers are tar archives, of which these tests need the bytes alone. */
export const layers = ["lower layer", "upper layer"].map(encode)

/** The configuration of an image with layers. */
export const configOf = (stack: ReadonlyArray<Uint8Array>): string =>
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: stack.map((bytes) => `sha256:${hexOf(bytes)}`) }
  })

const [lower = encode(""), upper = encode("")] = layers

/** The forms of `docker save`, of an image with three layers of which two are the same. */
const stack = [lower, upper, lower]
const config = configOf(stack)
const configHex = hexOf(encode(config))

const manifestJson = (Config: string, Layers: ReadonlyArray<string>, RepoTags: ReadonlyArray<string> | null) =>
  Tar.file("manifest.json", JSON.stringify([{ Config, RepoTags, Layers }]))

/** Docker 1.10 to 24: a folder for each layer, and a link where one occurs again. */
const docker24: ReadonlyArray<Tar.Entry> = [
  Tar.directory("aaa"),
  Tar.file("aaa/VERSION", "1.0"),
  Tar.file("aaa/layer.tar", lower),
  Tar.directory("bbb"),
  Tar.file("bbb/layer.tar", upper),
  Tar.directory("ccc"),
  Tar.symlink("ccc/layer.tar", "../aaa/layer.tar"),
  Tar.file(`${configHex}.json`, config),
  manifestJson(`${configHex}.json`, ["aaa/layer.tar", "bbb/layer.tar", "ccc/layer.tar"], ["shop/api:v1", "api:latest"]),
  Tar.file("repositories", "{}")
]

/** podman and skopeo: layers by their digests, and `manifest.json` at the end. */
const podman: ReadonlyArray<Tar.Entry> = [
  Tar.file(`${hexOf(lower)}.tar`, lower),
  Tar.symlink("aaa/layer.tar", `../${hexOf(lower)}.tar`),
  Tar.file(`${hexOf(upper)}.tar`, upper),
  Tar.file(`${configHex}.json`, config),
  Tar.file("repositories", "{}"),
  manifestJson(
    `${configHex}.json`,
    [lower, upper, lower].map((bytes) => `${hexOf(bytes)}.tar`),
    ["shop/api:v1", "api:latest"]
  )
]

const gzipped = (bytes: Uint8Array): Uint8Array => new Uint8Array(gzipSync(bytes))

/** crane: compressed layers. */
const crane: ReadonlyArray<Tar.Entry> = [
  Tar.file(`sha256:${configHex}`, config),
  ...[lower, upper].map((bytes) => Tar.file(`${hexOf(gzipped(bytes))}.tar.gz`, gzipped(bytes))),
  manifestJson(
    `sha256:${configHex}`,
    [lower, upper, lower].map((bytes) => `${hexOf(gzipped(bytes))}.tar.gz`),
    ["shop/api:v1", "api:latest"]
  )
]

/** An archive that was packed from a folder, so that equal files are hard links and names begin with a dot. */
const hardLinked: ReadonlyArray<Tar.Entry> = [
  Tar.directory("./"),
  Tar.file("./aaa/layer.tar", lower),
  Tar.file("./bbb/layer.tar", upper),
  Tar.hardlink("./ccc/layer.tar", "./aaa/layer.tar"),
  Tar.file(`./${configHex}.json`, config),
  manifestJson(`${configHex}.json`, ["aaa/layer.tar", "bbb/layer.tar", "ccc/layer.tar"], ["shop/api:v1", "api:latest"])
]

export const dockerForms = { docker24, podman, crane, hardLinked }
