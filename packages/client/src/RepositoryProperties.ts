/**
 * What Azure Container Registry tells of a repository.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ChangeableAttributes from "./ChangeableAttributes.ts"
import { recordFields } from "./internal/schema/record.ts"
import * as RepositoryName from "./RepositoryName.ts"

/**
 * The properties of a repository.
 *
 * **Details**
 *
 * `RepositoryProperties.make` builds one for a test: attributes default to allowed.
 *
 * **Example** (Properties for a test)
 *
 * ```ts
 * import { RepositoryName, RepositoryProperties } from "@effect-acr/client"
 * import { DateTime } from "effect"
 *
 * const properties = RepositoryProperties.RepositoryProperties.make({
 *   registryLoginServer: "myregistry.azurecr.io",
 *   name: RepositoryName.RepositoryName.make("library/alpine"),
 *   createdOn: DateTime.makeUnsafe("2026-01-01T00:00:00Z"),
 *   lastUpdatedOn: DateTime.makeUnsafe("2026-01-01T00:00:00Z"),
 *   manifestCount: 1,
 *   tagCount: 2
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryProperties = Schema.Struct({
  ...recordFields,
  /** The repository's name. */
  name: RepositoryName.RepositoryName,
  /** How many manifests it holds, those of single platforms included. */
  manifestCount: Schema.Natural,
  /** How many tags it holds. */
  tagCount: Schema.Natural,
  ...ChangeableAttributes.fields
})

/**
 * The properties of one repository.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositoryProperties = typeof RepositoryProperties.Type
