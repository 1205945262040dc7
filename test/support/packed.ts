/**
 * The packages as they are published: packed, and installed in a folder outside the workspace.
 */
import { mkdir, readdir, symlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { run, temporaryFolder } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

export const names = ["client", "node", "azure-identity", "emulator"] as const

/** What is not ours comes from the workspace's own store. */
const dependencies = [
  ["emulator", "effect"],
  ["emulator", "@effect/platform-node"],
  ["emulator", "selfsigned"],
  ["client", "@noble/hashes"],
  ["azure-identity", "@azure/identity"],
  ["azure-identity", "@azure/core-rest-pipeline"]
] as const

/** Where a package is in such a folder. */
export const packageFolder = (home: string, name: string): string => join(home, "node_modules/@effect-acr", name)

/** A folder in which the packages are installed, until the scope closes. */
export const install = Effect.gen(function* () {
  const home = yield* temporaryFolder
  yield* run(join(root, "node_modules/.bin/tsc"), ["--build", "tsconfig.build.json"], { cwd: root })
  for (const name of names) {
    yield* run("npx", ["-y", "pnpm@12", "pack", "--pack-destination", home], { cwd: join(root, "packages", name) })
    const files = yield* Effect.promise(() => readdir(home))
    const archive = files.find((file) => file.startsWith(`effect-acr-${name}-`)) ?? ""
    const folder = packageFolder(home, name)
    yield* Effect.promise(() => mkdir(folder, { recursive: true }))
    yield* run("tar", ["-xzf", join(home, archive), "--strip-components=1", "-C", folder])
  }
  for (const [user, dependency] of dependencies) {
    const link = join(home, "node_modules", dependency)
    yield* Effect.promise(() => mkdir(dirname(link), { recursive: true }))
    yield* Effect.promise(() => symlink(join(root, "packages", user, "node_modules", dependency), link))
  }
  return home
})
