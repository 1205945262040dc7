/**
 * Connections to one origin, each judged by the address at its other end.
 *
 * An answer of DNS proves nothing: the next one may differ, and of several addresses any may be connected. So what counts
 * is the address of the connected socket. Addresses that would be refused then are not dialled in the first place.
 */
import { lookup } from "node:dns"
import type { LookupFunction } from "node:net"
import * as Outbound from "@effect-acr/client/Outbound"
// By the name of its file: for the package's own name Bun has a stand-in, which makes no connections.
import { buildConnector } from "undici/index.js"

/** A connected socket, as far as it is judged. */
export interface Connection {
  readonly remoteAddress?: string | undefined
  readonly destroy: (error?: Error) => unknown
  readonly once: (event: "close", listener: () => void) => unknown
}

/** What an origin may be connected to. */
export interface Gate {
  readonly allows: (reach: Outbound.Reach) => boolean
  /** The end of a sentence that begins with "registry.example leads to a private address". */
  readonly why: () => string
  /** Called with each connection that was allowed. */
  readonly onConnected: (reach: Outbound.Reach, connection: Connection) => void
}

/** What can't be read must not be connected to. */
const reachOf = (address: string): Outbound.Reach => Outbound.reachOf(address) ?? "loopback"

const refusal = (hostname: string, reaches: ReadonlyArray<Outbound.Reach>, gate: Gate): Outbound.AddressRefused =>
  new Outbound.AddressRefused(`${hostname} leads to a ${[...new Set(reaches)].join(" and ")} address, ${gate.why()}`)

/** A look-up that passes on only the addresses that a gate allows. */
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

/** Judges the connections that another connector makes. */
export const judging =
  (connect: buildConnector.connector, gate: Gate): buildConnector.connector =>
  (target, callback) => {
    // An address is not looked up.
    const written = Outbound.reachOf(target.hostname)
    if (written !== undefined && !gate.allows(written)) {
      return callback(refusal(target.hostname, [written], gate), null)
    }
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
export const through = (gate: Gate, options: buildConnector.BuildOptions): buildConnector.connector =>
  judging(buildConnector({ ...options, lookup: lookingUp(gate) }), gate)
