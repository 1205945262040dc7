/**
 * An Effect-native client for Azure Container Registry and OCI registries.
 *
 * @since 0.1.0
 */

/** The free-form labels of manifests and descriptors. */
export * as Annotations from "./Annotations.ts"

/** Where the content of a blob comes from. */
export * as BlobSource from "./BlobSource.ts"

/** The locks on repositories, tags and manifests. */
export * as ChangeableAttributes from "./ChangeableAttributes.ts"

/** Compression of archives and layers. */
export * as Compression from "./Compression.ts"

/** Verifies bytes from anywhere against their digest. */
export * as Content from "./Content.ts"

/** List what a registry holds, read and lock its properties, delete. */
export * as ContainerRegistry from "./ContainerRegistry.ts"

/** Who is asking. */
export * as Credentials from "./Credentials.ts"

/** Typed, sized and digested pointers to content. */
export * as Descriptor from "./Descriptor.ts"

/** The names of content. */
export * as Digest from "./Digest.ts"

/** How a container runs an image. */
export * as ImageConfig from "./ImageConfig.ts"

/** What an artifact is made of. */
export * as Manifest from "./Manifest.ts"

/** What a registry tells of a manifest. */
export * as ManifestProperties from "./ManifestProperties.ts"

/** Media types of manifests, configurations and layers. */
export * as MediaType from "./MediaType.ts"

/** What is asked of a registry, as data. */
export * as Operation from "./Operation.ts"

/** What an image runs on. */
export * as Platform from "./Platform.ts"

/** Makes texts of other programs safe to print. */
export * as Printable from "./Printable.ts"

/** How many requests a minute are sent. */
export * as RateLimits from "./RateLimits.ts"

/** Where an artifact stands. */
export * as Reference from "./Reference.ts"

/** Any number of registries, by the names in references. */
export * as Registries from "./Registries.ts"

/** Manifests that are about another one. */
export * as Referrer from "./Referrer.ts"

/** A registry whole: both services in one conversation. */
export * as Registry from "./Registry.ts"

/** The contents of a registry: manifests and blobs. */
export * as RegistryContent from "./RegistryContent.ts"

/** The one error of the library. */
export * as RegistryError from "./RegistryError.ts"

/** Repository names. */
export * as RepositoryName from "./RepositoryName.ts"

/** What a registry tells of a repository. */
export * as RepositoryProperties from "./RepositoryProperties.ts"

/** When an operation is tried again. */
export * as RetryPolicy from "./RetryPolicy.ts"

/** The movable names of manifests. */
export * as Tag from "./Tag.ts"

/** What a registry tells of things that are deleted and can be restored. */
export * as SoftDeleted from "./SoftDeleted.ts"

/** What a registry tells of a tag. */
export * as TagProperties from "./TagProperties.ts"

/** What a token is good for. */
export * as TokenScope from "./TokenScope.ts"

/** One authenticated conversation with one registry. */
export * as Transport from "./Transport.ts"
