/**
 * Cases about what it costs to have the client at all: the time until it is imported, and its size in a bundle.
 */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { bundle } from "../support/bundle.ts"
import { run, temporaryFolder } from "../support/command.ts"
import { startPrinting } from "../support/emulatorCommand.ts"
import * as Packed from "../support/packed.ts"
import { peakMemoryBytesOf } from "../support/peakMemory.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"
import { perRound, type Run } from "./turns.ts"

/** How long a server takes until it prints a line, and what it then takes of memory. */
const starting = (...args: ReadonlyArray<string>): Run =>
  Effect.gen(function* () {
    const [took, { pid }] = yield* Effect.timed(startPrinting(process.execPath, args))
    return { seconds: Duration.toSeconds(took), peakRssBytes: peakMemoryBytesOf(pid) ?? 0 }
  }).pipe(Effect.scoped)

/** The least that listens. */
const bareServer = `
  import { createServer } from "node:http"
  createServer().listen(0, "127.0.0.1", () => console.log("listens"))`

/** Where the packages of this folder are resolved, the Azure SDK among them. */
const workspace = fileURLToPath(new URL("..", import.meta.url))

/** How long a process of its own takes to import modules, after others that it has already. */
const importing = (folder: string, modules: ReadonlyArray<string>, before: ReadonlyArray<string> = []): Run => {
  const script = `
    for (const name of ${JSON.stringify(before)}) await import(name)
    const begin = performance.now()
    for (const name of ${JSON.stringify(modules)}) await import(name)
    console.log(performance.now() - begin)`
  return Effect.map(run(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder }), (millis) => ({
    seconds: Number(millis) / 1000,
    peakRssBytes: 0
  }))
}

/** The modules of Effect that the client imports. */
const effectModules = Effect.fnUntraced(function* (home: string) {
  const folder = join(Packed.packageFolder(home, "client"), "dist")
  const files = yield* Effect.promise(() => readdir(folder, { recursive: true }))
  const sources = yield* Effect.promise(() =>
    Promise.all(files.filter((file) => file.endsWith(".js")).map((file) => readFile(join(folder, file), "utf8")))
  )
  return [...new Set(sources.flatMap((text) => text.match(/(?<=from ")effect\/[^"]+/g) ?? []))]
})

/** Everything that a program with both clients of a registry needs. */
const programs = {
  azure: `export { ContainerRegistryClient, ContainerRegistryContentClient } from "@azure/container-registry"`,
  fetch: `
    import { ContainerRegistry, Credentials, RegistryContent } from "@effect-acr/client"
    import { layer } from "effect/http/FetchHttpClient"
    export { ContainerRegistry, Credentials, RegistryContent, layer }`,
  node: `
    import { ContainerRegistry, Credentials, RegistryContent } from "@effect-acr/client"
    import { NodeRegistryHttpClient } from "@effect-acr/node"
    export { ContainerRegistry, Credentials, RegistryContent, NodeRegistryHttpClient }`
}

/** The bytes of a program in one file, minified and compressed. */
const bundled = (program: string, folder: string, external: ReadonlyArray<RegExp> = []) =>
  Effect.gen(function* () {
    const target = yield* temporaryFolder
    const file = join(target, "bundle.mjs")
    // A file that need not be there: what it imports is looked for from its folder.
    const entry = join(folder, "program.mjs")
    const virtual = {
      name: "program",
      resolveId: (id: string) => (id === entry ? id : undefined),
      load: (id: string) => (id === entry ? program : undefined)
    }
    yield* bundle({ entry, file, plugins: [virtual], external: [...external], minify: true })
    return gzipSync(yield* Effect.promise(() => readFile(file))).length
  })

export const footprint: ReadonlyArray<Case> = [
  {
    name: "import",
    title: "import the client in a fresh process",
    run: Effect.fnUntraced(function* (turns) {
      const home = yield* Effect.flatMap(Packed.pack, Packed.install)
      const effect = yield* effectModules(home)
      const client = ["@effect-acr/client"]
      const compare = (what: string, ours: Run) =>
        Effect.map(
          turns({ ours: () => ours, azure: () => importing(workspace, ["@azure/container-registry"]) }),
          (took): Figure => ({
            what: `time, ${what} ÷ Azure SDK`,
            values: perRound(took.ours, took.azure, (one, other) => one.seconds / other.seconds),
            unit: "×"
          })
        )
      return [
        { ...(yield* compare("@effect-acr/client and what it needs", importing(home, client))), atMost: 0.5 },
        yield* compare("@effect-acr/client in a program that has Effect", importing(home, client, effect)),
        yield* compare("the modules of Effect that it needs", importing(home, effect)),
        yield* compare("effect/Effect and nothing else", importing(home, ["effect/Effect"]))
      ]
    })
  },
  {
    name: "emulator-start",
    title: "start the emulator's command, until it says that it is ready",
    run: Effect.fnUntraced(function* (turns) {
      const home = yield* Effect.flatMap(Packed.pack, Packed.install)
      const command = join(Packed.packageFolder(home, "emulator"), "dist/bin.js")
      const took = yield* turns({
        ours: () => starting(command, "--json", "--port", "0"),
        "node:https": () => starting("--input-type=module", "--eval", bareServer)
      })
      return [
        {
          what: "time, ours ÷ a bare server of node:http",
          values: perRound(took.ours, took["node:https"], (one, other) => one.seconds / other.seconds),
          unit: "×"
        },
        {
          what: "time",
          values: (took.ours ?? []).map(({ seconds }) => seconds),
          unit: "s",
          atMost: 0.35
        },
        {
          what: "memory when it is ready",
          values: (took.ours ?? []).map(({ peakRssBytes }) => peakRssBytes / mebibyte),
          unit: "MiB",
          atMost: 105
        }
      ]
    })
  },
  {
    name: "bundle",
    title: "the size of a bundle with both clients of a registry, minified and gzipped",
    run: Effect.fnUntraced(function* () {
      const home = yield* Effect.flatMap(Packed.pack, Packed.install)
      const azure = yield* bundled(programs.azure, workspace)
      const compare = (what: string, bytes: number): Figure => ({
        what: `${what} ÷ Azure SDK`,
        values: [bytes / azure],
        unit: "×"
      })
      const whole = yield* bundled(programs.fetch, home)
      const withoutEffect = yield* bundled(programs.fetch, home, [/^effect\//])
      return [
        { ...compare("@effect-acr/client with fetch, and what it needs", whole), atMost: 0.5 },
        compare("@effect-acr/client without Effect", withoutEffect),
        compare("what it needs of Effect", whole - withoutEffect),
        compare("@effect-acr/client with @effect-acr/node, and undici", yield* bundled(programs.node, home))
      ]
    })
  }
]
