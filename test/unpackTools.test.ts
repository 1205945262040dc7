/**
 * Archives that other programs make are unpacked as these programs unpack them.
 */
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { unpack } from "@effect-acr/artifacts/Folder"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { isInstalled, run, temporaryFolder } from "./support/command.ts"

const longest = 100

/** A tree with what formats differ in. Those of old hold no long names. */
const makeTree = async (folder: string, long: boolean) => {
  const at = (name: string) => join(folder, name)
  await mkdir(at("d/empty"), { recursive: true })
  await mkdir(at("closed"))
  await writeFile(at("d/program"), "#!/bin/sh\n")
  await chmod(at("d/program"), 0o755)
  await writeFile(at("d/large"), new Uint8Array(200_001).fill(7))
  await writeFile(at("closed/inner"), "x")
  await writeFile(at("x".repeat(longest - 2)), "name of 98 bytes")
  await writeFile(at("empty"), "")
  await writeFile(at("with space"), "", { mode: 0o600 })
  await link(at("d/program"), at("hard"))
  await symlink("d/program", at("link"))
  await symlink("../with space", at("d/up"))
  await symlink("nowhere", at("dangling"))
  if (long) {
    const deep = `${"folder/".repeat(30)}${"y".repeat(200)}`
    await mkdir(at(deep), { recursive: true })
    await writeFile(at(`${deep}/${"z".repeat(255)}`), "deep")
    await writeFile(at("ünïcödé 😀"), "unicode")
    await symlink(`d/${"t".repeat(200)}`, at("long link"))
    await link(at(`${deep}/${"z".repeat(255)}`), at("hard to long"))
  }
  const time = new Date("2020-01-02T03:04:05Z")
  for (const name of ["d/program", "d/large", "closed/inner", "closed", "d"]) await utimes(at(name), time, time)
  await chmod(at("closed"), 0o555)
}

/** All of a tree: kinds, modes, times of what is no link, content, and which files are one. */
const treeOf = async (folder: string) => {
  const first = new Map<bigint, string>()
  const names = (await readdir(folder, { recursive: true })).toSorted()
  const tree: Array<readonly [string, string, unknown]> = []
  for (const name of names) {
    const at = join(folder, name)
    const info = await lstat(at, { bigint: true })
    const mode = (info.mode & 0o777n).toString(8)
    const seconds = info.mtimeMs / 1000n
    if (info.isSymbolicLink()) tree.push([name, "link", await readlink(at)])
    else if (info.isDirectory()) tree.push([name, `folder ${mode}`, seconds])
    else {
      const same = first.get(info.ino) ?? name
      first.set(info.ino, same)
      tree.push([name, `file ${mode} ${seconds} ${same}`, (await readFile(at)).toString("base64")])
    }
  }
  return tree
}

const gnu = (format: string) => ({
  name: `GNU tar --format=${format}`,
  long: format !== "ustar" && format !== "v7",
  program: "tar",
  args: (archive: string, tree: string) => ["--create", `--format=${format}`, "--file", archive, "-C", tree, "."]
})

const python = (format: string) => ({
  name: `Python's tarfile, ${format}`,
  long: format !== "USTAR_FORMAT",
  program: "python3",
  args: (archive: string, tree: string) => [
    "-c",
    `import sys, tarfile\nwith tarfile.open(sys.argv[1], "w", format=tarfile.${format}) as t: t.add(sys.argv[2], ".")`,
    archive,
    tree
  ]
})

const programs = [
  gnu("gnu"),
  gnu("oldgnu"),
  gnu("pax"),
  gnu("ustar"),
  gnu("v7"),
  python("GNU_FORMAT"),
  python("PAX_FORMAT"),
  python("USTAR_FORMAT")
]

const unpackFile = (archive: string, folder: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => unpack(files.stream(archive), folder)).pipe(
    Effect.provide(NodeServices.layer)
  )

describe("an archive", () => {
  for (const { args, long, name, program } of programs) {
    it.live.skipIf(!isInstalled(program) || !isInstalled("tar"))(`of ${name} is unpacked as tar does it`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const at = (one: string) => join(folder, one)
        const tree = at("tree")
        const archive = at("a.tar")
        const ours = at("ours")
        const theirs = at("theirs")
        yield* Effect.promise(() => makeTree(tree, long))
        yield* run(program, args(archive, tree))
        yield* Effect.promise(() => mkdir(theirs))
        yield* run("tar", ["--extract", "--preserve-permissions", "--file", archive, "-C", theirs])
        yield* unpackFile(archive, ours)
        const expected = yield* Effect.promise(() => treeOf(theirs))
        assert.isAbove(expected.length, 12)
        assert.deepStrictEqual(yield* Effect.promise(() => treeOf(ours)), expected)
        assert.deepStrictEqual(expected, yield* Effect.promise(() => treeOf(tree)))
      })
    )
  }

  it.live.skipIf(!isInstalled("tar"))("of GNU tar with a sparse file is refused", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const archive = join(folder, "a.tar")
      yield* run("truncate", ["--size=10M", join(folder, "sparse")])
      for (const format of ["gnu", "pax"]) {
        const options = ["--create", "--sparse", `--format=${format}`]
        yield* run("tar", [...options, "--file", archive, "-C", folder, "sparse"])
        const error = yield* Effect.flip(unpackFile(archive, join(folder, "out")))
        assert.strictEqual(error._tag === "FolderError" && error.reason._tag, "InvalidArchive")
      }
    })
  )
})
