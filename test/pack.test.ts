/**
 * The packages as they are published: what is in them, and that a fresh project outside the workspace runs with them on
 * every runtime.
 */
import { createHash } from "node:crypto"
import { chmod, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { stripTypeScriptTypes } from "node:module"
import { delimiter, dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core"
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { version } from "../packages/client/src/internal/http/version.ts"
import { authConfig } from "../packages/cli/test/support/registry.ts"
import { connectProxy } from "../packages/node/test/support/connectProxy.ts"
import * as Transfer from "./runtimes/transfer.ts"
import { run } from "./support/command.ts"
import { startContainer } from "./support/container.ts"
import { emulated } from "./support/emulator.ts"
import { startWith } from "./support/emulatorCommand.ts"
import { firstProgram, withDeepImports } from "./support/firstProgram.ts"
import { oldNode } from "./support/oldNode.ts"
import * as Packed from "./support/packed.ts"
import * as Runtimes from "./support/runtimes.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The archives, and a fresh project with them and the programs of these tests. */
class Project extends Context.Service<
  Project,
  { readonly archives: { readonly [name: string]: string }; readonly home: string }
>()("test/Project") {}

const ProjectLive = Layer.effect(
  Project,
  Effect.gen(function* () {
    const archives = yield* Packed.pack
    const home = yield* Packed.install(archives)
    const first = yield* firstProgram
    yield* Effect.promise(() => writeFile(join(home, "first.ts"), first))
    yield* Effect.promise(() => cp(join(root, "test/runtimes"), home, { recursive: true }))
    return { archives, home }
  })
)

const archiveOf = Effect.fnUntraced(function* (name: string) {
  const { archives } = yield* Project
  return new Uint8Array(yield* Effect.promise(() => readFile(archives[`@effect-acr/${name}`] ?? "")))
})

/** The files of an installed package, by their ends. */
const filesOf = Effect.fnUntraced(function* (name: string, end: string) {
  const { home } = yield* Project
  const folder = Packed.packageFolder(home, name)
  const files = yield* Effect.promise(() => readdir(folder, { recursive: true }))
  return files.filter((file) => file.endsWith(end)).map((file) => join(folder, file))
})

const SourceMap = Schema.fromJsonString(Schema.Struct({ sources: Schema.Array(Schema.String) }))

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const Strings = Schema.fromJsonString(Schema.Array(Schema.String))

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const layers = [Transfer.large, Transfer.large.subarray(0, 2_000_000), new Uint8Array()].map(sha256)

const adminUser = { username: "contoso", password: Redacted.make("a-password") }

/** A module that prints the address of each file that Node loads. */
const printingFiles = (method: "error" | "log"): string => {
  const hook = `
    import { registerHooks } from "node:module"
    registerHooks({ load: (url, context, next) => (url.startsWith("file:") && console.${method}(url), next(url, context)) })`
  return `data:text/javascript,${encodeURIComponent(hook)}`
}

/** The public modules of a package, by their names. */
const publicModules = (name: string) =>
  Effect.map(
    Effect.promise(() => readdir(join(root, "packages", name, "src"))),
    (files) => files.filter((file) => file.endsWith(".ts") && file !== "bin.ts").map((file) => file.slice(0, -3))
  )

/** What a program finds in its environment that logs in to the emulator as it pleases. */
const environment = Effect.map(AcrEmulator.AcrEmulator, ({ endpoint }) => ({
  REGISTRY_ENDPOINT: endpoint,
  REGISTRY_USERNAME: adminUser.username,
  REGISTRY_PASSWORD: Redacted.value(adminUser.password)
}))

/** The login that docker keeps for the emulator, as a variable of the environment. */
const dockerVariable = Effect.map(AcrEmulator.AcrEmulator, ({ loginServer }) => ({
  DOCKER_AUTH_CONFIG: authConfig(loginServer, adminUser)
}))

/** A helper that gives the login away, and the configuration of docker that names it. */
const dockerLogin = Effect.gen(function* () {
  const { loginServer } = yield* AcrEmulator.AcrEmulator
  const folder = join((yield* Project).home, "docker")
  const secret = { Username: adminUser.username, Secret: Redacted.value(adminUser.password) }
  const helper = join(folder, "docker-credential-fresh")
  const config = { credHelpers: { [loginServer]: "fresh" } }
  yield* Effect.promise(async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, "config.json"), JSON.stringify(config))
    await writeFile(helper, `#!/bin/sh\necho '${JSON.stringify(secret)}'\n`)
    await chmod(helper, 0o755)
  })
  return { DOCKER_CONFIG: folder, PATH: [folder, process.env.PATH].join(delimiter) }
})

/** What the registry was asked and how that ended, as `GET 200`. */
const outcomes = AcrEmulator.AcrEmulator.use(({ journal }) =>
  Effect.map(journal, (entries) => entries.map(({ method, status }) => `${method} ${status}`))
)

/** An upload that broke off, its session asked how far it had come, and a download that went on where it was cut. */
const resumed = ["PATCH 0", "GET 204", "GET 206"]

/** The registry has what the program says, and nothing that it gave up. */
const hasTransferred = Effect.fnUntraced(function* (line: string | undefined) {
  const [manifest, ...pulled] = yield* Schema.decodeEffect(Strings)(line ?? "")
  assert.deepStrictEqual(pulled, layers)
  const registry = yield* ContainerRegistry.ContainerRegistry
  assert.strictEqual((yield* registry.manifestProperties("samples/image", "demo")).digest, manifest)
  const { openUploads } = yield* AcrEmulator.AcrEmulator
  const open = yield* Effect.repeat(openUploads, {
    until: (count) => count === 0,
    schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 500 }))
  })
  assert.strictEqual(open, 0)
})

layer(ProjectLive, { timeout: "3 minutes", excludeTestServices: true })("packed,", (it) => {
  for (const name of Packed.names) {
    it.effect(`${name} is as npm wants it`, () =>
      Effect.gen(function* () {
        const tarball = (yield* archiveOf(name)).buffer
        const { messages, pkg = {} } = yield* Effect.promise(() => publint({ pack: { tarball }, strict: true }))
        const found = messages.map((message) => formatMessage(message, pkg, { color: false }))
        assert.deepStrictEqual(found, [])
      })
    )

    it.effect(`${name} has types in each of its modules`, () =>
      Effect.gen(function* () {
        const archive = yield* archiveOf(name)
        const modules = (yield* publicModules(name)).map((module) => `./${module}`)
        const result = yield* Effect.promise(() =>
          checkPackage(createPackageFromTarballData(archive), { includeEntrypoints: modules })
        )
        if (result.types === false) return assert.fail("no types")
        assert.includeMembers(Object.keys(result.entrypoints), modules)
        // ES modules alone: out of the reach of the resolution of old (node10), and of `require` before Node 22.
        const problems = result.problems.filter(
          (problem) => !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind)
        )
        assert.deepStrictEqual(problems, [])
      })
    )

    it.effect(`${name} brings what its reader wants to know`, () =>
      Effect.gen(function* () {
        const { home } = yield* Project
        const files = yield* Effect.promise(() => readdir(Packed.packageFolder(home, name)))
        assert.includeMembers(files, ["README.md", "CHANGELOG.md", "LICENSE"])
      })
    )

    it.effect(`${name} points to pages of the site where editors show its comments`, () =>
      Effect.gen(function* () {
        for (const file of yield* filesOf(name, ".d.ts")) {
          const text = yield* Effect.promise(() => readFile(file, "utf8"))
          assert.notMatch(text, /(?<![\w/])docs\/[\w/-]+\.md/, file)
        }
      })
    )

    it.effect(`${name} has the sources that its maps name`, () =>
      Effect.gen(function* () {
        const maps = yield* filesOf(name, ".map")
        const sources = new Set(yield* filesOf(name, ".ts"))
        assert.isAbove(maps.length, 0)
        for (const map of maps) {
          const text = yield* Effect.promise(() => readFile(map, "utf8"))
          for (const source of (yield* Schema.decodeEffect(SourceMap)(text)).sources) {
            assert.isTrue(sources.has(resolve(dirname(map), source)), `${map} names ${source}`)
          }
        }
      })
    )
  }

  it.effect("each module loads alone, with the exports of its source", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const modules = yield* Effect.forEach(Packed.names, (name) =>
        Effect.map(publicModules(name), (modules) => modules.map((module) => ({ name, module })))
      )
      const check = Effect.fnUntraced(function* ({ module, name }: { readonly name: string; readonly module: string }) {
        const path = module === "index" ? `@effect-acr/${name}` : `@effect-acr/${name}/${module}`
        const script = `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(path)})).sort()))`
        const printed = yield* run(process.execPath, ["--input-type=module", "--eval", script], { cwd: home })
        const source: object = yield* Effect.promise(() => import(join(root, "packages", name, "src", `${module}.ts`)))
        assert.deepStrictEqual(yield* Schema.decodeEffect(Strings)(printed), Object.keys(source).toSorted(), path)
      })
      yield* Effect.forEach(modules.flat(), check, { concurrency: 2 })
    })
  )

  it.effect("an import by path is the module of the index, also where another package imports it", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const script = `
        import { ContainerRegistry, Registries, RegistryError } from "@effect-acr/client"
        import { NodeRegistries } from "@effect-acr/node"
        import * as byPath from "@effect-acr/client/ContainerRegistry"
        import * as registries from "@effect-acr/client/Registries"
        import * as errors from "@effect-acr/client/RegistryError"
        import * as Effect from "effect/Effect"
        const opened = registries.Registries.use(({ open }) => Effect.flip(open("a b")))
        const error = await Effect.runPromise(Effect.provide(opened, NodeRegistries.layer))
        console.log(
          byPath.ContainerRegistry === ContainerRegistry.ContainerRegistry,
          registries.Registries === Registries.Registries,
          errors.RegistryError === RegistryError.RegistryError,
          error instanceof RegistryError.RegistryError
        )`
      const printed = yield* run(process.execPath, ["--input-type=module", "--eval", script], { cwd: home })
      assert.strictEqual(printed, "true true true true\n")
    })
  )

  it.effect("stack traces name the sources", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const script = `
        import { printable } from "@effect-acr/client/Printable"
        try { printable(1) } catch (error) { console.log(error.stack) }`
      const args = ["--enable-source-maps", "--input-type=module", "--eval", script]
      const printed = yield* run(process.execPath, args, { cwd: home })
      const source = yield* Effect.promise(() => readFile(join(root, "packages/client/src/Printable.ts"), "utf8"))
      const line = source.split("\n").findIndex((text) => text.startsWith("export const printable")) + 1
      assert.include(printed, `/@effect-acr/client/src/Printable.ts:${line}:`)
    })
  )

  for (const { atMost, form, imports } of [
    { imports: "as in the README", form: (program: string) => program, atMost: 55 },
    { imports: "by path", form: withDeepImports, atMost: 20 }
  ]) {
    it.effect(`the first program reads few files of the packages, with imports ${imports}`, () =>
      Effect.gen(function* () {
        const { home } = yield* Project
        const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
        yield* seed({ repository: "library/hello-world", tags: ["latest"] })
        const program = form(yield* firstProgram)
        yield* Effect.promise(() => writeFile(join(home, "reads.ts"), program))
        const printed = yield* run(
          process.execPath,
          ["--import", printingFiles("log"), "reads.ts", `${loginServer}/library/hello-world`],
          { cwd: home, env: { ...process.env, ...(yield* dockerVariable) } }
        )
        const lines = printed.trim().split("\n")
        assert.strictEqual(lines.at(-1), "latest")
        const ours = lines.filter((line) => line.includes("/node_modules/@effect-acr/"))
        assert.isAbove(ours.length, 5)
        assert.isAtMost(ours.length, atMost)
      }).pipe(Effect.provide(AcrEmulator.layer({ adminUser })))
    )
  }

  const httpClient = "/effect/dist/http/HttpClient.js\n"
  const undici = "/undici/lib/dispatcher/agent.js\n"
  for (const [without, modules] of [
    [
      httpClient,
      [
        "artifacts/Copy",
        "artifacts/ImageArchive",
        "artifacts/ImageLayout",
        "artifacts/MemoryStore",
        "client/Content",
        "client/Descriptor",
        "client/Manifest",
        "node/NodeCompression",
        "node/NodeHasher"
      ]
    ],
    [undici, ["node/DockerConfig", "node/NodeCompression", "node/NodeHasher"]]
  ] as const) {
    it.effect(`modules that do without ${without.trim()} do not load it for others that share their files`, () =>
      Effect.gen(function* () {
        const { home } = yield* Project
        const loadedBy = (module: string) => {
          const importing = `import "@effect-acr/${module}"`
          const args = ["--import", printingFiles("log"), "--input-type=module", "--eval", importing]
          return run(process.execPath, args, { cwd: home })
        }
        assert.include(yield* loadedBy("node/NodeRegistries"), without)
        for (const module of modules) {
          const loaded = yield* loadedBy(module)
          assert.include(loaded, `/${module.replace("/", "/dist/")}.js\n`)
          assert.notInclude(loaded, without, module)
        }
      })
    )
  }

  it.effect("what is internal is closed", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const inside = yield* Effect.forEach(Packed.names, (name) =>
        Effect.map(filesOf(name, ".js"), (files) =>
          files
            .map((file) => relative(join(Packed.packageFolder(home, name), "dist"), file).slice(0, -3))
            .filter((module) => module.startsWith("internal/") || module === "bin")
            .map((module) => `@effect-acr/${name}/${module}`)
        )
      )
      const script = `
        const open = (name) => { try { return import.meta.resolve(name) } catch { return undefined } }
        console.log(JSON.stringify(${JSON.stringify(inside.flat())}.filter(open)))`
      const printed = yield* run(process.execPath, ["--input-type=module", "--eval", script], { cwd: home })
      assert.isAbove(inside.flat().length, 40)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Strings)(printed), [])
    })
  )

  it.effect("types hold for a program that checks all of them, and knows nothing of Node", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const compilerOptions = {
        strict: true,
        module: "nodenext",
        target: "es2023",
        types: [],
        skipLibCheck: false,
        noEmit: true,
        allowImportingTsExtensions: true
      }
      const files = ["first.ts", "byFetch.ts", "byNode.ts", "emulator.ts", "artifacts.ts", "guard.ts"]
      const tsconfig = JSON.stringify({ compilerOptions, files })
      yield* Effect.promise(() => writeFile(join(home, "tsconfig.json"), tsconfig))
      yield* run(join(root, "node_modules/.bin/tsc"), ["--project", home])
    })
  )

  it.effect("requests and the command of the emulator name the version of their package", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const versionOf = (name: string) =>
        Effect.promise(() => readFile(join(Packed.packageFolder(home, name), "package.json"), "utf8")).pipe(
          Effect.flatMap(Schema.decodeEffect(PackageJson)),
          Effect.map((manifest) => manifest.version)
        )
      assert.strictEqual(version, yield* versionOf("client"))
      const command = join(Packed.packageFolder(home, "emulator"), "dist/bin.js")
      const printed = yield* run(process.execPath, [command, "--version"])
      assert.include(printed, yield* versionOf("emulator"))
    })
  )

  it.effect("the command of the emulator reads few files when it starts, and none for seeds that there are not", () =>
    Effect.gen(function* () {
      const { home } = yield* Project
      const dist = join(Packed.packageFolder(home, "emulator"), "dist")
      const started = yield* startWith(process.execPath, [
        "--import",
        printingFiles("error"),
        join(dist, "bin.js"),
        "--json",
        "--port",
        "0"
      ])
      const loaded = (yield* started.logged).trim().split("\n")
      const names = loaded.map((url) => url.slice(url.indexOf("/dist/") + 1))
      assert.includeMembers(names, ["dist/bin.js", "dist/internal/program/main.js"])
      assert.isAtMost(names.length, 6)
      for (const name of names) assert.match(name, /^dist\/(?:bin|internal\/program\/(?!seed)[\w-]+)\.js$/)
    }).pipe(Effect.scoped)
  )

  it.effect("the emulator runs in the root folder of its container, healthy and without rights", () =>
    Effect.gen(function* () {
      const { archives } = yield* Project
      const container = yield* startContainer(
        archives["@effect-acr/emulator"] ?? "",
        "--port 0 --control-port 0 --json --seed library/alpine:3.20 --directory /data/registry".split(" ")
      )
      const { control, endpoint, logins } = container.ready
      const names = yield* ContainerRegistry.ContainerRegistry.use((registry) =>
        Stream.runCollect(registry.repositories())
      ).pipe(
        Effect.provide(
          ContainerRegistry.layer({ endpoint: endpoint.replace("0.0.0.0", "localhost") }).pipe(
            Layer.provide(
              Credentials.layerPassword({
                username: logins.adminUser.username,
                password: Redacted.make(logins.adminUser.password)
              })
            ),
            Layer.provide(NodeRegistryHttpClient.layer)
          )
        )
      )
      assert.deepStrictEqual(names, ["library/alpine"])
      assert.isTrue(yield* container.isHealthy(new URL(control?.endpoint ?? "").port))
      assert.isFalse(yield* container.isHealthy("1"))
      assert.strictEqual((yield* container.stop("SIGTERM")).code, 143)
    }).pipe(Effect.scoped)
  )

  const old = oldNode ?? process.execPath

  it.effect.skipIf(oldNode === undefined)(
    "on an old Node name the one that they need (skipped without an old one)",
    () =>
      Effect.gen(function* () {
        const { home } = yield* Project
        const version = yield* run(old, ["--version"])
        const needed = `needs Node 22.19 or later; this is Node ${version.trim().slice(1)}`

        const command = join(Packed.packageFolder(home, "emulator"), "dist/bin.js")
        assert.strictEqual((yield* Effect.flip(run(old, [command]))).stderr, `acr-emulator ${needed}\n`)

        const stripped = stripTypeScriptTypes(yield* firstProgram)
        yield* Effect.promise(() => writeFile(join(home, "old.js"), stripped))
        const { stderr } = yield* Effect.flip(run(old, ["old.js"], { cwd: home }))
        assert.include(stderr, `\nError: effect-acr ${needed}\n`)
        assert.notInclude(stderr, "undici")
        for (const name of ["node", "emulator"]) {
          const importing = ["--input-type=module", "--eval", `import "@effect-acr/${name}"`]
          const { stderr } = yield* Effect.flip(run(old, importing, { cwd: home }))
          assert.include(stderr, `\nError: effect-acr ${needed}\n`)
        }
      })
  )

  it.layer(Runtimes.layer, { timeout: "3 minutes" })("on", (it) => {
    for (const runtime of Runtimes.runtimes) {
      const runProgram = Effect.fnUntraced(function* (program: Omit<Runtimes.Program, "folder">) {
        const { home: folder } = yield* Project
        return yield* (yield* Runtimes.Runtimes).run(runtime, { folder, ...program })
      })

      it.effect(`${runtime.name}: the first program of the README`, () =>
        Effect.gen(function* () {
          const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
          yield* seed({ repository: "library/hello-world", tags: ["1.0", "latest"] })
          const printed = yield* runProgram({
            file: "first.ts",
            rights: ["env", "net", "read"],
            args: [`${loginServer}/library/hello-world`],
            env: yield* dockerVariable
          })
          assert.deepStrictEqual(printed, ["1.0", "latest"])
        }).pipe(Effect.provide(AcrEmulator.layer({ adminUser })))
      )

      it.effect(`${runtime.name}: an image there and back by fetch, whatever breaks`, () =>
        Effect.gen(function* () {
          const { inject } = yield* AcrEmulator.AcrEmulator
          // What Node 22 does then now and then, docs/runtimes.md tells.
          const breaksUploads = runtime.name !== "Node 22"
          if (breaksUploads) {
            yield* inject({ method: "PATCH", consequence: { _tag: "ResetRequest", afterBytes: 1_000_000 } })
          }
          yield* inject({ path: "/blobs/", consequence: { _tag: "CutBody", afterBytes: 2_000_000 } })
          const [line] = yield* runProgram({ file: "byFetch.ts", rights: ["env", "net"], env: yield* environment })
          yield* hasTransferred(line)
          assert.includeMembers(yield* outcomes, breaksUploads ? resumed : ["GET 206"])
        }).pipe(Effect.provide(emulated({ adminUser })))
      )

      it.effect(`${runtime.name}: an image and a file there and back by the client for Node`, () =>
        Effect.gen(function* () {
          const { certificate, endpoint } = yield* AcrEmulator.AcrEmulator
          const [line, file] = yield* runProgram({
            file: "byNode.ts",
            rights: ["env", "net", "read", "run", "write"],
            args: [Option.getOrThrow(certificate)],
            env: { REGISTRY_ENDPOINT: endpoint, ...(yield* dockerLogin) }
          })
          yield* hasTransferred(line)
          assert.strictEqual(file, sha256(Transfer.file))
        }).pipe(Effect.provide(emulated({ adminUser, https: true })))
      )

      it.effect(`${runtime.name}: an image there and back by the client for Node and a proxy`, () =>
        Effect.gen(function* () {
          const { certificate, endpoint } = yield* AcrEmulator.AcrEmulator
          const proxy = yield* connectProxy()
          const [line] = yield* runProgram({
            file: "byNode.ts",
            rights: ["env", "net", "read", "run", "write"],
            args: [Option.getOrThrow(certificate), proxy.host],
            env: { REGISTRY_ENDPOINT: endpoint, ...(yield* dockerLogin) }
          })
          yield* hasTransferred(line)
          assert.include(proxy.asked, new URL(endpoint).host)
        }).pipe(Effect.provide(emulated({ adminUser, https: true })))
      )

      it.effect(`${runtime.name}: the client for Node looks where a name leads`, () =>
        Effect.gen(function* () {
          const { endpoint, journal } = yield* AcrEmulator.AcrEmulator
          const [line] = yield* runProgram({ file: "guard.ts", rights: ["env", "net"], args: [new URL(endpoint).port] })
          assert.include(line, "localhost leads to a loopback address")
          assert.deepStrictEqual(yield* journal, [])
        }).pipe(Effect.provide(AcrEmulator.layer()))
      )

      it.effect(`${runtime.name}: compressed content, and refuses what is cut off`, () =>
        Effect.gen(function* () {
          const cut = "unexpected end of file"
          assert.deepStrictEqual(yield* runProgram({ file: "compression.ts", rights: ["env"] }), [
            ...[cut, cut, cut, "538890 bytes"].map((outcome) => `gzip: ${outcome}`),
            ...[cut, cut, cut, "538890 bytes"].map((outcome) => `zstd: ${outcome}`)
          ])
        })
      )

      it.effect(`${runtime.name}: the emulator, and a client with it`, () =>
        Effect.gen(function* () {
          const [line, seen] = yield* runProgram({ file: "emulator.ts", rights: ["env", "net", "read", "write"] })
          const [, ...pulled] = yield* Schema.decodeEffect(Strings)(line ?? "")
          assert.deepStrictEqual(pulled, layers)
          assert.includeMembers([...(yield* Schema.decodeEffect(Strings)(seen ?? ""))], resumed)
        })
      )

      it.effect(`${runtime.name}: an image with a referrer, copied to another repository and into memory`, () =>
        Effect.gen(function* () {
          const lines = yield* runProgram({ file: "artifacts.ts", rights: ["env", "net", "read", "write"] })
          assert.deepStrictEqual(yield* Effect.forEach(lines, (line) => Schema.decodeEffect(Strings)(line)), [
            ["blob mounted", "blob mounted", "manifest sent", "manifest sent"],
            ["blob sent", "blob sent", "manifest sent", "manifest sent"]
          ])
        })
      )
    }
  })
})
