/**
 * Content as files in a folder: hashed while it is received, then kept at its place in an OCI image layout.
 */
import { createHash, type Hash, randomUUID } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { type FileHandle, mkdir, open, readdir, rename, rm, unlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import * as Digest from "@effect-acr/client/Digest"
import type { Store } from "./store.ts"

/** Content that is still being received. */
export interface Incoming {
  readonly id: string
  readonly file: string
  size: number
  sha256: Hash
  sha512: Hash
}

const incomingIn = (directory: string): string => join(directory, "registry-uploads")

/** OCI image layout specification, "Blobs": `blobs/<algorithm>/<hash>`. */
export const fileOf = (directory: string, digest: string): string =>
  join(directory, LayoutFiles.blobPath(Digest.Digest.make(digest)))

export const read = (directory: string, digest: string): Uint8Array => readFileSync(fileOf(directory, digest))

/** Removes a folder, even if a running request writes to it meanwhile. */
export const remove = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true, maxRetries: 5 })

const algorithms = ["sha256", "sha512"]

/** Removes a file if it exists. */
const removeFile = async (file: string): Promise<void> => {
  try {
    await unlink(file)
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause
  }
}

/** Creates the folders. Uploads do not outlive their emulator. */
export const prepare = async (directory: string): Promise<void> => {
  await forget(directory)
  await mkdir(incomingIn(directory), { recursive: true })
  for (const algorithm of algorithms) await mkdir(join(directory, "blobs", algorithm), { recursive: true })
  const version = join(directory, LayoutFiles.versionFile)
  if (!existsSync(version)) await writeFile(version, LayoutFiles.version)
}

/** The digests that name a file. */
export const list = async (directory: string): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  for (const algorithm of algorithms) {
    for (const hash of await readdir(join(directory, "blobs", algorithm))) {
      const digest = `${algorithm}:${hash}`
      if (Digest.isDigest(digest)) found.add(digest)
    }
  }
  return found
}

export const drop = (directory: string, digest: string): Promise<void> => removeFile(fileOf(directory, digest))

/** Removes content that is still being received. */
export const forget = (directory: string): Promise<void> => remove(incomingIn(directory))

export const start = async (directory: string): Promise<Incoming> => {
  const id = randomUUID()
  const file = join(incomingIn(directory), id)
  await (await open(file, "wx")).close()
  return { id, file, size: 0, sha256: createHash("sha256"), sha512: createHash("sha512") }
}

/** Writes all bytes at a position, in several writes if necessary: a disk that becomes full accepts some of them. */
const writeAll = async (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/**
 * Appends bytes, and keeps the received ones if the rest does not arrive. Returns `"too large"` and appends nothing if
 * the content would exceed the limit.
 */
export const append = async (
  incoming: Incoming,
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number
): Promise<"appended" | "too large"> => {
  const before = { size: incoming.size, sha256: incoming.sha256.copy(), sha512: incoming.sha512.copy() }
  let tooLarge = false
  // A removed file must not be created again without the bytes that are counted already.
  const handle = await open(incoming.file, "r+")
  try {
    for await (const chunk of bytes) {
      // The rest is read and discarded: a client that is cut off while it sends does not receive the answer.
      if (tooLarge) continue
      if (incoming.size - before.size + chunk.length > maxBytes) {
        tooLarge = true
        Object.assign(incoming, before)
        continue
      }
      await writeAll(handle, chunk, incoming.size)
      incoming.sha256.update(chunk)
      incoming.sha512.update(chunk)
      incoming.size += chunk.length
    }
    return tooLarge ? "too large" : "appended"
  } finally {
    // After any error, the file has exactly the counted bytes.
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

/** The digest of bytes, unless another algorithm is requested. */
export const digestOf = (bytes: Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`

/**
 * Moves content to the place of its digest, and calls `then`, which commits changes that need it. If nothing needs the
 * content afterwards, because `then` refused or failed, it is moved back.
 */
const keep = <A>(store: Store, incoming: Incoming, digest: string, then: () => A): Promise<A> =>
  store.inTurn(digest, async () => {
    if (store.hasFile(digest)) return then()
    const file = fileOf(store.directory, digest)
    await rename(incoming.file, file)
    try {
      return then()
    } finally {
      if (!store.isUsed(digest)) await rename(file, incoming.file)
    }
  })

/** Keeps content under its digest if `then` needs it, and ends its upload. */
export const take = async <A>(store: Store, incoming: Incoming, digest: string, then: () => A): Promise<A> => {
  const taken = await keep(store, incoming, digest, then)
  await discard(incoming)
  return taken
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Keeps bytes under their digest if `then` needs them. */
export const put = async <A>(store: Store, digest: string, bytes: Uint8Array, then: () => A): Promise<A> => {
  if (store.isUsed(digest)) return then()
  const incoming = await start(store.directory)
  try {
    await append(incoming, chunksOf(bytes), bytes.length)
    return await keep(store, incoming, digest, then)
  } finally {
    await discard(incoming)
  }
}

/** Discards content, unless it is kept. */
export const discard = (incoming: Incoming): Promise<void> => removeFile(incoming.file)
