/**
 * Connections that are made to addresses which were looked at.
 *
 * A name tells nothing of where it leads, and may lead somewhere else the next moment: so what counts is the address that
 * is dialled, in the very look-up of the dial. Hosts that the user named are dialled whatever they are; where the
 * registry is among them is remembered, since that decides where else it may lead.
 */
import { lookup, type LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import * as Outbound from "@effect-acr/client/Outbound"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
// By the name of its file: for the package's own name Bun has a stand-in, which makes no connections.
import { Agent } from "undici/index.js"
import * as UndiciClient from "./undiciClient.ts"

const reachOf = ({ address }: LookupAddress): Outbound.Reach => Outbound.reachOf(address) ?? "loopback"

/** A look-up that passes on what `choose` leaves of the addresses. */
const lookingUp =
  (
    choose: (hostname: string, addresses: ReadonlyArray<LookupAddress>) => ReadonlyArray<LookupAddress>
  ): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0)
      const [first, ...rest] = choose(hostname, addresses)
      if (first === undefined) {
        const places = Array.from(new Set(addresses.map(reachOf))).join(" and ")
        return callback(
          new Outbound.AddressRefused(`${hostname} leads to a ${places} address, and the registry is not there`),
          "",
          0
        )
      }
      return options.all === true ? callback(null, [first, ...rest]) : callback(null, first.address, first.family)
    })
  }

const dialling = (options: Agent.Options, dial: LookupFunction) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ ...options, connect: { ...options.connect, lookup: dial } })),
      (agent) => Effect.promise(() => agent.destroy())
    ),
    UndiciClient.make
  )

/**
 * Makes an HTTP client with one agent for hosts that were named, and one for each place where a registry can be.
 *
 * They are apart, or a connection that one registry was allowed would serve another that is not.
 */
export const make = (options: Agent.Options): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const guarded = (registry: Outbound.Reach) =>
      dialling(
        options,
        lookingUp((_, addresses) => addresses.filter((address) => Outbound.mayLead(registry, reachOf(address))))
      )

    const places = new Map<string, Outbound.Reach>()
    const named = yield* dialling(
      options,
      lookingUp((hostname, addresses) => {
        const [first] = addresses
        if (first !== undefined) places.set(hostname, reachOf(first))
        return addresses
      })
    )
    const others = {
      public: yield* guarded("public"),
      private: yield* guarded("private"),
      "link-local": yield* guarded("link-local"),
      loopback: yield* guarded("loopback")
    }

    const chosen = Effect.map(Outbound.CurrentDestination, (destination) =>
      destination === undefined || destination.isNamed
        ? named
        : others[Outbound.reachOf(destination.registry) ?? places.get(destination.registry) ?? "public"]
    )
    return ScopedHttpClient.make(
      HttpClient.transform(named, (_, request) =>
        Effect.flatMap(chosen, (client) => client.postprocess(Effect.succeed(request)))
      ),
      (request) => Effect.flatMap(chosen, (client) => client.executeScoped(request))
    )
  })
