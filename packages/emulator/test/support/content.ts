/**
 * Blobs and their uploads, step by step, in the repository `a`.
 */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { askAsAdmin, type Reply } from "./ask.ts"

export const digestOf = (content: string | Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`

export const uploads = "/v2/a/blobs/uploads/"

export const withDigest = (location: string, digest: string): string =>
  `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`

export const locationOf = (reply: Reply): string => {
  const location = reply.headers["location"]
  assert.isDefined(location)
  return location ?? ""
}

/** Starts an upload, and tells its location. */
export const open = Effect.map(askAsAdmin("POST", uploads), (reply) => {
  assert.strictEqual(reply.status, 202)
  return locationOf(reply)
})

export const push = Effect.fnUntraced(function* (content: string) {
  const reply = yield* askAsAdmin("PUT", withDigest(yield* open, digestOf(content)), { body: content })
  assert.strictEqual(reply.status, 201)
  return { digest: digestOf(content), size: Buffer.byteLength(content) }
})
