/**
 * The operations of ACR's management API: method, path, scope, response.
 *
 * Version 2021-07-01 of Azure's own description, corrected by recorded traffic: statuses of success, the scope of each
 * path's challenge, and the `tags` and `mediaType` that the description omits.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as ChangeableAttributes from "../../ChangeableAttributes.ts"
import * as Digest from "../../Digest.ts"
import type * as ManifestProperties from "../../ManifestProperties.ts"
import { type Operation, type Page, page, path, withQuery } from "../../Operation.ts"
import { InvalidResponse } from "../../RegistryError.ts"
import * as RepositoryName from "../../RepositoryName.ts"
import type * as RepositoryProperties from "../../RepositoryProperties.ts"
import type * as SoftDeleted from "../../SoftDeleted.ts"
import * as Tag from "../../Tag.ts"
import type * as TagProperties from "../../TagProperties.ts"
import * as TokenScope from "../../TokenScope.ts"
import { decodeJson, decodeJsonWith, discard } from "../http/body.ts"
import { closedStruct, list } from "../schema/fields.ts"
import { holding, ParsedObject } from "../schema/json.ts"
import * as Properties from "./properties.ts"
import { type Entry, isNamedBy, readPage, readSome } from "./records.ts"

const apiVersion = "2021-07-01"

const versioned = (at: string, query: { readonly [name: string]: string | number | undefined } = {}): string =>
  withQuery(at, { ...query, "api-version": apiVersion })

/** The query of a page, with the names of the API. */
export interface Part {
  /** The number of items in a page. */
  readonly n: number
  /** The item before the first one. */
  readonly last: string | undefined
  readonly orderby?: "timedesc" | "timeasc" | undefined
}

const read = (name: string, missing: Operation<unknown>["missing"]) =>
  ({
    name,
    method: "GET",
    bucket: "read",
    missing,
    success: [200],
    repeat: "always"
  }) as const

/** Setting the same attributes twice has the same result as once. */
const update = (
  name: string,
  missing: Operation<unknown>["missing"],
  repository: string,
  changes: ReturnType<typeof Properties.manifestUpdateToWire>
) =>
  ({
    name,
    method: "PATCH",
    subject: { repository },
    scopes: [TokenScope.repository(repository, "metadata_write")],
    body: HttpBody.jsonUnsafe(changes),
    bucket: "write",
    missing,
    success: [200],
    repeat: "always"
  }) as const

const remove = (name: string, missing: Operation<unknown>["missing"], repository: string) =>
  ({
    name,
    method: "DELETE",
    subject: { repository },
    scopes: [TokenScope.repository(repository, "delete")],
    bucket: "delete",
    missing,
    success: [202],
    repeat: "always"
  }) as const

const mayReadMetadata = (repository: string) => [TokenScope.repository(repository, "metadata_read")]

/** The fields before tags and manifests. Schemas are made once, because the first use of one is slow. */
const Head = { registry: Schema.String, imageName: RepositoryName.RepositoryName }

const decodeObject = Schema.decodeUnknownResult(ParsedObject)

/**
 * The link to the next page, with the parameters of the first one. ACR omits `digest` from its links, whose pages then
 * have the tags of all manifests (recorded in January 2026).
 */
const askingFor = (link: string, wanted: { readonly [name: string]: string | undefined }): string => {
  const [address = ""] = link.split("#", 1)
  const [path = "", ...query] = address.split("?")
  const others = query
    .join("?")
    .split("&")
    .filter((pair) => pair !== "" && wanted[pair.split("=", 1)[0] ?? ""] === undefined)
  return withQuery(others.length === 0 ? path : `${path}?${others.join("&")}`, wanted)
}

/** Reads pages of a list, and adds the same parameters to each link. */
const pagesOf =
  <A>(decode: Operation<Page<A>>["decode"], wanted: { readonly [name: string]: string | undefined }): typeof decode =>
  (response) =>
    Effect.map(decode(response), (page) => ({
      ...page,
      next: Option.map(page.next, (link) => askingFor(link, wanted))
    }))

/* Repositories */

const decodeRepositories = decodeJson(
  holding("repositories").pipe(Schema.decodeTo(closedStruct({ repositories: list(Schema.Unknown) })))
)
const decodeRepositoryName = Schema.decodeUnknownResult(RepositoryName.RepositoryName)

const repositoryNames = page((response) =>
  Effect.flatMap(decodeRepositories(response), ({ repositories }) =>
    readPage("ContainerRegistry.repositories", repositories, Predicate.isString, decodeRepositoryName)
  )
)

export const listRepositories = ({ last, n }: Part): Operation<Page<Entry<RepositoryName.RepositoryName>>> => ({
  ...read("ContainerRegistry.repositories", "endpoint"),
  path: versioned("/acr/v1/_catalog", { n, last }),
  scopes: [TokenScope.catalog],
  decode: repositoryNames
})

const repositoryProperties = decodeJsonWith(ParsedObject, Properties.readRepository)

export const getRepository = (
  repository: RepositoryName.RepositoryName
): Operation<RepositoryProperties.RepositoryProperties> => ({
  ...read("ContainerRegistry.repositoryProperties", "repository"),
  path: versioned(path`/acr/v1/${repository}`),
  subject: { repository },
  scopes: mayReadMetadata(repository),
  decode: repositoryProperties
})

export const updateRepository = (
  repository: RepositoryName.RepositoryName,
  attributes: ChangeableAttributes.Update
): Operation<RepositoryProperties.RepositoryProperties> => ({
  ...update("ContainerRegistry.updateRepository", "repository", repository, Properties.updateToWire(attributes)),
  path: versioned(path`/acr/v1/${repository}`),
  decode: repositoryProperties
})

const decodeDeletion = decodeJson(
  closedStruct({ manifestsDeleted: list(Schema.Unknown), tagsDeleted: list(Schema.Unknown) })
)
const decodeDigest = Schema.decodeUnknownResult(Digest.Digest)
const decodeTag = Schema.decodeUnknownResult(Tag.Tag)

/** The repository is deleted even if the answer cannot be read. */
const deletedRepository = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.flatMap(decodeDeletion(response), ({ manifestsDeleted, tagsDeleted }) =>
    Effect.all({
      manifests: readSome("ContainerRegistry.deleteRepository", manifestsDeleted, decodeDigest),
      tags: readSome("ContainerRegistry.deleteRepository", tagsDeleted, decodeTag)
    })
  )

/** Not retried if the answer is lost: a second one could not say what the first request deleted. */
export const deleteRepository = (
  repository: RepositoryName.RepositoryName
): Operation<{ readonly manifests: ReadonlyArray<Digest.Digest>; readonly tags: ReadonlyArray<Tag.Tag> }> => ({
  ...remove("ContainerRegistry.deleteRepository", "repository", repository),
  path: versioned(path`/acr/v1/${repository}`),
  repeat: "unprocessed",
  decode: deletedRepository
})

/* Tags */

const decodeTags = decodeJson(closedStruct({ ...Head, tags: list(Schema.Unknown) }))

const tagsProperties = page((response) =>
  Effect.flatMap(decodeTags(response), ({ tags, ...head }) =>
    readPage("ContainerRegistry.tags", tags, isNamedBy("name"), (tag) =>
      Result.flatMap(decodeObject(tag), (record) => Properties.readTag(head, record))
    )
  )
)

export const listTags = (
  repository: RepositoryName.RepositoryName,
  { digest, last, n, orderby }: Part & { readonly digest: Digest.Digest | undefined }
): Operation<Page<Entry<TagProperties.TagProperties>>> => ({
  ...read("ContainerRegistry.tags", "repository"),
  path: versioned(path`/acr/v1/${repository}/_tags`, { n, last, orderby, digest }),
  subject: { repository },
  scopes: mayReadMetadata(repository),
  decode: pagesOf(tagsProperties, { orderby, digest })
})

const tagProperties = decodeJsonWith(Schema.Struct({ ...Head, tag: ParsedObject }), ({ tag, ...head }) =>
  Properties.readTag(head, tag)
)

export const getTag = (
  repository: RepositoryName.RepositoryName,
  tag: Tag.Tag
): Operation<TagProperties.TagProperties> => ({
  ...read("ContainerRegistry.tagProperties", "tag"),
  path: versioned(path`/acr/v1/${repository}/_tags/${tag}`),
  subject: { repository, reference: tag },
  scopes: mayReadMetadata(repository),
  decode: tagProperties
})

export const updateTag = (
  repository: RepositoryName.RepositoryName,
  tag: Tag.Tag,
  attributes: ChangeableAttributes.Update
): Operation<TagProperties.TagProperties> => ({
  ...update("ContainerRegistry.updateTag", "tag", repository, Properties.updateToWire(attributes)),
  path: versioned(path`/acr/v1/${repository}/_tags/${tag}`),
  subject: { repository, reference: tag },
  decode: tagProperties
})

export const deleteTag = (
  repository: RepositoryName.RepositoryName,
  tag: Tag.Tag
): Operation<Option.Option<Digest.Digest>> => ({
  ...remove("ContainerRegistry.deleteTag", "tag", repository),
  path: versioned(path`/acr/v1/${repository}/_tags/${tag}`),
  subject: { repository, reference: tag },
  decode: (response) =>
    Effect.as(
      discard(response),
      Option.liftPredicate(Digest.isDigest)(response.headers["x-ms-int-docker-content-digest"])
    ),
  whenGone: Effect.succeedNone
})

/* Manifests */

const decodeManifests = decodeJson(closedStruct({ ...Head, manifests: list(Schema.Unknown) }))

const manifestsProperties = page((response) =>
  Effect.flatMap(decodeManifests(response), ({ manifests, ...head }) =>
    readPage("ContainerRegistry.manifests", manifests, isNamedBy("digest"), (manifest) =>
      Result.flatMap(decodeObject(manifest), (record) => Properties.readManifest(head, record))
    )
  )
)

export const listManifests = (
  repository: RepositoryName.RepositoryName,
  { last, n, orderby }: Part
): Operation<Page<Entry<ManifestProperties.ManifestProperties>>> => ({
  ...read("ContainerRegistry.manifests", "repository"),
  path: versioned(path`/acr/v1/${repository}/_manifests`, { n, last, orderby }),
  subject: { repository },
  scopes: mayReadMetadata(repository),
  decode: pagesOf(manifestsProperties, { orderby })
})

const manifestProperties = decodeJsonWith(Schema.Struct({ ...Head, manifest: ParsedObject }), ({ manifest, ...head }) =>
  Properties.readManifest(head, manifest)
)

export const getManifest = (
  repository: RepositoryName.RepositoryName,
  digest: Digest.Digest
): Operation<ManifestProperties.ManifestProperties> => ({
  ...read("ContainerRegistry.manifestProperties", "manifest"),
  path: versioned(path`/acr/v1/${repository}/_manifests/${digest}`),
  subject: { repository, digest },
  scopes: mayReadMetadata(repository),
  decode: manifestProperties
})

export const updateManifest = (
  repository: RepositoryName.RepositoryName,
  digest: Digest.Digest,
  changes: ManifestProperties.Update
): Operation<ManifestProperties.ManifestProperties> => ({
  ...update("ContainerRegistry.updateManifest", "manifest", repository, Properties.manifestUpdateToWire(changes)),
  path: versioned(path`/acr/v1/${repository}/_manifests/${digest}`),
  subject: { repository, digest },
  decode: manifestProperties
})

/*
 * The trash. No version of Azure's own description has these paths; the Azure CLI sends them without `api-version` (as of
 * 2026), and pages of 100.
 */

const readingDeleted = (repository: string) => [TokenScope.repository(repository, "deleted_read")]

const deletedRepositories = page((response) =>
  Effect.flatMap(decodeRepositories(response), ({ repositories }) =>
    readPage("ContainerRegistry.deletedRepositories", repositories, isNamedBy("repository"), (repository) =>
      Result.flatMap(decodeObject(repository), Properties.readDeletedRepository)
    )
  )
)

export const listDeletedRepositories = ({
  n
}: Pick<Part, "n">): Operation<Page<Entry<SoftDeleted.SoftDeletedRepository>>> => ({
  ...read("ContainerRegistry.deletedRepositories", "endpoint"),
  path: withQuery("/acr/v1/_deleted/_catalog", { n }),
  scopes: [TokenScope.deletedCatalog],
  decode: deletedRepositories
})

const decodeDeletedManifests = decodeJson(
  holding("manifests").pipe(Schema.decodeTo(closedStruct({ manifests: list(Schema.Unknown) })))
)

const deletedManifests = (repository: RepositoryName.RepositoryName) =>
  page((response) =>
    Effect.flatMap(decodeDeletedManifests(response), ({ manifests }) =>
      readPage("ContainerRegistry.deletedManifests", manifests, isNamedBy("digest"), (manifest) =>
        Result.flatMap(decodeObject(manifest), (record) => Properties.readDeletedManifest(repository, record))
      )
    )
  )

export const listDeletedManifests = (
  repository: RepositoryName.RepositoryName,
  { n }: Pick<Part, "n">
): Operation<Page<Entry<SoftDeleted.SoftDeletedManifest>>> => ({
  ...read("ContainerRegistry.deletedManifests", "repository"),
  path: withQuery(path`/acr/v1/_deleted/${repository}/_manifests`, { n }),
  subject: { repository },
  scopes: readingDeleted(repository),
  decode: deletedManifests(repository)
})

const decodeDeletedTags = decodeJson(
  holding("tags").pipe(Schema.decodeTo(closedStruct({ tags: list(Schema.Unknown) })))
)

const deletedTags = (repository: RepositoryName.RepositoryName) =>
  page((response) =>
    Effect.flatMap(decodeDeletedTags(response), ({ tags }) =>
      readPage("ContainerRegistry.deletedTags", tags, isNamedBy("tag"), (tag) =>
        Result.flatMap(decodeObject(tag), (record) => Properties.readDeletedTag(repository, record))
      )
    )
  )

export const listDeletedTags = (
  repository: RepositoryName.RepositoryName,
  { n }: Pick<Part, "n">
): Operation<Page<Entry<SoftDeleted.SoftDeletedTag>>> => ({
  ...read("ContainerRegistry.deletedTags", "repository"),
  path: withQuery(path`/acr/v1/_deleted/${repository}/_tags`, { n }),
  subject: { repository },
  scopes: readingDeleted(repository),
  decode: deletedTags(repository)
})

const decodeRestored = decodeJson(Schema.Struct({ digest: Digest.Digest, tag: Schema.optionalKey(Schema.Unknown) }))

/** Programs rely on the restored manifest, so an answer that names another one does not count. */
const restoredManifest = (digest: Digest.Digest) => (response: HttpClientResponse.HttpClientResponse) =>
  Effect.flatMap(decodeRestored(response), (restored) =>
    restored.digest === digest
      ? Effect.succeed({ digest, tag: Result.getSuccess(decodeTag(restored.tag)) })
      : Effect.fail(new InvalidResponse({ description: "the registry says that it restored another manifest" }))
  )

/** Not retried if the answer is lost: a second restore of the same manifest may find nothing in the trash. */
export const restoreManifest = (
  repository: RepositoryName.RepositoryName,
  digest: Digest.Digest,
  { force, tag }: { readonly force: boolean; readonly tag: Tag.Tag | undefined }
): Operation<{ readonly digest: Digest.Digest; readonly tag: Option.Option<Tag.Tag> }> => ({
  name: "ContainerRegistry.restoreManifest",
  method: "POST",
  // The Azure CLI is Python, which writes True and False.
  path: withQuery(path`/acr/v1/_deleted/${repository}/_manifests/${digest}`, { force: force ? "True" : "False" }),
  body: HttpBody.jsonUnsafe({ tag: tag ?? null }),
  subject: { repository, digest },
  scopes: [TokenScope.repository(repository, "deleted_read", "deleted_restore")],
  bucket: "write",
  missing: "manifest",
  success: [200],
  repeat: "unprocessed",
  decode: restoredManifest(digest)
})
