/**
 * Looks up names and opens connections as the HTTP client would, and reports the server's address, protocol and
 * certificate.
 *
 * A probe also reads an untrusted certificate. It closes the connection without sending anything.
 */
import { lookup } from "node:dns/promises"
import { connect as connectPlain, isIP, type Socket } from "node:net"
import * as tls from "node:tls"
import * as Outbound from "@effect-acr/client/Outbound"
import { printable } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import type * as Undici from "undici"
import { buildConnector } from "./undici.ts"
import { portOf, type Proxy, withoutBrackets } from "./proxies.ts"
import * as Tunnel from "./tunnel.ts"

/** An address, and the part of the network that it belongs to. */
export interface Address {
  readonly address: string
  readonly reach: Outbound.Reach | undefined
}

/** Why a probe failed. The code is that of the system or of OpenSSL, if there is one. */
export interface Problem {
  readonly _tag: "ProbeFailed"
  readonly code: string
  readonly description: string
}

const problemOf = (error: unknown): Problem => ({
  _tag: "ProbeFailed",
  code: error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "",
  description: printable(error instanceof Error && error.message !== "" ? error.message : String(error))
})

/** All addresses of a host in the DNS of this machine. */
export const addressesOf = ({ hostname }: URL): Effect.Effect<ReadonlyArray<Address>, Problem> =>
  Effect.tryPromise({ try: () => lookup(withoutBrackets(hostname), { all: true }), catch: problemOf }).pipe(
    Effect.map((found) => found.map(({ address }) => ({ address, reach: Outbound.reachOf(address) })))
  )

/** The certificate of a server. */
export interface Certificate {
  readonly names: string
  readonly issuer: string
  readonly validFrom: Date
  readonly validTo: Date
  /** Why it is not trusted: the code of OpenSSL or of Node. */
  readonly distrust: string | undefined
}

/** A connection that was opened and closed. */
export interface Connected {
  /** The remote address: that of the proxy, if there is one. */
  readonly address: string
  readonly protocol: string | undefined
  readonly certificate: Certificate | undefined
}

const nameOf = ({ CN, O }: tls.Certificate): string => [O, CN].filter((part) => part !== undefined).join(", ")

const certificateOf = (socket: tls.TLSSocket): Certificate => {
  const { issuer, subject, subjectaltname, valid_from, valid_to } = socket.getPeerCertificate()
  const { authorizationError } = socket
  const code: unknown = authorizationError
  return {
    names: printable(subjectaltname ?? nameOf(subject)),
    issuer: printable(nameOf(issuer)),
    validFrom: new Date(valid_from),
    validTo: new Date(valid_to),
    distrust: socket.authorized ? undefined : printable(code instanceof Error ? problemOf(code).code : String(code))
  }
}

/** Opens a socket, and closes it with the scope. `open` returns the function that aborts it. */
const socketOf = <S extends Socket>(open: (done: (outcome: Effect.Effect<S, Problem>) => void) => () => void) =>
  Effect.acquireRelease(
    Effect.callback<S, Problem>((resume) => {
      const giveUp = open(resume)
      return Effect.sync(giveUp)
    }),
    (socket) => Effect.sync(() => socket.destroy()),
    { interruptible: true }
  )

const plain = (url: URL) =>
  socketOf<Socket>((done) => {
    const socket = connectPlain({ host: withoutBrackets(url.hostname), port: Number(portOf(url)) })
    socket.once("connect", () => done(Effect.succeed(socket)))
    socket.on("error", (error) => done(Effect.fail(problemOf(error))))
    return () => socket.destroy()
  })

const tunnelled = (url: URL, proxy: Proxy, options: Undici.buildConnector.BuildOptions) =>
  socketOf<Socket>((done) => {
    const opening: Tunnel.Opening = new Set()
    const authority = `${url.hostname}:${portOf(url)}`
    const connect = buildConnector({ ...options, allowH2: false })
    Tunnel.open({ proxy, authority, connect, opening }, (error, socket) => {
      done(error === null ? Effect.succeed(socket) : Effect.fail(problemOf(error)))
    })
    return () => {
      for (const client of opening) void client.destroy()
    }
  })

const secured = (url: URL, socket: Socket, options: Undici.buildConnector.BuildOptions) =>
  socketOf<tls.TLSSocket>((done) => {
    const host = withoutBrackets(url.hostname)
    const secure = tls.connect({
      socket,
      host,
      // SNI does not allow addresses (RFC 6066, section 3).
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...("secureContext" in options ? { secureContext: options.secureContext } : {}),
      // An untrusted certificate is read too; nothing is sent.
      rejectUnauthorized: false
    })
    secure.once("secureConnect", () => done(Effect.succeed(secure)))
    secure.on("error", (error) => done(Effect.fail(problemOf(error))))
    return () => secure.destroy()
  })

/** Opens a connection to a server, directly or by a proxy, and reads its certificate. */
export const connect = (
  url: URL,
  proxy: Proxy | undefined,
  options: Undici.buildConnector.BuildOptions
): Effect.Effect<Connected, Problem> =>
  Effect.gen(function* () {
    const socket = yield* proxy === undefined ? plain(url) : tunnelled(url, proxy, options)
    const address = socket.remoteAddress ?? "an unknown address"
    if (url.protocol !== "https:") return { address, protocol: undefined, certificate: undefined }
    const secure = yield* secured(url, socket, options)
    return { address, protocol: secure.getProtocol() ?? undefined, certificate: certificateOf(secure) }
  }).pipe(Effect.scoped)
