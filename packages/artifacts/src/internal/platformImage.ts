/**
 * The images of an artifact: itself, or those for a platform in an index.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import type { Reader } from "../ContentStore.ts"
import * as Choice from "./copy/choice.ts"
import { attestedDigest } from "./platforms.ts"
import { isImage } from "./references.ts"
import { type GraphError, walk } from "./walk.ts"

/** The platform of an option. An invalid text becomes a platform that no index has. */
export const platformOf = (input: Platform.Input): Effect.Effect<Platform.Platform, Choice.PlatformNotFound> =>
  Effect.mapError(
    Effect.fromResult(Platform.fromInput(input)),
    () => new Choice.PlatformNotFound({ wanted: [String(input)], available: [] })
  )

/** An attestation describes an image, and has no platform of its own. */
const isAttestation = ({ annotations }: Descriptor): boolean => annotations?.[attestedDigest] !== undefined

/**
 * The images of an index, for a platform if one is given; a manifest that is not an index is returned alone. For several versions
 * of Windows with the same platform, the first is the best.
 */
export const imagesOf = <E>(
  source: Reader<E>,
  root: Descriptor,
  platform: Platform.Platform | undefined
): Effect.Effect<ReadonlyArray<Descriptor>, E | GraphError | Choice.PlatformNotFound> =>
  Effect.gen(function* () {
    if (isImage(root) && platform === undefined) return [root]
    const { leftOut } =
      platform === undefined ? Choice.whole(root) : yield* Choice.choose(source, root, [platform], "sparse")
    const { nodes } = yield* walk(
      source,
      root,
      {},
      { presence: () => Effect.succeed("absent"), isLeftOut: ({ digest }) => leftOut.has(digest) }
    )
    const images = Array.from(nodes.values(), ({ descriptor }) => descriptor).filter(
      (descriptor) => isImage(descriptor) && !isAttestation(descriptor)
    )
    return platform === undefined ? images : images.slice(0, 1)
  })

/** The platforms of images, such as `linux/arm64`. */
export const platformsOf = (images: ReadonlyArray<Descriptor>): ReadonlyArray<string> =>
  images.flatMap(({ platform }) => (platform === undefined ? [] : [Platform.format(platform)]))

/** The part of a message that lists the choices in an index with several images. */
export const choiceOf = (available: ReadonlyArray<string>): string =>
  available.length === 0
    ? "its images have no platforms: name one by its digest"
    : `its platforms are ${available.join(", ")}`
