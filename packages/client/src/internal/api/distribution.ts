/**
 * The operations of the OCI distribution API: method, path, scope, response.
 *
 * OCI distribution specification 1.1.1, "Endpoints".
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import * as MediaType from "../../MediaType.ts"
import { continued, get, type Operation, type Page, page, withQuery } from "../../Operation.ts"
import { ContentMismatch, InvalidResponse, type Reason, Refused, Unsupported } from "../../RegistryError.ts"
import { RepositoryName } from "../../RepositoryName.ts"
import * as Tag from "../../Tag.ts"
import * as TokenScope from "../../TokenScope.ts"
import { decodeJson, discard, readBytes, statedBytes } from "../http/body.ts"
import { at, atRegistry, follow, type Location, redirects } from "../http/origin.ts"
import { closedStruct, list, optional } from "../schema/fields.ts"
import { holding } from "../schema/json.ts"
import { isGeneric, manifestType } from "./manifestType.ts"
import { type Entry, isNamedBy, readPage } from "./records.ts"

/** OCI distribution specification, "Pushing manifests": the size that every registry accepts. */
export const maxManifestBytes = 4 * 1024 * 1024

/** All media types of manifests. The wildcard requests any other content. */
const manifestTypes = [
  MediaType.ociImageManifest,
  MediaType.ociImageIndex,
  MediaType.dockerManifest,
  MediaType.dockerManifestList,
  "*/*"
].join(", ")

/** Content that is compressed in transit has other bytes and another length than those of its digest. */
const uncompressed = { "accept-encoding": "identity" }

const mayPull = (repository: RepositoryName) => [TokenScope.repository(repository, "pull")]
const mayPush = (repository: RepositoryName) => [TokenScope.repository(repository, "pull", "push")]
const mayDelete = (repository: RepositoryName) => [TokenScope.repository(repository, "delete")]

/** If only headers are read, every 2xx is success: registries use different ones for the same response. */
const anySuccess = Array.from({ length: 100 }, (_, index) => 200 + index)

/** A digest that the registry states, if it is one. */
const statedDigest = (response: HttpClientResponse.HttpClientResponse): Digest.Digest | undefined => {
  const stated = response.headers["docker-content-digest"]
  return Digest.isDigest(stated) ? stated : undefined
}

/** The digest that a registry states, if it names other content. Digests of two algorithms cannot be compared. */
export const otherThan = (digest: Digest.Digest, stated: Digest.Digest | undefined): Digest.Digest | undefined =>
  stated !== undefined && stated !== digest && Digest.algorithm(stated) === Digest.algorithm(digest)
    ? stated
    : undefined

/** What the answer to a PUT says of what was put. */
export interface PutAnswer {
  readonly digest: Digest.Digest | undefined
  readonly status: number
  /** The manifest among whose referrers the registry lists what was put: `OCI-Subject`. */
  readonly subject: string | undefined
}

const readPut = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<PutAnswer, Reason> =>
  Effect.as(discard(response), {
    digest: statedDigest(response),
    status: response.status,
    subject: response.headers["oci-subject"]
  })

/**
 * Whether only another request can show that the content exists. The status of the specification is 201. Servers that are no
 * registry may answer any request with 200.
 */
export const isDoubtful = ({ digest, status }: PutAnswer, put: Digest.Digest): boolean =>
  status !== 201 && digest !== put

/** The digests of no bytes. */
const ofNothing: ReadonlySet<string> = new Set([
  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
])

/**
 * The size that the answer to a HEAD states, if it does. It is a hint: some proxies answer every HEAD with a length of
 * 0, which is right only for the empty blob.
 */
const statedSize = (
  response: HttpClientResponse.HttpClientResponse,
  digest: Digest.Digest | undefined
): number | undefined => {
  if (digest !== undefined && ofNothing.has(digest)) return 0
  const size = statedBytes(response.headers["content-length"])
  return size === 0 ? undefined : size
}

/** The media type of an answer, without its parameters, if it states one. */
const contentType = (response: HttpClientResponse.HttpClientResponse): MediaType.MediaType | undefined =>
  Option.getOrUndefined(
    Result.getSuccess(MediaType.parse((response.headers["content-type"] ?? "").split(";", 1)[0]?.trim() ?? ""))
  )

/** "Endpoints", end-1: needs only a login. */
export const greet: Operation<void> = get("/v2/", { name: "Transport.greet", decode: () => Effect.void })

/** A name in a list, even if it is invalid: the list continues after it. */
const nameOf: (entry: Entry<string>) => string = Result.match({
  onSuccess: String,
  onFailure: ({ raw }) => (typeof raw === "string" ? raw : "")
})

/* Repositories */

const decodeRepositories = decodeJson(
  holding("repositories").pipe(Schema.decodeTo(closedStruct({ repositories: list(Schema.Unknown) })))
)
const decodeRepositoryName = Schema.decodeUnknownResult(RepositoryName)

const repositoryNames = page((response) =>
  Effect.flatMap(decodeRepositories(response), ({ repositories }) =>
    readPage("RegistryContent.repositories", repositories, Predicate.isString, decodeRepositoryName)
  )
)

/**
 * Lists repositories. Distribution's documentation, "Listing Repositories": the OCI specification has not included it
 * since 1.0, but most registries for one organization have it.
 */
export const listRepositories = (part: {
  readonly n: number | undefined
  readonly last: string | undefined
}): Operation<Page<Entry<RepositoryName>>> => ({
  name: "RegistryContent.repositories",
  method: "GET",
  path: withQuery("/v2/_catalog", { n: part.n, last: part.last }),
  followsRedirects: true,
  scopes: [TokenScope.catalog],
  bucket: "read",
  missing: "endpoint",
  success: [200],
  repeat: "always",
  decode: continued(repositoryNames, {
    path: "/v2/_catalog",
    query: { n: part.n },
    pageSize: part.n,
    positionOf: nameOf
  })
})

/* Tags */

const decodeTags = decodeJson(
  holding("tags", "name").pipe(Schema.decodeTo(closedStruct({ tags: list(Schema.Unknown) })))
)
const decodeTag = Schema.decodeUnknownResult(Tag.Tag)

const tagNames = page((response) =>
  Effect.flatMap(decodeTags(response), ({ tags }) =>
    readPage("RegistryContent.tags", tags, Predicate.isString, decodeTag)
  )
)

export const listTags = (
  repository: RepositoryName,
  part: { readonly n: number | undefined; readonly last: string | undefined }
): Operation<Page<Entry<Tag.Tag>>> => ({
  name: "RegistryContent.tags",
  method: "GET",
  path: withQuery(`/v2/${repository}/tags/list`, { n: part.n, last: part.last }),
  followsRedirects: true,
  subject: { repository },
  scopes: mayPull(repository),
  bucket: "read",
  missing: "repository",
  success: [200],
  repeat: "always",
  decode: continued(tagNames, {
    path: `/v2/${repository}/tags/list`,
    query: { n: part.n },
    pageSize: part.n,
    positionOf: nameOf
  })
})

/** Deletes only a tag. "Deleting tags": `DELETE` with a tag in place of a digest. */
export const deleteTag = (repository: RepositoryName, tag: Tag.Tag): Operation<void> => ({
  name: "RegistryContent.deleteTag",
  method: "DELETE",
  path: `/v2/${repository}/manifests/${tag}`,
  subject: { repository, reference: tag },
  scopes: mayDelete(repository),
  bucket: "delete",
  missing: "tag",
  success: anySuccess,
  repeat: "always",
  decode: discard,
  whenGone: Effect.void
})

/* Manifests */

/** The answer to a request for a manifest. */
export interface ManifestAnswer {
  readonly bytes: Uint8Array
  readonly mediaType: MediaType.MediaType
  readonly digest: Digest.Digest | undefined
  /** The entity tag, for a later conditional request (RFC 9110, section 8.8.3). */
  readonly entityTag: string | undefined
}

/** What names a manifest in a path. */
type Reference = Tag.Tag | Digest.Digest

const manifest = (repository: RepositoryName, reference: Reference) =>
  ({
    path: `/v2/${repository}/manifests/${reference}`,
    subject: { repository, reference },
    headers: { ...uncompressed, accept: manifestTypes },
    scopes: mayPull(repository),
    bucket: "read",
    missing: "manifest",
    success: [200],
    repeat: "always",
    followsRedirects: true
  }) as const

export const getManifest = (repository: RepositoryName, reference: Reference): Operation<ManifestAnswer> => ({
  ...manifest(repository, reference),
  name: "RegistryContent.manifest",
  method: "GET",
  decode: (response) =>
    Effect.map(readBytes(response, "the manifest", maxManifestBytes), (bytes) => ({
      mediaType: manifestType(contentType(response), bytes),
      digest: statedDigest(response),
      entityTag: response.headers["etag"],
      bytes
    }))
})

/** What the answer to a HEAD states of a manifest. */
export interface StatedManifest {
  readonly mediaType: MediaType.MediaType | undefined
  readonly digest: Digest.Digest | undefined
  readonly size: number | undefined
}

export const nothingStated: StatedManifest = { mediaType: undefined, digest: undefined, size: undefined }

export const headManifest = (repository: RepositoryName, reference: Reference): Operation<StatedManifest> => ({
  ...manifest(repository, reference),
  name: "RegistryContent.resolve",
  method: "HEAD",
  success: anySuccess,
  decode: (response) => {
    const mediaType = contentType(response)
    return Effect.succeed({
      // A HEAD cannot state what only the content decides.
      mediaType: mediaType === undefined || isGeneric(mediaType) ? undefined : mediaType,
      digest: statedDigest(response),
      size: statedSize(response, undefined)
    })
  }
})

/** Putting the same manifest twice has the same result as once. */
const putting = (repository: RepositoryName, reference: Reference, mediaType: MediaType.MediaType, bytes: Uint8Array) =>
  ({
    name: "RegistryContent.putManifest",
    method: "PUT",
    path: `/v2/${repository}/manifests/${reference}`,
    subject: { repository, reference },
    body: HttpBody.uint8Array(bytes, mediaType),
    scopes: mayPush(repository),
    bucket: "write",
    missing: "repository",
    repeat: "always"
  }) as const

export const putManifest = (
  repository: RepositoryName,
  reference: Reference,
  mediaType: MediaType.MediaType,
  bytes: Uint8Array
): Operation<PutAnswer> => ({
  ...putting(repository, reference, mediaType, bytes),
  success: anySuccess,
  decode: readPut
})

/** What a tag must name, or that it must not exist, for a PUT to be carried out (RFC 9110, section 13.1). */
export type Condition = { readonly "if-match": string } | { readonly "if-none-match": "*" }

const preconditionFailed = 412

/** Puts a manifest if a condition holds, on registries that honour conditions. Returns whether the registry refused. */
export const putManifestIf = (
  repository: RepositoryName,
  tag: Tag.Tag,
  bytes: Uint8Array,
  condition: Condition
): Operation<"put" | "refused"> => ({
  ...putting(repository, tag, MediaType.ociImageIndex, bytes),
  headers: condition,
  success: [...anySuccess, preconditionFailed],
  decode: (response) =>
    Effect.as(discard(response), response.status === preconditionFailed ? ("refused" as const) : ("put" as const))
})

/** ACR's own clients delete manifests with this request as well: the management API has none. */
export const deleteManifest = (
  name: string,
  repository: RepositoryName,
  digest: Digest.Digest
): Operation<Digest.Digest> => ({
  name,
  method: "DELETE",
  path: `/v2/${repository}/manifests/${digest}`,
  subject: { repository, digest },
  scopes: mayDelete(repository),
  bucket: "delete",
  missing: "manifest",
  success: anySuccess,
  repeat: "always",
  decode: (response) => Effect.as(discard(response), digest),
  whenGone: Effect.succeed(digest)
})

/* Referrers */

/** A descriptor in a list of referrers, and whether the registry left out those of other artifact types. */
export interface ListedReferrer {
  readonly entry: Entry<Descriptor>
  readonly isFiltered: boolean
}

/** Release candidates of the specification had the annotation, before there was the header. */
const filtersAnnotation = "org.opencontainers.referrers.filtersApplied"

const decodeReferrers = decodeJson(
  closedStruct({ manifests: list(Schema.Unknown), annotations: optional(Schema.Unknown) })
)
const decodeDescriptor = Schema.decodeUnknownResult(Descriptor)

const namesType = (filters: unknown): boolean =>
  typeof filters === "string" && filters.split(",").some((filter) => filter.trim() === "artifactType")

/** "Listing Referrers": the media type distinguishes the list from what other servers answer on this path. */
const readReferrers = page((response) =>
  Effect.gen(function* (): Effect.fn.Return<ReadonlyArray<ListedReferrer>, Reason> {
    if (MediaType.essence(contentType(response) ?? MediaType.octetStream) !== MediaType.ociImageIndex) {
      const description = "the registry has no referrers API: its response is not an image index"
      return yield* Effect.andThen(discard(response), Effect.fail(new Unsupported({ description })))
    }
    const { annotations, manifests } = yield* decodeReferrers(response)
    const annotated = Predicate.isObject(annotations) ? annotations[filtersAnnotation] : undefined
    const isFiltered = namesType(response.headers["oci-filters-applied"]) || namesType(annotated)
    const entries = yield* readPage("RegistryContent.referrers", manifests, isNamedBy("digest"), decodeDescriptor)
    return entries.map((entry) => ({ entry, isFiltered }))
  })
)

/** A registry answers with an empty list if there are no referrers. A 404 means that it does not have the API. */
export const listReferrers = (
  repository: RepositoryName,
  subject: Digest.Digest,
  artifactType: MediaType.MediaType | undefined
): Operation<Page<ListedReferrer>> => ({
  name: "RegistryContent.referrers",
  method: "GET",
  path: withQuery(`/v2/${repository}/referrers/${subject}`, { artifactType }),
  headers: { accept: MediaType.ociImageIndex },
  followsRedirects: true,
  subject: { repository, digest: subject },
  scopes: mayPull(repository),
  bucket: "referrers",
  missing: "manifest",
  success: [200],
  repeat: "always",
  decode: readReferrers
})

/* Blobs */

const blobPath = (repository: RepositoryName, digest: Digest.Digest): string => `/v2/${repository}/blobs/${digest}`

const askingForBlob = (name: string, repository: RepositoryName, digest: Digest.Digest) =>
  ({
    name,
    method: "HEAD",
    path: blobPath(repository, digest),
    subject: { repository, digest },
    headers: uncompressed,
    scopes: mayPull(repository),
    bucket: "read",
    missing: "blob",
    success: anySuccess,
    repeat: "always",
    followsRedirects: true
  }) as const

/** The size of a blob, if the registry states it. */
export const headBlob = (
  name: string,
  repository: RepositoryName,
  digest: Digest.Digest
): Operation<number | undefined> => ({
  ...askingForBlob(name, repository, digest),
  decode: (response) => Effect.succeed(statedSize(response, digest))
})

/** A blob that exists, with its size in bytes if the registry states it. */
interface FoundBlob {
  readonly size: number | undefined
}

/**
 * Looks for a blob. Most blobs of a push do not exist: an error for each of them took a fifteenth of the time of a push
 * of 60 blobs of a mebibyte.
 */
export const findBlob = (repository: RepositoryName, digest: Digest.Digest): Operation<Option.Option<FoundBlob>> => ({
  ...askingForBlob("RegistryContent.headBlob", repository, digest),
  decode: (response) => Effect.succeedSome({ size: statedSize(response, digest) }),
  whenMissing: Effect.succeedNone
})

export const deleteBlob = (repository: RepositoryName, digest: Digest.Digest): Operation<void> => ({
  name: "RegistryContent.deleteBlob",
  method: "DELETE",
  path: blobPath(repository, digest),
  subject: { repository, digest },
  scopes: mayDelete(repository),
  bucket: "delete",
  missing: "blob",
  success: anySuccess,
  repeat: "always",
  decode: discard,
  whenGone: Effect.void
})

/** An address whose query is as good as a credential: the state of a session, the signature of a link. */
export type SecretLocation = Redacted.Redacted<Location>

/** An answer with the bytes, or with the address of the bytes. */
export type BlobAnswer =
  | { readonly _tag: "Bytes"; readonly response: HttpClientResponse.HttpClientResponse }
  | { readonly _tag: "Elsewhere"; readonly location: SecretLocation }

/** Reads an answer that may send the client elsewhere. */
const readBlobAnswer =
  (from: Location) =>
  (response: HttpClientResponse.HttpClientResponse): Effect.Effect<BlobAnswer, Reason> =>
    redirects.includes(response.status)
      ? Effect.andThen(
          discard(response),
          Effect.map(readLocation(response, from, "content"), (location): BlobAnswer => ({
            _tag: "Elsewhere",
            location
          }))
        )
      : Effect.succeed({ _tag: "Bytes", response })

/** Bytes of a blob, from the registry or from its storage. The caller resumes after a fault. */
export const getBlob = (
  repository: RepositoryName,
  digest: Digest.Digest,
  options: {
    readonly endpoint: string
    readonly at: SecretLocation | undefined
    readonly range: string | undefined
  }
): Operation<BlobAnswer> => {
  const location =
    options.at === undefined ? atRegistry(options.endpoint, blobPath(repository, digest)) : Redacted.value(options.at)
  return {
    name: "RegistryContent.blob",
    method: "GET",
    ...at(location),
    subject: { repository, digest },
    headers: {
      ...uncompressed,
      accept: "application/octet-stream, */*",
      ...(options.range === undefined ? {} : { range: options.range })
    },
    scopes: mayPull(repository),
    bucket: "read",
    missing: "blob",
    success: [200, 206, ...redirects],
    repeat: "never",
    decode: readBlobAnswer(location)
  }
}

/* Uploads */

/** The state of an upload session. */
export interface SessionAnswer {
  /** The location of the next request. Each answer names a new one. */
  readonly location: SecretLocation
  /** The offset of the last byte that the registry has, if it states one; 0 may also mean that it has none. */
  readonly lastByte: number | undefined
  /** The minimum size of a chunk that the registry accepts, in bytes. */
  readonly chunkMinBytes: number
}

const readLocation = (
  response: HttpClientResponse.HttpClientResponse,
  from: Location,
  purpose: "content" | "session"
): Effect.Effect<SecretLocation, Reason> => {
  const stated = response.headers["location"]
  return stated === undefined
    ? Effect.fail(new InvalidResponse({ description: "the response does not name the location to continue at" }))
    : Effect.mapBoth(Effect.fromResult(follow(stated, from, purpose)), {
        onFailure: (problem) => new Refused({ description: `the location to continue at ${problem}` }),
        onSuccess: (location) => Redacted.make(location, { label: "location" })
      })
}

/** `0-1238`: from the first byte to the last received one. */
const rangePattern = /^(?:bytes=)?0-(\d{1,15})$/

const readSession =
  (from: Location) =>
  (response: HttpClientResponse.HttpClientResponse): Effect.Effect<SessionAnswer, Reason> =>
    Effect.gen(function* () {
      yield* discard(response)
      const range = rangePattern.exec(response.headers["range"] ?? "")
      return {
        location: yield* readLocation(response, from, "session"),
        lastByte: range === null ? undefined : Number(range[1]),
        chunkMinBytes: statedBytes(response.headers["oci-chunk-min-length"]) ?? 0
      }
    })

/** A blob of another repository that may be mounted instead of sent. */
export interface Mount {
  readonly digest: Digest.Digest
  readonly from: RepositoryName
}

/** An answer to the opening of a session. */
export type OpenAnswer =
  | { readonly _tag: "Session"; readonly session: SessionAnswer }
  | { readonly _tag: "Mounted" }
  | { readonly _tag: "Elsewhere"; readonly location: SecretLocation }

/** Takes the registry's word for a mount, unless it names other content. */
const readMounted = (
  response: HttpClientResponse.HttpClientResponse,
  { digest }: Mount
): Effect.Effect<OpenAnswer, Reason> => {
  const actual = otherThan(digest, statedDigest(response))
  if (actual === undefined) return Effect.succeed({ _tag: "Mounted" })
  return Effect.fail(
    new ContentMismatch({ description: "the registry says that it mounted other content", expected: digest, actual })
  )
}

/** The redirects that a POST follows unchanged. */
const keepingMethod = [307, 308]

/** Opens a session, or mounts a blob, which leaves no session. If the answer is lost, the session expires unused. */
export const openUpload = (
  repository: RepositoryName,
  options: {
    readonly endpoint: string
    readonly at: SecretLocation | undefined
    readonly mount: Mount | undefined
  }
): Operation<OpenAnswer> => {
  const { mount } = options
  const path = withQuery(`/v2/${repository}/blobs/uploads/`, { mount: mount?.digest, from: mount?.from })
  const location = options.at === undefined ? atRegistry(options.endpoint, path) : Redacted.value(options.at)
  return {
    name: "RegistryContent.openUpload",
    method: "POST",
    ...at(location),
    subject: mount === undefined ? { repository } : { repository, digest: mount.digest },
    scopes: mount === undefined ? mayPush(repository) : [...mayPush(repository), ...mayPull(mount.from)],
    bucket: "write",
    missing: "repository",
    success: [...anySuccess, ...keepingMethod],
    repeat: "always",
    decode: (response): Effect.Effect<OpenAnswer, Reason> => {
      // With any other location the registry has opened a session, whatever its status says.
      const isSession = /\/blobs\/uploads\//.test(response.headers["location"] ?? "")
      if (mount !== undefined && response.status === 201 && !isSession) {
        return Effect.flatMap(discard(response), () => readMounted(response, mount))
      }
      return keepingMethod.includes(response.status)
        ? Effect.map(readLocation(response, location, "session"), (location) => ({ _tag: "Elsewhere", location }))
        : Effect.map(readSession(location)(response), (session) => ({ _tag: "Session", session }))
    }
  }
}

const session = (repository: RepositoryName, location: SecretLocation) =>
  ({
    ...at(Redacted.value(location)),
    subject: { repository },
    scopes: mayPush(repository),
    bucket: "write",
    missing: "upload"
  }) as const

/** The bytes of a request on a session. */
export interface SentBytes {
  readonly body: HttpBody.HttpBody
  /** The offsets of the bytes, if they are a chunk: `8-15`. */
  readonly contentRange?: string
  readonly stalled: Effect.Effect<Reason>
  readonly onSent?: NonNullable<Operation<unknown>["onSent"]>
}

const sending = ({ body, contentRange, onSent, stalled }: SentBytes) => ({
  headers: contentRange === undefined ? {} : { "content-range": contentRange },
  body,
  stalled,
  ...(onSent === undefined ? {} : { onSent })
})

/** Sends bytes. The caller handles faults. */
export const sendBytes = (
  repository: RepositoryName,
  location: SecretLocation,
  bytes: SentBytes
): Operation<SessionAnswer> => ({
  ...session(repository, location),
  name: "RegistryContent.sendBytes",
  method: "PATCH",
  ...sending(bytes),
  success: anySuccess,
  repeat: "never",
  decode: readSession(Redacted.value(location))
})

/** Requests the offset that a session has reached. */
export const uploadStatus = (repository: RepositoryName, location: SecretLocation): Operation<SessionAnswer> => ({
  ...session(repository, location),
  name: "RegistryContent.uploadStatus",
  method: "GET",
  bucket: "read",
  success: anySuccess,
  repeat: "always",
  decode: readSession(Redacted.value(location))
})

/** Closes a session: its bytes, and those of the request, become the blob. */
export const commitUpload = (
  repository: RepositoryName,
  location: SecretLocation,
  digest: Digest.Digest,
  bytes: SentBytes
): Operation<PutAnswer> => ({
  ...session(repository, location),
  // The query of a location belongs to the registry and is kept unchanged.
  path: withQuery(Redacted.value(location).path, { digest }),
  name: "RegistryContent.commitUpload",
  method: "PUT",
  ...sending(bytes),
  success: anySuccess,
  repeat: "never",
  decode: readPut
})

/** Cancels a session, without retries: if that fails, the session expires. */
export const cancelUpload = (repository: RepositoryName, location: SecretLocation): Operation<void> => ({
  ...session(repository, location),
  name: "RegistryContent.cancelUpload",
  method: "DELETE",
  scopes: mayDelete(repository),
  success: anySuccess,
  repeat: "never",
  decode: discard
})
