/**
 * Descriptors: typed, sized and digested pointers to content.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import { openStruct, optional, optionalStruct, texts } from "./internal/schema/json.ts"
import * as MediaType from "./MediaType.ts"
import * as Platform from "./Platform.ts"

/**
 * A pointer to a manifest or a blob.
 *
 * **Details**
 *
 * OCI image specification, descriptor.md, "Properties". Fields that are unknown today are kept. An optional field that is
 * `null`, an empty text or an object without values is absent, as programs in Go mean it, and so is an annotation that is
 * `null`.
 *
 * Uploading gives descriptors and manifests hold them; wherever a blob is wanted one may stand, and its size is checked
 * along with its digest.
 *
 * **Example** (Pulling the layers of an image)
 *
 * ```ts
 * import { RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const pull = Effect.gen(function* () {
 *   const content = yield* RegistryContent.RegistryContent
 *   const { manifest } = yield* content.manifest("library/alpine", "3.20")
 *   if (manifest._tag !== "ImageManifest") return
 *   for (const [index, layer] of manifest.layers.entries()) {
 *     yield* content.downloadBlob("library/alpine", layer, `layer-${index}.tar.gz`)
 *   }
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Descriptor = openStruct({
  /** What the content is. It may have parameters, as its author wrote it. */
  mediaType: MediaType.MediaType,
  /** The name of the content. */
  digest: Digest.Digest,
  /** The size of the content, in bytes. */
  size: Schema.Natural,
  /** Where else the content may be had. This library does not go there. */
  urls: optional(Schema.Array(Schema.String)),
  /** Labels. */
  annotations: optional(texts),
  /** The content itself in base64, where the author chose to embed it. */
  data: optional(Schema.String),
  /** What it runs on; in an index only. */
  platform: optionalStruct(Platform.Platform),
  /** What kind of artifact it points to. */
  artifactType: optional(MediaType.MediaType)
})

/**
 * A pointer to a manifest or a blob, read.
 *
 * @category models
 * @since 0.1.0
 */
export type Descriptor = typeof Descriptor.Type
