/**
 * Reads manifests: bytes that are what their digest names.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Digest from "../../Digest.ts"
import { digest as digestOfBytes, type Start } from "../../Hasher.ts"
import type * as Manifest from "../../Manifest.ts"
import * as MediaType from "../../MediaType.ts"
import { ContentMismatch, InvalidResponse, RegistryError } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import * as Distribution from "../api/distribution.ts"
import { named } from "../http/named.ts"
import { byteCounter } from "../http/telemetry.ts"
import { digested } from "./signed.ts"

/** Verified bytes, and what a later request can be made conditional on, if the registry says it. */
interface Read extends Manifest.Raw {
  readonly entityTag: string | undefined
}

/** Reads a manifest for an operation. */
export type Reader = (
  operation: string,
  name: RepositoryName,
  reference: Tag | Digest.Digest
) => Effect.Effect<Read, RegistryError>

const isNotFound = ({ reason }: RegistryError): boolean => reason._tag === "NotFound"

/** Whether a registry says of a manifest that it does not have it. A gateway's 404 does not say so. */
export const isGone = ({ reason }: RegistryError): boolean =>
  reason._tag === "NotFound" && reason.resource === "manifest"

/** What is there; none if nothing is. */
export const ifFound = <A, R>(
  effect: Effect.Effect<A, RegistryError, R>,
  isAbsent: (error: RegistryError) => boolean = isNotFound
): Effect.Effect<Option.Option<A>, RegistryError, R> =>
  Effect.catchIf(Effect.asSome(effect), isAbsent, () => Effect.succeed(Option.none<A>()))

/** What a portal before the network answers, whatever it is asked. */
const html = "text/html"

export const make = (transport: Transport.Service, startHash: Start): Reader => {
  const countBytes = byteCounter(transport.endpoint)

  return Effect.fnUntraced(
    function* (operation, name, reference) {
      const answer = yield* transport.execute(Distribution.getManifest(name, reference))
      const { bytes, digest: stated, entityTag, mediaType } = answer
      yield* countBytes("received", bytes.length)

      // What was asked for counts more than what the registry says that it sent.
      const expected = Digest.isDigest(reference) ? reference : stated
      if (expected === undefined && (bytes.length === 0 || MediaType.essence(mediaType) === html)) {
        const description = "the answer is a page, or nothing: no manifest"
        return yield* new RegistryError({ operation, reason: new InvalidResponse({ description }) })
      }
      const algorithm = expected === undefined ? "sha256" : Digest.algorithm(expected)
      const [own, ...others] = Array.map(digested(mediaType, bytes), (part) =>
        digestOfBytes(startHash, algorithm, part)
      )
      const digest = expected !== undefined && others.includes(expected) ? expected : own
      if (expected !== undefined && expected !== digest) {
        const description = "the manifest is not what its digest names"
        const reason = new ContentMismatch({ description, expected, actual: digest })
        return yield* new RegistryError({ operation, reason })
      }
      return { bytes, descriptor: { mediaType, digest, size: bytes.length }, entityTag }
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )
}
