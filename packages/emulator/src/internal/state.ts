/**
 * The registry as the sum of its changes, with the indexes that make its lists and its sweep fast.
 */
import type {
  Attributes,
  Change,
  ChangeOf,
  DeletedManifest,
  DeletedRepository,
  DeletedTag,
  StoredManifest,
  StoredTag,
  Timestamp
} from "./changes.ts"

export interface Repository {
  readonly name: string
  readonly createdTime: Timestamp
  readonly lastUpdateTime: Timestamp
  readonly attributes: Attributes
  readonly manifests: ReadonlyMap<string, StoredManifest>
  readonly tags: ReadonlyMap<string, StoredTag>
  readonly blobs: ReadonlySet<string>
  /** The names of the tags of a manifest, by its digest. */
  readonly tagsByDigest: ReadonlyMap<string, ReadonlySet<string>>
  /** The digests of the manifests that refer to a manifest as their subject, by its digest. */
  readonly referrersBySubject: ReadonlyMap<string, ReadonlySet<string>>
  /** Lists in their order, until the next change to what they list. */
  readonly sorted: {
    readonly manifests: Map<string, ReadonlyArray<StoredManifest>>
    readonly tags: Map<string, ReadonlyArray<StoredTag>>
  }
}

/** The trash of one repository's name: what can be restored. */
export interface Trash {
  readonly name: string
  /** Absent while the repository exists. */
  readonly repository: DeletedRepository | undefined
  /** In the order of their deletion, as the tags are. */
  readonly manifests: ReadonlyMap<string, DeletedManifest>
  /** One tag may have been deleted several times. */
  readonly tags: ReadonlyArray<DeletedTag>
}

/** Content, kept as a file so that a blob is never in memory as a whole. */
export interface StoredBlob {
  readonly file: string
  readonly size: number
}

/** A blob that a repository holds and none of its manifests names, nor one in its trash. */
export interface UnnamedBlob {
  readonly repository: string
  readonly digest: string
  readonly sinceMillis: number
}

export interface State {
  readonly repositories: ReadonlyMap<string, Repository>
  /** The trash, by the name of the repository. */
  readonly trash: ReadonlyMap<string, Trash>
  readonly blobs: ReadonlyMap<string, StoredBlob>
  /**
   * The blobs that no manifest of their repository names, nor one in its trash. Those that wait the longest come first.
   */
  readonly unnamed: ReadonlyMap<string, UnnamedBlob>
  /** The files that no repository and no trash needs, and since when. Those that wait the longest come first. */
  readonly unused: ReadonlyMap<string, number>
}

interface MutableRepository extends Repository {
  lastUpdateTime: Timestamp
  attributes: Attributes
  readonly manifests: Map<string, StoredManifest>
  readonly tags: Map<string, StoredTag>
  readonly blobs: Set<string>
  readonly tagsByDigest: Map<string, Set<string>>
  readonly referrersBySubject: Map<string, Set<string>>
}

interface MutableTrash extends Trash {
  repository: DeletedRepository | undefined
  readonly manifests: Map<string, DeletedManifest>
  readonly tags: Array<DeletedTag>
}

const addTo = (index: Map<string, Set<string>>, key: string, value: string): void => {
  const known = index.get(key)
  if (known === undefined) index.set(key, new Set([value]))
  else known.add(value)
}

const removeFrom = (index: Map<string, Set<string>>, key: string, value: string): void => {
  const known = index.get(key)
  known?.delete(value)
  if (known?.size === 0) index.delete(key)
}

/** Increments or decrements a count, and returns the new one. */
const count = (counts: Map<string, number>, key: string, by: 1 | -1): number => {
  const now = (counts.get(key) ?? 0) + by
  if (now === 0) counts.delete(key)
  else counts.set(key, now)
  return now
}

const emptyRepository = ({ attributes, createdTime, lastUpdateTime, name }: ChangeOf<"PutRepository">) => ({
  name,
  createdTime,
  lastUpdateTime,
  attributes,
  manifests: new Map(),
  tags: new Map(),
  blobs: new Set<string>(),
  tagsByDigest: new Map(),
  referrersBySubject: new Map(),
  sorted: { manifests: new Map(), tags: new Map() }
})

const isEmpty = ({ manifests, repository, tags }: Trash): boolean =>
  repository === undefined && manifests.size === 0 && tags.length === 0

/** A repository cannot have an empty name, nor a space in it. */
const keyOfBlob = (repository: string, digest: string): string => `${repository} ${digest}`

/**
 * An empty registry. `fileOf` returns the file of content, and `now` the time at which something begins to wait for the
 * sweep.
 */
export const make = (fileOf: (digest: string) => string, now: () => number) => {
  const repositories = new Map<string, MutableRepository>()
  const trash = new Map<string, MutableTrash>()
  const blobs = new Map<string, StoredBlob>()
  const unnamed = new Map<string, UnnamedBlob>()
  const unused = new Map<string, number>()
  /** The number of repositories and deleted manifests that need a file. */
  const uses = new Map<string, number>()
  /** The number of manifests of a repository, or in its trash, that name a blob. */
  const naming = new Map<string, number>()

  const use = (digest: string): void => {
    count(uses, digest, 1)
    unused.delete(digest)
  }

  const unuse = (digest: string): void => {
    if (count(uses, digest, -1) === 0) unused.set(digest, now())
  }

  /** Restarts the wait, as the last one in order. */
  const waitUnnamed = (repository: string, digest: string): void => {
    const key = keyOfBlob(repository, digest)
    unnamed.delete(key)
    unnamed.set(key, { repository, digest, sinceMillis: now() })
  }

  const nameBlobs = (repository: string, { blobs }: StoredManifest): void => {
    for (const digest of blobs) {
      count(naming, keyOfBlob(repository, digest), 1)
      unnamed.delete(keyOfBlob(repository, digest))
    }
  }

  const unnameBlobs = (repository: string, { blobs }: StoredManifest): void => {
    for (const digest of blobs) {
      const isLast = count(naming, keyOfBlob(repository, digest), -1) === 0
      if (isLast && repositories.get(repository)?.blobs.has(digest) === true) waitUnnamed(repository, digest)
    }
  }

  const putManifest = (repository: MutableRepository, manifest: StoredManifest): void => {
    const known = repository.manifests.get(manifest.digest)
    repository.manifests.set(manifest.digest, manifest)
    repository.sorted.manifests.clear()
    nameBlobs(repository.name, manifest)
    if (known !== undefined) return unnameBlobs(repository.name, known)
    use(manifest.digest)
    if (manifest.subject !== undefined) addTo(repository.referrersBySubject, manifest.subject, manifest.digest)
  }

  const removeManifest = (repository: MutableRepository, digest: string): void => {
    const known = repository.manifests.get(digest)
    if (known === undefined) return
    repository.manifests.delete(digest)
    repository.sorted.manifests.clear()
    unuse(digest)
    unnameBlobs(repository.name, known)
    if (known.subject !== undefined) removeFrom(repository.referrersBySubject, known.subject, digest)
  }

  const removeTag = (repository: MutableRepository, name: string): void => {
    const known = repository.tags.get(name)
    if (known === undefined) return
    repository.tags.delete(name)
    repository.sorted.tags.clear()
    removeFrom(repository.tagsByDigest, known.digest, name)
  }

  const putTag = (repository: MutableRepository, tag: StoredTag): void => {
    const known = repository.tags.get(tag.name)
    if (known !== undefined) removeFrom(repository.tagsByDigest, known.digest, tag.name)
    repository.tags.set(tag.name, tag)
    repository.sorted.tags.clear()
    addTo(repository.tagsByDigest, tag.digest, tag.name)
  }

  const holdBlob = (repository: MutableRepository, digest: string): void => {
    if (!repository.blobs.has(digest)) use(digest)
    repository.blobs.add(digest)
    if (!naming.has(keyOfBlob(repository.name, digest))) waitUnnamed(repository.name, digest)
  }

  const dropBlob = (repository: MutableRepository, digest: string): void => {
    if (!repository.blobs.delete(digest)) return
    unnamed.delete(keyOfBlob(repository.name, digest))
    unuse(digest)
  }

  const putRepository = (change: ChangeOf<"PutRepository">): void => {
    const known = repositories.get(change.name)
    if (known === undefined) repositories.set(change.name, emptyRepository(change))
    else Object.assign(known, { lastUpdateTime: change.lastUpdateTime, attributes: change.attributes })
  }

  const removeRepository = (name: string): void => {
    const known = repositories.get(name)
    if (known === undefined) return
    for (const digest of Array.from(known.manifests.keys())) removeManifest(known, digest)
    for (const digest of Array.from(known.blobs)) dropBlob(known, digest)
    repositories.delete(name)
  }

  const binOf = (name: string): MutableTrash => {
    const known = trash.get(name)
    if (known !== undefined) return known
    const made: MutableTrash = { name, repository: undefined, manifests: new Map(), tags: [] }
    trash.set(name, made)
    return made
  }

  const trashManifest = (bin: MutableTrash, manifest: DeletedManifest): void => {
    untrashManifest(bin, manifest.digest)
    bin.manifests.set(manifest.digest, manifest)
    nameBlobs(bin.name, manifest)
    for (const digest of [manifest.digest, ...manifest.blobs]) use(digest)
  }

  const untrashManifest = (bin: MutableTrash, digest: string): void => {
    const known = bin.manifests.get(digest)
    if (known === undefined) return
    bin.manifests.delete(digest)
    unnameBlobs(bin.name, known)
    for (const digest of [known.digest, ...known.blobs]) unuse(digest)
  }

  const untrashTag = (bin: MutableTrash, { deletedAt, digest, name }: ChangeOf<"UntrashTag">): void => {
    const at = bin.tags.findLastIndex(
      (tag) => tag.name === name && tag.digest === digest && tag.deletedAt === deletedAt
    )
    if (at !== -1) bin.tags.splice(at, 1)
  }

  const expireTrash = (bin: MutableTrash, untilMillis: number): void => {
    const stays = ({ deletedAt }: { readonly deletedAt: Timestamp }): boolean => Date.parse(deletedAt) > untilMillis
    for (const manifest of Array.from(bin.manifests.values())) {
      if (!stays(manifest)) untrashManifest(bin, manifest.digest)
    }
    const kept = bin.tags.filter(stays)
    bin.tags.length = 0
    for (const tag of kept) bin.tags.push(tag)
    if (bin.repository !== undefined && !stays(bin.repository)) bin.repository = undefined
  }

  const clear = (): void => {
    for (const name of Array.from(repositories.keys())) removeRepository(name)
    for (const bin of Array.from(trash.values())) expireTrash(bin, Number.POSITIVE_INFINITY)
    trash.clear()
  }

  /** Changes the contents of a repository. If it was deleted, the change is ignored. */
  const within = (name: string, change: (repository: MutableRepository) => void): void => {
    const repository = repositories.get(name)
    if (repository !== undefined) change(repository)
  }

  /** Changes the trash of one name, which is removed when it is empty. */
  const inBin = (name: string, change: (bin: MutableTrash) => void): void => {
    const bin = binOf(name)
    change(bin)
    if (isEmpty(bin)) trash.delete(name)
  }

  const apply = (change: Change): void => {
    switch (change._tag) {
      case "PutRepository":
        return putRepository(change)
      case "RemoveRepository":
        return removeRepository(change.name)
      case "AddContent":
        blobs.set(change.digest, { file: fileOf(change.digest), size: change.size })
        // Until something needs it.
        if (!uses.has(change.digest)) unused.set(change.digest, now())
        return
      case "HoldBlob":
        return within(change.repository, (repository) => holdBlob(repository, change.digest))
      case "DropBlob":
        return within(change.repository, (repository) => dropBlob(repository, change.digest))
      case "PutManifest":
        return within(change.repository, (repository) => putManifest(repository, change.manifest))
      case "RemoveManifest":
        return within(change.repository, (repository) => removeManifest(repository, change.digest))
      case "PutTag":
        return within(change.repository, (repository) => putTag(repository, change.tag))
      case "RemoveTag":
        return within(change.repository, (repository) => removeTag(repository, change.name))
      case "TrashRepository":
        return inBin(change.repository, (bin) => {
          bin.repository = change.deleted
        })
      case "UntrashRepository":
        return inBin(change.repository, (bin) => {
          bin.repository = undefined
        })
      case "TrashManifest":
        return inBin(change.repository, (bin) => trashManifest(bin, change.manifest))
      case "UntrashManifest":
        return inBin(change.repository, (bin) => untrashManifest(bin, change.digest))
      case "TrashTag":
        return inBin(change.repository, (bin) => {
          bin.tags.push(change.tag)
        })
      case "UntrashTag":
        return inBin(change.repository, (bin) => untrashTag(bin, change))
      case "ExpireTrash":
        return inBin(change.repository, (bin) => expireTrash(bin, change.untilMillis))
      case "Clear":
        return clear()
    }
  }

  const state: State = { repositories, trash, blobs, unnamed, unused }

  return {
    state,
    apply,

    /** Whether a repository or the trash needs a file. */
    isUsed: (digest: string): boolean => uses.has(digest),

    /** All needed files. */
    used: (): Iterable<string> => uses.keys(),

    /** Records that an unneeded file exists. */
    found: (digest: string): void => {
      unused.delete(digest)
      unused.set(digest, now())
    },

    /** Records that an unneeded file was removed. */
    forget: (digest: string): void => {
      if (uses.has(digest)) return
      unused.delete(digest)
      blobs.delete(digest)
    },

    /** Restarts the wait of a blob that a client has checked: it may be about to push a manifest that names it. */
    touch: (repository: string, digest: string): void => {
      if (unnamed.has(keyOfBlob(repository, digest))) waitUnnamed(repository, digest)
    }
  }
}

export type Registry = ReturnType<typeof make>

/** The approximate number of changes that `snapshot` returns. */
export const sizeOf = ({ blobs, repositories, trash }: State): number => {
  let size = blobs.size
  for (const { blobs, manifests, tags } of repositories.values()) size += 1 + blobs.size + manifests.size + tags.size
  for (const { manifests, tags } of trash.values()) size += 1 + manifests.size + tags.length
  return size
}

/** The changes that turn an empty registry into this one. */
export function* snapshot({ blobs, repositories, trash, unused }: State): Generator<Change> {
  for (const [digest, { size }] of blobs) {
    if (!unused.has(digest)) yield { _tag: "AddContent", digest, size }
  }
  for (const { attributes, blobs, createdTime, lastUpdateTime, manifests, name, tags } of repositories.values()) {
    yield { _tag: "PutRepository", name, createdTime, lastUpdateTime, attributes }
    for (const digest of blobs) yield { _tag: "HoldBlob", repository: name, digest }
    for (const manifest of manifests.values()) yield { _tag: "PutManifest", repository: name, manifest }
    for (const tag of tags.values()) yield { _tag: "PutTag", repository: name, tag }
  }
  for (const { manifests, name, repository, tags } of trash.values()) {
    if (repository !== undefined) yield { _tag: "TrashRepository", repository: name, deleted: repository }
    for (const manifest of manifests.values()) yield { _tag: "TrashManifest", repository: name, manifest }
    for (const tag of tags) yield { _tag: "TrashTag", repository: name, tag }
  }
}
