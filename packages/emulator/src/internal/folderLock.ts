/**
 * A folder for one emulator at a time.
 *
 * An emulator creates a file with a unique name, and holds the folder if there is no other such file. As in the lock of
 * layouts in `@effect-acr/artifacts`, two emulators never hold it, and the file of a killed process can be removed
 * safely, since its name is never used again. That lock waits for its turn, by the clock of the program, which may
 * stand still in a test. This one is held as long as an emulator runs. It fails immediately, and names the process that
 * holds the folder.
 *
 * For processes of this machine, the system knows whether they run. For a process elsewhere, in another container or
 * before the last start of the machine, only the heartbeat of its file shows it: the process touches the file twice a
 * second.
 */
import { readFileSync, readlinkSync } from "node:fs"
import { readdir, rm, stat, utimes, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { randomBytes } from "node:crypto"

const prefix = "registry.lock."

const heartbeatMillis = 500

/** How long the file of a process that cannot be looked up is watched. */
const watchMillis = 5 * heartbeatMillis

/** A file that is older than a new one by this time is not watched. */
const deadAfterMillis = 10_000

interface Owner {
  /** The scope in which process ids are unique: the start of the machine and the namespace of its processes. */
  readonly machine: string
  readonly process: number
  /** When the process started, because another one may have its id now. */
  readonly started: string
}

const readOr = <A>(read: () => A, otherwise: A): A => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** The start of a process in ticks, the field 22 of its `stat`. The name before it may have spaces. */
const startedOf = (process: number): string => {
  const stat = readOr(() => readFileSync(`/proc/${process}/stat`, "utf8"), "")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

const findOwner = (): Owner => {
  const boot = readOr(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), hostname())
  const namespace = readOr(() => readlinkSync("/proc/self/ns/pid"), "")
  return {
    machine: `${boot}-${namespace}`.replaceAll(/[^\w-]/g, ""),
    process: process.pid,
    started: startedOf(process.pid)
  }
}

const nameOf = ({ machine, process, started }: Owner): string =>
  `${prefix}${machine}.${process}.${started}.${randomBytes(4).toString("hex")}`

const ownerOf = (name: string): Owner => {
  const [machine = "", process = "", started = ""] = name.slice(prefix.length).split(".")
  return { machine, process: Number(process), started }
}

/** Whether there is a process with an id. Signal 0 only checks. */
const exists = (number: number): boolean => {
  try {
    return process.kill(number, 0)
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

/** Whether a process of this machine runs. Undefined if it may be another one with the same id. */
const isRunning = ({ process, started }: Owner): boolean | undefined => {
  const current = startedOf(process)
  if (current !== "" && started !== "") return current === started
  return exists(process) ? undefined : false
}

const touchedMillis = async (file: string): Promise<number | undefined> => {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return undefined
  }
}

/** Watches the file of a process elsewhere for as long as it could be untouched. */
const isTouched = async (file: string, own: string): Promise<boolean> => {
  const first = await touchedMillis(file)
  const now = await touchedMillis(own)
  if (first === undefined || now === undefined || now - first > deadAfterMillis) return false
  const until = Date.now() + watchMillis
  while (Date.now() < until) {
    await pause(heartbeatMillis / 5)
    const later = await touchedMillis(file)
    if (later !== first) return later !== undefined
  }
  return false
}

/** Another emulator holds the folder. */
export class Held extends Error {
  readonly process: number
  constructor(process: number, where: string) {
    super(`the emulator of process ${process}${where} uses it`)
    this.process = process
  }
}

export interface Holding {
  /** Whether an emulator elsewhere held it and has no heartbeat. It may only be suspended. */
  readonly isTakenOver: boolean
  readonly release: () => Promise<void>
}

/** Takes a folder, or fails with `Held`. */
export const hold = async (directory: string): Promise<Holding> => {
  const self = findOwner()
  const own = join(directory, nameOf(self))
  await writeFile(own, "", { flag: "wx" })
  let isTakenOver = false
  try {
    for (const name of await readdir(directory)) {
      const file = join(directory, name)
      if (!name.startsWith(prefix) || file === own) continue
      const other = ownerOf(name)
      const isHere = other.machine === self.machine
      if ((isHere ? isRunning(other) : undefined) ?? (await isTouched(file, own))) {
        throw new Held(other.process, isHere ? "" : ", in another container or on another machine,")
      }
      await rm(file, { force: true })
      if (!isHere) isTakenOver = true
    }
  } catch (cause) {
    await rm(own, { force: true })
    throw cause
  }
  const beat = setInterval(() => {
    const now = new Date()
    // If another emulator removed the file, it is not created again.
    utimes(own, now, now).catch(() => clearInterval(beat))
  }, heartbeatMillis)
  beat.unref()
  return {
    isTakenOver,
    release: async () => {
      clearInterval(beat)
      await rm(own, { force: true })
    }
  }
}
