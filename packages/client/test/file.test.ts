/**
 * Downloads to files: several at once to one target, partial files that are resumed and those that are not, and what
 * remains in the folder.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Digest from "../src/Digest.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal, type Script } from "./support/registry.ts"

const mebibyte = 1024 * 1024
const blob = Buffer.alloc(4 * mebibyte, "the content of a blob, ")
const digest = Digest.Digest.make(sha256(blob))
/** Larger than what a download buffers before it writes. */
const half = 2 * mebibyte

const folder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* files.makeTempDirectoryScoped()
})

const shared = (target: string): string => `${target}.${Digest.hex(digest).slice(0, 16)}.partial`

/** The body of the blob, piece by piece, each when the previous one is read. */
const body = (pieces: ReadonlyArray<Uint8Array>): ReadableStream<Uint8Array> => {
  const rest = [...pieces]
  return new ReadableStream(
    {
      pull(controller) {
        const next = rest.shift()
        if (next === undefined) controller.close()
        else controller.enqueue(next)
      }
    },
    { highWaterMark: 0 }
  )
}

/** A registry that has the blob, and whose n-th answer may have other bytes. */
const serving =
  (bytesOf: (count: number) => Buffer = () => blob): Script =>
  ({ range }, count) => {
    const from = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0)
    const bytes = bytesOf(count)
    const middle = Math.max(from, half)
    // The single byte shows that everything before it is written.
    const pieces = [bytes.subarray(from, middle), bytes.subarray(middle, middle + 1), bytes.subarray(middle + 1)]
    return new Response(body(pieces.filter((piece) => piece.length > 0)), {
      status: range === null ? 200 : 206,
      headers: {
        "content-length": String(bytes.length - from),
        ...(range === null ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
      }
    })
  }

/** A download that stops when its first half is written, until the test lets it continue. */
const halting = Effect.fnUntraced(function* (target: string, resumable: boolean) {
  const registry = yield* RegistryContent
  const atHalf = yield* Deferred.make<void>()
  const mayContinue = yield* Deferred.make<void>()
  const fiber = yield* registry
    .downloadBlob("alpine", digest, target, {
      resumable,
      onProgress: ({ doneBytes }) =>
        doneBytes > half
          ? Effect.andThen(Deferred.succeed(atHalf, undefined), Deferred.await(mayContinue))
          : Effect.void
    })
    .pipe(Effect.exit, Effect.forkChild)
  yield* Effect.raceFirst(Deferred.await(atHalf), Fiber.join(fiber))
  return {
    interrupt: Fiber.interrupt(fiber),
    end: Effect.andThen(Deferred.succeed(mayContinue, undefined), Fiber.join(fiber))
  }
})

const assertBlob = (target: string, message: string) =>
  assert.isTrue(readFileSync(target).equals(blob), `${message}: the content`)

const live = (script: Script = serving()) => Effect.provide([content(script), NodeFileSystem.layer])

const kind = (resumable: boolean): string => (resumable ? "resumable" : "not resumable")

describe("two downloads of one blob to one target at once", () => {
  for (const first of [false, true]) {
    for (const second of [false, true]) {
      it.live(`both end with the blob in the file: ${kind(first)}, ${kind(second)}`, () =>
        Effect.gen(function* () {
          const target = join(yield* folder, "layer.tar")
          for (const order of ["the later one ends first", "the earlier one ends first"]) {
            const one = yield* halting(target, first)
            const other = yield* halting(target, second)
            for (const { end } of order.startsWith("the later") ? [other, one] : [one, other]) {
              const exit = yield* end
              assert.isTrue(Exit.isSuccess(exit), `${order}: ${String(exit)}`)
              assertBlob(target, order)
            }
            assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"], order)
          }
        }).pipe(Effect.scoped, live())
      )
    }
  }

  for (const wrong of [0, 1]) {
    for (const order of [
      [0, 1],
      [1, 0]
    ] as const) {
      it.live(`leave the right content where download ${wrong} gets other bytes; download ${order[0]} ends first`, () =>
        Effect.gen(function* () {
          const target = join(yield* folder, "layer.tar")
          const downloads = [yield* halting(target, false), yield* halting(target, false)]
          for (const index of order) {
            const exit = yield* downloads[index]?.end ?? Effect.die("no such download")
            assert.strictEqual(Exit.isSuccess(exit), index !== wrong, String(exit))
            if (Exit.isSuccess(exit)) assertBlob(target, "after the right one")
          }
          assertBlob(target, "at the end")
          assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
        }).pipe(
          Effect.scoped,
          live(serving((count) => (count === wrong ? Buffer.concat([blob.subarray(1), Buffer.from("x")]) : blob)))
        )
      )
    }
  }

  it.live("where one is interrupted, the other ends", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "layer.tar")
      for (const resumable of [false, true]) {
        for (const interrupted of ["earlier", "later"]) {
          const one = yield* halting(target, resumable)
          const other = yield* halting(target, resumable)
          const [gone, stays] = interrupted === "earlier" ? [one, other] : [other, one]
          yield* gone.interrupt
          const exit = yield* stays.end
          assert.isTrue(Exit.isSuccess(exit), String(exit))
          assertBlob(target, interrupted)
          assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"], interrupted)
        }
      }
    }).pipe(Effect.scoped, live())
  )

  it.live("choose other random names if the first ones are the same", () =>
    Effect.gen(function* () {
      const target = join(yield* folder, "layer.tar")
      const downloads = [
        yield* halting(target, false).pipe(Random.withSeed("seed")),
        yield* halting(target, false).pipe(Random.withSeed("seed"))
      ]
      for (const { end } of downloads) assert.isTrue(Exit.isSuccess(yield* end))
      assertBlob(target, "at the end")
    }).pipe(Effect.scoped, live())
  )
})

it.live("twenty downloads at once to one target all end, and the file holds the blob", () =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    const target = join(yield* folder, "layer.tar")
    yield* Effect.forEach(
      Array.from({ length: 20 }, (_, index) => index % 3 !== 0),
      (resumable) => registry.downloadBlob("alpine", digest, target, { resumable }),
      { concurrency: "unbounded" }
    )
    assertBlob(target, "at the end")
    assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
  }).pipe(Effect.scoped, live())
)

it.live("downloads of different blobs at once to one target all end, and the file holds one of them", () =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    const target = join(yield* folder, "layer.tar")
    const texts = Array.from({ length: 10 }, (_, index) => `blob ${index}`)
    for (let round = 0; round < 10; round++) {
      yield* Effect.forEach(texts, (text) => registry.downloadBlob("alpine", sha256(text), target), {
        concurrency: "unbounded"
      })
      assert.include(texts, readFileSync(target, "utf8"))
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
    }
  }).pipe(
    Effect.scoped,
    live(({ url }) => {
      const text = Array.from({ length: 10 }, (_, index) => `blob ${index}`).find((text) =>
        url.pathname.endsWith(sha256(text))
      )
      return new Response(text ?? "", { headers: { "content-length": "6" } })
    })
  )
)

/* Several programs that write to one path */

const texts = ["the content of one", "the content of the other"] as const

/** A separate service, as of another program, at a registry with both texts. */
const service = () =>
  Effect.provide(
    RegistryContent,
    content(({ url }) => new Response(texts.find((text) => url.pathname.endsWith(sha256(text))) ?? ""))
  )

/** The real disk, on which something else happens right after the renaming to a path. */
const afterRenaming = (path: string, happens: Effect.Effect<unknown>) =>
  changed((files) => ({
    rename: (from, to) =>
      to === path ? Effect.andThen(files.rename(from, to), Effect.asVoid(happens)) : files.rename(from, to)
  }))

describe("a download whose target another program changes right after the renaming", () => {
  for (const resumable of [false, true]) {
    it.live(`fails and leaves the blob of a download by another service: ${kind(resumable)}`, () =>
      Effect.gen(function* () {
        const [one, other] = [yield* service(), yield* service()]
        const target = join(yield* folder, "layer.tar")
        const replace = Effect.orDie(other.downloadBlob("alpine", sha256(texts[1]), target, { resumable }))
        const error = yield* one
          .downloadBlob("alpine", sha256(texts[0]), target, { resumable })
          .pipe(Effect.provide(afterRenaming(target, Effect.provide(replace, NodeFileSystem.layer))), Effect.flip)
        assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
        assert.strictEqual(readFileSync(target, "utf8"), texts[1])
        assert.strictEqual(error._tag, "PlatformError")
        assert.include(error.message, "the path now leads to another file")
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
    )
  }

  it.live("succeeds if the other program has downloaded the same blob", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* service(), yield* service()]
      const target = join(yield* folder, "layer.tar")
      const replace = Effect.orDie(other.downloadBlob("alpine", sha256(texts[0]), target))
      yield* one
        .downloadBlob("alpine", sha256(texts[0]), target)
        .pipe(Effect.provide(afterRenaming(target, Effect.provide(replace, NodeFileSystem.layer))))
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
      assert.strictEqual(readFileSync(target, "utf8"), texts[0])
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.live("fails and leaves a folder with its content", () =>
    Effect.gen(function* () {
      const one = yield* service()
      const target = join(yield* folder, "layer.tar")
      const replace = Effect.sync(() => {
        rmSync(target)
        mkdirSync(target)
        writeFileSync(join(target, "file"), "content")
      })
      const exit = yield* one
        .downloadBlob("alpine", sha256(texts[0]), target)
        .pipe(Effect.provide(afterRenaming(target, replace)), Effect.exit)
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(readFileSync(join(target, "file"), "utf8"), "content")
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})

it.live("of two services that download different blobs to one target one succeeds, and the file holds its blob", () =>
  Effect.gen(function* () {
    const services = [yield* service(), yield* service()]
    const target = join(yield* folder, "layer.tar")
    for (let round = 0; round < 50; round++) {
      const exits = yield* Effect.forEach(
        services,
        (service, index) => Effect.exit(service.downloadBlob("alpine", sha256(texts[index] ?? ""), target)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
      const placed = texts.findIndex((text) => text === readFileSync(target, "utf8"))
      assert.isTrue(Exit.isSuccess(exits[placed] ?? Exit.void) && placed >= 0, exits.join(", "))
      rmSync(target)
    }
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
)

it.live("a download that gets wrong content leaves the partial file of a newer one", () =>
  Effect.gen(function* () {
    const target = join(yield* folder, "layer.tar")
    const begun = yield* Deferred.make<Effect.Success<ReturnType<typeof halting>>>()
    const newer = yield* Effect.provide(RegistryContent, content(serving()))
    const begin = Effect.sync(() => rmSync(shared(target))).pipe(
      Effect.andThen(halting(target, true)),
      Effect.provideService(RegistryContent, newer),
      Effect.provide(NodeFileSystem.layer),
      Effect.flatMap((download) => Deferred.succeed(begun, download))
    )
    let isBegun = false
    const files = changed((files) => ({
      // The newer one begins right after the check of the shared name, from which the wrong content was removed.
      lstat: (path) =>
        Effect.tap(files.lstat(path), () => {
          if (path !== shared(target) || isBegun) return Effect.void
          isBegun = true
          return begin
        })
    }))
    const older = yield* Effect.provide(RegistryContent, content(serving(() => Buffer.alloc(blob.length, "wrong"))))
    const exit = yield* older
      .downloadBlob("alpine", digest, target, { resumable: true })
      .pipe(Effect.provide(files), Effect.exit)
    assert.isTrue(Exit.isFailure(exit))
    const download = yield* Deferred.await(begun)
    yield* download.interrupt
    assert.deepStrictEqual(readdirSync(join(target, "..")), [shared("layer.tar")])
    assert.isTrue(readFileSync(shared(target)).equals(blob.subarray(0, half)))
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
)

/* Long names */

/** Names of as many bytes as file systems allow, or nearly as many. */
const longNames = [
  "x".repeat(221),
  "x".repeat(222),
  "x".repeat(230),
  "x".repeat(255),
  `x${"\u00e4".repeat(127)}`,
  "\u5c64".repeat(85),
  `abc${"\u{1f4e6}".repeat(63)}`
]

describe("a target whose name", () => {
  for (const name of longNames) {
    const bytes = Buffer.byteLength(name)
    it.live(`has ${bytes} bytes in ${name.length} units works for a download, and for a resumed one`, () =>
      Effect.gen(function* () {
        const registry = yield* RegistryContent
        const target = join(yield* folder, name)
        yield* registry.downloadBlob("alpine", digest, target)
        assertBlob(target, "at once")
        rmSync(target)
        const first = yield* halting(target, true)
        yield* first.interrupt
        assert.strictEqual(readdirSync(join(target, "..")).length, 1)
        yield* registry.downloadBlob("alpine", digest, target, { resumable: true })
        assertBlob(target, "resumed")
        assert.deepStrictEqual(yield* ranges, [null, null, `bytes=${half}-`])
        assert.deepStrictEqual(readdirSync(join(target, "..")), [name])
      }).pipe(Effect.scoped, live())
    )
  }

  it.live("is too long for the folder fails before it sends a request, and leaves nothing", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "x".repeat(256))
      for (const resumable of [false, true]) {
        const error = yield* Effect.flip(registry.downloadBlob("alpine", digest, target, { resumable }))
        assert.strictEqual(error._tag, "PlatformError")
      }
      assert.deepStrictEqual(yield* ranges, [])
      assert.deepStrictEqual(readdirSync(join(target, "..")), [])
    }).pipe(Effect.scoped, live())
  )

  // On Windows, a backslash separates folders.
  it.live.skipIf(process.platform === "win32")("is long and holds a backslash takes a download", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const name = `folder\\${"x".repeat(248)}`
      const target = join(yield* folder, name)
      yield* registry.downloadBlob("alpine", digest, target)
      assertBlob(target, "at the end")
      assert.deepStrictEqual(readdirSync(join(target, "..")), [name])
    }).pipe(Effect.scoped, live())
  )

  it.live("differs from another long one only in the last letter has a separate partial file", () =>
    Effect.gen(function* () {
      const parent = yield* folder
      for (const last of ["a", "b"]) {
        const download = yield* halting(join(parent, "x".repeat(254) + last), true)
        yield* download.interrupt
      }
      assert.strictEqual(readdirSync(parent).length, 2)
    }).pipe(Effect.scoped, live())
  )
})

/* Partial files */

const ranges = Effect.map(Journal, (asked) => asked.map(({ range }) => range))

const isRoot = process.getuid?.() === 0

/** Windows opens no file without following links, so no partial file is trusted there, and it has no modes. */
const isWindows = process.platform === "win32"

/** What may exist under the name of the partial file, and from where the download continues. */
const leftovers: ReadonlyArray<{
  readonly name: string
  readonly leave: (partial: string) => void
  readonly from: number
  readonly needsRoot?: boolean
}> = [
  { name: "a partial file", leave: (partial) => writeFileSync(partial, blob.subarray(0, 1000)), from: 1000 },
  { name: "the whole blob", leave: (partial) => writeFileSync(partial, blob), from: blob.length },
  {
    name: "a file larger than the blob",
    leave: (partial) => writeFileSync(partial, Buffer.concat([blob, Buffer.from("more")])),
    from: 0
  },
  { name: "an empty file", leave: (partial) => writeFileSync(partial, ""), from: 0 },
  {
    name: "a file that others can write",
    leave: (partial) => {
      writeFileSync(partial, blob.subarray(0, 1000))
      chmodSync(partial, 0o666)
    },
    from: 0
  },
  {
    name: "a file that its group can write, unlike new files",
    leave: (partial) => {
      writeFileSync(partial, blob.subarray(0, 1000))
      chmodSync(partial, 0o664)
    },
    from: 0
  },
  {
    name: "a file with a second name",
    leave: (partial) => {
      writeFileSync(partial, blob.subarray(0, 1000))
      linkSync(partial, join(partial, "..", "..", "second"))
    },
    from: 0
  },
  {
    name: "a link to a file",
    leave: (partial) => {
      writeFileSync(join(partial, "..", "..", "elsewhere"), blob.subarray(0, 1000))
      symlinkSync(join(partial, "..", "..", "elsewhere"), partial)
    },
    from: 0
  },
  { name: "a folder", leave: (partial) => mkdirSync(partial), from: 0 },
  {
    name: "a file of another user",
    leave: (partial) => {
      writeFileSync(partial, blob.subarray(0, 1000))
      chownSync(partial, 65_534, 65_534)
    },
    from: 0,
    needsRoot: true
  }
]

/** Creates files with another umask for as long as the scope lasts. */
const umask = (mask: number) =>
  Effect.acquireRelease(
    Effect.sync(() => process.umask(mask)),
    (before) => Effect.sync(() => process.umask(before))
  )

describe("a resumable download that finds", () => {
  for (const { from, leave, name, needsRoot } of leftovers) {
    // Only root can change the owner of a file.
    it.live.skipIf(isWindows || (needsRoot === true && !isRoot))(`${name} continues at byte ${from}`, () =>
      Effect.gen(function* () {
        const registry = yield* RegistryContent
        const target = join(yield* folder, "downloads", "layer.tar")
        yield* umask(0o022)
        mkdirSync(join(target, ".."))
        leave(shared(target))
        yield* registry.downloadBlob("alpine", { digest, size: blob.length }, target, { resumable: true })
        assertBlob(target, name)
        assert.strictEqual(lstatSync(target).nlink, 1)
        assert.deepStrictEqual(yield* ranges, from === blob.length ? [] : [from === 0 ? null : `bytes=${from}-`])
        const left = name === "a folder" ? ["layer.tar", shared("layer.tar")] : ["layer.tar"]
        assert.deepStrictEqual(readdirSync(join(target, "..")), left)
      }).pipe(Effect.scoped, live())
    )
  }

  it.live("no file that it can open without following links starts again", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      writeFileSync(shared(target), blob.subarray(0, 1000))
      yield* registry.downloadBlob("alpine", digest, target, { resumable: true })
      assertBlob(target, "at the end")
      assert.deepStrictEqual(yield* ranges, [null])
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar"])
    }).pipe(
      Effect.scoped,
      Effect.provide([
        content(serving()),
        changed((files) => ({
          open: (path, options) =>
            options?.noFollow === true
              ? Effect.fail(PlatformError.badArgument({ module: "FileSystem", method: "open" }))
              : files.open(path, options)
        }))
      ])
    )
  )

  it.live("a partial file and fails while it copies leaves it unchanged, and nothing else", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      writeFileSync(shared(target), blob.subarray(0, half))
      const error = yield* Effect.flip(registry.downloadBlob("alpine", digest, target, { resumable: true }))
      assert.strictEqual(error._tag, "PlatformError")
      assert.deepStrictEqual(readdirSync(join(target, "..")), [shared("layer.tar")])
      assert.isTrue(readFileSync(shared(target)).equals(blob.subarray(0, half)))
    }).pipe(
      Effect.scoped,
      Effect.provide([
        content(serving()),
        changed((files) => ({
          open: (path, options) =>
            Effect.map(files.open(path, options), (file) => ({
              [FileSystem.FileTypeId]: FileSystem.FileTypeId,
              stat: file.stat,
              sync: file.sync,
              seek: (offset, from) => file.seek(offset, from),
              read: (buffer, options) => file.read(buffer, options),
              readAlloc: (size, options) => file.readAlloc(size, options),
              truncate: (length) => file.truncate(length),
              write: (buffer) => file.write(buffer),
              writeAll: () =>
                Effect.fail(PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeAll" }))
            }))
        }))
      ])
    )
  )
})

it.live("a resumable download that fails keeps the bytes that arrived, even if they are few", () =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    const target = join(yield* folder, "layer.tar")
    const download = registry.downloadBlob("alpine", { digest, size: blob.length }, target, { resumable: true })
    assert.strictEqual((yield* Effect.flip(download)).reason._tag, "Forbidden")
    assert.isTrue(readFileSync(shared(target)).equals(blob.subarray(0, 1000)))
    yield* download
    assertBlob(target, "at the end")
    assert.deepStrictEqual(yield* ranges, [null, "bytes=1000-", "bytes=1000-"])
  }).pipe(
    Effect.scoped,
    live((asked, count) => {
      if (count === 1) return new Response(null, { status: 403 })
      if (count > 1) return serving()(asked, count)
      return new Response(body([blob.subarray(0, 1000)]), { headers: { "content-length": String(blob.length) } })
    })
  )
)

it.live(
  "a resumable download fails when the partial file holds wrong bytes, and removes it, so that the next one succeeds",
  () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      writeFileSync(shared(target), Buffer.alloc(1000, "other bytes"))
      const download = registry.downloadBlob("alpine", { digest, size: blob.length }, target, { resumable: true })
      const error = yield* Effect.flip(download)
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.deepStrictEqual(readdirSync(join(target, "..")), [])
      yield* download
      assertBlob(target, "the next one")
      assert.deepStrictEqual(yield* ranges, ["bytes=1000-", null])
    }).pipe(Effect.scoped, live())
)

it.live.skipIf(isWindows)(
  "a resumable download that is interrupted at its last step keeps the whole content for the next one",
  () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      const download = registry.downloadBlob("alpine", digest, target, { resumable: true })
      assert.isTrue(Exit.hasInterrupts(yield* Effect.exit(download)))
      assert.deepStrictEqual(readdirSync(join(target, "..")), [shared("layer.tar")])
      assert.isTrue(readFileSync(shared(target)).equals(blob))
    }).pipe(
      Effect.scoped,
      Effect.provide([
        content(serving()),
        changed((files) => ({
          rename: (from, to) => (to.endsWith("layer.tar") ? Effect.interrupt : files.rename(from, to))
        }))
      ])
    )
)

const denied = (method: string) =>
  Effect.fail(PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method }))

const isShared = (path: string): boolean => path.endsWith(shared("layer.tar"))

it.live.skipIf(isWindows)(
  "a resumable download succeeds in a folder where it cannot replace files of others, such as /tmp",
  () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      writeFileSync(shared(target), "another user's")
      yield* registry.downloadBlob("alpine", digest, target, { resumable: true })
      assertBlob(target, "at the end")
      assert.strictEqual(readFileSync(shared(target), "utf8"), "another user's")
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar", shared("layer.tar")])
    }).pipe(
      Effect.scoped,
      Effect.provide([
        content(serving()),
        changed((files) => ({
          open: (path, options) => (isShared(path) ? denied("open") : files.open(path, options)),
          remove: (path, options) => (isShared(path) ? denied("remove") : files.remove(path, options)),
          rename: (from, to) => (isShared(to) ? denied("rename") : files.rename(from, to))
        }))
      ])
    )
)

/** The real disk, with some calls replaced. */
function changed(change: (files: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>) {
  return Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (files) => ({ ...files, ...change(files) }))
  ).pipe(Layer.provide(NodeFileSystem.layer))
}

describe("the permissions of a file", () => {
  for (const [mask, mode] of [
    [0o022, 0o644],
    [0o002, 0o664],
    [0o077, 0o600]
  ] as const) {
    it.live.skipIf(isWindows)(
      `are those of a new file if the umask is ${mask.toString(8)}, also for a resumed one`,
      () =>
        Effect.gen(function* () {
          const registry = yield* RegistryContent
          const target = join(yield* folder, "layer.tar")
          yield* umask(mask)
          const exit = yield* registry
            .downloadBlob("alpine", digest, target, {
              resumable: true,
              onProgress: ({ doneBytes }) => (doneBytes > half ? Effect.interrupt : Effect.void)
            })
            .pipe(Effect.exit)
          assert.isTrue(Exit.hasInterrupts(exit))
          assert.deepStrictEqual(readdirSync(join(target, "..")), [shared("layer.tar")])
          yield* registry.downloadBlob("alpine", digest, target, { resumable: true })
          assertBlob(target, "at the end")
          assert.strictEqual(lstatSync(target).mode & 0o777, mode)
          assert.deepStrictEqual(yield* ranges, [null, `bytes=${half}-`])
        }).pipe(Effect.scoped, live())
    )
  }
})

it.live.skipIf(isWindows)(
  "a resumable download whose target cannot be replaced keeps the whole content for the next one",
  () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      mkdirSync(join(target, "full"), { recursive: true })
      const download = registry.downloadBlob("alpine", digest, target, { resumable: true })
      assert.strictEqual((yield* Effect.flip(download))._tag, "PlatformError")
      assert.deepStrictEqual(readdirSync(join(target, "..")), ["layer.tar", shared("layer.tar")])
      assert.isTrue(readFileSync(shared(target)).equals(blob))
    }).pipe(Effect.scoped, live())
)

/** The real disk, which records each write, each sync and the renaming to the target. */
const noting = (notes: Array<string>) =>
  changed((files) => ({
    open: (path, options) =>
      Effect.map(files.open(path, options), (file) => ({
        ...file,
        stat: file.stat,
        read: (buffer, options) => file.read(buffer, options),
        writeAll: (bytes) => Effect.tap(file.writeAll(bytes), () => Effect.sync(() => notes.push("write"))),
        sync: Effect.tap(file.sync, () => Effect.sync(() => notes.push("sync")))
      })),
    rename: (from, to) =>
      Effect.tap(files.rename(from, to), () =>
        Effect.sync(() => {
          if (to.endsWith("layer.tar")) notes.push("rename")
        })
      )
  }))

/** The steps of a download from its last write on. */
const lastSteps = (notes: ReadonlyArray<string>) => notes.slice(notes.lastIndexOf("write"))

it.live(
  "a download syncs its file before it renames it, so that a power failure leaves no file without its bytes",
  () => {
    const notes: Array<string> = []
    return Effect.gen(function* () {
      const registry = yield* RegistryContent
      const target = join(yield* folder, "layer.tar")
      yield* registry.downloadBlob("alpine", digest, target)
      assert.deepStrictEqual(lastSteps(notes), ["write", "sync", "rename"])
    }).pipe(Effect.scoped, Effect.provide([content(serving()), noting(notes)]))
  }
)

it.live("a download that lost its partial file to a newer one syncs its copy before it renames that", () => {
  const notes: Array<string> = []
  return Effect.gen(function* () {
    const target = join(yield* folder, "layer.tar")
    const older = yield* halting(target, true)
    const newer = yield* halting(target, true)
    notes.length = 0
    assert.isTrue(Exit.isSuccess(yield* older.end))
    assert.deepStrictEqual(lastSteps(notes), ["write", "sync", "rename"])
    yield* newer.end
  }).pipe(Effect.scoped, Effect.provide([content(serving()), noting(notes)]))
})

it.live("a download that lost its partial file to a newer one fails when another program has changed the content", () =>
  Effect.gen(function* () {
    const target = join(yield* folder, "layer.tar")
    const older = yield* halting(target, true)
    const other = openSync(shared(target), "r+")
    const newer = yield* halting(target, true)
    writeSync(other, "other bytes")
    closeSync(other)
    const exit = yield* older.end
    assert.isTrue(Exit.isFailure(exit))
    assert.include(String(exit), "another program changed the partial file")
    assert.deepStrictEqual(readdirSync(join(target, "..")), [shared("layer.tar")])
    yield* newer.end
    assertBlob(target, "of the newer one")
  }).pipe(Effect.scoped, live())
)
