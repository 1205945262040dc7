/**
 * Downloads into a folder that other users can write: nothing outside is read into it or written, and a download that
 * succeeds has given the final name to a file that it made itself, with verified content.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
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
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { temporaryFolder } from "./support/command.ts"
import { emulated } from "./support/emulator.ts"
import * as MeddledFiles from "./support/meddledFiles.ts"

const bytes = randomBytes(100_000)
const digest = Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)

/** Where an earlier download of the blob leaves its partial file. */
const partialOf = (target: string): string => `${target}.${Digest.hex(digest).slice(0, 16)}.partial`

/** Downloads into a folder that was prepared, beside a file that must not change. */
const downloaded = (
  prepare: (paths: { readonly victim: string; readonly target: string; readonly partial: string }) => Promise<unknown>,
  resumable: boolean
) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent
    yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
    const folder = yield* temporaryFolder
    const victim = join(folder, "victim")
    const target = join(folder, "downloads", "layer.tar")
    yield* Effect.promise(async () => {
      await mkdir(join(folder, "downloads"))
      await writeFile(victim, "not to be touched")
      await prepare({ victim, target, partial: partialOf(target) })
    })
    yield* content.downloadBlob("a", digest, target, { resumable })
    yield* Effect.promise(async () => {
      assert.strictEqual(await readFile(victim, "utf8"), "not to be touched")
      assert.isTrue((await lstat(target)).isFile())
      assert.deepStrictEqual(await readFile(target), bytes)
      assert.deepStrictEqual(await readdir(join(folder, "downloads")), ["layer.tar"])
    })
  }).pipe(Effect.provide([emulated(), NodeFileSystem.layer]))

for (const resumable of [false, true]) {
  describe(`a download that ${resumable ? "can" : "cannot"} be resumed`, () => {
    it.live("takes the place of a link under its name", () =>
      downloaded(({ target, victim }) => symlink(victim, target), resumable)
    )

    it.live("takes the place of a link under the name of its part", () =>
      downloaded(({ partial, victim }) => symlink(victim, partial), resumable)
    )

    it.live("takes the place of a link that leads nowhere yet", () =>
      downloaded(({ partial, victim }) => symlink(`${victim}-to-be`, partial), resumable)
    )
  })
}

describe("a download that begins anew", () => {
  it.live("takes the place of a part that is another's", () =>
    downloaded(({ partial }) => writeFile(partial, randomBytes(200_000)), false)
  )
})

/* An attacker who acts between two calls of the download. */

const isRoot = process.getuid?.() === 0
const ownUser = process.getuid?.()
/** `nobody`, on most systems; any other user will do. */
const otherUser = 65_534

const secret = "the content of a file elsewhere"

interface Place {
  /** The folder that the attacker can write. */
  readonly folder: string
  readonly target: string
  /** A file elsewhere, which the attacker cannot read. */
  readonly victim: string
  /** The inodes that the attacker, or another program, has put into the folder. */
  readonly foreign: Set<number>
}

/** What the attacker puts in place of a file. */
const swaps: Readonly<Record<string, (path: string, place: Place) => void>> = {
  "a link to a file elsewhere": (path, { victim }) => symlinkSync(victim, path),
  "a link to a file that is not there yet": (path, { victim }) => symlinkSync(`${victim}-to-be`, path),
  "a second name of a file elsewhere": (path, { victim }) => linkSync(victim, path),
  "a file that the user keeps from others": (path) => writeFileSync(path, secret, { mode: 0o600 }),
  "a file of the attacker's": (path) => {
    writeFileSync(path, bytes.subarray(0, 30_000))
    chmodSync(path, 0o666)
    if (isRoot) chownSync(path, otherUser, otherUser)
  },
  "the attacker's file with the right content": (path) => {
    writeFileSync(path, bytes)
    chmodSync(path, 0o666)
    if (isRoot) chownSync(path, otherUser, otherUser)
  },
  "a pipe": (path) => execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", path]),
  "a folder": (path) => mkdirSync(path),
  nothing: () => {}
}

/** Swaps all partial files of the folder; where there is none, the name to resume from is taken. */
const swapPartials = (place: Place, swap: (path: string, place: Place) => void): ReadonlyArray<string> => {
  const names = readdirSync(place.folder).filter((name) => name.endsWith(".partial"))
  const paths = names.length === 0 ? [partialOf(place.target)] : names.map((name) => join(place.folder, name))
  for (const path of paths) {
    // Moved, not removed: so the file lives on, and the download cannot tell it by the count of its names.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
      renameSync(path, `${path}.${randomBytes(6).toString("hex")}.moved`)
    }
    swap(path, place)
    const info = lstatSync(path, { throwIfNoEntry: false })
    if (info !== undefined) place.foreign.add(info.ino)
  }
  return paths
}

/** Asserts that the attack came to nothing. */
const assertUnharmed = (place: Place, succeeded: boolean, situation: string) => {
  assert.strictEqual(readFileSync(place.victim, "utf8"), secret, `${situation}: the file elsewhere`)
  assert.strictEqual(lstatSync(place.victim).mode & 0o777, 0o600, `${situation}: the mode of the file elsewhere`)
  assert.deepStrictEqual(readdirSync(join(place.folder, "..", "elsewhere")), ["victim"], situation)
  const final = lstatSync(place.target, { throwIfNoEntry: false })
  if (succeeded) {
    assert.isTrue(final?.isFile(), `${situation}: no file`)
    assert.isTrue(readFileSync(place.target).equals(bytes), `${situation}: the content`)
    assert.strictEqual(final?.uid, ownUser, `${situation}: the owner`)
  } else if (final !== undefined) {
    // What another program put under the name stays there: the download cannot tell an attacker from another writer.
    assert.isTrue(place.foreign.has(final.ino), `${situation}: the download failed, and left a file under the name`)
  }
  for (const name of readdirSync(place.folder)) {
    const path = join(place.folder, name)
    const info = lstatSync(path)
    if (!info.isFile() || (info.mode & 0o044) === 0) continue
    assert.isFalse(readFileSync(path).includes(secret), `${situation}: the secret was copied`)
  }
}

/** A folder with so many bytes of the blob under the name to resume from, beside another folder with a file. */
const preparedPlace = (left: number) =>
  Effect.map(temporaryFolder, (root): Place => {
    const folder = join(root, "shared")
    const target = join(folder, "layer.tar")
    const place = { folder, target, victim: join(root, "elsewhere", "victim"), foreign: new Set<number>() }
    mkdirSync(folder)
    mkdirSync(join(root, "elsewhere"))
    writeFileSync(place.victim, secret, { mode: 0o600 })
    if (left > 0) writeFileSync(partialOf(place.target), bytes.subarray(0, left))
    return place
  })

/** Downloads once for each call that the download makes, and swaps before that call, or before it and all others. */
const attacked = (
  swap: (path: string, place: Place) => void,
  options: { readonly resumable: boolean; readonly left: number; readonly always: boolean }
) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent
    yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
    let calls = 0
    for (let turn = 1; turn === 1 || calls >= turn - 1; turn++) {
      const place = yield* preparedPlace(options.left)
      /** The attacker's own files, which it holds open. */
      const held: Array<number> = []
      let name = ""
      calls = 0
      const files = MeddledFiles.layer((call) => {
        calls += 1
        if (calls !== turn && !(options.always && calls > turn)) return
        name = call
        for (const path of swapPartials(place, swap)) {
          const info = lstatSync(path, { throwIfNoEntry: false })
          if (info?.isFile() === true && info.nlink === 1) held.push(openSync(path, "r+"))
        }
      })
      const outcome = yield* content
        .downloadBlob("a", digest, place.target, { resumable: options.resumable })
        .pipe(Effect.provide(files), Effect.result)
      for (const file of held) {
        writeSync(file, "changed afterwards", 0)
        closeSync(file)
      }
      assertUnharmed(place, Result.isSuccess(outcome), `before call ${turn} of ${calls}, ${name}`)
    }
  }).pipe(Effect.scoped, Effect.provide(emulated()))

describe("an attacker who swaps the partial file, at any moment, for", () => {
  for (const [name, swap] of Object.entries(swaps)) {
    for (const always of [false, true]) {
      it.live(`${name}, ${always ? "from then on" : "once"}, harms nothing`, () =>
        Effect.gen(function* () {
          yield* attacked(swap, { resumable: false, left: 0, always })
          yield* attacked(swap, { resumable: true, left: 40_000, always })
          if (!always) yield* attacked(swap, { resumable: true, left: 0, always })
        })
      )
    }
  }
})

describe("a resumable download that finds, under the name of its part,", () => {
  for (const [name, swap] of Object.entries(swaps)) {
    it.live(`${name}, ends with a file of its own`, () =>
      Effect.gen(function* () {
        const content = yield* RegistryContent
        yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
        const place = yield* preparedPlace(0)
        swap(partialOf(place.target), place)
        yield* content.downloadBlob("a", digest, place.target, { resumable: true })
        assertUnharmed(place, true, name)
      }).pipe(Effect.scoped, Effect.provide([emulated(), NodeFileSystem.layer]))
    )
  }
})

/** Downloads while a file with such content replaces the target, right after the renaming. */
const replacedBy = (content: Uint8Array, owner: number | undefined) =>
  Effect.gen(function* () {
    const registry = yield* RegistryContent
    yield* registry.uploadBlob("a", BlobSource.fromBytes(bytes))
    const place = yield* preparedPlace(0)
    const other = join(place.folder, "other")
    writeFileSync(other, content)
    if (owner !== undefined) chownSync(other, owner, owner)
    const { ino } = lstatSync(other)
    place.foreign.add(ino)
    const files = MeddledFiles.layer((call, path) => {
      if (call === "lstat" && path === place.target && lstatSync(other, { throwIfNoEntry: false }) !== undefined) {
        renameSync(other, place.target)
      }
    })
    const outcome = yield* registry
      .downloadBlob("a", digest, place.target, { resumable: true })
      .pipe(Effect.provide(files), Effect.result)
    assertUnharmed(place, Result.isSuccess(outcome), "afterwards")
    assert.strictEqual(lstatSync(place.target, { throwIfNoEntry: false })?.ino, ino, "the other file is gone")
    assert.isTrue(readFileSync(place.target).equals(content), "the content of the other file")
    return outcome
  }).pipe(Effect.scoped, Effect.provide(emulated()))

describe("a file that replaces the target right after the renaming", () => {
  it.live("stays, and fails the download if it holds other content", () =>
    Effect.map(replacedBy(Buffer.from("other content"), undefined), (outcome) =>
      assert.strictEqual(Result.isFailure(outcome) && outcome.failure._tag, "PlatformError")
    )
  )

  it.live("stays, and is as good if it holds the blob: another process has downloaded it as well", () =>
    Effect.map(replacedBy(bytes, undefined), (outcome) => assert.isTrue(Result.isSuccess(outcome)))
  )

  // Only root can give a file to another user.
  it.live.runIf(isRoot)("stays, and fails the download if it is another user's, whatever it holds", () =>
    Effect.map(replacedBy(bytes, otherUser), (outcome) => assert.isTrue(Result.isFailure(outcome)))
  )
})

/** Runs a script as another user, and tells its exit code. */
const asOther = (script: string, ...args: ReadonlyArray<string>) =>
  spawnSync("sh", ["-c", script, "sh", ...args], { uid: otherUser, gid: otherUser }).status

// Only root can start a process of another user.
describe.runIf(isRoot)("another user who can write the folder, and puts a file in place of the partial file", () => {
  it.live("owns no download, and cannot change one afterwards", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      yield* content.uploadBlob("a", BlobSource.fromBytes(bytes))
      for (const resumable of [false, true]) {
        let calls = 0
        for (let turn = 1; turn === 1 || calls >= turn - 1; turn++) {
          const place = yield* preparedPlace(40_000)
          chmodSync(place.folder, 0o777)
          chmodSync(join(place.folder, ".."), 0o755)
          calls = 0
          const files = MeddledFiles.layer(() => {
            calls += 1
            if (calls !== turn) return
            const attack = 'cp "$1" "$1.own" && chmod 666 "$1.own" && mv "$1" "$1.moved" && mv "$1.own" "$1"'
            for (const name of readdirSync(place.folder).filter((name) => name.endsWith(".partial"))) {
              assert.strictEqual(asOther(attack, join(place.folder, name)), 0)
              place.foreign.add(lstatSync(join(place.folder, name)).ino)
            }
          })
          const outcome = yield* content
            .downloadBlob("a", digest, place.target, { resumable })
            .pipe(Effect.provide(files), Effect.result)
          assertUnharmed(place, Result.isSuccess(outcome), `before call ${turn}`)
          if (Result.isSuccess(outcome)) {
            assert.notStrictEqual(asOther('echo changed >> "$1"', place.target), 0, `before call ${turn}`)
          }
        }
      }
    }).pipe(Effect.scoped, Effect.provide(emulated()))
  )
})
