/**
 * The command as it is published: the package of npm, and an executable by Bun.
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { version } from "../packages/cli/src/version.ts"
import { site } from "../site/addresses.ts"
import { authConfig } from "../packages/cli/test/support/registry.ts"
import { alone } from "./support/alone.ts"
import { run, temporaryFolder } from "./support/command.ts"
import { oldNode } from "./support/oldNode.ts"
import { pack, packageFolder, pnpm, project } from "./support/packed.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** An empty folder in which the package was installed. */
class Installed extends Context.Service<Installed, { readonly home: string }>()("test/Installed") {}

/** npm is the machine's, and runs on the Node of this workspace. */
const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`

const npm = (command: "npm" | "npx", args: ReadonlyArray<string>, cwd: string) =>
  run(command, args, { cwd, env: { ...process.env, PATH: path } })

const InstalledLive = Layer.effect(
  Installed,
  Effect.gen(function* () {
    const archives = yield* pack
    const home = yield* temporaryFolder
    yield* Effect.promise(() => writeFile(join(home, "package.json"), '{"private":true}'))
    yield* npm("npm", ["install", "--offline", "--no-audit", "--no-fund", archives["@effect-acr/cli"] ?? ""], home)
    return { home }
  })
)

const PackageJson = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.String,
    bin: Schema.Record(Schema.String, Schema.String),
    dependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
  })
)

/** The environment of a user who is logged in to the emulator, with a cache of its own. */
const userEnv = Effect.gen(function* () {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const home = yield* temporaryFolder
  return {
    PATH: path,
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser)
  }
})

const bin = Effect.map(Installed, ({ home }) => join(packageFolder(home, "cli"), "dist/bin.js"))

const hook = `
  import { registerHooks } from "node:module"
  registerHooks({ load: (url, context, next) => (url.startsWith("file:") && console.error(url), next(url, context)) })`

/** The files of the package that a call reads. */
const filesReadBy = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const file = yield* bin
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`
  const script = `exec "$0" --import "$PRELOAD" "$@" 2>&1 >/dev/null`
  const printed = yield* run("sh", ["-c", script, process.execPath, file, ...args], {
    env: { ...(yield* userEnv), PRELOAD: preload }
  })
  return printed
    .split("\n")
    .filter((line) => line.startsWith("file:"))
    .map((line) => line.slice(line.lastIndexOf("/") + 1))
})

const seeded = AcrEmulator.layer({
  seed: [
    { repository: "shop/api", tags: ["v1"] },
    { repository: "shop/api", tags: ["layers"], layers: Array.from({ length: 60 }, (_, index) => `layer ${index}`) }
  ]
})

layer(Layer.merge(InstalledLive, seeded), { timeout: "5 minutes", excludeTestServices: true })("the package", (it) => {
  it.effect("runs with npx in an empty folder", () =>
    Effect.gen(function* () {
      const { home } = yield* Installed
      const printed = yield* npm("npx", ["--offline", "eacr", "--version"], home)
      assert.match(
        printed,
        new RegExp(`^eacr ${version.replaceAll(".", "\\.")} \\(effect .+, node ${process.versions.node},`)
      )
    })
  )

  it.effect.skipIf(oldNode === undefined)("says on an old Node which one it needs (skipped without an old one)", () =>
    Effect.gen(function* () {
      const { stderr, stdout } = yield* Effect.flip(run(oldNode ?? "", [yield* bin, "--version"]))
      assert.match(stderr, /^eacr needs Node 22\.19 or later; this is Node (?:18|20|22)\.\d+\.\d+\n$/)
      assert.strictEqual(stdout, "")
    })
  )

  it.effect("has a help that leads to the site, and to no path of the repository", () =>
    Effect.gen(function* () {
      const { home } = yield* Installed
      for (const [verb, page] of [
        ["purge", "retention.html"],
        ["migrate plan", "migration.html"]
      ] as const) {
        const help = (yield* npm("npx", ["--offline", "eacr", ...verb.split(" "), "--help"], home)).replaceAll(
          /\s+/g,
          " "
        )
        assert.include(help, `${site}${page}`)
        assert.notInclude(help, "docs/")
      }
    })
  )

  it.effect("has no dependencies, and has its licenses, its schema and the version of its sources", () =>
    Effect.gen(function* () {
      const { home } = yield* Installed
      const folder = packageFolder(home, "cli")
      const text = yield* Effect.promise(() => readFile(join(folder, "package.json"), "utf8"))
      const manifest = yield* Schema.decodeEffect(PackageJson)(text)
      assert.deepStrictEqual(manifest, { version, bin: { eacr: "./dist/bin.js" } })
      const licenses = yield* Effect.promise(() => readFile(join(folder, "dist/LICENSES"), "utf8"))
      for (const name of ["effect", "undici", "@azure/identity"]) assert.include(licenses, `${name}\n\n`)
      assert.include(yield* Effect.promise(() => readdir(folder)), "LICENSE")
      assert.isTrue((yield* Effect.promise(() => stat(join(folder, "schema/v1.json")))).isFile())
    })
  )

  it.effect("reads three files for --version, and neither the HTTP client, nor Azure, nor the emulator", () =>
    Effect.gen(function* () {
      const file = yield* bin
      const read = yield* filesReadBy(["--version"])
      const names = read.map((name) => name.replace(/-[\w-]{8}\.js$/, ".js"))
      assert.deepStrictEqual(
        names.filter((name) => name !== "rolldown-runtime.js"),
        ["bin.js", "main.js", "start.js"]
      )
      const start = read.find((name) => name.startsWith("start")) ?? ""
      const text = yield* Effect.promise(() => readFile(join(file, "..", start), "utf8"))
      assert.isFalse(text.includes("llhttp"), "the HTTP client is read at each start")
    }).pipe(Effect.scoped)
  )

  it.effect("reads neither Azure nor the emulator with a login of docker", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const read = yield* filesReadBy(["ls", loginServer])
      assert.isAtLeast(read.length, 4)
      for (const name of read) assert.notMatch(name, /^(?:esm|open|serve|seed)/)
    }).pipe(Effect.scoped)
  )

  it.effect("compiles the parser of HTTP once, also for an image of 60 layers", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const layout = yield* temporaryFolder
      const args = ["cp", `${loginServer}/shop/api:layers`, "--to-layout", layout]
      const traced = ["--trace-wasm-compilation-times", yield* bin, ...args]
      const printed = yield* run(process.execPath, traced, { env: yield* userEnv })
      assert.include(printed, "using Liftoff")
      assert.notInclude(printed, "using TurboFan")
    }).pipe(Effect.scoped)
  )

  it.effect("keeps compiled code in the user's own cache, which no other user writes", () =>
    Effect.gen(function* () {
      const env = yield* userEnv
      yield* run(process.execPath, [yield* bin, "--version"], { env })
      const folder = join(env.XDG_CACHE_HOME, "eacr/compiled")
      const names = yield* Effect.promise(() => readdir(folder, { recursive: true }))
      assert.isAbove(names.length, 1)
      for (const name of ["", ...names]) {
        const { mode } = yield* Effect.promise(() => stat(join(folder, name)))
        assert.strictEqual(mode & 0o022, 0, `${name} can be written by others`)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("keeps none where the user says so", () =>
    Effect.gen(function* () {
      const env = { ...(yield* userEnv), NODE_DISABLE_COMPILE_CACHE: "1" }
      yield* run(process.execPath, [yield* bin, "--version"], { env })
      assert.notInclude(yield* Effect.promise(() => readdir(env.HOME)), "cache")
    }).pipe(Effect.scoped)
  )

  it.effect(
    "runs on Bun, and makes an executable by it, which lists repositories and takes nothing from the folder that it is in",
    () =>
      Effect.gen(function* () {
        const { loginServer } = yield* AcrEmulator.AcrEmulator
        const env = yield* userEnv
        const tools = yield* project({ allowBuilds: { bun: true } })
        yield* pnpm(["add", "runtime@npm:bun@1"], tools)
        const bun = join(tools, "node_modules/runtime/bin/bun.exe")
        const folder = yield* temporaryFolder
        const target = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`
        // The program reads what was built, which another file of tests may be building again.
        yield* alone(
          "build",
          run(process.execPath, [join(root, "test/release/executables.ts"), folder, target], {
            env: { ...process.env, BUN: bun }
          })
        )
        const executable = join(folder, `eacr-${target}`)
        assert.include(yield* run(executable, ["--version"], { env }), "bun 1.")
        assert.strictEqual(yield* run(executable, ["ls", loginServer], { env }), "shop/api\n")
        assert.strictEqual(yield* run(bun, [yield* bin, "ls", loginServer], { env }), "shop/api\n")
        // A pipe that is left non-blocking (O_NONBLOCK, 04000) fails the next program of a script that writes to it.
        const shared = `{ "$0" ls ${loginServer}; grep flags: /proc/self/fdinfo/1; } | cat`
        const printed = yield* run("bash", ["-c", shared, executable], { env })
        assert.match(printed, /^shop\/api\nflags:\t[0-7]+\n$/)
        assert.notMatch(printed, /[4-7][0-7]{3}\n$/)
        // What it cannot write itself is an error.
        const { stderr } = yield* Effect.flip(
          run("sh", ["-c", `exec "$0" ls ${loginServer} > /dev/full`, executable], { env })
        )
        assert.include(stderr, "ENOSPC")
        const port = loginServer.slice(loginServer.lastIndexOf(":") + 1)
        const taken = yield* Effect.flip(run(executable, ["serve", "--port", port], { env }))
        assert.include(taken.stderr, "--port 0 takes a free port")
        yield* run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder })
        const foreign = yield* temporaryFolder
        yield* Effect.promise(async () => {
          await writeFile(join(foreign, "bunfig.toml"), 'preload = ["./code.js"]')
          await writeFile(join(foreign, "code.js"), 'console.log("code of the folder runs")')
          await writeFile(join(foreign, ".env"), "DOCKER_AUTH_CONFIG=none")
        })
        const { DOCKER_AUTH_CONFIG: _, ...anonymous } = env
        const asked = run(executable, ["whoami", loginServer, "--json"], { env: anonymous, cwd: foreign })
        // The registry accepts no anonymous caller.
        const { stdout: chosen } = yield* Effect.flip(asked)
        assert.include(chosen, '"isAccepted":false')
        assert.notInclude(chosen, "code of the folder runs")
        assert.notInclude(chosen, "DOCKER_AUTH_CONFIG", "the variables of the folder are read")
      }).pipe(Effect.scoped),
    180_000
  )
})
