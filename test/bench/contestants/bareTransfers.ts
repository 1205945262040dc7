/**
 * What the bare loops share: requests with `node:http`, and blobs on their way. It imports nothing but Node, because the
 * bare program starts with it.
 */
import { createHash, type Hash } from "node:crypto"
import { open, rename } from "node:fs/promises"
import * as Http from "node:http"
import * as Https from "node:https"
import { Readable } from "node:stream"

export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly body: Readable
}

type Method = "GET" | "HEAD" | "POST" | "PATCH" | "PUT"

export type Send = (
  method: Method,
  url: string,
  options?: { readonly body?: Readable; readonly length?: number; readonly headers?: Record<string, string> }
) => Promise<Answer>

export const hasBody = (method: Method): boolean => method !== "GET" && method !== "HEAD"

/** A hand-written loop knows that the answer is what it asked for. HEAD asks whether there is anything at all. */
export const expectSuccess = (method: Method, answer: Answer): Answer => {
  if (answer.status >= 300 && method !== "HEAD") throw new Error(`status ${answer.status}`)
  return answer
}

export const node = (ca?: string): Send => {
  const agent = ca === undefined ? new Http.Agent({ keepAlive: true }) : new Https.Agent({ keepAlive: true, ca: [ca] })
  return async (method, url, { body, headers = {}, length = 0 } = {}) => {
    const answer = await new Promise<Http.IncomingMessage>((resolve, reject) => {
      const request = (ca === undefined ? Http : Https).request(
        url,
        { method, agent, headers: hasBody(method) ? { ...headers, "content-length": length } : headers },
        resolve
      )
      request.on("error", reject)
      if (body === undefined) request.end()
      else body.pipe(request)
    })
    return expectSuccess(method, { status: answer.statusCode ?? 0, headers: answer.headers, body: answer })
  }
}

export const endOf = (stream: Readable) =>
  new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject))

export const textOf = async ({ body }: Answer): Promise<string> => {
  const pieces: Array<Buffer> = []
  body.on("data", (piece: Buffer) => pieces.push(piece))
  await endOf(body)
  return Buffer.concat(pieces).toString()
}

export const verify = (hash: Hash, digest: string) => {
  if (`sha256:${hash.digest("hex")}` !== digest) throw new Error("other content")
}

export const pieceBytes = 1024 * 1024

/** A mebibyte at a time, synced, and named when it is whole: the same writes as ours. */
export const downloadFile = async ({ body }: Answer, digest: string, path: string) => {
  const hash = createHash("sha256")
  const partial = `${path}.partial`
  const file = await open(partial, "wx")
  const buffer = Buffer.allocUnsafe(pieceBytes)
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

/**
 * Hashes pieces as the request takes them. A listener for "data" in its place would start a stream before the
 * registry has said where to upload, and the pieces until then would be missing from the request.
 */
export const upload = async (
  send: Send,
  repository: string,
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
    return new URL(String(answer.headers["location"]), repository).href
  }
  const opened = await locationOf(await send("POST", `${repository}/blobs/uploads/`))
  const sent = await locationOf(
    await send("PATCH", opened, {
      body: Readable.from(hashed(), { objectMode: false, highWaterMark: pieceBytes }),
      length,
      headers: { "content-type": "application/octet-stream" }
    })
  )
  const closed = sent + (sent.includes("?") ? "&" : "?")
  await textOf(await send("PUT", `${closed}digest=sha256:${hash.digest("hex")}`))
}

export const putManifest = async (send: Send, url: string, manifest: string, mediaType: string) => {
  const body = Buffer.from(manifest)
  await textOf(
    await send("PUT", url, {
      body: Readable.from(body),
      length: body.length,
      headers: { "content-type": mediaType }
    })
  )
}
