/**
 * ACR's management API, `/acr/v1`: the answers.
 */
import { type Answer, disallowed, empty, json, manifestUnknown, nameUnknown, tagUnknown } from "./answer.ts"
import { page, type Part } from "./page.ts"
import type { Referrers } from "./referrers.ts"
import {
  type Attributes,
  deleteManifest,
  deleteWithReferrers,
  isLocked,
  type Repository,
  type Store,
  type StoredManifest,
  type StoredTag,
  tagsOf
} from "./store.ts"

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const inOrder = <A extends { readonly lastUpdateTime: string; readonly attributes: Attributes }>(
  items: Iterable<A>,
  keyOf: (item: A) => string,
  orderby: string
): ReadonlyArray<A> => {
  const listed = Array.from(items).filter(({ attributes }) => attributes.listEnabled)
  switch (orderby) {
    case "timedesc":
      return listed.toSorted((left, right) => compare(right.lastUpdateTime, left.lastUpdateTime))
    case "timeasc":
      return listed.toSorted((left, right) => compare(left.lastUpdateTime, right.lastUpdateTime))
    default:
      return listed.toSorted((left, right) => compare(keyOf(left), keyOf(right)))
  }
}

/** The path of a list as the registry writes it into its links. */
const listPath = (name: string, list: string): string => `/acr/v1/${encodeURIComponent(name)}/${list}`

const visible = ({ name, digest, createdTime, lastUpdateTime, attributes }: StoredTag) => ({
  name,
  digest,
  createdTime,
  lastUpdateTime,
  signed: false,
  changeableAttributes: attributes
})

const described = (repository: Repository, manifest: StoredManifest) => {
  const tags = tagsOf(repository, manifest.digest).map(({ name }) => name)
  return {
    digest: manifest.digest,
    imageSize: manifest.imageSize,
    createdTime: manifest.createdTime,
    lastUpdateTime: manifest.lastUpdateTime,
    ...(manifest.architecture === undefined ? {} : { architecture: manifest.architecture }),
    ...(manifest.os === undefined ? {} : { os: manifest.os }),
    mediaType: manifest.mediaType,
    ...(manifest.configMediaType === undefined ? {} : { configMediaType: manifest.configMediaType }),
    ...(tags.length === 0 ? {} : { tags }),
    changeableAttributes: manifest.attributes
  }
}

/** Only the four attributes count, and only true and false. */
const changed = (attributes: Attributes, update: { readonly [name: string]: unknown }): Attributes => ({
  deleteEnabled: typeof update["deleteEnabled"] === "boolean" ? update["deleteEnabled"] : attributes.deleteEnabled,
  writeEnabled: typeof update["writeEnabled"] === "boolean" ? update["writeEnabled"] : attributes.writeEnabled,
  readEnabled: typeof update["readEnabled"] === "boolean" ? update["readEnabled"] : attributes.readEnabled,
  listEnabled: typeof update["listEnabled"] === "boolean" ? update["listEnabled"] : attributes.listEnabled
})

/** The fields of a PATCH. */
export type Update = { readonly [name: string]: unknown }

/**
 * The management API of a registry.
 */
export const make = (registry: string, store: Store, referrers: Pick<Referrers, "cascade">) => {
  const within = (name: string, answer: (repository: Repository) => Answer): Answer => {
    const repository = store.repositories.get(name)
    return repository === undefined ? nameUnknown(name) : answer(repository)
  }
  const head = (name: string) => ({ registry, imageName: name })

  const repositoryProperties = (repository: Repository): Answer =>
    json(200, {
      ...head(repository.name),
      createdTime: repository.createdTime,
      lastUpdateTime: repository.lastUpdateTime,
      manifestCount: repository.manifests.size,
      tagCount: repository.tags.size,
      changeableAttributes: repository.attributes
    })

  const tagProperties = (repository: Repository, tag: StoredTag): Answer =>
    json(200, { ...head(repository.name), tag: visible(tag) })

  const manifestProperties = (repository: Repository, manifest: StoredManifest): Answer =>
    json(200, {
      ...head(repository.name),
      manifest: {
        ...described(repository, manifest),
        ...(manifest.references.length === 0
          ? {}
          : {
              references: manifest.references.map(({ digest, platform }) => ({
                digest,
                ...(platform === undefined ? {} : { architecture: platform.architecture, os: platform.os })
              }))
            })
      }
    })

  return {
    /** Its links lead back to the path that was asked for. */
    catalog: (path: string, part: Part): Answer => {
      const all = inOrder(store.repositories.values(), ({ name }) => name, "")
      const { headers, items } = page(path, all, ({ name }) => name, { ...part, orderby: "" })
      return json(200, { repositories: items.map(({ name }) => name) }, headers)
    },

    getRepository: (name: string): Answer => within(name, repositoryProperties),

    updateRepository: (name: string, update: Update): Answer =>
      within(name, (repository) => {
        repository.attributes = changed(repository.attributes, update)
        return repositoryProperties(repository)
      }),

    deleteRepository: (name: string): Answer =>
      within(name, (repository) => {
        const { manifests, tags } = repository
        if ([repository, ...manifests.values(), ...tags.values()].some(isLocked)) return disallowed
        store.repositories.delete(name)
        return json(202, {
          manifestsDeleted: Array.from(manifests.keys()).toSorted(),
          tagsDeleted: Array.from(tags.keys()).toSorted()
        })
      }),

    tags: (name: string, part: Part, digest: string | undefined): Answer =>
      within(name, (repository) => {
        const all = inOrder(repository.tags.values(), (tag) => tag.name, part.orderby)
        const wanted = digest === undefined ? all : all.filter((tag) => tag.digest === digest)
        const { headers, items } = page(listPath(name, "_tags"), wanted, (tag) => tag.name, part)
        return json(200, { ...head(name), tags: items.map(visible) }, headers)
      }),

    getTag: (name: string, tagName: string): Answer =>
      within(name, (repository) => {
        const tag = repository.tags.get(tagName)
        return tag === undefined ? tagUnknown : tagProperties(repository, tag)
      }),

    updateTag: (name: string, tagName: string, update: Update): Answer =>
      within(name, (repository) => {
        const tag = repository.tags.get(tagName)
        if (tag === undefined) return tagUnknown
        const updated = { ...tag, attributes: changed(tag.attributes, update) }
        repository.tags.set(tagName, updated)
        return tagProperties(repository, updated)
      }),

    deleteTag: (name: string, tagName: string): Answer =>
      within(name, (repository) => {
        const tag = repository.tags.get(tagName)
        if (tag === undefined) return tagUnknown
        if (isLocked(repository) || isLocked(tag)) return disallowed
        repository.tags.delete(tagName)
        return empty(202, { "X-Ms-Int-Docker-Content-Digest": tag.digest })
      }),

    manifests: (name: string, part: Part): Answer =>
      within(name, (repository) => {
        const all = inOrder(repository.manifests.values(), ({ digest }) => digest, part.orderby)
        const { headers, items } = page(listPath(name, "_manifests"), all, ({ digest }) => digest, part)
        return json(
          200,
          { ...head(name), manifests: items.map((manifest) => described(repository, manifest)) },
          headers
        )
      }),

    getManifest: (name: string, digest: string): Answer =>
      within(name, (repository) => {
        const manifest = repository.manifests.get(digest)
        return manifest === undefined ? manifestUnknown(digest) : manifestProperties(repository, manifest)
      }),

    updateManifest: (name: string, digest: string, update: Update): Answer =>
      within(name, (repository) => {
        const manifest = repository.manifests.get(digest)
        if (manifest === undefined) return manifestUnknown(digest)
        const updated = { ...manifest, attributes: changed(manifest.attributes, update) }
        repository.manifests.set(digest, updated)
        return manifestProperties(repository, updated)
      }),

    /** Served under `/v2`, as every ACR client asks for it there; the locks are of this API. */
    deleteManifest: (name: string, digest: string): Answer =>
      within(name, (repository) => {
        const manifest = repository.manifests.get(digest)
        if (manifest === undefined) return manifestUnknown(digest)
        if ([repository, manifest, ...tagsOf(repository, digest)].some(isLocked)) return disallowed
        const remove = referrers.cascade ? deleteWithReferrers : deleteManifest
        remove(repository, digest)
        return empty(202)
      })
  }
}

export type Management = ReturnType<typeof make>
