/**
 * The platform of an image, and the images of an index by platform.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Platform from "@effect-acr/client/Platform"
import * as Option from "effect/Option"

/** An annotation of BuildKit: the digest of the image that an attestation in the same index describes. */
export const attestedDigest = "vnd.docker.reference.digest"

const anyVersion = ({ architecture, os, variant }: Platform.Platform): Platform.Platform => ({
  os,
  architecture,
  ...(variant === undefined ? {} : { variant })
})

/** The images to select for one platform: the best match, and those that differ from it only by the version of Windows. */
const bestFor = (entries: ReadonlyArray<Descriptor>, wanted: Platform.Platform): ReadonlyArray<Descriptor> =>
  Option.match(Platform.bestMatch(entries, wanted), {
    onNone: () => [],
    onSome: ({ platform }) =>
      entries.filter(
        (entry) =>
          entry.platform !== undefined &&
          platform !== undefined &&
          Platform.matches(entry.platform, wanted) &&
          Platform.matches(entry.platform, anyVersion(platform)) &&
          Platform.matches(platform, anyVersion(entry.platform))
      )
  })

/** The entries of indexes that a choice of platforms keeps. */
export interface Selection {
  /** The images, with their attestations. */
  readonly kept: ReadonlySet<Digest.Digest>
  /** The platforms without an image. */
  readonly missing: ReadonlyArray<Platform.Platform>
}

/** Selects the images for some platforms, and their attestations. */
export const select = (entries: ReadonlyArray<Descriptor>, platforms: ReadonlyArray<Platform.Platform>): Selection => {
  const found = platforms.map((platform) => bestFor(entries, platform))
  const images = new Set<string>(found.flat().map(({ digest }) => digest))
  const isKept = ({ annotations, digest }: Descriptor): boolean =>
    images.has(digest) || images.has(annotations?.[attestedDigest] ?? "")
  return {
    kept: new Set(entries.filter(isKept).map(({ digest }) => digest)),
    missing: platforms.filter((_, index) => found[index]?.length === 0)
  }
}
