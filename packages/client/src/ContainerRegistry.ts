/**
 * Azure Container Registry's management API: lists repositories, tags and manifests, reads their properties, locks and
 * deletes them.
 *
 * This is version 2021-07-01 of the API that Azure's own clients use (`/acr/v1`). On other registries the operations
 * fail with `Unsupported`; there, `RegistryContent` lists repositories and tags and deletes tags and manifests.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as HttpClient from "effect/http/HttpClient"
import type * as ChangeableAttributes from "./ChangeableAttributes.ts"
import type * as Credentials from "./Credentials.ts"
import * as Digest from "./Digest.ts"
import * as Absent from "./internal/api/absent.ts"
import * as Arguments from "./internal/api/arguments.ts"
import * as Distribution from "./internal/api/distribution.ts"
import * as Management from "./internal/api/management.ts"
import type { Entry } from "./internal/api/records.ts"
import { named } from "./internal/http/named.ts"
import type * as ManifestProperties from "./ManifestProperties.ts"
import type { Operation, Page } from "./Operation.ts"
import type * as Reference from "./Reference.ts"
import type { RegistryError } from "./RegistryError.ts"
import type * as RepositoryName from "./RepositoryName.ts"
import type * as RepositoryProperties from "./RepositoryProperties.ts"
import type * as SoftDeleted from "./SoftDeleted.ts"
import type * as Tag from "./Tag.ts"
import type * as TagProperties from "./TagProperties.ts"
import * as Transport from "./Transport.ts"

/**
 * Options for a list: the size of pages, and where it begins.
 *
 * **Details**
 *
 * A list is a stream that requests each page when its first item is needed. To get only the first items, use
 * `Stream.take(10)`, with a `pageSize` of 10 so that the registry sends no more.
 *
 * A record that cannot be read is left out of the list, and the client logs a warning for its page. If no record of a
 * response can be read, the list fails with `InvalidResponse` (docs/manifests.md, "Lists").
 *
 * @category options
 * @since 0.1.0
 */
export interface ListOptions {
  /**
   * How many items the registry sends at a time, at least 1. Defaults to 999, which needs a tenth of the requests of
   * ACR's own default of 100. ACR sends at most 1000. A number that is not a positive integer fails with
   * `InvalidRequest`.
   */
  readonly pageSize?: number
  /** The item after which the list begins: the name of a repository, a tag or a digest. */
  readonly continueFrom?: string
}

/**
 * Options for a list of tags or manifests, with its order.
 *
 * @category options
 * @since 0.1.0
 */
export type OrderedListOptions =
  | (ListOptions & { readonly orderBy?: never })
  | (Omit<ListOptions, "continueFrom"> & {
      /** Orders by the time of the last change. Defaults to the registry's own order, by name. */
      readonly orderBy: "newest" | "oldest"
      /** Not available for a list by time: ACR's position in it is a time and a digest, not a name. */
      readonly continueFrom?: never
    })

/**
 * Options for a list of tags.
 *
 * @category options
 * @since 0.1.0
 */
export type ListTagsOptions = OrderedListOptions & {
  /** Lists only the tags of this manifest. */
  readonly digest?: string
}

/**
 * Options for a list of soft-deleted repositories, manifests or tags.
 *
 * @category options
 * @since 0.1.0
 */
export interface SoftDeletedListOptions {
  /**
   * How many items the registry sends at a time, at least 1. Defaults to 100, as in the Azure CLI: larger pages of
   * these lists are not documented. Anything that is not a whole number fails with `InvalidRequest`.
   */
  readonly pageSize?: number
}

/**
 * Options for restoring a manifest.
 *
 * @category options
 * @since 0.1.0
 */
export interface RestoreOptions {
  /**
   * The tag to restore with the manifest, one of the tags that it had (`deletedTags`). Defaults to none. The registry
   * restores one tag per call; further calls restore the others.
   */
  readonly tag?: string
  /**
   * Whether to move the tag if it names another manifest now. Defaults to `false`: the restore is refused. The
   * overwritten tag is soft deleted.
   */
  readonly force?: boolean
}

/**
 * The restored manifest, with its tag.
 *
 * @category models
 * @since 0.1.0
 */
export interface RestoredManifest {
  /** The digest of the manifest. */
  readonly digest: Digest.Digest
  /** The restored tag, if the registry states one. */
  readonly tag: Option.Option<Tag.Tag>
}

/**
 * The manifests and tags that were deleted with a repository.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeletedRepository {
  /** The digests of the deleted manifests. */
  readonly manifests: ReadonlyArray<Digest.Digest>
  /** The deleted tags. */
  readonly tags: ReadonlyArray<Tag.Tag>
}

/**
 * A login for other tools, valid for some hours.
 *
 * **Details**
 *
 * ACR's documentation, "Authenticate with the registry": `docker login`, `helm registry login` and similar tools accept
 * a refresh token as the password, with a fixed user name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Login {
  /** The host to log in to: `myregistry.azurecr.io`. */
  readonly loginServer: string
  /** The user name for tokens: `00000000-0000-0000-0000-000000000000`. */
  readonly username: string
  /** A refresh token, with all rights of the identity. */
  readonly password: Redacted.Redacted<string>
  /** When the token expires by this machine's clock, if the registry states it: on ACR after about three hours. */
  readonly expiresAt: Option.Option<DateTime.Utc>
}

/**
 * The operations of `ContainerRegistry`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /** The registry's origin: `https://myregistry.azurecr.io`. */
  readonly endpoint: string

  /** The registry's host, as in references: `myregistry.azurecr.io`. */
  readonly loginServer: string

  /**
   * Makes the fully qualified reference of an artifact in this registry: `myregistry.azurecr.io/library/alpine:3.20`.
   * Sends no request: the artifact need not exist. Fails with `InvalidRequest`.
   */
  readonly reference: (repository: string, tagOrDigest: string) => Effect.Effect<Reference.Reference, RegistryError>

  /**
   * Issues a login for other tools: `docker login`, `helm registry login`, or another program. Each call requests a new
   * one, which is valid as long as the registry allows (ACR: about three hours) and has all rights of the identity.
   * Fails with `CredentialUnavailable` if the credential is not one of Entra ID.
   *
   * **Example** (A login for docker)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Console, Effect, Redacted } from "effect"
   *
   * const printLogin = Effect.gen(function* () {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   const { loginServer, password, username } = yield* registry.login
   *   yield* Console.log(`docker login ${loginServer} -u ${username} -p ${Redacted.value(password)}`)
   * })
   * ```
   */
  readonly login: Effect.Effect<Login, RegistryError>

  /**
   * Lists the names of all repositories, in alphabetical order.
   *
   * **Example** (Printing the names of repositories)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Console, Effect, Stream } from "effect"
   *
   * const printAll = Effect.gen(function* () {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   yield* registry.repositories().pipe(Stream.runForEach((name) => Console.log(name)))
   * })
   * ```
   */
  readonly repositories: (options?: ListOptions) => Stream.Stream<RepositoryName.RepositoryName, RegistryError>

  /** Reads the properties of a repository: its counts, times and attributes. Fails with `NotFound`. */
  readonly repositoryProperties: (
    repository: string
  ) => Effect.Effect<RepositoryProperties.RepositoryProperties, RegistryError>

  /**
   * Locks or unlocks a repository, and returns its properties. Attributes that are not given stay unchanged. Fails with
   * `NotFound`.
   */
  readonly updateRepository: (
    repository: string,
    attributes: ChangeableAttributes.Update
  ) => Effect.Effect<RepositoryProperties.RepositoryProperties, RegistryError>

  /**
   * Deletes a repository with all its manifests and tags, and returns them. Fails with `NotFound` and `Locked`.
   *
   * **Gotchas**
   *
   * If the response is lost, it fails with `Unavailable`, although the repository may be deleted. It is not retried,
   * because a second response could not say what the first request deleted.
   */
  readonly deleteRepository: (repository: string) => Effect.Effect<DeletedRepository, RegistryError>

  /**
   * Lists the tags of a repository, or those of one manifest, with their properties. Fails with `NotFound`.
   *
   * **When to use**
   *
   * Use on ACR for digests, times, locks and orders. `RegistryContent.tags` lists the names on every registry.
   *
   * **Example** (Listing the tags of the manifest that `latest` names)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Effect, Stream } from "effect"
   *
   * const siblings = Effect.gen(function* () {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   const { digest } = yield* registry.tagProperties("library/alpine", "latest")
   *   return yield* registry.tags("library/alpine", { digest }).pipe(
   *     Stream.map(({ name }) => name),
   *     Stream.runCollect
   *   )
   * })
   * ```
   */
  readonly tags: (
    repository: string,
    options?: ListTagsOptions
  ) => Stream.Stream<TagProperties.TagProperties, RegistryError>

  /** Reads the properties of a tag, including the digest that it names. Fails with `NotFound`. */
  readonly tagProperties: (repository: string, tag: string) => Effect.Effect<TagProperties.TagProperties, RegistryError>

  /**
   * Locks or unlocks a tag, and returns its properties. Attributes that are not given stay unchanged. Fails with
   * `NotFound`.
   *
   * **Gotchas**
   *
   * The manifest that the tag names has separate attributes. Lock it as well (`updateManifest`) if the image must not
   * be deleted.
   *
   * **Example** (Locking a tag)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Effect } from "effect"
   *
   * const lock = Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
   *   registry.updateTag("library/hello-world", "latest", { canWrite: false, canDelete: false })
   * )
   * ```
   */
  readonly updateTag: (
    repository: string,
    tag: string,
    attributes: ChangeableAttributes.Update
  ) => Effect.Effect<TagProperties.TagProperties, RegistryError>

  /**
   * Deletes a tag. Its manifest remains. Returns the digest that the tag named, if the registry states it. Fails with
   * `NotFound` and `Locked`.
   *
   * **Example** (Deleting a tag unless it is locked)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Console, Effect } from "effect"
   *
   * const deleteUnlessLocked = Effect.gen(function* () {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   yield* registry
   *     .deleteTag("library/hello-world", "latest")
   *     .pipe(Effect.catchReason("RegistryError", "Locked", () => Console.log("locked: unlock it first")))
   * })
   * ```
   */
  readonly deleteTag: (repository: string, tag: string) => Effect.Effect<Option.Option<Digest.Digest>, RegistryError>

  /**
   * Lists the manifests of a repository, with their properties. Fails with `NotFound`.
   *
   * **Gotchas**
   *
   * The images of an index are separate manifests, mostly without tags. A program that deletes all untagged manifests
   * breaks the index.
   *
   * **Example** (Finding the newest manifest)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Effect, Stream } from "effect"
   *
   * const newest = Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
   *   registry.manifests("library/alpine", { orderBy: "newest", pageSize: 1 }).pipe(Stream.runHead)
   * )
   * ```
   */
  readonly manifests: (
    repository: string,
    options?: OrderedListOptions
  ) => Stream.Stream<ManifestProperties.ManifestProperties, RegistryError>

  /**
   * Reads the properties of a manifest, by tag or digest. A tag is resolved first, each time. Fails with `NotFound`.
   */
  readonly manifestProperties: (
    repository: string,
    tagOrDigest: string
  ) => Effect.Effect<ManifestProperties.ManifestProperties, RegistryError>

  /**
   * Locks or unlocks a manifest or writes the result of a scan, by tag or digest, and returns its properties. A tag is
   * resolved first, each time. Fails with `NotFound`.
   */
  readonly updateManifest: (
    repository: string,
    tagOrDigest: string,
    attributes: ManifestProperties.Update
  ) => Effect.Effect<ManifestProperties.ManifestProperties, RegistryError>

  /**
   * Deletes a manifest **with all its tags**, and returns its digest. A tag is resolved first, each time. To delete
   * only a tag, use `deleteTag`. Fails with `NotFound` and `Locked`.
   *
   * **Details**
   *
   * OCI distribution specification, "Deleting Manifests". The registry deletes layers that no other manifest needs at a
   * later time.
   */
  readonly deleteManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Digest.Digest, RegistryError>

  /**
   * Lists the deleted repositories that can be restored.
   *
   * **Details**
   *
   * The registry must have the soft delete policy (ACR's documentation, "Recover deleted artifacts with soft delete
   * policy"), and the caller the permission `registries/deleted/read`. The lists and `restoreManifest` use paths that
   * no version of the API documents; the Azure CLI uses them as well.
   *
   * **Gotchas**
   *
   * A repository that is restored by a push or by `restoreManifest` is not listed any more, although some of its manifests
   * may still be deleted. List these with `deletedManifests`.
   *
   * **Example** (Printing the repositories that can be restored)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { Console, DateTime, Effect, Stream } from "effect"
   *
   * const printDeleted = Effect.gen(function* () {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   yield* registry
   *     .deletedRepositories()
   *     .pipe(Stream.runForEach(({ deletedOn, name }) => Console.log(`${name}, ${DateTime.formatIso(deletedOn)}`)))
   * })
   * ```
   */
  readonly deletedRepositories: (
    options?: SoftDeletedListOptions
  ) => Stream.Stream<SoftDeleted.SoftDeletedRepository, RegistryError>

  /**
   * Lists the deleted manifests of a repository, which may itself be deleted. Fails with `NotFound`. It needs the permission
   * `registries/deleted/read`.
   */
  readonly deletedManifests: (
    repository: string,
    options?: SoftDeletedListOptions
  ) => Stream.Stream<SoftDeleted.SoftDeletedManifest, RegistryError>

  /**
   * Lists the deleted tags of a repository, which may itself be deleted: those that were deleted with their manifest, and
   * those that were deleted alone. Each deletion of a tag has a record. Fails with `NotFound`. It needs the permission
   * `registries/deleted/read`.
   */
  readonly deletedTags: (
    repository: string,
    options?: SoftDeletedListOptions
  ) => Stream.Stream<SoftDeleted.SoftDeletedTag, RegistryError>

  /**
   * Restores a deleted manifest, with one of its tags if one is given. For an existing manifest, it restores the tag.
   * Fails with `NotFound`, with `InvalidRequest` if the tag names another manifest and `force` is not set, or if the
   * manifest is a referrer whose subject is still deleted, and with `Locked`.
   *
   * **Details**
   *
   * ACR's documentation, "Recover deleted artifacts with soft delete policy". It needs the permission
   * `registries/deleted/restore/action`.
   *
   * **Gotchas**
   *
   * Restoring an index does not restore the images that it refers to, and restoring a subject does not restore its
   * referrers. A subject must be restored before its referrers. No public documentation describes the registry's
   * refusals, so a refusal may have another reason than those above.
   *
   * If the response is lost, it fails with `Unavailable`, although the manifest may be restored: the request is not sent
   * again.
   *
   * **Example** (Restoring the newest deletion of a tag)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { DateTime, Effect, Option, Order, Stream } from "effect"
   * import * as Arr from "effect/Array"
   *
   * const byDeletion = Order.mapInput(DateTime.Order, ({ deletedOn }: { readonly deletedOn: DateTime.Utc }) => deletedOn)
   *
   * export const restoreTag = Effect.fn("restoreTag")(function* (repository: string, tag: string) {
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   const deletions = yield* registry.deletedTags(repository).pipe(
   *     Stream.filter(({ name }) => name === tag),
   *     Stream.runCollect
   *   )
   *   const newest = Option.fromUndefinedOr(Arr.sort(deletions, byDeletion).at(-1))
   *   return yield* Option.match(newest, {
   *     onNone: () => Effect.succeedNone,
   *     onSome: ({ digest }) => Effect.asSome(registry.restoreManifest(repository, digest, { tag }))
   *   })
   * })
   * ```
   */
  readonly restoreManifest: (
    repository: string,
    digest: string,
    options?: RestoreOptions
  ) => Effect.Effect<RestoredManifest, RegistryError>
}

/**
 * Manages a registry of Azure Container Registry: lists, properties, locks, deletions and logins.
 *
 * **When to use**
 *
 * Use for what only ACR offers: properties with times and sizes, lists by time, locks, soft delete, and logins for
 * other tools. For manifests and blobs, and on other registries, use `RegistryContent`. For both, use `Registry.layer`.
 *
 * **Details**
 *
 * Names are plain strings. Invalid ones fail with `InvalidRequest` before anything is sent; results are branded. For
 * `tagOrDigest`, a value with a colon is a digest.
 *
 * Every operation may fail with `Unauthenticated`, `CredentialUnavailable` (log in), `Forbidden` (a right is missing),
 * `Throttled`, `Unavailable` (retries did not help), `InvalidRequest`, `InvalidResponse`, `TooLarge` and `Refused` (the
 * registry misbehaves). Each operation documents its further reasons.
 *
 * On a registry that is not ACR, every operation of the management API fails with `Unsupported`. The description names
 * the operation of `RegistryContent` that does the same.
 *
 * **Example** (Deleting the unlocked tags older than a year, in all repositories)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { DateTime, Effect, Stream } from "effect"
 *
 * const tidy = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   const aYearAgo = DateTime.subtract(yield* DateTime.now, { years: 1 })
 *   const tidyOne = (repository: string) =>
 *     registry.tags(repository, { orderBy: "oldest" }).pipe(
 *       Stream.takeWhile(({ lastUpdatedOn }) => DateTime.isLessThan(lastUpdatedOn, aYearAgo)),
 *       Stream.filter(({ canDelete, canWrite }) => canDelete && canWrite),
 *       Stream.mapEffect(({ name }) => registry.deleteTag(repository, name), { concurrency: 8 })
 *     )
 *   yield* registry.repositories().pipe(Stream.flatMap(tidyOne, { concurrency: 4 }), Stream.runDrain)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class ContainerRegistry extends Context.Service<ContainerRegistry, Service>()(
  "@effect-acr/client/ContainerRegistry"
) {}

/** ACR's documentation, "Authenticate with the registry": the user name whose password is a token. */
const tokenUser = "00000000-0000-0000-0000-000000000000"

const orders = { newest: "timedesc", oldest: "timeasc" } as const

/**
 * Each page costs a round trip, and counts against the reads that a registry allows in a minute. Microsoft's own image
 * builder has long read the lists of ACR 999 at a time, so pages of that size are known to work.
 */
const defaultPageSize = 999

const partOf = (
  operation: string,
  { continueFrom, orderBy, pageSize = defaultPageSize }: OrderedListOptions = {}
): Effect.Effect<Management.Part, RegistryError> =>
  Effect.flatMap(Arguments.positive(operation, pageSize, "pageSize"), (n) =>
    continueFrom !== undefined && orderBy !== undefined
      ? Arguments.refuse(
          operation,
          "a list by time cannot continue from an item: leave out orderBy or continueFrom",
          "continueFrom",
          continueFrom
        )
      : Effect.succeed({ n, last: continueFrom, orderby: orderBy === undefined ? undefined : orders[orderBy] })
  )

/** As the Azure CLI does. */
const deletedPageSize = 100

const deletedPartOf = (
  operation: string,
  { pageSize = deletedPageSize }: SoftDeletedListOptions = {}
): Effect.Effect<Pick<Management.Part, "n">, RegistryError> =>
  Effect.map(Arguments.positive(operation, pageSize, "pageSize"), (n) => ({ n }))

/**
 * Makes the service on a transport. For building custom layers. Most programs want `layer`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Service, never, Transport.Transport> = Effect.gen(function* () {
  const {
    endpoint,
    execute: executeAnywhere,
    list: listEntries,
    loginServer,
    refreshToken
  } = yield* Transport.Transport
  const refusingPages = Absent.refusingPages(endpoint)
  const explain = Absent.explain(endpoint)

  /** Executes an operation of the management API. */
  const execute = <A>(operation: Operation<A>) => Effect.mapError(executeAnywhere(refusingPages(operation)), explain)

  /** Lists the records that can be read. */
  const list = <A>(operation: Operation<Page<Entry<A>>>) =>
    Stream.filterMap(Stream.mapError(listEntries(refusingPages(operation)), explain), identity)

  /** Requests the digest that a tag names at this moment. */
  const digestOf = (operation: string, repository: RepositoryName.RepositoryName, tagOrDigest: string) =>
    Effect.filterOrElse(Arguments.tagOrDigest(operation, tagOrDigest), Digest.isDigest, (tag) =>
      Effect.mapBoth(executeAnywhere(refusingPages(Management.getTag(repository, tag))), {
        onFailure: (error) => explain(named(operation)(error)),
        onSuccess: ({ digest }) => digest
      })
    )

  return ContainerRegistry.of({
    endpoint,
    loginServer,

    reference: Effect.fnUntraced(function* (repository, tagOrDigest) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.reference", repository)
      const version = yield* Arguments.tagOrDigest("ContainerRegistry.reference", tagOrDigest)
      const separator = Digest.isDigest(version) ? "@" : ":"
      return yield* Arguments.reference("ContainerRegistry.reference", `${loginServer}/${name}${separator}${version}`)
    }),

    login: Effect.mapBoth(refreshToken, {
      onFailure: named("ContainerRegistry.login"),
      onSuccess: ({ expiresAt, token }) => ({ loginServer, username: tokenUser, password: token, expiresAt })
    }),

    repositories: (options) =>
      Stream.unwrap(
        Effect.map(partOf("ContainerRegistry.repositories", options), (part) => list(Management.listRepositories(part)))
      ),

    repositoryProperties: Effect.fnUntraced(function* (repository) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.repositoryProperties", repository)
      return yield* execute(Management.getRepository(name))
    }),

    updateRepository: Effect.fnUntraced(function* (repository, attributes) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.updateRepository", repository)
      return yield* execute(Management.updateRepository(name, attributes))
    }),

    deleteRepository: Effect.fnUntraced(function* (repository) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.deleteRepository", repository)
      return yield* execute(Management.deleteRepository(name))
    }),

    tags: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* Arguments.repositoryName("ContainerRegistry.tags", repository)
          const digest =
            options?.digest === undefined
              ? undefined
              : yield* Arguments.digest("ContainerRegistry.tags", options.digest)
          const part = yield* partOf("ContainerRegistry.tags", options)
          const tags = list(Management.listTags(name, { ...part, digest }))
          // Programs delete the tags that they find this way, so every record is checked.
          return digest === undefined ? tags : Stream.filter(tags, (tag) => tag.digest === digest)
        })
      ),

    tagProperties: Effect.fnUntraced(function* (repository, tag) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.tagProperties", repository)
      const tagName = yield* Arguments.tag("ContainerRegistry.tagProperties", tag)
      return yield* execute(Management.getTag(name, tagName))
    }),

    updateTag: Effect.fnUntraced(function* (repository, tag, attributes) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.updateTag", repository)
      const tagName = yield* Arguments.tag("ContainerRegistry.updateTag", tag)
      return yield* execute(Management.updateTag(name, tagName, attributes))
    }),

    deleteTag: Effect.fnUntraced(function* (repository, tag) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.deleteTag", repository)
      const tagName = yield* Arguments.tag("ContainerRegistry.deleteTag", tag)
      return yield* execute(Management.deleteTag(name, tagName))
    }),

    manifests: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* Arguments.repositoryName("ContainerRegistry.manifests", repository)
          return list(Management.listManifests(name, yield* partOf("ContainerRegistry.manifests", options)))
        })
      ),

    manifestProperties: Effect.fnUntraced(function* (repository, tagOrDigest) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.manifestProperties", repository)
      const digest = yield* digestOf("ContainerRegistry.manifestProperties", name, tagOrDigest)
      return yield* execute(Management.getManifest(name, digest))
    }),

    updateManifest: Effect.fnUntraced(function* (repository, tagOrDigest, attributes) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.updateManifest", repository)
      const digest = yield* digestOf("ContainerRegistry.updateManifest", name, tagOrDigest)
      return yield* execute(Management.updateManifest(name, digest, attributes))
    }),

    deleteManifest: Effect.fnUntraced(function* (repository, tagOrDigest) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.deleteManifest", repository)
      const digest = yield* digestOf("ContainerRegistry.deleteManifest", name, tagOrDigest)
      return yield* executeAnywhere(Distribution.deleteManifest("ContainerRegistry.deleteManifest", name, digest))
    }),

    deletedRepositories: (options) =>
      Stream.unwrap(
        Effect.map(deletedPartOf("ContainerRegistry.deletedRepositories", options), (part) =>
          list(Management.listDeletedRepositories(part))
        )
      ),

    deletedManifests: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* Arguments.repositoryName("ContainerRegistry.deletedManifests", repository)
          const part = yield* deletedPartOf("ContainerRegistry.deletedManifests", options)
          return list(Management.listDeletedManifests(name, part))
        })
      ),

    deletedTags: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* Arguments.repositoryName("ContainerRegistry.deletedTags", repository)
          return list(Management.listDeletedTags(name, yield* deletedPartOf("ContainerRegistry.deletedTags", options)))
        })
      ),

    restoreManifest: Effect.fnUntraced(function* (repository, digest, { force = false, tag } = {}) {
      const name = yield* Arguments.repositoryName("ContainerRegistry.restoreManifest", repository)
      const known = yield* Arguments.digest("ContainerRegistry.restoreManifest", digest)
      const tagName = tag === undefined ? undefined : yield* Arguments.tag("ContainerRegistry.restoreManifest", tag)
      return yield* execute(Management.restoreManifest(name, known, { force, tag: tagName }))
    })
  })
})

/**
 * Makes the service on a transport that another layer provides.
 *
 * **When to use**
 *
 * Use to share one transport, and its tokens, with `RegistryContent` or with custom operations. `Registry.layer` shares
 * it between the two services.
 *
 * **Example** (Both services of a registry)
 *
 * ```ts
 * import { ContainerRegistry, Credentials, RegistryContent } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistryLive = ContainerRegistry.layerTransport.pipe(
 *   Layer.provideMerge(RegistryContent.layer({ endpoint: "myregistry.azurecr.io", idleTimeout: "30 seconds" })),
 *   Layer.provide(Credentials.layerConfig()),
 *   Layer.provide(NodeRegistryHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
// Fresh, because a program with two registries would otherwise get the service of the first one twice.
export const layerTransport: Layer.Layer<ContainerRegistry, never, Transport.Transport> = Layer.fresh(
  Layer.effect(ContainerRegistry, make)
)

/**
 * Makes the service, with its own transport.
 *
 * **Details**
 *
 * The layer sends nothing before the first operation. It fails with `InvalidRequest` if the endpoint is not the address
 * of a registry.
 *
 * **Example** (Listing the repositories of a public registry)
 *
 * ```ts
 * import { ContainerRegistry, Credentials } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistryLive = ContainerRegistry.layer({ endpoint: "https://myregistry.azurecr.io" }).pipe(
 *   Layer.provide(Credentials.layerAnonymous),
 *   Layer.provide(NodeRegistryHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Transport.Options
): Layer.Layer<
  ContainerRegistry | Transport.Transport,
  RegistryError,
  HttpClient.HttpClient | Credentials.Credentials
> => Layer.provideMerge(layerTransport, Transport.layer(options))

/**
 * `layer` for the endpoint that the configuration names, by default `REGISTRY_ENDPOINT`.
 *
 * **Example** (Using the registry and the login of the environment)
 *
 * ```ts
 * import { ContainerRegistry, Credentials } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistryLive = ContainerRegistry.layerConfig().pipe(
 *   Layer.provide(Credentials.layerConfig()),
 *   Layer.provide(NodeRegistryHttpClient.layer)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Transport.ConfigOptions = {}
): Layer.Layer<
  ContainerRegistry | Transport.Transport,
  RegistryError | Config.ConfigError,
  HttpClient.HttpClient | Credentials.Credentials
> => Layer.provideMerge(layerTransport, Transport.layerConfig(options))
