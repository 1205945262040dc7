/**
 * ACR's management API, `/acr/v1`: the answers.
 */
import type { Modes } from "../Modes.ts"
import {
  type Answer,
  denied,
  disallowed,
  empty,
  json,
  listed,
  manifestNotKnown,
  manifestUnknown,
  nameUnknown,
  repositoryNotFound,
  tagUnknown
} from "./answer.ts"
import { byKey, byTime, type Order, page, type Part } from "./page.ts"
import * as Referrers from "./referrers.ts"
import {
  type Attributes,
  imageSizeOf,
  isLocked,
  lockRepository,
  type Repository,
  type Store,
  type StoredManifest,
  type StoredTag,
  tagsOf,
  type Timestamp,
  withReferrers
} from "./store.ts"
import type { Trash } from "./trash.ts"

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const nameOf = ({ name }: { readonly name: string }): string => name
const digestOf = ({ digest }: { readonly digest: string }): string => digest

interface Item {
  readonly lastUpdateTime: string
  readonly attributes: Attributes
}

/**
 * The items that are not hidden, in the order that a query requests. Items of the same time are ordered by name or
 * digest.
 */
const inOrder = <A extends Item>(items: Iterable<A>, keyOf: (item: A) => string, orderby: string): ReadonlyArray<A> => {
  const byName = Array.from(items)
    .filter(({ attributes }) => attributes.listEnabled)
    .toSorted((left, right) => compare(keyOf(left), keyOf(right)))
  switch (orderby) {
    case "timedesc":
      return byName.toSorted((left, right) => compare(right.lastUpdateTime, left.lastUpdateTime))
    case "timeasc":
      return byName.toSorted((left, right) => compare(left.lastUpdateTime, right.lastUpdateTime))
    default:
      return byName
  }
}

/** The same for a list of a repository, sorted once for all its pages. */
const inOrderOnce = <A extends Item>(
  sorted: Map<string, ReadonlyArray<A>>,
  items: ReadonlyMap<string, A>,
  keyOf: (item: A) => string,
  orderby: string
): ReadonlyArray<A> => {
  const order = isByTime(orderby) ? orderby : ""
  const known = sorted.get(order)
  if (known !== undefined) return known
  const made = inOrder(items.values(), keyOf, order)
  sorted.set(order, made)
  return made
}

const isByTime = (orderby: string): boolean => orderby === "timedesc" || orderby === "timeasc"

/** The tags of a repository by name, without those that are hidden. */
export const tagsByName = ({ sorted, tags }: Repository): ReadonlyArray<StoredTag> =>
  inOrderOnce(sorted.tags, tags, nameOf, "")

const orderOf = <A extends Item>(keyOf: (item: A) => string, { orderby }: Part): Order<A> =>
  isByTime(orderby) ? byTime(keyOf, orderby === "timedesc") : byKey(keyOf)

/** The path of a list in the registry's links. */
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
  const tags = tagsOf(repository, manifest.digest).map(nameOf).toSorted()
  return {
    digest: manifest.digest,
    imageSize: imageSizeOf(repository, manifest),
    createdTime: manifest.createdTime,
    lastUpdateTime: manifest.lastUpdateTime,
    ...(manifest.architecture === undefined ? {} : { architecture: manifest.architecture }),
    ...(manifest.os === undefined ? {} : { os: manifest.os }),
    mediaType: manifest.mediaType,
    ...(manifest.configMediaType === undefined ? {} : { configMediaType: manifest.configMediaType }),
    ...(tags.length === 0 ? {} : { tags }),
    changeableAttributes: manifest.attributes,
    ...quarantineOf(manifest)
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

type Quarantine = Pick<StoredManifest, "quarantineState" | "quarantineDetails">

const quarantineOf = ({ quarantineDetails, quarantineState }: Quarantine): Quarantine => ({
  ...(quarantineState === undefined ? {} : { quarantineState }),
  ...(quarantineDetails === undefined ? {} : { quarantineDetails })
})

/** The result of a scan in a PATCH: two texts, the second of which is JSON (Azure/acr, docs/preview/quarantine). */
const scanned = ({ quarantineDetails, quarantineState }: Update): Quarantine => ({
  ...(typeof quarantineState === "string" ? { quarantineState } : {}),
  ...(typeof quarantineDetails === "string" ? { quarantineDetails } : {})
})

/**
 * The management API of a registry.
 */
export const make = (parts: {
  /** The host and port of the registry. */
  readonly registry: string
  readonly store: Store
  readonly trash: Trash
  readonly modes: () => Pick<Modes, "referrers">
}) => {
  const { modes, registry, store, trash } = parts

  /** Answers for a repository, or with the error of a missing one. */
  const within = (
    name: string,
    answer: (repository: Repository) => Answer,
    missing: Answer = repositoryNotFound(name)
  ): Answer => {
    const repository = store.repositories.get(name)
    return repository === undefined ? missing : answer(repository)
  }

  /** Answers for something in a repository. In a missing repository it is unknown, with the same error. */
  const withItem = <A>(
    name: string,
    find: (repository: Repository) => A | undefined,
    missing: Answer,
    answer: (repository: Repository, item: A) => Answer
  ): Answer =>
    within(
      name,
      (repository) => {
        const item = find(repository)
        return item === undefined ? missing : answer(repository, item)
      },
      missing
    )

  const withTag = (name: string, tag: string, answer: (repository: Repository, tag: StoredTag) => Answer): Answer =>
    withItem(name, ({ tags }) => tags.get(tag), tagUnknown, answer)

  const withManifest = (
    name: string,
    digest: string,
    missing: Answer,
    answer: (repository: Repository, manifest: StoredManifest) => Answer
  ): Answer => withItem(name, ({ manifests }) => manifests.get(digest), missing, answer)

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
    /** Its links lead to the path of the request. */
    catalog: (path: string, part: Part): Answer => {
      const all = inOrder(store.repositories.values(), nameOf, "")
      const { headers, items } = page(path, all, byKey(nameOf), { ...part, orderby: "" })
      return json(200, { repositories: listed(items.map(({ name }) => name)) }, headers)
    },

    getRepository: (name: string): Answer => within(name, repositoryProperties),

    updateRepository: (name: string, update: Update): Answer =>
      within(name, (repository) => {
        store.commit([lockRepository(repository, changed(repository.attributes, update))])
        return repositoryProperties(repository)
      }),

    deleteRepository: (name: string, now: Timestamp): Answer =>
      within(
        name,
        (repository) => {
          const { manifests, tags } = repository
          if ([repository, ...manifests.values(), ...tags.values()].some(isLocked)) return disallowed
          const deleted = {
            manifestsDeleted: listed(Array.from(manifests.keys()).toSorted()),
            tagsDeleted: listed(Array.from(tags.keys()).toSorted())
          }
          trash.deleteRepository(repository, now)
          return json(202, deleted)
        },
        nameUnknown(name)
      ),

    tags: (name: string, part: Part, digest: string | undefined): Answer =>
      within(name, (repository) => {
        const wanted =
          digest === undefined
            ? inOrderOnce(repository.sorted.tags, repository.tags, nameOf, part.orderby)
            : inOrder(tagsOf(repository, digest), nameOf, part.orderby)
        const { headers, items } = page(listPath(name, "_tags"), wanted, orderOf<StoredTag>(nameOf, part), part)
        return json(200, { ...head(name), tags: listed(items.map(visible)) }, headers)
      }),

    getTag: (name: string, tagName: string): Answer => withTag(name, tagName, tagProperties),

    updateTag: (name: string, tagName: string, update: Update): Answer =>
      withTag(name, tagName, (repository, tag) => {
        const updated = { ...tag, attributes: changed(tag.attributes, update) }
        store.commit([{ _tag: "PutTag", repository: name, tag: updated }])
        return tagProperties(repository, updated)
      }),

    deleteTag: (name: string, tagName: string, now: Timestamp): Answer =>
      withTag(name, tagName, (repository, tag) => {
        if (isLocked(repository) || isLocked(tag)) return disallowed
        trash.deleteTag(repository, tag, now)
        return empty(202, { "X-Ms-Int-Docker-Content-Digest": tag.digest })
      }),

    manifests: (name: string, part: Part): Answer =>
      within(name, (repository) => {
        const all = inOrderOnce(repository.sorted.manifests, repository.manifests, digestOf, part.orderby)
        const { headers, items } = page(
          listPath(name, "_manifests"),
          all,
          orderOf<StoredManifest>(digestOf, part),
          part
        )
        return json(
          200,
          { ...head(name), manifests: listed(items.map((manifest) => described(repository, manifest))) },
          headers
        )
      }),

    getManifest: (name: string, digest: string): Answer =>
      withManifest(name, digest, manifestNotKnown, manifestProperties),

    /**
     * Changing the result of a scan also requires the role AcrQuarantineWriter (Azure/acr, docs/preview/quarantine).
     * How ACR refuses it is not documented.
     */
    updateManifest: (name: string, digest: string, update: Update, mayScan: boolean): Answer =>
      withManifest(name, digest, manifestNotKnown, (repository, manifest) => {
        const scan = scanned(update)
        if (Object.keys(scan).length > 0 && !mayScan) return denied
        const updated = { ...manifest, attributes: changed(manifest.attributes, update), ...scan }
        store.commit([{ _tag: "PutManifest", repository: name, manifest: updated }])
        return manifestProperties(repository, updated)
      }),

    /** Served under `/v2`, where every ACR client requests it. The locks are those of this API. */
    deleteManifest: (name: string, digest: string, now: Timestamp): Answer =>
      withManifest(name, digest, manifestUnknown(digest), (repository, manifest) => {
        if ([repository, manifest, ...tagsOf(repository, digest)].some(isLocked)) return disallowed
        const { cascade } = Referrers.settings(modes().referrers)
        const all = cascade ? withReferrers(repository, digest) : [digest]
        trash.deleteManifests(repository, all, now)
        return empty(202)
      })
  }
}

export type Management = ReturnType<typeof make>
