/**
 * Content, as files in a folder: hashed on its way in, then kept where an OCI image layout has it.
 */
import { createHash, type Hash, randomUUID } from "node:crypto"
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { StoredBlob } from "./store.ts"

/** Bytes that are still coming. */
export interface Incoming {
  readonly id: string
  readonly file: string
  size: number
  sha256: Hash
  sha512: Hash
}

const incomingIn = (directory: string): string => join(directory, "registry-uploads")

/** OCI image layout specification, "Blobs": `blobs/<algorithm>/<hash>`. */
export const fileOf = (directory: string, digest: string): string => join(directory, "blobs", ...digest.split(":"))

/** Removes a folder, also if a request that is not over yet writes to it meanwhile. */
export const remove = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true, maxRetries: 5 })

/** Makes the folders. Uploads do not outlive the emulator that took them. */
export const prepare = async (directory: string): Promise<void> => {
  await forget(directory)
  await mkdir(incomingIn(directory), { recursive: true })
  for (const algorithm of ["sha256", "sha512"]) await mkdir(join(directory, "blobs", algorithm), { recursive: true })
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }))
}

/** Removes what is still on its way in. */
export const forget = (directory: string): Promise<void> => remove(incomingIn(directory))

/** Starts a file. */
export const start = async (directory: string): Promise<Incoming> => {
  const id = randomUUID()
  const file = join(incomingIn(directory), id)
  await (await open(file, "wx")).close()
  return { id, file, size: 0, sha256: createHash("sha256"), sha512: createHash("sha512") }
}

/**
 * Appends bytes, and keeps those that arrived if the rest does not. Refuses to grow beyond the limit: tells so, and
 * appends nothing.
 */
export const append = async (
  incoming: Incoming,
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number
): Promise<"appended" | "too large"> => {
  const before = { size: incoming.size, sha256: incoming.sha256.copy(), sha512: incoming.sha512.copy() }
  let tooLarge = false
  const handle = await open(incoming.file, "a")
  try {
    for await (const chunk of bytes) {
      // The rest is read and forgotten: who is cut off while sending does not hear why.
      if (tooLarge) continue
      if (incoming.size - before.size + chunk.length > maxBytes) {
        tooLarge = true
        Object.assign(incoming, before)
        continue
      }
      await handle.appendFile(chunk)
      incoming.sha256.update(chunk)
      incoming.sha512.update(chunk)
      incoming.size += chunk.length
    }
    return tooLarge ? "too large" : "appended"
  } finally {
    // The file holds what is counted, whatever went wrong.
    await handle.truncate(incoming.size)
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

/** Keeps content that its digest names, and tells where. */
export const keep = async (directory: string, incoming: Incoming, digest: string): Promise<StoredBlob> => {
  const file = fileOf(directory, digest)
  await rename(incoming.file, file)
  return { file, size: incoming.size }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Keeps bytes at hand under their digest. */
export const put = async (directory: string, digest: string, bytes: Uint8Array): Promise<StoredBlob> => {
  const incoming = await start(directory)
  await append(incoming, chunksOf(bytes), bytes.length)
  return keep(directory, incoming, digest)
}

/** Throws content away, unless it is kept. */
export const discard = (incoming: Incoming): Promise<void> => rm(incoming.file, { force: true })
