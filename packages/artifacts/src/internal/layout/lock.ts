/**
 * A lock between processes, made only of files, since no platform of Effect has `flock`.
 *
 * Each process that wants the lock creates a file with a unique name, and holds the lock if it then sees no other such file. If
 * it sees one, it removes its own and tries again later. Of two processes, the one that creates its file later sees the other's,
 * so that both never hold the lock.
 *
 * A holder touches its file each second. If a file stays untouched for ten seconds, measured by the waiting process, or belongs
 * to a process of this machine that no longer exists, its process was killed. Such a file can be removed safely, since its name
 * is never used again. A holder that was only suspended finds its file missing, and does not write.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { LayoutError, Locked } from "../../LayoutError.ts"
import { nonce } from "../wholeFiles.ts"

const prefix = ".lock."

/** How often a holder touches its file. */
const heartbeat = Duration.seconds(1)

/** How long a file is untouched until its process counts as killed. */
const deadAfter = Duration.seconds(10)

/** How long a process waits for the lock. */
const patience = Duration.minutes(1)

/** The minimum time between two checks, in milliseconds. */
const leastPauseMillis = 10

/** The name of a lock file: `.lock.<machine>.<process>.<random>`. */
interface Owner {
  /** The boot of the machine and the namespace of its processes, by which process numbers are unique. */
  readonly machine: string
  readonly process: string
}

const unknownOwner: Owner = { machine: "unknown", process: "0" }

/** The identity of this process on Linux. Elsewhere, only a missing heartbeat shows that a process was killed. */
const findOwner = (files: FileSystem.FileSystem): Effect.Effect<Owner> =>
  Effect.gen(function* () {
    const boot = (yield* files.readFileString("/proc/sys/kernel/random/boot_id")).trim()
    const namespace = (yield* files.readLink("/proc/self/ns/pid")).replaceAll(/\D/g, "")
    const process = yield* files.readLink("/proc/self")
    return /^[\da-f-]+$/.test(boot) && /^\d+$/.test(process)
      ? { machine: `${boot}-${namespace}`, process }
      : unknownOwner
  }).pipe(Effect.orElseSucceed(() => unknownOwner))

/** When the file of another process was last seen to change. */
interface Seen {
  readonly touched: number
  readonly atMillis: number
}

export interface Lock {
  /**
   * Runs an effect while no other process does. The effect receives a check whether the lock is still held, to run right before a
   * change is published.
   */
  readonly withLock: <A, E, R>(
    use: (isHeld: Effect.Effect<boolean>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | LayoutError | PlatformError, R>
}

export const make = Effect.fnUntraced(function* (files: FileSystem.FileSystem, path: Path.Path, folder: string) {
  const owner = yield* findOwner(files)

  const isProcessGone = (name: string): Effect.Effect<boolean> => {
    const [machine, process] = name.slice(prefix.length).split(".")
    if (machine !== owner.machine || process === undefined || !/^[1-9]\d*$/.test(process)) return Effect.succeed(false)
    return Effect.match(files.exists(`/proc/${process}`), { onFailure: () => false, onSuccess: (exists) => !exists })
  }

  const remove = (name: string) => Effect.ignore(files.remove(path.join(folder, name), { force: true }))

  /** Whether another process holds or wants the lock. Files of killed processes are removed. */
  const isAlive = Effect.fnUntraced(function* (name: string, seen: Map<string, Seen>) {
    const touched = yield* Effect.match(files.stat(path.join(folder, name)), {
      // It is gone by now.
      onFailure: () => undefined,
      onSuccess: ({ mtime }) => Option.match(mtime, { onNone: () => 0, onSome: (date) => date.getTime() })
    })
    if (touched === undefined) return false
    if (yield* isProcessGone(name)) return yield* Effect.as(remove(name), false)
    const nowMillis = yield* Clock.currentTimeMillis
    const before = seen.get(name)
    if (before?.touched !== touched) {
      seen.set(name, { touched, atMillis: nowMillis })
      return true
    }
    if (nowMillis - before.atMillis < Duration.toMillis(deadAfter)) return true
    return yield* Effect.as(remove(name), false)
  })

  const others = (own: string | undefined, seen: Map<string, Seen>) =>
    files
      .readDirectory(folder)
      .pipe(
        Effect.flatMap((names) =>
          Effect.filter(names, (name) =>
            name.startsWith(prefix) && name !== own ? isAlive(name, seen) : Effect.succeed(false)
          )
        )
      )

  /** Acquires the lock if it is free, and returns the name of its file. */
  const attempt = Effect.fnUntraced(function* (seen: Map<string, Seen>) {
    if ((yield* others(undefined, seen)).length > 0) return Option.none<string>()
    const own = `${prefix}${owner.machine}.${owner.process}.${yield* nonce}`
    yield* files.writeFile(path.join(folder, own), new Uint8Array(), { flag: "wx" })
    const free = yield* Effect.onError(others(own, seen), () => remove(own))
    if (free.length === 0) return Option.some(own)
    return yield* Effect.as(remove(own), Option.none<string>())
  })

  const wait = Effect.fnUntraced(function* (deadlineMillis: number) {
    if ((yield* Clock.currentTimeMillis) >= deadlineMillis) {
      const description = `another program holds the lock for more than ${Duration.format(patience)}`
      return yield* new LayoutError({ folder, reason: new Locked({ description }) })
    }
    yield* Effect.sleep(Duration.millis(leastPauseMillis + (yield* Random.nextIntBetween(0, 4 * leastPauseMillis))))
  })

  /** Only the wait can be interrupted: an interruption elsewhere would leave a file behind. */
  const acquire = Effect.fnUntraced(function* (restore: <A, E>(wait: Effect.Effect<A, E>) => Effect.Effect<A, E>) {
    const seen = new Map<string, Seen>()
    const deadlineMillis = (yield* Clock.currentTimeMillis) + Duration.toMillis(patience)
    let own = yield* attempt(seen)
    while (Option.isNone(own)) {
      yield* restore(wait(deadlineMillis))
      own = yield* attempt(seen)
    }
    return own.value
  })

  const touch = (name: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (millis) =>
      files.utimes(path.join(folder, name), new Date(millis), new Date(millis))
    )

  const withLock: Lock["withLock"] = (use) =>
    // `Effect.acquireUseRelease` would make the wait uninterruptible.
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(acquire(restore), (own) => {
        const beating = Effect.repeat(Effect.ignore(touch(own)), Schedule.spaced(heartbeat))
        const isHeld = Effect.orElseSucceed(files.exists(path.join(folder, own)), () => false)
        const using = Effect.raceFirst(use(isHeld), Effect.andThen(beating, Effect.never))
        return Effect.ensuring(restore(using), remove(own))
      })
    )

  const lock: Lock = { withLock }
  return lock
})
