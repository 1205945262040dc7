/**
 * Referrers: manifests that name another one as their subject, such as signatures and bills of materials.
 *
 * `RegistryContent.referrers` lists those of a manifest. This module reads a manifest as a referrer.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Descriptor } from "./Descriptor.ts"
import * as Digest from "./Digest.ts"
import type * as Manifest from "./Manifest.ts"
import * as MediaType from "./MediaType.ts"
import { Tag } from "./Tag.ts"
import { closedStruct, optional, optionalStruct, texts } from "./internal/schema/fields.ts"
import { fromJson } from "./internal/schema/json.ts"
import { StatedType } from "./internal/schema/statedType.ts"

/**
 * A manifest with a subject.
 *
 * @category models
 * @since 0.1.0
 */
export interface Referrer {
  /** The digest of the manifest that it refers to. */
  readonly subject: Digest.Digest
  /** The descriptor of the referrer in the list of the subject's referrers, with its artifact type and annotations. */
  readonly descriptor: Descriptor
}

/** Artifact manifests never became part of the specification, but registries still contain them. */
const referringTypes: ReadonlySet<string> = new Set([
  MediaType.ociImageManifest,
  MediaType.ociImageIndex,
  MediaType.ociArtifactManifest,
  MediaType.orasArtifactManifest
])

/** Only what a list of referrers needs: an odd field elsewhere in the manifest does not hide its subject. */
const decodeFields = Schema.decodeUnknownOption(
  fromJson(
    closedStruct({
      subject: optionalStruct(Schema.Struct({ digest: Digest.Digest })),
      artifactType: optional(Schema.Unknown),
      config: optional(Schema.Unknown),
      annotations: optional(Schema.Unknown)
    })
  )
)
const decodeAnnotations = Schema.decodeUnknownOption(texts)

const decodeType = Schema.decodeUnknownOption(StatedType)

const typeOf = (field: unknown): MediaType.MediaType | undefined => Option.getOrUndefined(decodeType(field))

const decoder = new TextDecoder()

type Fields = Option.Option.Value<ReturnType<typeof decodeFields>>

const artifactTypeOf = (mediaType: string, { artifactType, config }: Fields): MediaType.MediaType | undefined =>
  typeOf(artifactType) ??
  (mediaType === MediaType.ociImageManifest && Predicate.isObject(config) ? typeOf(config["mediaType"]) : undefined)

/**
 * Reads a manifest as a referrer. Returns none if it has no subject, or if its media type has no subjects.
 *
 * **Details**
 *
 * OCI image specification, manifest.md, "subject"; OCI distribution specification, "Listing Referrers". The artifact
 * type is the one that the manifest states or, for an image manifest without one, the media type of its configuration.
 * Manifests of the withdrawn types `application/vnd.oci.artifact.manifest.v1+json` and
 * `application/vnd.cncf.oras.artifact.manifest.v1+json` are read as well.
 *
 * @category getters
 * @since 0.1.0
 */
export const fromManifest = ({ bytes, descriptor }: Manifest.Raw): Option.Option<Referrer> => {
  const mediaType = MediaType.essence(descriptor.mediaType)
  const type = mediaType.toLowerCase()
  if (!referringTypes.has(type)) return Option.none()
  return Option.flatMap(decodeFields(decoder.decode(bytes)), (fields) => {
    const { annotations, subject } = fields
    if (subject === undefined) return Option.none()
    const artifactType = artifactTypeOf(type, fields)
    const labels = Option.getOrUndefined(decodeAnnotations(annotations ?? {})) ?? {}
    return Option.some({
      subject: subject.digest,
      descriptor: {
        mediaType,
        digest: descriptor.digest,
        size: descriptor.size,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(Object.keys(labels).length === 0 ? {} : { annotations: labels })
      }
    })
  })
}

/**
 * Returns the tag under which clients store the list of a manifest's referrers if the registry has no referrers API.
 *
 * **Details**
 *
 * OCI distribution specification, "Referrers tag schema": the algorithm cut at 32 characters, a hyphen, and the hash cut at
 * 64. For a sha512 digest, that is half of the hash.
 *
 * @category getters
 * @since 0.1.0
 */
export const tag = (subject: Digest.Digest): Tag => Tag.make(tagOf(subject))

const tagOf = (subject: Digest.Digest): string => `${Digest.algorithm(subject)}-${Digest.hex(subject).slice(0, 64)}`

const tagForm = /^sha(?:256|512)-[0-9a-f]{64}$/

/**
 * Checks whether a tag has the form of those under which clients store lists of referrers.
 *
 * **Gotchas**
 *
 * Tags of images may have this form too: `cosign copy` gives an image the tag of its own digest, and build tools name images by
 * hashes.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTag = (tag: string): boolean => tagForm.test(tag)

/**
 * Checks whether a tag and the manifest that it names may be a list of referrers: an image index whose tag has the form, and is not
 * that of its own digest. It is a list if the repository has the subject.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayBeList = (tag: string, { digest, mediaType }: Pick<Descriptor, "digest" | "mediaType">): boolean =>
  isTag(tag) && MediaType.essence(mediaType) === MediaType.ociImageIndex && tag !== tagOf(digest)

/**
 * Returns the subject of a tag under which clients store a list of referrers. None if the tag has another form, or is that of a
 * sha512 digest, of which it has half.
 *
 * @category getters
 * @since 0.1.0
 */
export const taggedSubject = (tag: string): Option.Option<Digest.Digest> =>
  isTag(tag) ? Option.liftPredicate(Digest.isDigest)(tag.replace("-", ":")) : Option.none()
