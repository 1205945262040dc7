/**
 * OCI distribution, `/v2`: manifests, blobs, tags and referrers.
 */
import { readFile } from "node:fs/promises"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Modes } from "../Modes.ts"
import {
  type Answer,
  blobNotKnown,
  blobUnknown,
  disallowed,
  empty,
  error,
  json,
  manifestUnknown,
  nameUnknown
} from "./answer.ts"
import { type Conditions, entityTag, hold, namesWeakly, preconditionFailed, unconditional } from "./conditions.ts"
import * as Contents from "./contents.ts"
import { describe, maxManifestBytes, viewOf } from "./description.ts"
import { byKey, page, type Part } from "./page.ts"
import * as Referrers from "./referrers.ts"
import * as Schema1 from "./schema1.ts"
import { tagsByName } from "./management.ts"
import {
  type Attributes,
  blobOf,
  putManifest,
  putTag,
  referrersOf,
  type Repository,
  type Store,
  type StoredManifest,
  touchRepository
} from "./store.ts"
import { softDeleted, type Trash } from "./trash.ts"

/**
 * The answer to content that is not a manifest, or not the one that its Content-Type states. Azure/azure-sdk-assets,
 * .NET, recording CanSetDockerManifest: ACR does not say what is wrong.
 */
const manifestInvalid: Answer = error(400, "MANIFEST_INVALID", "manifest invalid", { Reason: {} })

/** ACR refuses `text/plain` and `application/json`. All media types of manifests are vendor types. */
const isOfVendor = (mediaType: MediaType.MediaType): boolean =>
  MediaType.essence(mediaType).startsWith("application/vnd.")

const dockerTypes = [MediaType.dockerManifest, MediaType.dockerManifestList]

/** Whether a manifest states the type of its push. Those of OCI may state none. */
const namesItsType = (mediaType: MediaType.MediaType, view: Manifest.Manifest): boolean => {
  if (view._tag === "UnknownManifest") return true
  const type = MediaType.essence(mediaType)
  return view.mediaType === undefined ? !dockerTypes.includes(type) : MediaType.essence(view.mediaType) === type
}

/** Clients accept a manifest without a version. Registries, such as distribution, refuse it. */
const decodeVersion = Schema.decodeOption(Schema.fromJsonString(Schema.Struct({ schemaVersion: Schema.Literal(2) })))

const find = (repository: Repository, reference: string) => {
  const tag = repository.tags.get(reference)
  const manifest = repository.manifests.get(tag?.digest ?? reference)
  return manifest === undefined
    ? undefined
    : { manifest, held: [repository, manifest, ...(tag === undefined ? [] : [tag])] }
}

/**
 * Whether a manifest is in quarantine. Azure/acr, docs/preview/quarantine: every manifest without the state `Passed` is
 * blocked. The name of the state before a scan is not documented.
 */
const isQuarantined = ({ quarantineState }: StoredManifest): boolean =>
  quarantineState !== undefined && quarantineState !== "Passed"

/** A request for a manifest. */
export interface Pull {
  readonly accept: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly mayQuarantine: boolean
  readonly nowMillis: number
}

const isReadable = ({ attributes }: { readonly attributes: Attributes }): boolean => attributes.readEnabled

const accepts = (accept: string | undefined, mediaType: string): boolean =>
  accept === undefined ||
  accept.split(",").some((part) => {
    const [range = ""] = part.split(";")
    return range.trim() === "*/*" || range.trim() === mediaType
  })

/** Azure/acr, pull request 764, shows the text for an image of OCI. */
const notAcceptedText = (mediaType: string): string => {
  switch (mediaType.toLowerCase()) {
    case MediaType.ociImageManifest:
      return "OCI manifest found, but accept header does not support OCI manifests"
    case MediaType.ociImageIndex:
      return "OCI index found, but accept header does not support OCI indexes"
    default:
      return `${mediaType} found, but accept header does not support it`
  }
}

const notAccepted = (mediaType: string): Answer => error(404, "MANIFEST_UNKNOWN", notAcceptedText(mediaType))

const missingPart = (repository: Repository | undefined, manifest: Manifest.Manifest): Descriptor | undefined => {
  const { blobs, manifests } = Manifest.references(manifest)
  return (
    manifests.find(({ digest }) => repository?.manifests.has(digest) !== true) ??
    blobs.find(({ digest, urls }) => repository?.blobs.has(digest) !== true && (urls ?? []).length === 0)
  )
}

export interface Parts {
  readonly store: Store
  readonly trash: Pick<Trash, "holds">
  readonly modes: () => Pick<Modes, "referrers" | "conditionalPut">
}

export const make = ({ modes, store, trash }: Parts) => {
  const schema1 = Schema1.make()

  /** A Docker image for a caller that does not accept schema 2. */
  const serveSchema1 = async (repository: Repository, tag: string, manifest: StoredManifest, pull: Pull) => {
    const view = Manifest.view(
      MediaType.dockerManifest,
      new TextDecoder().decode(Contents.read(store.directory, manifest.digest))
    )
    if (view._tag !== "ImageManifest") return notAccepted(manifest.mediaType)
    const config = blobOf(store, repository, view.config.digest)
    const { bytes, digest } = schema1(
      {
        name: repository.name,
        tag,
        architecture: manifest.architecture ?? "",
        layers: view.layers.map(({ digest }) => digest),
        config: config === undefined || config.size > maxManifestBytes ? undefined : await readFile(config.file, "utf8")
      },
      pull.nowMillis
    )
    return { digest, mediaType: MediaType.dockerSchema1SignedManifest, size: bytes.length, bytes }
  }

  const serveManifest = async (name: string, reference: string, pull: Pull, withBody: boolean): Promise<Answer> => {
    const repository = store.repositories.get(name)
    if (repository === undefined) return manifestUnknown(reference)
    const found = find(repository, reference)
    if (found === undefined) return manifestUnknown(reference)
    const { held, manifest } = found
    // Azure/acr, docs/preview/quarantine: by tag it is not found, by digest "The operation is disallowed".
    if (isQuarantined(manifest) && !pull.mayQuarantine) {
      return reference.includes(":") ? disallowed : manifestUnknown(reference)
    }
    if (!held.every(isReadable)) return disallowed
    const isDocker = manifest.mediaType.toLowerCase() === MediaType.dockerManifest
    const isAccepted = accepts(pull.accept, manifest.mediaType)
    if (!isAccepted && !isDocker) return notAccepted(manifest.mediaType)
    // A manifest that is requested by digest has this digest in its answer.
    const served =
      isAccepted || reference.includes(":") ? manifest : await serveSchema1(repository, reference, manifest, pull)
    if ("status" in served) return served
    const identity = {
      "Docker-Content-Digest": served.digest,
      // Recordings of ACR show an entity tag with GET. None shows whether ACR honours it in `If-Match`.
      ETag: entityTag(served.digest)
    }
    // RFC 9110, section 13.1.2.
    if (pull.ifNoneMatch !== undefined && namesWeakly(pull.ifNoneMatch, served.digest)) {
      return { status: 304, headers: identity, body: undefined }
    }
    return {
      status: 200,
      headers: {
        "Content-Type": served.mediaType,
        ...identity,
        ...(withBody ? {} : { "Content-Length": String(served.size) })
      },
      body: withBody ? ("bytes" in served ? served.bytes : Contents.read(store.directory, served.digest)) : undefined
    }
  }

  return {
    getManifest: (name: string, reference: string, pull: Pull): Promise<Answer> =>
      serveManifest(name, reference, pull, true),

    headManifest: (name: string, reference: string, pull: Pull): Promise<Answer> =>
      serveManifest(name, reference, pull, false),

    putManifest: async (
      name: string,
      reference: string,
      contentType: string | undefined,
      bytes: Uint8Array,
      stamp: string,
      conditions: Conditions = unconditional
    ): Promise<Answer> => {
      if (bytes.length > maxManifestBytes) return error(413, "MANIFEST_INVALID", "the manifest is larger than 4 MiB")
      const mediaType = MediaType.parse((contentType ?? "").split(";")[0] ?? "")
      if (Result.isFailure(mediaType) || !isOfVendor(mediaType.success)) return manifestInvalid
      const text = new TextDecoder().decode(bytes)
      const view = viewOf(mediaType.success, text)
      if (Result.isFailure(view) || !namesItsType(mediaType.success, view.success)) return manifestInvalid
      if (view.success._tag !== "UnknownManifest" && Option.isNone(decodeVersion(text))) return manifestInvalid

      const byDigest = Digest.parse(reference)
      const algorithm = Result.isSuccess(byDigest) ? Digest.algorithm(byDigest.success) : "sha256"
      const digest = Digest.Digest.make(Contents.digestOf(bytes, algorithm))
      if (reference.includes(":") && reference !== digest) {
        return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
      }

      for (const { digest } of Manifest.references(view.success).blobs) store.touch(name, digest)
      const holder = store.repositories.get(name)
      const described = await describe(store, holder, bytes, mediaType.success, digest, view.success)
      const isByTag = !reference.includes(":")
      // Nothing is awaited in here: of two pushes with the same condition only one may find that it holds, and locks and
      // deletions during the push apply.
      return Contents.put(store, digest, bytes, () => {
        const repository = store.repositories.get(name)
        const tag = repository?.tags.get(reference)
        const missing = missingPart(repository, view.success)
        if (missing !== undefined) {
          return error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", { digest: missing.digest })
        }
        if ([repository, tag].some((it) => it?.attributes.writeEnabled === false)) return disallowed
        if (modes().conditionalPut && isByTag && !hold(conditions, tag?.digest)) return preconditionFailed
        if (trash.holds(name, digest)) return softDeleted
        store.commit([
          ...touchRepository(store, name, stamp),
          putManifest(store, name, described, stamp),
          ...(isByTag ? [putTag(store, name, reference, digest, stamp)] : [])
        ])
        return empty(201, {
          Location: `/v2/${name}/manifests/${digest}`,
          "Docker-Content-Digest": digest,
          ...(described.subject === undefined || !Referrers.settings(modes().referrers).subjectHeader
            ? {}
            : { "OCI-Subject": described.subject })
        })
      })
    },

    /** The blob, unless it is missing or must not be read. */
    readableBlob: (name: string, digest: string): { readonly file: string; readonly size: number } | Answer => {
      const repository = store.repositories.get(name)
      const blob = blobOf(store, repository, digest)
      if (repository === undefined || blob === undefined) return blobUnknown(digest)
      if (!repository.attributes.readEnabled) return disallowed
      store.touch(name, digest)
      return blob
    },

    deleteBlob: (name: string, digest: string): Answer => {
      const repository = store.repositories.get(name)
      if (repository === undefined || !repository.blobs.has(digest)) return blobNotKnown
      if (!repository.attributes.deleteEnabled || !repository.attributes.writeEnabled) return disallowed
      store.commit([{ _tag: "DropBlob", repository: name, digest }])
      return empty(202, { "Docker-Content-Digest": digest })
    },

    tags: (name: string, part: Part): Answer => {
      const repository = store.repositories.get(name)
      if (repository === undefined) return nameUnknown(name)
      const { headers, items } = page(
        `/v2/${name}/tags/list`,
        tagsByName(repository),
        byKey((tag) => tag.name),
        { ...part, orderby: "" }
      )
      return json(200, { name, tags: items.map((tag) => tag.name) }, headers)
    },

    /**
     * OCI distribution specification, "Listing Referrers": a registry that has the API must not answer 404. A digest or
     * a repository that does not exist has no referrers, which the conformance tests require too.
     */
    referrers: (path: string, name: string, digest: string, query: URLSearchParams): Answer => {
      if (!Digest.isDigest(digest)) return error(400, "DIGEST_INVALID", "the path names no digest", { digest })
      const repository = store.repositories.get(name)
      const all = repository === undefined ? [] : referrersOf(repository, digest)
      return Referrers.list(Referrers.settings(modes().referrers), path, all, query)
    }
  }
}

export type Distribution = ReturnType<typeof make>
