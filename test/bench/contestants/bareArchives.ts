/**
 * The loop that one would write by hand around `node:fs` and `node:crypto` for archives of images: it hashes, writes, and syncs what
 * this library does, and knows that the archive is as it expects.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdir, open, readFile, rename, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { blobFile, blobsOf } from "../image.ts"
import type { ArchiveJob, Work } from "../job.ts"

const blockBytes = 512
const pieceBytes = 1024 * 1024

const Index = Schema.fromJsonString(
  Schema.Struct({ manifests: Schema.NonEmptyArray(Schema.Struct({ digest: Schema.String })) })
)

const header = (name: string, size: number): Buffer => {
  const block = Buffer.alloc(blockBytes)
  block.write(name, 0)
  block.write("0000644\0", 100)
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124)
  block.write("        ", 148)
  block.write("0", 156)
  block.write("ustar\x0000", 257)
  const sum = block.reduce((sum, byte) => sum + byte, 0)
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return block
}

const padding = (size: number): Buffer => Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)

const verify = (digest: string, expected: string) => {
  if (digest !== expected) throw new Error("other content")
}

const save = async ({ archive, layout }: ArchiveJob) => {
  const blobs = join(layout, "blobs/sha256")
  const index = await readFile(join(layout, "index.json"), "utf8")
  const [{ digest }] = Schema.decodeSync(Index)(index).manifests
  const manifest = await readFile(blobFile(blobs, digest), "utf8")
  const names = [digest, ...blobsOf(manifest).map((blob) => blob.digest)]
  const file = await open(`${archive}.partial`, "wx")
  for (const name of ["oci-layout", "index.json"]) {
    const bytes = await readFile(join(layout, name))
    await file.writev([header(name, bytes.length), bytes, padding(bytes.length)])
  }
  for (const name of names) {
    const path = blobFile(blobs, name)
    const { size } = await stat(path)
    await file.write(header(`blobs/sha256/${name.slice(7)}`, size))
    const hash = createHash("sha256")
    for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
      hash.update(piece)
      await file.write(piece)
    }
    verify(hash.digest("hex"), name.slice(7))
    await file.write(padding(size))
  }
  await file.write(Buffer.alloc(2 * blockBytes))
  await file.sync()
  await file.close()
  await rename(`${archive}.partial`, archive)
}

const writeBlob = async (source: FileHandle, position: number, size: number, path: string, digest: string) => {
  const target = await open(`${path}.partial`, "wx")
  const hash = createHash("sha256")
  const piece = Buffer.allocUnsafe(pieceBytes)
  for (let at = 0; at < size;) {
    const { bytesRead } = await source.read(piece, 0, Math.min(pieceBytes, size - at), position + at)
    hash.update(piece.subarray(0, bytesRead))
    await target.write(piece, 0, bytesRead)
    at += bytesRead
  }
  verify(hash.digest("hex"), digest)
  await target.sync()
  await target.close()
  await rename(`${path}.partial`, path)
}

/** Several blobs at a time, as this library does. */
const load = async ({ archive, layout }: ArchiveJob) => {
  const blobs = join(layout, "blobs/sha256")
  await mkdir(blobs, { recursive: true })
  const source = await open(archive)
  const block = Buffer.alloc(blockBytes)
  const writing: Array<Promise<void>> = []
  for (let position = 0; ;) {
    await source.read(block, 0, blockBytes, position)
    if (block[0] === 0) break
    const name = block.toString("utf8", 0, block.indexOf(0))
    const size = Number.parseInt(block.toString("utf8", 124, 135), 8)
    const begin = position + blockBytes
    if (name.startsWith("blobs/")) {
      writing.push(writeBlob(source, begin, size, join(layout, name), name.slice("blobs/sha256/".length)))
    } else {
      const bytes = Buffer.alloc(size)
      await source.read(bytes, 0, size, begin)
      await writeFile(join(layout, name), bytes)
    }
    position = begin + size + padding(size).length
  }
  await Promise.all(writing)
  await source.close()
}

export const prepareArchive =
  (job: ArchiveJob): Work =>
  () =>
    job._tag === "SaveArchive" ? save(job) : load(job)
