/**
 * Image configurations: how a container runs an image.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import { fromJson, list, openStruct, optional, text, texts, withFallback } from "./internal/schema/json.ts"
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
  /** The user, and perhaps the group, that the process runs as: `user`, `uid`, `user:group` or `uid:gid`. */
  User: optional(Schema.String),
  /** The ports that it listens on, as keys: `8080`, `8080/tcp`, `53/udp`. */
  ExposedPorts: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** Its environment, each as `NAME=value`. */
  Env: optional(strings),
  /** The command, word by word, before the arguments. */
  Entrypoint: optional(strings),
  /** The arguments of `Entrypoint`; without that, the command itself. */
  Cmd: optional(strings),
  /** The folders that it writes data to, as keys. */
  Volumes: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** The folder in which the command starts. */
  WorkingDir: optional(Schema.String),
  /** Labels of the container. */
  Labels: optional(texts),
  /** The signal that asks it to stop: `SIGTERM`, `SIGRTMIN+3`. */
  StopSignal: optional(Schema.String)
})

/**
 * The defaults with which the containers of one image start.
 *
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
  /** When it was done, as in RFC 3339. */
  created: optional(Schema.String),
  /** The command that did it. */
  created_by: optional(Schema.String),
  /** Who did it. */
  author: optional(Schema.String),
  /** A remark. */
  comment: optional(Schema.String),
  /** Whether it left no layer: a step that only changed the configuration. */
  empty_layer: optional(Schema.Boolean)
})

/**
 * One step in the making of one image.
 *
 * @category models
 * @since 0.1.0
 */
export type History = typeof History.Type

/**
 * The configuration of an image.
 *
 * **Details**
 *
 * OCI image specification, config.md, "Properties". Fields that are unknown today are kept. An optional field that is
 * `null` or an empty text is absent. Of an image that does not name its platform, as an artifact need not, `architecture`
 * and `os` are empty texts; without a `rootfs` it has no layers.
 *
 * **Example** (Reading the configuration of an image)
 *
 * ```ts
 * import { ImageConfig, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const readConfig = Effect.gen(function* () {
 *   const content = yield* RegistryContent.RegistryContent
 *   const { manifest } = yield* content.manifest("library/alpine", "3.20")
 *   if (manifest._tag !== "ImageManifest") return
 *   const bytes = yield* content.blobBytes("library/alpine", manifest.config)
 *   return yield* Effect.fromResult(ImageConfig.parse(new TextDecoder().decode(bytes)))
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageConfig = openStruct({
  /** The processor that it is for, as Go's `GOARCH`. */
  architecture: text,
  /** The operating system that it is for, as Go's `GOOS`. */
  os: text,
  /** The version of the operating system: of Windows, `10.0.14393.1066`. */
  "os.version": optional(Schema.String),
  /** What the operating system must have: of Windows, `win32k`. */
  "os.features": optional(strings),
  /** The variant of the processor: of ARM, `v7` or `v8`. */
  variant: optional(Schema.String),
  /** When the image was made, as in RFC 3339. */
  created: optional(Schema.String),
  /** Who made the image. */
  author: optional(Schema.String),
  /** The defaults with which a container starts. */
  config: optional(ContainerConfig),
  /** The digests of the layers before they were compressed, first to last (`diff_ids`). */
  rootfs: withFallback(
    openStruct({ type: withFallback(Schema.Literal("layers"), "layers"), diff_ids: list(Digest.Digest) }),
    {}
  ),
  /** How the image was made, first step to last; empty if it does not say. */
  history: list(History)
})

/**
 * The configuration of one image, read.
 *
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
export const ImageConfigFromJson = fromJson(ImageConfig)

/**
 * Reads an image configuration from JSON text. Fails with a `SchemaError` that says what was expected.
 *
 * **Details**
 *
 * Values nested deeper than 64 levels are `null`.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<ImageConfig, Schema.SchemaError> = parser(ImageConfigFromJson)

/**
 * Writes an image configuration as compact JSON, ready to be uploaded.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format: (config: ImageConfig) => string = Schema.encodeSync(ImageConfigFromJson)
