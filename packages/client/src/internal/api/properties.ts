/**
 * Properties as Azure Container Registry writes them: with a separate `changeableAttributes`, and times with seven
 * fractional digits. Every reader here keeps the original record, so no data of the registry is lost.
 */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as ChangeableAttributes from "../../ChangeableAttributes.ts"
import * as Digest from "../../Digest.ts"
import type * as ManifestProperties from "../../ManifestProperties.ts"
import * as MediaType from "../../MediaType.ts"
import * as RepositoryName from "../../RepositoryName.ts"
import type * as RepositoryProperties from "../../RepositoryProperties.ts"
import * as Tag from "../../Tag.ts"
import type * as SoftDeleted from "../../SoftDeleted.ts"
import type * as TagProperties from "../../TagProperties.ts"
import { nullable } from "../schema/json.ts"

/** What an answer about tags or manifests states for all of them. */
export interface RecordHead {
  readonly registry: string
  readonly imageName: RepositoryName.RepositoryName
}

/** Whether a field of a record is set: unset fields are missing, `null`, empty or 0. */
const isSet = <A extends string | number>(value: A | null | undefined): value is A =>
  Predicate.isNotNullish(value) && value !== "" && value !== 0

/** The API's names of the four attributes. */
const AttributesOnTheWire = Schema.Struct({
  deleteEnabled: nullable(Schema.Boolean),
  writeEnabled: nullable(Schema.Boolean),
  listEnabled: nullable(Schema.Boolean),
  readEnabled: nullable(Schema.Boolean)
})

/** In milliseconds since 1970. A time without a zone is in UTC. */
const readTime = (time: string): number => Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(time) ? time : `${time}Z`)

/** A time, not decoded: Effect's schema for times would take a quarter of the time of reading a tag. */
const Time = Schema.String.check(
  Schema.makeFilter((time) => !Number.isNaN(readTime(time)), { expected: "a time as ISO 8601 has it" })
)

/** The fields of every record of the management API. */
const wireFields = {
  createdTime: Time,
  lastUpdateTime: Time,
  changeableAttributes: nullable(AttributesOnTheWire)
}

interface WireRecord {
  readonly createdTime: string
  readonly lastUpdateTime: string
  readonly changeableAttributes?: typeof AttributesOnTheWire.Type | null
}

/** The times and the attributes, under the library's names. */
export const common = ({ changeableAttributes, createdTime, lastUpdateTime }: WireRecord) => {
  const createdOn = DateTime.makeUnsafe(readTime(createdTime))
  return {
    createdOn,
    // Most records never change, and reading each time makes a list of tags a tenth slower.
    lastUpdatedOn: lastUpdateTime === createdTime ? createdOn : DateTime.makeUnsafe(readTime(lastUpdateTime)),
    canDelete: changeableAttributes?.deleteEnabled ?? true,
    canWrite: changeableAttributes?.writeEnabled ?? true,
    canList: changeableAttributes?.listEnabled ?? true,
    canRead: changeableAttributes?.readEnabled ?? true
  }
}

/** The body of a PATCH: only the fields to change. */
export const updateToWire = ({ canDelete, canList, canRead, canWrite }: ChangeableAttributes.Update) => ({
  ...(canDelete === undefined ? {} : { deleteEnabled: canDelete }),
  ...(canWrite === undefined ? {} : { writeEnabled: canWrite }),
  ...(canList === undefined ? {} : { listEnabled: canList }),
  ...(canRead === undefined ? {} : { readEnabled: canRead })
})

/** The body of a PATCH of a manifest: the attributes, and the result of a scan. */
export const manifestUpdateToWire = ({
  quarantineDetails,
  quarantineState,
  ...attributes
}: ManifestProperties.Update) => ({
  ...updateToWire(attributes),
  ...(quarantineState === undefined ? {} : { quarantineState }),
  ...(quarantineDetails === undefined ? {} : { quarantineDetails })
})

const decodeRepository = Schema.decodeUnknownResult(
  Schema.Struct({
    ...wireFields,
    registry: Schema.String,
    imageName: RepositoryName.RepositoryName,
    manifestCount: Schema.Natural,
    tagCount: Schema.Natural
  })
)

export const readRepository = (
  raw: Schema.JsonObject
): Result.Result<RepositoryProperties.RepositoryProperties, Schema.SchemaError> =>
  Result.map(decodeRepository(raw), (wire) => ({
    ...common(wire),
    registryLoginServer: wire.registry,
    name: wire.imageName,
    manifestCount: wire.manifestCount,
    tagCount: wire.tagCount,
    raw
  }))

const decodeTag = Schema.decodeUnknownResult(Schema.Struct({ ...wireFields, name: Tag.Tag, digest: Digest.Digest }))

export const readTag = (
  head: RecordHead,
  raw: Schema.JsonObject
): Result.Result<TagProperties.TagProperties, Schema.SchemaError> =>
  Result.map(decodeTag(raw), (wire) => ({
    ...common(wire),
    registryLoginServer: head.registry,
    repositoryName: head.imageName,
    name: wire.name,
    digest: wire.digest,
    raw
  }))

const decodeManifest = Schema.decodeUnknownResult(
  Schema.Struct({
    ...wireFields,
    digest: Digest.Digest,
    imageSize: nullable(Schema.Natural),
    mediaType: nullable(Schema.String),
    configMediaType: nullable(Schema.String),
    architecture: nullable(Schema.String),
    os: nullable(Schema.String),
    tags: nullable(Schema.Array(Tag.Tag)),
    references: nullable(
      Schema.Array(
        Schema.Struct({ digest: Digest.Digest, architecture: nullable(Schema.String), os: nullable(Schema.String) })
      )
    ),
    quarantineState: Schema.optionalKey(Schema.Unknown),
    quarantineDetails: Schema.optionalKey(Schema.Unknown)
  })
)

/**
 * The preview is documented only by a few examples: a field that is not a text is dropped, and the manifest is kept.
 */
const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const isMediaType = Schema.is(MediaType.MediaType)

export const readManifest = (
  head: RecordHead,
  raw: Schema.JsonObject
): Result.Result<ManifestProperties.ManifestProperties, Schema.SchemaError> =>
  Result.map(decodeManifest(raw), (wire) => ({
    ...common(wire),
    registryLoginServer: head.registry,
    repositoryName: head.imageName,
    digest: wire.digest,
    // 0 means unset: the manifest alone has more bytes.
    ...(isSet(wire.imageSize) ? { sizeInBytes: wire.imageSize } : {}),
    // An invalid media type is dropped. `raw` still has it.
    ...(isMediaType(wire.mediaType) ? { mediaType: wire.mediaType } : {}),
    ...(isMediaType(wire.configMediaType) ? { configMediaType: wire.configMediaType } : {}),
    ...platform(wire),
    tags: wire.tags ?? [],
    relatedArtifacts: (wire.references ?? []).map((reference) => ({
      digest: reference.digest,
      ...platform(reference)
    })),
    ...(isText(wire.quarantineState) ? { quarantineState: wire.quarantineState } : {}),
    ...(isText(wire.quarantineDetails) ? { quarantineDetails: wire.quarantineDetails } : {}),
    raw
  }))

interface WirePlatform {
  readonly architecture?: string | null
  readonly os?: string | null
}

const platform = ({ architecture, os }: WirePlatform) => ({
  ...(isSet(architecture) ? { architecture } : {}),
  ...(isSet(os) ? { operatingSystem: os } : {})
})

/** The fields of every record of the trash. */
const deletedFields = { createdAt: Time, deletedAt: Time }

const deletion = ({ createdAt, deletedAt }: { readonly createdAt: string; readonly deletedAt: string }) => ({
  createdOn: DateTime.makeUnsafe(readTime(createdAt)),
  deletedOn: DateTime.makeUnsafe(readTime(deletedAt))
})

const decodeDeletedRepository = Schema.decodeUnknownResult(
  Schema.Struct({ repository: RepositoryName.RepositoryName, ...deletedFields })
)

export const readDeletedRepository = (
  raw: Schema.JsonObject
): Result.Result<SoftDeleted.SoftDeletedRepository, Schema.SchemaError> =>
  Result.map(decodeDeletedRepository(raw), (wire) => ({ name: wire.repository, ...deletion(wire), raw }))

const decodeDeletedManifest = Schema.decodeUnknownResult(Schema.Struct({ digest: Digest.Digest, ...deletedFields }))

/** The records of the trash do not repeat the requested repository. */
export const readDeletedManifest = (
  repositoryName: RepositoryName.RepositoryName,
  raw: Schema.JsonObject
): Result.Result<SoftDeleted.SoftDeletedManifest, Schema.SchemaError> =>
  Result.map(decodeDeletedManifest(raw), (wire) => ({ repositoryName, digest: wire.digest, ...deletion(wire), raw }))

const decodeDeletedTag = Schema.decodeUnknownResult(
  Schema.Struct({ tag: Tag.Tag, digest: Digest.Digest, ...deletedFields })
)

export const readDeletedTag = (
  repositoryName: RepositoryName.RepositoryName,
  raw: Schema.JsonObject
): Result.Result<SoftDeleted.SoftDeletedTag, Schema.SchemaError> =>
  Result.map(decodeDeletedTag(raw), (wire) => ({
    repositoryName,
    name: wire.tag,
    digest: wire.digest,
    ...deletion(wire),
    raw
  }))
