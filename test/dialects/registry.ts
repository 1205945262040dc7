/**
 * A registry in memory that speaks a dialect.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Dialect } from "./dialect.ts"

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** The login of the tests. */
export const login = { username: "contoso", password: "planted-password" }
const basic = `Basic ${btoa(`${login.username}:${login.password}`)}`

/** What a registry holds. */
interface Holdings {
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>
  readonly manifests: Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly mediaType: string }>
  readonly tags: Map<string, string>
}

interface Asked {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly contentType: string
  readonly range: string | undefined
  readonly body: Uint8Array<ArrayBuffer>
}

const joined = (...pieces: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(pieces))

const bodyOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Uint8Array<ArrayBuffer>> => {
  const { body } = request
  if (body._tag === "Uint8Array") return Effect.succeed(Uint8Array.from(body.body))
  if (body._tag !== "Stream") return Effect.succeed(new Uint8Array())
  return Effect.map(Effect.orDie(Stream.runCollect(body.stream)), (pieces) => joined(...pieces))
}

const answer = (
  status: number,
  headers: { readonly [name: string]: string | undefined } = {},
  body: BodyInit | null = null
): Response =>
  new Response(body, {
    status,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]]
    )
  })

const json = (status: number, body: object, headers: { readonly [name: string]: string | undefined } = {}): Response =>
  answer(status, { "content-type": "application/json", ...headers }, JSON.stringify(body))

const refusal = (status: number, code: string): Response => json(status, { errors: [{ code, message: "no" }] })

/** The actions that a request needs. */
const actionsFor = ({ listAction }: Dialect, { method, url }: Asked): ReadonlyArray<string> => {
  if (method === "DELETE") return ["delete"]
  if (method !== "GET" && method !== "HEAD") return ["pull", "push"]
  return url.pathname.endsWith("/tags/list") && listAction !== undefined ? ["pull", listAction] : ["pull"]
}

/** The scopes that a token was granted: a token is its scopes. */
const granted = (authorization: string | undefined): ReadonlyArray<string> =>
  authorization?.startsWith("Bearer ") === true ? atob(authorization.slice(7)).split(" ") : []

const holds = (scopes: ReadonlyArray<string>, resource: string, action: string): boolean =>
  scopes.some((scope) => {
    const colon = scope.lastIndexOf(":")
    return (
      scope.slice(0, colon) === resource &&
      scope
        .slice(colon + 1)
        .split(",")
        .includes(action)
    )
  })

/** The 401 of a request that lacks something, or nothing. */
const demandOf = (dialect: Dialect, repository: string, asked: Asked): Response | undefined => {
  const { login: wanted, strangersGet } = dialect
  if (wanted._tag !== "Open" && strangersGet !== undefined && repository !== "" && asked.authorization === undefined) {
    return refusal(strangersGet, "MANIFEST_UNKNOWN")
  }
  switch (wanted._tag) {
    case "Open":
      return undefined
    case "Password":
      return asked.authorization === basic ? undefined : answer(401, { "www-authenticate": 'Basic realm="registry"' })
    case "Token": {
      const service = `Bearer realm="${wanted.realm}",service="${dialect.host}"`
      if (repository === "") {
        return asked.authorization === undefined ? answer(401, { "www-authenticate": service }) : undefined
      }
      const resource = `repository:${repository}`
      const needed = actionsFor(dialect, asked)
      if (needed.every((action) => holds(granted(asked.authorization), resource, action))) return undefined
      const scope = wanted.placeholder ?? `${resource}:${needed.join(",")}`
      return answer(401, { "www-authenticate": `${service},scope="${scope}"` })
    }
  }
}

/** A token service that grants whatever a login asks for. */
const grant = (answerOf: (token: string) => object, { authorization, body, url }: Asked): Response => {
  const form = new URLSearchParams(new TextDecoder().decode(body))
  if (authorization !== basic) return refusal(401, "UNAUTHORIZED")
  return json(200, answerOf(btoa([...url.searchParams.getAll("scope"), ...form.getAll("scope")].join(" "))))
}

/** Makes a registry, and what it holds and was asked. */
export const play = (dialect: Dialect) => {
  const holdings: Holdings = { blobs: new Map(), manifests: new Map(), tags: new Map() }
  const requests: Array<string> = []
  const sessions = new Map<string, Uint8Array<ArrayBuffer>>()
  const { deleteRefusedWith, host, maxChunkBytes, mirror, statuses = {}, storage } = dialect
  const { range = (bytes: number) => (bytes === 0 ? undefined : `0-${bytes - 1}`) } = dialect
  const { sessionPath = (repository: string, id: string) => `/v2/${repository}/blobs/uploads/${id}` } = dialect

  const sessionAnswer = (status: number, repository: string, id: string): Response =>
    answer(status, { location: sessionPath(repository, id), range: range(sessions.get(id)?.length ?? 0) })

  const open = (repository: string, { url }: Asked): Response => {
    const mounted = url.searchParams.get("mount")
    if (mounted !== null && dialect.mountRefusedWith !== undefined) return refusal(dialect.mountRefusedWith, "DENIED")
    if (mounted !== null && holdings.blobs.has(mounted))
      return answer(201, { location: `/v2/${repository}/blobs/${mounted}` })
    const id = `session-${sessions.size}`
    sessions.set(id, new Uint8Array())
    return sessionAnswer(202, repository, id)
  }

  const send = (repository: string, id: string, { body }: Asked): Response => {
    if (maxChunkBytes !== undefined && body.length > maxChunkBytes) return answer(416)
    sessions.set(id, joined(sessions.get(id) ?? new Uint8Array(), body))
    return sessionAnswer(statuses.patch ?? 202, repository, id)
  }

  const commit = (id: string, { body, url }: Asked): Response => {
    const bytes = joined(sessions.get(id) ?? new Uint8Array(), body)
    const digest = digestOf(bytes)
    if (url.searchParams.get("digest") !== digest) return refusal(400, "DIGEST_INVALID")
    holdings.blobs.set(digest, bytes)
    return answer(statuses.commit ?? 201)
  }

  const blob = (repository: string, digest: string, { method, range: asked, url }: Asked): Response => {
    const bytes = holdings.blobs.get(digest)
    if (bytes === undefined) return refusal(404, "BLOB_UNKNOWN")
    if (method === "GET" && storage !== undefined && url.host === host) {
      return answer(307, { location: `https://${storage}/${repository}/${digest}?sig=signed` })
    }
    if (method === "HEAD") {
      return answer(200, { "content-length": dialect.tellsBlobSize === false ? undefined : String(bytes.length) })
    }
    return asked === "bytes=0-0"
      ? answer(206, { "content-range": `bytes 0-0/${bytes.length}` }, bytes.slice(0, 1))
      : answer(200, { "content-length": String(bytes.length) }, bytes)
  }

  const put = (reference: string, { body, contentType }: Asked): Response => {
    const digest = digestOf(body)
    holdings.manifests.set(digest, { bytes: body, mediaType: contentType })
    if (!reference.includes(":")) holdings.tags.set(reference, digest)
    return answer(statuses.putManifest ?? 201, { "docker-content-digest": digest })
  }

  const manifest = (reference: string, { method }: Asked): Response => {
    const digest = reference.includes(":") ? reference : holdings.tags.get(reference)
    const found = digest === undefined ? undefined : holdings.manifests.get(digest)
    if (found === undefined) return refusal(404, "MANIFEST_UNKNOWN")
    const headers = {
      "content-type": found.mediaType,
      "docker-content-digest": digest,
      "content-length": String(found.bytes.length)
    }
    return answer(200, headers, method === "HEAD" ? null : found.bytes)
  }

  const tags = (repository: string, { url }: Asked): Response => {
    const { link } = dialect
    const n = Number(url.searchParams.get("n") ?? holdings.tags.size)
    const last = url.searchParams.get("last") ?? ""
    const after = Array.from(holdings.tags.keys())
      .toSorted()
      .filter((tag) => tag > last)
    const page = after.slice(0, n)
    const next = `/v2/${repository}/tags/list?n=${n}&last=${page.at(-1)}`
    return json(
      200,
      { name: repository, tags: page },
      { link: after.length > n && link !== undefined ? link(next) : undefined }
    )
  }

  const remove = (kind: string, name: string): Response => {
    if (deleteRefusedWith !== undefined) return refusal(deleteRefusedWith, "UNSUPPORTED")
    if (kind === "blobs") holdings.blobs.delete(name)
    holdings.manifests.delete(name)
    for (const [tag, digest] of holdings.tags) if (digest === name) holdings.tags.delete(tag)
    return answer(statuses.delete ?? 202)
  }

  const routed = (repository: string, kind: string, name: string, asked: Asked): Response => {
    if (asked.method === "DELETE") return remove(kind, name)
    if (kind === "tags") return tags(repository, asked)
    if (kind === "manifests") return asked.method === "PUT" ? put(name, asked) : manifest(name, asked)
    if (!name.startsWith("uploads/")) return blob(repository, name, asked)
    const id = name.slice("uploads/".length)
    switch (asked.method) {
      case "POST":
        return open(repository, asked)
      case "PATCH":
        return send(repository, id, asked)
      case "PUT":
        return commit(id, asked)
      default:
        return sessionAnswer(204, repository, id)
    }
  }

  const replyTo = (asked: Asked): Response => {
    const { url } = asked
    const { login: wanted } = dialect
    if (wanted._tag === "Token" && url.origin + url.pathname === wanted.realm) return grant(wanted.answer, asked)
    if (url.host === storage) return blob("", url.pathname.split("/").at(-1) ?? "", asked)
    const [, repository = "", kind = "", name = ""] =
      /^\/v2\/(.+)\/(blobs|manifests|tags)\/(.*)$/.exec(url.pathname) ?? []
    if (url.host === mirror) return routed(repository.replace(/^mirror\//, ""), kind, name, asked)
    const demand = demandOf(dialect, repository, asked)
    if (demand !== undefined) return demand
    if (repository === "") return answer(200)
    // The query is dropped on the way.
    if (mirror !== undefined && kind !== "blobs") {
      return answer(307, { location: `https://${mirror}/v2/mirror/${repository}/${kind}/${name}` })
    }
    return routed(repository, kind, name, asked)
  }

  const client = HttpClient.make((request, url) =>
    Effect.map(bodyOf(request), (body) => {
      const { headers, method } = request
      requests.push(`${method} ${url.host}${url.pathname}`)
      const reply = replyTo({
        method,
        url,
        authorization: headers["authorization"],
        contentType:
          request.body._tag === "Empty"
            ? ""
            : Option.getOrElse(Option.fromUndefinedOr(request.body.contentType), () => ""),
        range: headers["range"],
        body
      })
      return HttpClientResponse.fromWeb(request, reply)
    })
  )

  return { client, holdings, requests }
}
