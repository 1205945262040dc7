/**
 * The network of a test: names lead to servers on this machine, and nothing leaves it.
 */
import net from "node:net"
import tls from "node:tls"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A server that replaces a host. */
export interface Stand {
  readonly port: number
  /** Its certificate, in PEM. */
  readonly certificate: string
}

export class Network extends Context.Service<
  Network,
  {
    /** Maps port 443 of a name to a server. */
    readonly lead: (host: string, to: Stand) => void
    /** The names that were connected to over TLS, in order. */
    readonly names: ReadonlyArray<string>
    /** Every connection of this process that was not to this machine: they all failed. */
    readonly refused: ReadonlyArray<string>
  }
>()("test/Network") {}

const isHere = (host: string | undefined): boolean =>
  host === undefined || host === "localhost" || host === "::1" || host.startsWith("127.")

/** The options that any of the forms of `connect` is called with. */
const optionsOf = (args: ReadonlyArray<unknown>): { host?: string; port?: number; path?: string } => {
  const flat = args.flat()
  const [first, second] = flat
  if (typeof first === "object" && first !== null) return first
  return typeof first === "number"
    ? { port: first, ...(typeof second === "string" ? { host: second } : {}) }
    : { path: String(first) }
}

/**
 * Intercepts every way to connect, until the scope closes.
 */
export const layer: Layer.Layer<Network> = Layer.effect(
  Network,
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const stands = new Map<string, Stand>()
        const names: Array<string> = []
        const refused: Array<string> = []
        const connect = net.Socket.prototype.connect
        const connectTls = tls.connect

        const guarded = function (this: net.Socket, ...args: Array<unknown>) {
          const { host, path } = optionsOf(args)
          if (path === undefined && !isHere(host)) {
            refused.push(String(host))
            setImmediate(() => this.destroy(new Error(`${host} is not on this machine`)))
            return this
          }
          return Reflect.apply(connect, this, args)
        }
        const led = (options: tls.ConnectionOptions, ...rest: ReadonlyArray<unknown>) => {
          const host = options.servername ?? options.host ?? ""
          const stand = stands.get(host)
          names.push(host)
          return Reflect.apply(connectTls, tls, [
            stand === undefined
              ? options
              : {
                  ...options,
                  host: "127.0.0.1",
                  port: stand.port,
                  ca: stand.certificate,
                  // Its certificate is for this machine, so its key identifies it.
                  checkServerIdentity: () => undefined
                },
            ...rest
          ])
        }
        Object.assign(net.Socket.prototype, { connect: guarded })
        Object.assign(tls, { connect: led })
        return { stands, names, refused, connect, connectTls }
      }),
      ({ connect, connectTls }) =>
        Effect.sync(() => {
          Object.assign(net.Socket.prototype, { connect })
          Object.assign(tls, { connect: connectTls })
        })
    ),
    ({ names, refused, stands }) => ({
      lead: (host: string, to: Stand) => {
        stands.set(host, to)
      },
      names,
      refused
    })
  )
)
