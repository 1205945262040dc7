/**
 * Tags under which cosign stores signatures, attestations and SBOMs of an image: its digest with a suffix.
 *
 * cosign 2 and earlier do so, and cosign 3 on request; by default cosign 3 stores referrers.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Reader } from "../../ContentStore.ts"

const suffixes = [".sig", ".att", ".sbom"]

/** For more manifests than this, listing all tags takes fewer requests than looking up each possible tag. */
const mostAskedSingly = 4

/** Requests at the same time. */
const atOnce = 8

/** The tags of one manifest. With a sha512 digest they would be longer than a tag may be. */
const tagsOf = (digest: Digest.Digest): ReadonlyArray<string> =>
  Digest.algorithm(digest) === "sha256" ? suffixes.map((suffix) => `sha256-${Digest.hex(digest)}${suffix}`) : []

/** A tag, and what it names. */
export interface Tagged {
  readonly tag: string
  readonly descriptor: Descriptor
}

/** Finds the cosign tags of some manifests. */
export const find = <E>(
  source: Reader<E>,
  manifests: ReadonlyArray<Digest.Digest>
): Effect.Effect<ReadonlyArray<Tagged>, E> =>
  Effect.gen(function* () {
    const possible = manifests.flatMap(tagsOf)
    const wanted = new Set(possible)
    const tags =
      manifests.length > mostAskedSingly
        ? yield* Stream.runCollect(Stream.filter(source.tags, (tag) => wanted.has(tag)))
        : possible
    const found = yield* Effect.forEach(
      tags,
      (tag) =>
        Effect.map(
          source.resolve(tag),
          Option.map((descriptor): Tagged => ({ tag, descriptor }))
        ),
      { concurrency: atOnce }
    )
    return found.flatMap(Option.toArray)
  })
