/**
 * Reads manifests and verifies their bytes.
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

/** Verified bytes, and the entity tag for a later conditional request, if the registry states one. */
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

/** Whether the registry says that it does not have a manifest. A gateway's 404 does not. */
export const isGone = ({ reason }: RegistryError): boolean =>
  reason._tag === "NotFound" && reason.resource === "manifest"

/** The result, or none if the manifest does not exist. */
export const ifFound = <A, R>(
  effect: Effect.Effect<A, RegistryError, R>,
  isAbsent: (error: RegistryError) => boolean = isNotFound
): Effect.Effect<Option.Option<A>, RegistryError, R> =>
  Effect.catchIf(Effect.asSome(effect), isAbsent, () => Effect.succeed(Option.none<A>()))

/** The media type with which a captive portal answers every request. */
const html = "text/html"

export const make = (transport: Transport.Service, startHash: Start): Reader => {
  const countBytes = byteCounter(transport.endpoint)

  return Effect.fnUntraced(
    function* (operation, name, reference) {
      const answer = yield* transport.execute(Distribution.getManifest(name, reference))
      const { bytes, digest: stated, entityTag, mediaType } = answer
      yield* countBytes("received", bytes.length)

      // The requested digest takes precedence over the one that the registry states.
      const expected = Digest.isDigest(reference) ? reference : stated
      if (expected === undefined && (bytes.length === 0 || MediaType.essence(mediaType) === html)) {
        const description = "the response is a web page or empty, not a manifest"
        return yield* new RegistryError({ operation, reason: new InvalidResponse({ description }) })
      }
      const algorithm = expected === undefined ? "sha256" : Digest.algorithm(expected)
      const [own, ...others] = Array.map(digested(mediaType, bytes), (part) =>
        digestOfBytes(startHash, algorithm, part)
      )
      const digest = expected !== undefined && others.includes(expected) ? expected : own
      if (expected !== undefined && expected !== digest) {
        const description = "the manifest does not match its digest"
        const reason = new ContentMismatch({ description, expected, actual: digest })
        return yield* new RegistryError({ operation, reason })
      }
      return { bytes, descriptor: { mediaType, digest, size: bytes.length }, entityTag }
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )
}
