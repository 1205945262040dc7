/**
 * Bundles the programs that tests start, once for all tests: Node would read and compile hundreds of modules for each start.
 */
import { existsSync, globSync, statSync } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { build } from "rolldown"
import { packages, programs } from "./programs.ts"

const changed = (file: string): number => statSync(file).mtimeMs

/** The time of the latest change of what the programs are made of. */
const lastChange = (): number => {
  const sources = globSync("*/src/**/*.ts", { cwd: packages })
  return Math.max(...[...sources, "../pnpm-lock.yaml"].map((file) => changed(join(packages, file))))
}

/** Vitest calls this once for each of its projects. */
export const setup = async (): Promise<void> => {
  const sources = lastChange()
  for (const { folder, source } of programs) {
    if (existsSync(folder) && changed(folder) > sources) continue
    const made = `${folder}.${process.pid}`
    await build({
      input: { main: source },
      platform: "node",
      logLevel: "silent",
      output: { dir: made, entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" }
    })
    await rm(folder, { recursive: true, force: true })
    await rename(made, folder)
  }
}
