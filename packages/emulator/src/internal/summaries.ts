/**
 * The contents of the registry, for the page and for tests.
 */
import type { ManifestSummary, RepositoryContents, RepositorySummary } from "../Contents.ts"
import { imageSizeOf, type Repository, type Store, type StoredManifest, tagsOf } from "./store.ts"

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  left.name < right.name ? -1 : 1

const newestFirst = (left: StoredManifest, right: StoredManifest): number =>
  left.createdTime > right.createdTime ? -1 : 1

export const repositories = (store: Store): ReadonlyArray<RepositorySummary> =>
  Array.from(store.repositories.values(), ({ createdTime, lastUpdateTime, manifests, name, tags }) => ({
    name,
    manifestCount: manifests.size,
    tagCount: tags.size,
    createdTime,
    lastUpdateTime
  })).toSorted(byName)

const summaryOf = (repository: Repository, manifest: StoredManifest): ManifestSummary => {
  const { architecture, artifactType, attributes, createdTime, digest, mediaType, os, size, subject } = manifest
  return {
    digest,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(os === undefined || architecture === undefined ? {} : { platform: { os, architecture } }),
    size,
    imageSize: imageSizeOf(repository, manifest),
    tags: tagsOf(repository, digest)
      .map(({ name }) => name)
      .toSorted(),
    references: manifest.references.map(({ digest }) => digest),
    ...(subject === undefined ? {} : { subject }),
    createdTime,
    attributes
  }
}

export const contents = (store: Store, name: string): RepositoryContents | undefined => {
  const repository = store.repositories.get(name)
  if (repository === undefined) return undefined
  return {
    name,
    tags: Array.from(repository.tags.values(), ({ attributes, digest, lastUpdateTime, name }) => ({
      name,
      digest,
      lastUpdateTime,
      attributes
    })).toSorted(byName),
    manifests: Array.from(repository.manifests.values())
      .toSorted(newestFirst)
      .map((manifest) => summaryOf(repository, manifest)),
    attributes: repository.attributes
  }
}
