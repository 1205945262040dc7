/**
 * The state of a registry in a folder: content as an OCI image layout has it, and the rest in one JSON file.
 */
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rename, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Digest } from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import { MediaType } from "@effect-acr/client/MediaType"
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import { Tag } from "@effect-acr/client/Tag"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { DirectoryError } from "../DirectoryError.ts"
import * as Contents from "./contents.ts"
import { describe } from "./description.ts"
import type { Repository, Store, StoredManifest } from "./store.ts"

/** What repositories, manifests and tags have in common. */
const dated = {
  createdTime: Schema.String,
  lastUpdateTime: Schema.String,
  attributes: Schema.Struct({
    deleteEnabled: Schema.Boolean,
    writeEnabled: Schema.Boolean,
    readEnabled: Schema.Boolean,
    listEnabled: Schema.Boolean
  })
}

const SavedManifest = Schema.Struct({ digest: Digest, mediaType: MediaType, ...dated })

const SavedRepository = Schema.Struct({
  name: RepositoryName,
  ...dated,
  manifests: Schema.Array(SavedManifest),
  tags: Schema.Array(Schema.Struct({ name: Tag, digest: Digest, ...dated })),
  blobs: Schema.Array(Digest)
})

/** What content does not tell itself. Sizes are in bytes. */
const SavedRegistry = Schema.Struct({
  blobs: Schema.Array(Schema.Struct({ digest: Digest, size: Schema.Natural })),
  repositories: Schema.Array(SavedRepository)
})

const decode = Schema.decodeSync(Schema.fromJsonString(SavedRegistry))

const registryFile = (directory: string): string => join(directory, "registry.json")

const datedOf = ({ attributes, createdTime, lastUpdateTime }: Repository | StoredManifest) => ({
  createdTime,
  lastUpdateTime,
  attributes
})

const snapshot = (store: Store): typeof SavedRegistry.Encoded => ({
  blobs: Array.from(store.blobs, ([digest, { size }]) => ({ digest, size })),
  repositories: Array.from(store.repositories.values(), (repository) => ({
    name: repository.name,
    ...datedOf(repository),
    manifests: Array.from(repository.manifests.values(), (manifest) => ({
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      ...datedOf(manifest)
    })),
    tags: Array.from(repository.tags.values()),
    blobs: Array.from(repository.blobs)
  }))
})

const restoreManifest = async (
  store: Store,
  directory: string,
  holder: Pick<Repository, "blobs">,
  { digest, mediaType, ...dated }: typeof SavedManifest.Type
): Promise<StoredManifest> => {
  const bytes = await readFile(Contents.fileOf(directory, digest))
  const view = Result.getOrThrow(Manifest.parse(mediaType, bytes.toString("utf8")))
  return { ...(await describe(store, holder, bytes, mediaType, digest, view)), ...dated }
}

const restore = async (store: Store, directory: string): Promise<void> => {
  if (!existsSync(registryFile(directory))) return
  const saved = decode(await readFile(registryFile(directory), "utf8"))
  for (const { digest, size } of saved.blobs) {
    store.blobs.set(digest, { file: Contents.fileOf(directory, digest), size })
  }
  for (const { manifests, tags, ...repository } of saved.repositories) {
    const blobs = new Set<string>(repository.blobs)
    const restored = await Promise.all(
      manifests.map((manifest) => restoreManifest(store, directory, { blobs }, manifest))
    )
    store.repositories.set(repository.name, {
      ...repository,
      manifests: new Map(restored.map((manifest) => [manifest.digest, manifest])),
      tags: new Map(tags.map((tag) => [tag.name, tag])),
      blobs
    })
  }
}

/** Fills an empty registry with what a folder holds. */
export const load = (store: Store, directory: string): Effect.Effect<void, DirectoryError> =>
  Effect.tryPromise({
    try: () => restore(store, directory),
    catch: (cause) => new DirectoryError({ directory, cause })
  })

/** Writes the state down if it changed. It is at no time half written, and one writing waits for another. */
export const saver = (store: Store, directory: string): (() => Promise<void>) => {
  let saved = ""
  let busy = Promise.resolve()
  const save = async () => {
    const text = JSON.stringify(snapshot(store), undefined, 2)
    if (text === saved) return
    const temporary = `${registryFile(directory)}.new`
    await writeFile(temporary, text)
    await rename(temporary, registryFile(directory))
    saved = text
  }
  return () => {
    busy = busy.then(save, save)
    return busy
  }
}

/** A folder for a registry: the one that is given, or one that goes when the scope closes. */
export const folder = (given: string | undefined): Effect.Effect<string, DirectoryError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const directory = given === undefined ? await mkdtemp(join(tmpdir(), "acr-emulator-")) : resolve(given)
        await Contents.prepare(directory)
        return directory
      },
      catch: (cause) => new DirectoryError({ directory: given === undefined ? tmpdir() : resolve(given), cause })
    }),
    (directory) => Effect.promise(() => (given === undefined ? Contents.remove(directory) : Contents.forget(directory)))
  )
