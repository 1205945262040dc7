/**
 * A credential helper that is an executable, as on Windows: docker's configuration names it `executable`, and the file is
 * `docker-credential-executable.exe` there.
 */
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Credentials from "@effect-acr/client/Credentials"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as DockerConfig from "../src/DockerConfig.ts"

const loginServer = "registry.example"

/** The executable is Node. What it does as a helper is loaded before its argument, the name of no script. */
const helper = `
  import { readFileSync, writeFileSync } from "node:fs"
  import { basename } from "node:path"
  const server = readFileSync(0, "utf8")
  writeFileSync(process.env.HELPER_ASKED, [basename(process.argv[1]), server].join(" "))
  console.log(JSON.stringify({ ServerURL: server, Username: "contoso", Secret: "secret" }))
  process.exit(0)
`

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-helper-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** Sets variables of this process, which its children inherit, until the scope closes. */
const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = { ...process.env }
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(variables)) {
          const value = before[name]
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

it.live("a credential helper that is an executable is found without the end of its name", () =>
  Effect.gen(function* () {
    const home = yield* folder
    const asked = join(home, "asked")
    const path = join(home, "config.json")
    const script = join(home, "helper.mjs")
    yield* Effect.promise(async () => {
      const program = join(home, "docker-credential-executable")
      await (process.platform === "win32"
        ? copyFile(process.execPath, `${program}.exe`)
        : symlink(process.execPath, program))
      await writeFile(script, helper)
      await writeFile(path, JSON.stringify({ credHelpers: { [loginServer]: "executable" } }))
    })
    yield* environment({
      PATH: [home, process.env["PATH"] ?? ""].join(delimiter),
      NODE_OPTIONS: `--import=${pathToFileURL(script).href}`,
      HELPER_ASKED: asked
    })

    const found = yield* Credentials.Credentials.use((credentials) =>
      credentials.get({ endpoint: `https://${loginServer}`, loginServer })
    ).pipe(Effect.provide(DockerConfig.layerOptions({ path })))

    assert.strictEqual(found._tag, "Password")
    assert.strictEqual(found._tag === "Password" ? Redacted.value(found.password) : "", "secret")
    assert.strictEqual(yield* Effect.promise(() => readFile(asked, "utf8")), `get ${loginServer}`)
  })
)
