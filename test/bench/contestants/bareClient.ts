/**
 * What loops without a library are made of: an HTTP client, `node:crypto` and files. No errors, retries, credentials or limits.
 */
import { createHash, type Hash } from "node:crypto"
import { open, rename } from "node:fs/promises"
import * as Http from "node:http"
import * as Https from "node:https"
import { Readable } from "node:stream"
import { Agent, request } from "undici"
import { mebibyte } from "../content.ts"
import type { RegistryJob } from "../job.ts"

export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly body: Readable
}

export type Send = (
  method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT",
  url: string,
  options?: { readonly body?: Readable; readonly length?: number; readonly headers?: Record<string, string> }
) => Promise<Answer>

/** A hand-written loop knows that the answer is what it asked for, but whether something is there. */
const expectSuccess = (method: string, answer: Answer): Answer => {
  if (method !== "HEAD" && answer.status >= 300) throw new Error(`status ${answer.status}`)
  return answer
}

export const undici = (ca: string | undefined): Send => {
  const dispatcher = new Agent({ allowH2: false, ...(ca === undefined ? {} : { connect: { ca } }) })
  return async (method, url, { body = null, headers = {}, length = 0 } = {}) => {
    const answer = await request(url, {
      method,
      dispatcher,
      body,
      headers: method === "GET" || method === "HEAD" ? headers : { ...headers, "content-length": String(length) }
    })
    return expectSuccess(method, { status: answer.statusCode, headers: answer.headers, body: answer.body })
  }
}

export const node = (ca: string | undefined): Send => {
  const agent = ca === undefined ? new Http.Agent({ keepAlive: true }) : new Https.Agent({ keepAlive: true, ca: [ca] })
  return (method, url, { body, headers = {}, length = 0 } = {}) =>
    new Promise((resolve, reject) => {
      const request = (ca === undefined ? Http : Https).request(
        url,
        {
          method,
          agent,
          headers: method === "GET" || method === "HEAD" ? headers : { ...headers, "content-length": length }
        },
        (answer) =>
          resolve(expectSuccess(method, { status: answer.statusCode ?? 0, headers: answer.headers, body: answer }))
      )
      request.on("error", reject)
      if (body === undefined) request.end()
      else body.pipe(request)
    })
}

export const textOf = async ({ body }: Answer): Promise<string> => {
  const pieces: Array<Buffer> = []
  body.on("data", (piece: Buffer) => pieces.push(piece))
  await endOf(body)
  return Buffer.concat(pieces).toString()
}

const endOf = (stream: Readable) => new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject))

export const verify = (hash: Hash, digest: string) => {
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error("other content")
}

export const download = async ({ body }: Answer, digest: string) => {
  const hash = createHash("sha256")
  body.on("data", (piece: Buffer) => hash.update(piece))
  await endOf(body)
  verify(hash, digest)
}

/** A mebibyte at a time, synced, and named when it is whole: the same writes as ours. */
export const downloadFile = async ({ body }: Answer, digest: string, path: string) => {
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

export const upload = async (
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
