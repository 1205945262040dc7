/**
 * Descriptors: typed, sized and digested pointers to content.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Annotations from "./Annotations.ts"
import * as Digest from "./Digest.ts"
import { openStruct, optional } from "./internal/schema/json.ts"
import * as MediaType from "./MediaType.ts"
import * as Platform from "./Platform.ts"

/**
 * A pointer to a manifest or a blob.
 *
 * **Details**
 *
 * OCI image specification, descriptor.md. `size` is in bytes. `data` is the content itself in base64, where the author
 * chose to embed it. Fields that are unknown today are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Descriptor = openStruct({
  mediaType: MediaType.MediaType,
  digest: Digest.Digest,
  size: Schema.Natural,
  urls: optional(Schema.Array(Schema.String)),
  annotations: optional(Annotations.Annotations),
  data: optional(Schema.String),
  platform: optional(Platform.Platform),
  artifactType: optional(MediaType.MediaType)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Descriptor = typeof Descriptor.Type
