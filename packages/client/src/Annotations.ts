/**
 * Annotations: the free-form labels of manifests and descriptors.
 *
 * The keys that all tools understand are constants here: OCI image specification, annotations.md, "Pre-Defined
 * Annotation Keys".
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Annotations, by key.
 *
 * **Details**
 *
 * OCI image specification, annotations.md. Keys and values are text. Keys other than those of the specification are
 * allowed. A key of your own starts with your domain in reverse: `com.contoso.build`.
 *
 * **Example** (Saying what an image was built from)
 *
 * ```ts
 * import { Annotations, type Descriptor, Manifest } from "@effect-acr/client"
 *
 * export const describe = (config: Descriptor.Descriptor, layers: ReadonlyArray<Descriptor.Descriptor>) =>
 *   Manifest.image({
 *     config,
 *     layers,
 *     annotations: {
 *       [Annotations.version]: "1.4.0",
 *       [Annotations.revision]: "3f5e25c",
 *       "com.contoso.build": "117"
 *     }
 *   })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Annotations = Schema.Record(Schema.String, Schema.String)

export type Annotations = typeof Annotations.Type

/**
 * When the image was built: a date and time as in RFC 3339, section 5.6.
 *
 * @category keys
 * @since 0.1.0
 */
export const created = "org.opencontainers.image.created"

/**
 * The people or the organisation responsible for the image.
 *
 * @category keys
 * @since 0.1.0
 */
export const authors = "org.opencontainers.image.authors"

/**
 * Where to read more about the image: a URL.
 *
 * @category keys
 * @since 0.1.0
 */
export const url = "org.opencontainers.image.url"

/**
 * Where to find the image's documentation: a URL.
 *
 * @category keys
 * @since 0.1.0
 */
export const documentation = "org.opencontainers.image.documentation"

/**
 * Where to find the sources that the image was built from: a URL.
 *
 * @category keys
 * @since 0.1.0
 */
export const source = "org.opencontainers.image.source"

/**
 * The version of the packaged software, which may be that of a tag or a semantic version.
 *
 * @category keys
 * @since 0.1.0
 */
export const version = "org.opencontainers.image.version"

/**
 * The revision of the sources, for example a commit.
 *
 * @category keys
 * @since 0.1.0
 */
export const revision = "org.opencontainers.image.revision"

/**
 * The person or the organisation that distributes the image.
 *
 * @category keys
 * @since 0.1.0
 */
export const vendor = "org.opencontainers.image.vendor"

/**
 * The licences of the contained software, as an SPDX expression.
 *
 * @category keys
 * @since 0.1.0
 */
export const licenses = "org.opencontainers.image.licenses"

/**
 * The reference name of the target, for example its tag in an image layout.
 *
 * @category keys
 * @since 0.1.0
 */
export const refName = "org.opencontainers.image.ref.name"

/**
 * The title of the image or of the file in a layer.
 *
 * @category keys
 * @since 0.1.0
 */
export const title = "org.opencontainers.image.title"

/**
 * A description of the packaged software.
 *
 * @category keys
 * @since 0.1.0
 */
export const description = "org.opencontainers.image.description"

/**
 * The digest of the image that this one is built upon.
 *
 * @category keys
 * @since 0.1.0
 */
export const baseDigest = "org.opencontainers.image.base.digest"

/**
 * The reference of the image that this one is built upon.
 *
 * @category keys
 * @since 0.1.0
 */
export const baseName = "org.opencontainers.image.base.name"
