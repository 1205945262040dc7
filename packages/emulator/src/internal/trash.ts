/**
 * Soft delete: deleted manifests and tags go to the trash, can be restored from there, and expire.
 *
 * Sources: ACR's documentation, "Recover deleted artifacts with soft delete policy", and the requests of the Azure CLI
 * (`az acr manifest restore`). Neither shows a refusal, so the statuses and the codes of refusals are the emulator's
 * own. Neither says what happens to locks; here restored manifests and tags have their locks of before.
 */
import * as Duration from "effect/Duration"
import type { Modes } from "../Modes.ts"
import { type Answer, disallowed, error, json, manifestUnknown, nameUnknown, tagUnknown } from "./answer.ts"
import { byKey, page, type Part } from "./page.ts"
import {
  type Change,
  type DeletedManifest,
  type DeletedTag,
  type Repository,
  type Store,
  type StoredTag,
  tagsOf,
  type Timestamp,
  touchRepository,
  type Trash as Bin
} from "./store.ts"

const tagExists = error(409, "TAG_EXISTS", "the tag names another manifest: only a forced restore moves it")

const subjectDeleted = error(
  409,
  "SUBJECT_SOFT_DELETED",
  "the subject is soft deleted: restore it before its referrers"
)

/**
 * The answer to a push of a manifest that is in the trash. It is not 409, because clients take a 409 to a push of a tag
 * for an immutable tag.
 */
export const softDeleted: Answer = error(
  400,
  "MANIFEST_SOFT_DELETED",
  "a soft-deleted manifest of the repository has this digest: restore it"
)

/** Tags are listed by name. Of deletions of the same tag the last one is the newest: the Azure CLI restores that. */
const keyOfTag = ({ deletedAt, name }: DeletedTag): string => `${name} ${deletedAt}`

const inOrder = <A>(items: Iterable<A>, keyOf: (item: A) => string): ReadonlyArray<A> =>
  Array.from(items).toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))

/**
 * Whether any of the things, in the order of their deletion, has expired. Only the first ones are checked, and those that
 * were deleted before the clock was set back.
 */
const hasExpired = (
  deleted: Iterable<{ readonly deletedAt: Timestamp }>,
  untilMillis: number,
  nowMillis: number
): boolean => {
  for (const { deletedAt } of deleted) {
    const atMillis = Date.parse(deletedAt)
    if (atMillis <= untilMillis) return true
    if (atMillis <= nowMillis) return false
  }
  return false
}

const visible = ({ createdTime, deletedAt }: { readonly createdTime: Timestamp; readonly deletedAt: Timestamp }) => ({
  createdAt: createdTime,
  deletedAt
})

const listPath = (name: string, list: string): string => `/acr/v1/_deleted/${encodeURIComponent(name)}/${list}`

/** The entry of the trash that a tag of a restored manifest comes from: the newest. */
const deletedTag = (bin: Bin, name: string, digest: string): DeletedTag | undefined =>
  bin.tags.findLast((tag) => tag.name === name && tag.digest === digest)

/** Why a tag cannot be restored. By ACR's documentation, a forced restore overwrites the tag. */
const tagRefusal = (repository: Repository | undefined, entry: DeletedTag, force: boolean): Answer | undefined => {
  const present = repository?.tags.get(entry.name)
  if (present === undefined || present.digest === entry.digest) return undefined
  if (!force) return tagExists
  return present.attributes.writeEnabled ? undefined : disallowed
}

const putBack = (repository: string, deleted: DeletedManifest): ReadonlyArray<Change> => {
  const { deletedAt: _, ...manifest } = deleted
  return [
    { _tag: "PutManifest", repository, manifest },
    ...manifest.blobs.map((digest): Change => ({ _tag: "HoldBlob", repository, digest })),
    { _tag: "UntrashManifest", repository, digest: manifest.digest }
  ]
}

/** The trash of a registry. */
export const make = (store: Store, modes: () => Pick<Modes, "softDelete">) => {
  const isEnabled = (): boolean => modes().softDelete !== null

  /** Without a policy, the things that an earlier one left in the trash stay there. */
  const retentionMillis = (): number => {
    const { softDelete } = modes()
    return softDelete === null ? Number.POSITIVE_INFINITY : Duration.toMillis(softDelete.retention)
  }

  const keepTags = (repository: string, tags: ReadonlyArray<StoredTag>, now: Timestamp): ReadonlyArray<Change> =>
    isEnabled() ? tags.map((tag) => ({ _tag: "TrashTag", repository, tag: { ...tag, deletedAt: now } })) : []

  const deleteTags = ({ name }: Repository, tags: ReadonlyArray<StoredTag>, now: Timestamp): ReadonlyArray<Change> => [
    ...keepTags(name, tags, now),
    ...tags.map((tag): Change => ({ _tag: "RemoveTag", repository: name, name: tag.name }))
  ]

  const deleteManifest = (repository: Repository, digest: string, now: Timestamp): ReadonlyArray<Change> => {
    const manifest = repository.manifests.get(digest)
    if (manifest === undefined) return []
    const blobs = manifest.blobs.filter((blob) => repository.blobs.has(blob))
    const deleted: Change = {
      _tag: "TrashManifest",
      repository: repository.name,
      manifest: { ...manifest, blobs, deletedAt: now }
    }
    return [
      ...deleteTags(repository, tagsOf(repository, digest), now),
      ...(isEnabled() ? [deleted] : []),
      { _tag: "RemoveManifest", repository: repository.name, digest: manifest.digest }
    ]
  }

  const deleteRepository = (repository: Repository, now: Timestamp): ReadonlyArray<Change> => {
    const { attributes, createdTime, name } = repository
    const deleted: Change = {
      _tag: "TrashRepository",
      repository: name,
      deleted: { createdTime, attributes, deletedAt: now }
    }
    return [
      ...(isEnabled()
        ? Array.from(repository.manifests.keys()).flatMap((digest) => deleteManifest(repository, digest, now))
        : []),
      { _tag: "RemoveRepository", name },
      ...(isEnabled() ? [deleted] : [])
    ]
  }

  /** Whether a repository exists or has something in the trash. */
  const within = (name: string, answer: (bin: Bin) => Answer): Answer => {
    const bin = store.trash.get(name)
    if (bin !== undefined) return answer(bin)
    return store.repositories.has(name)
      ? answer({ name, repository: undefined, manifests: new Map(), tags: [] })
      : nameUnknown(name)
  }

  const putTagBack = (
    name: string,
    repository: Repository | undefined,
    entry: DeletedTag,
    now: Timestamp
  ): ReadonlyArray<Change> => {
    const present = repository?.tags.get(entry.name)
    const { deletedAt, ...tag } = entry
    return [
      { _tag: "UntrashTag", repository: name, name: tag.name, digest: tag.digest, deletedAt },
      // ACR's documentation: the overwritten tag is soft deleted.
      ...(present === undefined || present.digest === tag.digest ? [] : keepTags(name, [present], now)),
      { _tag: "PutTag", repository: name, tag }
    ]
  }

  return {
    /** Whether a manifest of a repository is in the trash. */
    holds: (name: string, digest: string): boolean => store.trash.get(name)?.manifests.has(digest) === true,

    deleteTag: (repository: Repository, tag: StoredTag, now: Timestamp): void =>
      store.commit(deleteTags(repository, [tag], now)),

    deleteManifests: (repository: Repository, digests: ReadonlyArray<string>, now: Timestamp): void =>
      store.commit(digests.flatMap((digest) => deleteManifest(repository, digest, now))),

    deleteRepository: (repository: Repository, now: Timestamp): void => store.commit(deleteRepository(repository, now)),

    /**
     * Removes things from the trash that have expired by the current setting. ACR checks once in 24 hours, so things
     * may stay there up to a day longer. This runs before each request, so it checks only the first things.
     */
    expire: (nowMillis: number): void => {
      const untilMillis = nowMillis - retentionMillis()
      const over = Array.from(store.trash.values()).filter(({ manifests, repository, tags }) =>
        [manifests.values(), tags, repository === undefined ? [] : [repository]].some((deleted) =>
          hasExpired(deleted, untilMillis, nowMillis)
        )
      )
      store.commit(over.map(({ name }) => ({ _tag: "ExpireTrash", repository: name, untilMillis })))
    },

    repositories: (part: Part): Answer => {
      const all = inOrder(store.trash.values(), ({ name }) => name).flatMap(({ name, repository }) =>
        repository === undefined ? [] : [{ repository: name, ...visible(repository) }]
      )
      const { headers, items } = page(
        "/acr/v1/_deleted/_catalog",
        all,
        byKey(({ repository }) => repository),
        part
      )
      return json(200, { repositories: items }, headers)
    },

    manifests: (name: string, part: Part): Answer =>
      within(name, (bin) => {
        const all = inOrder(bin.manifests.values(), ({ digest }) => digest)
        const { headers, items } = page(
          listPath(name, "_manifests"),
          all,
          byKey(({ digest }) => digest),
          part
        )
        const manifests = items.map((manifest) => ({ digest: manifest.digest, ...visible(manifest) }))
        return json(200, { manifests }, headers)
      }),

    tags: (name: string, part: Part): Answer =>
      within(name, (bin) => {
        const { headers, items } = page(listPath(name, "_tags"), inOrder(bin.tags, keyOfTag), byKey(keyOfTag), part)
        const tags = items.map((tag) => ({ tag: tag.name, digest: tag.digest, ...visible(tag) }))
        return json(200, { tags }, headers)
      }),

    /**
     * Restores a manifest with one of its tags or without any, or one more tag of an existing manifest. The images of
     * an index stay in the trash. A tag that was not deleted with this manifest is refused: no source says whether ACR
     * creates one.
     */
    restore: (
      name: string,
      digest: string,
      { force, now, tag }: { readonly force: boolean; readonly now: Timestamp; readonly tag: string | undefined }
    ): Answer =>
      within(name, (bin) => {
        const manifest = bin.manifests.get(digest)
        const live = store.repositories.get(name)
        if (manifest === undefined && live?.manifests.has(digest) !== true) return manifestUnknown(digest)
        if (manifest === undefined && tag === undefined) return manifestUnknown(digest)
        if (manifest?.subject !== undefined && bin.manifests.has(manifest.subject)) return subjectDeleted
        const entry = tag === undefined ? undefined : deletedTag(bin, tag, digest)
        if (tag !== undefined && entry === undefined) return tagUnknown
        if (live?.attributes.writeEnabled === false) return disallowed
        const refused = entry === undefined ? undefined : tagRefusal(live, entry, force)
        if (refused !== undefined) return refused

        store.commit([
          ...touchRepository(store, name, now),
          ...(manifest === undefined ? [] : putBack(name, manifest)),
          ...(entry === undefined ? [] : putTagBack(name, live, entry, now))
        ])
        return json(200, { digest, ...(tag === undefined ? {} : { tag }) })
      })
  }
}

export type Trash = ReturnType<typeof make>
