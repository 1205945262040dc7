/**
 * A text becomes a noun when it is parsed or checked by a guard; a noun is always a text.
 */
import type * as DateTime from "effect/DateTime"
import type * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import type * as Descriptor from "../src/Descriptor.ts"
import * as Digest from "../src/Digest.ts"
import type * as ImageConfig from "../src/ImageConfig.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import * as Platform from "../src/Platform.ts"
import * as Reference from "../src/Reference.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import type { TagProperties } from "../src/TagProperties.ts"

type Read<A> = Result.Result<A, Schema.SchemaError>

expectTypeOf(Digest.parse("")).toEqualTypeOf<Read<Digest.Digest>>()
expectTypeOf(Tag.parse("")).toEqualTypeOf<Read<Tag.Tag>>()
expectTypeOf(RepositoryName.parse("")).toEqualTypeOf<Read<RepositoryName.RepositoryName>>()
expectTypeOf(MediaType.parse("")).toEqualTypeOf<Read<MediaType.MediaType>>()
expectTypeOf(Reference.parse("")).toEqualTypeOf<Read<Reference.Reference>>()
expectTypeOf(Platform.parse("")).toEqualTypeOf<Read<Platform.Platform>>()

export const algorithmOf = (text: string): Digest.Algorithm | undefined => {
  // @ts-expect-error it was not checked
  Digest.algorithm(text)
  return Digest.isDigest(text) ? Digest.algorithm(text) : undefined
}

declare const reference: Reference.Reference
declare const descriptor: Descriptor.Descriptor
declare const properties: TagProperties

expectTypeOf(reference.tag).toEqualTypeOf<Tag.Tag | undefined>()
expectTypeOf(reference.digest).toEqualTypeOf<Digest.Digest | undefined>()
expectTypeOf(descriptor.size).toBeNumber()
expectTypeOf(descriptor.platform).toEqualTypeOf<Platform.Platform | undefined>()
expectTypeOf(descriptor.annotations?.["org.opencontainers.image.title"]).toEqualTypeOf<string | undefined>()
expectTypeOf(properties.lastUpdatedOn).toEqualTypeOf<DateTime.Utc>()
expectTypeOf(properties.canDelete).toBeBoolean()
expectTypeOf([Tag.Tag.make("latest")].map(String)).toEqualTypeOf<Array<string>>()

/*
 * Values that are written by hand have no misspelt fields
 */

const layer = { mediaType: descriptor.mediaType, digest: descriptor.digest, size: 2 }

export const written = [
  Manifest.image({ config: descriptor, layers: [{ ...layer, annotations: { "any.key": "is fine" } }] }),
  // Values that were read may be written again, with unknown fields.
  Manifest.image({ config: descriptor, layers: [descriptor] })
]

export const misspelt = [
  // @ts-expect-error an image has no `layerz`
  Manifest.image({ config: descriptor, layers: [], layerz: [] }),
  // @ts-expect-error it is spelt `annotations`
  Manifest.image({ config: descriptor, layers: [], anotations: {} }),
  // @ts-expect-error it is spelt `annotations`, in a config too
  Manifest.image({ config: { ...layer, anotations: {} }, layers: [] }),
  // @ts-expect-error a layer states its length in `size`
  Manifest.image({ config: descriptor, layers: [{ ...layer, sizeInBytes: 2 }] }),
  // @ts-expect-error the value of an annotation is a text
  Manifest.image({ config: descriptor, layers: [], annotations: { "a.key": 7 } }),
  // @ts-expect-error it is spelt `platform`
  Manifest.index({ manifests: [{ ...layer, platfrom: { os: "linux", architecture: "arm64" } }] }),
  // @ts-expect-error it is spelt `variant`
  Manifest.index({ manifests: [{ ...layer, platform: { os: "linux", architecture: "arm64", varient: "v8" } }] })
]

// @ts-expect-error it is spelt `annotations`
export const misspeltDescriptor: Descriptor.Descriptor = { ...layer, anotations: {} }
// @ts-expect-error it is spelt `variant`
export const misspeltPlatform: Platform.Platform = { os: "linux", architecture: "arm64", varient: "v8" }
export const misspeltConfig: ImageConfig.ImageConfig = {
  os: "linux",
  architecture: "arm64",
  rootfs: { type: "layers", diff_ids: [] },
  // @ts-expect-error it is spelt `Entrypoint`
  config: { Entrypiont: ["sh"] }
}
