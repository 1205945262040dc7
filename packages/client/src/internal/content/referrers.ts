/**
 * Referrers: the manifests that name another one as their subject, such as signatures and bills of materials.
 *
 * A registry lists them with its referrers API, or clients list them under a referrers tag. OCI distribution
 * specification, "Listing Referrers" and "Referrers tag schema".
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constUndefined, identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Descriptor } from "../../Descriptor.ts"
import type * as Digest from "../../Digest.ts"
import type * as Manifest from "../../Manifest.ts"
import type * as MediaType from "../../MediaType.ts"
import { RegistryError } from "../../RegistryError.ts"
import * as Referrer from "../../Referrer.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type * as Transport from "../../Transport.ts"
import * as Distribution from "../api/distribution.ts"
import { isNamedBy, readPage } from "../api/records.ts"
import { orLongWay } from "../api/shortcut.ts"
import type { ReferrersListing } from "../transfer/options.ts"
import * as Memory from "./memory.ts"
import { isGone, type Reader } from "./reading.ts"
import * as Index from "./referrersIndex.ts"
import * as Batches from "./referrersBatches.ts"
import * as ReferrersTag from "./referrersTag.ts"

/** The time limit for restoring the list entry of a manifest that was not deleted. */
const restoreTime = Duration.seconds(10)

/** The concurrency of reading manifests to find their subjects. */
const readsAtOnce = 4

const operation = "RegistryContent.referrers"

const decodeDescriptor = Schema.decodeUnknownResult(Descriptor)

/**
 * What the failure of the first page means for the referrers API. `unclear`: registries without the API and those that
 * refuse the request answer like that.
 */
type Absence = "no API" | "no such manifest" | "unclear"

const absenceIn = ({ reason, response }: RegistryError): Absence | undefined => {
  switch (reason._tag) {
    case "Unsupported":
      return "no API"
    case "NotFound":
      if (reason.resource === "repository") return "unclear"
      // By the specification, a registry with the API has a list for every digest, and explains any 404.
      return reason.resource === "endpoint" || response?.errors.length === 0 ? "no API" : "no such manifest"
    case "InvalidRequest":
      return response?.status === 400 ? "unclear" : undefined
    default:
      return undefined
  }
}

/** The outcome of the request to the API. */
type Outcome =
  | { readonly _tag: "Listed" }
  | { readonly _tag: "Absent"; readonly absence: Absence; readonly error: RegistryError }

/** Whether an answer shows for good that there is no API. A page with 200 may be that of a captive portal. */
const isLasting = ({ absence, error }: Extract<Outcome, { readonly _tag: "Absent" }>): boolean =>
  absence === "no API" && error.response !== undefined

/** Whether the content is at fault, not the registry or the login: reading it again would not help. */
const isOfContent = ({ reason: { _tag } }: RegistryError): boolean =>
  !["CredentialUnavailable", "Throttled", "Unauthenticated", "Unavailable"].includes(_tag)

const referrersApi: ReferrersListing = { _tag: "ReferrersApi" }

const present = Result.fromOption(constUndefined)

const none = Effect.succeed(Option.none<Descriptor>())

const warn = (text: string): Effect.Effect<void> => Effect.logWarning(`${operation}: ${text}`)

export const make = (transport: Transport.Service, read: Reader) => {
  /** Whether the registry lists referrers itself. */
  const api = Memory.make<boolean>()
  /**
   * Whether a deletion found no API. Lists ignore it: if a gateway answered, a deletion only costs two more requests,
   * but a list would look empty.
   */
  const byClients = Memory.make<true>()
  const change = Batches.make(ReferrersTag.make(transport, read))

  /** The entries of a referrers tag. */
  const entriesOf = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest,
    found: Manifest.Raw
  ): Effect.fn.Return<ReadonlyArray<Descriptor>> {
    const index = Index.read(found)
    // Some registries read such a tag as the digest, and answer with the subject itself.
    if (Option.isNone(index) || found.descriptor.digest === subject) {
      return yield* Effect.as(warn(`the tag ${Referrer.tag(subject)} of ${name} does not name a list of referrers`), [])
    }
    const page = readPage(operation, index.value.manifests, isNamedBy("digest"), decodeDescriptor)
    return Arr.filterMap(yield* Effect.orElseSucceed(page, () => []), identity)
  })

  /** The entries of the referrers tag. If the API has listed, only an outage of the registry fails. */
  const tagged = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest,
    outcome: Outcome | undefined
  ): Effect.fn.Return<ReadonlyArray<Descriptor>, RegistryError> {
    const found = yield* Effect.result(read(operation, name, Referrer.tag(subject)))
    if (Result.isFailure(found)) {
      const { reason } = found.failure
      if (outcome?._tag === "Listed" && isOfContent(found.failure)) {
        return reason._tag === "NotFound" ? [] : yield* Effect.as(warn(found.failure.message), [])
      }
      // A server that does not know this path either cannot say that there is no referrer.
      if (reason._tag !== "NotFound" || reason.resource === "endpoint" || reason.resource === "repository") {
        return yield* found.failure
      }
      if (outcome?._tag === "Absent" && outcome.absence === "unclear") return yield* outcome.error
    }
    if (outcome?._tag === "Absent" && isLasting(outcome)) yield* api.set(false)
    return Result.isSuccess(found) ? yield* entriesOf(name, subject, found.success) : []
  })

  /**
   * An entry of the referrers tag, read from its manifest: any client may have written the entry, and it may be out of
   * date.
   */
  const checked = (name: RepositoryName, subject: Digest.Digest, { digest }: Descriptor) =>
    read(operation, name, digest).pipe(
      Effect.flatMap((manifest) =>
        Option.match(Referrer.fromManifest(manifest), {
          onSome: (referrer) => (referrer.subject === subject ? Effect.succeedSome(referrer.descriptor) : none),
          onNone: () => none
        })
      ),
      Effect.tap((referrer) =>
        Option.isSome(referrer)
          ? Effect.void
          : warn(`${digest} is listed as a referrer of ${subject}, but has another subject or none`)
      ),
      Effect.catchIf(isOfContent, ({ message }) =>
        Effect.andThen(warn(`${digest} is listed as a referrer of ${subject}, but cannot be read: ${message}`), none)
      )
    )

  const byTag = (
    name: RepositoryName,
    subject: Digest.Digest,
    artifactType: MediaType.MediaType | undefined,
    seen: ReadonlySet<Digest.Digest>,
    outcome: Outcome | undefined
  ): Stream.Stream<Descriptor, RegistryError> =>
    Stream.unwrap(
      Effect.map(tagged(name, subject, outcome), (entries) => {
        // The type that an entry states is ignored: cosign 2 states that of the empty configuration for its bundles.
        const unseen = new Map(entries.filter(({ digest }) => !seen.has(digest)).map((entry) => [entry.digest, entry]))
        return Stream.fromIterable(unseen.values()).pipe(
          Stream.mapEffect((entry) => checked(name, subject, entry), { concurrency: readsAtOnce }),
          Stream.filterMap(present),
          Stream.filter((entry) => artifactType === undefined || entry.artifactType === artifactType)
        )
      })
    )

  /** Whether a descriptor of the API is of the wanted type. If it states no type, its manifest is read. */
  const ofType = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest,
    wanted: MediaType.MediaType,
    { entry, isFiltered }: { readonly entry: Descriptor; readonly isFiltered: boolean }
  ): Effect.fn.Return<Option.Option<Descriptor>, RegistryError> {
    if (entry.artifactType !== undefined) return entry.artifactType === wanted ? Option.some(entry) : Option.none()
    if (isFiltered) return Option.some(entry)
    return Option.filter(yield* checked(name, subject, entry), ({ artifactType }) => artifactType === wanted)
  })

  /** The distinct descriptors that the API lists. `onAnswer` runs when the first page has arrived. */
  const byApi = (
    name: RepositoryName,
    subject: Digest.Digest,
    artifactType: MediaType.MediaType | undefined,
    seen: Set<Digest.Digest>,
    onAnswer: Effect.Effect<void>
  ): Stream.Stream<Descriptor, RegistryError> => {
    const operation = Distribution.listReferrers(name, subject, artifactType)
    const listed = transport
      .list({ ...operation, decode: (response) => Effect.tap(operation.decode(response), () => onAnswer) })
      .pipe(
        Stream.filterMap(({ entry, isFiltered }) => Result.map(entry, (entry) => ({ entry, isFiltered }))),
        Stream.filter(({ entry: { digest } }) => !seen.has(digest) && seen.add(digest).has(digest))
      )
    return artifactType === undefined
      ? Stream.map(listed, ({ entry }) => entry)
      : listed.pipe(
          Stream.mapEffect((one) => ofType(name, subject, artifactType, one), { concurrency: readsAtOnce }),
          Stream.filterMap(present)
        )
  }

  /** Lists the referrers of the API, and then further ones of the referrers tag. */
  const list = (
    name: RepositoryName,
    subject: Digest.Digest,
    artifactType: MediaType.MediaType | undefined
  ): Stream.Stream<Descriptor, RegistryError> =>
    Stream.unwrap(
      Effect.map(api.get, (known) => {
        const seen = new Set<Digest.Digest>()
        let outcome: Outcome | undefined
        const rest = Stream.suspend(() => byTag(name, subject, artifactType, seen, outcome))
        if (Option.contains(known, false)) return rest
        const onAnswer = Effect.suspend(() => {
          outcome = { _tag: "Listed" }
          return api.set(true)
        })
        const listed = Stream.catch(byApi(name, subject, artifactType, seen, onAnswer), (error) => {
          const absence = absenceIn(error)
          // A registry that recently had the API still has it: this answer comes from a gateway before it.
          const isGone = absence === "no API" && Option.isSome(known)
          if (outcome !== undefined || absence === undefined || isGone) return Stream.fail(error)
          outcome = { _tag: "Absent", absence, error }
          return Stream.empty
        })
        return Stream.concat(listed, rest)
      })
    )

  /** Whether the registry lists referrers itself, if that is known or one request shows it. */
  const listsReferrers = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest
  ): Effect.fn.Return<boolean> {
    const known = yield* api.get
    if (Option.isSome(known)) return known.value
    if (Option.isSome(yield* byClients.get)) return false
    // Without retries: a deletion need not wait for this.
    const operation = { ...Distribution.listReferrers(name, subject, undefined), repeat: "never" } as const
    const asked = yield* Effect.result(transport.execute(operation))
    if (Result.isSuccess(asked)) yield* api.set(true)
    else if (absenceIn(asked.failure) === "no API") yield* byClients.set(true)
    return Result.isSuccess(asked)
  })

  /** Records where a pushed manifest is listed, and lists it if the registry does not. */
  const listPushed = Effect.fnUntraced(function* (
    operation: string,
    name: RepositoryName,
    { descriptor, subject }: Referrer.Referrer,
    answered: ReadonlyArray<string | undefined>
  ): Effect.fn.Return<ReferrersListing, RegistryError> {
    if (answered.includes(subject)) return yield* Effect.as(api.set(true), referrersApi)
    yield* Effect.mapError(
      change(operation, { repository: name, digest: subject }, { _tag: "Add", descriptor }),
      (error) =>
        new RegistryError({
          ...error,
          completed: `${descriptor.digest} was pushed, but is not listed by ${Referrer.tag(subject)} among the referrers of its subject`
        })
    )
    return { _tag: "ReferrersTag", tag: Referrer.tag(subject) }
  })

  /**
   * Deletes a manifest, and before that its entry in the referrers tag of its subject, if clients maintain that: some
   * registries delete no manifest that an index names, and accept no index that names a deleted manifest. The entry is
   * restored if the manifest is not deleted.
   */
  const deleting = Effect.fnUntraced(function* <A>(
    operation: string,
    name: RepositoryName,
    digest: Digest.Digest,
    deletion: Effect.Effect<A, RegistryError>
  ): Effect.fn.Return<A, RegistryError> {
    const referrer = (yield* listsReferrers(name, digest))
      ? Option.none()
      : yield* orLongWay(Effect.map(read(operation, name, digest), Referrer.fromManifest), Effect.succeedNone)
    if (Option.isNone(referrer)) return yield* deletion
    const { descriptor, subject } = referrer.value
    const tag = Referrer.tag(subject)
    const changed = (entry: Index.Change, problem: string) =>
      Effect.catch(change(operation, { repository: name, digest: subject }, entry), ({ message }) =>
        Effect.logWarning(`${operation}: ${digest} ${problem} ${tag}: ${message}`)
      )
    const problem = "was not deleted, and could not be listed again by"
    const listAgain = changed({ _tag: "Add", descriptor }, problem)
    const restore = Effect.matchEffect(read(operation, name, digest), {
      onFailure: (error) => (isGone(error) ? Effect.void : listAgain),
      onSuccess: () => listAgain
    })
    return yield* Effect.onError(
      Effect.andThen(changed({ _tag: "Remove", digest }, "could not be removed from"), deletion),
      () =>
        // An interrupted program must end soon, whatever the registry does.
        restore.pipe(
          Effect.interruptible,
          Effect.timeoutOrElse({
            duration: restoreTime,
            orElse: () => Effect.logWarning(`${operation}: ${digest} ${problem} ${tag} in time`)
          })
        )
    )
  })

  return { list, listPushed, deleting }
}
