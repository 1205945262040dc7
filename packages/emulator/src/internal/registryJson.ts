/**
 * The file `registry.json`, in which emulators kept their registry before they kept its changes.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Digest } from "@effect-acr/client/Digest"
import { MediaType } from "@effect-acr/client/MediaType"
import { RepositoryName } from "@effect-acr/client/RepositoryName"
import { Tag } from "@effect-acr/client/Tag"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Change, dated, type StoredManifest } from "./changes.ts"
import * as Contents from "./contents.ts"
import { describe, viewOf } from "./description.ts"
import type { StoredBlob } from "./state.ts"

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

export const fileOf = (directory: string): string => join(directory, "registry.json")

/** A manifest with what its content says. What the file says of it overrides that. */
const manifestOf = async <A extends typeof SavedManifest.Type>(
  directory: string,
  known: ReadonlyMap<string, StoredBlob>,
  blobs: ReadonlySet<string>,
  saved: A
): Promise<StoredManifest & A> => {
  const { digest, mediaType } = saved
  const bytes = await readFile(Contents.fileOf(directory, digest))
  const view = Result.getOrThrow(viewOf(mediaType, bytes.toString("utf8")))
  return { ...(await describe({ blobs: known }, { blobs }, bytes, mediaType, digest, view)), ...saved }
}

const trashOf = async (
  directory: string,
  known: ReadonlyMap<string, StoredBlob>,
  { manifests, name, repository, tags }: typeof SavedTrash.Type
): Promise<ReadonlyArray<Change>> => {
  const changes: Array<Change> = []
  if (repository !== undefined) changes.push({ _tag: "TrashRepository", repository: name, deleted: repository })
  for (const saved of manifests) {
    const manifest = await manifestOf(directory, known, new Set<string>(saved.blobs), saved)
    changes.push({ _tag: "TrashManifest", repository: name, manifest })
  }
  return [...changes, ...tags.map((tag): Change => ({ _tag: "TrashTag", repository: name, tag }))]
}

const repositoryOf = async (
  directory: string,
  known: ReadonlyMap<string, StoredBlob>,
  { attributes, blobs, createdTime, lastUpdateTime, manifests, name, tags }: typeof SavedRepository.Type
): Promise<ReadonlyArray<Change>> => {
  const changes: Array<Change> = [{ _tag: "PutRepository", name, createdTime, lastUpdateTime, attributes }]
  for (const digest of blobs) changes.push({ _tag: "HoldBlob", repository: name, digest })
  for (const saved of manifests) {
    const manifest = await manifestOf(directory, known, new Set<string>(blobs), saved)
    changes.push({ _tag: "PutManifest", repository: name, manifest })
  }
  return [...changes, ...tags.map((tag): Change => ({ _tag: "PutTag", repository: name, tag }))]
}

/** The changes that make the registry of the file. */
export const read = async (directory: string): Promise<ReadonlyArray<Change>> => {
  const saved = decode(await readFile(fileOf(directory), "utf8"))
  const known = new Map<string, StoredBlob>(
    saved.blobs.map(({ digest, size }) => [digest, { file: Contents.fileOf(directory, digest), size }])
  )
  const changes: Array<Change> = saved.blobs.map(({ digest, size }) => ({ _tag: "AddContent", digest, size }))
  for (const repository of saved.repositories) changes.push(...(await repositoryOf(directory, known, repository)))
  for (const one of saved.trash ?? []) changes.push(...(await trashOf(directory, known, one)))
  return changes
}
