/**
 * The work of a process in its cluster: alone, or with others that it reaches by HTTP.
 */
import * as NodeClusterHttp from "@effect/platform-node/NodeClusterHttp"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpRunner from "effect/cluster/HttpRunner"
import type * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as RunnerServer from "effect/cluster/RunnerServer"
import * as Runners from "effect/cluster/Runners"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import { type Options, settingsOf } from "./options.ts"

/**
 * The messages to other processes. The connection to one that hangs, or whose machine or network is gone, stays open. Once it no
 * longer belongs to the cluster, others do what it was asked, and the answer is in the database.
 */
const runners = Layer.effect(
  Runners.Runners,
  Effect.map(Runners.Runners, (reached) => {
    const departures = new Map<string, Deferred.Deferred<void>>()
    const departureOf = (address: RunnerAddress.RunnerAddress) => {
      const departure = departures.get(String(address)) ?? Deferred.makeUnsafe<void>()
      departures.set(String(address), departure)
      return departure
    }
    return Runners.Runners.of({
      ...reached,
      notify: (options) =>
        Option.match(options.address, {
          onNone: () => reached.notify(options),
          onSome: (address) =>
            Effect.raceFirst(
              Effect.as(reached.notify(options), true),
              Effect.as(Deferred.await(departureOf(address)), false)
            ).pipe(
              Effect.flatMap((isAnswered) =>
                isAnswered ? Effect.void : reached.notify({ ...options, address: Option.none() })
              )
            )
        }),
      onRunnerUnavailable: (address) =>
        Effect.andThen(
          reached.onRunnerUnavailable(address),
          Effect.suspend(() => {
            const departure = departureOf(address)
            departures.delete(String(address))
            return Deferred.succeed(departure, undefined)
          })
        )
    })
  })
).pipe(Layer.provide(Runners.layerRpc))

/** Processes that communicate by HTTP. A process that cannot be reached finds its messages in the database. */
const together = HttpRouter.serve(
  RunnerServer.layer.pipe(
    Layer.provideMerge(Sharding.layer),
    Layer.provideMerge(runners),
    Layer.provide(RpcServer.layerProtocolHttp({ path: "/" }))
  ),
  { disableLogger: true, disableListenLog: true }
).pipe(
  Layer.provide(HttpRunner.layerClientProtocolHttpDefault),
  Layer.provide([NodeClusterHttp.layerHttpServer, NodeHttpClient.layerUndici, RpcSerialization.layerSchemaBinary()])
)

const alone = Sharding.layer.pipe(Layer.provideMerge(Runners.layerNoop))

export const shardingOf = (options: Options) =>
  (options.process._tag === "Alone" ? alone : together).pipe(
    // An expired lock shows that its process was killed.
    Layer.provide([RunnerHealth.layerNoop, ShardingConfig.layerFromEnv(settingsOf(options))])
  )
