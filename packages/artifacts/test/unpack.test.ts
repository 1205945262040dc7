/**
 * Archives that are unpacked into folders: valid, hostile and truncated ones.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { unpack, type UnpackOptions } from "../src/Folder.ts"
import {
  archive,
  bytes,
  denied,
  end,
  old,
  outside,
  pax,
  place,
  raw,
  reasonOf,
  restOf,
  treeOf,
  used
} from "./support/archives.ts"
import { layer as platform } from "./support/layouts.ts"

const replacing = archive(Tar.file("replaced", "new"), Tar.file("a/added", "added"))

/** The file system of a user that is not root: nothing changes in a folder whose owner may not write, or not enter it. */
const asOwner = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const ifAllowed = (needed: number) => (method: string, at: string, effect: Effect.Effect<void, PlatformError>) =>
    Effect.flatMap(files.stat(path.dirname(at)), ({ mode }) =>
      (mode & needed) === needed ? effect : Effect.fail(denied(method, at))
    )
  const ifWritable = ifAllowed(0o300)
  const ifOpen = ifAllowed(0o100)
  return FileSystem.FileSystem.of({
    ...files,
    makeDirectory: (at, options) => {
      const making = files.makeDirectory(at, options)
      return options?.recursive === true ? making : ifWritable("makeDirectory", at, making)
    },
    rename: (from, to) => ifWritable("rename", to, files.rename(from, to)),
    chmod: (at, mode) => ifOpen("chmod", at, files.chmod(at, mode)),
    utimes: (at, atime, mtime) => ifOpen("utimes", at, files.utimes(at, atime, mtime))
  })
})

layer(platform)("an archive", (it) => {
  it.effect("is unpacked with its modes and times", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* place
      const mtime = new Date("2001-02-03T04:05:06Z")
      const umask = process.umask(0o077)
      const done = yield* unpack(
        archive(
          Tar.directory("./"),
          Tar.directory("./d", { mode: 0o750, mtime }),
          Tar.file("./d/program", "run", { mode: 0o777, mtime }),
          Tar.file(".//d///private", "", { mode: 0o600 }),
          Tar.file("implied/deep/file", "x".repeat(200_000), { mode: 0o644, mtime }),
          Tar.symlink("d/up", "../implied/deep"),
          Tar.symlink("loop", "loop"),
          Tar.symlink("self", "."),
          Tar.hardlink("hard", "./d/program")
        ),
        folder
      ).pipe(Effect.ensuring(Effect.sync(() => process.umask(umask))))
      assert.deepStrictEqual(done, { entries: 8, bytes: 200_003 })
      assert.deepStrictEqual(yield* treeOf(folder), {
        d: "folder 750",
        "d/private": "600 ",
        "d/program": "777 run",
        "d/up": "-> ../implied/deep",
        hard: "777 run",
        implied: "folder 755",
        "implied/deep": "folder 755",
        "implied/deep/file": `644 ${"x".repeat(200_000)}`,
        loop: "-> loop",
        self: "-> ."
      })
      for (const name of ["d", "d/program", "implied/deep/file"]) {
        assert.deepStrictEqual((yield* files.stat(at(name))).mtime, Option.some(mtime), name)
      }
      assert.deepStrictEqual((yield* files.stat(at("hard"))).ino, (yield* files.stat(at("d/program"))).ino)
    })
  )

  it.effect("has no setuid, setgid and sticky bits when it is unpacked", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      yield* unpack(archive(Tar.file("f", "", { mode: 0o7755 }), Tar.directory("d", { mode: 0o7777 })), folder)
      assert.deepStrictEqual(yield* treeOf(folder), { d: "folder 777", f: "755 " })
    })
  )

  it.effect("with inaccessible folders is unpacked, also a second time", () =>
    Effect.gen(function* () {
      const files = yield* asOwner
      const { folder } = yield* place
      const closed = archive(
        Tar.directory("d", { mode: 0o555 }),
        Tar.directory("d/e", { mode: 0o500 }),
        Tar.file("d/e/f", "f", { mode: 0o444 }),
        Tar.symlink("d/e/l", "f"),
        Tar.directory("none", { mode: 0 }),
        Tar.directory("none/inner", { mode: 0 })
      )
      const closedFolders = { none: "folder 0", "none/inner": "folder 0" }
      const expected = { ...closedFolders, d: "folder 555", "d/e": "folder 500", "d/e/f": "444 f", "d/e/l": "-> f" }
      for (const _ of [1, 2]) {
        yield* Effect.provideService(unpack(closed, folder), FileSystem.FileSystem, files)
        assert.deepStrictEqual(yield* treeOf(folder), expected)
      }
    })
  )

  it.effect("creates its folder, also behind a symbolic link", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at } = yield* place
      yield* unpack(archive(Tar.file("a", "1")), at("x/y"))
      yield* files.symlink(at("x/y"), at("link"))
      yield* unpack(archive(Tar.file("b", "2")), at("link"))
      assert.deepStrictEqual(yield* treeOf(at("x/y")), { a: "644 1", b: "644 2" })
    })
  )

  it.effect("leaves the folder its mode", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { folder } = yield* place
      yield* files.chmod(folder, 0o700)
      yield* unpack(archive(Tar.directory("./", { mode: 0o777 }), Tar.file("./a", "")), folder)
      assert.strictEqual((yield* files.stat(folder)).mode & 0o777, 0o700)
    })
  )

  it.effect("replaces files, keeps others, and merges folders", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* used
      yield* files.makeDirectory(at("a"), { mode: 0o700 })
      yield* files.writeFileString(at("a/mine"), "mine")
      yield* unpack(replacing, folder)
      assert.deepStrictEqual(yield* treeOf(folder), {
        a: "folder 700",
        "a/added": "644 added",
        "a/mine": "644 mine",
        kept: "644 kept",
        replaced: "644 new"
      })
    })
  )

  it.effect("replaces no file without overwrite, and then adds none", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const entries = archive(Tar.file("a/added", "added"), Tar.file("replaced", "new"))
      const reason = yield* reasonOf(entries, folder, { overwrite: false })
      assert.strictEqual(reason._tag, "AlreadyThere")
      assert.strictEqual(reason.description, '"replaced" is there already')
      assert.deepStrictEqual(yield* treeOf(folder), old)
      yield* unpack(archive(Tar.directory("d"), Tar.file("d/new", "")), folder, { overwrite: false })
      yield* unpack(archive(Tar.directory("d"), Tar.file("d/newer", "")), folder, { overwrite: false })
      assert.deepStrictEqual(yield* treeOf(folder), { ...old, d: "folder 755", "d/new": "644 ", "d/newer": "644 " })
    })
  )

  it.effect("without entries unpacks to nothing, with its end and without", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      for (const nothing of [Stream.empty, archive(), bytes(end)]) {
        assert.deepStrictEqual(yield* unpack(nothing, folder), { entries: 0, bytes: 0 })
      }
      assert.deepStrictEqual(yield* treeOf(folder), {})
    })
  )

  it.effect("needs no zero blocks at its end, and may have more", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      yield* unpack(bytes(raw({ name: "a", content: "1" })), folder)
      yield* unpack(bytes(raw({ name: "b", content: "2" }), end, end, new Uint8Array(10_240)), folder)
      assert.deepStrictEqual(yield* treeOf(folder), { a: "644 1", b: "644 2" })
    })
  )

  it.effect("unpacks the later of two entries with the same name", () =>
    Effect.gen(function* () {
      const { base, folder } = yield* place
      yield* unpack(
        archive(
          Tar.file("f", "first"),
          Tar.hardlink("h", "f"),
          Tar.file("f", "second", { mode: 0o600 }),
          Tar.symlink("l", "f"),
          Tar.file("l", "not through the link"),
          Tar.symlink("d", "f"),
          Tar.directory("d"),
          Tar.file("d/x", "x"),
          Tar.directory("d", { mode: 0o700 }),
          Tar.file("s", "gone"),
          Tar.symlink("s", "f")
        ),
        folder
      )
      assert.deepStrictEqual(yield* treeOf(folder), {
        d: "folder 700",
        "d/x": "644 x",
        f: "600 second",
        h: "644 first",
        l: "644 not through the link",
        s: "-> f"
      })
      assert.deepStrictEqual(yield* restOf(base), outside)
    })
  )

  it.effect("has hard links also where a file system has none, within the limit", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* place
      const without = FileSystem.FileSystem.of({ ...files, link: (_, at) => Effect.fail(denied("link", at)) })
      const mtime = new Date("2001-02-03T04:05:06Z")
      const linked = archive(
        Tar.file("a", "12345", { mode: 0o640, mtime }),
        Tar.hardlink("b", "a"),
        Tar.hardlink("c", "b"),
        Tar.file("a", "6")
      )
      const unpacked = (options?: UnpackOptions) =>
        Effect.provideService(unpack(linked, folder, options), FileSystem.FileSystem, without)
      const error = yield* Effect.flip(unpacked({ maxBytes: 15 }))
      assert.strictEqual(error._tag === "FolderError" && error.reason._tag, "LimitExceeded")
      assert.deepStrictEqual(yield* treeOf(folder), {})
      yield* unpacked({ maxBytes: 16 })
      assert.deepStrictEqual(yield* treeOf(folder), { a: "644 6", b: "640 12345", c: "640 12345" })
      assert.deepStrictEqual((yield* files.stat(at("c"))).mtime, Option.some(mtime))
    })
  )

  it.effect("may have a label, as GNU tar writes it", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      yield* unpack(bytes(raw({ name: "../label", typeflag: "V" }), raw({ name: "a" }), end), folder)
      assert.deepStrictEqual(yield* treeOf(folder), { a: "644 " })
    })
  )

  it.effect("may have links that go up through its own folders", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      yield* unpack(
        archive(Tar.symlink("l", "d/e/../f"), Tar.symlink("d/m", "../d/e/../.."), Tar.file("d/e/x", "")),
        folder
      )
      const tree = yield* treeOf(folder)
      assert.strictEqual(tree["l"], "-> d/e/../f")
      assert.strictEqual(tree["d/m"], "-> ../d/e/../..")
    })
  )

  it.effect("with a prefix is unpacked without it, and refused if names do not begin with it", () =>
    Effect.gen(function* () {
      const { base, folder } = yield* place
      const inside = archive(
        Tar.directory("./site/", { mode: 0o700 }),
        Tar.file("site/a", "1"),
        Tar.hardlink("site/d/b", "site/a"),
        Tar.symlink("site/d/up", "../a")
      )
      yield* unpack(inside, folder, { prefix: "site" })
      const tree = { a: "644 1", d: "folder 755", "d/b": "644 1", "d/up": "-> ../a" }
      assert.deepStrictEqual(yield* treeOf(folder), tree)
      for (const entry of [
        Tar.file("other", ""),
        Tar.file("sites/a", ""),
        Tar.file("site", ""),
        Tar.file("site//../a", ""),
        Tar.symlink("site", "../outside"),
        Tar.symlink("site/l", "../site/a"),
        Tar.hardlink("site/h", "a")
      ]) {
        const reason = yield* reasonOf(archive(Tar.file("site/a", "1"), entry), folder, { prefix: "site" })
        assert.strictEqual(reason._tag, "RefusedEntry", entry.header.path)
        assert.deepStrictEqual(yield* treeOf(folder), tree)
        assert.deepStrictEqual(yield* restOf(base), outside)
      }
    })
  )

  it.effect("skips devices and pipes on request", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      const special = bytes(
        ...["3", "4", "6"].map((typeflag) => raw({ name: `dev/${typeflag}`, typeflag })),
        raw({ name: "a" })
      )
      assert.deepStrictEqual(yield* unpack(special, folder, { specialFiles: "skip" }), { entries: 1, bytes: 0 })
      assert.deepStrictEqual(yield* treeOf(folder), { a: "644 " })
    })
  )

  it.effect("of many files in few folders checks each folder once", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { folder } = yield* place
      let looks = 0
      const counting = FileSystem.FileSystem.of({
        ...files,
        lstat: (at) => {
          looks += 1
          return files.lstat(at)
        }
      })
      const many = Array.from({ length: 500 }, (_, i) => Tar.file(`a/b/c/d/e/f/g/${i % 5}/${i}`, ""))
      yield* Effect.provideService(unpack(archive(...many), folder), FileSystem.FileSystem, counting)
      assert.isAtMost(looks, 2 * (7 + 5))
    })
  )
})

interface Attack {
  readonly tar: Stream.Stream<Uint8Array, unknown>
  readonly says: string
}

const refused: Readonly<Record<string, Attack>> = {
  "a name that goes up": { tar: archive(Tar.file("../x", "")), says: '"../x": it leaves the folder by ..' },
  "a name that goes down and up": { tar: archive(Tar.file("a/../../x", "")), says: "it leaves the folder by .." },
  "a name that goes up within": { tar: archive(Tar.file("a/../b", "")), says: "it leaves the folder by .." },
  "a folder that goes up": { tar: archive(Tar.directory("../x")), says: "it leaves the folder by .." },
  "the folder above": { tar: archive(Tar.directory("..")), says: "it leaves the folder by .." },
  "a cleaned name that goes up": { tar: archive(Tar.file(".//./../x", "")), says: "it leaves the folder by .." },
  "an absolute name": { tar: archive(Tar.file("/tmp/x", "")), says: "it is absolute" },
  "an absolute name after ./": { tar: archive(Tar.file("//x", "")), says: "it is absolute" },
  "no name": { tar: bytes(raw({ name: "" }), end), says: '"": it is empty' },
  "a name with a line feed": { tar: archive(Tar.file("a\nb", "")), says: '"a\\nb": it has control characters' },
  "a name that is no UTF-8": {
    tar: bytes(raw({ name: new Uint8Array([0x61, 0xff]) }), end),
    says: "it is not valid Unicode"
  },
  "a long part of a name": { tar: archive(Tar.file("x".repeat(256), "")), says: "longer than 255 bytes" },
  "a long name": { tar: archive(Tar.file("abc/".repeat(2000).concat("x"), "")), says: "longer than 4096 bytes" },
  "a deep name": { tar: archive(Tar.file("a/".repeat(200).concat("x"), "")), says: "more than 128 folders deep" },
  "a file whose name ends with /": { tar: bytes(raw({ name: "a/" }), end), says: "a file whose name ends with /" },
  "the folder itself as a file": { tar: bytes(raw({ name: "." }), end), says: "a part of it is ." },
  "the folder itself as a link": { tar: archive(Tar.symlink(".", "../outside")), says: "a part of it is ." },
  "the folder itself as a link, with /": { tar: archive(Tar.symlink("./", "../outside")), says: "it is empty" },

  "an absolute link": { tar: archive(Tar.symlink("l", "/etc/passwd")), says: "a link to an absolute path" },
  "a link that leads up": { tar: archive(Tar.symlink("l", "../outside")), says: "leads outside of the folder" },
  "a link that leads up from a folder": {
    tar: archive(Tar.symlink("a/b/l", "../../../outside")),
    says: "leads outside of the folder"
  },
  "a link that leads down and up": {
    tar: archive(Tar.symlink("l", "a/../../outside")),
    says: "leads outside of the folder"
  },
  "a link to nothing": { tar: bytes(raw({ name: "l", typeflag: "2" }), end), says: "a link without a target" },
  "a link with a long target": {
    tar: archive(Tar.symlink("l", "a/".repeat(3000))),
    says: "a link whose target cannot be written"
  },
  "a link with a deep target": { tar: archive(Tar.symlink("l", "a/".repeat(1000))), says: "target is too deep" },
  "a chain of links": {
    tar: archive(Tar.symlink("a", "."), Tar.symlink("a/b", ".."), Tar.file("a/b/x", "")),
    says: 'an earlier entry made a link of "a"'
  },
  "a chain of links whose text stays inside": {
    tar: archive(
      Tar.directory("d/e"),
      Tar.symlink("d/e/root", "../.."),
      Tar.symlink("out", "d/e/root/../outside/secret")
    ),
    says: "a link that goes up through another link"
  },
  "such a chain in the other order": {
    tar: archive(Tar.symlink("out", "d/e/root/../outside/secret"), Tar.symlink("d/e/root", "../..")),
    says: "a link that goes up through another link"
  },
  "such a chain by another case": {
    tar: archive(Tar.symlink("out", "d/e/ROOT/../outside/secret"), Tar.symlink("d/e/root", "../..")),
    says: "a link that goes up through another link"
  },
  "a link that goes up through what is not there": {
    tar: archive(Tar.symlink("out", "d/e/..")),
    says: "or through nothing"
  },
  "a file behind a link": {
    tar: archive(Tar.directory("d"), Tar.symlink("l", "d"), Tar.file("l/x", "")),
    says: 'an earlier entry made a link of "l"'
  },
  "a folder behind a link": {
    tar: archive(Tar.symlink("l", "d"), Tar.directory("l/x/y")),
    says: 'an earlier entry made a link of "l"'
  },
  "a file behind a file": {
    tar: archive(Tar.file("f", ""), Tar.file("f/x", "")),
    says: 'an earlier entry made a file of "f"'
  },
  "a file in the place of a folder": {
    tar: archive(Tar.file("f/x", ""), Tar.file("f", "")),
    says: "an earlier entry made a folder of it"
  },
  "a link in the place of a folder": {
    tar: archive(Tar.directory("f"), Tar.symlink("f", ".")),
    says: "an earlier entry made a folder of it"
  },

  "a hard link to an absolute path": {
    tar: archive(Tar.hardlink("h", "/etc/passwd")),
    says: '"/etc/passwd": it is absolute'
  },
  "a hard link outside": {
    tar: archive(Tar.hardlink("h", "../outside/secret")),
    says: "it leaves the folder by .."
  },
  "a hard link to a file in the folder of the process": {
    tar: archive(Tar.hardlink("h", "package.json")),
    says: "which is not a file of an earlier entry"
  },
  "a hard link to a later entry": {
    tar: archive(Tar.hardlink("h", "f"), Tar.file("f", "")),
    says: "which is not a file of an earlier entry"
  },
  "a hard link to a link": {
    tar: archive(Tar.symlink("l", "f"), Tar.hardlink("h", "l")),
    says: "which is not a file of an earlier entry"
  },
  "a hard link to a folder": {
    tar: archive(Tar.directory("d"), Tar.hardlink("h", "d")),
    says: "which is not a file of an earlier entry"
  },
  "a hard link to a file through a link": {
    tar: archive(Tar.file("d/f", ""), Tar.symlink("l", "d"), Tar.hardlink("h", "l/f")),
    says: "which is not a file of an earlier entry"
  },
  "a hard link to nothing": { tar: bytes(raw({ name: "h", typeflag: "1" }), end), says: '"": it is empty' },
  "a hard link to a file that became a link": {
    tar: archive(Tar.file("f", ""), Tar.symlink("f", "x"), Tar.hardlink("h", "f")),
    says: "which is not a file of an earlier entry"
  },

  "two names that differ in case": {
    tar: archive(Tar.file("Makefile", ""), Tar.file("makefile", "")),
    says: '"makefile": it is the same as "Makefile" on some file systems'
  },
  "two compositions of one name": {
    tar: archive(Tar.file("caf\u00e9", ""), Tar.file("cafe\u0301", "")),
    says: "on some file systems"
  },
  "folders that differ in case": {
    tar: archive(Tar.file("A/x", ""), Tar.file("a/y", "")),
    says: 'it is the same as "A" on some file systems'
  },
  "a link and a folder that differ in case": {
    tar: archive(Tar.symlink("A", "."), Tar.file("a/y", "")),
    says: 'it is the same as "A" on some file systems'
  },

  "a character device": { tar: bytes(raw({ name: "d", typeflag: "3" }), end), says: "a device or a pipe" },
  "a block device": { tar: bytes(raw({ name: "d", typeflag: "4" }), end), says: "a device or a pipe" },
  "a pipe": { tar: bytes(raw({ name: "d", typeflag: "6" }), end), says: "a device or a pipe" },
  "a whiteout": { tar: archive(Tar.file("d/.wh.f", "")), says: "a whiteout" },
  "an opaque folder": { tar: archive(Tar.file(".wh..wh..opq", "")), says: "a whiteout" },
  "a file in a whiteout": { tar: archive(Tar.file(".wh.d/f", "")), says: "a whiteout" }
}

const invalid: Readonly<Record<string, Attack>> = {
  "a sparse file of GNU tar": {
    tar: bytes(raw({ name: "s", typeflag: "S" }), end),
    says: "GNU sparse files are not supported"
  },
  "a sparse file by records": {
    tar: bytes(pax({ "GNU.sparse.major": "1" }), raw({ name: "s" }), end),
    says: "GNU sparse files are not supported"
  },
  "a file that continues in another archive": {
    tar: bytes(raw({ name: "m", typeflag: "M" }), end),
    says: 'an entry of type "M"'
  },
  "a file whose content is cut off": { tar: bytes(raw({ name: "a", size: 1000 })), says: "unexpected end" },
  "a header that is cut off": { tar: bytes(raw({ name: "a" }).subarray(0, 511)), says: "unexpected end" },
  "an extended header without its entry": { tar: bytes(pax({ path: "a" }), end), says: "unexpected end" },
  "a name with NUL": { tar: bytes(pax({ path: "a\0b" }), raw({ name: "a" }), end), says: "invalid PAX record" },
  "a hard link with content": {
    tar: bytes(raw({ name: "f" }), raw({ name: "h", typeflag: "1", linkname: "f", content: "1" }), end),
    says: "checksum"
  },
  "what is no archive": { tar: bytes(new TextEncoder().encode("no archive".repeat(200))), says: "invalid octal" }
}

const limits: Readonly<Record<string, Attack & { readonly options?: UnpackOptions }>> = {
  "content that is larger": {
    tar: archive(Tar.file("a", "123"), Tar.file("b", "456")),
    options: { maxBytes: 5 },
    says: "larger than 5 bytes"
  },
  "more entries": {
    tar: archive(Tar.file("a", ""), Tar.file("b", "")),
    options: { maxEntries: 1 },
    says: "more than 1 entries"
  },
  "more folders that no entry names": {
    tar: archive(Tar.file("a/b/c/d", "")),
    options: { maxEntries: 3 },
    says: "more than 3 entries"
  },
  "more records of an entry": {
    tar: bytes(
      pax(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`x${i}`, "1"]))),
      raw({ name: "a" }),
      end
    ),
    says: "more than 1000 records"
  }
}

layer(platform)("a file that is not a tar archive", (it) => {
  it.effect.each([
    ["compressed", Uint8Array.from([0x1f, 0x8b, 8, 0])],
    ["a text", new TextEncoder().encode("no tar archive".repeat(100))]
  ] as const)("is refused, and the error names decompression: %s", ([, content]) =>
    Effect.gen(function* () {
      const { folder } = yield* place
      const reason = yield* reasonOf(bytes(content), folder)
      assert.strictEqual(reason._tag, "InvalidArchive")
      assert.include(reason.description, "Compression.decompress")
    })
  )
})

layer(platform)("a refused archive", (it) => {
  const kinds = [
    ["RefusedEntry", refused],
    ["InvalidArchive", invalid],
    ["LimitExceeded", limits]
  ] as const
  for (const [tag, attacks] of kinds) {
    describe(`for ${tag}`, () => {
      it.effect.each(Object.entries<Attack & { readonly options?: UnpackOptions }>(attacks))(
        "with %s",
        ([, { options, says, tar }]) =>
          Effect.gen(function* () {
            const { base, folder } = yield* place
            // Something good comes first, which is not published either.
            const withFirst = Stream.concat(bytes(raw({ name: "first", content: "first" })), tar)
            for (const one of tag === "LimitExceeded" ? [tar] : [tar, withFirst]) {
              const reason = yield* reasonOf(one, folder, options)
              assert.strictEqual(reason._tag, tag, reason.description)
              assert.include(reason.description, says)
              assert.deepStrictEqual(yield* treeOf(base), { ...outside, folder: "folder 755" })
            }
          })
      )
    })
  }
})
