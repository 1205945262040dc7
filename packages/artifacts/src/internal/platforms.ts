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

/** How many platforms are compared by meaning. More than there are names of operating systems and processors. */
const mostCompared = 128

/**
 * Numbers platforms, so that two with the same meaning have the same number: `linux/arm64` is `linux/arm64/v8`. A platform of an
 * attestation, or of an image for `unknown`, has none.
 *
 * An index may list thousands of platforms, so that they are not compared in pairs. Beyond the first 128 of the same version and
 * features of the operating system, only those with equal texts have the same number.
 */
export const numbering = (): ((platform: Platform.Platform) => number | undefined) => {
  const known = new Map<string, number>()
  const compared = new Map<string, Array<{ readonly platform: Platform.Platform; readonly number: number }>>()
  let last = 0
  return (platform) => {
    if (!Platform.matches(platform, platform)) return undefined
    const { architecture, os, variant = "", "os.features": features = [], "os.version": version = "" } = platform
    // Neither has other spellings.
    const ofSystem = JSON.stringify([version, [...new Set(features)].toSorted()])
    const text = JSON.stringify([os, architecture, variant, ofSystem])
    const before = known.get(text)
    if (before !== undefined) return before
    const others = compared.get(ofSystem) ?? []
    const same = others.find(
      (other) => Platform.matches(other.platform, platform) && Platform.matches(platform, other.platform)
    )
    const number = same?.number ?? ++last
    if (others.length < mostCompared) others.push({ platform, number })
    compared.set(ofSystem, others)
    known.set(text, number)
    return number
  }
}

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
