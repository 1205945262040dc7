/**
 * Agents that connect only where a request may go.
 *
 * The rules are those of `Outbound.mayConnect`. Only this module knows what they need: the remote address of each
 * connection, and so the reach of each registry.
 */
import * as Outbound from "@effect-acr/client/Outbound"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
import type * as Undici from "undici"
import { Agent, Pool } from "./undici.ts"
import type { Certificates } from "./certificates.ts"
import * as Dial from "./dial.ts"
import * as Places from "./places.ts"
import * as ReadMemory from "./readMemory.ts"
import type { Route } from "./proxies.ts"
import type * as Tunnel from "./tunnel.ts"
import * as UndiciClient from "./undiciClient.ts"

export interface Options {
  /** Options of the connections to each origin. */
  readonly pool: Omit<Undici.Pool.Options, "connect">
  readonly certificates: Certificates
  readonly route: Route
}

/** Makes an HTTP client whose connections to each origin pass a gate. */
const gated = (
  { certificates, memory, pool, route }: Options & { readonly memory: ReadMemory.ReadMemory },
  servers: keyof Certificates,
  gateTo: (origin: string) => Dial.Gate
) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const options = { ...certificates[servers], allowH2: false }
        const proxyOptions = { ...certificates.other, allowH2: false }
        const opening: Tunnel.Opening = new Set()
        const connectorTo = (origin: string) => {
          const gate = gateTo(origin)
          const url = new URL(origin)
          const proxy = route(url)
          return proxy === undefined
            ? Dial.through(gate, { ...options, ...memory.connection(url.protocol) })
            : Dial.byWayOf(gate, { proxy, options, proxyOptions, opening })
        }
        const agent = new Agent({
          ...pool,
          factory: (origin) => new Pool(origin, { ...pool, connect: connectorTo(String(origin)) })
        })
        return { agent, opening }
      }),
      ({ agent, opening }) =>
        Effect.promise(() => Promise.all([agent.destroy(), ...Array.from(opening, (client) => client.destroy())]))
    ),
    ({ agent }) => UndiciClient.make(agent, memory.releaseOf)
  )

const nothing = () => {}

/** A gate for one relation. `known` returns the current reach of the registry. */
const gate = (
  relation: Outbound.Relation,
  known: () => Outbound.Reach | undefined,
  { onConnected = nothing, onTunnelled = nothing }: Partial<Pick<Dial.Gate, "onConnected" | "onTunnelled">> = {}
): Dial.Gate => {
  const allows = (reach: Outbound.Reach) => Outbound.mayConnect(relation, known(), reach)
  return {
    allows,
    // The user named the registry's host, so one allowed address is enough. An attacker may give any other name both a
    // harmless and a harmful address.
    allowsAny: (reaches) => (relation === "registry" ? reaches.some(allows) : reaches.every(allows)),
    why: () =>
      relation === "registry"
        ? `but the registry was reached at a ${known()} one before`
        : "and the registry is not there",
    onConnected,
    onTunnelled
  }
}

/**
 * Makes an HTTP client with an agent for each relation that a target can have to a registry; for targets to which a
 * registry leads, one for each place where the registry can be.
 *
 * They are apart, or a connection that one registry was allowed would serve another that is not.
 */
export const make = (options: Options): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const gatedOptions = { ...options, memory: ReadMemory.make() }
    const places = Places.make()
    // The reach of registries behind a proxy, by the local DNS. It restricts the registry's own name alone: the registry
    // controls its DNS, so this must not allow it to lead into a private network.
    const names = Places.make()

    const registry = yield* gated(gatedOptions, "named", (origin) =>
      gate("registry", () => places.of(origin) ?? names.of(origin), {
        onConnected: (reach, connection) => places.reached(origin, reach, connection),
        onTunnelled: (reaches) => {
          for (const reach of reaches) names.reached(origin, reach)
        }
      })
    )
    // A registry whose host the user has allowed may be anywhere, but still leads only where it is.
    const named = yield* gated(gatedOptions, "named", (origin) =>
      gate("named", () => places.of(origin), { onConnected: (reach) => places.reached(origin, reach) })
    )
    const ledFrom = (place: Outbound.Reach) => gated(gatedOptions, "other", () => gate("other", () => place))
    const led = {
      public: yield* ledFrom("public"),
      private: yield* ledFrom("private"),
      "link-local": yield* ledFrom("link-local"),
      loopback: yield* ledFrom("loopback")
    }
    // Requests that are not of this library go where the program sends them.
    const free = yield* gated(gatedOptions, "named", () => gate("named", () => undefined))

    const clientFor = (destination: Outbound.Destination | undefined) => {
      switch (destination?.relation) {
        case undefined:
          return free
        case "registry":
          return registry
        case "named":
          return named
        case "other":
          return led[places.of(destination.registry) ?? "public"]
      }
    }
    const chosen = Effect.map(Outbound.CurrentDestination, clientFor)
    return ScopedHttpClient.make(
      HttpClient.transform(free, (_, request) =>
        Effect.flatMap(chosen, (client) => client.postprocess(Effect.succeed(request)))
      ),
      (request) => Effect.flatMap(chosen, (client) => client.executeScoped(request))
    )
  })
