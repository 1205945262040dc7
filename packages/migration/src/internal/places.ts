/**
 * Opens repositories of registries, image layouts and archives, once each.
 */
import type { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import type { Fault } from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import type { WriteFault } from "@effect-acr/artifacts/ImageArchive"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import { InvalidIndex, LayoutError } from "@effect-acr/artifacts/LayoutError"
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import * as Repository from "@effect-acr/artifacts/Repository"
import type * as Digest from "@effect-acr/client/Digest"
import * as Registries from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Place } from "../MigrationRules.ts"
import * as Archives from "./archives.ts"
import * as LeftOut from "./leftOut.ts"
import { kindOf, nameOf } from "./names.ts"

export type PlaceError = RegistryError | LayoutError | ArchiveError

/** A repository of a place, to read from. */
export interface Source {
  readonly store: Reader<PlaceError>
  /** The registry of the repository; absent for a file or a folder. */
  readonly registry?: Registries.Opened
}

/** A repository of a place, to read from and to write to. */
export interface Opened extends Source {
  readonly store: ContentStore<PlaceError>
  /** Deletes a blob, so that it can be sent again. */
  readonly discard: (digest: Digest.Digest) => Effect.Effect<void, PlaceError | PlatformError>
}

/** The number of stores that stay open. A store that is opened a second time must see the uploads of the first. */
const mostOpen = 10_000

const pageSize = 999

export const make = Effect.fnUntraced(function* () {
  const registries = yield* Registries.Registries
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const folderOf = (root: string, repository: string): string => path.join(root, ...repository.split("/"))

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
      const folder = kind === "archives" ? Archives.layoutOf(path, place, repository) : folderOf(place, repository)
      return Effect.map(ImageLayout.open(folder), (store) => ({
        store,
        discard: (digest) => files.remove(path.join(folder, LayoutFiles.blobPath(digest)), { force: true })
      }))
    }).pipe(Effect.provideService(FileSystem.FileSystem, files), Effect.provideService(Path.Path, path))

  // A failure may pass: the next use opens the place again.
  const cache = yield* Cache.makeWith(open, {
    capacity: mostOpen,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
  })
  const archive = yield* Archives.makeReaders
  const hidden = yield* Archives.makeHidden
  const target = (place: Place, repository: string): Effect.Effect<Opened, PlaceError> =>
    Cache.get(cache, [kindOf(place), nameOf(place), repository].join("\n"))

  /** The folders under a folder that are layouts, as names of repositories. */
  const layoutsIn = (root: string): Stream.Stream<string, PlatformError> => {
    const visit = (name: string): Stream.Stream<string, PlatformError> =>
      Stream.unwrap(
        Effect.map(files.readDirectory(path.join(root, name)), (found) => {
          // One that has lost its version is reported when it is opened.
          const isLayout =
            found.includes(LayoutFiles.versionFile) ||
            (found.includes(LayoutFiles.indexFile) && found.includes("blobs"))
          // A layout's own folders hold content, possibly many files: do not visit them.
          const inside = isLayout ? found.filter((one) => one !== "blobs" && !one.startsWith(".")) : found
          const below = Stream.fromIterable(inside.toSorted()).pipe(
            Stream.map((one) => (name === "" ? one : `${name}/${one}`)),
            Stream.filterEffect((one) =>
              Effect.map(LeftOut.typeOf(files, path.join(root, one)), (type) => Option.contains(type, "Directory"))
            ),
            Stream.flatMap(visit)
          )
          return isLayout && name !== "" ? Stream.concat(Stream.make(name), below) : below
        })
      )
    return visit("")
  }

  /** Whether a folder has only layouts of other repositories, named in `inside`, so that it would be refused as no layout. */
  const isAround = (folder: string, inside: ReadonlySet<string>): Effect.Effect<boolean, PlatformError> =>
    Effect.gen(function* () {
      if (inside.size === 0 || !(yield* files.exists(folder))) return false
      return (yield* files.readDirectory(folder)).every((one) => inside.has(one))
    })

  /** Makes the folder a layout before other layouts are made in its subfolders, named in `inside`. */
  const beginLayout = (folder: string, inside: ReadonlySet<string>): Effect.Effect<void, PlatformError> =>
    Effect.gen(function* () {
      if (inside.size > 0) yield* files.makeDirectory(folder, { recursive: true })
      if (!(yield* isAround(folder, inside))) return
      yield* files.writeFileString(path.join(folder, LayoutFiles.versionFile), LayoutFiles.version)
    })

  /** Fails for a layout that has lost its index, or never got it: what it has is unknown. As a target, it is empty. */
  const assertIndexed = (folder: string): Effect.Effect<void, LayoutError | PlatformError> =>
    Effect.gen(function* () {
      if (!(yield* files.exists(path.join(folder, LayoutFiles.versionFile)))) return
      if (yield* files.exists(path.join(folder, LayoutFiles.indexFile))) return
      return yield* new LayoutError({ folder, reason: new InvalidIndex({ description: "index.json is missing" }) })
    })

  return {
    /** Prepares a repository for writing. `inside` has the subfolders of other repositories. */
    begin: (
      place: Place,
      repository: string,
      inside: ReadonlySet<string>
    ): Effect.Effect<void, PlaceError | PlatformError | CopyError<PlaceError | Fault>> => {
      if ("layouts" in place) return beginLayout(folderOf(place.layouts, repository), inside)
      if (!("archives" in place)) return Effect.void
      const file = archive(Archives.fileOf(path, place.archives, repository))
      return Effect.flatMap(target(place, repository), ({ store }) =>
        Archives.restore(place.archives, repository, file, store)
      ).pipe(Effect.provideService(FileSystem.FileSystem, files), Effect.provideService(Path.Path, path))
    },
    /**
     * Whether nothing of a repository is there but its folder, with layouts of others in the subfolders named in `inside`, or only a
     * part of what its archive has.
     */
    isUnbegun: (
      place: Place,
      repository: string,
      inside: ReadonlySet<string>
    ): Effect.Effect<boolean, PlatformError> => {
      if ("layouts" in place) return isAround(folderOf(place.layouts, repository), inside)
      return "archives" in place ? Archives.isUnfilled(files, path, place.archives, repository) : Effect.succeed(false)
    },
    /** Opens a repository for writing. */
    target,
    /** Opens a repository for reading. */
    source: (place: Place, repository: string): Effect.Effect<Source, PlaceError | PlatformError> => {
      if ("archives" in place) {
        return Effect.succeed({ store: archive(Archives.fileOf(path, place.archives, repository)) })
      }
      const opened = target(place, repository)
      return "layouts" in place ? Effect.andThen(assertIndexed(folderOf(place.layouts, repository)), opened) : opened
    },
    /** Writes the archive of a repository that is complete. Does nothing for registries and layouts. */
    seal: (place: Place, repository: string): Effect.Effect<void, PlaceError | WriteFault | PlatformError> =>
      "archives" in place
        ? Effect.flatMap(target(place, repository), ({ store }) =>
            Archives.seal(place.archives, repository, store, hidden)
          ).pipe(Effect.provideService(FileSystem.FileSystem, files), Effect.provideService(Path.Path, path))
        : Effect.void,
    /** The names of the repositories of a place. */
    repositories: (place: Place): Stream.Stream<string, RegistryError | PlatformError> =>
      "registry" in place
        ? Stream.unwrap(
            Effect.map(registries.open(`${place.registry}/any`), ({ content }) => content.repositories({ pageSize }))
          )
        : "layouts" in place
          ? layoutsIn(place.layouts)
          : Archives.archivesIn(files, path, place.archives)
  }
})

export type Places = Effect.Success<ReturnType<typeof make>>
