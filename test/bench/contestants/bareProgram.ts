/**
 * No library, as a whole program: the verbs of `program.ts` by `node:http` and `node:crypto`. It looks whether a blob is there before
 * it sends it, and hashes each once.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Readable } from "node:stream"
import * as Schema from "effect/Schema"
import { mebibyte } from "../content.ts"
import { blobFile, blobsOf, manifestType } from "../image.ts"
import { inParallel } from "../job.ts"
import { downloadFile, node, textOf, upload } from "./bareClient.ts"

const [verb = "", from = "", to = ""] = process.argv.slice(2)

const width = 6

const send = node(undefined)

const Index = Schema.fromJsonString(
  Schema.Struct({ manifests: Schema.Array(Schema.Struct({ digest: Schema.String })) })
)

/** Where a repository is: `127.0.0.1:5000/bench`. */
const placeOf = (name: string) => {
  const [host = "", ...repository] = name.split("/")
  return { endpoint: `http://${host}`, repository: repository.join("/") }
}

const addressOf = (name: string): string => {
  const { endpoint, repository } = placeOf(name)
  return `${endpoint}/v2/${repository}`
}

const blobsFolder = (layout: string): string => join(layout, "blobs/sha256")

const readManifest = async (): Promise<string> =>
  textOf(await send("GET", `${addressOf(from)}/manifests/v1`, { headers: { accept: manifestType } }))

const sendImage = async (manifest: string, read: (digest: string) => AsyncIterable<Buffer> | Promise<Readable>) => {
  await inParallel(blobsOf(manifest), width, async ({ digest, size }) => {
    const { body, status } = await send("HEAD", `${addressOf(to)}/blobs/${digest}`)
    body.resume()
    if (status === 200) return
    await upload(send, placeOf(to), size, await read(digest))
  })
  const body = Buffer.from(manifest)
  const headers = { "content-type": manifestType }
  const target = `${addressOf(to)}/manifests/v1`
  await textOf(await send("PUT", target, { body: Readable.from(body), length: body.length, headers }))
}

switch (verb) {
  case "pull": {
    const folder = blobsFolder(to)
    await mkdir(folder, { recursive: true })
    const manifest = await readManifest()
    await inParallel(blobsOf(manifest), width, async ({ digest }) =>
      downloadFile(await send("GET", `${addressOf(from)}/blobs/${digest}`), digest, blobFile(folder, digest))
    )
    await writeFile(join(folder, createHash("sha256").update(manifest).digest("hex")), manifest)
    break
  }
  case "push": {
    const folder = blobsFolder(from)
    const { manifests } = Schema.decodeSync(Index)(await readFile(join(from, "index.json"), "utf8"))
    const manifest = await readFile(blobFile(folder, manifests[0]?.digest ?? ""), "utf8")
    await sendImage(manifest, (digest) =>
      createReadStream(blobFile(folder, digest), { highWaterMark: mebibyte.length })
    )
    break
  }
  case "copy":
    await sendImage(
      await readManifest(),
      async (digest) => (await send("GET", `${addressOf(from)}/blobs/${digest}`)).body
    )
    break
}
process.exit(0)
