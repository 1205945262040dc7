/**
 * What the registry holds.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type { Digest } from "@effect-acr/client/Digest"

/** The locks, under the names that they have on the wire. */
export interface Attributes {
  readonly deleteEnabled: boolean
  readonly writeEnabled: boolean
  readonly readEnabled: boolean
  readonly listEnabled: boolean
}

const unlocked: Attributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true }

/** RFC 3339 with seven fractional digits, so that text sorts as time does. */
export type Timestamp = string

export interface StoredTag {
  readonly name: string
  readonly digest: Digest
  readonly createdTime: Timestamp
  readonly lastUpdateTime: Timestamp
  readonly attributes: Attributes
}

export interface StoredManifest {
  readonly digest: Digest
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly createdTime: Timestamp
  readonly lastUpdateTime: Timestamp
  readonly attributes: Attributes
  /** The bytes of the manifest and of what it is made of. */
  readonly imageSize: number
  readonly architecture: string | undefined
  readonly os: string | undefined
  readonly configMediaType: string | undefined
  readonly artifactType: string | undefined
  readonly annotations: { readonly [name: string]: string } | undefined
  readonly subject: Digest | undefined
  /** The manifests that an index refers to. */
  readonly references: ReadonlyArray<Descriptor>
}

export interface Repository {
  readonly name: string
  readonly createdTime: Timestamp
  lastUpdateTime: Timestamp
  attributes: Attributes
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, StoredTag>
  readonly blobs: Set<string>
}

/** Content, kept as a file so that no blob is ever wholly in memory. */
export interface StoredBlob {
  readonly file: string
  readonly size: number
}

/**
 * The state of one emulator.
 */
export interface Store {
  readonly repositories: Map<string, Repository>
  readonly blobs: Map<string, StoredBlob>
  /** The time as a timestamp, later than every one before. */
  readonly stamp: (nowMillis: number) => Timestamp
}

export const make = (): Store => {
  let lastMillis = -1
  let ticks = 0
  return {
    repositories: new Map(),
    blobs: new Map(),
    stamp: (nowMillis) => {
      ticks = nowMillis === lastMillis ? ticks + 1 : 0
      lastMillis = nowMillis
      return new Date(nowMillis).toISOString().replace("Z", `${String(ticks).padStart(4, "0")}Z`)
    }
  }
}

/** The repository, made if it is not there yet. */
export const openRepository = (store: Store, name: string, now: Timestamp): Repository => {
  const known = store.repositories.get(name)
  if (known !== undefined) return known
  const made: Repository = {
    name,
    createdTime: now,
    lastUpdateTime: now,
    attributes: unlocked,
    manifests: new Map(),
    tags: new Map(),
    blobs: new Set()
  }
  store.repositories.set(name, made)
  return made
}

/**
 * The blob of a repository. The content of all repositories is in one place, so every reader must check that the
 * repository has it.
 */
export const blobOf = (
  store: Store,
  repository: Pick<Repository, "blobs"> | undefined,
  digest: string
): StoredBlob | undefined => (repository?.blobs.has(digest) === true ? store.blobs.get(digest) : undefined)

/** Puts a manifest, keeping the locks and the age of one that is already there. */
export const putManifest = (
  repository: Repository,
  manifest: Omit<StoredManifest, "createdTime" | "lastUpdateTime" | "attributes">,
  now: Timestamp
): void => {
  const known = repository.manifests.get(manifest.digest)
  repository.manifests.set(manifest.digest, {
    ...manifest,
    createdTime: known?.createdTime ?? now,
    lastUpdateTime: known?.lastUpdateTime ?? now,
    attributes: known?.attributes ?? unlocked
  })
  repository.lastUpdateTime = now
}

/** Points a tag at a manifest. */
export const putTag = (repository: Repository, name: string, digest: Digest, now: Timestamp): void => {
  const known = repository.tags.get(name)
  repository.tags.set(name, {
    name,
    digest,
    createdTime: known?.createdTime ?? now,
    lastUpdateTime: now,
    attributes: known?.attributes ?? unlocked
  })
  repository.lastUpdateTime = now
}

export const tagsOf = (repository: Repository, digest: string): ReadonlyArray<StoredTag> =>
  Array.from(repository.tags.values()).filter((tag) => tag.digest === digest)

/** The manifests that refer to a manifest as their subject. It need not exist. */
export const referrersOf = (repository: Repository, digest: string): ReadonlyArray<StoredManifest> =>
  Array.from(repository.manifests.values()).filter(({ subject }) => subject === digest)

/** Deletes a manifest with its tags. */
export const deleteManifest = (repository: Repository, digest: string): void => {
  repository.manifests.delete(digest)
  for (const { name } of tagsOf(repository, digest)) repository.tags.delete(name)
}

/** Deletes a manifest with its tags, its referrers and theirs. */
export const deleteWithReferrers = (repository: Repository, digest: string): void => {
  deleteManifest(repository, digest)
  for (const referrer of referrersOf(repository, digest)) deleteWithReferrers(repository, referrer.digest)
}

/** Either lock keeps a thing from being deleted. */
export const isLocked = ({ attributes }: { readonly attributes: Attributes }): boolean =>
  !attributes.deleteEnabled || !attributes.writeEnabled
