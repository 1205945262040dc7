/**
 * An Effect-native client for Azure Container Registry and OCI registries.
 *
 * @since 0.1.0
 */

/** The free-form labels of manifests and descriptors. */
export * as Annotations from "./Annotations.ts"

/** Sources of the content of blobs. */
export * as BlobSource from "./BlobSource.ts"

/** The locks on repositories, tags and manifests. */
export * as ChangeableAttributes from "./ChangeableAttributes.ts"

/** Compression of archives and layers. */
export * as Compression from "./Compression.ts"

/** Verifies bytes from anywhere against their digest. */
export * as Content from "./Content.ts"

/**
 * Lists repositories, tags and manifests of Azure Container Registry, reads their properties, locks and deletes them.
 */
export * as ContainerRegistry from "./ContainerRegistry.ts"

/** Credentials for a registry: what to log in with, and how to combine several logins. */
export * as Credentials from "./Credentials.ts"

/** Pointers to content, with its media type, size and digest. */
export * as Descriptor from "./Descriptor.ts"

/** Hashes by which a registry identifies manifests and blobs. */
export * as Digest from "./Digest.ts"

/** How a container runs an image. */
export * as ImageConfig from "./ImageConfig.ts"

/** Descriptions of images, indexes and other artifacts. */
export * as Manifest from "./Manifest.ts"

/** The properties of a manifest in Azure Container Registry. */
export * as ManifestProperties from "./ManifestProperties.ts"

/** Media types of manifests, configurations and layers. */
export * as MediaType from "./MediaType.ts"

/** Requests to a registry, as data. */
export * as Operation from "./Operation.ts"

/** The operating systems and processors that images run on. */
export * as Platform from "./Platform.ts"

/** Makes texts of other programs safe to print. */
export * as Printable from "./Printable.ts"

/** How many requests a minute a program sends. */
export * as RateLimits from "./RateLimits.ts"

/** The addresses of artifacts. */
export * as Reference from "./Reference.ts"

/** Any number of registries, by the names in references. */
export * as Registries from "./Registries.ts"

/** Manifests that refer to another one, such as signatures. */
export * as Referrer from "./Referrer.ts"

/** A complete registry: both services on one transport. */
export * as Registry from "./Registry.ts"

/** The contents of a registry: manifests and blobs. */
export * as RegistryContent from "./RegistryContent.ts"

/** The error of the library. */
export * as RegistryError from "./RegistryError.ts"

/** Repository names. */
export * as RepositoryName from "./RepositoryName.ts"

/** The properties of a repository in Azure Container Registry. */
export * as RepositoryProperties from "./RepositoryProperties.ts"

/** When an operation is retried. */
export * as RetryPolicy from "./RetryPolicy.ts"

/** The movable names of manifests. */
export * as Tag from "./Tag.ts"

/** Soft-deleted repositories, manifests and tags, which can be restored. */
export * as SoftDeleted from "./SoftDeleted.ts"

/** The properties of a tag in Azure Container Registry. */
export * as TagProperties from "./TagProperties.ts"

/** The rights of a token. */
export * as TokenScope from "./TokenScope.ts"

/** Authenticated requests to one registry. */
export * as Transport from "./Transport.ts"
