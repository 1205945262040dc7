/**
 * The most memory that this process has held.
 */
import { readFileSync } from "node:fs"

/**
 * In bytes. Where Linux tells it of the program alone, that counts: what `process.resourceUsage` says also holds for a
 * moment before, when the process was still a copy of the one that started it.
 */
export const peakMemoryBytes = (): number => peakMemoryBytesOf("self") ?? process.resourceUsage().maxRSS * 1024

/** That of another process, where Linux tells it. */
export const peakMemoryBytesOf = (pid: number | "self"): number | undefined => {
  try {
    const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    // Other systems have no such file.
    return undefined
  }
}
