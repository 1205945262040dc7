/**
 * Recorded conversations of Azure's own client with live registries: read, replayed, and compared with.
 *
 * They stand beside the checkout, in `../shared/recordings`, and are not part of it: where they are missing, what needs
 * them is left out.
 */
import { existsSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"

const folder = fileURLToPath(new URL("../../../shared/recordings/js/", import.meta.url))

/** Whether there is anything to compare with. */
export const haveRecordings = existsSync(folder)

const Headers = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Array(Schema.String)]))

/** A request and its answer. */
export const Entry = Schema.Struct({
  RequestUri: Schema.String,
  RequestMethod: Schema.Literals(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
  RequestHeaders: Headers,
  /** Forms and base64 are strings, JSON is parsed. */
  RequestBody: Schema.Json,
  StatusCode: Schema.Int,
  ResponseHeaders: Headers,
  ResponseBody: Schema.Json
})

export type Entry = typeof Entry.Type

const File = Schema.fromJsonString(Schema.Struct({ Entries: Schema.Array(Entry) }))

/** The names of all recordings. */
export const recordingNames = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const names = yield* files.readDirectory(folder)
  return names.map((name) => name.replace(/\.json$/, "")).toSorted()
}).pipe(Effect.provide(NodeFileSystem.layer))

/** The entries of a recording. */
export const recording = Effect.fnUntraced(function* (name: string) {
  const files = yield* FileSystem.FileSystem
  const { Entries } = yield* Schema.decodeEffect(File)(yield* files.readFileString(`${folder}${name}.json`))
  return Entries
}, Effect.provide(NodeFileSystem.layer))

/** A header of an entry, whatever its case. */
export const header = (headers: typeof Headers.Type, name: string): string | undefined => {
  const found = Object.entries(headers).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1]
  return found === undefined || typeof found === "string" ? found : found.join(", ")
}

export const uriOf = (entry: Entry): URL => new URL(entry.RequestUri)

/** Whether an entry is about tokens, not about what the registry holds. */
export const isOAuth = (entry: Entry): boolean => uriOf(entry).pathname.startsWith("/oauth2/")

/** Whether the recorded client sent a token of which the registry said that it does not suffice. */
export const isInsufficient = (entry: Entry): boolean =>
  (header(entry.ResponseHeaders, "www-authenticate") ?? "").includes("insufficient_scope")

const bodyText = (request: HttpClientRequest.HttpClientRequest): string =>
  request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""

const parameters = (pairs: URLSearchParams): ReadonlyArray<string> =>
  Array.from(pairs, ([name, value]) => `${name}=${value}`).toSorted()

/** What a form asks for; the secrets in it are masked in a recording. */
const wanted = (form: string): ReadonlyArray<string> =>
  parameters(new URLSearchParams(form)).filter((field) => !/^(access_token|refresh_token)=./.test(field))

/** Whether a body says the same as a recorded one. */
const sameBody = (recorded: Schema.Json, sent: string): boolean => {
  if (recorded === null) return sent === ""
  if (typeof recorded === "string") return isDeepStrictEqual(wanted(recorded), wanted(sent))
  return isDeepStrictEqual(JSON.parse(sent), recorded)
}

/** Whether an entry answers a request: by what is asked for, with a token or without one, never by position. */
const answers = (entry: Entry, request: HttpClientRequest.HttpClientRequest, url: URL): boolean => {
  const uri = uriOf(entry)
  const needsToken = !isOAuth(entry) && entry.StatusCode !== 401
  const hasToken = request.headers["authorization"] !== undefined
  return (
    entry.RequestMethod === request.method &&
    uri.origin === url.origin &&
    uri.pathname === url.pathname &&
    isDeepStrictEqual(parameters(uri.searchParams), parameters(url.searchParams)) &&
    needsToken === hasToken &&
    sameBody(entry.RequestBody, bodyText(request))
  )
}

/** These are about how the body travelled, which is not recorded. */
const travelling = new Set(["connection", "content-length", "transfer-encoding", "content-encoding"])

const responseOf = (entry: Entry): Response =>
  new Response(entry.ResponseBody === null ? null : JSON.stringify(entry.ResponseBody), {
    status: entry.StatusCode,
    headers: Object.keys(entry.ResponseHeaders).flatMap((name): Array<[string, string]> =>
      travelling.has(name.toLowerCase()) ? [] : [[name, header(entry.ResponseHeaders, name) ?? ""]]
    )
  })

/**
 * A client that answers from a recording, and dies of a request that is not in it. The entries that it used are put
 * into `used`.
 */
export const replaying = (entries: ReadonlyArray<Entry>, used: Set<Entry>): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const entry = entries.find((entry) => answers(entry, request, url))
      if (entry === undefined) return Effect.die(new Error(`not recorded: ${request.method} ${url.href}`))
      used.add(entry)
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

const isArray: (json: Schema.Json) => json is Schema.JsonArray = Array.isArray
