/**
 * Programs of the README that reach several registries, and two registries to run them on.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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

/** The one program of the README that contains a text, and has at most so many lines. */
export const programWith = (text: string, most: number) =>
  Effect.gen(function* () {
    const readme = yield* Effect.promise(() => readFile(join(root, "README.md"), "utf8"))
    const programs = Array.from(readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code)
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

/** Runs a program with the logins of docker for both registries, and with trust in their certificates. */
export const runProgram = (code: string, registries: Pair, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = yield* snippets
    const config = yield* dockerConfig(registries)
    const ca = registries.map(({ certificate }) => Option.getOrThrow(certificate))
    yield* Effect.promise(() => writeFile(join(folder, "program.ts"), code))
    yield* Effect.promise(() => writeFile(join(folder, "ca.pem"), ca.join("\n")))
    return yield* run(process.execPath, [join(folder, "program.ts"), ...args], {
      env: { ...process.env, DOCKER_CONFIG: config, NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") }
    })
  })
