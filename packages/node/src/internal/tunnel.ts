/**
 * Tunnels: connections that a proxy opens to a server (RFC 9110, section 9.3.6, CONNECT).
 *
 * Plain http goes through a tunnel too, and not in requests to the proxy with the absolute address (RFC 9112, section
 * 3.2.2). The login of the proxy is then part of CONNECT alone, a refusal of the proxy cannot be mistaken for one of
 * the registry, the proxy neither answers from a cache nor buffers an upload, and each connection leads to the one
 * server that its gate allowed.
 */
import { Socket } from "node:net"
import * as Redacted from "effect/Redacted"
import type * as Undici from "undici"
import { Client } from "./undici.ts"
import type { Proxy } from "./proxies.ts"
import * as Outbound from "@effect-acr/client/Outbound"

/** How long a proxy may take to answer CONNECT, in milliseconds: the time of its own connection to the server. */
const timeout = 30_000

/** A proxy that opened no tunnel, which another attempt may mend. Nothing was sent to the server. */
class ProxyFailed extends Error {
  override readonly name = "ProxyFailed"
  /** As in errors of Node: the client reads from it that no request was sent. */
  readonly syscall = "connect"
  declare readonly code?: string

  constructor(message: string, code?: string) {
    super(message)
    if (code !== undefined) this.code = code
  }
}

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "")

/** Codes that tell whether another attempt can succeed: of a proxy that is not there, and of its certificate. */
const kept =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|E(?:HOST|NET)UNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|CERT_|DEPTH_|SELF_|UNABLE_)/

/**
 * The error of a failed connection to a proxy. Most codes are dropped: undici retries `UND_ERR_SOCKET` forever, and the
 * client would explain the code of a parser or of TLS as a fault of the registry.
 */
const failed = ({ name }: Proxy, error: Error): Error => {
  const code = codeOf(error)
  if (error.name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW") {
    return new ProxyFailed(`the proxy ${name} did not answer in HTTP`)
  }
  if (code.startsWith("ERR_SSL_")) return new ProxyFailed(`the proxy ${name} does not speak TLS`)
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE") {
    return new ProxyFailed(`the proxy ${name} closed the connection`)
  }
  if (code === "UND_ERR_HEADERS_TIMEOUT") return new ProxyFailed(`the proxy ${name} did not answer in time`)
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return new ProxyFailed(`the certificate of the proxy ${name} is not for that name`, "HOSTNAME_MISMATCH")
  }
  const message = error.message === "" ? code : error.message
  return new ProxyFailed(`the proxy ${name} can't be reached: ${message}`, kept.test(code) ? code : undefined)
}

/** The error of a proxy that answered CONNECT with another status than 2xx. */
const refused = ({ authorization, name }: Proxy, authority: string, status: number): Error => {
  if (status === 407) {
    return new Outbound.AddressRefused(
      authorization === undefined
        ? `the proxy ${name} requires a login (407): add it to the URL of the proxy`
        : `the proxy ${name} refuses its login (407)`
    )
  }
  return status < 400 || status >= 500 || status === 408 || status === 429
    ? new ProxyFailed(`the proxy ${name} could not connect to ${authority} (${status})`)
    : new Outbound.AddressRefused(`the proxy ${name} refuses to connect to ${authority} (${status})`)
}

/**
 * Whether more than line breaks came with the answer to CONNECT. Servers do not speak first, so it is the proxy's. undici
 * would take it for an answer to no request, and connect again without end.
 */
const hasMore = (socket: Socket): boolean => {
  const more: unknown = socket.readableLength > 0 ? socket.read() : null
  return more instanceof Uint8Array && more.some((byte) => byte !== 13 && byte !== 10)
}

/**
 * Makes connections to the host of the address alone. undici names the host of the `Host` header in TLS, which in
 * CONNECT is the server behind the proxy: a proxy would have to have a certificate for that.
 */
const toItself =
  (connect: Undici.buildConnector.connector): Undici.buildConnector.connector =>
  (options, callback) => {
    const { servername: _, ...rest } = options
    connect(rest, callback)
  }

/** Tunnels that are being opened. They are closed with the HTTP client that requested them. */
export type Opening = Set<Undici.Client>

/** Opens a tunnel. `connect` makes the connection to the proxy itself. */
export const open = (
  {
    authority,
    connect,
    opening,
    proxy
  }: {
    readonly proxy: Proxy
    /** The server by its host and port: `registry.example:443`. */
    readonly authority: string
    readonly connect: Undici.buildConnector.connector
    readonly opening: Opening
  },
  callback: (...result: [Error, null] | [null, Socket]) => void
): void => {
  const client = new Client(proxy.origin, { connect: toItself(connect), headersTimeout: timeout })
  opening.add(client)
  const headers = {
    host: authority,
    // undici sends `Connection: close`, and some proxies would close the connection right after their answer.
    "proxy-connection": "keep-alive",
    ...(proxy.authorization === undefined ? {} : { "proxy-authorization": Redacted.value(proxy.authorization) })
  }
  const settle = (...result: [Error, null] | [null, Socket]) => {
    opening.delete(client)
    void client.destroy()
    callback(...result)
  }
  client.dispatch(
    { method: "CONNECT", path: authority, headers },
    {
      onRequestStart: () => {},
      onRequestUpgrade: (_, statusCode, __, socket) => {
        // An error without a listener ends the process. The next owner of the socket adds its own.
        socket.on("error", () => {})
        const isOpen = statusCode >= 200 && statusCode <= 299 && socket instanceof Socket
        if (isOpen && !hasMore(socket)) return settle(null, socket)
        socket.destroy()
        const error = isOpen
          ? new ProxyFailed(`the proxy ${proxy.name} sent other bytes than those of ${authority}`)
          : refused(proxy, authority, statusCode)
        return settle(error, null)
      },
      onResponseError: (_, error) => settle(failed(proxy, error), null)
    }
  )
}
