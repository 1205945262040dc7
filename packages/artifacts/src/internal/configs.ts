/**
 * Configurations of images, and the platforms that they name.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import type * as Platform from "@effect-acr/client/Platform"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Reader } from "../ContentStore.ts"

/** Configurations have a few KiB. The limit is that of manifests. */
const mostBytes = 4 * 1024 * 1024

const decoder = new TextDecoder()

/** Reads a configuration, or returns why it cannot be read. */
export const readConfig = <E>(
  reader: Reader<E>,
  config: Descriptor
): Effect.Effect<Result.Result<ImageConfig.ImageConfig, string>, E> =>
  config.size > mostBytes
    ? Effect.succeed(Result.fail(`has ${config.size} bytes, more than 4 MiB`))
    : Effect.map(Stream.runCollect(reader.blob(config).read(0)), (chunks) =>
        Result.mapError(ImageConfig.parse(decoder.decode(Bytes.concat(chunks))), () => "cannot be read")
      )

/**
 * The platform that a configuration states; none if it states none. Its fields are in a fixed order, so that the bytes of an
 * index are reproducible.
 */
export const platformOf = (config: ImageConfig.ImageConfig): Option.Option<Platform.Platform> => {
  const { architecture, os, variant } = config
  if (architecture === "" || os === "") return Option.none()
  const version = config["os.version"]
  const features = config["os.features"]
  return Option.some({
    architecture,
    os,
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features === undefined || features.length === 0 ? {} : { "os.features": features }),
    ...(variant === undefined ? {} : { variant })
  })
}
