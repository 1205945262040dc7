/**
 * Azure Container Registry's management API: list what a registry holds, read and lock its properties, delete.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as HttpClient from "effect/http/HttpClient"
import type * as ChangeableAttributes from "./ChangeableAttributes.ts"
import type * as Credentials from "./Credentials.ts"
import type * as Digest from "./Digest.ts"
import * as Distribution from "./internal/api/distribution.ts"
import * as Arguments from "./internal/api/arguments.ts"
import * as Management from "./internal/api/management.ts"
import type * as ManifestProperties from "./ManifestProperties.ts"
import * as Reference from "./Reference.ts"
import type { RegistryError } from "./RegistryError.ts"
import type * as RepositoryName from "./RepositoryName.ts"
import type * as RepositoryProperties from "./RepositoryProperties.ts"
import type * as Tag from "./Tag.ts"
import type * as TagProperties from "./TagProperties.ts"
import * as Transport from "./Transport.ts"

/**
 * Which part of a list is wanted.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListOptions {
  /** How many items the registry sends at a time, at least 1; its own default (100) if not given. */
  readonly pageSize?: number
  /** The item after which to begin: a repository's name, a tag or a digest. The list goes on behind it. */
  readonly continueFrom?: string
}

/**
 * Which part of a list of tags or manifests is wanted, and in what order.
 *
 * @category options
 * @since 0.1.0
 */
export interface OrderedListOptions extends ListOptions {
  /** By the time of the last change; in the registry's own order, by name, if not given. */
  readonly orderBy?: "newest" | "oldest"
}

/**
 * Which tags are wanted, and in what order.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListTagsOptions extends OrderedListOptions {
  /** Only tags that name this manifest. */
  readonly digest?: string
}

/**
 * What went with a repository.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeletedRepository {
  readonly manifests: ReadonlyArray<Digest.Digest>
  readonly tags: ReadonlyArray<Tag.Tag>
}

/**
 * A login for other tools, good for some hours.
 *
 * **Details**
 *
 * ACR's documentation, "Authenticate with the registry": `docker login`, `helm registry login` and their like take a
 * refresh token for a password, under a user name that says so.
 *
 * @category models
 * @since 0.1.0
 */
export interface Login {
  readonly loginServer: string
  /** `00000000-0000-0000-0000-000000000000` */
  readonly username: string
  readonly password: Redacted.Redacted<string>
  /** When it ends by this machine's clock, if the registry says so: for ACR after about three hours. */
  readonly expiresAt: Option.Option<DateTime.Utc>
}

/**
 * A registry of Azure Container Registry.
 *
 * **Details**
 *
 * Names are plain strings, checked before anything is sent and refused with `InvalidRequest`; what comes back is
 * branded. Where a tag or a digest may stand, whatever holds a colon is a digest.
 *
 * Any operation may fail with `Unauthenticated`, `CredentialUnavailable` (log in), `Forbidden` (a right is missing),
 * `Throttled`, `Unavailable` (retries were in vain), `InvalidRequest`, `InvalidResponse`, `TooLarge` and `Refused`
 * (the registry misbehaves). Further reasons are named with each.
 *
 * @category services
 * @since 0.1.0
 */
export class ContainerRegistry extends Context.Service<
  ContainerRegistry,
  {
    /** The registry's origin: `https://myregistry.azurecr.io`. */
    readonly endpoint: string

    /** The registry's host, as it stands in references: `myregistry.azurecr.io`. */
    readonly loginServer: string

    /** The fully qualified reference of an artifact here: `myregistry.azurecr.io/library/alpine:3.20`. */
    readonly reference: (repository: string, tagOrDigest: string) => Effect.Effect<Reference.Reference, RegistryError>

    /**
     * Gives a login away: for `docker login`, `helm registry login`, or another program. It is had anew each time, so
     * that it lives as long as the registry allows, and it has all rights that the identity has. Fails with
     * `CredentialUnavailable` if the credential is none of Entra ID.
     */
    readonly login: Effect.Effect<Login, RegistryError>

    /** The names of all repositories, in alphabetical order. */
    readonly repositories: (options?: ListOptions) => Stream.Stream<RepositoryName.RepositoryName, RegistryError>

    /** The properties of a repository. Fails with `NotFound`. */
    readonly repositoryProperties: (
      repository: string
    ) => Effect.Effect<RepositoryProperties.RepositoryProperties, RegistryError>

    /** Locks or unlocks a repository, and tells its properties. Fails with `NotFound`. */
    readonly updateRepository: (
      repository: string,
      attributes: ChangeableAttributes.Update
    ) => Effect.Effect<RepositoryProperties.RepositoryProperties, RegistryError>

    /** Deletes a repository with all it holds, and tells what that was. Fails with `NotFound` and `Locked`. */
    readonly deleteRepository: (repository: string) => Effect.Effect<DeletedRepository, RegistryError>

    /** The tags of a repository, or those of one manifest. Fails with `NotFound`. */
    readonly tags: (
      repository: string,
      options?: ListTagsOptions
    ) => Stream.Stream<TagProperties.TagProperties, RegistryError>

    /** The properties of a tag. Fails with `NotFound`. */
    readonly tagProperties: (
      repository: string,
      tag: string
    ) => Effect.Effect<TagProperties.TagProperties, RegistryError>

    /** Locks or unlocks a tag, and tells its properties. Fails with `NotFound`. */
    readonly updateTag: (
      repository: string,
      tag: string,
      attributes: ChangeableAttributes.Update
    ) => Effect.Effect<TagProperties.TagProperties, RegistryError>

    /**
     * Deletes a tag; its manifest stays. Tells the digest that the tag named, where the registry says so. Fails with
     * `NotFound` and `Locked`.
     */
    readonly deleteTag: (repository: string, tag: string) => Effect.Effect<Option.Option<Digest.Digest>, RegistryError>

    /** The manifests of a repository. Fails with `NotFound`. */
    readonly manifests: (
      repository: string,
      options?: OrderedListOptions
    ) => Stream.Stream<ManifestProperties.ManifestProperties, RegistryError>

    /** The properties of a manifest, by tag or digest. A tag is resolved first, each time. Fails with `NotFound`. */
    readonly manifestProperties: (
      repository: string,
      tagOrDigest: string
    ) => Effect.Effect<ManifestProperties.ManifestProperties, RegistryError>

    /**
     * Locks or unlocks a manifest, by tag or digest, and tells its properties. A tag is resolved first, each time. Fails
     * with `NotFound`.
     */
    readonly updateManifest: (
      repository: string,
      tagOrDigest: string,
      attributes: ChangeableAttributes.Update
    ) => Effect.Effect<ManifestProperties.ManifestProperties, RegistryError>

    /**
     * Deletes a manifest **with all its tags**, and tells its digest. A tag is resolved first, each time; to delete
     * nothing but a tag there is `deleteTag`. Fails with `NotFound` and `Locked`.
     */
    readonly deleteManifest: (repository: string, tagOrDigest: string) => Effect.Effect<Digest.Digest, RegistryError>
  }
>()("@effect-acr/client/ContainerRegistry") {}

/** ACR's documentation, "Authenticate with the registry": the user name whose password is a token. */
const tokenUser = "00000000-0000-0000-0000-000000000000"

const nameOf = (operation: string, repository: string) =>
  Arguments.repositoryName(`ContainerRegistry.${operation}`, repository)

const tagOf = (operation: string, tag: string) => Arguments.tag(`ContainerRegistry.${operation}`, tag)

const orders = { newest: "timedesc", oldest: "timeasc" } as const

const partOf = (
  operation: string,
  { continueFrom, orderBy, pageSize }: OrderedListOptions = {}
): Effect.Effect<Management.Part, RegistryError> =>
  Effect.map(Arguments.pageSize(`ContainerRegistry.${operation}`, pageSize), (n) => ({
    n,
    last: continueFrom,
    orderby: orderBy === undefined ? undefined : orders[orderBy]
  }))

/**
 * Makes the service on a conversation with the registry.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<ContainerRegistry["Service"], never, Transport.Transport> = Effect.gen(function* () {
  const { endpoint, execute, list, loginServer, refreshToken } = yield* Transport.Transport

  /** Asks for the digest that a tag names at this moment. */
  const digestOf = (operation: string, repository: RepositoryName.RepositoryName, tagOrDigest: string) =>
    tagOrDigest.includes(":")
      ? Arguments.digest(`ContainerRegistry.${operation}`, tagOrDigest)
      : tagOf(operation, tagOrDigest).pipe(
          Effect.flatMap((tag) => execute(Management.getTag(repository, tag))),
          Effect.map(({ digest }) => digest)
        )

  return ContainerRegistry.of({
    endpoint,
    loginServer,

    reference: (repository, tagOrDigest) =>
      Arguments.argument(
        "ContainerRegistry.reference",
        Reference.parse(`${loginServer}/${repository}${tagOrDigest.includes(":") ? "@" : ":"}${tagOrDigest}`)
      ),

    login: Effect.map(refreshToken, ({ expiresAt, token }) => ({
      loginServer,
      username: tokenUser,
      password: token,
      expiresAt
    })),

    repositories: (options) =>
      Stream.unwrap(Effect.map(partOf("repositories", options), (part) => list(Management.listRepositories(part)))),

    repositoryProperties: Effect.fnUntraced(function* (repository) {
      return yield* execute(Management.getRepository(yield* nameOf("repositoryProperties", repository)))
    }),

    updateRepository: Effect.fnUntraced(function* (repository, attributes) {
      return yield* execute(Management.updateRepository(yield* nameOf("updateRepository", repository), attributes))
    }),

    deleteRepository: Effect.fnUntraced(function* (repository) {
      return yield* execute(Management.deleteRepository(yield* nameOf("deleteRepository", repository)))
    }),

    tags: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* nameOf("tags", repository)
          const digest =
            options?.digest === undefined
              ? undefined
              : yield* Arguments.digest("ContainerRegistry.tags", options.digest)
          return list(Management.listTags(name, { ...(yield* partOf("tags", options)), digest }))
        })
      ),

    tagProperties: Effect.fnUntraced(function* (repository, tag) {
      const name = yield* nameOf("tagProperties", repository)
      return yield* execute(Management.getTag(name, yield* tagOf("tagProperties", tag)))
    }),

    updateTag: Effect.fnUntraced(function* (repository, tag, attributes) {
      const name = yield* nameOf("updateTag", repository)
      return yield* execute(Management.updateTag(name, yield* tagOf("updateTag", tag), attributes))
    }),

    deleteTag: Effect.fnUntraced(function* (repository, tag) {
      const name = yield* nameOf("deleteTag", repository)
      return yield* execute(Management.deleteTag(name, yield* tagOf("deleteTag", tag)))
    }),

    manifests: (repository, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const name = yield* nameOf("manifests", repository)
          return list(Management.listManifests(name, yield* partOf("manifests", options)))
        })
      ),

    manifestProperties: Effect.fnUntraced(function* (repository, tagOrDigest) {
      const name = yield* nameOf("manifestProperties", repository)
      return yield* execute(Management.getManifest(name, yield* digestOf("manifestProperties", name, tagOrDigest)))
    }),

    updateManifest: Effect.fnUntraced(function* (repository, tagOrDigest, attributes) {
      const name = yield* nameOf("updateManifest", repository)
      const digest = yield* digestOf("updateManifest", name, tagOrDigest)
      return yield* execute(Management.updateManifest(name, digest, attributes))
    }),

    deleteManifest: Effect.fnUntraced(function* (repository, tagOrDigest) {
      const name = yield* nameOf("deleteManifest", repository)
      const digest = yield* digestOf("deleteManifest", name, tagOrDigest)
      return yield* execute(Distribution.deleteManifest("ContainerRegistry.deleteManifest", name, digest))
    })
  })
})

/**
 * The service on a conversation that is provided apart, and perhaps shared.
 *
 * @category layers
 * @since 0.1.0
 */
// Fresh, or a program with two registries would have the service of the first of them twice.
export const layerTransport: Layer.Layer<ContainerRegistry, never, Transport.Transport> = Layer.fresh(
  Layer.effect(ContainerRegistry, make)
)

/**
 * The service and the conversation that it is on.
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
