/**
 * The workspace in a folder of its own, which a test may change as it likes.
 */
import { chmod, cp, symlink } from "node:fs/promises"
import { delimiter, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { run, temporaryFolder } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Copies the files of the workspace, without those that Git or a build makes. */
const copyFiles = (folder: string, isLeftOut: (path: string) => boolean) =>
  Effect.promise(() =>
    cp(root, folder, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) =>
        !isLeftOut(relative(root, path)) &&
        !/(?:^|\/)(?:\.git|dist|coverage|\.(?:snippets|reference)-.*)$/.test(relative(root, path))
    })
  )

/** A copy that shares the installed packages. pnpm must not run in it, because it would write into these. */
export const linkedWorkspace = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  yield* copyFiles(folder, (path) => path === "node_modules")
  yield* Effect.promise(() => symlink(join(root, "node_modules"), join(folder, "node_modules")))
  return folder
})

/** A copy with packages of its own, in which all tests can run. */
export const installedWorkspace = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  // Tests start programs of the workspace as a user with fewer rights.
  yield* Effect.promise(() => chmod(folder, 0o755))
  yield* copyFiles(folder, (path) => /(?:^|\/)node_modules$/.test(path))
  yield* run("npx", ["-y", "pnpm@12", "install", "--frozen-lockfile", "--prefer-offline"], { cwd: folder })
  return folder
})

/** The environment of a command in a copy: with the tools, and the Node, that the copy has installed. */
export const environmentIn = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${join(folder, "node_modules/.bin")}${delimiter}${process.env["PATH"]}`
})
