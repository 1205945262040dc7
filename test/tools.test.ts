/**
 * oras, regctl, crane and cosign against each registry of the tests, each together with our client.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { pushImage } from "./support/dockerRegistryImage.ts"
import * as Registries from "./support/registries.ts"
import { isThere, type ToolName, toolFor } from "./support/tools.ts"

const sbom = "application/spdx+json"

const use = (name: ToolName) =>
  Effect.gen(function* () {
    const registry = yield* Registries.Running
    const tool = yield* toolFor(name, registry)
    return { ...tool, registry: registry.loginServer }
  })

const Listed = Schema.fromJsonString(
  Schema.Struct({ referrers: Schema.Array(Schema.Struct({ digest: Schema.String, artifactType: Schema.String })) })
)

describe("other clients", () => {
  for (const registry of Registries.registries) {
    describe.runIf(registry.isThere)(`with ${registry.name}`, () => {
      layer(Layer.merge(registry.layer, NodeFileSystem.layer), { excludeTestServices: true })((it) => {
        it.effect.runIf(isThere("oras"))("oras pushes a file, pulls it, and lists what it attached", () =>
          Effect.gen(function* () {
            const content = yield* RegistryContent
            const oras = yield* use("oras")
            const image = `${oras.registry}/oras/files:v1`
            yield* Effect.promise(async () => {
              await writeFile(join(oras.home, "readme.md"), "# ünïcode")
              await writeFile(join(oras.home, "sbom.json"), "{}")
            })

            yield* oras.run("push", image, "--artifact-type", "text/markdown", "readme.md")
            const { descriptor, manifest } = yield* content.manifest("oras/files", "v1")
            assert.strictEqual(manifest._tag === "ImageManifest" ? manifest.artifactType : undefined, "text/markdown")

            yield* oras.run("attach", image, "--artifact-type", sbom, "sbom.json")
            const listed = yield* Schema.decodeEffect(Listed)(yield* oras.run("discover", "--format", "json", image))
            assert.deepStrictEqual(
              listed.referrers.map(({ artifactType }) => artifactType),
              [sbom]
            )
            const fallback = descriptor.digest.replace(":", "-")
            const tags = yield* Stream.runCollect(content.tags("oras/files"))
            assert.deepStrictEqual(tags.map(String).toSorted(), registry.hasReferrersApi ? ["v1"] : [fallback, "v1"])

            yield* oras.run("pull", image, "--output", "pulled")
            const pulled = yield* Effect.promise(() => readFile(join(oras.home, "pulled/readme.md"), "utf8"))
            assert.strictEqual(pulled, "# ünïcode")
          })
        )

        it.effect.runIf(isThere("regctl"))("regctl lists the tags of an image, and reads its manifest", () =>
          Effect.gen(function* () {
            const regctl = yield* use("regctl")
            const pushed = yield* pushImage("regctl/image", { tags: ["v1", "v2"] })
            const tags = yield* regctl.run("tag", "ls", `${regctl.registry}/regctl/image`)
            assert.deepStrictEqual(tags.trim().split("\n"), ["v1", "v2"])
            const raw = yield* regctl.run(
              "manifest",
              "get",
              "--format",
              "raw-body",
              `${regctl.registry}/regctl/image:v1`
            )
            assert.strictEqual(raw, Buffer.from(pushed.bytes).toString())
          })
        )

        it.effect.runIf(isThere("regctl"))("regctl trusts no certificate but those that it is given", () =>
          Effect.gen(function* () {
            const running = yield* Registries.Running
            const regctl = yield* toolFor("regctl", { ...running, certificate: "" })
            const failed = yield* Effect.flip(regctl.run("tag", "ls", `${running.loginServer}/regctl/image`))
            assert.include(failed.stderr, "certificate signed by unknown authority")
          })
        )

        it.effect.runIf(isThere("crane"))("crane resolves a tag", () =>
          Effect.gen(function* () {
            const crane = yield* use("crane")
            const pushed = yield* pushImage("crane/image", { tags: ["v1"] })
            const digest = yield* crane.run("digest", `${crane.registry}/crane/image:v1`)
            assert.strictEqual(digest.trim(), pushed.descriptor.digest)
          })
        )

        it.effect.runIf(isThere("cosign"))("cosign signs an image, and verifies the signature", () =>
          Effect.gen(function* () {
            const content = yield* RegistryContent
            const cosign = yield* use("cosign")
            const pushed = yield* pushImage("cosign/image", { tags: ["v1"] })
            const image = `${cosign.registry}/cosign/image@${pushed.descriptor.digest}`
            yield* cosign.run("generate-key-pair")
            yield* cosign.run("sign", "--key", "cosign.key", "--tlog-upload=false", "--yes", image)
            yield* cosign.run("verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", image)
            const tags = yield* Stream.runCollect(content.tags("cosign/image"))
            assert.deepStrictEqual(tags.map(String).toSorted(), [
              `${pushed.descriptor.digest.replace(":", "-")}.sig`,
              "v1"
            ])
          })
        )
      })
    })
  }
})
