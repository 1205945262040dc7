/**
 * Referrers: the manifests that name another one as their subject, such as signatures and bills of materials.
 *
 * A registry lists them by its referrers API, or clients do under a referrers tag. OCI distribution specification, "Listing
 * Referrers" and "Referrers tag schema".
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { constUndefined, identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Descriptor } from "../../Descriptor.ts"
import type * as Digest from "../../Digest.ts"
import type * as MediaType from "../../MediaType.ts"
import { RegistryError } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type * as Transport from "../../Transport.ts"
import * as Distribution from "../api/distribution.ts"
import { isNamedBy, readPage } from "../api/records.ts"
import { orLongWay } from "../api/shortcut.ts"
import type { ReferrersListing } from "../transfer/options.ts"
import * as Memory from "./memory.ts"
import { ifFound, type Reader } from "./reading.ts"
import * as Referrer from "./referrer.ts"
import * as Index from "./referrersIndex.ts"
import * as ReferrersTag from "./referrersTag.ts"

/** Manifests that are read at the same time to find out what they are about. */
const readsAtOnce = 4

const operation = "RegistryContent.referrers"

const decodeDescriptor = Schema.decodeUnknownResult(Descriptor)

/** What the failure of a list's first page says of the referrers API. */
type Absence = "no API" | "no such manifest" | "unclear"

const absenceIn = ({ reason, response }: RegistryError): Absence | undefined => {
  switch (reason._tag) {
    case "Unsupported":
      return "no API"
    case "NotFound":
      if (reason.resource === "endpoint") return "no API"
      // Some registries say so although they have no API, and others as the repository does not exist.
      return reason.resource === "repository" ? "unclear" : "no such manifest"
    case "InvalidRequest":
      return response?.status === 400 ? "unclear" : undefined
    default:
      return undefined
  }
}

const referrersApi: ReferrersListing = { _tag: "ReferrersApi" }

const present = Result.fromOption(constUndefined)

export const make = (transport: Transport.Service, read: Reader) => {
  /** Whether the registry lists referrers itself. */
  const api = Memory.make<boolean>()
  const change = ReferrersTag.make(transport, read)

  /** What a manifest is about, and its entry in a list. None if it is gone, or about nothing. */
  const referrerAt = (name: RepositoryName, digest: Digest.Digest) =>
    Effect.map(ifFound(read(operation, name, digest)), Option.flatMap(Referrer.read))

  /** The entries of the referrers tag; none if there is no such tag, or it does not name a list. */
  const taggedEntries = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest
  ): Effect.fn.Return<Option.Option<ReadonlyArray<Descriptor>>, RegistryError> {
    const tag = Referrer.tagOf(subject)
    const found = yield* ifFound(read(operation, name, tag))
    if (Option.isNone(found)) return Option.none()
    const index = Index.read(found.value)
    // Some registries take such a tag for the digest, and answer with the subject itself.
    if (Option.isNone(index) || found.value.descriptor.digest === subject) {
      yield* Effect.logWarning(`${operation}: the tag ${tag} of ${name} does not name a list of referrers`)
      return Option.none()
    }
    const entries = yield* Effect.orElseSucceed(
      readPage(operation, index.value.manifests, isNamedBy("digest"), decodeDescriptor),
      () => []
    )
    return Option.some(Arr.filterMap(entries, identity))
  })

  /** An entry of the referrers tag as its manifest has it: any client may have written it, and it may be out of date. */
  const checked = (name: RepositoryName, subject: Digest.Digest, entry: Descriptor) =>
    Effect.flatMap(
      referrerAt(name, entry.digest),
      Option.match({
        onNone: () =>
          Effect.as(
            Effect.logWarning(`${operation}: ${entry.digest} is listed as a referrer of ${subject}, and is none`),
            Option.none<Descriptor>()
          ),
        onSome: (referrer) =>
          referrer.subject === subject
            ? Effect.succeedSome({ ...entry, ...referrer.descriptor })
            : Effect.as(
                Effect.logWarning(
                  `${operation}: ${entry.digest} is listed as a referrer of ${subject}, not of its own`
                ),
                Option.none<Descriptor>()
              )
      })
    )

  const byTag = (
    name: RepositoryName,
    subject: Digest.Digest,
    artifactType: MediaType.MediaType | undefined,
    seen: ReadonlySet<Digest.Digest>,
    ifAbsent: Effect.Effect<void, RegistryError>
  ): Stream.Stream<Descriptor, RegistryError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const tagged = yield* taggedEntries(name, subject)
        if (Option.isNone(tagged)) yield* ifAbsent
        const entries = new Map(Option.getOrElse(tagged, () => []).map((entry) => [entry.digest, entry]))
        // Whatever type an entry states: cosign 2 states that of the empty configuration for its bundles.
        const unseen = Array.from(entries.values()).filter(({ digest }) => !seen.has(digest))
        return Stream.fromIterable(unseen).pipe(
          Stream.mapEffect((entry) => checked(name, subject, entry), { concurrency: readsAtOnce }),
          Stream.filterMap(present),
          Stream.filter((entry) => artifactType === undefined || entry.artifactType === artifactType)
        )
      })
    )

  /** Whether a descriptor of the API is of the type that is wanted. One that does not say it is read. */
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

  /** The descriptors that the API lists, each once. `onAnswer` runs when the first page has come. */
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

  /** Lists what the API has, and then what the referrers tag has besides. */
  const list = (
    name: RepositoryName,
    subject: Digest.Digest,
    artifactType: MediaType.MediaType | undefined
  ): Stream.Stream<Descriptor, RegistryError> =>
    Stream.unwrap(
      Effect.map(api.get, (known) => {
        const seen = new Set<Digest.Digest>()
        let isAnswered = false
        let ifAbsent: Effect.Effect<void, RegistryError> = Effect.void
        const tagged = Stream.suspend(() => byTag(name, subject, artifactType, seen, ifAbsent))
        if (Option.contains(known, false)) return tagged
        const onAnswer = Effect.suspend(() => {
          isAnswered = true
          return api.set(true)
        })
        const listed = byApi(name, subject, artifactType, seen, onAnswer)
        return Stream.concat(
          Stream.catchIf(
            listed,
            (error) => !isAnswered && absenceIn(error) !== undefined,
            (error) => {
              const absence = absenceIn(error)
              if (absence === "unclear") ifAbsent = Effect.fail(error)
              return Stream.fromEffectDrain(absence === "no API" ? api.set(false) : Effect.void)
            }
          ),
          tagged
        )
      })
    )

  /** Whether the registry lists referrers itself, if that is known or one request tells. */
  const listsReferrers = Effect.fnUntraced(function* (
    name: RepositoryName,
    subject: Digest.Digest
  ): Effect.fn.Return<boolean> {
    const known = yield* api.get
    if (Option.isSome(known)) return known.value
    const asked = yield* Effect.result(transport.execute(Distribution.listReferrers(name, subject, undefined)))
    if (Result.isSuccess(asked)) yield* api.set(true)
    else if (absenceIn(asked.failure) === "no API") yield* api.set(false)
    return Result.isSuccess(asked)
  })

  /** Notes where a manifest that was pushed is listed, and lists it where the registry does not. */
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
          completed: `${descriptor.digest} was pushed, but is not listed by ${Referrer.tagOf(subject)} among the referrers of its subject`
        })
    )
    return { _tag: "ReferrersTag", tag: Referrer.tagOf(subject) }
  })

  /**
   * Deletes a manifest, and then its entry in the referrers tag of its subject where clients keep that. What is left of the
   * entry does no harm: readers of the tag find that its manifest is gone.
   */
  const whenDeleted = Effect.fnUntraced(function* <A>(
    operation: string,
    name: RepositoryName,
    digest: Digest.Digest,
    deletion: Effect.Effect<A, RegistryError>
  ): Effect.fn.Return<A, RegistryError> {
    const referrer = (yield* listsReferrers(name, digest))
      ? Option.none()
      : yield* orLongWay(Effect.map(read(operation, name, digest), Referrer.read), Effect.succeedNone)
    const deleted = yield* deletion
    if (Option.isSome(referrer)) {
      const { subject } = referrer.value
      const removal = change(operation, { repository: name, digest: subject }, { _tag: "Remove", digest })
      yield* Effect.catch(removal, (error) =>
        Effect.logWarning(`${digest} was deleted, but not its entry in ${Referrer.tagOf(subject)}: ${error.message}`)
      )
    }
    return deleted
  })

  return { list, listPushed, whenDeleted }
}
