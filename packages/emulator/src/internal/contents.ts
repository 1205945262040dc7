/**
 * Content on its way in: files in a folder of the emulator's own, hashed as they are written.
 */
import { createHash, type Hash, randomUUID } from "node:crypto"
import { open, truncate, unlink } from "node:fs/promises"
import { join } from "node:path"

/** Bytes that are still coming. */
export interface Incoming {
  readonly id: string
  readonly file: string
  size: number
  sha256: Hash
  sha512: Hash
}

/** Starts a file. */
export const start = async (directory: string): Promise<Incoming> => {
  const id = randomUUID()
  const file = join(directory, id)
  await (await open(file, "wx")).close()
  return { id, file, size: 0, sha256: createHash("sha256"), sha512: createHash("sha512") }
}

/**
 * Appends all bytes or, if they break off, none. Refuses to grow beyond the limit, and tells so.
 */
export const append = async (
  incoming: Incoming,
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number
): Promise<"appended" | "too large"> => {
  const before = { size: incoming.size, sha256: incoming.sha256.copy(), sha512: incoming.sha512.copy() }
  const undo = async () => {
    Object.assign(incoming, before)
    await truncate(incoming.file, before.size)
  }
  let tooLarge = false
  const handle = await open(incoming.file, "a")
  try {
    for await (const chunk of bytes) {
      // The rest is read and forgotten: who is cut off while sending does not hear why.
      if (tooLarge || incoming.size - before.size + chunk.length > maxBytes) {
        tooLarge = true
        continue
      }
      await handle.write(chunk)
      incoming.sha256.update(chunk)
      incoming.sha512.update(chunk)
      incoming.size += chunk.length
    }
    if (tooLarge) {
      await undo()
      return "too large"
    }
    return "appended"
  } catch (cause) {
    await undo()
    throw cause
  } finally {
    await handle.close()
  }
}

/** Whether the bytes so far are those that a digest names. */
export const matches = (incoming: Incoming, digest: string): boolean =>
  digest ===
  (digest.startsWith("sha512:")
    ? `sha512:${incoming.sha512.copy().digest("hex")}`
    : `sha256:${incoming.sha256.copy().digest("hex")}`)

/** The digest that bytes are known by, unless another algorithm is asked for. */
export const digestOf = (bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`

export const discard = (incoming: Incoming): Promise<void> => unlink(incoming.file)
