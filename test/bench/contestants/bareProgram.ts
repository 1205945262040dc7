/**
 * The least program that pulls, pushes and copies images: the bare loop, as a whole process beside the command-line
 * tools. Like them it asks the registry for a blob before it uploads it.
 */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inParallel } from "../inParallel.ts"
import { downloadFile, node, pieceBytes, putManifest, textOf, upload } from "./bareTransfers.ts"

interface Blob {
  readonly digest: string
  readonly size: number
}

const width = 6

const mediaType = "application/vnd.oci.image.manifest.v1+json"

const send = node()

/** The address of a repository, of a name such as `127.0.0.1:5000/bench`. */
const addressOf = (name: string): string => `http://${name.replace("/", "/v2/")}`

const blobsOf = (text: string): ReadonlyArray<Blob> => {
  const manifest: { readonly config: Blob; readonly layers: ReadonlyArray<Blob> } = JSON.parse(text)
  return [...manifest.layers, manifest.config]
}

const fileOf = (layout: string, digest: string): string => join(layout, "blobs", digest.replace(":", "/"))

const manifestAt = async (repository: string): Promise<string> =>
  textOf(await send("GET", `${repository}/manifests/v1`, { headers: { accept: mediaType } }))

const writeIndex = async (layout: string, manifest: string) => {
  const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`
  const annotations = { "org.opencontainers.image.ref.name": "v1" }
  const entry = { mediaType, digest, size: Buffer.byteLength(manifest), annotations }
  await writeFile(fileOf(layout, digest), manifest)
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }))
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
}

const manifestIn = async (layout: string): Promise<string> => {
  const index: { readonly manifests: ReadonlyArray<Blob> } = JSON.parse(
    await readFile(join(layout, "index.json"), "utf8")
  )
  return readFile(fileOf(layout, index.manifests[0]?.digest ?? ""), "utf8")
}

const pull = async (repository: string, layout: string) => {
  await mkdir(join(layout, "blobs/sha256"), { recursive: true })
  const manifest = await manifestAt(repository)
  await inParallel(blobsOf(manifest), width, async ({ digest }) =>
    downloadFile(await send("GET", `${repository}/blobs/${digest}`), digest, fileOf(layout, digest))
  )
  await writeIndex(layout, manifest)
}

const pushAll = async (
  manifest: string,
  repository: string,
  open: (digest: string) => AsyncIterable<Buffer> | Promise<AsyncIterable<Buffer>>
) => {
  await inParallel(blobsOf(manifest), width, async ({ digest, size }) => {
    const known = await send("HEAD", `${repository}/blobs/${digest}`)
    await textOf(known)
    if (known.status === 404) await upload(send, repository, size, await open(digest))
  })
  await putManifest(send, `${repository}/manifests/v1`, manifest, mediaType)
}

const push = async (layout: string, repository: string) =>
  pushAll(await manifestIn(layout), repository, (digest) =>
    createReadStream(fileOf(layout, digest), { highWaterMark: pieceBytes })
  )

const copy = async (source: string, target: string) =>
  pushAll(await manifestAt(source), target, async (digest) => (await send("GET", `${source}/blobs/${digest}`)).body)

const work = (verb: string, from: string, to: string): Promise<void> => {
  switch (verb) {
    case "pull":
      return pull(addressOf(from), to)
    case "push":
      return push(from, addressOf(to))
    case "copy":
      return copy(addressOf(from), addressOf(to))
    default:
      return Promise.resolve()
  }
}

const [verb = "", from = "", to = ""] = process.argv.slice(2)
await work(verb, from, to)
// Connections that are kept would hold the process.
process.exit(0)
