/**
 * Connections to one origin, each checked by its remote address.
 *
 * A DNS response proves nothing: the next one may differ, and of several addresses any may be connected. So the address
 * of the connected socket decides. Addresses that it would refuse are not dialled in the first place.
 */
import { lookup } from "node:dns"
import type { LookupFunction } from "node:net"
import * as Outbound from "@effect-acr/client/Outbound"
import type * as Undici from "undici"
import { buildConnector } from "./undici.ts"
import type { Proxy } from "./proxies.ts"
import * as Tunnel from "./tunnel.ts"

/** The part of a connected socket that the checks use. */
export interface Connection {
  readonly remoteAddress?: string | undefined
  readonly destroy: (error?: Error) => unknown
  readonly once: (event: "close", listener: () => void) => unknown
}

/** The addresses that may be connected for an origin. */
export interface Gate {
  readonly allows: (reach: Outbound.Reach) => boolean
  /** The end of a sentence that begins with "registry.example leads to a private address". */
  readonly why: () => string
  /** Called with each connection that was allowed. */
  readonly onConnected: (reach: Outbound.Reach, connection: Connection) => void
  /** Whether a proxy may connect to a name with these addresses, of which the proxy chooses one. */
  readonly allowsAny: (reaches: ReadonlyArray<Outbound.Reach>) => boolean
  /**
   * Called when a proxy has connected to a name, with the reach of each address that the local DNS has for the name.
   */
  readonly onTunnelled: (reaches: ReadonlyArray<Outbound.Reach>) => void
}

/** An address that cannot be parsed must not be connected. */
const reachOf = (address: string): Outbound.Reach => Outbound.reachOf(address) ?? "loopback"

const refusal = (hostname: string, reaches: ReadonlyArray<Outbound.Reach>, gate: Gate): Outbound.AddressRefused =>
  new Outbound.AddressRefused(`${hostname} leads to a ${[...new Set(reaches)].join(" and ")} address, ${gate.why()}`)

/**
 * The refusal of a host that is an address, or a name of this machine; `undefined` for other names. Nothing is looked
 * up.
 */
const refusalOf = (hostname: string, gate: Gate): Outbound.AddressRefused | undefined => {
  const written = Outbound.reachOf(hostname)
  return written === undefined || gate.allows(written) ? undefined : refusal(hostname, [written], gate)
}

/** A DNS lookup that returns only the addresses that a gate allows. */
const lookingUp =
  (gate: Gate): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0)
      const allowed = addresses.filter(({ address }) => gate.allows(reachOf(address)))
      const [first] = allowed
      if (first === undefined) {
        const reaches = addresses.map(({ address }) => reachOf(address))
        return callback(refusal(hostname, reaches, gate), "", 0)
      }
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family)
    })
  }

/** Checks the connections of another connector. */
export const judging =
  (connect: Undici.buildConnector.connector, gate: Gate): Undici.buildConnector.connector =>
  (target, callback) => {
    const refused = refusalOf(target.hostname, gate)
    if (refused !== undefined) return callback(refused, null)
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null)
      const { remoteAddress } = socket
      if (remoteAddress === undefined) {
        socket.destroy()
        return callback(new Error(`the connection to ${target.hostname} was closed at once`), null)
      }
      const reach = reachOf(remoteAddress)
      if (!gate.allows(reach)) {
        socket.destroy()
        return callback(refusal(target.hostname, [reach], gate), null)
      }
      gate.onConnected(reach, socket)
      return callback(null, socket)
    })
  }

/** Makes a connector for one origin. */
export const through = (gate: Gate, options: Undici.buildConnector.BuildOptions): Undici.buildConnector.connector =>
  judging(buildConnector({ ...options, lookup: lookingUp(gate) }), gate)

/**
 * How long the local DNS may take, in milliseconds, before a name counts as unknown. Where only the proxy resolves
 * public names, the resolver of this machine may never answer.
 */
const lookupTimeout = 2000

/** Looks a name up. Returns the reach of each of its addresses, or none if the local DNS does not know the name. */
const reachesOf = (hostname: string, callback: (reaches: ReadonlyArray<Outbound.Reach>) => void): void => {
  let isDone = false
  const done = (reaches: ReadonlyArray<Outbound.Reach>) => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    callback(reaches)
  }
  const timer = setTimeout(() => done([]), lookupTimeout)
  lookup(hostname, { all: true }, (error, addresses) =>
    done(error === null ? addresses.map(({ address }) => reachOf(address)) : [])
  )
}

const authorityOf = ({ hostname, port, protocol }: Undici.buildConnector.Options): string =>
  `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port !== "" ? port : protocol === "https:" ? 443 : 80}`

/**
 * Makes a connector for one origin behind a proxy.
 *
 * The client cannot see the remote address of a tunnel. A name is checked by its addresses in the local DNS; a name
 * that is unknown there is left to the proxy. The proxy itself may have any address, because the user named it.
 */
export const byWayOf = (
  gate: Gate,
  {
    opening,
    options,
    proxy,
    proxyOptions
  }: {
    readonly proxy: Proxy
    /** Options of TLS with the server. */
    readonly options: Undici.buildConnector.BuildOptions
    /** Options of the connection to the proxy. */
    readonly proxyOptions: Undici.buildConnector.BuildOptions
    readonly opening: Tunnel.Opening
  }
): Undici.buildConnector.connector => {
  const connect = buildConnector(proxyOptions)
  const secure = buildConnector(options)

  return (target, callback) => {
    const tunnel = (onConnected: (socket: Connection) => void) =>
      Tunnel.open({ proxy, authority: authorityOf(target), connect, opening }, (error, socket) => {
        if (error !== null) return callback(error, null)
        if (target.protocol !== "https:") {
          onConnected(socket)
          return callback(null, socket)
        }
        return secure({ ...target, httpSocket: socket }, (failure, secured) => {
          if (failure !== null) return callback(failure, null)
          onConnected(secured)
          return callback(null, secured)
        })
      })

    const refused = refusalOf(target.hostname, gate)
    if (refused !== undefined) return callback(refused, null)
    const written = Outbound.reachOf(target.hostname)
    if (written !== undefined) return tunnel((socket) => gate.onConnected(written, socket))
    return reachesOf(target.hostname, (reaches) =>
      reaches.length > 0 && !gate.allowsAny(reaches)
        ? callback(refusal(target.hostname, reaches, gate), null)
        : tunnel(() => gate.onTunnelled(reaches))
    )
  }
}
