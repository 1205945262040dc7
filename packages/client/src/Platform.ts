/**
 * Platforms: the operating systems and processors that images run on.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { openStruct, optional, text } from "./internal/schema/fields.ts"
import { parser } from "./internal/schema/parser.ts"
import { distance } from "./internal/schema/platforms.ts"

/**
 * A platform in an image index.
 *
 * **Details**
 *
 * OCI image specification, image-index.md, "platform". `os` and `architecture` take the values of Go's `GOOS` and
 * `GOARCH`; unknown values are kept. A value that is missing or `null` is read as the empty text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Platform = openStruct({
  /** The processor architecture, as Go's `GOARCH`: `amd64`, `arm64`. */
  architecture: text,
  /** The operating system, as Go's `GOOS`: `linux`, `windows`. */
  os: text,
  /** The version of the operating system, such as `10.0.14393.1066` for Windows. */
  "os.version": optional(Schema.String),
  /** Features that the operating system must have, such as `win32k` for Windows. */
  "os.features": optional(Schema.Array(Schema.String)),
  /** The variant of the processor, such as `v7` or `v8` for ARM. */
  variant: optional(Schema.String)
})

export type Platform = typeof Platform.Type

/**
 * A platform, or its short form: `linux/arm64`, `linux/arm/v7`.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = Platform | string

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
 * Reads a platform from its short form, and returns a parsed one unchanged. Fails with a `SchemaError` that says what was
 * expected.
 *
 * @category parsing
 * @since 0.1.0
 */
export const fromInput = (input: Input): Result.Result<Platform, Schema.SchemaError> =>
  typeof input === "string" ? parse(input) : Result.succeed(input)

/**
 * Writes a platform as `os/architecture` or `os/architecture/variant`.
 *
 * **Gotchas**
 *
 * This form cannot express the version and the features of the operating system.
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

/**
 * Tests whether an image for one platform runs on a wanted platform.
 *
 * **Details**
 *
 * Names of operating systems and architectures are compared without regard to case, and other common names count as
 * Go's names: `aarch64` is `arm64`, `x86_64` and `x86-64` are `amd64`, `i386` and `i686` are `386`, `armhf` is
 * `arm/v7`, `armel` is `arm/v6`, and `macos` is `darwin`.
 *
 * Without a variant, `arm64` is `arm64/v8`, `arm` is `arm/v7` and `amd64` is `amd64/v1`. An image for a lower variant
 * runs on a higher one, but not the reverse: `arm/v7` runs images for v7, v6 and v5; `amd64/v3` those for v3, v2 and
 * v1; `arm64/v9` those for v9 and v8. Any other variant runs images for that variant only.
 *
 * The version of the operating system counts only if the wanted platform has one: `10.0.17763` accepts itself and
 * `10.0.17763.1040`. If the wanted platform has features of the operating system, the platform of the image must list
 * all of them.
 *
 * **Gotchas**
 *
 * A platform whose operating system or architecture is `unknown` or empty never matches. BuildKit stores attestations
 * as `unknown/unknown`.
 *
 * **Example** (Finding images that run on a Raspberry Pi)
 *
 * ```ts
 * import { Platform } from "@effect-acr/client"
 *
 * const runs = Platform.matches({ os: "linux", architecture: "arm", variant: "v7" })
 * const answers = [
 *   runs({ os: "linux", architecture: "arm", variant: "v6" }),
 *   runs({ os: "linux", architecture: "armhf" }),
 *   runs({ os: "linux", architecture: "arm64" })
 * ]
 * // true, true, false
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const matches: {
  (wanted: Platform): (platform: Platform) => boolean
  (platform: Platform, wanted: Platform): boolean
} = dual(2, (platform: Platform, wanted: Platform): boolean => distance(platform, wanted) !== undefined)

/**
 * A candidate of `bestMatch`: a descriptor of an index, or anything else with a platform.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  /** The platform of the candidate. A candidate without one is never chosen. */
  readonly platform?: Platform
}

/**
 * Finds the best candidate for a wanted platform, such as a manifest of an index.
 *
 * **Details**
 *
 * Only candidates that run on the platform by the rules of `matches` are considered. The exact variant is preferred,
 * then the nearest lower one, then the first in order. A candidate without a platform is never chosen.
 *
 * **Example** (Choosing the manifest for a platform)
 *
 * ```ts
 * import { type Manifest, Platform } from "@effect-acr/client"
 *
 * export const forGraviton = (index: Manifest.ImageIndex) =>
 *   Platform.bestMatch(index.manifests, { os: "linux", architecture: "arm64" })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const bestMatch: {
  (wanted: Platform): <A extends Candidate>(candidates: ReadonlyArray<A>) => Option.Option<A>
  <A extends Candidate>(candidates: ReadonlyArray<A>, wanted: Platform): Option.Option<A>
} = dual(2, <A extends Candidate>(candidates: ReadonlyArray<A>, wanted: Platform): Option.Option<A> => {
  let best: { readonly candidate: A; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const away = candidate.platform === undefined ? undefined : distance(candidate.platform, wanted)
    if (away !== undefined && (best === undefined || away < best.distance)) best = { candidate, distance: away }
  }
  return Option.map(Option.fromUndefinedOr(best), ({ candidate }) => candidate)
})
