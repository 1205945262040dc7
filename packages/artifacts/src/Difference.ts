/**
 * Compares two artifacts, which may be in different stores.
 *
 * @since 0.1.0
 */
import type * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import type { FolderError } from "./FolderError.ts"
import * as Comparing from "./internal/difference/compare.ts"
import type { Difference } from "./internal/difference/compare.ts"
import type { FilesOptions } from "./internal/difference/files.ts"
import * as Files from "./internal/difference/files.ts"
import type { FileDifference } from "./internal/difference/tree.ts"
import type { GraphError } from "./internal/walk.ts"

export { Difference, FieldDifference, ImageDifference, LayersDifference } from "./internal/difference/compare.ts"
export type { FilesOptions } from "./internal/difference/files.ts"
export { FileDifference, FileState } from "./internal/difference/tree.ts"

/**
 * An artifact in a store.
 *
 * @category models
 * @since 0.1.0
 */
export interface Side<out E> {
  /** The store. */
  readonly reader: Reader<E>
  /** The manifest. */
  readonly root: Descriptor
}

/**
 * An image in a store, by its digest; for example, one of the `images` of a `Difference`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImageSide<out E> {
  /** The store. */
  readonly reader: Reader<E>
  /** The manifest of the image. */
  readonly root: Pick<Descriptor, "digest">
}

/**
 * Compares two artifacts by their manifests and configurations.
 *
 * **When to use**
 *
 * Use to see whether two artifacts differ, and in which fields and layers. `files` compares the files in the layers of two images.
 *
 * **Details**
 *
 * Images of two indexes are paired by platform. Two images outside of indexes are compared regardless of platform. Layers are
 * equal if their digests are equal, and so are manifests without a platform, such as attestations.
 *
 * Referrers are not compared.
 *
 * Fails with `GraphError` if one of the manifests is missing.
 *
 * **Example** (Whether production runs what staging has)
 *
 * ```ts
 * import { Artifact, Difference, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * const side = (repository: string) =>
 *   Effect.gen(function* () {
 *     const reader = yield* Repository.open(repository)
 *     return { reader, root: yield* Artifact.resolve(reader, "stable") }
 *   })
 *
 * export const isSame = Effect.gen(function* () {
 *   const staging = yield* side("staging.azurecr.io/shop/api")
 *   const production = yield* side("production.azurecr.io/shop/api")
 *   const difference = yield* Difference.compare(staging, production)
 *   return difference.isSame
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const compare: <E1, E2>(left: Side<E1>, right: Side<E2>) => Effect.Effect<Difference, E1 | E2 | GraphError> =
  Comparing.compare

/**
 * Compares the files of two images as a container sees them, with all layers applied.
 *
 * **When to use**
 *
 * Use to see which files a new version changes. `files` reads the layers of both images; `compare` reads only manifests and
 * configurations.
 *
 * **Details**
 *
 * Both sides must be images, not indexes. Whiteouts of layers remove files of the layers below (OCI image specification,
 * layer.md, "Whiteouts"). Files are compared by type, mode, size, content and link target, but not by owner and times. The lowest
 * layers that both images share are read once.
 *
 * Contents are hashed while they are read, and not kept. Memory grows with the number of files: an image with more than
 * `maxFiles` files fails with `FolderError` (`LimitExceeded`). A layer that is not a tar archive fails with `FolderError`
 * (`InvalidArchive`).
 *
 * **Example** (The files that a new version changes)
 *
 * ```ts
 * import { type ContentStore, Difference } from "@effect-acr/artifacts"
 * import type { Descriptor } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const changed = <E>(
 *   reader: ContentStore.Reader<E>,
 *   older: Descriptor.Descriptor,
 *   newer: Descriptor.Descriptor
 * ) =>
 *   Effect.map(Difference.files({ reader, root: older }, { reader, root: newer }), (files) =>
 *     files.map(({ change, path }) => `${change} ${path}`)
 *   )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const files: <E1, E2>(
  left: ImageSide<E1>,
  right: ImageSide<E2>,
  options?: FilesOptions
) => Effect.Effect<ReadonlyArray<FileDifference>, E1 | E2 | FolderError | GraphError, Compression.Compression> =
  Files.compare
