/**
 * Documents as tools make them, from a registry that is scripted: the bytes are those of the tool, the descriptor names
 * them, and the view is what the tool said.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { content } from "../packages/client/test/support/content.ts"
import { artifacts } from "./corpus/artifacts.ts"
import { sha256, types } from "./corpus/corpus.ts"
import { images } from "./corpus/images.ts"
import { signatures } from "./corpus/signatures.ts"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"

/** A manifest of a registry that gives a text, asked by a tag or a digest. */
const pull = (reference: string, text: string, contentType: string | undefined) =>
  Effect.flatMap(RegistryContent, (service) => service.manifest("contoso/api", reference)).pipe(
    Effect.provide(
      content(() => {
        const response = new Response(Buffer.from(text))
        if (contentType !== undefined) response.headers.set("content-type", contentType)
        return response
      })
    )
  )

for (const [group, documents] of Object.entries({ signatures, artifacts, images })) {
  describe(group, () => {
    for (const document of documents) {
      it.effect(document.name, () =>
        Effect.gen(function* () {
          const { contentType, digested, mediaType = contentType, text, view } = document
          const digest = sha256(digested ?? text)
          for (const reference of ["v1", digest]) {
            const { bytes, descriptor, manifest } = yield* pull(reference, text, contentType)
            assert.strictEqual(Buffer.from(bytes).toString(), text)
            assert.deepStrictEqual<object>({ ...descriptor }, { mediaType, digest, size: Buffer.byteLength(text) })
            const { _tag, ...fields } = manifest
            assert.strictEqual(_tag, view._tag)
            const expected = view._tag === "UnknownManifest" ? { mediaType, problem: view.problem } : view.fields
            assert.deepStrictEqual<unknown>(JSON.parse(JSON.stringify(fields)), JSON.parse(JSON.stringify(expected)))
          }
        })
      )
    }
  })
}

/** An image layout of one image, whose layer is an empty archive. */
const writeLayout = async (folder: string): Promise<void> => {
  const blobs = join(folder, "blobs/sha256")
  await mkdir(blobs, { recursive: true })
  const write = async (mediaType: string, blob: string | Uint8Array) => {
    const digest = sha256(blob)
    await writeFile(join(blobs, digest.replace("sha256:", "")), blob)
    return { mediaType, digest, size: Buffer.byteLength(blob) }
  }
  const archive = new Uint8Array(1024)
  const layers = [await write(types.gzip, gzipSync(archive))]
  const config = await write(
    types.config,
    JSON.stringify({
      created: "2026-01-01T00:00:00Z",
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [sha256(archive)] },
      history: [{ created: "2026-01-01T00:00:00Z", created_by: "test" }]
    })
  )
  const manifest = await write(types.image, JSON.stringify({ schemaVersion: 2, config, layers }))
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }))
}

/** What skopeo writes, with which arguments. */
const forms: ReadonlyArray<
  readonly [form: string, args: ReadonlyArray<string>, mediaType: string, tag: string, layer?: string]
> = [
  ["a signed Docker manifest of schema 1", ["--format", "v2s1"], types.schema1Signed, "UnknownManifest"],
  ["a Docker manifest of schema 2", ["--format", "v2s2"], types.dockerImage, "ImageManifest", types.dockerLayer],
  ["an OCI manifest", ["--format", "oci"], types.image, "ImageManifest", types.gzip],
  [
    "an OCI manifest with layers in zstd",
    ["--format", "oci", "--dest-compress", "--dest-compress-format", "zstd"],
    types.image,
    "ImageManifest",
    types.zstd
  ]
]

describe.runIf(isInstalled("skopeo"))("skopeo writes (left out where it is not installed)", () => {
  for (const [form, args, mediaType, tag, layer] of forms) {
    it.live(`${form}, whose digest is the one that skopeo names`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        const [source, target] = [join(home, "source"), join(home, "target")]
        yield* Effect.promise(() => writeLayout(source))
        const skopeo = (...words: ReadonlyArray<string>) =>
          run("skopeo", words, { env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home } })
        yield* skopeo("--insecure-policy", "copy", "--quiet", ...args, `oci:${source}`, `dir:${target}`)
        const file = join(target, "manifest.json")
        const digest = (yield* skopeo("manifest-digest", file)).trim()
        const text = yield* Effect.promise(() => readFile(file, "utf8"))

        for (const contentType of [mediaType, "application/json"]) {
          const { bytes, descriptor, manifest } = yield* pull(digest, text, contentType)
          assert.strictEqual(Buffer.from(bytes).toString(), text)
          assert.deepStrictEqual<object>({ ...descriptor }, { mediaType, digest, size: Buffer.byteLength(text) })
          assert.strictEqual(manifest._tag, tag)
          const layers = manifest._tag === "ImageManifest" ? manifest.layers : []
          assert.strictEqual(layers[0]?.mediaType, layer)
        }
      })
    )
  }
})
