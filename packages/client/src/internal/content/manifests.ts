/**
 * The operations on manifests.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import { digest as digestOfBytes, type Start } from "../../Hasher.ts"
import * as Manifest from "../../Manifest.ts"
import * as MediaTypes from "../../MediaType.ts"
import {
  ContentMismatch,
  InvalidRequest,
  InvalidResponse,
  type Reason,
  RegistryError,
  TooLarge
} from "../../RegistryError.ts"
import * as Referrer from "../../Referrer.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import * as Absent from "../api/absent.ts"
import * as Arguments from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import { orByGet } from "../api/shortcut.ts"
import { named } from "../http/named.ts"
import { byteCounter } from "../http/telemetry.ts"
import type { PutManifestOptions, PutManifestResult, ReferrersOptions } from "../transfer/options.ts"
import * as Reading from "./reading.ts"
import * as Referrers from "./referrers.ts"
import { digested } from "./signed.ts"

/** A manifest of `Manifest.image` or `Manifest.index`, a pulled manifest, or the bytes of one. */
export type Putable = Manifest.ImageManifest | Manifest.ImageIndex | Manifest.Raw | Uint8Array | string

const fail = (operation: string, reason: Reason) => new RegistryError({ operation, reason })

const readMediaType = Schema.decodeResult(Schema.fromJsonString(Schema.Struct({ mediaType: MediaTypes.MediaType })))

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const isMade = (manifest: Putable): manifest is Manifest.ImageManifest | Manifest.ImageIndex =>
  typeof manifest === "object" && "_tag" in manifest

/** The bytes to put, and their descriptor if the manifest was pulled: its bytes are put unchanged. */
const bytesOf = (manifest: Putable): { readonly bytes: Uint8Array; readonly descriptor?: Descriptor } => {
  if (manifest instanceof Uint8Array) return { bytes: manifest }
  if (typeof manifest === "string") return { bytes: encoder.encode(manifest) }
  return isMade(manifest) ? { bytes: encoder.encode(Manifest.format(manifest)) } : manifest
}

/** The bytes to put. Fails if registries need not accept them. */
const contentOf = (operation: string, manifest: Putable): Effect.Effect<ReturnType<typeof bytesOf>, RegistryError> => {
  // Some tools omit the size, and other tools then refuse the manifest.
  if (isMade(manifest) && manifest.subject !== undefined && manifest.subject.size === undefined) {
    return Arguments.refuse(operation, "the subject of a manifest must have a size", "manifest", "subject")
  }
  const content = bytesOf(manifest)
  const limitBytes = Distribution.maxManifestBytes
  return content.bytes.length > limitBytes
    ? Effect.fail(fail(operation, new TooLarge({ description: "the manifest", limitBytes })))
    : Effect.succeed(content)
}

/** The media type of the caller, or else that of the content. */
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
  const read = Reading.make(transport, startHash)
  const referrersOf = Referrers.make(transport, read)

  const readAt = Effect.fnUntraced(function* (operation: string, repository: string, tagOrDigest: string) {
    const name = yield* repositoryName(operation, repository)
    return yield* read(operation, name, yield* Arguments.tagOrDigest(operation, tagOrDigest))
  })

  const rawManifest = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string
  ): Effect.fn.Return<Manifest.Raw, RegistryError> {
    const { bytes, descriptor } = yield* readAt("RegistryContent.rawManifest", repository, tagOrDigest)
    return { bytes, descriptor }
  })

  const manifest = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string
  ): Effect.fn.Return<Manifest.Content, RegistryError> {
    const { bytes, descriptor } = yield* readAt("RegistryContent.manifest", repository, tagOrDigest)
    // Verified bytes are useful even if they cannot be parsed.
    return { bytes, descriptor, manifest: Manifest.view(descriptor.mediaType, decoder.decode(bytes)) }
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
    // The content has what the registry does not state.
    if (mediaType === undefined || digest === undefined || size === undefined) {
      return (yield* read(operation, name, reference)).descriptor
    }
    return { mediaType, digest, size }
  })

  /** Fails unless a reference resolves to this manifest. */
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
      // The tag may still name the previous manifest, or the server may not be a registry.
      const there = yield* transport.execute(Distribution.getManifest(name, reference))
      if (Equal.equals(there.bytes, bytes)) return
      return yield* fail(
        operation,
        new InvalidResponse({
          description: "the registry accepted the manifest, but has another one or none in its place"
        })
      )
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )

  /**
   * Puts a manifest by a digest or a tag, and ensures that it exists. Returns what the registry states about its
   * subject.
   */
  const put = Effect.fnUntraced(function* (
    operation: string,
    name: RepositoryName,
    reference: Tag | Digest.Digest,
    { bytes, descriptor: { digest, mediaType } }: Manifest.Raw
  ): Effect.fn.Return<string | undefined, RegistryError> {
    const answer = yield* transport.execute(Distribution.putManifest(name, reference, mediaType, bytes))
    yield* countBytes("sent", bytes.length)
    const { digest: stated } = answer
    // The registry may know it only by another digest.
    const isByOther = stated !== undefined && Digest.algorithm(stated) !== Digest.algorithm(digest)
    if (isByOther && reference === digest) yield* transport.execute(Distribution.headManifest(name, reference))
    else if (Distribution.isDoubtful(answer, digest)) yield* confirm(operation, name, reference, bytes, digest)
    const actual = Distribution.otherThan(digest, stated)
    if (actual !== undefined) {
      const description = "the registry accepted another manifest"
      return yield* fail(operation, new ContentMismatch({ description, expected: digest, actual }))
    }
    return answer.subject
  })

  const putManifest = Effect.fnUntraced(function* (
    repository: string,
    putable: Putable,
    options: PutManifestOptions = {}
  ): Effect.fn.Return<PutManifestResult, RegistryError> {
    const operation = "RegistryContent.putManifest"
    const name: RepositoryName = yield* repositoryName(operation, repository)
    const { bytes, descriptor: known } = yield* contentOf(operation, putable)
    const mediaType = yield* mediaTypeOf(operation, options.mediaType ?? known?.mediaType, bytes)
    const algorithm = options.algorithm ?? (known === undefined ? "sha256" : Digest.algorithm(known.digest))
    const [digest, ...others] = Array.map(digested(mediaType, bytes), (part) =>
      digestOfBytes(startHash, algorithm, part)
    )
    // With another algorithm there is nothing to compare.
    if (
      known !== undefined &&
      algorithm === Digest.algorithm(known.digest) &&
      ![digest, ...others].includes(known.digest)
    ) {
      const description = "the manifest does not match its descriptor"
      return yield* fail(operation, new ContentMismatch({ description, expected: known.digest, actual: digest }))
    }
    const firstTag = options.tag === undefined ? [] : [yield* Arguments.tag(operation, options.tag)]
    const otherTags = yield* Effect.forEach(options.tags ?? [], (tag) => Arguments.tag(operation, tag, "tags"))
    const tags = [...firstTag, ...otherTags]
    const raw = { bytes, descriptor: { mediaType, digest, size: bytes.length } }

    // By a tag, registries store a manifest only under its sha256 digest.
    const byDigest = tags.length === 0 || algorithm !== "sha256"
    const references: ReadonlyArray<Tag | Digest.Digest> = [...(byDigest ? [digest] : []), ...tags]
    const answered = yield* Effect.forEach(references, (reference, index) =>
      Effect.mapError(put(operation, name, reference, raw), (error) =>
        index === 0
          ? error
          : new RegistryError({ ...error, completed: `${digest} was put as ${references.slice(0, index).join(", ")}` })
      )
    )
    const listedBy = yield* Option.match(Referrer.fromManifest(raw), {
      onNone: () => Effect.succeedNone,
      onSome: (referrer) => Effect.asSome(referrersOf.listPushed(operation, name, referrer, answered))
    })
    return { descriptor: raw.descriptor, listedBy }
  })

  const retag = Effect.fnUntraced(function* (
    repository: string,
    tagOrDigest: string,
    tag: string
  ): Effect.fn.Return<Descriptor, RegistryError> {
    const operation = "RegistryContent.retag"
    const name = yield* repositoryName(operation, repository)
    const from = yield* Arguments.tagOrDigest(operation, tagOrDigest)
    const to = yield* Arguments.tag(operation, tag)
    const raw = yield* read(operation, name, from)
    yield* Effect.mapError(put(operation, name, to, raw), named(operation))
    return raw.descriptor
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
    const deletion = transport.execute(Absent.refusingPortals(Distribution.deleteManifest(operation, name, digest)))
    return yield* referrersOf.deleting(operation, name, digest, deletion)
  })

  const referrers = (
    repository: string,
    tagOrDigest: string,
    { artifactType }: ReferrersOptions = {}
  ): Stream.Stream<Descriptor, RegistryError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const operation = "RegistryContent.referrers"
        const name = yield* repositoryName(operation, repository)
        const reference = yield* Arguments.tagOrDigest(operation, tagOrDigest)
        const type = artifactType === undefined ? undefined : yield* Arguments.artifactType(operation, artifactType)
        const subject = Digest.isDigest(reference)
          ? reference
          : (yield* Effect.mapError(resolve(repository, reference), named(operation))).digest
        return Stream.mapError(referrersOf.list(name, subject, type), named(operation))
      })
    )

  return { manifest, rawManifest, resolve, putManifest, retag, deleteManifest, referrers }
}
