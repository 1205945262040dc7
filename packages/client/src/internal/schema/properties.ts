/**
 * How Azure Container Registry writes properties: `changeableAttributes` beside the rest, and times with seven
 * fractional digits. Every reader here keeps the record as it came, so that nothing the registry said is lost.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as ChangeableAttributes from "../../ChangeableAttributes.ts"
import type * as RepositoryName from "../../RepositoryName.ts"
import { optional } from "./json.ts"

/** The fields with which the properties of a repository, a tag and a manifest begin. */
export const recordFields = {
  /** The registry that told them, as it names itself: `myregistry.azurecr.io`. */
  registryLoginServer: Schema.String,
  /** When it was made, to the millisecond. */
  createdOn: Schema.DateTimeUtc,
  /** When it was changed last, to the millisecond. */
  lastUpdatedOn: Schema.DateTimeUtc,
  /** The registry's record, as it came: fields that this library does not know, times to the last digit. */
  raw: Schema.JsonObject.pipe(Schema.withConstructorDefault(Effect.succeed({})))
}

/** What an answer about tags or manifests says of all of them. */
export interface RecordHead {
  readonly registry: string
  readonly imageName: RepositoryName.RepositoryName
}

/** The wire's names of the four attributes. */
const AttributesOnTheWire = Schema.Struct({
  deleteEnabled: optional(Schema.Boolean),
  writeEnabled: optional(Schema.Boolean),
  listEnabled: optional(Schema.Boolean),
  readEnabled: optional(Schema.Boolean)
})

/** The fields that every record of the management API has. */
export const wireFields = {
  createdTime: Schema.DateTimeUtcFromString,
  lastUpdateTime: Schema.DateTimeUtcFromString,
  changeableAttributes: optional(AttributesOnTheWire)
}

interface WireRecord {
  readonly createdTime: typeof Schema.DateTimeUtc.Type
  readonly lastUpdateTime: typeof Schema.DateTimeUtc.Type
  readonly changeableAttributes?: typeof AttributesOnTheWire.Type
}

/** The times and the attributes, under the library's names. */
export const common = ({ changeableAttributes, createdTime, lastUpdateTime }: WireRecord) => ({
  createdOn: createdTime,
  lastUpdatedOn: lastUpdateTime,
  canDelete: changeableAttributes?.deleteEnabled ?? true,
  canWrite: changeableAttributes?.writeEnabled ?? true,
  canList: changeableAttributes?.listEnabled ?? true,
  canRead: changeableAttributes?.readEnabled ?? true
})

/** The body of a PATCH: only what is to change. */
export const updateToWire = ({ canDelete, canList, canRead, canWrite }: ChangeableAttributes.Update) => ({
  ...(canDelete === undefined ? {} : { deleteEnabled: canDelete }),
  ...(canWrite === undefined ? {} : { writeEnabled: canWrite }),
  ...(canList === undefined ? {} : { listEnabled: canList }),
  ...(canRead === undefined ? {} : { readEnabled: canRead })
})
