/**
 * Folders that are packed: the same files produce the same archive, whose digest is a golden value, and unsafe content is refused.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmod, link, mkdir, symlink, truncate, utimes, writeFile } from "node:fs/promises"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Folder from "../src/Folder.ts"
import { golden, names, write } from "./support/folders.ts"

const emptyFolder = Effect.flatMap(FileSystem.FileSystem, (files) =>
  files.makeTempDirectoryScoped({ prefix: "effect-acr-pack-" })
)

/** A folder that is filled by a function. */
const filled = (fill: (folder: string) => Promise<unknown>) =>
  Effect.tap(emptyFolder, (folder) => Effect.promise(() => fill(folder)))

const packed = (folder: string, options?: Folder.PackOptions) =>
  Effect.map(Stream.runCollect(Folder.pack(folder, options)), Bytes.concat)

const digestOf = (folder: string, options?: Folder.PackOptions) =>
  Effect.map(packed(folder, options), (bytes) => createHash("sha256").update(bytes).digest("hex"))

const headersOf = (bytes: Uint8Array) =>
  Stream.make(bytes).pipe(
    Stream.pipeThroughChannel(Tar.decode()),
    Stream.map(({ header }) => header),
    Stream.runCollect
  )

const namesOf = (folder: string, options?: Folder.PackOptions) =>
  Effect.map(Effect.flatMap(packed(folder, options), headersOf), (headers) => headers.map(({ path }) => path))

const reasonOf = (folder: string, options?: Folder.PackOptions) =>
  Effect.map(Effect.flip(packed(folder, options)), (error) => error.reason._tag)

/** A path whose last byte is not UTF-8. */
const invalid = (path: string) => Buffer.concat([Buffer.from(path), Buffer.from([0xff])])

/** A file system with other facts about its files than the real ones. */
const withInfo = (files: FileSystem.FileSystem, change: (info: FileSystem.File.Info) => FileSystem.File.Info) =>
  FileSystem.make({
    ...files,
    lstat: (path) => Effect.map(files.lstat(path), change),
    open: (path, options) =>
      Effect.map(
        files.open(path, options),
        (file) =>
          new Proxy(file, {
            get: (target, key) => (key === "stat" ? Effect.map(target.stat, change) : Reflect.get(target, key, target))
          })
      )
  })

const ownNumber = ({ ino }: FileSystem.File.Info): bigint => Option.getOrElse(ino, () => 0n)

/** Each file on a disk of its own, where it has the same number as all others. */
const onDisks = (info: FileSystem.File.Info) => ({ ...info, dev: ownNumber(info), ino: Option.some(7n) })

/** A folder with folders in it, a link that goes up, and a link at its top. */
const folderWith = (target: string) =>
  filled(async (at) => {
    await mkdir(`${at}/s/t`, { recursive: true })
    await symlink("..", `${at}/s/up`)
    await symlink(target, `${at}/link`)
  })

layer(NodeServices.layer)("a folder", (it) => {
  for (const [name, { digest, fill, options }] of Object.entries(golden)) {
    it.effect(`has a golden digest: ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* digestOf(yield* filled(fill), options), digest)
      })
    )
  }

  it.effect("is packed in the order of bytes, a folder with its slash before what is in it", () =>
    Effect.gen(function* () {
      const folder = yield* filled((at) => write(at, names))
      const found = yield* namesOf(folder)
      const inBytes = found.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      assert.deepStrictEqual(found, inBytes)
      assert.sameMembers([...found], [...names, "a/", "Öl/"])
    })
  )

  it.effect("is the same in another order of creation, with other modes, another umask and touched times", () =>
    Effect.gen(function* () {
      const first = yield* digestOf(yield* filled((at) => write(at, names)))
      const other = yield* filled(async (at) => {
        await write(at, names.toReversed())
        await chmod(`${at}/B`, 0o600)
        await chmod(`${at}/a`, 0o700)
        await utimes(`${at}/B`, new Date(1), new Date("2020-02-02"))
      })
      assert.strictEqual(yield* digestOf(other), first)
      const masked = yield* emptyFolder
      const script = `mkdir a Öl && for f in ${names.map((name) => `'${name}'`).join(" ")}; do printf 'content of %s' "$f" > "$f"; done`
      const { status } = spawnSync("sh", ["-c", `umask 077; ${script}`], { cwd: masked })
      assert.strictEqual(status, 0)
      assert.strictEqual(yield* digestOf(masked), first)
      assert.strictEqual(yield* digestOf(yield* linkTo(masked)), first)
    })
  )

  it.effect("has the time of the option, of SOURCE_DATE_EPOCH, or none", () =>
    Effect.gen(function* () {
      const folder = yield* filled(async (at) => {
        await write(at, ["new", "old"])
        await utimes(`${at}/old`, 0, new Date("2001-01-01T00:00:00Z"))
      })
      const timesOf = (options?: Folder.PackOptions) =>
        Effect.map(Effect.flatMap(packed(folder, options), headersOf), (headers) =>
          headers.map(({ mtime }) => mtime.toISOString().slice(0, 10))
        )
      const modified = new Date("2010-10-10T00:00:00Z")
      assert.deepStrictEqual(yield* timesOf(), ["1970-01-01", "1970-01-01"])
      assert.deepStrictEqual(yield* timesOf({ modified }), ["2010-10-10", "2010-10-10"])
      assert.deepStrictEqual(yield* timesOf({ modified, clamp: true }), ["2010-10-10", "2001-01-01"])
      const withVariable = (value: string) =>
        Effect.provideService(
          timesOf(),
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromUnknown({ SOURCE_DATE_EPOCH: value })
        )
      assert.deepStrictEqual(yield* withVariable("1000000000"), ["2001-09-09", "2001-09-09"])
      assert.strictEqual((yield* Effect.flip(withVariable("soon")))._tag, "FolderError")
    })
  )

  it.effect("has the owner 0, or the numbers of its files", () =>
    Effect.gen(function* () {
      const folder = yield* filled((at) => write(at, ["a"]))
      const ownersOf = (options?: Folder.PackOptions) =>
        Effect.map(Effect.flatMap(packed(folder, options), headersOf), (headers) =>
          headers.map(({ gid, gname, uid, uname }) => [uid, gid, uname, gname])
        )
      const { gid, uid } = yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.stat(`${folder}/a`))
      assert.deepStrictEqual(yield* ownersOf(), [[0, 0, "", ""]])
      const own = [uid, gid].map((number) => (number._tag === "Some" ? number.value : 0))
      assert.deepStrictEqual(yield* ownersOf({ owner: "keep" }), [[...own, "", ""]])
    })
  )

  it.effect("with a file above 8 GiB has its size in a pax header, and its file is closed when the reader stops", () =>
    Effect.gen(function* () {
      const size = 9 * 1024 ** 3
      const folder = yield* filled(async (at) => {
        await writeFile(`${at}/large`, "")
        await truncate(`${at}/large`, size)
      })
      const files = yield* FileSystem.FileSystem
      let open = 0
      const counting = FileSystem.make({
        ...files,
        open: (path, options) =>
          Effect.acquireRelease(
            Effect.tap(files.open(path, options), () => Effect.sync(() => open++)),
            () => Effect.sync(() => open--)
          )
      })
      const [header] = yield* Folder.pack(folder).pipe(
        Stream.take(2),
        Stream.pipeThroughChannel(Tar.decode()),
        Stream.map(({ header }) => header),
        Stream.take(1),
        Stream.runCollect,
        Effect.provideService(FileSystem.FileSystem, counting)
      )
      assert.strictEqual(header?.size, size)
      assert.strictEqual(open, 0)
    })
  )

  it.effect("with pipes is refused, or packed without them", () =>
    Effect.gen(function* () {
      const folder = yield* filled(async (at) => {
        await write(at, ["a"])
        spawnSync("mkfifo", [`${at}/pipe`])
      })
      assert.strictEqual(yield* reasonOf(folder), "RefusedEntry")
      assert.deepStrictEqual(yield* namesOf(folder, { specialFiles: "skip" }), ["a"])
    })
  )

  it.effect("with links that lead out of it is refused, or packed unchanged, and no link is followed", () =>
    Effect.gen(function* () {
      for (const target of ["/etc", "../outside", "a/../../outside"]) {
        const folder = yield* filled(async (at) => {
          await write(at, ["a/b"])
          await symlink(target, `${at}/link`)
        })
        assert.strictEqual(yield* reasonOf(folder), "RefusedEntry", target)
        assert.deepStrictEqual(yield* namesOf(folder, { outsideLinks: "keep" }), ["a/", "a/b", "link"])
      }
      const within = yield* filled(async (at) => {
        await write(at, ["a/b"])
        await symlink("../a", `${at}/a/up`)
      })
      assert.deepStrictEqual(yield* namesOf(within), ["a/", "a/b", "a/up"])
    })
  )

  it.effect("with whiteouts is refused, and so is a file, and a folder that is missing", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(yield* filled((at) => write(at, ["a/.wh.b"]))), "RefusedEntry")
      const folder = yield* filled((at) => write(at, ["a"]))
      assert.strictEqual(yield* reasonOf(`${folder}/a`), "RefusedEntry")
      assert.strictEqual(yield* reasonOf(`${folder}/nowhere`), "FileFailed")
    })
  )

  it.effect("whose files grow, shrink, vanish or are replaced while they are read fails", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const changes: Readonly<Record<string, (at: string) => Effect.Effect<void, unknown>>> = {
        grow: (at) => files.writeFileString(at, "much longer than before"),
        shrink: (at) => files.truncate(at, 2),
        vanish: (at) => files.remove(at),
        replace: (at) => Effect.andThen(files.writeFileString(`${at}.new`, "other"), files.rename(`${at}.new`, at))
      }
      for (const [name, change] of Object.entries(changes)) {
        const folder = yield* filled((at) => writeFile(`${at}/a`, "12345"))
        // Between the check of the file and its opening.
        const racing = FileSystem.make({
          ...files,
          open: (path, options) => Effect.andThen(Effect.orDie(change(path)), files.open(path, options))
        })
        const reason = yield* Effect.provideService(reasonOf(folder), FileSystem.FileSystem, racing)
        assert.strictEqual(reason, "FileChanged", name)
      }
    })
  )

  it.effect("in which a link replaces a folder while it is read fails, and the target of the link is not packed", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const outside = yield* filled((at) => write(at, ["secret"]))
      const folder = yield* filled((at) => write(at, ["a/b"]))
      const racing = FileSystem.make({
        ...files,
        readDirectoryEntries: (path) =>
          Effect.andThen(
            path.endsWith("/a")
              ? Effect.orDie(Effect.andThen(files.rename(path, `${folder}.moved`), files.symlink(outside, path)))
              : Effect.void,
            files.readDirectoryEntries(path)
          )
      })
      const reason = yield* Effect.provideService(reasonOf(folder), FileSystem.FileSystem, racing)
      assert.strictEqual(reason, "FileChanged")
      yield* files.remove(`${folder}.moved`, { recursive: true })
    })
  )

  it.effect("of many files is packed in linear time, one file open at a time", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const count = 2000
      const folder = yield* filled(async (at) => {
        for (let number = 0; number < count; number++) await writeFile(`${at}/${number}`, "a")
      })
      let calls = 0
      let open = 0
      let most = 0
      const counting = FileSystem.make({
        ...files,
        lstat: (path) => Effect.tap(files.lstat(path), () => Effect.sync(() => calls++)),
        readDirectoryEntries: (path) => Effect.tap(files.readDirectoryEntries(path), () => Effect.sync(() => calls++)),
        open: (path, options) =>
          Effect.acquireRelease(
            Effect.tap(files.open(path, options), () => Effect.sync(() => (most = Math.max(most, ++open)))),
            () => Effect.sync(() => open--)
          )
      })
      yield* Effect.provideService(packed(folder), FileSystem.FileSystem, counting)
      assert.strictEqual(calls, count + 1)
      assert.strictEqual(most, 1)
    })
  )

  it.effect("keeps the owners that its files have", () =>
    Effect.gen(function* () {
      const folder = yield* filled((at) => write(at, ["a"]))
      const owned = withInfo(yield* FileSystem.FileSystem, (info) => ({
        ...info,
        uid: Option.some(1234),
        gid: Option.some(5_000_000)
      }))
      const ownersOf = (options?: Folder.PackOptions) =>
        Effect.map(Effect.flatMap(packed(folder, options), headersOf), ([header]) => [header?.uid, header?.gid])
      assert.deepStrictEqual(
        yield* Effect.provideService(ownersOf({ owner: "keep" }), FileSystem.FileSystem, owned),
        [1234, 5_000_000]
      )
      assert.deepStrictEqual(yield* Effect.provideService(ownersOf(), FileSystem.FileSystem, owned), [0, 0])
    })
  )

  it.effect("has hard links only between names of one file, within its prefix", () =>
    Effect.gen(function* () {
      const folder = yield* filled(async (at) => {
        for (const name of ["a", "b"]) {
          await writeFile(`${at}/${name}`, name)
          await link(`${at}/${name}`, `${at}/${name}2`)
        }
      })
      const linksOf = Effect.map(Effect.flatMap(packed(folder, { prefix: "p" }), headersOf), (headers) =>
        headers.map(({ linkTarget, path }) => [path, linkTarget])
      )
      const files = yield* FileSystem.FileSystem
      const linksOn = (change: (info: FileSystem.File.Info) => FileSystem.File.Info) =>
        Effect.provideService(linksOf, FileSystem.FileSystem, withInfo(files, change))
      const linked = [
        ["p/", undefined],
        ["p/a", undefined],
        ["p/a2", "p/a"],
        ["p/b", undefined],
        ["p/b2", "p/b"]
      ]
      assert.deepStrictEqual(yield* linksOf, linked)
      // Two disks number their files alike.
      assert.deepStrictEqual(yield* linksOn(onDisks), linked)
    })
  )

  it.effect("with names or targets that are not Unicode is refused, since they would be written differently", () =>
    Effect.gen(function* () {
      const fills: Readonly<Record<string, (at: string) => Promise<unknown>>> = {
        "a file": (at) => writeFile(invalid(`${at}/a`), ""),
        "a folder": (at) => mkdir(invalid(`${at}/a`)),
        "a file that takes the name of another": async (at) => {
          await writeFile(`${at}/a\uFFFD`, "")
          await writeFile(invalid(`${at}/a`), "")
        },
        "the target of a link": (at) => symlink(invalid("a"), `${at}/link`)
      }
      for (const [name, fill] of Object.entries(fills)) {
        assert.strictEqual(yield* reasonOf(yield* filled(fill)), "RefusedEntry", name)
      }
      const valid = yield* filled((at) => write(at, ["a\uFFFD"]))
      assert.deepStrictEqual(yield* namesOf(valid), ["a\uFFFD"])
    })
  )

  it.effect("with links that lead out of it through other links is refused", () =>
    Effect.gen(function* () {
      for (const target of ["s/up/../outside", "s/../s/up/../outside", "nowhere/../s"]) {
        const folder = yield* folderWith(target)
        assert.strictEqual(yield* reasonOf(folder), "RefusedEntry", target)
        assert.include(yield* namesOf(folder, { outsideLinks: "keep" }), "link")
      }
      for (const target of ["s/t/../../s", "s/up", "s/up/s/t", "nowhere"]) {
        assert.include(yield* namesOf(yield* folderWith(target)), "link", target)
      }
    })
  )

  it.effect("is not packed under a prefix that leads outside, or is not a name of a folder", () =>
    Effect.gen(function* () {
      const folder = yield* filled((at) => write(at, ["a"]))
      for (const prefix of ["../x", "x/../..", "a\0b", "a/.wh.b"]) {
        assert.strictEqual(yield* reasonOf(folder, { prefix }), "RefusedEntry", JSON.stringify(prefix))
      }
      assert.deepStrictEqual(yield* namesOf(folder, { prefix: "a/b" }), ["a/b/", "a/b/a"])
    })
  )

  it.effect("closes its file when the reader fails or is interrupted", () =>
    Effect.gen(function* () {
      const folder = yield* filled(async (at) => {
        await writeFile(`${at}/large`, "")
        await truncate(`${at}/large`, 64 * 1024 ** 2)
      })
      const files = yield* FileSystem.FileSystem
      let open = 0
      let opened = 0
      const counting = FileSystem.make({
        ...files,
        open: (path, options) =>
          Effect.acquireRelease(
            Effect.tap(files.open(path, options), () => Effect.sync(() => (opened++, open++))),
            () => Effect.sync(() => open--)
          )
      })
      for (const end of [Effect.fail("full"), Effect.interrupt]) {
        const reading = Stream.runForEach(Folder.pack(folder), ({ length }) =>
          length < 100_000
            ? Effect.void
            : Effect.andThen(
                Effect.sync(() => assert.strictEqual(open, 1)),
                end
              )
        )
        const exit = yield* Effect.exit(Effect.provideService(reading, FileSystem.FileSystem, counting))
        assert.strictEqual(exit._tag, "Failure")
        assert.strictEqual(open, 0)
      }
      assert.strictEqual(opened, 2)
    })
  )

  it.effect("packs more files in a folder than a call may have arguments", () =>
    Effect.gen(function* () {
      const folder = yield* filled((at) => write(at, ["many/one"]))
      const files = yield* FileSystem.FileSystem
      const info = yield* files.lstat(`${folder}/many/one`)
      const [entry] = yield* files.readDirectoryEntries(`${folder}/many`)
      assert.isDefined(entry)
      const entries = Array.from({ length: 200_000 }, (_, number) => ({ ...entry, name: String(number) }))
      let seen = 0
      const crowded = FileSystem.make({
        ...files,
        readDirectoryEntries: (path) =>
          path.endsWith("many") ? Effect.succeed(entries) : files.readDirectoryEntries(path),
        lstat: (path) =>
          path.endsWith("many") ? files.lstat(path) : Effect.sync(() => (seen++, { ...info, type: "FIFO" as const }))
      })
      const found = yield* Effect.provideService(
        namesOf(folder, { specialFiles: "skip" }),
        FileSystem.FileSystem,
        crowded
      )
      assert.deepStrictEqual(found, ["many/"])
      assert.strictEqual(seen, entries.length)
    })
  )
})

/** A symbolic link to a folder, which stands for the folder itself. */
const linkTo = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const at = `${yield* emptyFolder}/link`
    yield* files.symlink(folder, at)
    return at
  })
