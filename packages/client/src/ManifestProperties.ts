/**
 * The properties of a manifest in Azure Container Registry.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ChangeableAttributes from "./ChangeableAttributes.ts"
import * as Digest from "./Digest.ts"
import { recordFields } from "./internal/schema/record.ts"
import * as MediaType from "./MediaType.ts"
import * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"

/**
 * A manifest that an index or a manifest list refers to.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RelatedArtifact = Schema.Struct({
  /** The manifest's digest. */
  digest: Digest.Digest,
  /** The processor architecture, as Go's `GOARCH`. */
  architecture: Schema.optionalKey(Schema.String),
  /** The operating system, as Go's `GOOS`. */
  operatingSystem: Schema.optionalKey(Schema.String)
})

export type RelatedArtifact = typeof RelatedArtifact.Type

/**
 * The properties of a manifest.
 *
 * **Details**
 *
 * `ManifestProperties.make` makes a value for tests. Attributes default to `true`.
 *
 * **Gotchas**
 *
 * `relatedArtifacts` is set only when you request a single index or manifest list. In lists of manifests it is empty.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ManifestProperties = Schema.Struct({
  ...recordFields,
  /** The repository that the manifest is in. */
  repositoryName: RepositoryName.RepositoryName,
  /** The manifest's digest. */
  digest: Digest.Digest,
  /** The size of the image in bytes, layers included, as the registry counts it. */
  sizeInBytes: Schema.optionalKey(Schema.Natural),
  /** The media type of the manifest. */
  mediaType: Schema.optionalKey(MediaType.MediaType),
  /** The media type of the configuration, which distinguishes a Helm chart from an image. */
  configMediaType: Schema.optionalKey(MediaType.MediaType),
  /** The processor architecture, as Go's `GOARCH`. */
  architecture: Schema.optionalKey(Schema.String),
  /** The operating system, as Go's `GOOS`. */
  operatingSystem: Schema.optionalKey(Schema.String),
  /** The tags that name the manifest. */
  tags: Schema.Array(Tag.Tag),
  /** The manifests that it refers to, if it is an index. */
  relatedArtifacts: Schema.Array(RelatedArtifact),
  /**
   * The result of a scan, if there is one: `Passed`, `Failed`, or another value of the registry. With any value but
   * `Passed`, callers without the role AcrQuarantineReader cannot pull the manifest: a pull by tag fails with
   * `NotFound`, a pull by digest with `Locked`.
   */
  quarantineState: Schema.optionalKey(Schema.String),
  /** What the scanner says of its result: JSON as a text. */
  quarantineDetails: Schema.optionalKey(Schema.String),
  ...ChangeableAttributes.fields
})

export type ManifestProperties = typeof ManifestProperties.Type

/**
 * A change of a manifest: its attributes, and the result of a scan. Fields that are left out stay unchanged.
 *
 * **Details**
 *
 * Azure/acr, docs/preview/quarantine. Writing the result of a scan needs the role AcrQuarantineWriter.
 *
 * **Example** (Releasing an image from quarantine)
 *
 * ```ts
 * import { ContainerRegistry, type ManifestProperties } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const passed: ManifestProperties.Update = {
 *   quarantineState: "Passed",
 *   quarantineDetails: JSON.stringify({ state: "scan passed", link: "https://scanner.example/runs/1" })
 * }
 *
 * export const release = (digest: string) =>
 *   Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
 *     registry.updateManifest("library/hello-world", digest, passed)
 *   )
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Update extends ChangeableAttributes.Update {
  /** The result of a scan. `Failed` puts the manifest into quarantine, `Passed` releases it. */
  readonly quarantineState?: "Passed" | "Failed"
  /** What the scanner says of its result: JSON as a text. */
  readonly quarantineDetails?: string
}
