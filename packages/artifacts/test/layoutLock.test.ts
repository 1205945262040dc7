/**
 * The lock of a layout: programs that were killed, run long, or were suspended.
 */
import { readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as BlobSource from "@effect-acr/client/BlobSource"
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ImageLayout from "../src/ImageLayout.ts"
import { amd64, layer as layerOf } from "./support/artifacts.ts"
import { layer as platform, layoutFolder } from "./support/layouts.ts"

const locksIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith(".lock."))

/** A layout with the tag `v1`. */
const written = Effect.gen(function* () {
  const folder = yield* layoutFolder
  const layout = yield* ImageLayout.open(folder)
  for (const text of ["{}", "base", "amd64"]) yield* layout.putBlob(layerOf(text), BlobSource.fromString(text))
  yield* layout.putManifest(amd64, { tags: ["v1"] })
  return { folder, layout }
})

/** One turn of the event loop. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** A fiber may take some turns from one operation to the next. */
const turnsBetween = 5

/** The layout of a folder on a file system that reports when it is idle. */
const watched = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    let atWork = 0
    const counted = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        atWork++
        return Effect.ensuring(
          effect,
          Effect.sync(() => atWork--)
        )
      })
    const counting = FileSystem.make({
      ...files,
      access: (path, options) => counted(files.access(path, options)),
      readDirectory: (path, options) => counted(files.readDirectory(path, options)),
      remove: (path, options) => counted(files.remove(path, options)),
      stat: (path) => counted(files.stat(path)),
      writeFile: (path, data, options) => counted(files.writeFile(path, data, options))
    })
    const layout = yield* Effect.provideService(ImageLayout.open(folder), FileSystem.FileSystem, counting)
    let quietTurns = 0
    const isQuiet = () => {
      quietTurns = atWork === 0 ? quietTurns + 1 : 0
      return quietTurns % turnsBetween === 0 && quietTurns > 0
    }
    return { layout, idle: Effect.repeat(turn, { until: isQuiet }) }
  })

/** Lets time pass whenever the files are idle, until an effect ends, and does something each second. */
const passing = <A, E>(effect: Effect.Effect<A, E>, idle: Effect.Effect<unknown>, eachSecond: () => void) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.result(effect))
    let tenths = 0
    while (fiber.pollUnsafe() === undefined) {
      yield* idle
      yield* TestClock.adjust("100 millis")
      if (++tenths % 10 === 0) eachSecond()
    }
    return { result: yield* Fiber.join(fiber), seconds: tenths / 10 }
  })

const nothing = () => undefined

layer(platform)("the lock of a layout", (it) => {
  it.effect(
    "of a program that is gone from another machine is broken after ten seconds, within the minute that is waited for",
    () =>
      Effect.gen(function* () {
        const { folder, layout } = yield* written
        writeFileSync(join(folder, ".lock.elsewhere.1.x"), "")
        const { idle, layout: waiting } = yield* watched(folder)
        const { result, seconds } = yield* passing(waiting.putManifest(amd64, { tags: ["v2"] }), idle, nothing)
        assert.strictEqual(result._tag, "Success")
        assert.isAtLeast(seconds, 9)
        assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1", "v2"])
        assert.deepStrictEqual(locksIn(folder), [])
      })
  )

  it.effect("of a running program is waited for one minute", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* written
      const theirs = join(folder, ".lock.elsewhere.1.x")
      writeFileSync(theirs, "")
      let beats = 0
      const { idle, layout: waiting } = yield* watched(folder)
      const { result, seconds } = yield* passing(waiting.putManifest(amd64, { tags: ["v2"] }), idle, () => {
        beats++
        utimesSync(theirs, beats, beats)
      })
      assert.strictEqual(result._tag, "Failure")
      if (result._tag === "Failure" && result.failure._tag === "LayoutError") {
        assert.strictEqual(result.failure.reason._tag, "Locked")
        assert.isTrue(result.failure.isRetryable)
      }
      assert.isAtLeast(seconds, 55)
      assert.deepStrictEqual(locksIn(folder), [".lock.elsewhere.1.x"])
      // Reading needs no lock.
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1"])
    })
  )

  it.effect("that was broken while its holder was suspended is acquired again, and no change is lost", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* written
      const files = yield* FileSystem.FileSystem
      let isBroken = false
      // Another program breaks the lock, and changes the index, right before ours is published.
      const sleeping = FileSystem.make({
        ...files,
        // By this, a holder checks whether its file still exists.
        access: (path, options) =>
          Effect.gen(function* () {
            if (!path.includes(".lock.") || isBroken) return yield* files.access(path, options)
            isBroken = true
            for (const name of locksIn(folder)) rmSync(join(folder, name))
            yield* Effect.orDie(layout.putManifest(amd64, { tags: ["theirs"] }))
            return yield* files.access(path, options)
          })
      })
      const slow = yield* Effect.provideService(ImageLayout.open(folder), FileSystem.FileSystem, sleeping)
      yield* slow.putManifest(amd64, { tags: ["ours"] })
      assert.isTrue(isBroken)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["ours", "theirs", "v1"])
      assert.deepStrictEqual(locksIn(folder), [])
    })
  )

  it.effect("leaves no file if the change that acquires it is interrupted", () =>
    Effect.gen(function* () {
      const { folder } = yield* written
      const isTaking = yield* Deferred.make<void>()
      const mayGoOn = yield* Deferred.make<void>()
      const files = yield* FileSystem.FileSystem
      const taking = FileSystem.make({
        ...files,
        writeFile: (path, bytes, options) =>
          path.includes(".lock.")
            ? Effect.andThen(
                Effect.andThen(Deferred.succeed(isTaking, undefined), Deferred.await(mayGoOn)),
                files.writeFile(path, bytes, options)
              )
            : files.writeFile(path, bytes, options)
      })
      const layout = yield* Effect.provideService(ImageLayout.open(folder), FileSystem.FileSystem, taking)
      const change = yield* Effect.forkChild(layout.putManifest(amd64, { tags: ["v2"] }))
      yield* Deferred.await(isTaking)
      const interruption = yield* Effect.forkChild(Fiber.interrupt(change), { startImmediately: true })
      yield* Deferred.succeed(mayGoOn, undefined)
      yield* Fiber.join(interruption)
      assert.deepStrictEqual(locksIn(folder), [])
    })
  )

  it.effect("is no longer waited for by an interrupted change", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* written
      writeFileSync(join(folder, ".lock.elsewhere.1.x"), "")
      const files = yield* FileSystem.FileSystem
      const isWaiting = yield* Deferred.make<void>()
      const waiting = yield* Effect.provideService(
        ImageLayout.open(folder),
        FileSystem.FileSystem,
        FileSystem.make({
          ...files,
          stat: (path) =>
            Effect.tap(files.stat(path), () =>
              path.includes(".lock.") ? Deferred.succeed(isWaiting, undefined) : Effect.void
            )
        })
      )
      const change = yield* Effect.forkChild(waiting.putManifest(amd64, { tags: ["v2"] }))
      yield* Deferred.await(isWaiting)
      // The clock of the test stands still: a change that waits on would never end.
      yield* Fiber.interrupt(change)
      assert.deepStrictEqual(locksIn(folder), [".lock.elsewhere.1.x"])
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1"])
    })
  )
})
