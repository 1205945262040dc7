/**
 * Sweeps the previews of a repository once: a step of a pipeline, or a job that runs each night.
 */
import { AzureCredentials } from "@effect-acr/azure-identity"
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Stream } from "effect"
import * as Previews from "./Previews.ts"
import * as PullRequests from "./PullRequests.ts"

const program = Effect.gen(function* () {
  const previews = yield* Previews.Previews
  const repository = yield* Config.String("REPOSITORY")
  yield* previews
    .sweep(repository)
    .pipe(Stream.runForEach(({ became, tags }) => Console.log(`${repository}: ${tags.join(", ")} ${became}`)))
})

const Live = Previews.layer.pipe(
  Layer.provide([ContainerRegistry.layerConfig(), PullRequests.layerGitHub]),
  Layer.provide(Credentials.layerConfig().pipe(Credentials.orElse(AzureCredentials.layerDefault))),
  Layer.provide(NodeRegistryHttpClient.layer)
)

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
