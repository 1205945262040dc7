/**
 * Maintains the referrers tag of a subject, which clients share if a registry does not list referrers itself.
 *
 * OCI distribution specification, "Referrers tag schema". Every client replaces the whole index, so two programs at the
 * same time may lose each other's entries:
 *
 * | The registry        | A replacement                                                                          |
 * | ------------------- | -------------------------------------------------------------------------------------- |
 * | honours `If-Match`  | is refused if another one came in between, and repeated: nothing is lost                |
 * | ignores it          | follows a HEAD that shows no other one, and is read back later: most losses are repaired |
 *
 * docs/referrers.md describes the remaining cases.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as Digest from "../../Digest.ts"
import * as MediaType from "../../MediaType.ts"
import { tag as tagOf } from "../../Referrer.ts"
import { NotFound, Refused, RegistryError, TooLarge, Unavailable } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import * as Distribution from "../api/distribution.ts"
import { orByGet } from "../api/shortcut.ts"
import { named } from "../http/named.ts"
import { byteCounter } from "../http/telemetry.ts"
import * as Memory from "./memory.ts"
import { ifFound, isGone, type Reader } from "./reading.ts"
import * as Index from "./referrersIndex.ts"

/** The subject whose referrers change. */
export interface Subject {
  readonly repository: RepositoryName
  readonly digest: Digest.Digest
}

/** How often a list is merged again, because another program replaced it meanwhile, before the change fails. */
const mostAttempts = 8

/**
 * How long after a replacement the list is read back, in milliseconds: other programs that had read the old list put
 * theirs in this time.
 */
const leastWaitMillis = 100
const mostWaitMillis = 300

/** An entity tag that no index has. */
const impossible = { "if-match": `"sha256:${"0".repeat(64)}"` } as const

/** The list that was read, and the tag's digest at that time. */
interface Current {
  readonly index: Index.Index
  readonly digest: Digest.Digest | undefined
  readonly entityTag: string | undefined
}

/** Whether a registry honours conditions. No documentation says so; the first replacement shows it. */
type Conditions = "honoured" | "ignored"

/**
 * The outcome of a replacement: another program was faster; it was made and nothing was lost; or it was made and must
 * be read back.
 */
type Replacement = "outrun" | "safe" | "unsafe"

/** Whether a registry refuses a request because of its form. Without a condition, it may accept it. */
const isRefusal = ({ reason: { _tag }, response }: RegistryError): boolean =>
  _tag === "InvalidRequest" || _tag === "Unsupported" || response?.status === 409

/** Whether the registry itself says that a manifest or a tag does not exist. A gateway's 404 does not count. */
const isAbsent = ({ reason }: RegistryError): boolean => reason._tag === "NotFound" && reason.resource !== "endpoint"

/** Whether a registry refuses a list because it names a deleted manifest. */
const namesMissing = ({ reason: { _tag }, response }: RegistryError): boolean =>
  _tag === "InvalidRequest" && response?.errors.some(({ code }) => code.endsWith("_UNKNOWN")) === true

/** The error if a manifest that the registry had a moment ago cannot be listed. */
const deleted = () =>
  new NotFound({ resource: "manifest", description: "the manifest was deleted before it was listed" })

/** The concurrency of looking up the manifests of entries. */
const looksAtOnce = 4

export const make = (transport: Transport.Service, read: Reader) => {
  const countBytes = byteCounter(transport.endpoint)
  const conditions = Memory.make<Conditions>()

  const current = Effect.fnUntraced(function* (
    operation: string,
    { digest, repository }: Subject
  ): Effect.fn.Return<Current, RegistryError> {
    const tag = tagOf(digest)
    const found = yield* ifFound(read(operation, repository, tag), isAbsent)
    if (Option.isNone(found)) return { index: Index.empty, digest: undefined, entityTag: undefined }
    const { descriptor, entityTag } = found.value
    const index = Index.read(found.value)
    // Some registries read such a tag as the digest: a list must not replace the subject itself.
    if (Option.isNone(index) || descriptor.digest === digest) {
      const description = `the tag ${tag} does not name a list of referrers, and is not replaced: delete it if nothing needs it`
      return yield* new RegistryError({ operation, reason: new Refused({ description }) })
    }
    return { index: index.value, digest: descriptor.digest, entityTag }
  })

  const head = (repository: RepositoryName, reference: Tag | Digest.Digest) =>
    orByGet(
      transport.execute(Distribution.headManifest(repository, reference)),
      Effect.succeed(Distribution.nothingStated)
    )

  /** Whether the tag still names the list that was read, by a GET. */
  const isThere = (operation: string, subject: Subject, was: Current): Effect.Effect<boolean, RegistryError> =>
    Effect.map(current(operation, subject), ({ digest }) => digest === was.digest)

  /** Whether the tag still names the list that was read. If a HEAD does not show it, a GET does. */
  const isUnchanged = (operation: string, subject: Subject, was: Current): Effect.Effect<boolean, RegistryError> =>
    Effect.flatMap(ifFound(head(subject.repository, tagOf(subject.digest))), (found) =>
      Option.getOrUndefined(Option.map(found, ({ digest }) => digest ?? "unknown")) === was.digest
        ? Effect.succeed(true)
        : isThere(operation, subject, was)
    )

  /** Replaces the list unconditionally. */
  const put = ({ digest, repository }: Subject, bytes: Uint8Array): Effect.Effect<Replacement, RegistryError> =>
    Effect.as(
      transport.execute(Distribution.putManifest(repository, tagOf(digest), MediaType.ociImageIndex, bytes)),
      "unsafe"
    )

  const putIf = ({ digest, repository }: Subject, bytes: Uint8Array, condition: Distribution.Condition) =>
    transport.execute(Distribution.putManifestIf(repository, tagOf(digest), bytes, condition))

  /** Replaces the list on a registry that honours conditions. */
  const replaceIf = Effect.fnUntraced(function* (
    operation: string,
    subject: Subject,
    was: Current,
    bytes: Uint8Array
  ): Effect.fn.Return<Replacement, RegistryError> {
    const condition = { "if-match": was.entityTag ?? `"${was.digest}"` }
    if ((yield* putIf(subject, bytes, condition)) === "put") return "safe"
    if (!(yield* isThere(operation, subject, was))) return "outrun"
    // The list is unchanged, so the registry did not refuse because of the condition.
    yield* conditions.set("ignored")
    return yield* put(subject, bytes)
  })

  const replace = Effect.fnUntraced(function* (
    operation: string,
    subject: Subject,
    was: Current,
    bytes: Uint8Array
  ): Effect.fn.Return<Replacement, RegistryError> {
    const known = yield* conditions.get
    if (was.digest !== undefined && Option.contains(known, "honoured")) {
      return yield* replaceIf(operation, subject, was, bytes)
    }
    if (!(yield* isUnchanged(operation, subject, was))) return "outrun"
    if (was.digest !== undefined && Option.isSome(known)) return yield* put(subject, bytes)
    // For an existing list, a condition that cannot hold: if the registry ignores it, this is the replacement.
    const condition = was.digest === undefined ? ({ "if-none-match": "*" } as const) : impossible
    const tried = yield* Effect.catchIf(putIf(subject, bytes, condition), isRefusal, () => put(subject, bytes))
    if (tried !== "refused") {
      if (was.digest !== undefined) yield* conditions.set("ignored")
      return "unsafe"
    }
    if (was.digest === undefined)
      return (yield* isThere(operation, subject, was)) ? yield* put(subject, bytes) : "outrun"
    yield* conditions.set("honoured")
    return yield* replaceIf(operation, subject, was, bytes)
  })

  /** The manifests that the repository does not have. A HEAD is not enough, because their entries are removed. */
  const goneOf = (
    operation: string,
    repository: RepositoryName,
    digests: ReadonlyArray<Digest.Digest>
  ): Effect.Effect<ReadonlyArray<Digest.Digest>, RegistryError> =>
    Effect.filter(
      digests,
      (digest) => Effect.map(ifFound(read(operation, repository, digest), isGone), Option.isNone),
      { concurrency: looksAtOnce }
    )

  /**
   * Replaces the list. If the registry refuses it because of deleted manifests, the list is sent without the old
   * entries among them. A manifest to add was pushed a moment ago, and the registry may not show it everywhere yet, so
   * waiting helps.
   */
  const replaceWithoutGone = Effect.fnUntraced(function* (
    operation: string,
    subject: Subject,
    was: Current,
    wanted: Index.Index
  ): Effect.fn.Return<Replacement, RegistryError> {
    const attempt = (index: Index.Index) =>
      Effect.gen(function* () {
        const bytes = Index.write(index)
        if (bytes.length > Distribution.maxManifestBytes) {
          const reason = new TooLarge({
            description: "the list of referrers",
            limitBytes: Distribution.maxManifestBytes
          })
          return yield* new RegistryError({ operation, reason })
        }
        const made = yield* replace(operation, subject, was, bytes)
        if (made !== "outrun") yield* countBytes("sent", bytes.length)
        return made
      })
    return yield* Effect.catchIf(attempt(wanted), namesMissing, (refusal) =>
      Effect.gen(function* () {
        const gone = yield* goneOf(operation, subject.repository, Index.digestsIn(was.index))
        if (gone.length === 0) return yield* refusal
        return yield* attempt(Index.apply(wanted, gone.map(Index.removal)))
      })
    )
  })

  /**
   * Updates the list until it has the changes, and the earlier ones as well. Returns whether no other program can
   * overwrite them without reading them first.
   */
  const settle = Effect.fnUntraced(
    function* (
      operation: string,
      subject: Subject,
      changes: ReadonlyArray<Index.Change>,
      own: Map<Digest.Digest, Index.Change>
    ): Effect.fn.Return<boolean, RegistryError> {
      let problem: RegistryError["reason"] | undefined
      for (let attempt = 0; attempt <= mostAttempts; attempt++) {
        const was = yield* current(operation, subject)
        // An entry of the list was overwritten, or another program has deleted its manifest.
        const lost = Index.missing(was.index, [...own.values(), ...(attempt === 0 ? [] : changes)])
        const gone = new Set(yield* goneOf(operation, subject.repository, lost))
        for (const digest of gone) own.delete(digest)
        const there = changes.filter((change) => !gone.has(Index.digestOf(change)))
        const all = new Map([...own, ...there.map((change) => [Index.digestOf(change), change] as const)])
        const wanted = Index.apply(was.index, all.values())
        const isWhole = there.length === changes.length
        if (wanted === was.index && isWhole) return Option.contains(yield* conditions.get, "honoured")
        problem = isWhole ? undefined : deleted()
        // The last replacement is checked as well.
        if (attempt === mostAttempts) break
        if (wanted !== was.index) {
          const made = yield* Effect.result(replaceWithoutGone(operation, subject, was, wanted))
          if (Result.isFailure(made)) {
            if (!namesMissing(made.failure) || attempt === mostAttempts - 1) return yield* made.failure
          } else if (made.success === "safe" && isWhole) return true
        }
        yield* Effect.sleep((attempt + 1) * (yield* Random.nextIntBetween(leastWaitMillis, mostWaitMillis)))
      }
      const description = `other programs replaced the tag ${tagOf(subject.digest)} ${mostAttempts} times`
      return yield* new RegistryError({ operation, reason: problem ?? new Unavailable({ description }) })
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )

  return settle
}

/** Updates the list of a subject's referrers until it has the changes. */
export type Settle = ReturnType<typeof make>
