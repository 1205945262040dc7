/**
 * The programs that tests start, as `bundlePrograms` makes them of the sources.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const packages = fileURLToPath(new URL("../../packages", import.meta.url))

const programOf = (name: string, source: string) => {
  const home = join(packages, name)
  // Three levels below the package, where the emulator looks for its package.json.
  const folder = join(home, "node_modules/.cache/program")
  return { source: join(home, source), folder, file: join(folder, "main.js") }
}

const eacr = programOf("cli", "src/bin.ts")

const emulator = programOf("emulator", "src/bin.ts")

/** All of them: the source that each begins with, and the folder of its bundle. */
export const programs = [eacr, emulator]

/** The command `eacr`. */
export const eacrFile = eacr.file

/** The command of the emulator. */
export const emulatorFile = emulator.file
