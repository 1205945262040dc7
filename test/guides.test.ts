/**
 * The guides do what they say. Each block of TypeScript in them is one of three:
 *
 * - A program that runs itself (`runMain`) runs as it does for a reader: by node, in a folder of its own.
 * - Others are imported: effects that they export are run, layers are built.
 * - One that names a file behind its ticks stands in that file, word for word. Other tests run it.
 *
 * What a block prints is the block of text that follows it, before the next one of TypeScript. A guide is a story: its
 * blocks run in order, on one emulator.
 */
import { readFileSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Compression, Credentials, Registries, type Registry } from "@effect-acr/client"
import { AcrEmulator, type SeedImage } from "@effect-acr/emulator"
import { NodeCompression, NodeRegistryHttpClient } from "@effect-acr/node"
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as HttpClient from "effect/http/HttpClient"
import { TestConsole } from "effect/testing"
import { run, temporaryFolder } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"
import { steady } from "./troubleshooting/guide.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The releases of a service. */
const releases: ReadonlyArray<SeedImage.SeedImage> = [
  {
    repository: "contoso/api",
    tags: ["2.0.0"],
    layers: ["2.0.0"],
    pushedAt: DateTime.makeUnsafe(Date.UTC(2026, 0, 1))
  },
  {
    repository: "contoso/api",
    tags: ["2.0.1", "latest"],
    layers: ["2.0.1"],
    pushedAt: DateTime.makeUnsafe(Date.UTC(2026, 0, 2))
  }
]

/** An image for two platforms. */
const web: SeedImage.SeedImage = {
  repository: "contoso/web",
  tags: ["1.0"],
  platforms: ["linux/amd64", "linux/arm64"],
  pushedAt: DateTime.makeUnsafe(Date.UTC(2026, 0, 3))
}

/** The guides, and what is in the registry when they begin. */
const guides: { readonly [name: string]: ReadonlyArray<SeedImage.SeedImage> } = {
  "getting-started": [{ repository: "library/hello-world", tags: ["latest"] }],
  "from-dotnet": releases,
  "from-azure-container-registry-js": releases,
  "from-oras-or-crane": releases,
  "errors-and-retries": releases,
  authentication: releases,
  manifests: [...releases, web],
  transfers: releases,
  uploads: releases,
  trash: [web],
  "testing-your-application": []
}

/** What the registry of a guide is besides. */
const options: { readonly [name: string]: AcrEmulator.Options } = { trash: { softDelete: {} } }

/** What a block may use. */
type Services =
  | AcrEmulator.AcrEmulator
  | Credentials.Credentials
  | Registries.Registries
  | Registry.Services
  | Layer.Success<typeof NodeServices.layer>
  | Compression.Compression
  | HttpClient.HttpClient

const isProgram = (value: unknown): value is Effect.Effect<unknown, unknown, Services> => Effect.isEffect(value)
const isLayer = (value: unknown): value is Layer.Layer<unknown, unknown, Services> => Layer.isLayer(value)
const Module = Schema.Record(Schema.String, Schema.Unknown)

/** A block of TypeScript. */
interface Block {
  readonly code: string
  /** The file that it stands in, if it names one. */
  readonly source: string | undefined
  readonly prints: string
}

/** A block of any language: what stands behind its ticks, and what is in it. */
const fence = /^```(.*)\n([\s\S]*?)^```$/gm

const blocksOf = (text: string): ReadonlyArray<Block> =>
  Array.from(text.matchAll(fence)).reduce<ReadonlyArray<Block>>((blocks, [, info = "", code = ""]) => {
    const [language, source] = info.split(" ", 2)
    if (language === "ts") return [...blocks, { code, source, prints: "" }]
    const last = blocks.at(-1)
    return info === "text" && last !== undefined ? [...blocks.slice(0, -1), { ...last, prints: code }] : blocks
  }, [])

/** What a block is called: its last export, or what it stands in. */
const titleOf = ({ code, source }: Block, index: number): string =>
  `${index + 1}. ${
    source ??
    code
      .split("\n")
      .findLast((line) => /^export|runMain/.test(line))
      ?.trim()
  }`

/** The folder in which a guide's blocks are files, so that imports resolve as they do for a user. */
class Folder extends Context.Service<Folder, string>()("test/guides/Folder") {}

const adminUser = { username: "admin", password: Redacted.make("emulator") }

/** What the environment of a reader says, who started an emulator and has a service principal. */
const environment = Effect.map(AcrEmulator.AcrEmulator, ({ endpoint }) => ({
  REGISTRY_ENDPOINT: endpoint,
  REGISTRY_USERNAME: adminUser.username,
  REGISTRY_PASSWORD: Redacted.value(adminUser.password),
  AZURE_TENANT_ID: "contoso.example",
  AZURE_CLIENT_ID: "a-service-principal",
  AZURE_CLIENT_SECRET: "secret of a service principal"
}))

/** The registries that references in guides name are the emulator. */
const named = ["myregistry.azurecr.io", "mirror.azurecr.io"]

const RegistriesLive = Layer.unwrap(
  Effect.map(AcrEmulator.AcrEmulator, ({ endpoint, loginServer }) =>
    Registries.layerOptions({ registries: Object.fromEntries(named.map((name) => [name, { endpoint }])) }).pipe(
      Layer.provide([
        Credentials.layerPassword(adminUser).pipe(Credentials.onlyFor([...named, loginServer])),
        NodeRegistryHttpClient.layer
      ])
    )
  )
)

/** A registry, and a folder to work in. */
const setting = (emulator: AcrEmulator.Options) =>
  Layer.mergeAll(
    Layer.effect(
      Folder,
      Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(root, "test/.snippets-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
    ),
    Layer.effectDiscard(
      Effect.gen(function* () {
        const before = process.cwd()
        const folder = yield* temporaryFolder
        yield* Effect.promise(() => writeFile(join(folder, "layer.tar"), new Uint8Array(1024 * 1024)))
        yield* Effect.acquireRelease(
          Effect.sync(() => process.chdir(folder)),
          () => Effect.sync(() => process.chdir(before))
        )
      })
    ),
    Layer.effect(
      ConfigProvider.ConfigProvider,
      Effect.map(environment, (env) => ConfigProvider.fromEnv({ env }))
    ),
    Credentials.layerPassword(adminUser),
    NodeRegistryHttpClient.layer,
    NodeServices.layer,
    NodeCompression.layer,
    RegistriesLive
  ).pipe(Layer.provideMerge(emulated({ adminUser, anonymousPull: true, ...emulator })))

/** Runs a module's effects and builds its layers, and tells what they print. */
const use = (file: string) =>
  Effect.gen(function* () {
    const exports = Object.values(
      yield* Effect.flatMap(
        Effect.promise((): Promise<unknown> => import(pathToFileURL(file).href)),
        Schema.decodeUnknownEffect(Module)
      )
    )
    const programs = exports.filter(isProgram)
    const layers = exports.filter(isLayer)
    assert.isAbove(programs.length + layers.length, 0, "a block that exports nothing to run")
    yield* Effect.forEach(layers, (one) => Effect.scoped(Layer.build(one)))
    yield* Effect.forEach(programs, (program) => Effect.scoped(program))
    return (yield* TestConsole.logLines).map((line) => `${String(line)}\n`).join("")
  }).pipe(Effect.provide(TestConsole.layer))

/** What a program prints: on stderr if it fails. */
const node = (file: string) =>
  Effect.flatMap(environment, (env) => run(process.execPath, [file], { env: { ...process.env, ...env } })).pipe(
    Effect.catchTag("CommandFailed", ({ stderr }) => Effect.succeed(stderr))
  )

for (const [name, images] of Object.entries(guides)) {
  const page = `docs/${name}.md`
  const blocks = blocksOf(readFileSync(join(root, page), "utf8"))
  const Filled = Layer.effectDiscard(
    Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => Effect.forEach(images, seed))
  ).pipe(Layer.provideMerge(setting(options[name] ?? {})))
  layer(Filled, { excludeTestServices: true })(page, (it) => {
    for (const [index, block] of blocks.entries()) {
      it.effect(titleOf(block, index), () =>
        Effect.gen(function* () {
          const { code, prints, source } = block
          if (source !== undefined) {
            const text = yield* Effect.promise(() => readFile(join(root, source), "utf8"))
            return assert.include(text, code)
          }
          const file = join(yield* Folder, `${index + 1}.ts`)
          yield* Effect.promise(() => writeFile(file, code))
          const printed = yield* code.includes("runMain") ? node(file) : use(file)
          return assert.strictEqual(steady(printed), prints)
        })
      )
    }
  })
}
