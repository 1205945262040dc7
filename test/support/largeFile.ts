/**
 * Files too large for memory.
 */
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import * as Effect from "effect/Effect"

const mebibyte = 1024 * 1024

/** Writes a file of so many mebibytes, of which no two are equal, and tells its digest. */
export const writeLargeFile = (path: string, mebibytes: number): Effect.Effect<string> =>
  Effect.promise(async () => {
    const hash = createHash("sha256")
    const piece = Buffer.alloc(mebibyte)
    const file = await open(path, "w")
    for (let index = 0; index < mebibytes; index++) {
      piece.fill(`${index}-`)
      hash.update(piece)
      await file.write(piece)
    }
    await file.close()
    return `sha256:${hash.digest("hex")}`
  })
