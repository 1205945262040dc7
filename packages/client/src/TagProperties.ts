/**
 * The properties of a tag in Azure Container Registry.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ChangeableAttributes from "./ChangeableAttributes.ts"
import * as Digest from "./Digest.ts"
import { recordFields } from "./internal/schema/record.ts"
import * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"

/**
 * The properties of a tag.
 *
 * **Details**
 *
 * The attributes are those of the tag: the manifest that it names may have others. `TagProperties.make` makes a value
 * for tests. Attributes default to `true`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TagProperties = Schema.Struct({
  ...recordFields,
  /** The repository that the tag is in. */
  repositoryName: RepositoryName.RepositoryName,
  /** The tag. */
  name: Tag.Tag,
  /** The manifest that the tag names. */
  digest: Digest.Digest,
  ...ChangeableAttributes.fields
})

export type TagProperties = typeof TagProperties.Type
