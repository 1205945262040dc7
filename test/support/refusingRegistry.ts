/**
 * A registry in memory without ACR's management API and without the referrers API, which refuses some deletions.
 */
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registry from "@effect-acr/client/Registry"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { play } from "../dialects/registry.ts"

const host = "registry.example.com"

const refusal = (status: number, code: string): Response =>
  Response.json({ errors: [{ code, message: "it is not deleted" }] }, { status })

/** A deletion, and what the registry holds. */
export interface Deletion {
  readonly tagOrDigest: string
  /** The indexes that name the manifest. */
  readonly parents: ReadonlyArray<string>
  /** The tags that name the manifest. */
  readonly tags: ReadonlyArray<string>
}

/** Makes a registry. `refuses` returns the status and the code with which it refuses a deletion, if it does. */
export const make = (refuses: (deletion: Deletion) => readonly [status: number, code: string] | undefined) => {
  const { client, holdings } = play({ name: "", host, repository: "", login: { _tag: "Open" }, deviations: [] })

  const deletionOf = (tagOrDigest: string): Deletion => ({
    tagOrDigest,
    parents: Array.from(holdings.manifests).flatMap(([digest, { bytes }]) =>
      digest !== tagOrDigest && new TextDecoder().decode(bytes).includes(tagOrDigest) ? [digest] : []
    ),
    tags: Array.from(holdings.tags).flatMap(([tag, digest]) => (digest === tagOrDigest ? [tag] : []))
  })

  const answered = HttpClient.make((request, url) => {
    const reply = (response: Response) => Effect.succeed(HttpClientResponse.fromWeb(request, response))
    if (!url.pathname.startsWith("/v2/") || url.pathname.includes("/referrers/")) {
      return reply(new Response("404 page not found\n", { status: 404 }))
    }
    if (request.method === "DELETE") {
      const tagOrDigest = url.pathname.split("/").at(-1) ?? ""
      const refused = refuses(deletionOf(tagOrDigest))
      if (refused !== undefined) return reply(refusal(...refused))
      if (holdings.tags.delete(tagOrDigest)) return reply(new Response(null, { status: 202 }))
    }
    return client.execute(request)
  })

  return {
    digests: (): ReadonlyArray<string> => Array.from(holdings.manifests.keys()),
    tags: (): ReadonlyArray<string> => Array.from(holdings.tags.keys()).toSorted(),
    layer: Registry.layer({ endpoint: `https://${host}`, retry: RetryPolicy.never }).pipe(
      Layer.provide(Credentials.layerAnonymous),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, answered))
    )
  }
}
