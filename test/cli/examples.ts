/**
 * Runs examples of the command's help against the emulator.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { delimiter, dirname, join } from "node:path"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Ended } from "../../packages/cli/test/support/eacr.ts"
import { authConfig, loggedIn } from "../../packages/cli/test/support/registry.ts"
import { eacrFile } from "../support/programs.ts"
import { compileCache, run, temporaryFolder } from "../support/command.ts"
import { needsShell, wordsOf } from "./words.ts"

const host = /[a-z]+\.azurecr\.io|ghcr\.io/g

/** Examples that ask for a login, on a terminal alone. */
export const asks = ["eacr login myregistry.azurecr.io"]

/** The exit codes of examples whose answer is another one than yes. */
export const codes: Readonly<Record<string, number>> = { diff: 10 }

/** What examples expect of a registry. */
const images = [
  { repository: "shop/api", tags: ["v1.4.0", "stable"], platforms: ["linux/amd64", "linux/arm64"] },
  { repository: "shop/api", tags: ["v1.3.0"], layers: ["v1.3.0"] },
  {
    repository: "shop/api",
    tags: ["v1.5.0"],
    platforms: ["linux/amd64", "linux/arm64"],
    layers: [{ files: { "app/version": "1.5.0" } }]
  },
  { repository: "shop/api", tags: ["build-1"], layers: ["build-1"] },
  { repository: "shop/web", tags: ["v2.0.0"] }
]

/** What examples expect of the folder that they run in. */
const localFiles: Readonly<Record<string, string>> = {
  "site/index.html": "<h1>Shop</h1>",
  "report.html": "<h1>Report</h1>",
  "dist/index.html": "<h1>Shop</h1>",
  "report.json": "{}",
  "sbom.json": '{"spdxVersion":"SPDX-2.3"}',
  "README.md": "# Shop"
}

/** Moves the process into an empty folder until the scope closes. */
export const elsewhere = Effect.acquireRelease(
  Effect.flatMap(temporaryFolder, (folder) =>
    Effect.sync(() => {
      const home = process.cwd()
      process.chdir(folder)
      return { folder, home }
    })
  ),
  ({ home }) => Effect.sync(() => process.chdir(home))
)

/** Calls before the examples of a verb, for what they find. */
const before: Readonly<Record<string, ReadonlyArray<string>>> = {
  cp: ["eacr export myregistry.azurecr.io/shop/api:v1.4.0 image.tar"],
  import: ["eacr export myregistry.azurecr.io/shop/api:v1.4.0 api.tar"],
  migrate: ["eacr migrate run old-to-new rules.json"],
  tasks: [
    "eacr attach myregistry.azurecr.io/shop/api:v1.4.0 sbom.json:application/spdx+json --artifact-type application/spdx+json"
  ],
  pull: [
    "eacr push myregistry.azurecr.io/site:v1 dist README.md",
    "eacr attach myregistry.azurecr.io/shop/api:v1.4.0 sbom.json:application/spdx+json --artifact-type application/spdx+json"
  ],
  trash: ["eacr rm --manifest --yes myregistry.azurecr.io/shop/api:v1.4.0"],
  unlock: ["eacr lock myregistry.azurecr.io/shop/api:v1.4.0"]
}

/** Rules that move all of a registry to other names in it: examples have one emulator. */
const rulesWithin = (registry: string): string =>
  JSON.stringify({
    routes: [
      {
        from: { registry },
        to: { registry },
        repositories: { include: ["shop/**"] },
        rename: [{ prefix: "shop/", replaceBy: "store/" }]
      }
    ]
  })

/** An emulator for the examples of one verb. */
export const registry = AcrEmulator.layer({ softDelete: {} })

/** Loads an image: checks that a Docker archive arrives. Saves one: that of the working directory. */
const docker = `case "$1" in load) tar -t | grep -q '^manifest.json$' ;; save) cat api.tar ;; *) exit 1 ;; esac`

/** What stands on the path of a shell besides the machine's programs. Docker needs a daemon, which tests do not have. */
const programs: Readonly<Record<string, string>> = { eacr: `exec '${process.execPath}' '${eacrFile}' "$@"`, docker }

const install = (folder: string) =>
  Effect.promise(async () => {
    for (const [name, script] of Object.entries(programs)) {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    }
  })

/** A line that has a pipe, a redirection or a variable. */
const inShell = Effect.fnUntraced(function* (line: string) {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  const folder = yield* temporaryFolder
  yield* install(folder)
  const script = line.replaceAll(host, loginServer).replaceAll("octocat", logins.adminUser.username)
  const env = {
    PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
    ...compileCache,
    HOME: folder,
    DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser)
  }
  return yield* run("bash", ["-o", "pipefail", "-c", script], { env }).pipe(
    Effect.match({
      onFailure: ({ stderr, stdout }): Ended => ({ code: 1, stderr, stdout }),
      onSuccess: (stdout): Ended => ({ code: 0, stderr: "", stdout })
    })
  )
})

/** The arguments of an example, with another host in place of each one that it names. */
export const argsOf = (line: string, hostOf: (named: string) => string): ReadonlyArray<string> =>
  wordsOf(line)
    .slice(1)
    .map((word) => word.replaceAll(host, hostOf))

/** Runs an example, with more flags if given. */
export const runExample = (line: string, flags: ReadonlyArray<string> = []) => {
  const whole = line.replace(/(^|\| )eacr /, (call) => [call.trimEnd(), ...flags, ""].join(" "))
  return needsShell(line) ? Effect.scoped(inShell(whole)) : loggedIn(argsOf(whole, () => "$REGISTRY"))
}

/** Prepares the folder that the process is in and the registry for an example of a verb, whatever the last one left. */
export const prepare = Effect.fnUntraced(function* (verb: string) {
  const { loginServer, logins, seed } = yield* AcrEmulator.AcrEmulator
  yield* Effect.forEach(images, seed)
  const files = {
    ...localFiles,
    token: Redacted.value(logins.adminUser.password),
    "rules.json": rulesWithin(loginServer)
  }
  for (const [path, text] of Object.entries(files)) {
    yield* Effect.promise(async () => {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
    })
  }
  yield* Effect.forEach(before[verb] ?? [], (line) => runExample(line))
})
