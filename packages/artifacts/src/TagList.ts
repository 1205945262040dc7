/**
 * Lists tags with the manifests that they name: digest, size, time, platforms and lock.
 *
 * @since 0.1.0
 */
import type { Opened } from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Reader } from "./ContentStore.ts"
import * as Listing from "./internal/tagList.ts"
import type { TagEntry, TagListOptions } from "./internal/tagList.ts"
import type { GraphError } from "./internal/walk.ts"

export { TagEntry, type TagListOptions } from "./internal/tagList.ts"

/**
 * Lists the tags of a store with digest, size, time and platforms.
 *
 * **When to use**
 *
 * Use for layouts and archives. For a repository of a registry use `ofRegistry`, which needs only a few requests for all tags on
 * Azure Container Registry.
 *
 * **Details**
 *
 * Each tag is resolved, and its manifest and the configurations of its images are read, eight tags at a time. The time is the
 * one in the configuration: when the image was built. A tag that is deleted meanwhile is left out.
 *
 * **Example** (The newest image of a layout)
 *
 * ```ts
 * import { ImageLayout, TagList } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const newest = Effect.gen(function* () {
 *   const store = yield* ImageLayout.open("images")
 *   const [first] = yield* TagList.read(store, { order: "newest" })
 *   return first?.name
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = <E>(
  reader: Reader<E>,
  options: TagListOptions = {}
): Effect.Effect<ReadonlyArray<TagEntry>, E | GraphError> => Listing.read(reader, options)

/**
 * Lists the tags of a repository of a registry with digest, size, time, platforms and lock.
 *
 * **When to use**
 *
 * Use for repositories of registries. `read` is for layouts and archives, and `names` needs fewer requests if names are enough.
 *
 * **Details**
 *
 * Azure Container Registry returns sizes, times and locks in its lists of tags and manifests, a few hundred per request; only
 * indexes are read, for their platforms. The time is that of the last change of the tag. On other registries, works like `read`.
 *
 * **Example** (Tags that are locked)
 *
 * ```ts
 * import { TagList } from "@effect-acr/artifacts"
 * import { Registries } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const locked = Effect.gen(function* () {
 *   const opened = yield* Registries.open("myregistry.azurecr.io/shop/api")
 *   const tags = yield* TagList.ofRegistry(opened)
 *   return tags.filter(({ isLocked }) => isLocked === true)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofRegistry = (
  opened: Opened,
  options: TagListOptions = {}
): Effect.Effect<ReadonlyArray<TagEntry>, GraphError | RegistryError> => Listing.ofRegistry(opened, options)

/**
 * Lists the names of the tags of a repository, as a stream.
 *
 * **When to use**
 *
 * Use if names are enough, for example for the newest tags of a large repository. `ofRegistry` has the other fields.
 *
 * **Details**
 *
 * Azure Container Registry orders tags by time itself, so that the first names arrive with the first page. On other registries,
 * an order by time reads all tags first, like `read`. The order by name is that of the registry, which should be lexical by the
 * OCI distribution specification. Fails with `NotFound` if the repository does not exist.
 *
 * **Example** (The ten newest tags)
 *
 * ```ts
 * import { TagList } from "@effect-acr/artifacts"
 * import { Registries } from "@effect-acr/client"
 * import { Effect, Stream } from "effect"
 *
 * export const newest = Effect.gen(function* () {
 *   const opened = yield* Registries.open("myregistry.azurecr.io/shop/api")
 *   return yield* TagList.names(opened, { order: "newest" }).pipe(Stream.take(10), Stream.runCollect)
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const names = (
  opened: Opened,
  options: TagListOptions = {}
): Stream.Stream<string, GraphError | RegistryError> => Listing.names(opened, options)
