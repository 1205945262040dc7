/**
 * A bar that shows how far several transfers have come together: redrawn in place on a terminal, a line at each quarter
 * elsewhere.
 */
import { Console, Effect } from "effect"
import { formatSize } from "./numbers.ts"

const width = 40

export const progressBar = (totalBytes: number) => {
  const done = new Map<string, number>()
  let quarters = 0

  const draw = (bytes: number): Effect.Effect<void> => {
    const share = totalBytes === 0 ? 1 : bytes / totalBytes
    if (process.stdout.isTTY) {
      const bar = "█".repeat(Math.round(share * width)).padEnd(width, "░")
      return Effect.sync(() => {
        process.stdout.write(`\r  ${bar} ${formatSize(bytes)} of ${formatSize(totalBytes)} `)
      })
    }
    if (Math.floor(share * 4) === quarters) return Effect.void
    quarters = Math.floor(share * 4)
    return Console.log(`${quarters * 25} % of ${formatSize(totalBytes)}`)
  }

  return {
    /** One of the transfers has so many bytes. */
    update: (name: string, doneBytes: number): Effect.Effect<void> =>
      Effect.suspend(() => {
        done.set(name, doneBytes)
        return draw(Array.from(done.values()).reduce((sum, bytes) => sum + bytes, 0))
      }),
    /** What is printed next begins on a line of its own. */
    end: Effect.sync(() => {
      if (process.stdout.isTTY) process.stdout.write("\n")
    })
  }
}
