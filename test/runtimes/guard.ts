/**
 * A request on behalf of a registry out there, to a name that leads to this machine. Prints what comes of it.
 * Arguments: a port of this machine.
 */
import { Outbound } from "@effect-acr/client/Runtime"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"

const [, , port = ""] = process.argv

HttpClient.get(`http://localhost:${port}/`).pipe(
  Effect.provideService(Outbound.CurrentDestination, { registry: "https://registry.example", relation: "other" }),
  Effect.match({ onSuccess: ({ status }) => `answered ${status}`, onFailure: ({ cause }) => String(cause) }),
  Effect.flatMap(Console.log),
  Effect.provide(NodeRegistryHttpClient.layer),
  NodeRuntime.runMain
)
