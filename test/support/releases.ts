/**
 * A repository with releases of an image, made by other tools: crane pushes, cosign signs, oras attaches.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { run } from "./command.ts"
import * as Cosign from "./cosign.ts"
import { isThere, type Registry, toolFor } from "./tools.ts"

/** Whether all tools are there that make the releases. */
export const areToolsThere: boolean = isThere("crane") && isThere("cosign") && isThere("oras")

/** The tools, logged in to a registry. */
export const toolsFor = (registry: Registry) =>
  Effect.gen(function* () {
    const crane = yield* toolFor("crane", registry)
    const oras = yield* toolFor("oras", registry)
    const cosign = yield* toolFor("cosign", registry)
    return { crane, oras, cosign: { ...cosign, ...(yield* Cosign.offline(cosign)) } }
  })

export type Tools = Effect.Success<ReturnType<typeof toolsFor>>

/** Eight releases in the order in which they are pushed. 1.10 is newer than 1.9. */
const versions = ["1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0", "1.9.0", "1.10.0"] as const

type Version = (typeof versions)[number]

const architectures = ["amd64", "arm64"] as const

type Architecture = (typeof architectures)[number]

/** A release: its index, and the images of that. */
interface Release {
  readonly index: string
  readonly images: { readonly [architecture in Architecture]: string }
}

const sbom = "application/spdx+json"

/** Programs that run at the same time. */
export const concurrency = 4

/** The tag under which cosign keeps signatures. */
export const signatureTag = (digest: string): string => `${digest.replace(":", "-")}.sig`

/** The digest in what crane prints about a push: `127.0.0.1:5000/app@sha256:…`. */
const pushed = (output: string): string => output.trim().split("@").at(-1) ?? ""

/** Puts a layer with one file into the home of crane, and returns its path. */
const layerOf = (home: string, text: string) =>
  Effect.gen(function* () {
    const file = `${text}.txt`
    yield* Effect.promise(() => writeFile(join(home, file), text))
    yield* run("tar", ["-cf", `${text}.tar`, file], { cwd: home })
    return `${text}.tar`
  })

/** Pushes an image that only its digest names. A base that is named by a tag would be pushed over. */
const pushImage = ({ crane }: Tools, base: string, version: string, architecture: Architecture) =>
  Effect.gen(function* () {
    const layer = yield* layerOf(crane.home, `${version}-${architecture}`)
    const platform = `linux/${architecture}`
    return pushed(yield* crane.run("mutate", base, "--append", layer, "--set-platform", platform))
  })

const pushIndex = ({ crane }: Tools, image: string, version: string, { amd64, arm64 }: Release["images"]) =>
  Effect.map(
    crane.run("index", "append", "-m", `${image}@${amd64}`, "-m", `${image}@${arm64}`, "-t", `${image}:${version}`),
    pushed
  )

const Discovered = Schema.fromJsonString(
  Schema.Struct({ referrers: Schema.Array(Schema.Struct({ digest: Schema.String })) })
)

/** The referrers of a manifest, as oras finds them. */
export const referrersOf = ({ oras }: Tools, image: string, digest: string) =>
  oras.run("discover", "--format", "json", "--depth", "1", `${image}@${digest}`).pipe(
    Effect.flatMap(Schema.decodeEffect(Discovered)),
    Effect.map(({ referrers }) => referrers.map(({ digest }) => digest))
  )

/**
 * Makes the repository:
 *
 * - 1.4.0 and 1.10.0 are signed by a tag; 1.3.0 and 1.9.0 by a bundle that refers to them.
 * - 1.3.0 and 1.9.0 have an SBOM, and so have the images for amd64 of 1.4.0 and 1.8.0.
 * - The image for arm64 of 1.5.0 has a tag and a signature of its own.
 * - 1.3.0 and 1.10.0 share the image for amd64.
 */
export const make = Effect.fnUntraced(function* (tools: Tools, image: string) {
  const { cosign, crane, oras } = tools
  const layer = yield* layerOf(crane.home, "base")
  const base = yield* crane.run("append", "--oci-empty-base", "-f", layer, "-t", `${image}:base`)
  const baseByDigest = `${image}@${pushed(base)}`

  const images = new Map(
    yield* Effect.forEach(
      versions,
      (version) =>
        Effect.map(
          Effect.forEach(architectures, (architecture) => pushImage(tools, baseByDigest, version, architecture)),
          ([amd64 = "", arm64 = ""]) => [version, { amd64, arm64 }] as const
        ),
      { concurrency }
    )
  )
  const releases = new Map<Version, Release>()
  for (const [version, own] of images) {
    const shared = version === "1.10.0" ? images.get("1.3.0")?.amd64 : undefined
    const both = { ...own, ...(shared === undefined ? {} : { amd64: shared }) }
    // One after the other: the order of their times is that of their versions.
    releases.set(version, { images: both, index: yield* pushIndex(tools, image, version, both) })
  }
  const release = (version: Version): Release => {
    const found = releases.get(version)
    if (found === undefined) throw new Error(`${version} was not pushed`)
    return found
  }
  yield* crane.run("tag", `${image}@${release("1.5.0").images.arm64}`, "for-the-lab")

  const at = (digest: string) => `${image}@${digest}`
  const byTag = [release("1.4.0").index, release("1.10.0").index, release("1.5.0").images.arm64]
  const byReferrer = [release("1.3.0").index, release("1.9.0").index]
  yield* Effect.all(
    [
      ...byTag.map((digest) => cosign.run("sign", ...cosign.signing, at(digest))),
      ...byReferrer.map((digest) => cosign.run("sign", ...cosign.signing, "--new-bundle-format", at(digest)))
    ],
    { concurrency }
  )
  const described = [...byReferrer, release("1.4.0").images.amd64, release("1.8.0").images.amd64]
  yield* Effect.promise(() => writeFile(join(oras.home, "sbom.json"), "{}"))
  yield* Effect.forEach(described, (digest) => oras.run("attach", at(digest), "--artifact-type", sbom, "sbom.json"), {
    concurrency
  })
  return release
})
