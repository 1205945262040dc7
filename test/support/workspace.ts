/**
 * The workspace in a folder of its own, which a test may change as it likes.
 */
import { cp, mkdir, readdir, symlink } from "node:fs/promises"
import { delimiter, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { temporaryFolder } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const isLeftOut = (path: string): boolean =>
  path === "node_modules" || /(?:^|\/)(?:\.git|dist|coverage|\.(?:snippets|reference)-.*)$/.test(path)

/** What tools write beside the installed packages. A copy has its own. */
const isCache = (name: string): boolean => /^\.(?:tmp|vite.*)$/.test(name)

const linkPackages = async (folder: string): Promise<void> => {
  const installed = join(root, "node_modules")
  await mkdir(join(folder, "node_modules"))
  for (const name of await readdir(installed)) {
    if (!isCache(name)) await symlink(join(installed, name), join(folder, "node_modules", name))
  }
}

/** A copy of the workspace, with the packages that it has installed. It goes with the scope. */
export const workspaceCopy = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  yield* Effect.promise(async () => {
    await cp(root, folder, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !isLeftOut(relative(root, path))
    })
    await linkPackages(folder)
  })
  return folder
})

/** The environment of a command in a copy: the tools, and the Node, that the workspace brings. */
export const workspaceEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env["PATH"]}`
}
