/**
 * The emulator as a command in the hands of a script with a mistake.
 */
import { spawn } from "node:child_process"
import { readdir, stat, writeFile } from "node:fs/promises"
import { createInterface } from "node:readline"
import { join } from "node:path"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { temporaryFolder } from "./support/command.ts"
import { emulatorFile } from "./support/programs.ts"
import { ends, start } from "./support/emulatorCommand.ts"

const configFile = Effect.fnUntraced(function* (content: string) {
  const file = join(yield* temporaryFolder, "acr.json")
  yield* Effect.promise(() => writeFile(file, content))
  return file
})

describe("the command", () => {
  it.live.each(["--host", "--control-host", "--directory", "--ready-file", "--ca-out"])(
    "takes no empty %s, as of a variable that is not set",
    (flag) =>
      Effect.gen(function* () {
        const { code, stderr } = ends(["--port", "0", flag, ""])
        assert.strictEqual(code, 1)
        assert.include(stderr, flag)
        const settings = flag === "--control-host" ? { control: { host: "" } } : { [camelCase(flag)]: "" }
        const config = yield* configFile(JSON.stringify(settings))
        assert.strictEqual(ends(["--port", "0", "--config", config]).code, 1)
      })
  )

  it.live.each([
    { adminUser: { username: "a:b", password: "c" } },
    { adminUser: { username: "", password: "c" } },
    { adminUser: { username: "a", password: "" } },
    { entraToken: "" }
  ])("takes no login that is of no use, or of everyone: %j", (settings) =>
    Effect.gen(function* () {
      const config = yield* configFile(JSON.stringify(settings))
      const { code, stderr } = ends(["--port", "0", "--config", config])
      assert.strictEqual(code, 1)
      assert.match(stderr, /acr\.json: (?:adminUser|entraToken)/)
    })
  )

  it.live("reads a file that begins with a byte order mark", () =>
    Effect.gen(function* () {
      const config = yield* configFile('\uFEFF{"adminUser": {"username": "contoso", "password": "secret"}}')
      const { ready } = yield* start("--config", config)
      assert.strictEqual(ready.logins.adminUser.username, "contoso")
    })
  )

  it.live("continues when its log is no longer read", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { child, endpoint } = yield* startLogging(join(folder, "registry"))
      const ask = HttpClient.get(`${endpoint}/v2/`)
      yield* ask
      child.stderr.destroy()
      for (let request = 0; request < 20; request += 1) assert.strictEqual((yield* ask).status, 401)
      const code = yield* Effect.promise(() => {
        const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
        child.kill("SIGTERM")
        return ended
      })
      assert.strictEqual(code, 143)
      const left = yield* Effect.promise(() => readdir(join(folder, "registry")))
      assert.isFalse(left.some((name) => name.startsWith("registry.lock.")))
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("lets no other user read the logins in its file", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "ready.json")
      yield* start("--ready-file", path)
      const { mode } = yield* Effect.promise(() => stat(path))
      assert.strictEqual((mode & 0o777).toString(8), "600")
    })
  )
})

const camelCase = (flag: string): string =>
  flag.slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())

/** Starts the command with a log whose reader can go. */
const startLogging = Effect.fnUntraced(function* (directory: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [emulatorFile, "--json", "--port", "0", "--log", "text", "--directory", directory], {
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const line = yield* Effect.callback<string>((resume) => {
    createInterface(child.stdout).once("line", (line) => resume(Effect.succeed(line)))
  })
  const { endpoint }: { readonly endpoint: string } = JSON.parse(line)
  return { child, endpoint }
})
