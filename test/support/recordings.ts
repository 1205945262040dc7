/**
 * Recorded conversations of Azure's own clients with live registries: read, replayed, and compared with.
 *
 * They stand beside the checkout, in `../shared/recordings`, and are not part of it: where they are missing, what needs
 * them is left out.
 */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { fileURLToPath } from "node:url"
import * as MediaType from "@effect-acr/client/MediaType"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Base64 from "effect/encoding/Base64"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"

const folder = fileURLToPath(new URL("../../../shared/recordings/", import.meta.url))

/** Whether there is anything to compare with. */
export const haveRecordings = existsSync(folder)

/** Those about the contents of manifests and blobs; the others are about what the management API says of them. */
export const contentRecordings = [
  "js/can_download_docker_manifest",
  "js/can_upload_blob",
  "js/can_upload_oci_manifest",
  "go/TestBlobClient_GetChunk",
  "go/TestBlobClient_GetUploadStatus",
  "go/TestBlobClient_MountBlob",
  "go/TestClient_GetManifest_wrongTag",
  "go/Test_authenticationClient_ExchangeAADAccessTokenForACRRefreshToken_fail"
] as const

export type ContentRecording = (typeof contentRecordings)[number]

const Headers = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Array(Schema.String)]))

const StoredEntry = Schema.Struct({
  RequestUri: Schema.String,
  RequestMethod: Schema.Literals(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
  RequestHeaders: Headers,
  /** Forms and base64 are strings, other text may be an array of lines, JSON is parsed. */
  RequestBody: Schema.Json,
  StatusCode: Schema.Int,
  ResponseHeaders: Headers,
  ResponseBody: Schema.Json
})

type StoredEntry = typeof StoredEntry.Type

/** A request and its answer. */
export interface Entry extends StoredEntry {
  /** The bytes of the request's body. */
  readonly sent: Uint8Array
  /** The bytes of the answer's body. */
  readonly answered: Uint8Array
}

const File = Schema.fromJsonString(Schema.Struct({ Entries: Schema.Array(StoredEntry) }))

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The names of all recordings, with their folder. */
export const recordingNames = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const names = yield* Effect.forEach(["go", "js"], (language) =>
    Effect.map(files.readDirectory(`${folder}${language}`), (found) => found.map((name) => `${language}/${name}`))
  )
  return names
    .flat()
    .map((name) => name.replace(/\.json$/, ""))
    .toSorted()
}).pipe(Effect.provide(NodeFileSystem.layer))

/** The bytes of everything in a folder of `data`, by the names of the files. */
export const dataIn = Effect.fnUntraced(function* (name: "docker" | "oci-artifact") {
  const files = yield* FileSystem.FileSystem
  const names = yield* files.readDirectory(`${folder}data/${name}`)
  const contents = yield* Effect.forEach(names, (file) => files.readFile(`${folder}data/${name}/${file}`))
  return new Map(names.flatMap((file, index) => contents.slice(index, index + 1).map((bytes) => [file, bytes])))
}, Effect.provide(NodeFileSystem.layer))

/** JSON without white space between its parts, as programs write it. */
export const compact = (json: Uint8Array): Uint8Array =>
  encoder.encode(JSON.stringify(JSON.parse(decoder.decode(json))))

/**
 * The manifests of the recordings by their digests, as `data` has them or without their white space: `docker` was
 * pushed as the file is, `oci-artifact` was read by a program that wrote it anew.
 */
const originals = Effect.gen(function* () {
  const folders = yield* Effect.forEach(["docker", "oci-artifact"] as const, dataIn)
  const manifests = folders.flatMap((data) => {
    const bytes = data.get("manifest.json")
    return bytes === undefined ? [] : [bytes, compact(bytes)]
  })
  return new Map(manifests.map((bytes) => [digestOf(bytes), bytes]))
})

/** A header of an entry, whatever its case. */
export const header = (headers: typeof Headers.Type, name: string): string | undefined => {
  const found = Object.entries(headers).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1]
  return found === undefined || typeof found === "string" ? found : found.join(", ")
}

const isArray: (json: Schema.Json) => json is Schema.JsonArray = Array.isArray

/** The bytes of a body, of which a recording holds a form that people can read. */
const bytesOf = (body: Schema.Json, contentType: string | undefined): Effect.Effect<Uint8Array> => {
  if (body === null) return Effect.succeed(new Uint8Array())
  if (isArray(body)) return Effect.succeed(encoder.encode(body.join("")))
  if (typeof body !== "string") return Effect.succeed(encoder.encode(JSON.stringify(body)))
  return contentType === "application/octet-stream"
    ? Effect.orDie(Effect.fromResult(Base64.decode(body)))
    : Effect.succeed(encoder.encode(body))
}

/** The entries of a recording. */
export const recording = Effect.fnUntraced(function* (name: string) {
  const files = yield* FileSystem.FileSystem
  const { Entries } = yield* Schema.decodeEffect(File)(yield* files.readFileString(`${folder}${name}.json`))
  const known = yield* originals
  return yield* Effect.forEach(Entries, (entry) =>
    Effect.gen(function* () {
      const digest = header(entry.ResponseHeaders, "docker-content-digest")
      const original = entry.RequestMethod === "GET" && digest !== undefined ? known.get(digest) : undefined
      return {
        ...entry,
        sent: yield* bytesOf(entry.RequestBody, header(entry.RequestHeaders, "content-type")),
        answered: original ?? (yield* bytesOf(entry.ResponseBody, header(entry.ResponseHeaders, "content-type")))
      }
    })
  )
}, Effect.provide(NodeFileSystem.layer))

export const uriOf = (entry: Entry): URL => new URL(entry.RequestUri)

/** Whether an entry is about tokens, not about what the registry holds. */
export const isOAuth = (entry: Entry): boolean => uriOf(entry).pathname.startsWith("/oauth2/")

/** Whether the recorded client sent a token of which the registry said that it does not suffice. */
export const isInsufficient = (entry: Entry): boolean =>
  (header(entry.ResponseHeaders, "www-authenticate") ?? "").includes("insufficient_scope")

/** Whether a request was recorded with a body of this media type. */
const isOf = (entry: Entry, mediaType: string): boolean =>
  header(entry.RequestHeaders, "content-type")?.split(";", 1)[0] === mediaType

export const isForm = (entry: Entry): boolean => isOf(entry, "application/x-www-form-urlencoded")

const parameters = (pairs: URLSearchParams): ReadonlyArray<string> =>
  Array.from(pairs, ([name, value]) => `${name}=${name === "scope" ? inOrder(value) : value}`).toSorted()

/** Scopes with their actions, in whatever order they were written: the registry names them in any. */
export const inOrder = (scopes: string): string =>
  scopes
    .split(" ")
    .map((scope) => {
      const actions = scope.lastIndexOf(":") + 1
      return scope.slice(0, actions) + scope.slice(actions).split(",").toSorted().join(",")
    })
    .toSorted()
    .join(" ")

/** What a form asks for; the secrets in it are masked in a recording. */
const wanted = (form: Uint8Array): ReadonlyArray<string> =>
  parameters(new URLSearchParams(decoder.decode(form))).filter(
    (field) => !/^(access_token|refresh_token)=./.test(field)
  )

/** Whether a body says the same as a recorded one, or is the same if it is content. */
const sameBody = (entry: Entry, sent: Uint8Array): boolean => {
  if (isForm(entry)) return isDeepStrictEqual(wanted(entry.sent), wanted(sent))
  if (isOf(entry, "application/json")) return isDeepStrictEqual(JSON.parse(decoder.decode(sent)), entry.RequestBody)
  return Buffer.compare(entry.sent, sent) === 0
}

/** A request of ours that a recording answered. */
export interface Sent {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: URL
  readonly body: Uint8Array
}

/** Our query, but for the size of pages that we ask for ourselves: of recorded lists that named none a page held all. */
const withoutPageSize = (query: URLSearchParams): URLSearchParams =>
  new URLSearchParams(Array.from(query).filter(([name, value]) => name !== "n" || value !== "999"))

/**
 * Whether an entry answers a request: by what is asked for, with a token or without one, never by position. Percent
 * signs do not count: names with slashes and digests are encoded by some clients, and not by others.
 */
const answers = (entry: Entry, { body, request, url }: Sent): boolean => {
  const uri = uriOf(entry)
  const hadToken = header(entry.RequestHeaders, "authorization") !== undefined
  const hasToken = request.headers["authorization"] !== undefined
  return (
    // A client that requests the right scope in advance never sees that a token does not suffice.
    !isInsufficient(entry) &&
    entry.RequestMethod === request.method &&
    uri.origin === url.origin &&
    decodeURIComponent(uri.pathname) === decodeURIComponent(url.pathname) &&
    isDeepStrictEqual(parameters(uri.searchParams), parameters(withoutPageSize(url.searchParams))) &&
    hadToken === hasToken &&
    header(entry.RequestHeaders, "range") === request.headers["range"] &&
    sameBody(entry, body)
  )
}

/** These are about how the body travelled, which is not recorded. */
const travelling = new Set(["connection", "transfer-encoding", "content-encoding"])

const responseOf = (entry: Entry): Response =>
  new Response(entry.answered.length === 0 ? null : Uint8Array.from(entry.answered), {
    status: entry.StatusCode,
    headers: Object.keys(entry.ResponseHeaders).flatMap((name): Array<[string, string]> => {
      const value = header(entry.ResponseHeaders, name) ?? ""
      // JSON was parsed, and has not its length any more.
      const isOff = name.toLowerCase() === "content-length" && Number(value) !== entry.answered.length
      return travelling.has(name.toLowerCase()) || isOff ? [] : [[name, value]]
    })
  })

/** No recording asks for referrers. ACR lists them (its documentation, "Manage OCI artifacts"). */
const noReferrers = () =>
  Response.json({ schemaVersion: 2, manifests: [] }, { headers: { "content-type": MediaType.ociImageIndex } })

/**
 * A client that answers from a recording, and dies of a request that is not in it, or was not made so often. The
 * entries that it used are put into `used`, each with the request.
 */
export const replaying = (entries: ReadonlyArray<Entry>, used: Map<Entry, Sent>): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.suspend(() => {
      if (request.body._tag !== "Uint8Array" && request.body._tag !== "Empty") {
        return Effect.die(new Error(`a recording can't be compared with a body that is a ${request.body._tag}`))
      }
      const sent: Sent = { request, url, body: request.body._tag === "Empty" ? new Uint8Array() : request.body.body }
      const entry = entries.find((entry) => !used.has(entry) && answers(entry, sent))
      if (entry === undefined && /\/referrers\//.test(url.pathname)) {
        return Effect.succeed(HttpClientResponse.fromWeb(request, noReferrers()))
      }
      if (entry === undefined) return Effect.die(new Error(`not recorded: ${request.method} ${url.href}`))
      used.set(entry, sent)
      return Effect.succeed(HttpClientResponse.fromWeb(request, responseOf(entry)))
    })
  )

/**
 * The shape of JSON: names in their order, types, and what is true or false; of an array the shapes that occur in it.
 */
export const shapeOf = (json: Schema.Json): unknown => {
  if (json === null || typeof json === "boolean") return json
  if (typeof json !== "object") return typeof json
  if (isArray(json))
    return { arrayOf: Array.from(new Set(json.map((item) => JSON.stringify(shapeOf(item))))).toSorted() }
  // As pairs, because objects are compared whatever the order of their names.
  return Object.entries(json).map(([name, value]) => [name, shapeOf(value)])
}
