/**
 * The most memory that this process has held.
 */
import { readFileSync } from "node:fs"

/**
 * In bytes. Where Linux tells it of the program alone, that counts: what `process.resourceUsage` says also holds for a
 * moment before, when the process was still a copy of the one that started it.
 */
export const peakMemoryBytes = (): number => {
  try {
    const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
    if (kibibytes !== undefined) return Number(kibibytes) * 1024
  } catch {
    // Other systems have no such file.
  }
  return process.resourceUsage().maxRSS * 1024
}
