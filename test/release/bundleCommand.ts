/**
 * Makes few files of the emulator's command and all that it imports: reading hundreds took most of its start. A part of
 * `npx -y pnpm@12 build`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

/** What the compiler made of the command is replaced. Its entry has the same name then, which `bin.js` imports. */
const folder = fileURLToPath(new URL("../../packages/emulator/dist/internal/command/", import.meta.url))

const bundle = await rolldown({ input: join(folder, "main.js"), platform: "node" })
const { output } = await bundle.generate({ entryFileNames: "main.js", chunkFileNames: "[name]-[hash].js" })

/** The folder of the package of other people that a module belongs to. */
const packageOf = (module: string): string | undefined =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0]

/** The terms under which a package may be copied. */
const licenseOf = (home: string): string => {
  const file = existsSync(home) ? readdirSync(home).find((name) => /^licen[cs]e/i.test(name)) : undefined
  if (file === undefined) throw new Error(`${home} has no license`)
  return readFileSync(join(home, file), "utf8")
}

const homes = new Set(
  output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : [])).flatMap((module) => packageOf(module) ?? [])
)

const licenses = [...homes]
  .map((home) => `${home.replace(/^.*\/node_modules\//, "")}\n\n${licenseOf(home)}`)
  .toSorted((one, other) => one.localeCompare(other))
  .join("\n\n")

await rm(folder, { recursive: true })
await mkdir(folder)
for (const file of output) {
  await mkdir(dirname(join(folder, file.fileName)), { recursive: true })
  await writeFile(join(folder, file.fileName), file.type === "chunk" ? file.code : file.source)
}
await writeFile(join(folder, "LICENSES"), licenses)
