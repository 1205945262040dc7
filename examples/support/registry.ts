/**
 * The registry that an example talks to: the one that `REGISTRY_ENDPOINT` names, or an emulator that is started for it.
 */
import { AzureCredentials } from "@effect-acr/azure-identity"
import { Credentials, Registry } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeCompression, NodeRegistryHttpClient } from "@effect-acr/node"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Effect, Layer, Option, Stdio } from "effect"
import { contoso } from "./contoso.ts"

/** An emulator with something in it. */
export const EmulatorLive = Layer.effectDiscard(contoso).pipe(
  Layer.provideMerge(AcrEmulator.layer({ anonymousPull: true, softDelete: {} }))
)

/** `REGISTRY_USERNAME` with `REGISTRY_PASSWORD`, or the login of Azure, or anonymous. */
const CredentialsLive = Credentials.layerConfig().pipe(
  Credentials.orElse(AzureCredentials.layerDefault),
  Credentials.orElse(Credentials.layerAnonymous)
)

/** The registry of the user's own, with the given credentials. */
const ownRegistry = <E>(credentials: Layer.Layer<Credentials.Credentials, E>) =>
  Registry.layerConfig().pipe(Layer.provide([credentials, NodeRegistryHttpClient.layer]))

/** Whether the user named a registry. */
export const isOwnRegistry = Effect.map(Config.option(Config.String("REGISTRY_ENDPOINT")), Option.isSome)

const ownOr = <A, Own, Emulated>(own: Layer.Layer<A, Own>, emulated: Layer.Layer<A, Emulated>) =>
  Layer.unwrap(Effect.map(isOwnRegistry, (isOwn): Layer.Layer<A, Own | Emulated> => (isOwn ? own : emulated)))

/** The registry, with the rights to change it. */
export const RegistryLive = ownOr(
  ownRegistry(CredentialsLive),
  AcrEmulator.layerRegistry().pipe(Layer.provide(EmulatorLive))
)

/** The registry that images are copied to. Its emulator is empty, so that there is something to send. */
export const TargetRegistryLive = ownOr(
  ownRegistry(CredentialsLive),
  AcrEmulator.layerRegistry().pipe(Layer.provide(AcrEmulator.layer()))
)

/** The registry for an anonymous caller. */
export const AnonymousRegistryLive = ownOr(
  ownRegistry(Credentials.layerAnonymous),
  AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }).pipe(Layer.provide(EmulatorLive))
)

/** What examples have beside a registry: files, compression, and the arguments of the command line. */
export const PlatformLive = Layer.merge(NodeServices.layer, NodeCompression.layer)

/** An example. */
export type Program = Effect.Effect<void, unknown, Layer.Success<typeof RegistryLive | typeof PlatformLive>>

/** Gives an example other arguments than those of the command line. */
export const withArguments = (program: Program, args: ReadonlyArray<string>): Program =>
  Effect.updateService(program, Stdio.Stdio, (stdio) => ({ ...stdio, args: Effect.succeed(args) }))

/** Runs an example on its own. */
export const run = (program: Program, registry: typeof RegistryLive): void =>
  NodeRuntime.runMain(Effect.provide(program, [registry, PlatformLive]))
