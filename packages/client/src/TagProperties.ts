/**
 * What Azure Container Registry tells of a tag.
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
 * A tag's attributes are its own: those of the manifest that it names may differ. `TagProperties.make` builds one for
 * a test: attributes default to allowed.
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

/**
 * The properties of one tag.
 *
 * @category models
 * @since 0.1.0
 */
export type TagProperties = typeof TagProperties.Type
