/**
 * Two emulators on one folder: the second one is refused, unless the first one was killed.
 */
import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { push } from "./support/content.ts"
import { folder } from "./support/folder.ts"
import { start } from "./support/process.ts"

const open = (directory: string) => Effect.scoped(Layer.build(AcrEmulator.layer({ directory })))

/** The files of the emulators that hold a folder. */
const locksIn = (directory: string) =>
  Effect.promise(async () => (await readdir(directory)).filter((name) => name.startsWith("registry.lock.")))

const names = Effect.map(askAsAdmin("GET", "/v2/_catalog"), ({ text }) => text)

/** The file of an emulator in another container, which touched it so long ago. */
const heldElsewhere = Effect.fnUntraced(function* (directory: string, ago: Duration.Input) {
  yield* push("kept").pipe(Effect.provide(emulator({ directory })))
  const file = join(directory, "registry.lock.another-machine.1.100.00000000")
  const touched = new Date(Date.now() - Duration.toMillis(ago))
  yield* Effect.promise(async () => {
    await writeFile(file, "")
    await utimes(file, touched, touched)
  })
  return file
})

describe("a folder of a running emulator", () => {
  it.live("is refused to a second one in the same process, which the error names", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        yield* push("before")
        const error = yield* Effect.flip(open(directory))
        assert.strictEqual(error._tag, "DirectoryError")
        if (error._tag === "DirectoryError") assert.strictEqual(error.heldBy, process.pid)
        assert.strictEqual(
          error.message,
          `${directory} can't hold a registry: the emulator of process ${process.pid} uses it`
        )
        // The first one still works.
        yield* push("after")
        assert.strictEqual((yield* locksIn(directory)).length, 1)
      }).pipe(Effect.provide(emulator({ directory })))
      assert.deepStrictEqual(yield* locksIn(directory), [])
    })
  )

  it.live("is refused to a second process, and free once the first one is killed", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const first = yield* start(directory)
      assert.include(yield* Effect.flip(start(directory)), `the emulator of process ${first.pid} uses it`)
      const error = yield* Effect.flip(open(directory))
      if (error._tag === "DirectoryError") assert.strictEqual(error.heldBy, first.pid)
      yield* first.kill
      // Its file is still there.
      assert.strictEqual((yield* locksIn(directory)).length, 1)
      const [took] = yield* Effect.timed(open(directory))
      // A process of this machine is looked up, not waited for.
      assert.isBelow(Duration.toMillis(took), 2000)
    })
  )

  it.live("is free if the number of its process belongs to another one by now", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.gen(function* () {
        const [own = ""] = yield* locksIn(directory)
        const [, , machine, , started = ""] = own.split(".")
        assert.isNotEmpty(started)
        // This process, had it started at another time.
        const other = `registry.lock.${machine}.${process.pid}.1.00000000`
        yield* Effect.promise(() => writeFile(join(directory, other), ""))
      }).pipe(Effect.provide(emulator({ directory })))
      assert.strictEqual((yield* locksIn(directory)).length, 1)
      yield* open(directory)
      assert.deepStrictEqual(yield* locksIn(directory), [])
    })
  )
})

describe("a folder of an emulator in another container", () => {
  it.live("is refused while its file is touched", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const file = yield* heldElsewhere(directory, 0)
      const touch = Effect.promise(() => utimes(file, new Date(), new Date()))
      const beats = Effect.forever(Effect.andThen(touch, Effect.sleep("50 millis")))
      const error = yield* Effect.flip(Effect.raceFirst(open(directory), beats))
      assert.include(error.message, "the emulator of process 1, in another container or on another machine, uses it")
      assert.strictEqual((yield* locksIn(directory)).length, 1)
    })
  )

  it.live("is taken over once it is not touched any more, and what the other one then appends is lost to itself", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* heldElsewhere(directory, 0)
      const log = join(directory, "registry.jsonl")
      const before = yield* Effect.promise(() => stat(log))
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* names, '{"repositories":["a"]}')
        assert.notStrictEqual((yield* Effect.promise(() => stat(log))).ino, before.ino)
      }).pipe(Effect.provide(emulator({ directory })))
      assert.deepStrictEqual(yield* locksIn(directory), [])
      assert.include(yield* Effect.promise(() => readFile(log, "utf8")), "HoldBlob")
    })
  )

  it.live("is taken over immediately if it was not touched for long", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* heldElsewhere(directory, "1 minute")
      const [took] = yield* Effect.timed(open(directory))
      assert.isBelow(Duration.toMillis(took), 2000)
    })
  )
})
