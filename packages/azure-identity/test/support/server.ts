/**
 * A server over TLS whose responses a function makes, and which records its requests.
 */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer } from "node:https"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { generate } from "selfsigned"

export interface Asked {
  readonly method: string
  /** By the `Host` header, without a port. */
  readonly host: string
  readonly path: string
  readonly query: { readonly [name: string]: string }
  readonly headers: IncomingMessage["headers"]
  readonly form: { readonly [name: string]: string }
}

/** The response; `stall` sends none, as long as the client waits. */
export type Answer =
  | { readonly status: number; readonly headers?: { readonly [name: string]: string }; readonly json?: unknown }
  | "stall"

export interface Listening {
  readonly port: number
  readonly certificate: string
  readonly asked: ReadonlyArray<Asked>
  /** The number of requests that the client aborted before their responses. */
  readonly abandoned: () => number
}

/** A self-signed certificate for this machine. */
const certificate = Effect.promise(() =>
  generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }
    ]
  })
)

const serving =
  (asked: Array<Asked>, abandon: () => void, answer: (asked: Asked) => Answer) =>
  (request: IncomingMessage, response: ServerResponse) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (text: string) => (body += text))
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "https://localhost")
      const one: Asked = {
        method: request.method ?? "",
        host: (request.headers.host ?? "").replace(/:\d+$/, ""),
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        form: Object.fromEntries(new URLSearchParams(body))
      }
      asked.push(one)
      const given = answer(one)
      response.on("close", () => {
        if (!response.writableFinished) abandon()
      })
      if (given === "stall") return
      response
        .writeHead(given.status, { "content-type": "application/json", ...given.headers })
        .end(given.json === undefined ? "" : JSON.stringify(given.json))
    })
  }

/** Listens until the scope closes, by default over TLS. */
export const listen = (
  answer: (asked: Asked) => Answer,
  options: { readonly tls: boolean } = { tls: true }
): Effect.Effect<Listening, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cert, private: key } = yield* certificate
    const asked: Array<Asked> = []
    let abandoned = 0
    const serve = serving(asked, () => (abandoned += 1), answer)
    const server: Server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const made: Server = options.tls ? createServer({ key, cert }, serve) : createHttpServer(serve)
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (running) =>
        Effect.sync(() => {
          running.closeAllConnections()
          running.close()
        })
    )
    const address = server.address()
    const port = typeof address === "object" ? (address?.port ?? 0) : 0
    return { port, certificate: cert, asked, abandoned: () => abandoned }
  })
