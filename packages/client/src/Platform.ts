/**
 * Platforms: what an image runs on.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { openStruct, optional, text } from "./internal/schema/json.ts"
import { parser } from "./internal/schema/parser.ts"

/**
 * A platform as it stands in an image index.
 *
 * **Details**
 *
 * OCI image specification, image-index.md, "platform". `os` and `architecture` take the values of Go's `GOOS` and
 * `GOARCH`; values that are unknown today are kept. One that is missing or `null` is the empty text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Platform = openStruct({
  /** The processor, as Go's `GOARCH`: `amd64`, `arm64`. */
  architecture: text,
  /** The operating system, as Go's `GOOS`: `linux`, `windows`. */
  os: text,
  /** The version of the operating system: of Windows, `10.0.14393.1066`. */
  "os.version": optional(Schema.String),
  /** What the operating system must have: of Windows, `win32k`. */
  "os.features": optional(Schema.Array(Schema.String)),
  /** The variant of the processor: of ARM, `v7` or `v8`. */
  variant: optional(Schema.String)
})

/**
 * The platform of one image.
 *
 * @category models
 * @since 0.1.0
 */
export type Platform = typeof Platform.Type

const pattern = /^([A-Za-z0-9._-]{1,64})\/([A-Za-z0-9._-]{1,64})(?:\/([A-Za-z0-9._-]{1,64}))?$/

/**
 * A platform written as `os/architecture` or `os/architecture/variant`, for example `linux/arm64/v8`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PlatformFromString = Schema.String.check(
  Schema.isPattern(pattern, { expected: "a platform: os/architecture or os/architecture/variant" })
).pipe(
  Schema.decodeTo(
    Schema.toType(Platform),
    SchemaTransformation.transform({
      decode: (input): Platform => {
        const [os = "", architecture = "", variant] = input.split("/")
        return variant === undefined ? { os, architecture } : { os, architecture, variant }
      },
      encode: (platform) => format(platform)
    })
  )
)

/**
 * Reads a platform from `os/architecture` or `os/architecture/variant`. Fails with a `SchemaError` that says what was
 * expected.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<Platform, Schema.SchemaError> = parser(PlatformFromString)

/**
 * Writes a platform as `os/architecture` or `os/architecture/variant`.
 *
 * **Gotchas**
 *
 * This form has no room for the version and the features of the operating system.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (platform: Platform): string =>
  [
    platform.os,
    platform.architecture,
    ...(platform.variant === undefined || platform.variant === "" ? [] : [platform.variant])
  ].join("/")
