/**
 * The least that a registry can be: a server that gives blobs from memory and throws uploads away, so that what is
 * measured is the client. In a process of its own.
 *
 * Argument: JSON with the sizes of its blobs, and files with a certificate and its key if it is to speak https. Prints
 * its port when it listens. Besides the registry's addresses it has `/requests`, which tells how many there were.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { finished } from "node:stream/promises"
import * as Schema from "effect/Schema"
import { digestOf, piecesOf } from "../content.ts"

const Options = Schema.Struct({
  sizes: Schema.Array(Schema.Int),
  tls: Schema.optionalKey(Schema.Struct({ cert: Schema.String, key: Schema.String })),
  /** How many tags and manifests the management API lists. */
  items: Schema.Int
})

const options = Schema.decodeUnknownSync(Schema.fromJsonString(Options))(process.argv[2])

const sizes = new Map(options.sizes.map((size) => [digestOf(size), size]))

const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(100), size: 100 },
    layers: Array.from({ length: 5 }, (_, index) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: digestOf(1000 + index),
      size: 1000 + index
    }))
  })
)
const manifestDigest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`

const attributes = { deleteEnabled: true, writeEnabled: true, listEnabled: true, readEnabled: true }
const time = "2026-01-01T00:00:00.0000000Z"

/** A page of a list, whose n-th item follows from its position. */
const page = (response: ServerResponse, url: URL, list: "tags" | "manifests") => {
  const n = Number(url.searchParams.get("n") ?? "100")
  const begin = Number(url.searchParams.get("last") ?? "0")
  const end = Math.min(options.items, begin + n)
  const items = Array.from({ length: end - begin }, (_, offset) => {
    const tag = `v${begin + offset}`
    const digest = `sha256:${String(begin + offset).padStart(64, "0")}`
    const common = { createdTime: time, lastUpdateTime: time, changeableAttributes: attributes }
    return list === "tags"
      ? { name: tag, digest, signed: false, ...common }
      : { digest, imageSize: 1234, mediaType: "application/vnd.oci.image.manifest.v1+json", tags: [tag], ...common }
  })
  response.writeHead(200, {
    "content-type": "application/json",
    ...(end < options.items ? { link: `<${url.pathname}?last=${end}&n=${n}>; rel="next"` } : {})
  })
  response.end(JSON.stringify({ registry: "limit", imageName: "bench", [list]: items }))
}

const giveBlob = (request: IncomingMessage, response: ServerResponse, digest: string) => {
  const size = sizes.get(digest)
  if (size === undefined) return response.writeHead(404).end()
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? "0")
  response.writeHead(from === 0 ? 200 : 206, {
    "content-length": size - from,
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    ...(from === 0 ? {} : { "content-range": `bytes ${from}-${size - 1}/${size}` })
  })
  if (request.method === "HEAD") return response.end()
  const pieces = piecesOf(size, from)
  const write = () => {
    for (let next = pieces.next(); !next.done; next = pieces.next()) if (!response.write(next.value)) return
    response.end()
  }
  write()
  return response.on("drain", write)
}

/** How far each session has come. */
const sessions = new Map<string, number>()

const takeBlob = async (request: IncomingMessage, response: ServerResponse, url: URL) => {
  const location = url.pathname
  let taken = sessions.get(location) ?? 0
  request.on("data", (chunk: Buffer) => {
    taken += chunk.length
  })
  await finished(request)
  if (request.method === "POST") {
    const session = `${location}${sessions.size}`
    sessions.set(session, 0)
    return response.writeHead(202, { location: session, range: "0-0" }).end()
  }
  sessions.set(location, taken)
  return request.method === "PATCH"
    ? response.writeHead(202, { location, range: `0-${taken - 1}` }).end()
    : response.writeHead(201, { "docker-content-digest": url.searchParams.get("digest") ?? "" }).end()
}

let requests = 0

const answer = (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://limit")
  if (url.pathname === "/requests") return response.end(String(requests))
  requests += 1
  const [, list] = /^\/acr\/v1\/[^/]+\/_(tags|manifests)$/.exec(url.pathname) ?? []
  if (list === "tags" || list === "manifests") return page(response, url, list)
  if (url.pathname.includes("/blobs/uploads/")) return takeBlob(request, response, url)
  const [, digest] = /\/blobs\/(.*)$/.exec(decodeURIComponent(url.pathname)) ?? []
  if (digest !== undefined) return giveBlob(request, response, digest)
  if (url.pathname.includes("/manifests/")) {
    return response
      .writeHead(200, {
        "content-type": "application/vnd.oci.image.manifest.v1+json",
        "content-length": manifest.length,
        "docker-content-digest": manifestDigest
      })
      .end(manifest)
  }
  return response.writeHead(200).end()
}

const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response)

const server =
  options.tls === undefined
    ? createHttpServer(listener)
    : createHttpsServer({ cert: readFileSync(options.tls.cert), key: readFileSync(options.tls.key) }, listener)

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
