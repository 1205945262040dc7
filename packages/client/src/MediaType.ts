/**
 * Media types of manifests, configurations and layers.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parser } from "./internal/schema/parser.ts"

/**
 * A media type such as `application/vnd.oci.image.manifest.v1+json`.
 *
 * **Details**
 *
 * RFC 6838, section 4.2: type and subtype of at most 127 characters each. Parameters may follow, as in `text/plain;
 * charset=utf-8`: at most 255 printable characters of ASCII, kept as they are. The OCI image specification has no
 * parameters, but `oras push` writes them. `essence` removes them. `MediaType.make` makes a media type from a literal.
 *
 * **Example** (A custom media type)
 *
 * ```ts
 * import { MediaType } from "@effect-acr/client"
 *
 * export const reportType = MediaType.MediaType.make("application/vnd.contoso.report.v1")
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const MediaType = Schema.String.check(
  Schema.isPattern(
    /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?: ?;[ -~]{0,255})?$/,
    { expected: "a media type: type/subtype" }
  )
).pipe(Schema.brand("MediaType"))

/**
 * A checked media type: a branded string that only `parse` and the schemas make. In a descriptor or a manifest it may be only a
 * word, such as `layer`, as the author wrote it.
 *
 * @category models
 * @since 0.1.0
 */
export type MediaType = typeof MediaType.Type

/**
 * Reads a media type from a string. Fails with a `SchemaError` that says what was expected.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<MediaType, Schema.SchemaError> = parser(MediaType)

/**
 * Returns a media type without its parameters: `text/plain` for `text/plain; charset=utf-8`.
 *
 * @category getters
 * @since 0.1.0
 */
export const essence = (mediaType: MediaType): MediaType =>
  mediaType.includes(";")
    ? // Without the checks: what the author of a manifest stated may be only a word.
      MediaType.make(mediaType.slice(0, mediaType.indexOf(";")).trimEnd(), { disableChecks: true })
    : mediaType

/**
 * An OCI image manifest (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageManifest = MediaType.make("application/vnd.oci.image.manifest.v1+json")

/**
 * An OCI image index (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageIndex = MediaType.make("application/vnd.oci.image.index.v1+json")

/**
 * An OCI image configuration (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageConfig = MediaType.make("application/vnd.oci.image.config.v1+json")

/**
 * A layer: a tar archive (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageLayer = MediaType.make("application/vnd.oci.image.layer.v1.tar")

/**
 * A layer: a tar archive compressed with gzip (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageLayerGzip = MediaType.make("application/vnd.oci.image.layer.v1.tar+gzip")

/**
 * A layer: a tar archive compressed with zstd (OCI image specification, media-types.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociImageLayerZstd = MediaType.make("application/vnd.oci.image.layer.v1.tar+zstd")

/**
 * The two-byte JSON object `{}`, for artifacts without a configuration (OCI image specification, manifest.md).
 *
 * @category constants
 * @since 0.1.0
 */
export const ociEmpty = MediaType.make("application/vnd.oci.empty.v1+json")

/**
 * A Docker image manifest, version 2 schema 2 (distribution's documentation, "Image manifest version 2, schema 2").
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerManifest = MediaType.make("application/vnd.docker.distribution.manifest.v2+json")

/**
 * A Docker manifest list, version 2 (distribution's documentation, "Image manifest version 2, schema 2").
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerManifestList = MediaType.make("application/vnd.docker.distribution.manifest.list.v2+json")

/**
 * A Docker manifest, version 2 schema 1, without signatures (distribution's documentation, "Image manifest version 2,
 * schema 1"). It is obsolete: registries no longer accept it, and some still serve it.
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerSchema1Manifest = MediaType.make("application/vnd.docker.distribution.manifest.v1+json")

/**
 * A Docker manifest, version 2 schema 1, with signatures (distribution's documentation, "Image manifest version 2,
 * schema 1"). Its digest is that of its content without the signatures.
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerSchema1SignedManifest = MediaType.make("application/vnd.docker.distribution.manifest.v1+prettyjws")

/**
 * An OCI artifact manifest: a part of release candidates of the OCI image specification 1.1, withdrawn before its release.
 *
 * @category constants
 * @since 0.1.0
 */
export const ociArtifactManifest = MediaType.make("application/vnd.oci.artifact.manifest.v1+json")

/**
 * An ORAS artifact manifest, the predecessor of the OCI artifact manifest. ACR accepted it in a preview in 2021 and
 * 2022.
 *
 * @category constants
 * @since 0.1.0
 */
export const orasArtifactManifest = MediaType.make("application/vnd.cncf.oras.artifact.manifest.v1+json")

/**
 * A Docker image configuration (distribution's documentation, "Image manifest version 2, schema 2").
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerImageConfig = MediaType.make("application/vnd.docker.container.image.v1+json")

/**
 * A layer of a Docker image: a tar archive compressed with gzip (distribution's documentation, "Image manifest version 2,
 * schema 2").
 *
 * @category constants
 * @since 0.1.0
 */
export const dockerImageLayerGzip = MediaType.make("application/vnd.docker.image.rootfs.diff.tar.gzip")

/**
 * Bytes of an unknown type (RFC 2046, section 4.5.1).
 *
 * @category constants
 * @since 0.1.0
 */
export const octetStream = MediaType.make("application/octet-stream")
