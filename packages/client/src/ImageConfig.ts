/**
 * Image configurations: how a container runs an image.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import { list, openStruct, optional } from "./internal/schema/json.ts"
import { parser } from "./internal/schema/parser.ts"

const strings = Schema.Array(Schema.String)

/**
 * The defaults with which a container starts.
 *
 * **Details**
 *
 * OCI image specification, config.md, "config". The names are the specification's own, capitals included.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ContainerConfig = openStruct({
  User: optional(Schema.String),
  ExposedPorts: optional(Schema.Record(Schema.String, Schema.Unknown)),
  Env: optional(strings),
  Entrypoint: optional(strings),
  Cmd: optional(strings),
  Volumes: optional(Schema.Record(Schema.String, Schema.Unknown)),
  WorkingDir: optional(Schema.String),
  Labels: optional(Schema.Record(Schema.String, Schema.String)),
  StopSignal: optional(Schema.String)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ContainerConfig = typeof ContainerConfig.Type

/**
 * One step in the making of an image.
 *
 * **Details**
 *
 * OCI image specification, config.md, "history".
 *
 * @category schemas
 * @since 0.1.0
 */
export const History = openStruct({
  created: optional(Schema.String),
  created_by: optional(Schema.String),
  author: optional(Schema.String),
  comment: optional(Schema.String),
  empty_layer: optional(Schema.Boolean)
})

/**
 * @category models
 * @since 0.1.0
 */
export type History = typeof History.Type

/**
 * The configuration of an image.
 *
 * **Details**
 *
 * OCI image specification, config.md. `rootfs.diff_ids` are the digests of the uncompressed layers, first to last.
 * Fields that are unknown today are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageConfig = openStruct({
  architecture: Schema.String,
  os: Schema.String,
  "os.version": optional(Schema.String),
  "os.features": optional(strings),
  variant: optional(Schema.String),
  created: optional(Schema.String),
  author: optional(Schema.String),
  config: optional(ContainerConfig),
  rootfs: openStruct({ type: Schema.Literal("layers"), diff_ids: list(Digest.Digest) }),
  history: list(History)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ImageConfig = typeof ImageConfig.Type

/**
 * An image configuration as JSON text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageConfigFromJson = Schema.fromJsonString(ImageConfig)

/**
 * Reads an image configuration from JSON text.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<ImageConfig, Schema.SchemaError> = parser(ImageConfigFromJson)

/**
 * Writes an image configuration as compact JSON.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format: (config: ImageConfig) => string = Schema.encodeSync(ImageConfigFromJson)
