/**
 * Soft delete: what is deleted goes to the trash, can be restored from there, and expires.
 *
 * ACR's documentation, "Recover deleted artifacts with soft delete policy", and the requests of the Azure CLI
 * (`az acr manifest restore`). Neither shows a refusal, so the statuses and the codes of refusals are the emulator's own.
 * Neither says what happens to locks; here a restored thing has the locks that it had.
 */
import * as Duration from "effect/Duration"
import type { Modes } from "../Modes.ts"
import { type Answer, disallowed, error, json, manifestUnknown, nameUnknown, tagUnknown } from "./answer.ts"
import { byKey, page, type Part } from "./page.ts"
import {
  type DeletedManifest,
  type DeletedTag,
  openRepository,
  type Repository,
  type Store,
  type StoredTag,
  tagsOf,
  type Timestamp,
  type Trash as Bin
} from "./store.ts"

const tagExists = error(409, "TAG_EXISTS", "the tag names another manifest: only a forced restore moves it")

const subjectDeleted = error(
  409,
  "SUBJECT_SOFT_DELETED",
  "the subject is soft deleted: restore it before its referrers"
)

/**
 * The answer to a push of a manifest that is in the trash. It is no 409: clients read a 409 to a push of a tag as a tag
 * that is immutable.
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

const visible = ({ createdTime, deletedAt }: { readonly createdTime: Timestamp; readonly deletedAt: Timestamp }) => ({
  createdAt: createdTime,
  deletedAt
})

const listPath = (name: string, list: string): string => `/acr/v1/_deleted/${encodeURIComponent(name)}/${list}`

const isEmpty = ({ manifests, repository, tags }: Bin): boolean =>
  repository === undefined && manifests.size === 0 && tags.length === 0

/** The entry of the trash that a tag of a restored manifest comes from: the newest. */
const deletedTag = (bin: Bin, name: string, digest: string): DeletedTag | undefined =>
  bin.tags.findLast((tag) => tag.name === name && tag.digest === digest)

/** Why a tag cannot be put back. ACR's documentation says of a forced restore that it overwrites the tag. */
const tagRefusal = (repository: Repository | undefined, entry: DeletedTag, force: boolean): Answer | undefined => {
  const present = repository?.tags.get(entry.name)
  if (present === undefined || present.digest === entry.digest) return undefined
  if (!force) return tagExists
  return present.attributes.writeEnabled ? undefined : disallowed
}

const putBack = (bin: Bin, repository: Repository, deleted: DeletedManifest): void => {
  const { deletedAt: _, ...manifest } = deleted
  repository.manifests.set(manifest.digest, manifest)
  for (const blob of manifest.blobs) repository.blobs.add(blob)
  bin.manifests.delete(manifest.digest)
}

/** The trash of a registry. */
export const make = (store: Store, modes: () => Pick<Modes, "softDelete">) => {
  const isEnabled = (): boolean => modes().softDelete !== null

  /** Without a policy, what an earlier one left in the trash stays there. */
  const retentionMillis = (): number => {
    const { softDelete } = modes()
    return softDelete === null ? Number.POSITIVE_INFINITY : Duration.toMillis(softDelete.retention)
  }

  const open = (name: string): Bin => {
    const known = store.trash.get(name)
    if (known !== undefined) return known
    const made: Bin = { name, repository: undefined, manifests: new Map(), tags: [] }
    store.trash.set(name, made)
    return made
  }

  const keepTags = (name: string, tags: ReadonlyArray<StoredTag>, now: Timestamp): void => {
    if (!isEnabled() || tags.length === 0) return
    open(name).tags.push(...tags.map((tag) => ({ ...tag, deletedAt: now })))
  }

  const deleteTags = (repository: Repository, tags: ReadonlyArray<StoredTag>, now: Timestamp): void => {
    keepTags(repository.name, tags, now)
    for (const { name } of tags) repository.tags.delete(name)
  }

  const deleteManifest = (repository: Repository, digest: string, now: Timestamp): void => {
    const manifest = repository.manifests.get(digest)
    if (manifest === undefined) return
    deleteTags(repository, tagsOf(repository, digest), now)
    repository.manifests.delete(digest)
    if (!isEnabled()) return
    const blobs = manifest.blobs.filter((blob) => repository.blobs.has(blob))
    open(repository.name).manifests.set(digest, { ...manifest, blobs, deletedAt: now })
  }

  const deleteRepository = (repository: Repository, now: Timestamp): void => {
    for (const digest of Array.from(repository.manifests.keys())) deleteManifest(repository, digest, now)
    store.repositories.delete(repository.name)
    if (!isEnabled()) return
    const { attributes, createdTime } = repository
    open(repository.name).repository = { createdTime, attributes, deletedAt: now }
  }

  /** Whether a repository is known by what it holds or by what it held. */
  const within = (name: string, answer: (bin: Bin) => Answer): Answer => {
    const bin = store.trash.get(name)
    if (bin !== undefined) return answer(bin)
    return store.repositories.has(name)
      ? answer({ name, repository: undefined, manifests: new Map(), tags: [] })
      : nameUnknown(name)
  }

  const putTagBack = (bin: Bin, repository: Repository, entry: DeletedTag, now: Timestamp): void => {
    bin.tags.splice(bin.tags.indexOf(entry), 1)
    const present = repository.tags.get(entry.name)
    // ACR's documentation: the overwritten tag is soft deleted.
    if (present !== undefined && present.digest !== entry.digest) keepTags(repository.name, [present], now)
    const { deletedAt: _, ...tag } = entry
    repository.tags.set(tag.name, tag)
  }

  return {
    /** Whether a manifest of a repository is in the trash. */
    holds: (name: string, digest: string): boolean => store.trash.get(name)?.manifests.has(digest) === true,

    deleteTag: (repository: Repository, tag: StoredTag, now: Timestamp): void => deleteTags(repository, [tag], now),

    deleteManifest,

    deleteRepository,

    /**
     * Forgets what is in the trash for too long by today's setting. ACR looks once in 24 hours, so that there things may
     * stay up to a day longer. It runs before each request, so it stops at the first thing that stays.
     */
    expire: (nowMillis: number): void => {
      const retention = retentionMillis()
      const stays = ({ deletedAt }: { readonly deletedAt: Timestamp }): boolean =>
        Date.parse(deletedAt) + retention > nowMillis
      for (const bin of Array.from(store.trash.values())) {
        for (const manifest of bin.manifests.values()) {
          if (stays(manifest)) break
          bin.manifests.delete(manifest.digest)
        }
        const firstToStay = bin.tags.findIndex(stays)
        bin.tags.splice(0, firstToStay === -1 ? bin.tags.length : firstToStay)
        if (bin.repository !== undefined && !stays(bin.repository)) bin.repository = undefined
        if (isEmpty(bin)) store.trash.delete(bin.name)
      }
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
     * Restores a manifest with one of its tags or without any, or one more tag of a manifest that is there. What an index
     * refers to stays in the trash. A tag that was not deleted with this manifest is refused: no source says whether ACR
     * makes one.
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

        const repository = openRepository(store, name, now)
        if (manifest !== undefined) putBack(bin, repository, manifest)
        if (entry !== undefined) putTagBack(bin, repository, entry, now)
        repository.lastUpdateTime = now
        if (isEmpty(bin)) store.trash.delete(name)
        return json(200, { digest, ...(tag === undefined ? {} : { tag }) })
      })
  }
}

export type Trash = ReturnType<typeof make>
