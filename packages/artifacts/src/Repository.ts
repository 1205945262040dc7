/**
 * A repository of a registry as a store.
 *
 * @since 0.1.0
 */
import type { BlobSource } from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import type * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import { ContentMismatch, digestOf, RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import { type ContentStore, MissingContent, type Pointer } from "./ContentStore.ts"
import { ifFound, orEmpty } from "./internal/found.ts"
import { neededBy } from "./internal/references.ts"
import * as Turns from "./internal/turns.ts"

/**
 * A repository of a registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Repository extends ContentStore<RegistryError> {
  /** The reference by which it was opened. A tag or a digest in the reference has no effect. */
  readonly reference: Reference.Reference
}

/** OCI distribution specification, "Error Codes", and other codes that registries return for a missing child. */
const missingCodes: ReadonlySet<string> = new Set(["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"])

/** Whether a registry refused a manifest because it lacks content. */
const isMissing = ({ completed, response }: RegistryError): boolean =>
  // Once the manifest itself is pushed, the error is about the list of its subject's referrers.
  completed === undefined && response?.errors.some(({ code }) => missingCodes.has(code)) === true

const missingOf = (manifest: Digest.Digest, { response }: RegistryError): MissingContent =>
  new MissingContent({
    manifest,
    digests: (response?.errors ?? []).flatMap((error) => Option.toArray(digestOf(error)))
  })

/** More than the manifests that are put at the same time lack. */
const mostLacked = 1024

/**
 * Makes a store from a `RegistryContent` service. Most programs want `open`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (content: RegistryContent.Service, reference: Reference.Reference): Repository => {
  const { repository } = reference
  const oneAtATime = Turns.make()
  /** What the registry lacked when it refused manifests, the latest last. A HEAD may contradict that: proxies cache responses. */
  let lacked: ReadonlyArray<Digest.Digest> = []

  /** Sends a blob without a HEAD, and without a mount. */
  const send = <E, R>({ digest }: Pointer, source: BlobSource<E, R>) =>
    content.uploadBlob(repository, source, { algorithm: Digest.algorithm(digest) }).pipe(
      Effect.filterOrFail(
        (sent) => sent.digest === digest,
        (sent) => {
          const description = "the content does not match its digest"
          const reason = new ContentMismatch({ description, expected: digest, actual: sent.digest })
          return new RegistryError({ operation: "RegistryContent.uploadBlob", reason })
        }
      ),
      Effect.map(() => {
        lacked = lacked.filter((other) => other !== digest)
        return "sent" as const
      })
    )

  return {
    reference,
    origin: { place: content.loginServer, repository },
    resolve: (tagOrDigest) => ifFound(content.resolve(repository, tagOrDigest)),
    manifest: ({ digest }) => ifFound(content.rawManifest(repository, digest)),
    blob: (blob) => content.blobSource(repository, blob),
    has: ({ digest }) => Effect.map(ifFound(content.headBlob(repository, digest)), Option.isSome),
    tags: orEmpty(content.tags(repository)),
    referrers: (subject, options) => content.referrers(repository, subject, options),
    keeps: ({ digest }) => Effect.map(ifFound(content.resolve(repository, digest)), Option.isSome),
    putManifest: (manifest, { tags = [] } = {}) =>
      content.putManifest(repository, manifest, { tags }).pipe(
        Effect.catchIf(isMissing, (error) => {
          const missing = missingOf(manifest.descriptor.digest, error)
          const { blobs, manifests } = neededBy(manifest, false)
          const needed = [...manifests, ...blobs].map(({ digest }) => digest)
          const named = new Set(missing.digests)
          // A registry that does not report what it lacks may lack any of it.
          const isReported = needed.some((digest) => named.has(digest))
          lacked = [...lacked, ...(isReported ? named : needed)].slice(-mostLacked)
          return missing
        })
      ),
    putBlob: (blob, source, { from = [] } = {}) => {
      const mount = from.find((origin) => origin.place === content.loginServer && origin.repository !== repository)
      const put = content.putBlob(repository, blob, source, mount === undefined ? {} : { mountFrom: mount.repository })
      return oneAtATime(
        blob.digest,
        Effect.suspend(() => (lacked.includes(blob.digest) ? send(blob, source) : put))
      )
    },
    untag: (tag) => Effect.asVoid(ifFound(content.deleteTag(repository, tag))),
    remove: ({ digest }) => Effect.asVoid(ifFound(content.deleteManifest(repository, digest))),
    batch: identity
  }
}

/**
 * Opens the repository that a reference names, with the credentials for its registry. Sends no request. Fails with
 * `InvalidRequest` if the reference names no registry.
 *
 * **When to use**
 *
 * Use to read from or write to a repository of any registry. `make` takes a service that the program has already.
 *
 * **Example** (The SBOMs of an image)
 *
 * ```ts
 * import { Repository } from "@effect-acr/artifacts"
 * import { Effect, Option, Stream } from "effect"
 *
 * const sboms = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const image = yield* store.resolve("v1.4.0")
 *   if (Option.isNone(image)) return []
 *   const listed = store.referrers(image.value.digest, { artifactType: "application/spdx+json" })
 *   return yield* Stream.runCollect(listed)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (
  reference: string | Reference.Reference
): Effect.Effect<Repository, RegistryError, Registries.Registries> =>
  Effect.map(Registries.open(reference), (opened) => make(opened.content, opened.reference))
