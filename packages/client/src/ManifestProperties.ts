/**
 * What Azure Container Registry tells of a manifest.
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
  /** The processor it is for, as Go's `GOARCH`. */
  architecture: Schema.optionalKey(Schema.String),
  /** The operating system it is for, as Go's `GOOS`. */
  operatingSystem: Schema.optionalKey(Schema.String)
})

/**
 * A manifest that one index refers to.
 *
 * @category models
 * @since 0.1.0
 */
export type RelatedArtifact = typeof RelatedArtifact.Type

/**
 * The properties of a manifest.
 *
 * **Details**
 *
 * `ManifestProperties.make` builds one for a test: attributes default to allowed.
 *
 * **Gotchas**
 *
 * `relatedArtifacts` is told for a single index or manifest list; in lists of manifests it is empty.
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
  /** What the manifest is. */
  mediaType: Schema.optionalKey(MediaType.MediaType),
  /** What its configuration is; it tells a Helm chart from an image. */
  configMediaType: Schema.optionalKey(MediaType.MediaType),
  /** The processor it is for, as Go's `GOARCH`. */
  architecture: Schema.optionalKey(Schema.String),
  /** The operating system it is for, as Go's `GOOS`. */
  operatingSystem: Schema.optionalKey(Schema.String),
  /** The tags that name it. */
  tags: Schema.Array(Tag.Tag),
  /** The manifests it refers to. */
  relatedArtifacts: Schema.Array(RelatedArtifact),
  /**
   * The result of a scan, if there is one: `Passed` or `Failed`, and what else the registry says. Anything but `Passed`
   * keeps the manifest from callers without the role AcrQuarantineReader: by tag a pull fails with `NotFound`, by digest
   * with `Locked`.
   */
  quarantineState: Schema.optionalKey(Schema.String),
  /** What the scanner says of its result: JSON as a text. */
  quarantineDetails: Schema.optionalKey(Schema.String),
  ...ChangeableAttributes.fields
})

/**
 * The properties of one manifest.
 *
 * @category models
 * @since 0.1.0
 */
export type ManifestProperties = typeof ManifestProperties.Type

/**
 * A change of a manifest: its attributes, and the result of a scan. What is left out stays as it is.
 *
 * **Details**
 *
 * Azure/acr, docs/preview/quarantine. The result of a scan can only be written with the role AcrQuarantineWriter.
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
