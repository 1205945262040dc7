/**
 * No library: the loop that one would write by hand around an HTTP client and `node:crypto`, without errors, retries,
 * credentials or limits. What it takes is what the machine asks for.
 *
 * The environment says by which client, `undici` or `node:https`: it is not known beforehand which is faster.
 */
import { createHash, type Hash } from "node:crypto"
import { createReadStream, readFileSync } from "node:fs"
import { open, rename, writeFile } from "node:fs/promises"
import * as Http from "node:http"
import * as Https from "node:https"
import { Readable } from "node:stream"
import * as Schema from "effect/Schema"
import { Agent, request } from "undici"
import { contentOf, mebibyte } from "../content.ts"
import { blobFile, blobsOf, manifestFile, manifestType, readManifest } from "../image.ts"
import { prepareArchive } from "./bareArchives.ts"
import { compete, expectCount, inParallel, type JobOf, type RegistryJob, warmUpReads, type Work } from "../job.ts"

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly body: Readable
}

type Send = (
  method: "GET" | "POST" | "PATCH" | "PUT",
  url: string,
  options?: { readonly body?: Readable; readonly length?: number; readonly headers?: Record<string, string> }
) => Promise<Answer>

/** A hand-written loop knows that the answer is what it asked for. */
const expectSuccess = (answer: Answer): Answer => {
  if (answer.status >= 300) throw new Error(`status ${answer.status}`)
  return answer
}

const undici = (ca: string | undefined): Send => {
  const dispatcher = new Agent({ allowH2: false, ...(ca === undefined ? {} : { connect: { ca } }) })
  return async (method, url, { body = null, headers = {}, length = 0 } = {}) => {
    const answer = await request(url, {
      method,
      dispatcher,
      body,
      headers: method === "GET" ? headers : { ...headers, "content-length": String(length) }
    })
    return expectSuccess({ status: answer.statusCode, headers: answer.headers, body: answer.body })
  }
}

const node = (ca: string | undefined): Send => {
  const agent = ca === undefined ? new Http.Agent({ keepAlive: true }) : new Https.Agent({ keepAlive: true, ca: [ca] })
  return (method, url, { body, headers = {}, length = 0 } = {}) =>
    new Promise((resolve, reject) => {
      const request = (ca === undefined ? Http : Https).request(
        url,
        { method, agent, headers: method === "GET" ? headers : { ...headers, "content-length": length } },
        (answer) => resolve(expectSuccess({ status: answer.statusCode ?? 0, headers: answer.headers, body: answer }))
      )
      request.on("error", reject)
      if (body === undefined) request.end()
      else body.pipe(request)
    })
}

const textOf = async ({ body }: Answer): Promise<string> => {
  const pieces: Array<Buffer> = []
  body.on("data", (piece: Buffer) => pieces.push(piece))
  await endOf(body)
  return Buffer.concat(pieces).toString()
}

const endOf = (stream: Readable) => new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject))

const verify = (hash: Hash, digest: string) => {
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error("other content")
}

const download = async ({ body }: Answer, digest: string) => {
  const hash = createHash("sha256")
  body.on("data", (piece: Buffer) => hash.update(piece))
  await endOf(body)
  verify(hash, digest)
}

/** A mebibyte at a time, synced, and named when it is whole: the same writes as ours. */
const downloadFile = async ({ body }: Answer, digest: string, path: string) => {
  const hash = createHash("sha256")
  const partial = `${path}.partial`
  const file = await open(partial, "wx")
  const buffer = Buffer.allocUnsafe(mebibyte.length)
  let filled = 0
  for await (const piece of body) {
    hash.update(piece)
    if (filled + piece.length > buffer.length) {
      await file.write(buffer, 0, filled)
      filled = 0
    }
    filled += piece.copy(buffer, filled)
  }
  await file.write(buffer, 0, filled)
  verify(hash, digest)
  await file.sync()
  await file.close()
  await rename(partial, path)
}

const upload = async (
  send: Send,
  job: Pick<RegistryJob, "endpoint" | "repository">,
  length: number,
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>
) => {
  const hash = createHash("sha256")
  const hashed = async function* () {
    for await (const piece of pieces) {
      hash.update(piece)
      yield piece
    }
  }
  const locationOf = async (answer: Answer) => {
    await textOf(answer)
    return new URL(String(answer.headers["location"]), job.endpoint).href
  }
  const opened = await locationOf(await send("POST", `${job.endpoint}/v2/${job.repository}/blobs/uploads/`))
  const sent = await locationOf(
    await send("PATCH", opened, {
      body: Readable.from(hashed(), { objectMode: false, highWaterMark: mebibyte.length }),
      length,
      headers: { "content-type": "application/octet-stream" }
    })
  )
  const closed = sent + (sent.includes("?") ? "&" : "?")
  await textOf(await send("PUT", `${closed}digest=sha256:${hash.digest("hex")}`))
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
    await upload(to, target, size, body)
  })
  const body = Buffer.from(manifest)
  await textOf(
    await to("PUT", `${target.endpoint}/v2/${target.repository}/manifests/${tag}`, {
      body: Readable.from(body),
      length: body.length,
      headers: { "content-type": manifestType }
    })
  )
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
      return () => upload(send, job, job.size, slices(bytes))
    }
    case "UploadFile":
      return () => upload(send, job, job.size, createReadStream(job.path, { highWaterMark: mebibyte.length }))
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
          upload(send, job, size, createReadStream(blobFile(job.folder, digest), { highWaterMark: mebibyte.length }))
        )
        const body = Buffer.from(manifest)
        const headers = { "content-type": manifestType }
        await textOf(
          await send("PUT", `${repository}/manifests/${job.tag}`, {
            body: Readable.from(body),
            length: body.length,
            headers
          })
        )
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
