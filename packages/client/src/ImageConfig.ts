/**
 * Image configurations: how a container runs an image.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import { list, openStruct, optional, text, texts, withFallback } from "./internal/schema/fields.ts"
import { fromJson } from "./internal/schema/json.ts"
import { parser } from "./internal/schema/parser.ts"

const strings = Schema.Array(Schema.String)

/**
 * The defaults with which a container starts.
 *
 * **Details**
 *
 * OCI image specification, config.md, "config". The field names are those of the specification, capitals included.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ContainerConfig = openStruct({
  /** The user, and perhaps the group, that the process runs as: `user`, `uid`, `user:group` or `uid:gid`. */
  User: optional(Schema.String),
  /** The ports that the container listens on, as keys: `8080`, `8080/tcp`, `53/udp`. */
  ExposedPorts: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** The environment variables, each as `NAME=value`. */
  Env: optional(strings),
  /** The command, word by word, before the arguments. */
  Entrypoint: optional(strings),
  /** The arguments of `Entrypoint`; without that, the command itself. */
  Cmd: optional(strings),
  /** The folders that the container writes data to, as keys. */
  Volumes: optional(Schema.Record(Schema.String, Schema.Unknown)),
  /** The folder in which the command starts. */
  WorkingDir: optional(Schema.String),
  /** Labels of the container. */
  Labels: optional(texts),
  /** The signal that stops the container: `SIGTERM`, `SIGRTMIN+3`. */
  StopSignal: optional(Schema.String)
})

export type ContainerConfig = typeof ContainerConfig.Type

/**
 * One step of an image's build.
 *
 * **Details**
 *
 * OCI image specification, config.md, "history".
 *
 * @category schemas
 * @since 0.1.0
 */
export const History = openStruct({
  /** The time of the step, as in RFC 3339. */
  created: optional(Schema.String),
  /** The command of the step. */
  created_by: optional(Schema.String),
  /** The author of the step. */
  author: optional(Schema.String),
  /** A remark. */
  comment: optional(Schema.String),
  /** Whether the step made no layer, because it only changed the configuration. */
  empty_layer: optional(Schema.Boolean)
})

export type History = typeof History.Type

/**
 * The configuration of an image.
 *
 * **Details**
 *
 * OCI image specification, config.md, "Properties". Unknown fields are kept. An optional field that is `null` or an
 * empty text is read as absent. If the configuration names no platform, as that of an artifact need not, `architecture`
 * and `os` are empty texts. Without `rootfs`, the list of layers is empty.
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
  /** The processor architecture, as Go's `GOARCH`. */
  architecture: text,
  /** The operating system, as Go's `GOOS`. */
  os: text,
  /** The version of the operating system, such as `10.0.14393.1066` for Windows. */
  "os.version": optional(Schema.String),
  /** Features that the operating system must have, such as `win32k` for Windows. */
  "os.features": optional(strings),
  /** The variant of the processor, such as `v7` or `v8` for ARM. */
  variant: optional(Schema.String),
  /** When the image was built, as in RFC 3339. */
  created: optional(Schema.String),
  /** The author of the image. */
  author: optional(Schema.String),
  /** The defaults with which a container starts. */
  config: optional(ContainerConfig),
  /** The digests of the layers before they were compressed, first to last (`diff_ids`). */
  rootfs: withFallback(
    openStruct({ type: withFallback(Schema.Literal("layers"), "layers"), diff_ids: list(Digest.Digest) }),
    {}
  ),
  /** The steps of the build, first to last. Empty if the configuration has none. */
  history: list(History)
})

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
 * Values nested deeper than 64 levels are read as `null`.
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
