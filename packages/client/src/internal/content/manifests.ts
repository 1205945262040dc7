/**
 * Manifests: bytes that are what their digest names, and what they say.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import { digest as digestOfBytes, type Start } from "../../Hasher.ts"
import * as Manifest from "../../Manifest.ts"
import * as MediaTypes from "../../MediaType.ts"
import { ContentMismatch, InvalidRequest, InvalidResponse, type Reason, RegistryError } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import * as Arguments from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import { orByGet } from "../api/shortcut.ts"
import { named } from "../http/named.ts"
import { byteCounter } from "../http/telemetry.ts"
import type { PutManifestOptions } from "../transfer/options.ts"
import { digested } from "./signed.ts"

/** A manifest that was made here or was pulled, or the bytes of any. */
export type Putable = Manifest.ImageManifest | Manifest.ImageIndex | Manifest.Content | Uint8Array | string

const fail = (operation: string, reason: Reason) => new RegistryError({ operation, reason })

const readMediaType = Schema.decodeResult(Schema.fromJsonString(Schema.Struct({ mediaType: MediaTypes.MediaType })))

/** What a portal before the network answers, whatever it is asked. */
const html = "text/html"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The bytes to put, and what is known of them: one that was pulled is put as it was. */
const contentOf = (manifest: Putable): { readonly bytes: Uint8Array; readonly descriptor?: Descriptor } => {
  if (manifest instanceof Uint8Array) return { bytes: manifest }
  if (typeof manifest === "string") return { bytes: encoder.encode(manifest) }
  return "_tag" in manifest ? { bytes: encoder.encode(Manifest.format(manifest)) } : manifest
}

/** The media type that the caller names, or else the content itself. */
const mediaTypeOf = (
  operation: string,
  given: string | undefined,
  bytes: Uint8Array
): Effect.Effect<MediaTypes.MediaType, RegistryError> => {
  if (given !== undefined) return Arguments.mediaType(operation, given)
  const read = readMediaType(decoder.decode(bytes))
  return Result.isSuccess(read)
    ? Effect.succeed(read.success.mediaType)
    : Effect.fail(
        fail(
          operation,
          new InvalidRequest({
            description: "neither the options nor the content name a media type",
            argument: "mediaType"
          })
        )
      )
}

export const make = (transport: Transport.Service, startHash: Start) => {
  const countBytes = byteCounter(transport.endpoint)
  const repositoryName = Arguments.repositoryAt(transport.endpoint)

  const manifest = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string
  ): Effect.fn.Return<Manifest.Content, RegistryError> {
    const operation = "RegistryContent.manifest"
    const name = yield* repositoryName(operation, repository)
    const reference = yield* Arguments.tagOrDigest(operation, tagOrDigest)
    const { bytes, digest: stated, mediaType } = yield* transport.execute(Distribution.getManifest(name, reference))
    yield* countBytes("received", bytes.length)

    // What was asked for counts more than what the registry says that it sent.
    const expected = Digest.isDigest(reference) ? reference : stated
    if (expected === undefined && (bytes.length === 0 || MediaTypes.essence(mediaType) === html)) {
      return yield* fail(
        operation,
        new InvalidResponse({ description: "the answer is a page, or nothing: no manifest" })
      )
    }
    const algorithm = expected === undefined ? "sha256" : Digest.algorithm(expected)
    const [own, ...others] = Array.map(digested(mediaType, bytes), (part) => digestOfBytes(startHash, algorithm, part))
    const digest = expected !== undefined && others.includes(expected) ? expected : own
    if (expected !== undefined && expected !== digest) {
      const description = "the manifest is not what its digest names"
      return yield* fail(operation, new ContentMismatch({ description, expected, actual: digest }))
    }
    return {
      bytes,
      descriptor: { mediaType, digest, size: bytes.length },
      // Bytes that are verified are worth having, whether or not they can be read.
      manifest: Manifest.view(mediaType, decoder.decode(bytes))
    }
  })

  const resolve = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string
  ): Effect.fn.Return<Descriptor, RegistryError> {
    const operation = "RegistryContent.resolve"
    const name = yield* repositoryName(operation, repository)
    const reference = yield* Arguments.tagOrDigest(operation, tagOrDigest)
    const head = transport.execute(Distribution.headManifest(name, reference))
    const { digest: stated, mediaType, size } = yield* orByGet(head, Effect.succeed(Distribution.nothingStated))
    const digest = Digest.isDigest(reference) ? reference : stated
    // What the registry does not say, the content does.
    if (mediaType === undefined || digest === undefined || size === undefined) {
      return (yield* Effect.mapError(manifest(repository, tagOrDigest), named(operation))).descriptor
    }
    return { mediaType, digest, size }
  })

  /** Fails unless a reference leads to this manifest. */
  const confirm = Effect.fnUntraced(
    function* (
      operation: string,
      name: RepositoryName,
      reference: Tag | Digest.Digest,
      bytes: Uint8Array,
      digest: Digest.Digest
    ): Effect.fn.Return<void, RegistryError> {
      const head = transport.execute(Distribution.headManifest(name, reference))
      const stated = yield* orByGet(head, Effect.succeed(Distribution.nothingStated))
      if (stated.digest === digest) return
      // The tag may hold what it held before, or whoever answers may be no registry.
      const there = yield* transport.execute(Distribution.getManifest(name, reference))
      if (Equal.equals(there.bytes, bytes)) return
      return yield* fail(
        operation,
        new InvalidResponse({ description: "the registry took the manifest, and has another or none in its place" })
      )
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )

  const putManifest = Effect.fnUntraced(function* (
    repository: string,
    putable: Putable,
    options: PutManifestOptions = {}
  ): Effect.fn.Return<Descriptor, RegistryError> {
    const operation = "RegistryContent.putManifest"
    const name: RepositoryName = yield* repositoryName(operation, repository)
    const { bytes, descriptor } = contentOf(putable)
    const mediaType = yield* mediaTypeOf(operation, options.mediaType ?? descriptor?.mediaType, bytes)
    const known = descriptor === undefined ? "sha256" : Digest.algorithm(descriptor.digest)
    const digest = digestOfBytes(startHash, options.algorithm ?? known, digested(mediaType, bytes)[0])
    const first = options.tag === undefined ? [] : [yield* Arguments.tag(operation, options.tag)]
    const others = yield* Effect.forEach(options.tags ?? [], (tag) => Arguments.tag(operation, tag, "tags"))
    const tags = [...first, ...others]

    // By a tag, registries keep a manifest under its sha256 digest alone.
    const byDigest = tags.length === 0 || Digest.algorithm(digest) !== "sha256"
    const references: ReadonlyArray<Tag | Digest.Digest> = [...(byDigest ? [digest] : []), ...tags]
    for (const reference of references) {
      const answer = yield* transport.execute(Distribution.putManifest(name, reference, mediaType, bytes))
      yield* countBytes("sent", bytes.length)
      const { digest: stated } = answer
      // It may be known by another digest alone.
      const isByOther = stated !== undefined && Digest.algorithm(stated) !== Digest.algorithm(digest)
      if (isByOther && reference === digest) yield* transport.execute(Distribution.headManifest(name, reference))
      else if (Distribution.isDoubtful(answer, digest)) yield* confirm(operation, name, reference, bytes, digest)
      if (stated !== undefined && stated !== digest && Digest.algorithm(stated) === Digest.algorithm(digest)) {
        const description = "the registry took another manifest"
        return yield* fail(operation, new ContentMismatch({ description, expected: digest, actual: stated }))
      }
    }
    return { mediaType, digest, size: bytes.length }
  })

  const deleteManifest = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string
  ): Effect.fn.Return<Digest.Digest, RegistryError> {
    const operation = "RegistryContent.deleteManifest"
    const name = yield* repositoryName(operation, repository)
    const reference = yield* Arguments.tagOrDigest(operation, tagOrDigest)
    const digest = Digest.isDigest(reference)
      ? reference
      : (yield* Effect.mapError(resolve(repository, reference), named(operation))).digest
    return yield* transport.execute(Distribution.deleteManifest(operation, name, digest))
  })

  return { manifest, resolve, putManifest, deleteManifest }
}
