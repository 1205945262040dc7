/**
 * Copies all tags of a repository from one registry to another, each with a login and tokens of its own.
 *
 * `SOURCE_REGISTRY_ENDPOINT` and `TARGET_REGISTRY_ENDPOINT` name the two, and the variables of their logins begin so too.
 * Each is an emulator where none is named.
 */
import {
  BlobSource,
  ContainerRegistry,
  type Descriptor,
  type Manifest,
  RegistryContent,
  type RegistryError
} from "@effect-acr/client"
import { NodeRuntime } from "@effect/platform-node"
import { Config, ConfigProvider, Console, Context, Effect, Layer, LayerMap, Stream } from "effect"
import { RegistryLive } from "./support/registry.ts"

/** Registries by name: a conversation is begun when it is first asked for, and shared from then on. */
class Registries extends LayerMap.Service<Registries>()("examples/Registries", {
  lookup: (name: "SOURCE" | "TARGET") =>
    // Fresh, or both names would share the one conversation that this layer stands for.
    Layer.fresh(RegistryLive).pipe(
      Layer.provide(
        ConfigProvider.layer(
          Effect.map(ConfigProvider.ConfigProvider, (provider) => ConfigProvider.nested(provider, name))
        )
      )
    )
}) {}

/** A repository of one of them. */
interface Place {
  readonly content: RegistryContent.RegistryContent["Service"]
  readonly repository: string
}

/** A blob that is there already is not sent, and a connection that breaks is no reason to begin anew. */
const copyBlob = (from: Place, to: Place, blob: Descriptor.Descriptor) =>
  to.content.uploadBlob(
    to.repository,
    BlobSource.fromRepeatableStream(from.content.blob(from.repository, blob), { sizeBytes: blob.size }),
    { digest: blob.digest }
  )

const referredTo = (manifest: Manifest.Manifest) => ({
  manifests: manifest._tag === "ImageIndex" ? manifest.manifests : [],
  blobs: manifest._tag === "ImageManifest" ? [manifest.config, ...manifest.layers] : []
})

/** Copies what a manifest refers to, then the manifest itself: registries take them in this order alone. */
const copyManifest = (
  from: Place,
  to: Place,
  reference: string,
  options: { readonly tag?: string } = {}
): Effect.Effect<void, RegistryError.RegistryError> =>
  Effect.gen(function* () {
    const { bytes, descriptor, manifest } = yield* from.content.manifest(from.repository, reference)
    const { blobs, manifests } = referredTo(manifest)
    yield* Effect.forEach(manifests, ({ digest }) => copyManifest(from, to, digest))
    yield* Effect.forEach(blobs, (blob) => copyBlob(from, to, blob), { concurrency: 4 })
    yield* to.content.putManifest(to.repository, bytes, { mediaType: descriptor.mediaType, ...options })
  })

export const copyBetweenRegistries = Effect.gen(function* () {
  const source = yield* Registries.contextEffect("SOURCE")
  const target = yield* Registries.contextEffect("TARGET")
  const { loginServer, tags } = Context.get(source, ContainerRegistry.ContainerRegistry)
  const mirror = Context.get(target, ContainerRegistry.ContainerRegistry).loginServer
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const from = { content: Context.get(source, RegistryContent.RegistryContent), repository }
  const to = { content: Context.get(target, RegistryContent.RegistryContent), repository: `mirror/${repository}` }

  yield* tags(repository).pipe(
    Stream.runForEach(({ name }) =>
      Effect.andThen(
        copyManifest(from, to, name, { tag: name }),
        Console.log(`${loginServer}/${repository}:${name} → ${mirror}/${to.repository}:${name}`)
      )
    )
  )
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(copyBetweenRegistries)
