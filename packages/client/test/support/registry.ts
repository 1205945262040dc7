/**
 * A scripted registry: the answer to each request, and a journal of the requests.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as ContainerRegistry from "../../src/ContainerRegistry.ts"
import * as Credentials from "../../src/Credentials.ts"
import type * as Transport from "../../src/Transport.ts"

/** A request as the registry saw it. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly range: string | null
  readonly contentRange: string | undefined
  readonly accept: string | undefined
  readonly contentType: string | undefined
  readonly clientRequestId: string | undefined
  readonly body: string
}

/** An answer, now or later, an error of the connection, or no answer ever. */
export type Reply = Response | Effect.Effect<Response> | HttpFailure | Error | "reset" | "stall"

/** The error of an HTTP client before it sends anything, with its cause. */
export interface HttpFailure {
  readonly _tag: "EncodeError" | "InvalidUrlError"
  readonly cause: Error
}

/** An error of Node: `connect ECONNREFUSED 127.0.0.1:1`. */
export const nodeError = (code: string, message: string, fields: { readonly syscall?: string } = {}): Error =>
  Object.assign(new Error(message), { code, ...fields })

/** Answers a request. `count` is how many requests for the same method and path came before. */
export type Script = (asked: Asked, count: number) => Reply

/** The requests so far, in order. */
export class Journal extends Context.Service<Journal, Array<Asked>>()("test/Journal") {}

export const endpoint = "https://myregistry.azurecr.io"

export const json = (body: unknown, init: ResponseInit = {}): Response =>
  new Response(JSON.stringify(body), {
    ...init,
    headers: { "content-type": "application/json; charset=utf-8", ...init.headers }
  })

/** ACR's properties of a repository. */
export const properties = () =>
  json({
    registry: "myregistry.azurecr.io",
    imageName: "alpine",
    createdTime: "2023-03-07T02:03:10.5343706Z",
    lastUpdateTime: "2023-03-07T02:03:10.5343706Z",
    manifestCount: 1,
    tagCount: 1
  })

/** The 401 with which a registry that knows OAuth begins. */
export const challenge = (scope: string, parameters = ""): Response =>
  json(
    { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] },
    {
      status: 401,
      headers: {
        "www-authenticate": `Bearer realm="${endpoint}/oauth2/token",service="myregistry.azurecr.io",scope="${scope}"${parameters}`
      }
    }
  )

const bodyText = (request: HttpClientRequest.HttpClientRequest): string =>
  request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""

const failureOf = (
  request: HttpClientRequest.HttpClientRequest,
  reply: HttpFailure | Error | "reset"
): HttpClientError.HttpClientError["reason"] => {
  if (reply === "reset") {
    const cause = nodeError("ECONNRESET", "read ECONNRESET", { syscall: "read" })
    return new HttpClientError.TransportError({ request, cause })
  }
  if (reply instanceof Error) return new HttpClientError.TransportError({ request, cause: reply })
  return reply._tag === "EncodeError"
    ? new HttpClientError.EncodeError({ request, cause: reply.cause })
    : new HttpClientError.InvalidUrlError({ request, cause: reply.cause })
}

const client = (script: Script, journal: Array<Asked>) =>
  HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const asked = {
        method: request.method,
        url,
        authorization: request.headers["authorization"],
        range: request.headers["range"] ?? null,
        contentRange: request.headers["content-range"],
        accept: request.headers["accept"],
        contentType: request.body._tag === "Empty" ? undefined : request.body.contentType,
        clientRequestId: request.headers["x-ms-client-request-id"],
        body: bodyText(request)
      }
      const count = journal.filter((other) => other.method === asked.method && other.url.href === url.href).length
      journal.push(asked)
      const reply = script(asked, count)
      if (reply === "stall") return Effect.never
      if (reply instanceof Response) return Effect.succeed(HttpClientResponse.fromWeb(request, reply))
      if (Effect.isEffect(reply)) {
        return Effect.map(reply, (response) => HttpClientResponse.fromWeb(request, response))
      }
      return Effect.fail(new HttpClientError.HttpClientError({ reason: failureOf(request, reply) }))
    })
  )

/**
 * The token service of ACR in front of a script: it exchanges, grants `token-<n>`, and challenges requests without a
 * token.
 */
export const behindOAuth =
  (scope: string, script: Script): Script =>
  (asked, count) => {
    switch (asked.url.pathname) {
      case "/oauth2/exchange":
        return json({ refresh_token: `refresh-${count}` })
      case "/oauth2/token":
        return json({ access_token: `token-${count}` })
      default:
        return asked.authorization === undefined ? challenge(scope) : script(asked, count)
    }
  }

export const entra = Credentials.layerEntra(Effect.succeed(Redacted.make("entra-token")))

/** The HTTP client of a script, which answers for every host. */
export const scripted = (script: Script): Layer.Layer<HttpClient.HttpClient | Journal> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(Journal, (journal) => client(script, journal))
  ).pipe(Layer.provideMerge(Layer.sync(Journal, () => [])))

/** `ContainerRegistry` with a scripted registry. */
export const registry = (
  script: Script,
  options: Partial<Transport.Options> & { readonly credentials?: Layer.Layer<Credentials.Credentials> } = {}
) => {
  const { credentials = entra, ...transport } = options
  return ContainerRegistry.layer({ endpoint, ...transport }).pipe(
    Layer.provide(credentials),
    Layer.provideMerge(scripted(script))
  )
}
