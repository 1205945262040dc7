/**
 * Makes the root folder of a container as `packages/emulator/Containerfile` describes it, without a container runtime:
 * `node test/release/rootfs.ts ARCHIVE FOLDER` with the packed emulator. Tests start the emulator in it.
 */
import { copyFile, mkdir, realpath } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { run } from "../support/command.ts"

/** The libraries that Node is linked to, by their absolute paths. */
const libraries = Effect.map(run("ldd", [process.execPath]), (printed) =>
  Array.from(printed.matchAll(/(?:=> )?(\/\S+) \(0x/g), ([, path = ""]) => path)
)

/** Copies a file to the same place within the folder, as the file that its links lead to. */
const copyInto = (folder: string, path: string, to = path): Promise<void> =>
  mkdir(join(folder, dirname(to)), { recursive: true })
    .then(() => realpath(path))
    .then((source) => copyFile(source, join(folder, to)))

/** Fills a folder with Node and the package of an archive. */
export const makeRootfs = Effect.fnUntraced(function* (archive: string, folder: string) {
  const home = join(folder, "opt/acr-emulator")
  for (const path of [home, join(folder, "tmp"), join(folder, "data")]) {
    yield* Effect.promise(() => mkdir(path, { recursive: true, mode: 0o777 }))
  }
  yield* run("chmod", ["755", folder])
  yield* run("chmod", ["777", join(folder, "tmp"), join(folder, "data")])
  yield* run("tar", ["--extract", "--file", archive, "--directory", home])
  for (const library of yield* libraries) yield* Effect.promise(() => copyInto(folder, library))
  yield* Effect.promise(() => copyInto(folder, process.execPath, "/usr/local/bin/node"))
})

if (import.meta.main) {
  const [archive = "", folder = ""] = process.argv.slice(2)
  NodeRuntime.runMain(makeRootfs(archive, folder))
}
