/**
 * Counts the storage that a repository, a layout or an artifact takes, and what deleting an artifact frees.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type { Opened } from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import * as Usage from "./internal/storageUsage.ts"
import type { StorageUsage } from "./internal/storageUsage.ts"
import type { GraphError } from "./internal/walk.ts"

export { StorageUsage, UsedContent, UsedRoot } from "./internal/storageUsage.ts"

/**
 * Counts the storage that the tags of a store and their referrers take.
 *
 * **When to use**
 *
 * Use for layouts and archives. `ofRegistry` also counts untagged manifests on Azure Container Registry; `ofArtifact` counts one
 * artifact.
 *
 * **Details**
 *
 * Each manifest is read once, however many tags and indexes name it, and each blob counts once. Untagged manifests that are
 * neither part nor referrer of a tagged one are not counted: layouts, archives and most registries do not list them.
 *
 * **Example** (What deleting the largest tag of a layout frees)
 *
 * ```ts
 * import { ImageLayout, StorageUsage } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const largest = Effect.gen(function* () {
 *   const store = yield* ImageLayout.open("images")
 *   const { roots } = yield* StorageUsage.read(store)
 *   return roots[0]?.ownBytes ?? 0
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const read: <E>(reader: Reader<E>) => Effect.Effect<StorageUsage, E | GraphError> = Usage.read

/**
 * Counts the storage that a repository of a registry takes.
 *
 * **When to use**
 *
 * Use for repositories of registries. `read` is for layouts and archives.
 *
 * **Details**
 *
 * Azure Container Registry lists all manifests, so that untagged ones count as well. On other registries, works like `read`.
 *
 * **Example** (How much of a repository has no tag)
 *
 * ```ts
 * import { StorageUsage } from "@effect-acr/artifacts"
 * import { Registries } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const untaggedBytes = Effect.gen(function* () {
 *   const opened = yield* Registries.open("myregistry.azurecr.io/shop/api")
 *   const { roots } = yield* StorageUsage.ofRegistry(opened)
 *   return roots.filter(({ tags }) => tags.length === 0).reduce((sum, { ownBytes }) => sum + ownBytes, 0)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofRegistry: (opened: Opened) => Effect.Effect<StorageUsage, GraphError | RegistryError> = Usage.ofRegistry

/**
 * Counts the storage that one artifact and its referrers take.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofArtifact: <E>(reader: Reader<E>, root: Descriptor) => Effect.Effect<StorageUsage, E | GraphError> =
  Usage.ofArtifact
