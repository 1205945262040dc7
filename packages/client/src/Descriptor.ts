/**
 * Descriptors: pointers to content, with its media type, size and digest.
 *
 * @since 0.1.0
 */
import { descriptorFields } from "./internal/schema/descriptor.ts"
import { openStruct } from "./internal/schema/fields.ts"

/**
 * A pointer to a manifest or a blob.
 *
 * **Details**
 *
 * OCI image specification, descriptor.md, "Properties". Unknown fields are kept. An optional field that is `null`, an
 * empty text or an object without values is read as absent, because programs in Go write unset fields so. An annotation
 * that is `null` is absent as well. A media type or an artifact type that is only a word, such as `layer`, is kept: other
 * clients write and copy such content.
 *
 * Uploads return descriptors, and manifests contain them. Operations that take a blob accept a descriptor, and check
 * its size as well as its digest.
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
export const Descriptor = openStruct(descriptorFields)

export type Descriptor = typeof Descriptor.Type
