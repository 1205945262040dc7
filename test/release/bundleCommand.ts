/**
 * Makes few files of each command and all that it imports: reading hundreds took most of its start. A part of
 * `npx -y pnpm@12 build`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type OutputOptions, rolldown, type RolldownOutput } from "rolldown"

/** A command, of which the compiler made a folder of modules. */
interface Command {
  /** The folder of the bundle. Its modules are replaced; the entry keeps its name, which `bin.js` imports. */
  readonly folder: string
  /** Files in the folder that stay as the compiler made them. */
  readonly keeps: ReadonlyArray<string>
  readonly isMinified: boolean
}

const packages = fileURLToPath(new URL("../../packages", import.meta.url))

const commands: ReadonlyArray<Command> = [
  { folder: join(packages, "emulator/dist/internal/program"), keeps: [], isMinified: false },
  { folder: join(packages, "cli/dist"), keeps: ["bin.js"], isMinified: true }
]

/** The modules that are read at each start: those of the entry, and those of the files that it imports. */
const readAtStart = ({ output }: RolldownOutput): ReadonlySet<string> => {
  const chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])))
  const reached = new Set(["main.js"])
  for (const name of reached) for (const imported of chunks.get(name)?.imports ?? []) reached.add(imported)
  return new Set(Array.from(reached).flatMap((name) => chunks.get(name)?.moduleIds ?? []))
}

/** Bundles a command: one file for what each start reads, and files for what is imported later. */
const bundle = async ({ folder, isMinified }: Command): Promise<RolldownOutput> => {
  const bundled = await rolldown({ input: join(folder, "main.js"), platform: "node" })
  const options: OutputOptions = {
    entryFileNames: "main.js",
    chunkFileNames: "[name]-[hash].js",
    minify: isMinified
  }
  const modules = readAtStart(await bundled.generate(options))
  const atStart = { name: "start", test: (module: string) => modules.has(module) }
  return bundled.generate({ ...options, codeSplitting: { groups: [atStart] } })
}

/** The folder of the package of other people that a module belongs to. */
const packageOf = (module: string): string | undefined =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0]

/** The terms under which a package may be copied. */
const licenseOf = (home: string): string => {
  const file = existsSync(home) ? readdirSync(home).find((name) => /^licen[cs]e/i.test(name)) : undefined
  if (file === undefined) throw new Error(`${home} has no license`)
  return readFileSync(join(home, file), "utf8")
}

/** The licenses of all packages that a bundle contains. */
const licensesOf = ({ output }: RolldownOutput): string => {
  const homes = new Set(
    output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : [])).flatMap((module) => packageOf(module) ?? [])
  )
  return [...homes]
    .map((home) => `${home.replace(/^.*\/node_modules\//, "")}\n\n${licenseOf(home)}`)
    .toSorted((one, other) => one.localeCompare(other))
    .join("\n\n")
}

const empty = async ({ folder, keeps }: Command): Promise<void> => {
  const names = (await readdir(folder)).filter((name) => !keeps.includes(name))
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true })))
}

for (const command of commands) {
  const result = await bundle(command)
  const licenses = licensesOf(result)
  await empty(command)
  for (const file of result.output) {
    const path = join(command.folder, file.fileName)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, file.type === "chunk" ? file.code : file.source)
  }
  await writeFile(join(command.folder, "LICENSES"), licenses)
}
