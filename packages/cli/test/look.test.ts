/**
 * Verbs that read: `show` and `validate`.
 */
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, describe, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { eacr } from "./support/eacr.ts"
import { loggedIn } from "./support/registry.ts"

const json = (args: ReadonlyArray<string>) =>
  Effect.map(loggedIn([...args, "--json"]), ({ code, stdout }) => ({ code, document: JSON.parse(stdout) }))

const pointerTo = (mediaType: MediaType.MediaType, text: string) => ({
  mediaType,
  digest: Digest.Digest.make(`sha256:${createHash("sha256").update(text).digest("hex")}`),
  size: text.length
})

/** Makes a layout with an artifact of one file under the tag `v1`, and returns the digest of the file. */
const makeLayout = Effect.fnUntraced(function* (folder: string) {
  const store = yield* ImageLayout.open(folder)
  const config = pointerTo(MediaType.ociEmpty, "{}")
  const layer = pointerTo(MediaType.octetStream, "bytes")
  const artifactType = MediaType.MediaType.make("application/vnd.example.files")
  const text = Manifest.format(Manifest.image({ artifactType, config, layers: [layer] }))
  yield* store.putBlob(config, BlobSource.fromString("{}"))
  yield* store.putBlob(layer, BlobSource.fromString("bytes"))
  yield* store.putManifest(
    { bytes: new TextEncoder().encode(text), descriptor: pointerTo(MediaType.ociImageManifest, text) },
    { tags: ["v1"] }
  )
  return layer.digest
}, Effect.provide(NodeServices.layer))

layer(AcrEmulator.layer(), { excludeTestServices: true })("verbs that look", (it) => {
  describe("show", () => {
    it.effect("tells for an index how to see the labels of an image", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "look/index", tags: ["v1"], platforms: ["linux/arm64", "linux/amd64"] })
        const show = ["show", "$REGISTRY/look/index:v1"]
        assert.include(
          (yield* loggedIn(show)).stderr,
          "to see labels, environment and commands of an image: --platform "
        )
        for (const flags of [["--json"], ["-q"], ["--platform", "linux/arm64"]]) {
          assert.strictEqual((yield* loggedIn([...show, ...flags])).stderr, "")
        }
      })
    )

    it.effect("describes an image, with the other tags and the lock of Azure", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        const digest = yield* seed({
          repository: "show/image",
          tags: ["v1", "latest"],
          entrypoint: ["/app/api", "--serve"],
          env: { MODE: "fast" },
          labels: { team: "shop" },
          annotations: { "org.example.note": "first" },
          locks: { manifest: { deleteEnabled: false } },
          referrers: [{ artifactType: "application/spdx+json" }]
        })
        const { code, stderr, stdout } = yield* loggedIn(["show", "$REGISTRY/show/image:v1"])
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        const lines = stdout.split("\n")
        assert.includeMembers(lines, [
          "kind\timage",
          `digest\t${digest}`,
          "platform\tlinux/amd64",
          "tags\tlatest",
          "tags\tv1",
          "lock\tagainst delete",
          'entrypoint\t["/app/api","--serve"]',
          "env\tMODE=fast",
          "labels\tteam=shop",
          "annotations\torg.example.note=first",
          "referrers\t1  application/spdx+json"
        ])
      })
    )

    it.effect("lists the images of an index, and shows one of them by its platform", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "show/index", tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
        const { document } = yield* json(["show", "$REGISTRY/show/index:v1"])
        assert.strictEqual(document.version, 1)
        assert.strictEqual(document.kind, "index")
        assert.deepStrictEqual(
          document.entries.map(
            ({ descriptor }: { readonly descriptor: { readonly platform: unknown } }) => descriptor.platform
          ),
          [
            { os: "linux", architecture: "amd64" },
            { os: "linux", architecture: "arm64" }
          ]
        )
        const arm = yield* json(["show", "$REGISTRY/show/index:v1", "--platform", "linux/arm64"])
        assert.deepStrictEqual(arm.document.platform, { os: "linux", architecture: "arm64" })
        assert.deepStrictEqual(arm.document.descriptor.digest, document.entries[1].descriptor.digest)
      })
    )

    it.effect("escapes control characters of an artifact", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "show/odd", tags: ["v1"], labels: { evil: "\u001b[2Jgone\nkind\tindex" } })
        const { stdout } = yield* loggedIn(["show", "$REGISTRY/show/odd:v1"])
        assert.include(stdout, String.raw`labels${"\t"}evil=\u001b[2Jgone\nkind\tindex`)
      })
    )
  })

  describe("tree and show", () => {
    it.effect("name the tags in which cosign 2 stored signatures", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "signed/tag", tags: ["v1"], signatures: ["cosign-tag"] })
        const artifact = "$REGISTRY/signed/tag:v1"
        const { stdout: digest } = yield* loggedIn(["digest", artifact])
        const line = `cosign signature, an artifact of its own: ${digest.trim().replace(":", "-")}.sig\n`
        const { stderr } = yield* loggedIn(["tree", artifact])
        assert.strictEqual(stderr, line)
        assert.strictEqual((yield* loggedIn(["show", artifact])).stderr, line)
        for (const flag of ["--no-referrers", "--json", "-q"]) {
          assert.strictEqual((yield* loggedIn(["tree", artifact, flag])).stderr, "")
        }
      })
    )
  })

  describe("validate", () => {
    it.effect("finds nothing wrong in a whole image, and states that signatures are not verified", () =>
      Effect.gen(function* () {
        const { seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({
          repository: "validate/whole",
          tags: ["v1"],
          platforms: ["linux/amd64", "linux/arm64"],
          layers: [{ sizeInBytes: 300_000 }],
          attestations: true,
          signatures: ["cosign-bundle"],
          referrers: [{ artifactType: "application/spdx+json" }]
        })
        const { code, stdout } = yield* loggedIn(["validate", "$REGISTRY/validate/whole:v1"])
        assert.strictEqual(code, 0, stdout)
        assert.match(stdout, /^no findings, manifests: \d+, blobs: \d+, read: .*\. Signatures are not verified\n$/)
        const { document } = yield* json(["validate", "$REGISTRY/validate/whole:v1"])
        const without = yield* json(["validate", "$REGISTRY/validate/whole:v1", "--no-referrers"])
        assert.deepStrictEqual([document.isValid, document.signatures], [true, "notVerified"])
        assert.strictEqual(document.manifests - without.document.manifests, 2)
      })
    )

    it.effect("answers no with all findings", () =>
      Effect.gen(function* () {
        const { clearFaults, inject, seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "validate/broken", tags: ["v1"], layers: ["first layer", "second layer"] })
        const shown = yield* json(["show", "$REGISTRY/validate/broken:v1"])
        const [first, second] = shown.document.layers
        yield* inject({
          path: `/blobs/sha256/${first.digest.slice("sha256:".length)}`,
          times: "always",
          consequence: { _tag: "CorruptBody", atByte: 3 }
        })
        yield* inject({
          path: `/v2/validate/broken/blobs/${second.digest}`,
          times: "always",
          consequence: {
            _tag: "Answer",
            status: 404,
            body: JSON.stringify({ errors: [{ code: "BLOB_UNKNOWN", message: "blob unknown to registry" }] })
          }
        })
        const { code, stdout } = yield* Effect.ensuring(
          loggedIn(["validate", "$REGISTRY/validate/broken:v1"]),
          clearFaults
        )
        const [one, two, last] = stdout.split("\n")
        assert.strictEqual(code, 10)
        assert.include(one, `DigestDiffers\tlayer\t${first.digest}\t`)
        assert.include(two, `Missing\tlayer\t${second.digest}\t`)
        assert.match(last ?? "", /^findings: 2, /)
      })
    )

    it.effect("reads a layout, and finds its damage", () =>
      Effect.gen(function* () {
        const folder = mkdtempSync(join(tmpdir(), "effect-acr-validate-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        const layer = yield* makeLayout(folder)
        const whole = yield* eacr(["validate", "v1", "--layout", folder])
        assert.deepStrictEqual([whole.code, whole.stderr], [0, ""])
        writeFileSync(join(folder, "blobs/sha256", layer.slice("sha256:".length)), "other bytes")
        const { code, stdout } = yield* eacr(["validate", "v1", "--layout", folder, "--quiet"])
        assert.deepStrictEqual([code, stdout], [10, `${layer}\n`])
      })
    )
  })
})
