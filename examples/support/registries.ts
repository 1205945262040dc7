/**
 * Two registries at once, each with a login and tokens of its own.
 *
 * `SOURCE_REGISTRY_ENDPOINT` and `TARGET_REGISTRY_ENDPOINT` name the two, and the variables of their logins begin so too.
 * Without a name, each is an emulator: the source is filled, the target is empty.
 */
import { RegistryContent } from "@effect-acr/client"
import { ConfigProvider, Context, Effect, Layer, LayerMap } from "effect"
import { RegistryLive, TargetRegistryLive } from "./registry.ts"
import { repositoryOf } from "./repositories.ts"

/** Registries by name: each is built at its first use, and shared from then on. */
export class Registries extends LayerMap.Service<Registries>()("examples/Registries", {
  lookup: (name: "SOURCE" | "TARGET") =>
    // Fresh, or both names would share the one registry that this layer builds.
    Layer.fresh(name === "SOURCE" ? RegistryLive : TargetRegistryLive).pipe(
      Layer.provide(
        ConfigProvider.layer(
          Effect.map(ConfigProvider.ConfigProvider, (provider) => ConfigProvider.nested(provider, name))
        )
      )
    )
}) {}

/** A repository of one of them. */
export const repositoryIn = (name: "SOURCE" | "TARGET", repository: string) =>
  Effect.flatMap(Registries.contextEffect(name), (context) =>
    repositoryOf(Context.get(context, RegistryContent.RegistryContent), repository)
  )
