/**
 * The tags of a repository with what they name: digest, size, time, platforms and lock.
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
 * Lists the tags of a store with what they name.
 *
 * **Details**
 *
 * Each tag is resolved, and its manifest and the configurations of its images are read, eight tags at a time. The time is that of
 * the configuration: when the image was built. A tag that is deleted meanwhile is left out.
 *
 * **When to use**
 *
 * Use for layouts, archives and registries other than Azure Container Registry, which needs a few requests for all tags with
 * `ofRegistry`.
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
 * Lists the tags of a repository of a registry with what they name.
 *
 * **Details**
 *
 * Azure Container Registry lists tags and manifests with sizes, times and locks, a few hundred a request; only indexes are read, for
 * their platforms. The time is that of the last change of the tag. On other registries it does what `read` does.
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
 * Lists the names of the tags of a repository as they come.
 *
 * **Details**
 *
 * An order by time is the registry's own on Azure Container Registry: the first names come with the first page. On other registries
 * all tags are read first, as by `read`. The order by name is that of the registry, which the OCI distribution specification wants to be
 * lexical. Fails with `NotFound` if there is no such repository.
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
