/**
 * docs/startup.md: bundles of the README's first program, made of the packages as they are published, by the commands of that
 * page.
 */
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { SourceMap } from "node:module"
import { dirname, join, resolve } from "node:path"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { authConfig } from "../packages/cli/test/support/registry.ts"
import { run, temporaryFolder } from "./support/command.ts"
import { bundleFirst, deepProgram, firstProgram, withDeepImports } from "./support/firstProgram.ts"
import * as Packed from "./support/packed.ts"

/** A fresh project with the packages. Each test writes its program into a folder of its own in it. */
class Project extends Context.Service<Project, { readonly home: string }>()("test/bundle/Project") {}

const ProjectLive = Layer.effect(
  Project,
  Effect.map(Effect.flatMap(Packed.pack, Packed.install), (home) => ({ home }))
)

/** Writes a program as `first.ts` in a folder that resolves the packages. */
const write = Effect.fnUntraced(function* (name: string, program: string) {
  const folder = join((yield* Project).home, name)
  yield* Effect.promise(async () => {
    await mkdir(folder)
    await writeFile(join(folder, "first.ts"), program)
  })
  return folder
})

/** The code in docs/startup.md that calls a function. */
const codeThatCalls = (name: string) =>
  Effect.promise(async () => {
    const page = await readFile(new URL("../docs/startup.md", import.meta.url), "utf8")
    const blocks = Array.from(page.matchAll(/```[jt]s\n(.*?)```/gs), ([, block = ""]) => block)
    return blocks.find((block) => block.includes(`${name}(`)) ?? ""
  })

/** The first program with the logins of docker alone. */
const withoutAzure = (program: string): string =>
  program
    .replace(/^import .* from "@effect-acr\/azure-identity"\n/m, "")
    .replace("NodeRegistries.layerOptions({ credentials: AzureCredentials.layerDefault })", "NodeRegistries.layer")

/** An application for one registry, which its environment names. */
const oneRegistry = `
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"

const program = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  yield* registry.repositories().pipe(Stream.runForEach((name) => Console.log(name)))
})

const RegistryLive = ContainerRegistry.layerConfig().pipe(
  Layer.provide(Credentials.layerConfig()),
  Layer.provide(NodeRegistryHttpClient.layer)
)

program.pipe(Effect.provide(RegistryLive), NodeRuntime.runMain)
`

/** A program that only reads what a migration has done. */
const status = `
import { Migration, SqliteClient } from "@effect-acr/migration"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"

Migration.status("old-to-new").pipe(
  Effect.catchTag("MigrationError", ({ message }) => Console.log(message)),
  Effect.provide(SqliteClient.layer({ filename: ":memory:" })),
  NodeRuntime.runMain
)
`

/** Programs, what they use of ours and what not, and how many bytes their bundles have at most. */
const programs = [
  {
    name: "the first program",
    program: Effect.map(firstProgram, withoutAzure),
    prints: "1.0\nlatest\n",
    uses: ["client/src/Registries.ts", "node/src/NodeRegistries.ts"],
    unused: ["Annotations", "BlobSource", "Content", "Diagnosis", "RateLimits", "SoftDeleted"],
    atMost: 1_200_000
  },
  {
    name: "an application",
    program: Effect.succeed(oneRegistry),
    prints: "library/hello-world\n",
    uses: ["client/src/ContainerRegistry.ts", "node/src/NodeRegistryHttpClient.ts"],
    unused: ["DockerConfig", "NodeCompression", "NodeRegistries", "RegistryContent", "Registries", "Referrer"],
    atMost: 1_100_000
  }
]

interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The map of a file of JavaScript: from which place in which source a place in it comes. */
const mapOf = (file: string) =>
  Effect.map(
    Effect.promise(() => readFile(`${file}.map`, "utf8")),
    (text) => {
      const map = new SourceMap(JSON.parse(text))
      return (line: number, column: number): Place | undefined => {
        const entry = map.findEntry(line, column)
        // Code that the bundler added has no source, other than the types say.
        if (!("originalSource" in entry) || typeof entry.originalSource !== "string") return undefined
        const { originalColumn, originalLine, originalSource } = entry
        return { file: resolve(dirname(file), originalSource), line: originalLine, column: originalColumn }
      }
    }
  )

/** The places that the words of a bundle come from. */
const placesIn = Effect.fnUntraced(function* (bundle: string) {
  const placeOf = yield* mapOf(bundle)
  const text = yield* Effect.promise(() => readFile(bundle, "utf8"))
  return text
    .split("\n")
    .flatMap((code, line) => Array.from(code.matchAll(/[\w$]+/g)).flatMap(({ index }) => placeOf(line, index) ?? []))
})

const inPackages = (file: string): string | undefined => /^.*\/node_modules\/(.+)$/.exec(file)?.[1]

/** The packages that a bundle has code of, and the modules of ours. */
const contentOf = Effect.fnUntraced(function* (bundle: string) {
  const places = (yield* placesIn(bundle)).flatMap((place) => {
    const path = inPackages(place.file)
    return path === undefined ? [] : [{ ...place, path }]
  })
  // Several modules of ours share a file. The map of that file tells them apart.
  const ours = places.filter(({ path }) => path.startsWith("@effect-acr/"))
  const files = [...new Set(ours.map(({ file }) => file))]
  const maps = new Map(yield* Effect.forEach(files, (file) => Effect.map(mapOf(file), (map) => [file, map] as const)))
  return {
    packages: new Set(places.map(({ path }) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? "")),
    modules: new Set(
      ours.flatMap(({ column, file, line }) => inPackages(maps.get(file)?.(line, column)?.file ?? "") ?? [])
    )
  }
})

const adminUser = { username: "contoso", password: Redacted.make("a-password") }

const repository = "library/hello-world"

/** Runs a program with a login for the emulator, as docker keeps it and as variables, and returns what it prints. */
const runFirst = Effect.fnUntraced(function* (file: string, cwd: string) {
  const { endpoint, loginServer } = yield* AcrEmulator.AcrEmulator
  // A program may turn on a compile cache of its own.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  return yield* run(process.execPath, [file, `${loginServer}/${repository}`], {
    cwd,
    env: {
      ...env,
      DOCKER_AUTH_CONFIG: authConfig(loginServer, adminUser),
      REGISTRY_ENDPOINT: endpoint,
      REGISTRY_USERNAME: adminUser.username,
      REGISTRY_PASSWORD: Redacted.value(adminUser.password)
    }
  })
})

/** Runs what was bundled where there are no packages, and returns what it prints. */
const runElsewhere = Effect.fnUntraced(function* (bundle: string) {
  const folder = yield* temporaryFolder
  yield* Effect.promise(() => cp(bundle, folder, { recursive: true }))
  return yield* runFirst("first.mjs", folder)
})

const seeded = Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository, tags: ["1.0", "latest"] }))

const EmulatorLive = Layer.provideMerge(Layer.effectDiscard(seeded), AcrEmulator.layer({ adminUser }))

const bytesOf = (file: string) =>
  Effect.map(
    Effect.promise(() => stat(file)),
    ({ size }) => size
  )

layer(ProjectLive, { timeout: "3 minutes", excludeTestServices: true })("a bundle of the first program", (it) => {
  it.effect("is one file that needs no packages", () =>
    Effect.gen(function* () {
      const folder = yield* write("file", yield* firstProgram)
      yield* bundleFirst("file", folder)
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(folder, "bundle"))), ["first.mjs"])
      assert.strictEqual(yield* runElsewhere(join(folder, "bundle")), "1.0\nlatest\n")
    }).pipe(Effect.provide(EmulatorLive))
  )

  it.effect("has no server of migrations if it only reads their state", () =>
    Effect.gen(function* () {
      const folder = yield* write("status", status)
      yield* bundleFirst("file", folder)
      const bundle = join(folder, "bundle/first.mjs")
      assert.strictEqual(yield* run(process.execPath, [bundle]), "the database has no run old-to-new\n")
      assert.isBelow(yield* bytesOf(bundle), 250_000)
    })
  )

  it.effect("is a folder whose first file has no Azure identity", () =>
    Effect.gen(function* () {
      const folder = yield* write("folder", yield* firstProgram)
      yield* bundleFirst("folder", folder, ["--sourcemap"])
      assert.strictEqual(yield* runElsewhere(join(folder, "bundle")), "1.0\nlatest\n")

      const { modules, packages } = yield* contentOf(join(folder, "bundle/first.mjs"))
      assert.isTrue(modules.has("@effect-acr/azure-identity/src/AzureCredentials.ts"))
      assert.isFalse(packages.has("@azure/identity"))

      const files = yield* Effect.promise(() => readdir(join(folder, "bundle")))
      const mapped = files.filter((file) => file.endsWith(".map")).map((file) => file.slice(0, -".map".length))
      const contents = yield* Effect.forEach(mapped, (file) => contentOf(join(folder, "bundle", file)))
      assert.isTrue(contents.some((content) => content.packages.has("@azure/identity")))
    }).pipe(Effect.provide(EmulatorLive))
  )

  it.effect("can do without: a program that turns on the compile cache fills it", () =>
    Effect.gen(function* () {
      const folder = yield* write("cached", withDeepImports(yield* firstProgram))
      const start = yield* codeThatCalls("enableCompileCache")
      yield* Effect.promise(() => writeFile(join(folder, "start.mjs"), start))
      assert.strictEqual(yield* runFirst("start.mjs", folder), "1.0\nlatest\n")
      const cached = yield* Effect.promise(() => readdir(join(folder, ".cache"), { recursive: true }))
      assert.isAbove(cached.length, 100)
    }).pipe(Effect.provide(EmulatorLive))
  )

  it.effect("may have the line for short programs", () =>
    Effect.gen(function* () {
      const line = yield* codeThatCalls("setFlagsFromString")
      assert.include(line, "--wasm-tiering-budget")
      const folder = yield* write("short", `${line}\n${yield* firstProgram}`)
      yield* bundleFirst("file", folder)
      assert.strictEqual(yield* runElsewhere(join(folder, "bundle")), "1.0\nlatest\n")
    }).pipe(Effect.provide(EmulatorLive))
  )

  for (const { atMost, name, program, prints, unused, uses } of programs) {
    it.effect(`has only what the program uses: ${name}`, () =>
      Effect.gen(function* () {
        const folder = yield* write(name.replaceAll(" ", "-"), yield* program)
        yield* bundleFirst("file", folder, ["--sourcemap"])
        const file = join(folder, "bundle/first.mjs")
        assert.strictEqual(yield* runElsewhere(join(folder, "bundle")), prints)

        const { modules, packages } = yield* contentOf(file)
        assert.deepStrictEqual([...packages].toSorted(), [
          "@effect-acr/client",
          "@effect-acr/node",
          "@effect/platform-node",
          "@effect/platform-node-shared",
          "@noble/hashes",
          "effect",
          "undici"
        ])
        assert.includeMembers(
          [...modules],
          uses.map((module) => `@effect-acr/${module}`)
        )
        assert.deepStrictEqual(
          [...modules].filter((module) => unused.some((name) => module.endsWith(`/${name}.ts`))),
          []
        )
        assert.isBelow(yield* bytesOf(file), atMost)
      }).pipe(Effect.provide(EmulatorLive))
    )
  }

  it.effect("has as much to load with the imports of the README as with deep ones, which docs/startup.md shows", () =>
    Effect.gen(function* () {
      const deep = withDeepImports(yield* firstProgram)
      assert.strictEqual(yield* deepProgram, deep)
      const byIndex = yield* write("index", yield* firstProgram)
      const byPath = yield* write("deep", deep)
      yield* bundleFirst("folder", byIndex)
      yield* bundleFirst("folder", byPath)
      const sizes = yield* Effect.forEach([byIndex, byPath], (folder) => bytesOf(join(folder, "bundle/first.mjs")))
      const [one = 0, other = 0] = sizes
      assert.isAbove(one, 100_000)
      assert.closeTo(one / other, 1, 0.05)
    })
  )
})
