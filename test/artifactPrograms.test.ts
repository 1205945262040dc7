/**
 * The programs of the documentation that copy an image with its signatures and SBOMs, pull a folder, and save an image.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as DockerConfig from "@effect-acr/node/DockerConfig"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { completeAt, putArtifact } from "./support/artifacts.ts"
import { temporaryFolder } from "./support/command.ts"
import { dockerConfig, pair, type Pair, programWith, runProgram } from "./support/pagePrograms.ts"

it.live("docs/tasks.md: a program of ten lines copies an image with signatures and SBOMs between two registries", () =>
  Effect.gen(function* () {
    const code = yield* programWith("docs/tasks.md", "Copy.run(source", 10)
    const registries = yield* pair()
    const path = `${yield* dockerConfig(registries)}/config.json`
    const [from = "", to = ""] = registries.map(({ loginServer }) => loginServer)
    const program = code.replace("myregistry.azurecr.io", from).replace("production.azurecr.io", to)
    yield* Effect.gen(function* () {
      const source = yield* Repository.open(`${from}/shop/api`)
      const { index, sbom, signature } = yield* putArtifact(source, "v1.4.0")
      const cosign = `${index.digest.replace(":", "-")}.sig`
      yield* source.putManifest(Option.getOrThrow(yield* source.manifest(sbom)), { tags: [cosign] })

      assert.match(
        yield* runProgram(program, registries, []),
        /^copied v1\.4\.0: sent \d\d? manifests and blobs, \d+ bytes\n$/
      )
      assert.include(yield* runProgram(program, registries, []), "sent 0 manifests and blobs, 0 bytes")

      const target = yield* Repository.open(`${to}/shop/api`)
      const graph = Option.getOrThrow(yield* completeAt(target, "v1.4.0"))
      assert.includeMembers([...graph.nodes.keys()], [index.digest, sbom.digest, signature.digest])
      assert.sameMembers(yield* Stream.runCollect(target.tags), ["v1.4.0", cosign])
    }).pipe(
      Effect.provide(
        Registries.layerOptions({
          registries: Object.fromEntries(registries.map(({ endpoint, loginServer }) => [loginServer, { endpoint }]))
        }).pipe(
          Layer.provide([
            DockerConfig.layerOptions({ path }).pipe(Credentials.orElse(Credentials.layerAnonymous)),
            NodeRegistryHttpClient.layer
          ])
        )
      )
    )
  }).pipe(Effect.scoped)
)

/** Runs a program on another registry than the one that it names. */
const runOn = (code: string, registries: Pair) =>
  runProgram(code.replaceAll("myregistry.azurecr.io", registries[0]?.loginServer ?? ""), registries, [])

/** The files that a program has written, in the folder of the process. */
const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFolder, (folder) => {
    const before = process.cwd()
    return Effect.acquireUseRelease(
      Effect.sync(() => process.chdir(folder)),
      () => use(folder),
      () => Effect.sync(() => process.chdir(before))
    )
  })

it.live("docs/files.md: a program of six lines pulls a folder", () =>
  Effect.gen(function* () {
    const code = yield* programWith("docs/files.md", "Artifact.pull", 6)
    const registries = yield* pair()
    yield* inFolder((folder) =>
      Effect.gen(function* () {
        yield* Effect.promise(() => writeFile("index.html", "<p>"))
        const push = code.replace(
          `Artifact.pull(web, "v1", "public")`,
          `Artifact.push(web, "v1", { artifactType: "a/b", files: ["index.html"] })`
        )
        yield* runOn(push, registries)
        yield* runOn(code, registries)
        assert.strictEqual(yield* Effect.promise(() => readFile(join(folder, "public/index.html"), "utf8")), "<p>")
      })
    )
  }).pipe(Effect.scoped)
)

it.live("docs/archives.md: a program of eight lines saves an image for docker load", () =>
  Effect.gen(function* () {
    const code = yield* programWith("docs/archives.md", "ImageArchive.save", 8)
    const registries = yield* pair()
    const [first] = registries
    yield* (
      first?.seed({ repository: "shop/api", tags: ["v1.4.0"], platforms: ["linux/amd64", "linux/arm64"] }) ??
      Effect.void
    )
    yield* inFolder((folder) =>
      Effect.gen(function* () {
        yield* runOn(code, registries)
        const archive = yield* ImageArchive.read(join(folder, "api.tar"), { format: "docker" })
        const found = yield* archive.resolve(`${first?.loginServer}/shop/api:v1.4.0`)
        assert.isTrue(Option.isSome(found))
      })
    )
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeServices.layer, NodeCompression.layer)))
)
