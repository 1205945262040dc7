/**
 * Every example does what it says, on the emulator.
 */
import { execFile } from "node:child_process"
import { createServer, type Server } from "node:http"
import { fileURLToPath } from "node:url"
import { ContainerRegistry, Credentials, RegistryContent } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { ConfigProvider, Effect, FileSystem, Layer, Redacted, Schema, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { copyBetweenRegistries } from "./copy-between-registries.ts"
import { deleteBlob } from "./delete-blob.ts"
import { deleteImages } from "./delete-images.ts"
import { deleteManifest } from "./delete-manifest.ts"
import { downloadImage } from "./download-image.ts"
import { exportTelemetry } from "./export-telemetry.ts"
import { helloWorld } from "./hello-world.ts"
import { listTagsAnonymously } from "./list-tags-anonymously.ts"
import { setArtifactProperties } from "./set-artifact-properties.ts"
import { uploadArtifact } from "./upload-artifact.ts"
import { uploadImage } from "./upload-image.ts"
import { EmulatorLive } from "./support/registry.ts"

const Identity = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(EmulatorLive))
const Nobody = AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }).pipe(Layer.provide(EmulatorLive))

const printed = Effect.map(TestConsole.logLines, (lines) => lines.map(String))

/** Runs a file of this folder as a user would. */
const node = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly output: string }>((resume) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: fileURLToPath(new URL(".", import.meta.url)) },
      (error, stdout, stderr) =>
        resume(Effect.succeed({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }))
    )
    return Effect.sync(() => child.kill())
  })

describe("examples", () => {
  it.effect("hello-world lists all repositories", () =>
    Effect.gen(function* () {
      yield* helloWorld
      assert.deepStrictEqual(yield* printed, [
        "contoso/api",
        "contoso/web",
        "contoso/worker",
        "library/hello-world",
        "tools/cli"
      ])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("list-tags-anonymously lists the newest tag first, with full references", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* ContainerRegistry.ContainerRegistry
      yield* listTagsAnonymously
      const references = (yield* printed).map((line) => line.split(" ")[0])
      assert.sameMembers(references.slice(0, 2), [
        `${loginServer}/library/hello-world:v2`,
        `${loginServer}/library/hello-world:latest`
      ])
      assert.strictEqual(references[2], `${loginServer}/library/hello-world:v1`)
    }).pipe(Effect.provide(Nobody))
  )

  it.effect("set-artifact-properties finds the lock holding, and leaves none behind", () =>
    Effect.gen(function* () {
      yield* setArtifactProperties
      assert.deepStrictEqual(
        (yield* printed).map((line) => line.split(":")[0]),
        ["library/hello-world", "It can't be deleted", "Unlocked again"]
      )
      const registry = yield* ContainerRegistry.ContainerRegistry
      const tag = yield* registry.tagProperties("library/hello-world", "latest")
      assert.deepStrictEqual([tag.canWrite, tag.canDelete], [true, true])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("delete-images keeps the newest three of each repository, and multi-platform images whole", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const tags = (repository: string) =>
        registry.tags(repository).pipe(
          Stream.map(({ name }) => name),
          Stream.runCollect
        )
      const before = yield* registry.repositoryProperties("library/hello-world")
      yield* deleteImages
      assert.sameMembers(yield* tags("contoso/api"), ["1.2.0", "2.0.0", "2.0.1", "latest"])
      assert.sameMembers(yield* tags("contoso/worker"), ["0.3.0", "0.3.1", "0.4.0", "latest"])
      assert.sameMembers(yield* tags("contoso/web"), ["2026.10", "2026.11", "latest"])
      const after = yield* registry.repositoryProperties("library/hello-world")
      assert.strictEqual(after.manifestCount, before.manifestCount)
      assert.strictEqual((yield* printed).length, 5)
    }).pipe(Effect.provide(Identity))
  )
})

describe("examples of content", () => {
  const repositories = Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
    Effect.map(Stream.runCollect(registry.repositories()), (names) => names.map(String))
  )

  it.effect("upload-image leaves an image that ACR can tell", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* uploadImage
      const image = yield* registry.manifestProperties("samples/uploaded", "demo")
      assert.deepStrictEqual([image.architecture, image.operatingSystem], ["amd64", "linux"])
      const [first = "", manifest = ""] = yield* printed
      assert.strictEqual(first, `pushed ${registry.loginServer}/samples/uploaded:demo`)
      assert.include(manifest, image.digest.slice("sha256:".length, "sha256:".length + 12))
    }).pipe(Effect.provide(Identity))
  )

  it.effect("upload-artifact leaves an artifact of its own kind, under two tags", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      yield* uploadArtifact
      const { manifest } = yield* content.manifest("samples/reports", "2026-11")
      assert.strictEqual(
        manifest._tag === "ImageManifest" ? manifest.artifactType : "",
        "application/vnd.contoso.report.v1"
      )
      assert.strictEqual((yield* printed).at(-1), "day,pulls\nmonday,17\ntuesday,23")
    }).pipe(Effect.provide(Identity))
  )

  it.effect("download-image puts all blobs of an image into a folder, and goes on where it was", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const content = yield* RegistryContent.RegistryContent
      const folder = yield* files.makeTempDirectoryScoped()
      const { manifest } = yield* content.manifest("contoso/web", "latest")
      assert.strictEqual(manifest._tag, "ImageManifest")
      if (manifest._tag !== "ImageManifest") return
      yield* downloadImage.pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ FOLDER: folder }))))
      const blobs = [manifest.config, ...manifest.layers]
      const names = blobs.map(({ digest }) => digest.replace(":", "-"))
      assert.sameMembers(yield* files.readDirectory(folder), ["manifest.json", ...names])
      for (const [index, blob] of blobs.entries()) {
        const bytes = yield* files.readFile(`${folder}/${names[index]}`)
        assert.deepStrictEqual(bytes, yield* content.blobBytes("contoso/web", blob))
      }
      const lines = yield* printed
      assert.include(lines, "100 % of 3.8 MiB")
    }).pipe(Effect.provide([Identity, NodeFileSystem.layer]))
  )

  it.effect("download-image leaves nothing where no folder is named", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      yield* downloadImage
      const folder = /is in (\S+),/.exec((yield* printed).at(-1) ?? "")?.[1] ?? ""
      assert.isFalse(yield* files.exists(folder))
    }).pipe(Effect.provide([Identity, NodeFileSystem.layer]))
  )

  it.effect("copy-between-registries leaves the same tags in another registry, each with the same digest", () =>
    Effect.gen(function* () {
      const target = yield* AcrEmulator.make()
      const { seed, ...source } = yield* AcrEmulator.make()
      const image = { repository: "contoso/web", platforms: ["linux/amd64", "linux/arm64"] }
      const digests = [
        yield* seed({ ...image, tags: ["v1"] }),
        yield* seed({ ...image, tags: ["v2", "latest"], layers: ["another layer"] })
      ]
      const variables = ConfigProvider.fromEnv({
        env: {
          REPOSITORY: "contoso/web",
          SOURCE_REGISTRY_ENDPOINT: source.endpoint,
          SOURCE_REGISTRY_USERNAME: source.logins.adminUser.username,
          SOURCE_REGISTRY_PASSWORD: Redacted.value(source.logins.adminUser.password),
          TARGET_REGISTRY_ENDPOINT: target.endpoint,
          TARGET_REGISTRY_USERNAME: target.logins.adminUser.username,
          TARGET_REGISTRY_PASSWORD: Redacted.value(target.logins.adminUser.password)
        }
      })
      yield* copyBetweenRegistries.pipe(Effect.provide(ConfigProvider.layer(variables)))
      // One conversation with each, which learns once how tokens are had there.
      for (const { journal } of [source, target]) {
        const refused = (yield* journal).filter(({ status }) => status === 401)
        assert.strictEqual(refused.length, 1)
      }

      const copied = AcrEmulator.layerRegistry().pipe(Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, target)))
      const tags = yield* Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
        Stream.runCollect(registry.tags("mirror/contoso/web"))
      ).pipe(Effect.provide(copied))
      const [v1, v2] = digests
      assert.sameDeepMembers(
        tags.map(({ digest, name }) => [String(name), digest]),
        [
          ["v1", v1],
          ["v2", v2],
          ["latest", v2]
        ]
      )
    })
  )

  it.effect("delete-manifest deletes the image, with all its tags", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* deleteManifest
      const error = yield* Effect.flip(Effect.asVoid(registry.tagProperties("contoso/worker", "0.4.0")))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.match((yield* printed)[0] ?? "", /^deleted contoso\/worker@sha256:.* tagged 0\.4\.0 and latest$/)
    }).pipe(Effect.provide(Identity))
  )

  it.effect("delete-blob finds its blob gone", () =>
    Effect.gen(function* () {
      yield* deleteBlob
      assert.strictEqual((yield* printed).at(-1), "It is gone.")
      assert.include(yield* repositories, "samples/scratch")
    }).pipe(Effect.provide(Identity))
  )
})

/** A collector of OpenTelemetry that keeps what it is sent, by the path it is sent to. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly server: Server; readonly address: string; readonly received: Map<string, Array<string>> }>(
    (resume) => {
      const received = new Map<string, Array<string>>()
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8")
        request.on("data", (text: string) => (body += text))
        request.on("end", () => {
          const path = request.url ?? ""
          received.set(path, [...(received.get(path) ?? []), body])
          response.writeHead(200, { "content-type": "application/json" }).end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? (address?.port ?? 0) : 0
        resume(Effect.succeed({ server, address: `http://127.0.0.1:${port}`, received }))
      })
    }
  ),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

/** What the test reads of an OTLP export of traces. */
const Traces = Schema.fromJsonString(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        scopeSpans: Schema.Array(
          Schema.Struct({
            spans: Schema.Array(
              Schema.Struct({
                name: Schema.String,
                spanId: Schema.String,
                parentSpanId: Schema.optionalKey(Schema.String),
                attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown }))
              })
            )
          })
        )
      })
    )
  })
)

describe("telemetry", () => {
  it.live("of an upload reaches a collector: spans that belong together, metrics and logs, and no secret", () =>
    Effect.gen(function* () {
      const { address, received } = yield* collector
      const { logins } = yield* AcrEmulator.AcrEmulator
      yield* exportTelemetry.pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_ENDPOINT: address })))
      )

      const exports = yield* Effect.forEach(received.get("/v1/traces") ?? [], (text) =>
        Schema.decodeEffect(Traces)(text)
      )
      const spans = exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      )
      const named = (name: string) => spans.filter((span) => span.name === name)
      const [release] = named("release")
      const uploads = named("RegistryContent.uploadBlob")
      assert.lengthOf(uploads, 3)
      for (const upload of uploads) {
        assert.strictEqual(upload.parentSpanId, release?.spanId)
        const keys = upload.attributes.map(({ key }) => key)
        for (const key of ["registry.repository", "registry.digest", "registry.size"]) assert.include(keys, key)
        const parts = spans.filter(({ parentSpanId }) => parentSpanId === upload.spanId).map(({ name }) => name)
        assert.includeMembers(parts, ["RegistryContent.openUpload", "RegistryContent.commitUpload"])
      }
      assert.lengthOf(named("RegistryContent.putManifest"), 1)

      const metrics = (received.get("/v1/metrics") ?? []).join("")
      for (const name of ["registry_client_requests", "registry_client_bytes", "registry_client_token_fetches"]) {
        assert.include(metrics, name)
      }
      const logs = (received.get("/v1/logs") ?? []).join("")
      assert.include(logs, "upload: the registry has")
      for (const text of [...received.values()].flat()) {
        assert.notInclude(text, Redacted.value(logins.entraToken))
        assert.notMatch(text, /_state=|Bearer [\w-]+\./)
      }
    }).pipe(Effect.provide(Identity))
  )
})

describe("as commands", () => {
  it.live("each file runs by itself, and by its name", () =>
    Effect.gen(function* () {
      const alone = yield* node("hello-world.ts")
      const byName = yield* node("run.ts", "hello-world")
      assert.deepStrictEqual(alone, byName)
      assert.include(alone.output, "tools/cli")
      assert.strictEqual(alone.code, 0)
    })
  )

  it.live("a name that is none tells the names", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("run.ts", "hello")
      assert.strictEqual(code, 2)
      assert.include(output, "set-artifact-properties")
    })
  )

  it.live("the quickstart goes through all of them", () =>
    Effect.gen(function* () {
      const { code, output } = yield* node("quickstart.ts")
      assert.strictEqual(code, 0)
      for (const step of ["1. List", "2. List", "3. Lock", "4. Delete", "5. Upload", "6. Upload", "7. Download"]) {
        assert.include(output, step)
      }
      for (const step of ["8. Copy", "9. Show", "10. Delete", "11. Delete"]) assert.include(output, step)
    })
  )
})
