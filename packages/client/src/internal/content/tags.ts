/**
 * Lists repositories and tags, and deletes tags.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Stream from "effect/Stream"
import { NotFound, RegistryError, Unsupported } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import { isAcrOrigin } from "../acr/hosts.ts"
import * as Absent from "../api/absent.ts"
import * as Arguments from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import * as Management from "../api/management.ts"

interface ListOptions {
  readonly pageSize?: number
  readonly continueFrom?: string
}

const hasCode = ({ response }: RegistryError, ...codes: ReadonlyArray<string>): boolean =>
  response?.errors.some(({ code }) => codes.includes(code)) === true

/**
 * Whether an error says that the registry does not delete tags. OCI distribution specification, "Deleting tags": 400 or
 * 405. The request was checked before, so only the name of the repository may be wrong.
 */
const isDisabled = (error: RegistryError): boolean => {
  switch (error.reason._tag) {
    case "Unsupported":
      return true
    case "InvalidRequest":
      return error.response?.status === 400 && !hasCode(error, "NAME_INVALID")
    case "NotFound":
      return error.reason.resource === "endpoint"
    default:
      return false
  }
}

/** What an error of the specification's delete means for a tag. Registries call a missing tag a manifest. */
const ofTag = (error: RegistryError): RegistryError => {
  if (isDisabled(error)) {
    const description = `this registry does not delete tags: ${error.reason.message}`
    return new RegistryError({ ...error, reason: new Unsupported({ description }) })
  }
  const { reason } = error
  return reason._tag === "NotFound" && reason.resource === "manifest"
    ? new RegistryError({ ...error, reason: new NotFound({ resource: "tag", description: reason.description }) })
    : error
}

/** Whether an error is an answer of ACR's API. Other registries have the same codes, but no correlation id. */
const isOfAcr = ({ response }: RegistryError): boolean => response?.correlationId !== undefined

const isOutage = ({ reason: { _tag } }: RegistryError): boolean => _tag === "Throttled" || _tag === "Unavailable"

/** Whether the operation may succeed the next time, or with another login. */
const isPassing = (error: RegistryError): boolean =>
  isOutage(error) || ["CredentialUnavailable", "Forbidden", "Unauthenticated"].includes(error.reason._tag)

export const make = (transport: Transport.Service) => {
  const { endpoint, execute, list } = transport
  const repositoryName = Arguments.repositoryAt(endpoint)

  const tags = (repository: string, { continueFrom, pageSize }: ListOptions = {}): Stream.Stream<Tag, RegistryError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const name = yield* repositoryName("RegistryContent.tags", repository)
        const n = yield* Arguments.pageSize("RegistryContent.tags", pageSize)
        return Stream.filterMap(list(Distribution.listTags(name, { n, last: continueFrom })), identity)
      })
    )

  const repositories = ({ continueFrom, pageSize }: ListOptions = {}): Stream.Stream<RepositoryName, RegistryError> =>
    Stream.unwrap(
      Effect.map(Arguments.pageSize("RegistryContent.repositories", pageSize), (n) =>
        Stream.filterMap(list(Distribution.listRepositories({ n, last: continueFrom })), identity)
      )
    )

  /** Whether the registry deletes tags with ACR's API; undefined until an answer shows it. */
  let byAcr: boolean | undefined = isAcrOrigin(endpoint) ? true : undefined

  const deleteByAcr = (operation: string, name: RepositoryName, tag: Tag): Effect.Effect<void, RegistryError> =>
    Effect.asVoid(execute(Absent.onlyOfAcr(endpoint)({ ...Management.deleteTag(name, tag), name: operation })))

  /** Tries ACR's API if the specification's delete is refused. Fails with that refusal if there is no such API. */
  const orByAcr = (operation: string, name: RepositoryName, tag: Tag, refusal: RegistryError) =>
    Effect.matchEffect(deleteByAcr(operation, name, tag), {
      onSuccess: () =>
        Effect.sync(() => {
          byAcr = true
        }),
      onFailure: (error) =>
        Effect.suspend(() => {
          if (isOutage(error)) return Effect.fail(error)
          // Neither an outage nor a refused login shows whether there is such an API.
          if (isOfAcr(error)) byAcr = true
          else if (!isPassing(error)) byAcr ??= false
          return Effect.fail(byAcr === true ? error : refusal)
        })
    })

  const deleteTag = Effect.fnUntraced(function* (
    repository: string,
    tag: string
  ): Effect.fn.Return<void, RegistryError> {
    const operation = "RegistryContent.deleteTag"
    const name = yield* repositoryName(operation, repository)
    const known = yield* Arguments.tag(operation, tag)
    if (byAcr === true) return yield* deleteByAcr(operation, name, known)
    return yield* execute(Absent.refusingPortals(Distribution.deleteTag(name, known))).pipe(
      Effect.mapError(ofTag),
      Effect.catchIf(
        ({ reason }) => byAcr !== false && reason._tag === "Unsupported",
        (refusal) => orByAcr(operation, name, known, refusal)
      )
    )
  })

  return { tags, repositories, deleteTag }
}
