/**
 * Skopeo, a client that we did not write, against the emulator, over TLS.
 */
import { createHash, randomBytes } from "node:crypto"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Digest from "@effect-acr/client/Digest"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { isInstalled } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"
import { skopeoFor } from "./support/skopeo.ts"

const adminUser = { username: "contoso", password: Redacted.make("a-password") }
const login = `${adminUser.username}:${Redacted.value(adminUser.password)}`

const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

/** The folder of an OCI image layout, and what it holds. */
const writeLayout = Effect.fnUntraced(function* (folder: string) {
  const blobs = new Map<string, string | Uint8Array>()
  const add = (mediaType: string, content: string | Uint8Array) => {
    const digest = digestOf(content)
    blobs.set(digest, content)
    return { mediaType, digest, size: Buffer.byteLength(content) }
  }
  // Random bytes do not shrink: the first layer is 3 MiB on the wire too.
  const contents = [randomBytes(3 * 1024 * 1024), Buffer.from("a second layer")]
  const layers = contents.map((content) => add("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(content)))
  const config = add(
    "application/vnd.oci.image.config.v1+json",
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: contents.map(digestOf) }
    })
  )
  const manifest = add(
    "application/vnd.oci.image.manifest.v1+json",
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers,
      annotations: { "org.example.odd": "spaces   and ünïcode" }
    })
  )
  yield* Effect.promise(async () => {
    await mkdir(join(folder, "blobs/sha256"), { recursive: true })
    await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}')
    await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
    for (const [digest, content] of blobs) {
      await writeFile(join(folder, "blobs/sha256", digest.replace("sha256:", "")), content)
    }
  })
  return { manifest, config, layers, blobs }
})

const skopeo = Effect.flatMap(AcrEmulator.AcrEmulator, ({ certificate, loginServer }) =>
  skopeoFor(loginServer, Option.getOrThrow(certificate))
)

const RepoTags = Schema.fromJsonString(Schema.Struct({ Tags: Schema.Array(Schema.String) }))
const Inspected = Schema.fromJsonString(Schema.Struct({ Digest: Schema.String, Layers: Schema.Array(Schema.String) }))

describe.runIf(isInstalled("skopeo"))("skopeo", () => {
  it.live("copies an image in, finds it, copies it out unchanged, and deletes it", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const tool = yield* skopeo
      const source = join(tool.home, "source")
      const target = join(tool.home, "target")
      const { blobs, layers, manifest } = yield* writeLayout(source)
      const image = `${tool.registry}/samples/odd:v1`

      yield* tool.run("copy", "--dest-cert-dir", tool.certificates, "--dest-creds", login, `oci:${source}`, image)

      const properties = yield* registry.manifestProperties("samples/odd", "v1")
      assert.strictEqual(properties.digest, manifest.digest)
      assert.strictEqual(properties.mediaType, manifest.mediaType)
      assert.strictEqual(properties.architecture, "amd64")
      assert.deepStrictEqual(properties.tags.map(String), ["v1"])
      assert.strictEqual(
        properties.sizeInBytes,
        layers.reduce((sum, { size }) => sum + size, 0)
      )
      const tags = yield* Stream.runCollect(registry.tags("samples/odd"))
      assert.deepStrictEqual(
        tags.map(({ digest, name }) => [String(name), String(digest)]),
        [["v1", manifest.digest]]
      )

      const reading = ["--cert-dir", tool.certificates, "--creds", login]
      const inspected = yield* Schema.decodeEffect(Inspected)(yield* tool.run("inspect", ...reading, image))
      assert.strictEqual(inspected.Digest, manifest.digest)
      assert.deepStrictEqual(
        inspected.Layers,
        layers.map(({ digest }) => digest)
      )
      const listed = yield* Schema.decodeEffect(RepoTags)(
        yield* tool.run("list-tags", ...reading, `${tool.registry}/samples/odd`)
      )
      assert.deepStrictEqual(listed.Tags, ["v1"])

      yield* tool.run("copy", "--src-cert-dir", tool.certificates, "--src-creds", login, image, `oci:${target}`)
      for (const [digest, content] of blobs) {
        const file = join(target, "blobs/sha256", Digest.hex(yield* Effect.fromResult(Digest.parse(digest))))
        const bytes = yield* Effect.promise(() => readFile(file))
        assert.isTrue(bytes.equals(Buffer.from(content)), digest)
      }

      yield* tool.run("delete", ...reading, image)
      const error = yield* Effect.flip(Effect.asVoid(registry.tagProperties("samples/odd", "v1")))
      assert.strictEqual(error.reason._tag, "NotFound")
    }).pipe(Effect.provide(emulated({ https: true, adminUser })))
  )

  it.live("is turned away with a wrong password, and by a certificate that it does not trust", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const tool = yield* skopeo
      yield* seed({ repository: "alpine", tags: ["latest"] })
      const image = `${tool.registry}/alpine:latest`
      const wrong = yield* Effect.result(
        tool.run("inspect", "--cert-dir", tool.certificates, "--creds", "contoso:wrong", image)
      )
      assert.match(Result.isFailure(wrong) ? wrong.failure.stderr : "", /unauthorized|authentication/i)
      const untrusted = yield* Effect.result(tool.run("inspect", "--creds", login, image))
      assert.match(Result.isFailure(untrusted) ? untrusted.failure.stderr : "", /certificate/)
    }).pipe(Effect.provide(emulated({ https: true, adminUser })))
  )
})
