/**
 * The least that a registry with ACR's management API can be, with one repository of many manifests that can be deleted. In a
 * process of its own.
 *
 * Argument: JSON with the amounts of manifests, and how many are pushed at each deletion. Prints its port when it listens.
 * Besides the registry's addresses it has `/requests`, which tells how many there were.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as Schema from "effect/Schema"
import { type Push, pushesOf } from "../../support/manyManifests.ts"

const Options = Schema.Struct({
  releases: Schema.Int,
  old: Schema.Int,
  dockerImages: Schema.Int,
  tagsPerImage: Schema.Finite,
  /** How many images another client pushes at each deletion. */
  pushesAtDeletion: Schema.optionalKey(Schema.Int)
})

const options = Schema.decodeUnknownSync(Schema.fromJsonString(Options))(process.argv[2])

const attributes = { deleteEnabled: true, writeEnabled: true, listEnabled: true, readEnabled: true }

interface Stored extends Push {
  readonly time: string
  readonly referrers: Array<string>
  readonly tagNames: Set<string>
}

const manifests = new Map<string, Stored>()
const tags = new Map<string, string>()

const put = (push: Push, millis: number) => {
  const { descriptor, subject, tags: names } = push
  manifests.set(descriptor.digest, {
    ...push,
    time: new Date(millis).toISOString(),
    referrers: [],
    tagNames: new Set(names)
  })
  for (const name of names) tags.set(name, descriptor.digest)
  if (subject !== undefined) manifests.get(subject)?.referrers.push(descriptor.digest)
}

/** All of it was pushed days ago, a millisecond apart. */
const begun = Date.now() - 3 * 24 * 60 * 60 * 1000
for (const [number, push] of pushesOf(options).flat().entries()) put(push, begun + number)

const tagOrder = Array.from(tags.keys()).toSorted()
const digestOrder = Array.from(manifests.keys()).toSorted()
const newest = Array.from(manifests.keys()).toReversed()

const remove = (digest: string) => {
  const stored = manifests.get(digest)
  if (stored === undefined) return
  manifests.delete(digest)
  for (const tag of stored.tagNames) tags.delete(tag)
  for (const referrer of stored.referrers) remove(referrer)
}

let pushed = 0
const pushOther = () => {
  const [[push] = []] = pushesOf({ releases: 0, old: 0, dockerImages: 1, first: options.dockerImages + pushed++ })
  if (push === undefined) return
  put(push, Date.now())
  newest.unshift(push.descriptor.digest)
}

const described = ({ descriptor, tagNames, time }: Stored) => ({
  digest: descriptor.digest,
  imageSize: descriptor.size,
  mediaType: descriptor.mediaType,
  createdTime: time,
  lastUpdateTime: time,
  ...(tagNames.size === 0 ? {} : { tags: Array.from(tagNames) }),
  changeableAttributes: attributes
})

const describedTag = (name: string, { descriptor, time }: Stored) => ({
  name,
  digest: descriptor.digest,
  createdTime: time,
  lastUpdateTime: time,
  signed: false,
  changeableAttributes: attributes
})

const head = { registry: "repository", imageName: "bench" }

const json = (response: ServerResponse, body: object, headers: { readonly [name: string]: string } = {}) =>
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))

/** A page of a list. Its link says where the next page begins. */
const page = (response: ServerResponse, url: URL, list: "tags" | "manifests") => {
  const n = Number(url.searchParams.get("n") ?? "100")
  const begin = Number(url.searchParams.get("last") ?? "0")
  const orderby = url.searchParams.get("orderby") ?? ""
  const order = list === "tags" ? tagOrder : orderby === "timedesc" ? newest : digestOrder
  const items: Array<object> = []
  let end = begin
  for (; end < order.length && items.length < n; end++) {
    const name = order[end] ?? ""
    const stored = manifests.get(list === "tags" ? (tags.get(name) ?? "") : name)
    if (stored !== undefined) items.push(list === "tags" ? describedTag(name, stored) : described(stored))
  }
  const link = `<${url.pathname}?last=${end}&n=${n}&orderby=${orderby}>; rel="next"`
  return json(response, { ...head, [list]: items }, end < order.length ? { link } : {})
}

let requests = 0

const answer = (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://repository")
  const path = decodeURIComponent(url.pathname)
  if (path === "/requests") return response.end(String(requests))
  requests += 1
  if (path === "/v2/") return json(response, {})
  if (path === "/acr/v1/bench") {
    return json(response, {
      ...head,
      createdTime: new Date(begun).toISOString(),
      lastUpdateTime: new Date(begun).toISOString(),
      manifestCount: manifests.size,
      tagCount: tags.size,
      changeableAttributes: attributes
    })
  }
  const [, list] = /^\/acr\/v1\/bench\/_(tags|manifests)$/.exec(path) ?? []
  if (list === "tags" || list === "manifests") return page(response, url, list)
  const [, kind, name = ""] = /^\/(acr\/v1\/bench\/_(?:tags|manifests)|v2\/bench\/manifests)\/(.+)$/.exec(path) ?? []
  const stored = manifests.get(tags.get(name) ?? name)
  if (stored === undefined) {
    const errors = [{ code: "MANIFEST_UNKNOWN", message: "there is no such manifest" }]
    return response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors }))
  }
  if (request.method === "DELETE") {
    if (kind === "acr/v1/bench/_tags") {
      tags.delete(name)
      stored.tagNames.delete(name)
    } else remove(stored.descriptor.digest)
    for (let number = 0; number < (options.pushesAtDeletion ?? 0); number++) pushOther()
    return response.writeHead(202).end()
  }
  if (kind === "acr/v1/bench/_tags") return json(response, { ...head, tag: describedTag(name, stored) })
  if (kind === "acr/v1/bench/_manifests") return json(response, { ...head, manifest: described(stored) })
  const { bytes, descriptor } = stored
  return response
    .writeHead(200, {
      "content-type": descriptor.mediaType,
      "content-length": bytes.length,
      "docker-content-digest": descriptor.digest
    })
    .end(bytes)
}

const server = createServer((request, response) => void answer(request, response))

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
