/**
 * The types of `RegistryContent`: arguments, results and errors of operations, and requirements of layers.
 */
import * as Config from "effect/Config"
import type * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { HttpClient } from "effect/http/HttpClient"
import { expectTypeOf } from "vitest"
import * as BlobSource from "../src/BlobSource.ts"
import type * as ContainerRegistry from "../src/ContainerRegistry.ts"
import type { Credentials } from "../src/Credentials.ts"
import type { Descriptor } from "../src/Descriptor.ts"
import type { Digest } from "../src/Digest.ts"
import type { ImageConfig } from "../src/ImageConfig.ts"
import * as Manifest from "../src/Manifest.ts"
import type { MediaType } from "../src/MediaType.ts"
import * as Platform from "../src/Platform.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import * as Registry from "../src/Registry.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import type { Tag } from "../src/Tag.ts"
import type { Transport } from "../src/Transport.ts"

type Content = RegistryContent.RegistryContent

declare const content: Content["Service"]
declare const descriptor: Descriptor
declare const digest: Digest

/* Downloads */

expectTypeOf(content.tags("hello")).toEqualTypeOf<Stream.Stream<Tag, RegistryError>>()
expectTypeOf(content.blob("hello", digest)).toEqualTypeOf<Stream.Stream<Uint8Array, RegistryError>>()
expectTypeOf(content.blob("hello", descriptor)).toEqualTypeOf<Stream.Stream<Uint8Array, RegistryError>>()
expectTypeOf(content.blobBytes("hello", "sha256:0")).toEqualTypeOf<Effect.Effect<Uint8Array, RegistryError>>()
expectTypeOf(content.downloadBlob("hello", descriptor, "layer.tar")).toEqualTypeOf<
  Effect.Effect<void, RegistryError | PlatformError, FileSystem>
>()

/*
 * Uploads have the requirements and errors of their source
 */

expectTypeOf(content.uploadBlob("hello", BlobSource.fromString("{}"))).toEqualTypeOf<
  Effect.Effect<Descriptor, RegistryError>
>()
expectTypeOf(content.uploadBlob("hello", BlobSource.fromFile("layer.tar"))).toEqualTypeOf<
  Effect.Effect<Descriptor, RegistryError | PlatformError, FileSystem>
>()

declare const output: Stream.Stream<Uint8Array, "broken", HttpClient>

expectTypeOf(content.uploadBlob("hello", BlobSource.fromStream(output))).toEqualTypeOf<
  Effect.Effect<Descriptor, RegistryError | "broken", HttpClient>
>()

expectTypeOf(content.putBlob("hello", descriptor, BlobSource.fromStream(output))).toEqualTypeOf<
  Effect.Effect<"present" | "mounted" | "sent", RegistryError | "broken", HttpClient>
>()

/* Options that exclude each other */

const bytes = BlobSource.fromString("{}")

export const accepted = [
  content.uploadBlob("hello", bytes, { digest, mountFrom: "other", mediaType: "text/plain" }),
  content.uploadBlob("hello", bytes, { algorithm: "sha512", chunkSize: 1024 })
]

export const refused = [
  // @ts-expect-error only a blob whose digest is known can be mounted
  content.uploadBlob("hello", bytes, { mountFrom: "other" }),
  // @ts-expect-error a digest includes its algorithm
  content.uploadBlob("hello", bytes, { digest, algorithm: "sha512" }),
  // @ts-expect-error there is no such algorithm
  content.uploadBlob("hello", bytes, { algorithm: "md5" }),
  // @ts-expect-error a stream holds bytes
  content.uploadBlob("hello", BlobSource.fromStream(Stream.make("text"))),
  // @ts-expect-error an unknown manifest cannot be serialized
  content.putManifest("hello", Manifest.UnknownManifest.make({ mediaType: descriptor.mediaType })),
  // @ts-expect-error the range needs both ends
  content.blobRange("hello", digest, { offset: 1 })
]

/* Images by platform */

expectTypeOf(content.image("hello", "v1")).toEqualTypeOf<Effect.Effect<RegistryContent.Image, RegistryError>>()
expectTypeOf(content.image("hello", digest, { platform: "linux/arm64" })).toEqualTypeOf<
  Effect.Effect<RegistryContent.Image, RegistryError>
>()

export const platforms = [
  content.image("hello", "v1", { platform: { os: "windows", architecture: "amd64", "os.version": "10.0.17763" } }),
  // @ts-expect-error a platform has an operating system
  content.image("hello", "v1", { platform: { architecture: "amd64" } })
]

expectTypeOf<RegistryContent.Image["manifest"]>().toEqualTypeOf<Manifest.ImageManifest>()
expectTypeOf<RegistryContent.Image["config"]>().toEqualTypeOf<ImageConfig>()

declare const index: Manifest.ImageIndex
declare const wanted: Platform.Platform

expectTypeOf(Platform.bestMatch(index.manifests, wanted)).toEqualTypeOf<Option.Option<Descriptor>>()
expectTypeOf(Platform.bestMatch(wanted)(index.manifests)).toEqualTypeOf<Option.Option<Descriptor>>()
expectTypeOf(index.manifests.flatMap(({ platform }) => platform ?? []).some(Platform.matches(wanted))).toBeBoolean()

/*
 * Manifests are distinguished by their tag
 */

declare const pulled: Manifest.Content

expectTypeOf(pulled.bytes).toEqualTypeOf<Uint8Array>()
expectTypeOf(pulled.manifest._tag).toEqualTypeOf<"ImageManifest" | "ImageIndex" | "UnknownManifest">()
// @ts-expect-error not every manifest has layers
export const layers = pulled.manifest.layers

/** A switch over all manifests needs no default. */
export const partsOf = ({ manifest }: Manifest.Content): ReadonlyArray<Descriptor> => {
  switch (manifest._tag) {
    case "ImageManifest":
      expectTypeOf(manifest.config).toEqualTypeOf<Descriptor>()
      return manifest.layers
    case "ImageIndex":
      expectTypeOf(manifest.manifests).toEqualTypeOf<ReadonlyArray<Descriptor>>()
      return manifest.manifests
    case "UnknownManifest":
      expectTypeOf(manifest.mediaType).toEqualTypeOf<MediaType>()
      return []
  }
}

/*
 * A manifest is made of the results of uploads
 */

expectTypeOf(Manifest.image({ config: descriptor, layers: [descriptor] })).toEqualTypeOf<Manifest.ImageManifest>()
expectTypeOf(content.putManifest("hello", Manifest.index({ manifests: [descriptor] }))).toEqualTypeOf<
  Effect.Effect<RegistryContent.PutManifestResult, RegistryError>
>()

/* Layers */

const endpoint = "myregistry"

expectTypeOf(RegistryContent.layer({ endpoint, idleTimeout: "10 seconds" })).toEqualTypeOf<
  Layer.Layer<Content | Transport, RegistryError, HttpClient | Credentials>
>()
expectTypeOf(RegistryContent.layerConfig({ endpoint: Config.String("ACR") })).toEqualTypeOf<
  Layer.Layer<Content | Transport, RegistryError | Config.ConfigError, HttpClient | Credentials>
>()
expectTypeOf(RegistryContent.layerTransport()).toEqualTypeOf<Layer.Layer<Content, never, Transport>>()

// Both services on one transport.
type Both = Content | ContainerRegistry.ContainerRegistry | Transport
expectTypeOf(Registry.layer({ endpoint, idleTimeout: "10 seconds" })).toEqualTypeOf<
  Layer.Layer<Both, RegistryError, HttpClient | Credentials>
>()
expectTypeOf(Registry.layerConfig({ idleTimeout: "10 seconds" })).toEqualTypeOf<
  Layer.Layer<Both, RegistryError | Config.ConfigError, HttpClient | Credentials>
>()
