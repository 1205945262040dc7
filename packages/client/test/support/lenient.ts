/**
 * A blob, a manifest, and registries that answer by method and path.
 */
import * as Effect from "effect/Effect"
import * as BlobSource from "../../src/BlobSource.ts"
import { RegistryContent } from "../../src/RegistryContent.ts"
import { sha256 } from "./content.ts"
import { type Asked, endpoint, Journal, json, type Reply, type Script } from "./registry.ts"

export const uploads = "/v2/alpine/blobs/uploads/"
export const text = "0123456789"
export const digest = sha256(text)

export const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.empty.v1+json", digest: sha256("{}"), size: 2 },
  layers: []
})
export const manifestAnswer = () =>
  new Response(manifest, {
    headers: {
      "content-type": "application/vnd.oci.image.manifest.v1+json",
      "docker-content-digest": sha256(manifest)
    }
  })

export const refusal = (status: number, code = "UNKNOWN") => json({ errors: [{ code, message: "no" }] }, { status })

export const empty = (status: number, headers: { readonly [name: string]: string } = {}) =>
  new Response(null, { status, headers })

export type Route = readonly [string, RegExp, (asked: Asked) => Reply]

/** Answers by method and path, the first that matches. */
export const by =
  (...routes: ReadonlyArray<Route>): Script =>
  (asked) => {
    const line = `${asked.url.pathname}${asked.url.search}`
    const route = routes.find(([method, path]) => method === asked.method && path.test(line))
    return route === undefined ? refusal(404) : route[2](asked)
  }

/** The requests, as `PATCH /path?query`. */
export const asked = Effect.map(Journal, (journal) =>
  journal.map(({ method, url }) => `${method} ${url.href.replace(endpoint, "")}`)
)

export const upload = (options: object = {}, source: BlobSource.BlobSource = BlobSource.fromString(text)) =>
  Effect.flatMap(RegistryContent, (content) => content.uploadBlob("alpine", source, options))

export const pull = Effect.flatMap(RegistryContent, (content) => content.manifest("alpine", "v1"))

/** A registry that accepts uploads. */
export const taking = (...routes: ReadonlyArray<Route>) =>
  by(
    ...routes,
    ["POST", /uploads\/$/, () => empty(202, { location: `${uploads}1` })],
    ["PATCH", /uploads/, () => empty(202, { location: `${uploads}1`, range: "0-9" })],
    ["PUT", /uploads/, () => empty(201)]
  )
