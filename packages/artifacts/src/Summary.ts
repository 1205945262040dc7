/**
 * Summarizes an artifact without reading its layers.
 *
 * @since 0.1.0
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Effect from "effect/Effect"
import type { Reader } from "./ContentStore.ts"
import * as Summarizing from "./internal/summary.ts"
import type { Summary } from "./internal/summary.ts"
import type { GraphError } from "./internal/walk.ts"

export { ReferrersCount, Summary, SummaryEntry } from "./internal/summary.ts"

/**
 * Summarizes an artifact: its kind, its platforms, its layers, its configuration and its referrers.
 *
 * **When to use**
 *
 * Use to show what an image or another artifact is. `Graph.read` has all manifests, and `TagList` many tags at once.
 *
 * **Details**
 *
 * Manifests and the configuration are read, layers are not. An index of which some images are missing can be summarized, too.
 *
 * Fails with `GraphError` if the manifest itself is missing.
 *
 * **Example** (The command of an image)
 *
 * ```ts
 * import { Artifact, Repository, Summary } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const command = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   const image = yield* Artifact.resolve(store, "v1.4.0", { platform: "linux/amd64" })
 *   const { imageConfig } = yield* Summary.read(store, image)
 *   return [...(imageConfig?.config?.Entrypoint ?? []), ...(imageConfig?.config?.Cmd ?? [])]
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = <E>(reader: Reader<E>, root: Descriptor): Effect.Effect<Summary, E | GraphError> =>
  Summarizing.read(reader, root)
