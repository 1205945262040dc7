/**
 * The client over `fetch`, which by default follows redirects to any host and accepts compressed content.
 */
import { gzipSync } from "node:zlib"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { sha256 } from "./support/content.ts"
import { endpoint } from "./support/registry.ts"

const overFetch = Registry.layer({ endpoint }).pipe(Layer.provide([Credentials.layerAnonymous, FetchHttpClient.layer]))

/** A `fetch` to a registry that redirects to the metadata service of its cloud. Records the host of each request. */
const leading = (notes: Array<string>): typeof globalThis.fetch => {
  const fetch: typeof globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    notes.push(url.host)
    if (url.origin !== endpoint) return Promise.resolve(new Response("a secret of the machine"))
    const location = "http://169.254.169.254/"
    return init?.redirect === "manual"
      ? Promise.resolve(new Response(null, { status: 307, headers: { location } }))
      : fetch(location, init)
  }
  return fetch
}

it.effect("the client checks a redirect before anything is sent to its target", () => {
  const notes: Array<string> = []
  return Effect.gen(function* () {
    const registry = yield* RegistryContent
    const error = yield* Effect.flip(registry.blobBytes("alpine", sha256("content")))
    assert.strictEqual(error.reason._tag, "Refused")
    assert.deepStrictEqual(notes, [new URL(endpoint).host])
  }).pipe(Effect.provide(overFetch), Effect.provideService(FetchHttpClient.Fetch, leading(notes)))
})

/** A `fetch` to a server that compresses where the request allows it. `fetch` keeps the length of the compressed bytes. */
const compressing =
  (bytes: Uint8Array<ArrayBuffer>): typeof globalThis.fetch =>
  (_, init) => {
    const isPlain = new Headers(init?.headers).get("accept-encoding") === "identity"
    const headers = isPlain ? {} : { "content-encoding": "gzip", "content-length": String(gzipSync(bytes).length) }
    return Promise.resolve(new Response(bytes, { headers: { "content-length": String(bytes.length), ...headers } }))
  }

it.effect("content is requested without compression, so that its size and its digest match", () => {
  const bytes = new Uint8Array(1000)
  return Effect.gen(function* () {
    const registry = yield* RegistryContent
    const blob = yield* registry.headBlob("alpine", sha256(bytes))
    assert.strictEqual(blob.size, 1000)
    assert.deepStrictEqual(yield* registry.blobBytes("alpine", blob), bytes)
  }).pipe(Effect.provide(overFetch), Effect.provideService(FetchHttpClient.Fetch, compressing(bytes)))
})
