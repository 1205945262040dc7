/**
 * Programs of the documentation that reach registries by their names, and two registries to run them on.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { run, temporaryFolder } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const loginOf = (name: string): AcrEmulator.Login => ({
  username: "admin",
  password: Redacted.make(`only for the ${name} registry`)
})

/** Two registries, each with a login of its own and the same image. */
export const pair = (options: AcrEmulator.Options = {}) =>
  Effect.forEach(["first", "second"], (name) =>
    Effect.gen(function* () {
      const login = loginOf(name)
      const emulator = yield* AcrEmulator.make({ adminUser: login, ...options })
      yield* emulator.seed({
        repository: "samples/hello",
        tags: ["1.0"],
        platforms: ["linux/amd64", "linux/arm64"],
        layers: [`the ${name} one`]
      })
      return { ...emulator, name, login, reference: `${emulator.loginServer}/samples/hello:1.0` }
    })
  )

export type Pair = Effect.Success<ReturnType<typeof pair>>

/** A configuration of docker with the logins of both. */
export const dockerConfig = (registries: Pair) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const auths = Object.fromEntries(
      registries.map(({ login, loginServer }) => [
        loginServer,
        { auth: btoa(`${login.username}:${Redacted.value(login.password)}`) }
      ])
    )
    yield* Effect.promise(() => writeFile(join(folder, "config.json"), JSON.stringify({ auths })))
    return folder
  })

/** The one program of a page that contains a text, and has at most so many lines. */
export const programWith = (page: string, text: string, most: number) =>
  Effect.gen(function* () {
    const markdown = yield* Effect.promise(() => readFile(join(root, page), "utf8"))
    const programs = Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code)
    const [code = "", ...others] = programs.filter((program) => program.includes(text) && program.includes("runMain"))
    assert.deepStrictEqual(others, [])
    const lines = code.split("\n").filter((line) => line.trim() !== "")
    assert.isTrue(lines.length > 0 && lines.length <= most, `${lines.length} lines`)
    return code
  })

/** A folder inside this package, so that imports resolve as they do for a user. */
const snippets = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(root, "test/.snippets-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** Runs a program in the folder of this process, with more variables in its environment. */
export const runWith = (code: string, args: ReadonlyArray<string>, env: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const file = join(yield* snippets, "program.ts")
    yield* Effect.promise(() => writeFile(file, code))
    return yield* run(process.execPath, [file, ...args], { env: { ...process.env, ...env } })
  })

/** Runs a program with the logins of docker for both registries, and with trust in their certificates. */
export const runProgram = (code: string, registries: Pair, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const config = yield* dockerConfig(registries)
    const ca = Arr.getSomes(registries.map(({ certificate }) => certificate))
    const trusted = join(config, "ca.pem")
    yield* Effect.promise(() => writeFile(trusted, ca.join("\n")))
    return yield* runWith(code, args, {
      DOCKER_CONFIG: config,
      ...(ca.length === 0 ? {} : { NODE_EXTRA_CA_CERTS: trusted })
    })
  })
