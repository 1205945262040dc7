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
  /** The bytes of the blobs that count as its own. `imageSizeOf` adds the images of an index. */
  readonly blobsSize: number
  readonly architecture: string | undefined
  readonly os: string | undefined
  readonly configMediaType: string | undefined
  readonly artifactType: string | undefined
  readonly annotations: { readonly [name: string]: string } | undefined
  readonly subject: Digest | undefined
  /** The manifests that an index refers to. */
  readonly references: ReadonlyArray<Descriptor>
  /** The blobs that it refers to. */
  readonly blobs: ReadonlyArray<Digest>
  /** The result of a scan. Anything but `Passed` puts the manifest in quarantine. */
  readonly quarantineState?: string
  readonly quarantineDetails?: string
}

/** What `describe` reads from a manifest's content. The rest is the registry's own. */
export type Description = Omit<
  StoredManifest,
  "createdTime" | "lastUpdateTime" | "attributes" | "quarantineState" | "quarantineDetails"
>

export interface Repository {
  readonly name: string
  readonly createdTime: Timestamp
  lastUpdateTime: Timestamp
  attributes: Attributes
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, StoredTag>
  readonly blobs: Set<string>
}

/** A manifest in the trash, with the blobs that its repository held for it. */
export interface DeletedManifest extends StoredManifest {
  readonly deletedAt: Timestamp
}

export interface DeletedTag extends StoredTag {
  readonly deletedAt: Timestamp
}

/** A repository that was deleted as a whole. What it held is in the trash of its name. */
interface DeletedRepository {
  readonly createdTime: Timestamp
  readonly attributes: Attributes
  readonly deletedAt: Timestamp
}

/** What was deleted under the name of one repository, and can be restored. */
export interface Trash {
  readonly name: string
  /** Is absent while the repository exists. */
  repository: DeletedRepository | undefined
  /** In the order of their deletion, as the tags are. */
  readonly manifests: Map<string, DeletedManifest>
  /** One tag may have been deleted several times. */
  readonly tags: Array<DeletedTag>
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
  /** What was deleted and can be restored, by the name of its repository. */
  readonly trash: Map<string, Trash>
  readonly blobs: Map<string, StoredBlob>
  /** The time as a timestamp, later than every one before. */
  readonly stamp: (nowMillis: number) => Timestamp
}

export const make = (): Store => {
  let lastMillis = -1
  let ticks = 0
  return {
    repositories: new Map(),
    trash: new Map(),
    blobs: new Map(),
    stamp: (nowMillis) => {
      ticks = nowMillis === lastMillis ? ticks + 1 : 0
      lastMillis = nowMillis
      return new Date(nowMillis).toISOString().replace("Z", `${String(ticks).padStart(4, "0")}Z`)
    }
  }
}

/**
 * The repository, made if it is not there yet. A repository in the trash is restored, as a push to it does (ACR's
 * documentation, "Recover deleted artifacts"). Its manifests and tags stay in the trash. The documentation does not say
 * whether the repository keeps its time of creation and its locks; here it does.
 */
export const openRepository = (store: Store, name: string, now: Timestamp): Repository => {
  const known = store.repositories.get(name)
  if (known !== undefined) return known
  const trash = store.trash.get(name)
  const made: Repository = {
    name,
    createdTime: trash?.repository?.createdTime ?? now,
    lastUpdateTime: now,
    attributes: trash?.repository?.attributes ?? unlocked,
    manifests: new Map(),
    tags: new Map(),
    blobs: new Set()
  }
  store.repositories.set(name, made)
  if (trash !== undefined) trash.repository = undefined
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

/** Puts a manifest, keeping the locks, the quarantine and the age of one that is already there. */
export const putManifest = (repository: Repository, manifest: Description, now: Timestamp): void => {
  const known = repository.manifests.get(manifest.digest)
  repository.manifests.set(manifest.digest, {
    ...known,
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

/**
 * The size that ACR states of an image. That of an index is its own bytes and its images: azure-sdk-for-python, recording
 * test_list_in_empty_repo. An image that was deleted since counts as the bytes of its manifest.
 */
export const imageSizeOf = (repository: Repository, manifest: StoredManifest): number =>
  manifest.references.reduce(
    (sum, { digest, size }) => {
      const image = repository.manifests.get(digest)
      return sum + (image === undefined ? size : imageSizeOf(repository, image))
    },
    manifest.blobsSize + (manifest.references.length === 0 ? 0 : manifest.bytes.length)
  )

export const tagsOf = (repository: Repository, digest: string): ReadonlyArray<StoredTag> =>
  Array.from(repository.tags.values()).filter((tag) => tag.digest === digest)

/** The manifests that refer to a manifest as their subject. It need not exist. */
export const referrersOf = (repository: Repository, digest: string): ReadonlyArray<StoredManifest> =>
  Array.from(repository.manifests.values()).filter(({ subject }) => subject === digest)

/** A manifest, and those that it takes along when it is deleted: its referrers and theirs. */
export const withReferrers = (repository: Repository, digest: string): ReadonlyArray<string> => {
  const found = new Set([digest])
  // A set also visits what is added while it is read.
  for (const one of found) for (const referrer of referrersOf(repository, one)) found.add(referrer.digest)
  return Array.from(found)
}

/** Either lock keeps a thing from being deleted. */
export const isLocked = ({ attributes }: { readonly attributes: Attributes }): boolean =>
  !attributes.deleteEnabled || !attributes.writeEnabled
