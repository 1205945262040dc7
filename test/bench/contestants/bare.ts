/**
 * No library: the loop that one would write by hand around an HTTP client and `node:crypto`, without errors, retries,
 * credentials or limits. What it takes is what the machine asks for.
 *
 * The environment says by which client, `undici` or `node:https`: it is not known beforehand which is faster.
 */
import { createHash } from "node:crypto"
import { createReadStream, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import * as Schema from "effect/Schema"
import { Agent, request } from "undici"
import { contentOf, mebibyte } from "../content.ts"
import { blobFile, blobsOf, manifestFile, manifestType, readManifest } from "../image.ts"
import { inParallel } from "../inParallel.ts"
import { compete, expectCount, type JobOf, type RegistryJob, warmUpReads, type Work } from "../job.ts"
import { prepareArchive } from "./bareArchives.ts"
import {
  type Answer,
  downloadFile,
  endOf,
  expectSuccess,
  hasBody,
  node,
  putManifest,
  type Send,
  textOf,
  upload,
  verify
} from "./bareTransfers.ts"

const undici = (ca: string | undefined): Send => {
  const dispatcher = new Agent({ allowH2: false, ...(ca === undefined ? {} : { connect: { ca } }) })
  return async (method, url, { body = null, headers = {}, length = 0 } = {}) => {
    const answer = await request(url, {
      method,
      dispatcher,
      body,
      headers: hasBody(method) ? { ...headers, "content-length": String(length) } : headers
    })
    return expectSuccess(method, { status: answer.statusCode, headers: answer.headers, body: answer.body })
  }
}

const download = async ({ body }: Answer, digest: string) => {
  const hash = createHash("sha256")
  body.on("data", (piece: Buffer) => hash.update(piece))
  await endOf(body)
  verify(hash, digest)
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += mebibyte.length) {
    yield bytes.subarray(offset, offset + mebibyte.length)
  }
}

const Token = Schema.fromJsonString(Schema.Struct({ access_token: Schema.String }))

/** All pages of a list; the items are counted, as parsed. */
const list = async (
  send: Send,
  { count, endpoint, query = "", repository }: JobOf<"ListTags"> | JobOf<"ListManifests">,
  what: string
) => {
  const scope = `repository:${repository}:metadata_read`
  const service = new URL(endpoint).host
  const token = await textOf(await send("GET", `${endpoint}/oauth2/token?service=${service}&scope=${scope}`))
  // A server that wants no tokens gives none.
  const headers: Record<string, string> =
    token === "" ? {} : { authorization: `Bearer ${Schema.decodeSync(Token)(token).access_token}` }
  let seen = 0
  let next: string | undefined = `/acr/v1/${repository}/_${what}${query}`
  while (next !== undefined) {
    const answer: Answer = await send("GET", endpoint + next, { headers })
    const page: { readonly [list: string]: unknown } = JSON.parse(await textOf(answer))
    const items = page[what]
    seen += Array.isArray(items) ? items.length : 0
    next = /^<([^>]*)>/.exec(String(answer.headers["link"] ?? ""))?.[1]
  }
  expectCount(seen, count)
}

const acceptImage = { accept: manifestType }

const verifiedManifest = async (answer: Answer) => {
  const text = await textOf(answer)
  verify(createHash("sha256").update(text), String(answer.headers["docker-content-digest"]))
  JSON.parse(text)
}

/** Sends each blob on as it comes, hashed once. */
const copy = async (client: typeof undici, { ca, endpoint, repository, tag, target, width }: JobOf<"Copy">) => {
  const from = client(ca === undefined ? undefined : readFileSync(ca, "utf8"))
  const to = client(target.ca === undefined ? undefined : readFileSync(target.ca, "utf8"))
  const source = `${endpoint}/v2/${repository}`
  const manifest = await textOf(await from("GET", `${source}/manifests/${tag}`, { headers: acceptImage }))
  await inParallel(blobsOf(manifest), width, async ({ digest, size }) => {
    const { body } = await from("GET", `${source}/blobs/${digest}`)
    await upload(to, `${target.endpoint}/v2/${target.repository}`, size, body)
  })
  await putManifest(to, `${target.endpoint}/v2/${target.repository}/manifests/${tag}`, manifest, manifestType)
}

const prepare = (job: RegistryJob): Work | Promise<Work> => {
  const ca = job.ca === undefined ? undefined : readFileSync(job.ca, "utf8")
  const client = process.env["HTTP_CLIENT"] === "undici" ? undici : node
  const send = client(ca)
  const repository = `${job.endpoint}/v2/${job.repository}`

  switch (job._tag) {
    case "Download":
      return async () => download(await send("GET", `${repository}/blobs/${job.digest}`), job.digest)
    case "DownloadFile":
      return async () => downloadFile(await send("GET", `${repository}/blobs/${job.digest}`), job.digest, job.path)
    case "Upload": {
      const bytes = contentOf(job.size)
      return () => upload(send, repository, job.size, slices(bytes))
    }
    case "UploadFile":
      return () => upload(send, repository, job.size, createReadStream(job.path, { highWaterMark: mebibyte.length }))
    case "ListTags":
      return () => list(send, job, "tags")
    case "ListManifests":
      return () => list(send, job, "manifests")
    case "ReadManifests": {
      const read = (times: number) =>
        inParallel(Array.from({ length: times }), job.width, async () =>
          verifiedManifest(await send("GET", `${repository}/manifests/${job.tag}`))
        )
      return read(warmUpReads).then(() => () => read(job.count))
    }
    case "Copy":
      return () => copy(client, job)
    case "Push":
      return async () => {
        const manifest = await readManifest(job.folder)
        await inParallel(blobsOf(manifest), job.width, ({ digest, size }) =>
          upload(
            send,
            repository,
            size,
            createReadStream(blobFile(job.folder, digest), { highWaterMark: mebibyte.length })
          )
        )
        await putManifest(send, `${repository}/manifests/${job.tag}`, manifest, manifestType)
      }
    case "Pull":
      return async () => {
        const manifest = await textOf(await send("GET", `${repository}/manifests/${job.tag}`, { headers: acceptImage }))
        await inParallel(blobsOf(manifest), job.width, async ({ digest }) =>
          downloadFile(await send("GET", `${repository}/blobs/${digest}`), digest, blobFile(job.folder, digest))
        )
        await writeFile(manifestFile(job.folder), manifest)
      }
  }
}

await compete(prepare, prepareArchive)
