/**
 * Recorded requests, put to an emulator, and its answers compared with the recorded ones.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { type Entry, header, inOrder, isForm, isOAuth, shapeOf, uriOf } from "./recordings.ts"

/** The headers of an answer that clients go by. */
const comparedHeaders = [
  "content-type",
  "content-length",
  "content-range",
  "docker-content-digest",
  "docker-distribution-api-version",
  "docker-upload-uuid",
  "link",
  "location",
  "range",
  "www-authenticate",
  "x-content-type-options",
  "x-ms-correlation-request-id",
  "x-ms-int-docker-content-digest"
]

/** What is not the same: a page for people, the length of JSON, and where the emulator falls short. */
const isLeftOut = (entry: Entry, name: string): boolean =>
  (name === "content-type" && entry.StatusCode === 307) ||
  (name === "content-length" && (entry.StatusCode === 307 || isJson(entry))) ||
  // Storage numbers its requests in a header of its own, which no client uses.
  (name === "x-ms-correlation-request-id" && isFromStorage(entry))

const isJson = (entry: Entry): boolean =>
  (header(entry.ResponseHeaders, "content-type") ?? "").startsWith("application/json")

/** Whether the answer came from where the registry keeps its blobs. */
const isFromStorage = (entry: Entry): boolean => header(entry.ResponseHeaders, "x-ms-blob-type") !== undefined

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** The parameters of signed addresses that say until when and for what they are good. */
const signed = ["se", "sig", "sp"]

const locationForm = (value: string, endpoint: string): unknown => {
  const url = new URL(value, endpoint)
  return url.origin === endpoint
    ? // Relative, as it is written.
      value.replace(uuid, "…").replace(/\b_state=[\w%-]+/, "_state=…")
    : { elsewhere: signed.filter((name) => url.searchParams.has(name)) }
}

const sameForm = (name: string, value: string | undefined, endpoint: string): unknown => {
  if (value === undefined) return undefined
  switch (name) {
    // No two answers have these in common.
    case "x-ms-correlation-request-id":
    case "docker-upload-uuid":
      return value.replace(uuid, "…")
    case "location":
      return locationForm(value, endpoint)
    case "www-authenticate":
      return value.replace(/scope="([^"]*)"/, (_, scope: string) => `scope="${inOrder(scope)}"`)
    default:
      return value
  }
}

const anyDigest = (text: string): string => text.replace(/sha256(:|%3A)[0-9a-f]{64}/gi, "sha256$1…")

/**
 * The recorded images were imported, and of those the registry does not tell the type of the configuration; of
 * images that were pushed, as they are to the emulator, it does.
 */
const parse = (text: string) =>
  text === ""
    ? Effect.succeed(null)
    : Schema.decodeUnknownEffect(Schema.Json)(
        JSON.parse(text, (name, value: unknown) => (name === "configMediaType" ? undefined : value))
      )

const Tokens = Schema.Struct({
  refresh_token: Schema.optionalKey(Schema.String),
  access_token: Schema.optionalKey(Schema.String)
})

/**
 * Makes the requests of a recording, one after the other, and compares the answers.
 *
 * `digest` is what stands in for the digests in them, if the emulator holds other content than the recorded registry.
 * `wrongToken` leaves the login as it is recorded, which is masked.
 */
export const assertAnswersAsRecorded = Effect.fnUntraced(function* (
  entries: ReadonlyArray<Entry>,
  {
    digest,
    wrongToken = false
  }: {
    readonly digest?: string
    readonly wrongToken?: boolean
  } = {}
) {
  const emulator = yield* AcrEmulator.AcrEmulator
  const client = yield* HttpClient.HttpClient
  let tokens: typeof Tokens.Type = {}
  /** Addresses that the registry named, and those that the emulator named in their place. */
  const places = new Map<string, string>()

  /** The recorded text, about this emulator. */
  const here = (text: string, origin: string): string => {
    const moved = text
      .replaceAll(origin, emulator.endpoint)
      .replace(/service="[^"]*"/, `service="${emulator.loginServer}"`)
    return digest === undefined ? moved : moved.replace(/sha256%3A[0-9a-f]{64}/gi, encodeURIComponent(digest))
  }

  const addressOf = ({ RequestUri }: Entry, origin: string): string => {
    const [recorded = "", actual = ""] = Array.from(places).find(([recorded]) => RequestUri.startsWith(recorded)) ?? []
    return recorded === "" ? here(RequestUri, origin) : actual + RequestUri.slice(recorded.length)
  }

  const form = (recorded: Uint8Array): string => {
    const fields = new URLSearchParams(new TextDecoder().decode(recorded))
    fields.set("service", emulator.loginServer)
    if (fields.has("access_token") && !wrongToken) {
      fields.set("access_token", Redacted.value(emulator.logins.entraToken))
    }
    if (fields.get("refresh_token")) fields.set("refresh_token", tokens.refresh_token ?? "")
    return fields.toString()
  }

  const bodyOf = (entry: Entry): HttpBody.HttpBody => {
    const contentType = header(entry.RequestHeaders, "content-type")
    if (contentType === undefined) return HttpBody.empty
    return isForm(entry) ? HttpBody.text(form(entry.sent), contentType) : HttpBody.uint8Array(entry.sent, contentType)
  }

  const headersOf = ({ RequestHeaders }: Entry): ReadonlyArray<readonly [string, string]> =>
    ["accept", "range", "authorization"].flatMap((name): ReadonlyArray<readonly [string, string]> => {
      const recorded = header(RequestHeaders, name)
      if (recorded === undefined) return []
      return [[name, name === "authorization" ? `Bearer ${tokens.access_token ?? ""}` : recorded]]
    })

  /** Sends the request, and once more where the recorder followed a redirect by itself. */
  const answerTo = Effect.fnUntraced(function* (entry: Entry, origin: string) {
    const headers = headersOf(entry)
    const request = HttpClientRequest.make(entry.RequestMethod)(addressOf(entry, origin), {
      headers,
      body: bodyOf(entry)
    })
    const response = yield* client.execute(request)
    const { location } = response.headers
    if (response.status !== 307 || entry.StatusCode === 307 || location === undefined) return response
    return yield* client.get(location, { headers: headers.filter(([name]) => name !== "authorization") })
  })

  for (const entry of entries) {
    const what = `${entry.RequestMethod} ${entry.RequestUri} ${entry.StatusCode}`
    const { origin } = uriOf(entry)
    const response = yield* answerTo(entry, origin)
    const bytes = new Uint8Array(yield* response.arrayBuffer)
    assert.strictEqual(response.status, entry.StatusCode, what)

    const same = (name: string, value: string | undefined) => {
      const form = sameForm(name, value, emulator.endpoint)
      return typeof form === "string" && digest !== undefined ? anyDigest(form) : form
    }
    for (const name of comparedHeaders) {
      if (isLeftOut(entry, name)) continue
      const recorded = header(entry.ResponseHeaders, name)
      assert.deepStrictEqual(
        same(name, response.headers[name]),
        same(name, recorded === undefined ? undefined : here(recorded, origin)),
        `${name} of ${what}`
      )
    }

    if (isJson(entry)) {
      const body = yield* parse(new TextDecoder().decode(bytes))
      assert.deepStrictEqual(shapeOf(body), shapeOf(entry.ResponseBody), `the body of ${what}`)
      if (entry.StatusCode >= 400) assert.deepStrictEqual(body, entry.ResponseBody, `the errors of ${what}`)
      if (isOAuth(entry)) tokens = { ...tokens, ...(yield* Schema.decodeUnknownEffect(Tokens)(body)) }
    } else if (entry.StatusCode !== 307) {
      assert.deepStrictEqual(Buffer.from(bytes), Buffer.from(entry.answered), `the content of ${what}`)
    }

    const recordedLocation = header(entry.ResponseHeaders, "location")
    const { location } = response.headers
    if (recordedLocation !== undefined && location !== undefined) {
      places.set(new URL(recordedLocation, origin).href, new URL(location, emulator.endpoint).href)
    }
  }
})
