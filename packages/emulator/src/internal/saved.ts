/**
 * The state of a registry in a folder: content as an OCI image layout has it, and the rest in one JSON file.
 */
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rename, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Digest } from "@effect-acr/client/Digest"
import { MediaType } from "@effect-acr/client/MediaType"
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import { Tag } from "@effect-acr/client/Tag"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { DirectoryError } from "../DirectoryError.ts"
import * as Contents from "./contents.ts"
import { describe, viewOf } from "./description.ts"
import type { Repository, Store, StoredManifest, Trash } from "./store.ts"

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

const SavedManifest = Schema.Struct({
  digest: Digest,
  mediaType: MediaType,
  ...dated,
  quarantineState: Schema.optionalKey(Schema.String),
  quarantineDetails: Schema.optionalKey(Schema.String)
})

const SavedTag = Schema.Struct({ name: Tag, digest: Digest, ...dated })

const deletedAt = { deletedAt: Schema.String }

/** What was deleted under one name. A manifest's blobs are those that the repository held for it. */
const SavedTrash = Schema.Struct({
  name: RepositoryName,
  repository: Schema.optionalKey(
    Schema.Struct({ createdTime: dated.createdTime, attributes: dated.attributes, ...deletedAt })
  ),
  manifests: Schema.Array(Schema.Struct({ ...SavedManifest.fields, ...deletedAt, blobs: Schema.Array(Digest) })),
  tags: Schema.Array(Schema.Struct({ ...SavedTag.fields, ...deletedAt }))
})

const SavedRepository = Schema.Struct({
  name: RepositoryName,
  ...dated,
  manifests: Schema.Array(SavedManifest),
  tags: Schema.Array(SavedTag),
  blobs: Schema.Array(Digest)
})

/** What content does not tell itself. Sizes are in bytes. */
const SavedRegistry = Schema.Struct({
  blobs: Schema.Array(Schema.Struct({ digest: Digest, size: Schema.Natural })),
  repositories: Schema.Array(SavedRepository),
  /** Is absent in folders of emulators that knew no soft delete. */
  trash: Schema.optionalKey(Schema.Array(SavedTrash))
})

const decode = Schema.decodeSync(Schema.fromJsonString(SavedRegistry))

const registryFile = (directory: string): string => join(directory, "registry.json")

const datedOf = ({ attributes, createdTime, lastUpdateTime }: Repository | StoredManifest) => ({
  createdTime,
  lastUpdateTime,
  attributes
})

const manifestOf = (manifest: StoredManifest) => ({
  digest: manifest.digest,
  mediaType: manifest.mediaType,
  ...datedOf(manifest),
  ...(manifest.quarantineState === undefined ? {} : { quarantineState: manifest.quarantineState }),
  ...(manifest.quarantineDetails === undefined ? {} : { quarantineDetails: manifest.quarantineDetails })
})

const trashOf = ({ manifests, name, repository, tags }: Trash): typeof SavedTrash.Encoded => ({
  name,
  ...(repository === undefined ? {} : { repository }),
  manifests: Array.from(manifests.values(), (manifest) => ({
    ...manifestOf(manifest),
    deletedAt: manifest.deletedAt,
    blobs: manifest.blobs
  })),
  tags
})

const snapshot = (store: Store): typeof SavedRegistry.Encoded => ({
  blobs: Array.from(store.blobs, ([digest, { size }]) => ({ digest, size })),
  repositories: Array.from(store.repositories.values(), (repository) => ({
    name: repository.name,
    ...datedOf(repository),
    manifests: Array.from(repository.manifests.values(), manifestOf),
    tags: Array.from(repository.tags.values()),
    blobs: Array.from(repository.blobs)
  })),
  ...(store.trash.size === 0 ? {} : { trash: Array.from(store.trash.values(), trashOf) })
})

/** A manifest with what its content says. What the file says of it overrides that. */
const restoreManifest = async <A extends typeof SavedManifest.Type>(
  store: Store,
  directory: string,
  holder: Pick<Repository, "blobs">,
  saved: A
): Promise<StoredManifest & A> => {
  const { digest, mediaType } = saved
  const bytes = await readFile(Contents.fileOf(directory, digest))
  const view = Result.getOrThrow(viewOf(mediaType, bytes.toString("utf8")))
  return { ...(await describe(store, holder, bytes, mediaType, digest, view)), ...saved }
}

const restoreTrash = async (
  store: Store,
  directory: string,
  { manifests, name, repository, tags }: typeof SavedTrash.Type
): Promise<Trash> => {
  const restored = await Promise.all(
    manifests.map((manifest) => restoreManifest(store, directory, { blobs: new Set<string>(manifest.blobs) }, manifest))
  )
  return {
    name,
    repository,
    manifests: new Map(restored.map((manifest) => [manifest.digest, manifest])),
    tags: [...tags]
  }
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
  for (const one of saved.trash ?? []) store.trash.set(one.name, await restoreTrash(store, directory, one))
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
