/**
 * Verbs that read, on distribution v3: a registry without the management API, and without the referrers API.
 */
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as Artifact from "@effect-acr/artifacts/Artifact"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as NodeRegistries from "@effect-acr/node/NodeRegistries"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Docker from "../../../test/support/dockerRegistry.ts"
import { eacr } from "./support/eacr.ts"

const digestOf = (bytes: Uint8Array) => Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)

const described = (mediaType: MediaType.MediaType, bytes: Uint8Array) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length
})

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Pushes an image with an SBOM, and returns its digest and its size with all that it names. */
const push = Effect.fnUntraced(function* (repository: string, loginServer: string) {
  const store = yield* Repository.open(`${loginServer}/${repository}`)
  const files = bytesOf("not even an archive")
  const layer = gzipSync(files)
  const config = bytesOf(
    JSON.stringify({
      architecture: "arm64",
      os: "linux",
      created: "2026-01-02T03:04:05Z",
      rootfs: { type: "layers", diff_ids: [digestOf(files)] }
    })
  )
  const parts = {
    config: described(MediaType.ociImageConfig, config),
    layers: [described(MediaType.ociImageLayerGzip, layer)]
  }
  const bytes = bytesOf(Manifest.format(Manifest.image(parts)))
  const descriptor = described(MediaType.ociImageManifest, bytes)
  yield* store.putBlob(parts.config, BlobSource.fromBytes(config))
  yield* store.putBlob(described(MediaType.ociImageLayerGzip, layer), BlobSource.fromBytes(layer))
  yield* store.putManifest({ bytes, descriptor }, { tags: ["v1"] })
  yield* Artifact.attach(store, "v1", { artifactType: "application/spdx+json", files: [] })
  return { digest: descriptor.digest, size: bytes.length + config.length + layer.length }
})

/** Pushes an image, and runs a verb on it. */
const looking = Effect.fnUntraced(function* (repository: string, verb: string, ...flags: ReadonlyArray<string>) {
  const { endpoint, loginServer } = yield* Docker.DockerRegistry
  const registries = NodeRegistries.layerOptions({
    registries: { [loginServer]: { endpoint, allowInsecureHttp: true } }
  })
  const pushed = yield* Effect.provide(push(repository, loginServer), registries)
  const name = ["du", "ls", "purge"].includes(verb) ? repository : `${repository}:v1`
  const ended = yield* eacr([verb, `${loginServer}/${name}`, ...flags], { env: { HOME: "/nonexistent" } })
  return { ...pushed, ...ended }
})

const docker = Docker.layer({ version: "3", access: "anonymous", relativeUrls: false, plainHttp: true })

describe.runIf(Docker.isThere("3"))("on distribution v3", () => {
  layer(docker, { excludeTestServices: true })((it) => {
    it.effect("ls --long takes the time from the configuration, and knows no locks", () =>
      Effect.gen(function* () {
        const { code, digest, size, stdout } = yield* looking("ls/long", "ls", "--long", "--include", "v*")
        assert.strictEqual(code, 0)
        assert.strictEqual(stdout, `v1\t${digest}\t${size}\t2026-01-02T03:04:05.000Z\tlinux/arm64\t\n`)
      })
    )

    it.effect("ls sorts by time", () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* looking("ls/sorted", "ls", "--sort", "newest", "--limit", "1")
        assert.deepStrictEqual([code, stdout], [0, "v1\n"])
      })
    )

    it.effect("show leaves out what only Azure reports", () =>
      Effect.gen(function* () {
        const { code, digest, size, stdout } = yield* looking("show/image", "show", "--json")
        const { descriptor, imageConfig, lock, referrers, tags, totalBytes } = JSON.parse(stdout)
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(
          [descriptor.digest, totalBytes, imageConfig.created],
          [digest, size, "2026-01-02T03:04:05Z"]
        )
        assert.deepStrictEqual([tags, lock], [undefined, undefined])
        assert.deepStrictEqual(referrers, [{ artifactType: "application/spdx+json", count: 1 }])
      })
    )

    it.effect("purge answers 3, since manifests without a tag and times are not listed", () =>
      Effect.gen(function* () {
        for (const [repository, flags] of [
          ["purge/untagged", ["--untagged", "--yes"]],
          ["purge/tags", ["--tags", "v*", "--yes"]]
        ] as const) {
          const { code, stderr } = yield* looking(repository, "purge", ...flags)
          assert.strictEqual(code, 3)
          assert.include(stderr, "warning: the registry lists no manifests")
        }
      })
    )

    it.effect("validate reads the image and its SBOM", () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* looking("validate/image", "validate", "--json")
        const { findings, manifests } = JSON.parse(stdout)
        assert.deepStrictEqual([code, findings, manifests], [0, [], 2])
      })
    )
  })
})
