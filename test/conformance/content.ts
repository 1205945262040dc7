/**
 * The files that everyday commands push: the same bytes in each run, so that their digests are the same.
 */
import { createHash } from "node:crypto"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { run } from "../support/command.ts"

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

type Json = { readonly [name: string]: unknown }

const encode = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value))

const manifestType = "application/vnd.oci.image.manifest.v1+json"
const indexType = "application/vnd.oci.image.index.v1+json"

/** An OCI image layout, to which blobs are added. */
const layout = async (folder: string) => {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true })
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}')
  const add = async (mediaType: string, bytes: Uint8Array): Promise<Descriptor> => {
    await writeFile(join(folder, "blobs/sha256", sha256(bytes)), bytes)
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
  }
  const image = async (architecture: string, layers: ReadonlyArray<Uint8Array>): Promise<Descriptor> => {
    const config = await add(
      "application/vnd.oci.image.config.v1+json",
      encode({
        created: "2026-01-01T00:00:00Z",
        architecture,
        os: "linux",
        config: { Cmd: ["/bin/true"], Labels: { "org.example.kind": "a test" } },
        rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) }
      })
    )
    const compressed = await Promise.all(
      layers.map((layer) => add("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(layer)))
    )
    return add(manifestType, encode({ schemaVersion: 2, mediaType: manifestType, config, layers: compressed }))
  }
  const name = (root: Descriptor): Promise<void> =>
    writeFile(
      join(folder, "index.json"),
      encode({
        schemaVersion: 2,
        mediaType: indexType,
        manifests: [{ ...root, annotations: { "org.opencontainers.image.ref.name": "v1" } }]
      })
    )
  return { add, image, name }
}

const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"]

/** A tape archive of one file. */
const tar = Effect.fnUntraced(function* (home: string, name: string, text: string) {
  yield* Effect.promise(() => writeFile(join(home, name), text))
  yield* run("tar", [...reproducible, "-cf", `${name}.tar`, name], { cwd: home })
  return yield* Effect.promise(() => readFile(join(home, `${name}.tar`)))
})

/** Without authorities, cosign downloads those of sigstore to verify a bundle, even if a key has signed it. */
const noAuthorities = {
  mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  tlogs: [],
  certificateAuthorities: [],
  ctlogs: [],
  timestampAuthorities: []
}

/**
 * Writes them into a folder: the layouts `image`, of one image, and `index`, of an image for two platforms, and some files.
 * Returns the digests that commands name.
 */
export const writeContent = Effect.fnUntraced(function* (home: string) {
  const hello = yield* tar(home, "hello.txt", "hello")
  const large = yield* tar(home, "large.txt", "a line that is repeated\n".repeat(50_000))
  return yield* Effect.promise(async () => {
    const layer = gzipSync(hello)
    await writeFile(join(home, "layer.tar.gz"), layer)
    await writeFile(join(home, "sbom.json"), '{"spdxVersion":"SPDX-2.3"}')
    await writeFile(join(home, "blob.txt"), "a blob")
    await writeFile(join(home, "root.json"), encode(noAuthorities))

    const single = await layout(join(home, "image"))
    await single.name(await single.image("amd64", [hello, large]))

    const several = await layout(join(home, "index"))
    const platforms = await Promise.all(
      ["amd64", "arm64"].map(async (architecture) => ({
        ...(await several.image(architecture, [hello])),
        platform: { os: "linux", architecture }
      }))
    )
    await several.name(
      await several.add(indexType, encode({ schemaVersion: 2, mediaType: indexType, manifests: platforms }))
    )
    return { layer: `sha256:${sha256(layer)}`, blob: `sha256:${sha256(Buffer.from("a blob"))}` }
  })
})
