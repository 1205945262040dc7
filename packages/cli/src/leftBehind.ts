/**
 * What belongs to an artifact and is not copied or shown with it: signatures that cosign 2 stored as tags, and the referrers of an
 * index of which a copy takes some platforms.
 */
import type { Reader } from "@effect-acr/artifacts/ContentStore"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StoreError } from "./problem.ts"
import * as Output from "./output.ts"
import { settings } from "./settings.ts"

/** The tags of cosign 2: their suffixes, and what they hold. */
export const cosignKinds = [
  { suffix: ".sig", holds: "cosign signature" },
  { suffix: ".att", holds: "cosign attestation" },
  { suffix: ".sbom", holds: "cosign SBOM" }
] as const

/** cosign's signature specification: the digest of the manifest, with a suffix. With sha512, it would be too long for a tag. */
const tagsOf = (digest: Digest.Digest): ReadonlyArray<string> =>
  Digest.algorithm(digest) === "sha256" ? cosignKinds.map(({ suffix }) => `sha256-${Digest.hex(digest)}${suffix}`) : []

const lookupsAtOnce = 6

/**
 * The tags of cosign for manifests: three requests each, and not one for all tags, of which a repository may have many. What
 * cannot be looked for is not there: the copy is done in any case.
 */
export const cosignTags = (source: Reader<StoreError>, digests: ReadonlyArray<Digest.Digest>) =>
  Effect.filter(
    [...new Set(digests)].flatMap(tagsOf),
    (tag) =>
      Effect.match(source.resolve(tag), {
        onFailure: () => false,
        onSuccess: Option.isSome
      }),
    { concurrency: lookupsAtOnce }
  )

/** How many referrers a manifest has. */
export const referrers = (source: Reader<StoreError>, digest: Digest.Digest) =>
  Effect.orElseSucceed(Stream.runCount(source.referrers(digest)), () => 0)

const counted = (count: number, what: string): ReadonlyArray<string> =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"}`]

/** Reports that tags of cosign are left out, and how to include them. */
export const cosignLine = (tags: ReadonlyArray<string>, takes: string): ReadonlyArray<string> =>
  counted(tags.length, "cosign tag").map((text) => `${text} left out: ${takes}`)

/** Reports the referrers and tags that are left out because an index was rewritten. */
export const indexLine = (referrers: number, tags: ReadonlyArray<string>, index: string): ReadonlyArray<string> => {
  const parts = [...counted(referrers, "referrer"), ...counted(tags.length, "cosign tag")]
  if (parts.length === 0) return []
  return [`${parts.join(" and ")} left out: --platform makes another index than ${index}, which they are about`]
}

/** Looks for what was left out and reports it, unless `-q` is set. */
export const tell = <R>(found: Effect.Effect<ReadonlyArray<string>, never, R>) =>
  Effect.gen(function* () {
    const { isQuiet } = yield* settings
    if (isQuiet) return
    const lines = yield* found
    if (lines.length > 0) yield* Output.tell(lines.join("\n"))
  })

/** What a tag of cosign holds. */
const heldBy = (tag: string): string =>
  cosignKinds.find(({ suffix }) => tag.endsWith(suffix))?.holds ?? "cosign signature"

/** Names the tags of cosign that belong to an artifact and are not shown with it. Only text has these lines. */
export const tellCosignTags = Effect.fnUntraced(function* (source: Reader<StoreError>, digest: Digest.Digest) {
  const { format } = yield* settings
  if (format !== "text") return
  for (const tag of yield* cosignTags(source, [digest])) {
    yield* Output.tell(`${heldBy(tag)}, an artifact of its own: ${tag}`)
  }
})
