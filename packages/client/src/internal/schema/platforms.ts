/**
 * Decides which images run on which platforms. Names are compared after `normal`, because tools write the same platform
 * in several ways: `uname` prints `aarch64` for Go's `arm64`.
 *
 * OCI image specification, image-index.md, "platform", and the rules that containerd and Docker follow.
 */

/** The platform of an image, as an index or a configuration states it. */
interface Described {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly "os.version"?: string
  readonly "os.features"?: ReadonlyArray<string>
}

/** A normalized platform, whose names compare as texts. `variant` is empty for architectures without variants. */
interface Normal {
  readonly os: string
  readonly architecture: string
  readonly variant: string
}

/** Other names of architectures. Debian's names of ARM imply a variant. */
const architectures: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ["aarch64", { architecture: "arm64" }],
  ["x86_64", { architecture: "amd64" }],
  ["x86-64", { architecture: "amd64" }],
  ["i386", { architecture: "386" }],
  ["i686", { architecture: "386" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armel", { architecture: "arm", variant: "v6" }]
])

const systems: ReadonlyMap<string, string> = new Map([["macos", "darwin"]])

/** The variants of an architecture, each of which runs images for those before it, and the default one. */
interface Ladder {
  readonly variants: ReadonlyArray<string>
  readonly usual: string
}

const ladders: ReadonlyMap<string, Ladder> = new Map([
  ["amd64", { variants: ["v1", "v2", "v3", "v4"], usual: "v1" }],
  ["arm", { variants: ["v5", "v6", "v7", "v8"], usual: "v7" }],
  ["arm64", { variants: ["v8", "v9"], usual: "v8" }]
])

const normalVariant = (ladder: Ladder | undefined, variant: string): string => {
  if (ladder === undefined) return variant
  if (variant === "") return ladder.usual
  // Docker also accepts `linux/arm/7`.
  return ladder.variants.includes(`v${variant}`) ? `v${variant}` : variant
}

/** Normalizes a platform to Go's names, with the default variant if it has none. */
const normal = (platform: Described): Normal => {
  const os = platform.os.toLowerCase()
  const written = platform.architecture.toLowerCase()
  const { architecture, variant: implied } = architectures.get(written) ?? { architecture: written }
  const variant = platform.variant === undefined || platform.variant === "" ? (implied ?? "") : platform.variant
  return {
    os: systems.get(os) ?? os,
    architecture,
    variant: normalVariant(ladders.get(architecture), variant.toLowerCase())
  }
}

const saysNothing = (name: string): boolean => name === "" || name === "unknown"

/** Whether a platform names an operating system and an architecture. Attestations of BuildKit are `unknown/unknown`. */
export const isKnown = ({ architecture, os }: Described): boolean =>
  !saysNothing(os.toLowerCase()) && !saysNothing(architecture.toLowerCase())

/** Versions of Windows have a fourth number, the revision, which callers rarely give. */
const hasVersion = (version: string | undefined, wanted: string | undefined): boolean =>
  wanted === undefined ||
  wanted === "" ||
  (version !== undefined && (version === wanted || version.startsWith(`${wanted}.`)))

const hasFeatures = (features: ReadonlyArray<string> = [], wanted: ReadonlyArray<string> = []): boolean =>
  wanted.every((feature) => features.includes(feature))

/** The number of variants between an image's and the wanted one. Undefined if the image does not run there. */
const variantDistance = (architecture: string, variant: string, wanted: string): number | undefined => {
  if (variant === wanted) return 0
  const variants = ladders.get(architecture)?.variants ?? []
  const from = variants.indexOf(variant)
  const distance = variants.indexOf(wanted) - from
  return from >= 0 && distance > 0 ? distance : undefined
}

/**
 * The distance of an image from a wanted platform: 0 for the exact variant, more for lower ones, undefined if it does
 * not run there.
 */
export const distance = (platform: Described, wanted: Described): number | undefined => {
  if (!isKnown(platform)) return undefined
  const own = normal(platform)
  const other = normal(wanted)
  return own.os === other.os &&
    own.architecture === other.architecture &&
    hasVersion(platform["os.version"], wanted["os.version"]) &&
    hasFeatures(platform["os.features"], wanted["os.features"])
    ? variantDistance(own.architecture, own.variant, other.variant)
    : undefined
}
