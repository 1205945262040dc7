/**
 * Removes content that is no longer needed. There is no timer: each request checks the entries that wait the longest.
 */
import { identity } from "effect/Function"
import * as Contents from "./contents.ts"
import { linkLifetimeMillis } from "./storage.ts"
import type { Store } from "./store.ts"
import type { Trash } from "./trash.ts"
import type { Uploads } from "./uploads.ts"

/**
 * How long a repository keeps a blob that none of its manifests names. A client that has checked that a blob exists may
 * push the manifest that names it later.
 */
const unnamedMillis = 24 * 60 * 60_000

/** How long unneeded content is kept: as long as a link to it is valid. */
const unusedMillis = linkLifetimeMillis

/** How many files are removed concurrently. One after the other, clients could leave more files than are removed. */
const removalsAtOnce = 32

/** How long to wait after a failure. */
const pauseMillis = 60_000

/** The first entries that have waited long enough. The entries are ordered by their waiting time, the longest first. */
const overdue = <A>(
  waiting: ReadonlyMap<string, A>,
  sinceMillisOf: (item: A) => number,
  waitsMillis: number,
  nowMillis: number
): ReadonlyArray<readonly [string, A]> => {
  const found: Array<readonly [string, A]> = []
  for (const entry of waiting) {
    const sinceMillis = sinceMillisOf(entry[1])
    // The clock was set back since. The entries behind must not wait for this one.
    if (sinceMillis > nowMillis) continue
    if (sinceMillis + waitsMillis > nowMillis) break
    found.push(entry)
  }
  return found
}

/** Removes a file, unless something needs it by then. */
const dropContent = (store: Store, digest: string): Promise<void> =>
  store.inTurn(digest, async () => {
    if (store.isUsed(digest)) return
    // First, so that a client that checks for it meanwhile uploads it again.
    store.forget(digest)
    await Contents.drop(store.directory, digest)
  })

export const make = (parts: {
  readonly store: Store
  readonly trash: Pick<Trash, "expire">
  readonly uploads: Pick<Uploads, "sweep">
}) => {
  const { store, trash, uploads } = parts
  let failedMillis: number | undefined
  let busy: Promise<void> | undefined

  const dropUnnamed = (nowMillis: number): void => {
    const dropped = overdue(store.unnamed, ({ sinceMillis }) => sinceMillis, unnamedMillis, nowMillis)
    store.commit(dropped.map(([, { digest, repository }]) => ({ _tag: "DropBlob", repository, digest })))
  }

  const removeFiles = async (waitMillis: number, nowMillis: number): Promise<void> => {
    const waiting = overdue(store.unused, identity, waitMillis, nowMillis).values()
    // Each takes the next file from the same iterator.
    const remove = async () => {
      for (const [digest] of waiting) await dropContent(store, digest)
    }
    await Promise.all([uploads.sweep(), ...Array.from({ length: removalsAtOnce }, remove)])
  }

  const inBackground = (remove: () => Promise<void>): void => {
    busy ??= remove()
      // A file that cannot be removed is found when an emulator starts on the folder again.
      .catch(() => undefined)
      .finally(() => {
        busy = undefined
      })
  }

  return {
    /** Runs before a request, which does not wait for the removal of files. */
    before: (nowMillis: number): void => {
      // A clock that was set back does not make the pause longer.
      if (failedMillis !== undefined && nowMillis >= failedMillis && nowMillis < failedMillis + pauseMillis) return
      try {
        trash.expire(nowMillis)
        dropUnnamed(nowMillis)
      } catch {
        // The disk is full, for example. Requests that write nothing still work.
        failedMillis = nowMillis
      }
      inBackground(() => removeFiles(unusedMillis, nowMillis))
    },

    /** Removes all unneeded files, without waiting. */
    now: async (): Promise<void> => {
      await busy
      await removeFiles(0, Number.POSITIVE_INFINITY)
    },

    /** Waits until no file is being removed. */
    idle: async (): Promise<void> => busy
  }
}

export type Sweep = ReturnType<typeof make>
