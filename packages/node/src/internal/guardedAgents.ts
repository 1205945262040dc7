/**
 * Agents that connect only where a request may go.
 *
 * The rules are those of `Outbound.mayConnect`. What they need is known here alone: the address at the other end of each
 * connection, and so where each registry is.
 */
import * as Outbound from "@effect-acr/client/Outbound"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
import { Agent, type buildConnector, Pool } from "undici/index.js"
import * as Dial from "./dial.ts"
import * as Places from "./places.ts"
import * as UndiciClient from "./undiciClient.ts"

export interface Options extends Omit<Pool.Options, "connect"> {
  readonly connect?: buildConnector.BuildOptions
}

/** Makes an HTTP client whose connections to each origin pass a gate. */
const gated = ({ connect, ...options }: Options, gateTo: (origin: string) => Dial.Gate) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(
        () =>
          new Agent({
            ...options,
            factory: (origin) =>
              new Pool(origin, {
                ...options,
                connect: Dial.through(gateTo(String(origin)), { allowH2: options.allowH2 ?? false, ...connect })
              })
          })
      ),
      (agent) => Effect.promise(() => agent.destroy())
    ),
    UndiciClient.make
  )

/** A gate for one relation. `known` returns where the registry counts as being at the time. */
const gate = (
  relation: Outbound.Relation,
  known: () => Outbound.Reach | undefined,
  onConnected: Dial.Gate["onConnected"] = () => {}
): Dial.Gate => ({
  allows: (reach) => Outbound.mayConnect(relation, known(), reach),
  why: () =>
    relation === "registry"
      ? `but the registry was reached at a ${known()} one before`
      : "and the registry is not there",
  onConnected
})

/**
 * Makes an HTTP client with an agent for each relation that a target can have to a registry; for targets to which a
 * registry leads, one for each place where the registry can be.
 *
 * They are apart, or a connection that one registry was allowed would serve another that is not.
 */
export const make = (options: Options): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const places = Places.make()

    const registry = yield* gated(options, (origin) =>
      gate(
        "registry",
        () => places.of(origin),
        (reach, connection) => places.reached(origin, reach, connection)
      )
    )
    // A registry whose host the user has allowed may be anywhere, but still leads only where it is.
    const named = yield* gated(options, (origin) =>
      gate(
        "named",
        () => places.of(origin),
        (reach) => places.reached(origin, reach)
      )
    )
    const ledFrom = (place: Outbound.Reach) => gated(options, () => gate("other", () => place))
    const led = {
      public: yield* ledFrom("public"),
      private: yield* ledFrom("private"),
      "link-local": yield* ledFrom("link-local"),
      loopback: yield* ledFrom("loopback")
    }
    // Requests that are not of this library go where the program says.
    const free = yield* gated(options, () => gate("named", () => undefined))

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
