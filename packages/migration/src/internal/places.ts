/**
 * Repositories of registries and image layouts of folders, opened once.
 */
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import type { LayoutError } from "@effect-acr/artifacts/LayoutError"
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import * as Repository from "@effect-acr/artifacts/Repository"
import type * as Digest from "@effect-acr/client/Digest"
import * as Registries from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Place } from "../MigrationRules.ts"

export type PlaceError = RegistryError | LayoutError

/** A repository of a place. */
export interface Opened {
  readonly store: ContentStore<PlaceError>
  /** The registry that it is in; absent for a layout. */
  readonly registry?: Registries.Opened
  /** Removes a blob, so that it can be put again. */
  readonly discard: (digest: Digest.Digest) => Effect.Effect<void, PlaceError | PlatformError>
}

/** Stores that stay open. One that is opened again has to find what another one of this process is sending. */
const mostOpen = 10_000

const pageSize = 999

export const make = Effect.fnUntraced(function* () {
  const registries = yield* Registries.Registries
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const open = (key: string): Effect.Effect<Opened, PlaceError> =>
    Effect.suspend((): Effect.Effect<Opened, PlaceError, FileSystem.FileSystem | Path.Path> => {
      const [kind, place = "", repository = ""] = key.split("\n")
      if (kind === "registry") {
        return Effect.map(registries.open(`${place}/${repository}`), (registry) => ({
          registry,
          store: Repository.make(registry.content, registry.reference),
          discard: (digest) => registry.content.deleteBlob(registry.repository, digest)
        }))
      }
      const folder = path.join(place, ...repository.split("/"))
      return Effect.map(ImageLayout.open(folder), (store) => ({
        store,
        discard: (digest) => files.remove(path.join(folder, LayoutFiles.blobPath(digest)), { force: true })
      }))
    }).pipe(Effect.provideService(FileSystem.FileSystem, files), Effect.provideService(Path.Path, path))

  const cache = yield* Cache.make({ capacity: mostOpen, lookup: open })

  /** The folders under a folder that are layouts, as names of repositories. */
  const layoutsIn = (root: string): Stream.Stream<string, PlatformError> => {
    const visit = (name: string): Stream.Stream<string, PlatformError> =>
      Stream.unwrap(
        Effect.map(files.readDirectory(path.join(root, name)), (found) => {
          const isLayout = found.includes(LayoutFiles.versionFile)
          // The folders of a layout hold content, however many files that are.
          const inside = isLayout ? found.filter((one) => one !== "blobs" && !one.startsWith(".")) : found
          const below = Stream.fromIterable(inside.toSorted()).pipe(
            Stream.map((one) => (name === "" ? one : `${name}/${one}`)),
            Stream.filterEffect((one) =>
              Effect.map(files.stat(path.join(root, one)), ({ type }) => type === "Directory")
            ),
            Stream.flatMap(visit)
          )
          return isLayout && name !== "" ? Stream.concat(Stream.make(name), below) : below
        })
      )
    return visit("")
  }

  return {
    /** Opens a repository of a place. */
    open: (place: Place, repository: string): Effect.Effect<Opened, PlaceError> =>
      Cache.get(
        cache,
        [
          "registry" in place ? "registry" : "layouts",
          "registry" in place ? place.registry : place.layouts,
          repository
        ].join("\n")
      ),
    /** The names of the repositories of a place. */
    repositories: (place: Place): Stream.Stream<string, RegistryError | PlatformError> =>
      "layouts" in place
        ? layoutsIn(place.layouts)
        : Stream.unwrap(
            Effect.map(registries.open(`${place.registry}/any`), ({ content }) => content.repositories({ pageSize }))
          )
  }
})

export type Places = Effect.Success<ReturnType<typeof make>>
