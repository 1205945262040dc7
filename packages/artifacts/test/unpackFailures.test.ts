/**
 * The result of an archive whose stream fails, that is too large, or whose unpacking is interrupted; and folders that already have
 * links.
 */
import { assert, describe, it as plain, layer } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Entries from "../src/internal/folder/entries.ts"
import { unpack } from "../src/Folder.ts"
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

const large = new Uint8Array(300_000).fill(1)

layer(platform)("a folder", (it) => {
  it.effect("is unchanged if the stream fails at its end", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const many = Array.from({ length: 100 }, (_, i) => Tar.file(`many/${i}`, "x"))
      for (const tar of [replacing, archive(Tar.file("replaced", large)), archive(...many)]) {
        const error = yield* Effect.flip(unpack(Stream.concat(tar, Stream.fail("wrong digest" as const)), folder))
        assert.strictEqual(error, "wrong digest")
        assert.deepStrictEqual(yield* treeOf(folder), old)
      }
    })
  )

  it.effect("is unchanged if the stream fails within a file, and the error is that of the stream", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const own = new Tar.TarError({ kind: "Truncated", message: "of another archive" })
      const files = denied("read", "of another file")
      for (const cause of [own, files]) {
        for (const size of [1000, 300_000]) {
          const cut = bytes(raw({ name: "replaced", size }), new Uint8Array(500))
          assert.strictEqual(yield* Effect.flip(unpack(Stream.concat(cut, Stream.fail(cause)), folder)), cause)
          assert.deepStrictEqual(yield* treeOf(folder), old)
        }
      }
    })
  )

  it.effect("is unchanged if the archive ends early, at any byte", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const whole = [
        raw({ name: "replaced", content: "new".repeat(200) }),
        pax({ path: "long/".repeat(30).concat("x") }),
        raw({ name: "long", content: "x" })
      ]
      const all = new Uint8Array(whole.flatMap((part) => [...part]))
      // Only after the first file can the end go unnoticed: the zero blocks are missing.
      const complete = [0, whole[0]?.length, all.length]
      for (let length = 100; length < all.length; length += 100) {
        for (const at of [length, length - (length % 512)]) {
          if (complete.includes(at)) continue
          const reason = yield* reasonOf(bytes(all.subarray(0, at)), folder)
          assert.strictEqual(reason._tag, "InvalidArchive", `${at}`)
          assert.deepStrictEqual(yield* treeOf(folder), old)
        }
      }
    })
  )

  it.effect("is unchanged if the file system refuses a file, which the error names", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { folder } = yield* used
      let written = 0
      const full = FileSystem.FileSystem.of({
        ...files,
        writeFile: (at, content, options) => {
          written += 1
          return written === 3 ? Effect.fail(denied("writeFile", at)) : files.writeFile(at, content, options)
        }
      })
      const reason = yield* Effect.provideService(reasonOf(replacing, folder), FileSystem.FileSystem, full)
      assert.strictEqual(reason._tag, "FileFailed")
      assert.include(reason.description, "PermissionDenied")
      assert.deepStrictEqual(yield* treeOf(folder), old)
    })
  )

  it.effect("has only complete files, old and new, if the file system fails during the renaming", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* used
      const failing = FileSystem.FileSystem.of({
        ...files,
        rename: (from, to) => (to === at("replaced") ? Effect.fail(denied("rename", to)) : files.rename(from, to))
      })
      const reason = yield* Effect.provideService(reasonOf(replacing, folder), FileSystem.FileSystem, failing)
      assert.strictEqual(reason._tag, "FileFailed")
      const tree = yield* treeOf(folder)
      assert.strictEqual(tree["replaced"], "644 old")
      assert.strictEqual(tree["kept"], "644 kept")
      assert.isEmpty(Object.keys(tree).filter((name) => name.startsWith(".")))
    })
  )

  it.effect("is unchanged if the unpacking is interrupted", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const beginnings = [
        bytes(raw({ name: "replaced", content: "new" }), raw({ name: "other", content: "x" })),
        bytes(raw({ name: "replaced", size: large.length }), large.subarray(0, 200_000))
      ]
      for (const beginning of beginnings) {
        const reached = yield* Deferred.make<void>()
        const hanging = Stream.concat(
          beginning,
          Stream.fromEffect(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never))
        )
        const fiber = yield* Effect.forkChild(unpack(hanging, folder))
        yield* Deferred.await(reached)
        assert.isAbove(Object.keys(yield* treeOf(folder)).length, 2, "nothing was begun")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* treeOf(folder), old)
      }
    })
  )

  it.effect("has everything if the unpacking is interrupted during the renaming", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* used
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow = FileSystem.FileSystem.of({
        ...files,
        rename: (from, to) =>
          to === at("replaced")
            ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn)).pipe(
                Effect.andThen(files.rename(from, to))
              )
            : files.rename(from, to)
      })
      const tar = Stream.concat(
        bytes(raw({ name: "replaced", content: "new" }), raw({ name: "d/", typeflag: "5", mode: 0o500 })),
        archive(Tar.symlink("l", "d"))
      )
      const fiber = yield* Effect.forkChild(Effect.provideService(unpack(tar, folder), FileSystem.FileSystem, slow))
      yield* Deferred.await(reached)
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(interrupting)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      assert.deepStrictEqual(yield* treeOf(folder), {
        d: "folder 500",
        kept: "644 kept",
        l: "-> d",
        replaced: "644 new"
      })
    })
  )
})

/** Endless zeros, and how much of them was read. */
const zeros = () => {
  const chunk = new Uint8Array(1024 * 1024)
  let taken = 0
  const stream = Stream.forever(
    Stream.suspend(() => {
      taken += chunk.length
      return Stream.succeed(chunk)
    })
  )
  return { stream, taken: () => taken }
}

layer(platform)("an endless archive", (it) => {
  it.effect("stops at a file that is too large, before it is written", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      const { stream, taken } = zeros()
      const bomb = Stream.concat(bytes(raw({ name: "replaced", size: 8 * 1024 ** 3 - 1 })), stream)
      const reason = yield* reasonOf(bomb, folder, { maxBytes: "1 GiB" })
      assert.strictEqual(reason._tag, "LimitExceeded")
      assert.strictEqual(taken(), 0)
      assert.deepStrictEqual(yield* treeOf(folder), old)
    })
  )

  it.effect("stops at the default limit", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      const huge = bytes(pax({ size: String(64 * 1024 ** 3 + 1) }), raw({ name: "a" }))
      const reason = yield* reasonOf(huge, folder)
      assert.strictEqual(reason._tag, "LimitExceeded")
      assert.include(reason.description, String(64 * 1024 ** 3))
    })
  )

  it.effect("stops at zeros, also before any entry and after the end", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      for (const beginning of [Stream.empty, bytes(raw({ name: "replaced", content: "new" }), end)]) {
        const { stream, taken } = zeros()
        const reason = yield* reasonOf(Stream.concat(beginning, stream), folder)
        assert.strictEqual(reason._tag, "LimitExceeded")
        assert.isAtMost(taken(), 70 * 1024 * 1024)
        assert.deepStrictEqual(yield* treeOf(folder), old)
      }
    })
  )

  it.effect("stops at extended headers that no entry follows", () =>
    Effect.gen(function* () {
      const { folder } = yield* place
      const comment = pax({ comment: "x".repeat(1_000_000) })
      const reason = yield* reasonOf(Stream.forever(Stream.succeed(comment)), folder)
      assert.strictEqual(reason._tag, "LimitExceeded")
    })
  )

  it.effect("stops at entries, whether they are new, repeated or skipped", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      let count = 0
      const fresh = Stream.forever(Stream.suspend(() => Stream.succeed(raw({ name: `${count++}` }))))
      const same = Stream.forever(Stream.succeed(raw({ name: "replaced" })))
      const labels = Stream.forever(Stream.succeed(raw({ name: "label", typeflag: "V" })))
      for (const tar of [fresh, same, labels]) {
        const reason = yield* reasonOf(tar, folder, { maxEntries: 100 })
        assert.strictEqual(reason._tag, "LimitExceeded")
        assert.deepStrictEqual(yield* treeOf(folder), old)
      }
      assert.isBelow(count, 200)
    })
  )

  it.effect("with a large allowed file is not held in memory, nor counted as idle", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* place
      const size = 100 * 1024 * 1024
      const { stream } = zeros()
      const tar = Stream.concat(bytes(raw({ name: "a", size })), Stream.take(stream, 100))
      assert.deepStrictEqual(yield* unpack(tar, folder), { entries: 1, bytes: size })
      assert.strictEqual(Number(ByteSize.toBigInt((yield* files.stat(at("a"))).size)), size)
    })
  )
})

describe("the names of an archive", () => {
  plain("are not held without a limit", () => {
    const plan = Entries.make({ maxBytes: 1, maxEntries: Infinity, specialFiles: "refuse", separator: "/", prefix: "" })
    const { header } = Tar.symlink("x".repeat(250), "y".repeat(4000))
    let accepted = 0
    while (Result.isSuccess(plan.accept(header))) accepted += 1
    assert.strictEqual(accepted, Math.floor((256 * 1024 * 1024) / 4250))
  })

  plain("are those of Windows on Windows", () => {
    const plan = Entries.make({ maxBytes: 1, maxEntries: 100, specialFiles: "refuse", separator: "\\", prefix: "" })
    for (const { header } of [
      Tar.file("a\\..\\..\\b", ""),
      Tar.file("C:x", ""),
      Tar.symlink("a", "..\\x"),
      Tar.symlink("a", "C:/x")
    ]) {
      const accepted = plan.accept(header)
      assert.isTrue(Result.isFailure(accepted) && accepted.failure._tag === "RefusedEntry", header.path)
    }
    assert.isTrue(Result.isSuccess(plan.accept(Tar.symlink("a", "b/c").header)))
  })
})

layer(platform)("a folder with symbolic links", (it) => {
  /** A folder with links that lead outside, and to a folder within. */
  const linked = Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const one = yield* place
    yield* files.makeDirectory(one.at("d"))
    yield* files.symlink("../outside", one.at("out"))
    yield* files.symlink("../outside/secret", one.at("file"))
    yield* files.symlink("d", one.at("within"))
    return one
  })
  const links = { d: "folder 755", file: "-> ../outside/secret", out: "-> ../outside", within: "-> d" }

  it.effect("is written through none of them, and stays unchanged", () =>
    Effect.gen(function* () {
      const { base, folder } = yield* linked
      for (const entry of [
        Tar.file("out/x", ""),
        Tar.file("out/secret", ""),
        Tar.file("within/x", ""),
        Tar.directory("out"),
        Tar.directory("out/new"),
        Tar.directory("within"),
        Tar.symlink("out/l", "."),
        Tar.directory("file")
      ]) {
        const reason = yield* reasonOf(archive(Tar.file("first", ""), entry), folder)
        assert.strictEqual(reason._tag, "RefusedEntry", entry.header.path)
        assert.include(reason.description, "a symbolic link is there, and is not followed")
        assert.deepStrictEqual(yield* treeOf(folder), links)
        assert.deepStrictEqual(yield* restOf(base), outside)
      }
    })
  )

  it.effect("has them replaced by files and links of their names", () =>
    Effect.gen(function* () {
      const { base, folder } = yield* linked
      yield* unpack(archive(Tar.file("file", "mine"), Tar.symlink("out", "d")), folder)
      assert.deepStrictEqual(yield* treeOf(folder), { ...links, file: "644 mine", out: "-> d" })
      assert.deepStrictEqual(yield* restOf(base), outside)
    })
  )

  it.effect("keeps them without overwrite, also dangling ones", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { at, folder } = yield* linked
      yield* files.symlink("nowhere", at("dangling"))
      for (const name of ["file", "dangling"]) {
        const reason = yield* reasonOf(archive(Tar.file(name, "mine")), folder, { overwrite: false })
        assert.strictEqual(reason._tag, "AlreadyThere")
      }
      assert.deepStrictEqual(yield* treeOf(folder), { ...links, dangling: "-> nowhere" })
    })
  )

  it.effect("or files keeps folders in the place of files, and files in the place of folders", () =>
    Effect.gen(function* () {
      const { folder } = yield* used
      yield* unpack(archive(Tar.directory("d")), folder)
      const before = yield* treeOf(folder)
      const wrong = [
        [Tar.file("d", ""), "a folder is there, where a file is put"],
        [Tar.symlink("d", "kept"), "a folder is there, where a file is put"],
        [Tar.directory("kept"), "a file is there, where a folder is needed"],
        [Tar.file("kept/x", ""), "a file is there, where a folder is needed"]
      ] as const
      for (const [entry, says] of wrong) {
        const reason = yield* reasonOf(archive(entry), folder)
        assert.strictEqual(reason._tag, "RefusedEntry")
        assert.include(reason.description, says)
        assert.deepStrictEqual(yield* treeOf(folder), before)
      }
    })
  )
})

/** Mostly harmless names, so that many archives are unpacked. */
const Component = Schema.Literals(["a", "b", "c", "a", "b", "l", "out", "A", "é", "e\u0301", ".", "", ".."])
const Target = Schema.Literals(["..", "..", "a", "b", "c", "l", "out", "outside", "secret", ".", ""])
const HostileEntry = Schema.Struct({
  kind: Schema.Literals(["0", "2", "5", "1", "2"]),
  name: Schema.Array(Component).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  target: Schema.Array(Target).check(Schema.isMinLength(1), Schema.isMaxLength(5))
})
const HostileArchive = Schema.Array(HostileEntry).check(Schema.isMinLength(1), Schema.isMaxLength(5))
const HostileArchives = Schema.Array(HostileArchive).check(Schema.isMinLength(1), Schema.isMaxLength(8))

const hostile = (entries: typeof HostileArchive.Type) =>
  bytes(
    ...entries.map(({ kind, name, target }) =>
      raw({
        name: name.join("/"),
        typeflag: kind,
        content: kind === "0" ? "evil" : "",
        linkname: target.join("/")
      })
    ),
    end
  )

/** Unpacks archives one after another into a folder, and checks its surroundings after each. */
const unpackAll = (
  archives: typeof HostileArchives.Type,
  { base, folder }: Effect.Success<typeof place>,
  look: (tree: Record<string, string>) => Effect.Effect<void, PlatformError>
) =>
  Effect.gen(function* () {
    for (const entries of archives) {
      const before = yield* treeOf(folder)
      const unpacked = yield* Effect.result(unpack(hostile(entries), folder))
      const after = yield* treeOf(folder)
      if (Result.isFailure(unpacked)) assert.deepStrictEqual(after, before)
      assert.deepStrictEqual(yield* restOf(base), outside)
      yield* look(after)
    }
  })

layer(platform)("archives at random", (it) => {
  const options = { arbitrary: { seed: 1, runs: 200 } }

  it.effect.prop(
    "write nothing outside of their folder, although it has a link that leads there",
    [HostileArchives],
    ([archives]) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const one = yield* place
        yield* files.symlink("../outside", one.at("out"))
        yield* unpackAll(archives, one, () => Effect.void)
      }).pipe(Effect.scoped),
    options
  )

  it.effect.prop(
    "have no link that leads outside",
    [HostileArchives],
    ([archives]) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const one = yield* place
        const inside = yield* files.realPath(one.folder)
        yield* unpackAll(archives, one, (tree) =>
          Effect.forEach(
            Object.keys(tree),
            (name) =>
              Effect.gen(function* () {
                // A link may be dangling, or lead to itself.
                const real = yield* Effect.option(files.realPath(path.join(one.folder, name)))
                if (Option.isSome(real)) assert.notMatch(path.relative(inside, real.value), /^\.\./, name)
              }),
            { discard: true }
          )
        )
      }).pipe(Effect.scoped),
    options
  )
})
