/**
 * The state of a registry in a folder: content as in an OCI image layout, and a file of the changes that made the
 * state.
 */
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { mkdir, mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DirectoryError } from "../DirectoryError.ts"
import * as ChangeLog from "./changeLog.ts"
import type { Change } from "./changes.ts"
import * as Contents from "./contents.ts"
import { Held, hold } from "./folderLock.ts"
import * as IndexFile from "./indexFile.ts"
import * as State from "./state.ts"
import * as Store from "./store.ts"
import type { Sweep } from "./sweep.ts"
import type { Uploads } from "./uploads.ts"

const logFile = (directory: string): string => join(directory, "registry.jsonl")

/** The minimum number of changes of a file that is compacted. */
const leastChanges = 1000

/**
 * The length of a file relative to the state at which it is compacted. A file that only grows is at most twice as long.
 */
const timesTheState = 4

/** Applies what a folder holds to an empty registry, and returns how many changes its file has. */
const restore = async (directory: string, registry: State.Registry): Promise<number> => {
  if (existsSync(logFile(directory))) return ChangeLog.replay(logFile(directory), registry.apply)
  if (existsSync(join(directory, LayoutFiles.indexFile))) {
    throw new Error("it is an image layout of another program, whose index.json would be overwritten")
  }
  return 0
}

/** Compares the needed files with the existing ones. */
const takeStock = async (directory: string, registry: State.Registry): Promise<void> => {
  const files = await Contents.list(directory)
  for (const digest of registry.used()) {
    if (!files.has(digest)) throw new Error(`${Contents.fileOf(directory, digest)} is missing`)
  }
  // A killed emulator leaves content that it was about to need.
  for (const digest of files) if (!registry.isUsed(digest)) registry.found(digest)
}

/** Writes a file as a whole, or fails and does not change it. */
const writeWhole = (file: string, text: string): void => {
  try {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  } finally {
    rmSync(`${file}.new`, { force: true })
  }
}

/** Whether `index.json` matches the changes: it is written after them. */
const isIndexed = (directory: string): boolean => {
  const index = statSync(join(directory, LayoutFiles.indexFile), { throwIfNoEntry: false })
  return index !== undefined && index.mtimeMs >= statSync(logFile(directory)).mtimeMs
}

const hasCode = (cause: unknown, code: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === code

/**
 * Makes a folder and those above it. The recursive `mkdir` of Node never ends on a file system that answers ENOENT
 * although the folder above is there, such as `/proc`.
 */
const makeFolder = async (directory: string): Promise<void> => {
  try {
    await mkdir(directory)
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return
    if (!hasCode(cause, "ENOENT") || existsSync(dirname(directory))) throw cause
    await makeFolder(dirname(directory))
    await mkdir(directory)
  }
}

/** The store of a permanent folder. */
const keptStore = async (directory: string, now: () => number, isTakenOver: boolean) => {
  const registry = State.make((digest) => Contents.fileOf(directory, digest), now)
  const { state } = registry
  const replayed = await restore(directory, registry)
  await takeStock(directory, registry)
  const log = ChangeLog.open(logFile(directory), () => State.snapshot(state), replayed)

  let isCurrent = isIndexed(directory)

  const compact = (): void => {
    if (!log.compact()) return
    writeWhole(join(directory, LayoutFiles.indexFile), IndexFile.format(state))
    isCurrent = true
  }
  /** The length of the file at which it is compared with the state again, which is slow. */
  let lookAt = leastChanges

  const compactIfLong = (): void => {
    if (log.count() < lookAt) return
    const longest = Math.max(leastChanges, timesTheState * State.sizeOf(state))
    lookAt = longest
    if (log.count() < longest) return
    try {
      compact()
    } catch {
      // The disk is full, for example. The longer file is as good.
      lookAt = log.count() + leastChanges
    }
  }

  // If the emulator before was only suspended, it now appends to a file that no longer has a name.
  if (isTakenOver) log.compact()

  const record = (changes: ReadonlyArray<Change>): void => {
    // First, as the state does not have these changes yet.
    compactIfLong()
    log.append(changes)
    isCurrent = false
  }
  return {
    store: Store.make(directory, registry, record),
    close: () => {
      try {
        if (!isCurrent) compact()
      } catch {
        // The file of changes is complete. `index.json` is not changed.
      }
      log.close()
    }
  }
}

const failure = (directory: string) => (cause: unknown) =>
  new DirectoryError({ directory, cause, ...(cause instanceof Held ? { heldBy: cause.process } : {}) })

const attempt = <A>(directory: string, run: () => Promise<A>): Effect.Effect<A, DirectoryError> =>
  Effect.tryPromise({ try: run, catch: failure(directory) })

/** A folder that is removed when the scope closes. */
const temporary = (now: () => number): Effect.Effect<Store.Store, DirectoryError, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(tmpdir(), async () => {
      const directory = await mkdtemp(join(tmpdir(), "acr-emulator-"))
      await Contents.prepare(directory)
      return directory
    }),
    (directory) => Effect.promise(() => Contents.remove(directory))
  ).pipe(
    Effect.map((directory) =>
      Store.make(
        directory,
        State.make((digest) => Contents.fileOf(directory, digest), now),
        () => undefined
      )
    )
  )

/** A permanent folder, which this emulator holds until the scope closes. */
const kept = (directory: string, now: () => number): Effect.Effect<Store.Store, DirectoryError, Scope.Scope> =>
  Effect.gen(function* () {
    const { isTakenOver } = yield* Effect.acquireRelease(
      attempt(directory, async () => {
        await makeFolder(directory)
        return hold(directory)
      }),
      ({ release }) => Effect.promise(release)
    )
    yield* Effect.acquireRelease(
      attempt(directory, () => Contents.prepare(directory)),
      () => Effect.promise(() => Contents.forget(directory))
    )
    const { store } = yield* Effect.acquireRelease(
      attempt(directory, () => keptStore(directory, now, isTakenOver)),
      ({ close }) => Effect.sync(close)
    )
    return store
  })

/**
 * The store of a folder, with the content that an earlier emulator left in it. Without a folder, the store of a
 * temporary one, which is removed when the scope closes.
 */
export const open = (
  directory: string | undefined,
  now: () => number
): Effect.Effect<Store.Store, DirectoryError, Scope.Scope> =>
  directory === undefined ? temporary(now) : kept(resolve(directory), now)

/** Empties a registry: repositories, trash, uploads and content. */
export const clear = async (parts: {
  readonly store: Store.Store
  readonly uploads: Pick<Uploads, "clear">
  readonly sweep: Pick<Sweep, "now">
}): Promise<void> => {
  parts.store.commit([{ _tag: "Clear" }])
  await parts.uploads.clear()
  await parts.sweep.now()
}
