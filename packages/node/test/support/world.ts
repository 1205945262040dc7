/**
 * A program for a network namespace, in which every address is an address of this machine: machines out there, in the
 * private network, and the metadata service. Plays the scenarios of its argument and prints their results.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeRegistryHttpClient from "../../src/NodeRegistryHttpClient.ts"
import { resolving } from "./resolver.ts"
import { type Happened, type Machine, readScenarios, type Scenario, writeHappened } from "./scenario.ts"

const digest = `sha256:${"0".repeat(64)}`

/** Which machine was dialled. */
const dialledBy = ({ localAddress = "", localPort = 0 }: Socket) => {
  const address = localAddress.replace("::ffff:", "")
  return { address, place: localPort === 80 ? address : `${address} port ${localPort}` }
}

/** Plays the machines of the scenario on two ports of every address, until the scope closes. Returns the dials. */
const listening = (machines: { readonly [address: string]: Machine }) =>
  Effect.gen(function* () {
    const dialled: Array<string> = []
    const asked = new Map<string, number>()

    const answer = (request: IncomingMessage, response: ServerResponse) => {
      const { address } = dialledBy(request.socket)
      const machine = machines[address] ?? {}
      const count = (asked.get(address) ?? 0) + 1
      asked.set(address, count)
      if (machine.answers !== undefined && count > machine.answers) return
      const leads = machine.leadsTo !== undefined && request.url?.startsWith("/v2/") === true
      response
        .writeHead(leads ? 307 : 200, {
          connection: machine.answers === undefined ? "close" : "keep-alive",
          ...(leads ? { location: machine.leadsTo } : {})
        })
        .end("inside")
    }

    for (const port of [80, 8080]) {
      yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer(answer)
          server.on("connection", (socket) => dialled.push(dialledBy(socket).place))
          server.listen(port, "::", () => resume(Effect.succeed(server)))
        }),
        (server) =>
          Effect.callback<void>((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
      )
    }
    return dialled
  })

/** The result of a download. No server has the blob, so all of them fail. */
const download = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const { reason } = yield* Effect.flip(content.blobBytes("alpine", digest))
  return reason._tag === "Refused" ? `Refused: ${reason.message}` : reason._tag
})

const play = (scenario: Scenario): Effect.Effect<Happened> =>
  Effect.gen(function* () {
    const dialled = yield* listening(scenario.machines)
    yield* resolving(scenario.names)
    const outcomes = yield* Effect.forEach(scenario.downloads, (atOnce) =>
      Effect.all(
        Array.from({ length: atOnce }, () => download),
        { concurrency: "unbounded" }
      )
    ).pipe(
      Effect.provide(
        RegistryContent.layer({
          endpoint: scenario.endpoint,
          allowInsecureHttp: true,
          retry: RetryPolicy.never,
          ...scenario.options
        }).pipe(Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layerOptions({ proxy: "none" })]))
      ),
      // Only a guard that fails gets here.
      Effect.timeoutOption("15 seconds"),
      Effect.map(Option.getOrElse(() => [["hangs"]]))
    )
    return { outcomes: outcomes.flat(), dialled: [...dialled] }
  }).pipe(Effect.scoped, Effect.orDie)

readScenarios(process.argv[2] ?? "").pipe(
  Effect.flatMap(Effect.forEach(play)),
  Effect.flatMap(writeHappened),
  Effect.flatMap(Console.log),
  NodeRuntime.runMain
)
