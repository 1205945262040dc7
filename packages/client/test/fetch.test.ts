/**
 * The client on `fetch`, which follows redirects by itself if it may: wherever they lead.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { sha256 } from "./support/content.ts"
import { endpoint } from "./support/registry.ts"

/** A `fetch` to a registry that leads to the metadata service of its cloud. Notes where it goes. */
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

it.effect("a redirect is for the client to judge, and not followed by fetch", () => {
  const notes: Array<string> = []
  return Effect.gen(function* () {
    const registry = yield* RegistryContent
    const error = yield* Effect.flip(registry.blobBytes("alpine", sha256("content")))
    assert.strictEqual(error.reason._tag, "Refused")
    assert.deepStrictEqual(notes, [new URL(endpoint).host])
  }).pipe(
    Effect.provide(
      Registry.layer({ endpoint }).pipe(Layer.provide([Credentials.layerAnonymous, FetchHttpClient.layer]))
    ),
    Effect.provideService(FetchHttpClient.Fetch, leading(notes))
  )
})
