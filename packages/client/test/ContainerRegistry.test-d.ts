/**
 * The types of `ContainerRegistry`: arguments, results and errors of operations, and requirements of layers.
 */
import * as ContainerRegistry from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import type { Digest } from "../src/Digest.ts"
import type { ManifestProperties } from "../src/ManifestProperties.ts"
import type { Reference } from "../src/Reference.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import type { RepositoryName } from "../src/RepositoryName.ts"
import type { SoftDeletedManifest, SoftDeletedRepository, SoftDeletedTag } from "../src/SoftDeleted.ts"
import type { Tag } from "../src/Tag.ts"
import type { TagProperties } from "../src/TagProperties.ts"
import type { Transport } from "../src/Transport.ts"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import { expectTypeOf } from "vitest"

type Registry = ContainerRegistry.ContainerRegistry

declare const registry: Registry["Service"]
declare const name: RepositoryName
declare const tag: Tag
declare const digest: Digest

/* Lists */

expectTypeOf(registry.repositories()).toEqualTypeOf<Stream.Stream<RepositoryName, RegistryError>>()
expectTypeOf(registry.tags(name)).toEqualTypeOf<Stream.Stream<TagProperties, RegistryError>>()
expectTypeOf(registry.manifests(name)).toEqualTypeOf<Stream.Stream<ManifestProperties, RegistryError>>()

expectTypeOf(registry.deletedRepositories()).toEqualTypeOf<Stream.Stream<SoftDeletedRepository, RegistryError>>()
expectTypeOf(registry.deletedManifests(name)).toEqualTypeOf<Stream.Stream<SoftDeletedManifest, RegistryError>>()
expectTypeOf(registry.deletedTags(name)).toEqualTypeOf<Stream.Stream<SoftDeletedTag, RegistryError>>()

/*
 * Arguments are plain strings, and results may be passed as arguments
 */

expectTypeOf(registry.deleteTag("library/hello-world", "latest")).toEqualTypeOf<
  Effect.Effect<Option.Option<Digest>, RegistryError>
>()
expectTypeOf(registry.deleteManifest(name, tag)).toEqualTypeOf<Effect.Effect<Digest, RegistryError>>()
expectTypeOf(registry.deleteManifest(name, digest)).toEqualTypeOf<Effect.Effect<Digest, RegistryError>>()
expectTypeOf(registry.restoreManifest(name, digest, { tag, force: true })).toEqualTypeOf<
  Effect.Effect<ContainerRegistry.RestoredManifest, RegistryError>
>()
expectTypeOf(registry.reference(name, digest)).toEqualTypeOf<Effect.Effect<Reference, RegistryError>>()
expectTypeOf<RepositoryName>().toExtend<string>()
expectTypeOf<string>().not.toExtend<RepositoryName>()
expectTypeOf<Tag>().not.toExtend<Digest>()

/* Options */

export const accepted = [
  registry.tags(name, { orderBy: "newest", pageSize: 10, digest }),
  registry.tags(name, { pageSize: 10, continueFrom: tag, digest })
]

export const refused = [
  // @ts-expect-error a list by time does not continue from a tag
  registry.tags(name, { orderBy: "newest", continueFrom: tag }),
  // @ts-expect-error repositories come in alphabetical order
  registry.repositories({ orderBy: "newest" }),
  // @ts-expect-error a digest chooses among tags
  registry.manifests(name, { digest }),
  // @ts-expect-error an unused option is omitted, not undefined
  registry.manifests(name, { pageSize: undefined }),
  // @ts-expect-error there is no such attribute
  registry.updateTag(name, tag, { canWrit: false }),
  // @ts-expect-error only a manifest has the result of a scan
  registry.updateTag(name, tag, { quarantineState: "Passed" }),
  // @ts-expect-error a scanner passes a manifest or fails it
  registry.updateManifest(name, tag, { quarantineState: "passed" }),
  // @ts-expect-error the trash is listed from its beginning
  registry.deletedTags(name, { continueFrom: tag }),
  // @ts-expect-error a layer needs an endpoint
  ContainerRegistry.layer({}),
  // @ts-expect-error a config is for layerConfig
  ContainerRegistry.layer({ endpoint: Config.String("ACR") })
]

/* Layers */

const endpoint = "myregistry"

expectTypeOf(ContainerRegistry.layer({ endpoint })).toEqualTypeOf<
  Layer.Layer<Registry | Transport, RegistryError, HttpClient | Credentials.Credentials>
>()
expectTypeOf(ContainerRegistry.layerConfig({ endpoint: Config.String("ACR") })).toEqualTypeOf<
  Layer.Layer<Registry | Transport, RegistryError | Config.ConfigError, HttpClient | Credentials.Credentials>
>()
expectTypeOf(ContainerRegistry.layerTransport).toEqualTypeOf<Layer.Layer<Registry, never, Transport>>()

const provided = ContainerRegistry.layer({ endpoint }).pipe(
  Layer.provide(Credentials.layerAnonymous),
  Layer.provide(FetchHttpClient.layer)
)
expectTypeOf(provided).toEqualTypeOf<Layer.Layer<Registry | Transport, RegistryError>>()

const program = Effect.gen(function* () {
  const { loginServer } = yield* ContainerRegistry.ContainerRegistry
  return loginServer
})
expectTypeOf(program).toEqualTypeOf<Effect.Effect<string, never, Registry>>()
expectTypeOf(Effect.provide(program, provided)).toEqualTypeOf<Effect.Effect<string, RegistryError>>()
