/**
 * Copies one artifact by the rules.
 */
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as CopyError from "@effect-acr/artifacts/CopyError"
import type * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Rules } from "../MigrationRules.ts"

/** An artifact, with all tags that it gets. */
export interface Wanted {
  readonly digest: Digest.Digest
  readonly tags: ReadonlyArray<string>
}

const indexTypes: ReadonlyArray<string> = [MediaType.ociImageIndex, MediaType.dockerManifestList]

export const isIndex = (mediaType: MediaType.MediaType): boolean => indexTypes.includes(MediaType.essence(mediaType))

/** The platforms to copy of an artifact: those of the rules of an index, and all of anything else. */
const platformsOf = <E>(
  source: Reader<E>,
  digest: Digest.Digest,
  { platforms }: Rules
): Effect.Effect<ReadonlyArray<string> | undefined, E> =>
  platforms === undefined
    ? Effect.undefined
    : Effect.map(source.resolve(digest), (root) =>
        Option.exists(root, ({ mediaType }) => isIndex(mediaType)) ? platforms : undefined
      )

/** The platforms to copy after a copy failed: those that the index has, or `undefined` if it names none. */
const platformsAfter = (
  platforms: ReadonlyArray<string> | undefined,
  cause: unknown
): Option.Option<ReadonlyArray<string> | undefined> => {
  if (platforms === undefined || !(cause instanceof Copy.PlatformNotFound)) return Option.none()
  if (cause.available.length === 0) return Option.some(undefined)
  const missing = new Set(cause.wanted)
  const left = platforms.filter((platform) =>
    Option.exists(Result.getSuccess(Platform.parse(platform)), (parsed) => !missing.has(Platform.format(parsed)))
  )
  return left.length === 0 ? Option.none() : Option.some(left)
}

/**
 * Copies an artifact. Of an index, it copies the platforms that it has among those of the rules. Fails with `PlatformNotFound` if
 * it has none of them.
 */
export const copyArtifact = <E1, E2>(
  source: Reader<E1>,
  target: ContentStore<E2>,
  { digest, tags }: Wanted,
  rules: Rules,
  options: Pick<Copy.Options, "trust"> = {}
): Effect.Effect<Copy.Report, CopyError.CopyError<E1 | E2 | Copy.Fault>> => {
  const copy = (
    platforms: ReadonlyArray<string> | undefined
  ): Effect.Effect<Copy.Report, CopyError.CopyError<E1 | E2 | Copy.Fault>> =>
    Copy.run(source, target, digest, {
      ...options,
      tags,
      referrers: rules.referrers ?? true,
      cosignTags: rules.cosignTags ?? false,
      ...(rules.onTag === undefined ? {} : { onTag: rules.onTag }),
      ...(platforms === undefined ? {} : { platforms }),
      ...(rules.index === undefined ? {} : { index: rules.index })
    }).pipe(
      Effect.catch((error) =>
        Option.match(platformsAfter(platforms, error.cause), { onNone: () => Effect.fail(error), onSome: copy })
      )
    )
  return Effect.flatMap(
    Effect.mapError(platformsOf(source, digest, rules), CopyError.at("source")<E1 | E2 | Copy.Fault>),
    copy
  )
}
