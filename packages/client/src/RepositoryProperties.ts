/**
 * The properties of a repository in Azure Container Registry.
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
 * `RepositoryProperties.make` makes a value for tests. Attributes default to `true`.
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
  /** The number of manifests, those of single platforms included. */
  manifestCount: Schema.Natural,
  /** The number of tags. */
  tagCount: Schema.Natural,
  ...ChangeableAttributes.fields
})

export type RepositoryProperties = typeof RepositoryProperties.Type
