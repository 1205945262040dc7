/**
 * Cases about the start of a program: how long the README's first program takes until its first request arrives.
 */
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { authConfig } from "../../packages/cli/test/support/registry.ts"
import { run, temporaryFolder } from "../support/command.ts"
import { bundleFirst, firstProgram, withDeepImports } from "../support/firstProgram.ts"
import * as Packed from "../support/packed.ts"
import type { Case } from "./case.ts"
import type { Figure } from "./report.ts"
import { type Outcomes, perRound, type Run } from "./turns.ts"

const repository = "library/hello-world"
const tag = "latest"

/** A registry that needs no login and has one tag. It is in another process than the programs. */
const registry = Effect.map(
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: () => void; readonly arrivals: Array<number> }>(
      (resume) => {
        const arrivals: Array<number> = []
        const server = createServer((_, response) => {
          arrivals.push(performance.now())
          response.setHeader("content-type", "application/json").end(JSON.stringify({ name: repository, tags: [tag] }))
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({ port, close: () => server.close(), arrivals }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  ),
  ({ arrivals, port }) => ({ loginServer: `127.0.0.1:${port}`, arrivals })
)

type Registry = Effect.Success<typeof registry>

/** How a program is started. */
interface Command {
  readonly folder: string
  readonly args: ReadonlyArray<string>
  /** The folder of Node's compile cache, if it is on. */
  readonly cache?: string
}

/** An environment with a login of docker. */
const environment = ({ loginServer }: Registry): NodeJS.ProcessEnv => ({
  ...process.env,
  DOCKER_AUTH_CONFIG: authConfig(loginServer, { username: "admin", password: Redacted.make("emulator") })
})

/** The argument of a program: what to list. */
const nameIn = ({ loginServer }: Registry): string => `${loginServer}/${repository}`

/** Runs a program to its end. Its time ends with the arrival of its first request. */
const starting = (target: Registry, { args, cache, folder }: Command): Run =>
  Effect.gen(function* () {
    target.arrivals.length = 0
    const begin = performance.now()
    const printed = yield* run(process.execPath, [...args, nameIn(target)], {
      cwd: folder,
      env: { ...environment(target), ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }) }
    })
    const [arrival = Number.NaN] = target.arrivals
    if (printed !== `${tag}\n`) return yield* Effect.fail(`${args.join(" ")} printed ${printed}`)
    return { seconds: (arrival - begin) / 1000, peakRssBytes: 0 }
  })

/** Prints who imports which module, a line of JSON for each import. */
const hook = `
  import { registerHooks } from "node:module"
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context)
      console.log(JSON.stringify([context.parentURL ?? "", resolved.url]))
      return resolved
    }
  })`

const decodeImport = Schema.decodeEffect(Schema.fromJsonString(Schema.Tuple([Schema.String, Schema.String])))

const isOurs = (url: string): boolean => url.includes("/node_modules/@effect-acr/")

/** The modules of others that modules of ours import when a program runs. Those of `@noble/hashes` are a part of ours. */
const modulesOfOthers = Effect.fnUntraced(function* (target: Registry, folder: string, program: string) {
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`
  const printed = yield* run(process.execPath, ["--import", preload, program, nameIn(target)], {
    cwd: folder,
    env: environment(target)
  })
  const imports = yield* Effect.forEach(
    printed.split("\n").filter((line) => line.startsWith("[")),
    (line) => decodeImport(line)
  )
  const urls = imports
    .filter(([from, url]) => isOurs(from) && !isOurs(url) && !url.includes("/@noble/hashes/"))
    .map(([, url]) => url)
  return [...new Set(urls)]
})

/** The same request and the same output, with Effect and without this library. */
const effectProgram = `
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Schema, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"

const Tags = Schema.fromJsonString(Schema.Struct({ tags: Schema.Array(Schema.String) }))
const Logins = Schema.fromJsonString(
  Schema.Struct({ auths: Schema.Record(Schema.String, Schema.Struct({ auth: Schema.String })) })
)

const program = Effect.gen(function* () {
  const [loginServer, ...repository] = process.argv[2].split("/")
  const { auths } = yield* Schema.decodeEffect(Logins)(yield* Config.String("DOCKER_AUTH_CONFIG"))
  const [username, password] = atob(auths[loginServer].auth).split(":")
  const request = HttpClientRequest.get("http://" + loginServer + "/v2/" + repository.join("/") + "/tags/list?n=999")
  const response = yield* HttpClient.execute(HttpClientRequest.basicAuth(request, username, password))
  const { tags } = yield* Schema.decodeEffect(Tags)(yield* response.text)
  yield* Stream.runForEach(Stream.fromIterable(tags), (tag) => Console.log(tag))
})

program.pipe(Effect.provide(NodeHttpClient.layerUndici), NodeRuntime.runMain)
`

/** The least that makes a request. */
const bareProgram = `
import { get } from "node:http"
const [loginServer, ...repository] = process.argv[2].split("/")
get("http://" + loginServer + "/v2/" + repository.join("/") + "/tags/list?n=999", async (response) => {
  for (const tag of JSON.parse((await response.toArray()).join("")).tags) console.log(tag)
})
`

const seconds = (what: string, outcomes: Outcomes = [], atMost?: number): Figure => ({
  what,
  values: outcomes.map((outcome) => outcome.seconds),
  unit: "s",
  ...(atMost === undefined ? {} : { atMost })
})

/** The first program of the README in a fresh project, and its rivals. */
const makeProject = Effect.fnUntraced(function* (target: Registry) {
  const folder = yield* Effect.flatMap(Packed.pack, Packed.install)
  const write = (name: string, text: string) => Effect.promise(() => writeFile(join(folder, name), text))
  const first = yield* firstProgram
  // The bundler takes the program as a reader has it; Node gets it as JavaScript, as a published program would be.
  yield* write("first.ts", first)
  yield* write("bare.mjs", bareProgram)
  const forms: ReadonlyArray<readonly [string, (program: string) => string]> = [
    ["index", (program) => program],
    ["deep", withDeepImports]
  ]
  for (const [name, form] of forms) {
    yield* write(`${name}.mjs`, form(first))
    const urls = yield* modulesOfOthers(target, folder, `${name}.mjs`)
    const imports = urls.map((url) => `import ${JSON.stringify(url)}\n`).join("")
    yield* write(`effect-${name}.mjs`, imports + form(effectProgram))
  }
  yield* bundleFirst("file", folder)
  yield* bundleFirst("folder", folder, ["--dir", "split"])
  return folder
})

export const start: ReadonlyArray<Case> = [
  {
    name: "start",
    title: "start the README's first program, until its first request",
    run: Effect.fnUntraced(function* (turns) {
      const target = yield* registry
      const folder = yield* makeProject(target)
      const cache = yield* temporaryFolder
      const command = (file: string, isCached: boolean): Command => ({
        folder,
        args: [file],
        ...(isCached ? { cache } : {})
      })
      // The first run of each fills the compile cache, and the system's cache of files.
      const ready = (file: string, isCached: boolean) =>
        Effect.as(starting(target, command(file, isCached)), () => starting(target, command(file, isCached)))

      const beside = Effect.fnUntraced(function* (what: string, name: string, isCached: boolean) {
        const took = yield* turns({
          ours: yield* ready(`${name}.mjs`, isCached),
          effect: yield* ready(`effect-${name}.mjs`, isCached)
        })
        const ratio: Figure = {
          what: `${what}: time, ours ÷ Effect alone`,
          values: perRound(took.ours, took.effect, (one, other) => one.seconds / other.seconds),
          unit: "×",
          atMost: 1.1
        }
        return [ratio, seconds(`${what}: time`, took.ours)]
      })
      const alone = Effect.fnUntraced(function* (what: string, file: string, isCached: boolean, atMost?: number) {
        const took = yield* turns({ ours: yield* ready(file, isCached) })
        return [seconds(`${what}: time`, took.ours, atMost)]
      })
      const figures = [
        yield* beside("as in the README", "index", false),
        yield* beside("as in the README, with the compile cache", "index", true),
        yield* beside("deep imports", "deep", false),
        yield* beside("deep imports, with the compile cache", "deep", true),
        yield* alone("bundle of one file", "bundle/first.mjs", false, 0.2),
        yield* alone("bundle of one file, with the compile cache", "bundle/first.mjs", true, 0.2),
        yield* alone("bundle in a folder", "split/first.mjs", false, 0.2),
        yield* alone("bundle in a folder, with the compile cache", "split/first.mjs", true, 0.2),
        yield* alone("a program of node:http", "bare.mjs", false)
      ]
      return figures.flat()
    })
  }
]
