/**
 * The fields of a descriptor: OCI image specification, descriptor.md, "Properties".
 */
import * as Schema from "effect/Schema"
import * as Digest from "../../Digest.ts"
import * as Platform from "../../Platform.ts"
import { optional, optionalStruct, texts } from "./fields.ts"
import { StatedType } from "./statedType.ts"

export const descriptorFields = {
  /** The media type of the content, with any parameters that its author wrote. */
  mediaType: StatedType,
  /** The digest of the content. */
  digest: Digest.Digest,
  /** The size of the content, in bytes. */
  size: Schema.Natural,
  /** Other addresses of the content. This library does not use them. */
  urls: optional(Schema.Array(Schema.String)),
  /** Labels. */
  annotations: optional(texts),
  /** The content itself in base64, if the author embedded it. */
  data: optional(Schema.String),
  /** The platform that the image runs on. Only in an index. */
  platform: optionalStruct(Platform.Platform),
  /** The type of the artifact that it points to. */
  artifactType: optional(StatedType)
}
