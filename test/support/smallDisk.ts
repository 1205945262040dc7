/**
 * A file system in memory that is soon full. Root can mount one, on Linux.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"

const makeFolder = (): string => mkdtempSync(join(tmpdir(), "acr-disk-"))

const mount = (at: string): boolean => spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", at]).status === 0

const unmount = (at: string): void => {
  spawnSync("umount", ["-l", at])
  rmSync(at, { recursive: true, force: true })
}

/** Whether this process can mount one. */
export const canMount = (() => {
  const at = makeFolder()
  const mounted = mount(at)
  unmount(at)
  return mounted
})()

/** The folder of a disk of two mebibytes, until the scope closes. */
export const smallDisk = Effect.acquireRelease(
  Effect.sync(() => {
    const at = makeFolder()
    mount(at)
    return at
  }),
  (at) => Effect.sync(() => unmount(at))
)
