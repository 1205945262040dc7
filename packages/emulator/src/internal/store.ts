/**
 * The contents of the registry.
 */
import type { Digest } from "@effect-acr/client/Digest"
import type { Attributes, Change, ChangeOf, Description, StoredManifest, StoredTag, Timestamp } from "./changes.ts"
import type { Registry, Repository, State, StoredBlob } from "./state.ts"

export type {
  Attributes,
  Change,
  DeletedManifest,
  DeletedTag,
  Description,
  StoredManifest,
  StoredTag,
  Timestamp
} from "./changes.ts"
export type { Repository, StoredBlob, Trash } from "./state.ts"

const unlocked: Attributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true }

/**
 * The state of one emulator. Only `commit` changes it.
 */
export interface Store extends State {
  /** The folder of its content. */
  readonly directory: string
  /**
   * Applies changes: all of them or, if they cannot be recorded, none. It is synchronous, so that a handler can decide
   * and commit without another one in between.
   */
  readonly commit: (changes: ReadonlyArray<Change>) => void
  /** The time as a timestamp, later than the previous one of the same millisecond. */
  readonly stamp: (nowMillis: number) => Timestamp
  /** Runs an operation that moves the file of a digest, after the running one on the same file. */
  readonly inTurn: <A>(digest: string, run: () => Promise<A>) => Promise<A>
  /** Whether the file of a digest exists. */
  readonly hasFile: (digest: string) => boolean
  readonly isUsed: Registry["isUsed"]
  readonly forget: Registry["forget"]
  readonly touch: Registry["touch"]
}

/** The stamps of one emulator. */
const stamps = (): Store["stamp"] => {
  let lastMillis = -1
  let ticks = 0
  return (nowMillis) => {
    ticks = nowMillis === lastMillis ? ticks + 1 : 0
    lastMillis = nowMillis
    // If the clock stands still, the stamps continue in the next millisecond after 10,000.
    const millis = nowMillis + Math.floor(ticks / 10_000)
    return new Date(millis).toISOString().replace("Z", `${String(ticks % 10_000).padStart(4, "0")}Z`)
  }
}

/** Runs one at a time for each key. */
const turns = (): Store["inTurn"] => {
  const last = new Map<string, Promise<unknown>>()
  return async (key, run) => {
    const own = (last.get(key) ?? Promise.resolve()).then(run)
    const over = own.catch(() => undefined)
    last.set(key, over)
    try {
      return await own
    } finally {
      if (last.get(key) === over) last.delete(key)
    }
  }
}

/** A store with the existing contents of a registry. `record` saves changes, or throws. */
export const make = (
  directory: string,
  { apply, forget, isUsed, state, touch }: Registry,
  record: (changes: ReadonlyArray<Change>) => void
): Store => ({
  ...state,
  directory,
  commit: (changes) => {
    if (changes.length === 0) return
    record(changes)
    for (const change of changes) apply(change)
  },
  stamp: stamps(),
  inTurn: turns(),
  hasFile: (digest) => isUsed(digest) || state.unused.has(digest),
  isUsed,
  forget,
  touch
})

const propertiesOf = ({ attributes, createdTime, lastUpdateTime, name }: Repository): ChangeOf<"PutRepository"> => ({
  _tag: "PutRepository",
  name,
  createdTime,
  lastUpdateTime,
  attributes
})

/**
 * Creates the repository if it does not exist yet. A repository in the trash is restored, as by a push in ACR (ACR's
 * documentation, "Recover deleted artifacts"). Its manifests and tags stay in the trash. The documentation does not say
 * whether the repository keeps its time of creation and its locks; here it does.
 */
export const openRepository = (store: State, name: string, now: Timestamp): ReadonlyArray<Change> => {
  if (store.repositories.has(name)) return []
  const deleted = store.trash.get(name)?.repository
  const { attributes, createdTime } = deleted ?? { attributes: unlocked, createdTime: now }
  return [
    { _tag: "PutRepository", name, createdTime, lastUpdateTime: now, attributes },
    ...(deleted === undefined ? [] : [{ _tag: "UntrashRepository", repository: name } as const])
  ]
}

/** Creates the repository if it does not exist yet, and sets the time of its last change. */
export const touchRepository = (store: State, name: string, now: Timestamp): ReadonlyArray<Change> => {
  const known = store.repositories.get(name)
  return known === undefined ? openRepository(store, name, now) : [{ ...propertiesOf(known), lastUpdateTime: now }]
}

export const lockRepository = (repository: Repository, attributes: Attributes): Change => ({
  ...propertiesOf(repository),
  attributes
})

/** Adds a blob to a repository. Its content exists already. */
export const holdBlob = (repository: string, digest: string, size: number): ReadonlyArray<Change> => [
  { _tag: "AddContent", digest, size },
  { _tag: "HoldBlob", repository, digest }
]

/**
 * The blob of a repository. The content of all repositories is in one place, so every reader must check that the
 * repository has it.
 */
export const blobOf = (
  store: Pick<State, "blobs">,
  repository: Pick<Repository, "blobs"> | undefined,
  digest: string
): StoredBlob | undefined => (repository?.blobs.has(digest) === true ? store.blobs.get(digest) : undefined)

/** Puts a manifest. If it exists already, its locks, its quarantine and its time of creation are kept. */
export const putManifest = (store: State, repository: string, manifest: Description, now: Timestamp): Change => {
  const known = store.repositories.get(repository)?.manifests.get(manifest.digest)
  return {
    _tag: "PutManifest",
    repository,
    manifest: {
      ...known,
      ...manifest,
      createdTime: known?.createdTime ?? now,
      lastUpdateTime: known?.lastUpdateTime ?? now,
      attributes: known?.attributes ?? unlocked
    }
  }
}

/** Points a tag at a manifest. */
export const putTag = (store: State, repository: string, name: string, digest: Digest, now: Timestamp): Change => {
  const known = store.repositories.get(repository)?.tags.get(name)
  return {
    _tag: "PutTag",
    repository,
    tag: {
      name,
      digest,
      createdTime: known?.createdTime ?? now,
      lastUpdateTime: now,
      attributes: known?.attributes ?? unlocked
    }
  }
}

/**
 * The size that ACR reports for an image. That of an index is the sum of its own bytes and its images:
 * azure-sdk-for-python, recording test_list_in_empty_repo. A deleted image counts as the bytes of its manifest.
 *
 * Indexes of indexes can name the same image many times: `known` caches the sums.
 */
export const imageSizeOf = (
  repository: Repository,
  manifest: StoredManifest,
  known = new Map<string, number>()
): number => {
  const before = known.get(manifest.digest)
  if (before !== undefined) return before
  const total = manifest.references.reduce(
    (sum, { digest, size }) => {
      const image = repository.manifests.get(digest)
      return sum + (image === undefined ? size : imageSizeOf(repository, image, known))
    },
    manifest.blobsSize + (manifest.references.length === 0 ? 0 : manifest.size)
  )
  const size = Math.min(total, Number.MAX_SAFE_INTEGER)
  known.set(manifest.digest, size)
  return size
}

/** The manifests that an index of a repository refers to. */
const resolve = <A>(keys: ReadonlySet<string> | undefined, items: ReadonlyMap<string, A>): ReadonlyArray<A> =>
  Array.from(keys ?? []).flatMap((key) => items.get(key) ?? [])

export const tagsOf = (repository: Repository, digest: string): ReadonlyArray<StoredTag> =>
  resolve(repository.tagsByDigest.get(digest), repository.tags)

/** The manifests that refer to a manifest as their subject. The subject need not exist. */
export const referrersOf = (repository: Repository, digest: string): ReadonlyArray<StoredManifest> =>
  resolve(repository.referrersBySubject.get(digest), repository.manifests)

/** A manifest, and those that are deleted with it: its referrers and theirs. */
export const withReferrers = (repository: Repository, digest: string): ReadonlyArray<string> => {
  const found = new Set([digest])
  // Iteration of a set includes elements that are added during it.
  for (const one of found) for (const referrer of referrersOf(repository, one)) found.add(referrer.digest)
  return Array.from(found)
}

/** Either lock prevents the deletion. */
export const isLocked = ({ attributes }: { readonly attributes: Attributes }): boolean =>
  !attributes.deleteEnabled || !attributes.writeEnabled
