/**
 * Folders that are packed are unpacked by GNU tar and Python as they were: the same names, modes, links and bytes.
 */
import { createHash } from "node:crypto"
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Folder from "@effect-acr/artifacts/Folder"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { golden } from "../packages/artifacts/test/support/folders.ts"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"

/** What is in a folder: types, modes as an archive has them, targets, content, and which names are one file. */
const treeOf = (folder: string) =>
  Effect.promise(async () => {
    const names = (await readdir(folder, { recursive: true })).toSorted()
    const first = new Map<number, string>()
    const found = []
    for (const name of names) {
      const at = join(folder, name)
      const info = await lstat(at)
      const same = info.isFile() && info.nlink > 1 ? (first.get(info.ino) ?? name) : undefined
      if (same !== undefined) first.set(info.ino, same)
      if (info.isSymbolicLink()) found.push([name, "link", await readlink(at)])
      else if (info.isDirectory()) found.push([name, "folder"])
      else
        found.push([
          name,
          (info.mode & 0o111) !== 0,
          createHash("sha256")
            .update(await readFile(at))
            .digest("hex"),
          same
        ])
    }
    return found
  })

const inScope = <A, E>(effect: Effect.Effect<A, E, NodeServices.NodeServices | FileSystem.FileSystem>) =>
  effect.pipe(Effect.provide(NodeServices.layer))

const packing = fileURLToPath(new URL("support/packProcess.ts", import.meta.url))

/** Programs that unpack a file into a folder. */
const unpackers: Readonly<Record<string, (file: string, to: string, locale: string) => ReturnType<typeof run>>> = {
  "GNU tar": (file, to, locale) => run("tar", ["-xf", file, "-C", to], { env: { ...process.env, LC_ALL: locale } }),
  Python: (file, to, locale) =>
    run("python3", ["-c", "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])", file, to], {
      env: { ...process.env, LC_ALL: locale, PYTHONWARNINGS: "ignore" }
    })
}

describe("an archive of a folder", () => {
  for (const [name, { digest, fill, options }] of Object.entries(golden)) {
    it.live(`that we pack is unpacked by others as it was: ${name}`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        const from = join(home, options?.prefix ?? "from")
        yield* Effect.promise(async () => {
          await mkdir(from)
          await fill(from)
        })
        const bytes = Bytes.concat(yield* Stream.runCollect(Folder.pack(from, options)))
        assert.strictEqual(createHash("sha256").update(bytes).digest("hex"), digest)
        const file = join(home, "archive.tar")
        yield* Effect.promise(() => writeFile(file, bytes))
        const expected = (yield* treeOf(from)).map((entry) =>
          options?.hardLinks === "copy" ? entry.slice(0, 3) : entry
        )
        for (const [program, unpack] of Object.entries(unpackers)) {
          if (program === "Python" && !isInstalled("python3")) continue
          for (const locale of ["C", "C.UTF-8"]) {
            const to = join(home, `${program} ${locale}`)
            yield* Effect.promise(() => mkdir(to))
            yield* unpack(file, to, locale)
            const found = yield* treeOf(join(to, options?.prefix ?? ""))
            assert.deepStrictEqual(
              found.map((entry) => (options?.hardLinks === "copy" ? entry.slice(0, 3) : entry)),
              expected,
              `${program} in ${locale}`
            )
          }
        }
      }).pipe(Effect.scoped, inScope)
    )
  }

  it.live("is the same in another locale, under another umask and in another time zone", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { digest, fill } = golden["names that are not ASCII"] ?? assert.fail()
      yield* Effect.promise(() => fill(home))
      for (const [locale, zone, umask] of [
        ["C", "UTC", "022"],
        ["tr_TR.UTF-8", "Asia/Kathmandu", "077"]
      ]) {
        const printed = yield* run(
          "sh",
          ["-c", `umask ${umask}; exec "$0" "$1" "$2"`, process.execPath, packing, home],
          {
            env: { ...process.env, LC_ALL: locale, LANG: locale, TZ: zone }
          }
        )
        assert.strictEqual(printed.trim(), digest, locale)
      }
    }).pipe(Effect.scoped)
  )
})
