/**
 * Keeps the referrers tag of a subject, which clients maintain together where a registry does not list referrers itself.
 *
 * OCI distribution specification, "Referrers tag schema". Every client replaces the whole index, so that two of them at
 * once may lose entries of each other. Within a service, changes wait for each other and are merged into one replacement.
 * Between programs:
 *
 * | The registry        | A replacement                                                                          |
 * | ------------------- | -------------------------------------------------------------------------------------- |
 * | honours `If-Match`  | is refused if another one came in between, and made anew: nothing is lost               |
 * | ignores it          | follows a HEAD that shows no other one, and is read back later: most losses are mended  |
 *
 * What remains is in docs/referrers.md.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import type * as Digest from "../../Digest.ts"
import * as MediaType from "../../MediaType.ts"
import { Refused, RegistryError, TooLarge, Unavailable } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type { Tag } from "../../Tag.ts"
import type * as Transport from "../../Transport.ts"
import * as Distribution from "../api/distribution.ts"
import { orByGet } from "../api/shortcut.ts"
import { named } from "../http/named.ts"
import { byteCounter } from "../http/telemetry.ts"
import * as Memory from "./memory.ts"
import { ifFound, type Reader } from "./reading.ts"
import { tagOf } from "./referrer.ts"
import * as Index from "./referrersIndex.ts"

/** The subject whose referrers change. */
export interface Subject {
  readonly repository: RepositoryName
  readonly digest: Digest.Digest
}

/** How often a list is merged anew before its change fails: each time another program replaced it meanwhile. */
const mostAttempts = 8

/** How long after a replacement it is read back, in milliseconds: others that had read the old list put theirs meanwhile. */
const leastWaitMillis = 100
const mostWaitMillis = 300

/** No entity tag of any index. */
const impossible = { "if-match": `"sha256:${"0".repeat(64)}"` } as const

/** A change that waits for its turn. */
interface Pending {
  readonly change: Index.Change
  isDone: boolean
}

/** The changes of one subject under way. */
interface Session {
  readonly turn: Semaphore.Semaphore
  readonly pending: Set<Pending>
  /** The last change of each referrer since the session began: all of them must hold at its end. */
  readonly own: Map<Digest.Digest, Index.Change>
  users: number
}

/** The list as it was read, and the tag's digest at that time. */
interface Current {
  readonly index: Index.Index
  readonly digest: Digest.Digest | undefined
  readonly entityTag: string | undefined
}

/** Whether a registry honours conditions. Nobody documents it, so the first replacement shows it. */
type Conditions = "honoured" | "ignored"

/** Whether a PUT was refused for what it asks, and may be taken without a condition. */
const isRefusal = ({ reason: { _tag } }: RegistryError): boolean => _tag === "InvalidRequest" || _tag === "Unsupported"

export const make = (transport: Transport.Service, read: Reader) => {
  const countBytes = byteCounter(transport.endpoint)
  const conditions = Memory.make<Conditions>()
  const sessions = new Map<string, Session>()

  const current = Effect.fnUntraced(function* (
    operation: string,
    { digest, repository }: Subject
  ): Effect.fn.Return<Current, RegistryError> {
    const tag = tagOf(digest)
    const found = yield* ifFound(read(operation, repository, tag))
    if (Option.isNone(found)) return { index: Index.empty, digest: undefined, entityTag: undefined }
    const { descriptor, entityTag } = found.value
    const index = Index.read(found.value)
    // Some registries take such a tag for the digest: the subject itself must not be replaced by a list either.
    if (Option.isNone(index) || descriptor.digest === digest) {
      const description = `the tag ${tag} does not name a list of referrers, and is not replaced: delete it if nothing needs it`
      return yield* new RegistryError({ operation, reason: new Refused({ description }) })
    }
    return { index: index.value, digest: descriptor.digest, entityTag }
  })

  /** Whether the tag still names what was read. */
  const isUnchanged = (
    repository: RepositoryName,
    tag: Tag,
    { digest }: Current
  ): Effect.Effect<boolean, RegistryError> =>
    orByGet(
      transport.execute(Distribution.headManifest(repository, tag)),
      Effect.succeed(Distribution.nothingStated)
    ).pipe(
      Effect.map((stated) => stated.digest === undefined || stated.digest === digest),
      ifFound,
      Effect.map(Option.getOrElse(() => digest === undefined))
    )

  const put = (repository: RepositoryName, tag: Tag, bytes: Uint8Array) =>
    Effect.asVoid(transport.execute(Distribution.putManifest(repository, tag, MediaType.ociImageIndex, bytes)))

  const putIf = (repository: RepositoryName, tag: Tag, bytes: Uint8Array, condition: Distribution.Condition) =>
    transport.execute(Distribution.putManifestIf(repository, tag, bytes, condition))

  /**
   * Replaces the list. Tells whether it was refused because another program was faster, and whether a condition that the
   * registry honours makes sure that nothing was lost.
   */
  const replace = Effect.fnUntraced(function* (
    repository: RepositoryName,
    tag: Tag,
    was: Current,
    bytes: Uint8Array
  ): Effect.fn.Return<"refused" | "safe" | "unsafe", RegistryError> {
    const known = yield* conditions.get
    const ifUnchanged = { "if-match": was.entityTag ?? `"${was.digest}"` }
    if (was.digest !== undefined && Option.contains(known, "honoured")) {
      if ((yield* putIf(repository, tag, bytes, ifUnchanged)) === "put") return "safe"
      if (!(yield* isUnchanged(repository, tag, was))) return "refused"
      // The list is what it was, so that it was not the condition which the registry refused.
      yield* conditions.set("ignored")
      yield* put(repository, tag, bytes)
      return "unsafe"
    }
    if (!(yield* isUnchanged(repository, tag, was))) return "refused"
    if (was.digest === undefined) {
      const created = putIf(repository, tag, bytes, { "if-none-match": "*" })
      const answer = yield* Effect.catchIf(created, isRefusal, () =>
        Effect.as(put(repository, tag, bytes), "put" as const)
      )
      return answer === "put" ? "unsafe" : "refused"
    }
    if (Option.isSome(known)) return yield* Effect.as(put(repository, tag, bytes), "unsafe" as const)
    // A condition that cannot hold: where it is ignored this is the replacement, and needs no other request.
    const probe = yield* Effect.catchIf(putIf(repository, tag, bytes, impossible), isRefusal, () =>
      Effect.as(put(repository, tag, bytes), "put" as const)
    )
    yield* conditions.set(probe === "refused" ? "honoured" : "ignored")
    if (probe === "put") return "unsafe"
    return (yield* putIf(repository, tag, bytes, ifUnchanged)) === "put" ? "safe" : "refused"
  })

  /** Brings the list to where all changes hold. */
  const settle = Effect.fnUntraced(
    function* (
      operation: string,
      subject: Subject,
      changes: ReadonlyArray<Index.Change>
    ): Effect.fn.Return<void, RegistryError> {
      const tag = tagOf(subject.digest)
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const was = yield* current(operation, subject)
        const wanted = Index.apply(was.index, changes)
        if (wanted === was.index) return
        const bytes = Index.write(wanted)
        if (bytes.length > Distribution.maxManifestBytes) {
          const description = "the list of referrers"
          const reason = new TooLarge({ description, limitBytes: Distribution.maxManifestBytes })
          return yield* new RegistryError({ operation, reason })
        }
        const outcome = yield* replace(subject.repository, tag, was, bytes)
        if (outcome !== "refused") yield* countBytes("sent", bytes.length)
        if (outcome === "safe") return
        yield* Effect.sleep((attempt + 1) * (yield* Random.nextIntBetween(leastWaitMillis, mostWaitMillis)))
      }
      // The last replacement is looked at as well.
      const was = yield* current(operation, subject)
      if (Index.apply(was.index, changes) === was.index) return
      const description = `other programs replaced the tag ${tag} ${mostAttempts} times`
      return yield* new RegistryError({ operation, reason: new Unavailable({ description }) })
    },
    (effect, operation) => Effect.mapError(effect, named(operation))
  )

  const sessionOf = (subject: Subject): { readonly key: string; readonly session: Session } => {
    const key = `${subject.repository}@${subject.digest}`
    const session = sessions.get(key) ?? {
      turn: Semaphore.makeUnsafe(1),
      pending: new Set<Pending>(),
      own: new Map<Digest.Digest, Index.Change>(),
      users: 0
    }
    sessions.set(key, session)
    return { key, session }
  }

  /** Makes all changes that wait, unless one that had its turn before has made this one. */
  const takeTurn = (operation: string, subject: Subject, session: Session, mine: Pending) =>
    Effect.suspend(() => {
      if (mine.isDone) return Effect.void
      const batch = Array.from(session.pending).filter(({ isDone }) => !isDone)
      const own = new Map(session.own)
      for (const { change } of batch) own.set(Index.digestOf(change), change)
      return Effect.map(settle(operation, subject, [...own.values()]), () => {
        for (const one of batch) {
          one.isDone = true
          session.own.set(Index.digestOf(one.change), one.change)
        }
      })
    })

  /** Changes the list of a subject's referrers. */
  return (operation: string, subject: Subject, change: Index.Change): Effect.Effect<void, RegistryError> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const { key, session } = sessionOf(subject)
        const mine: Pending = { change, isDone: false }
        session.users += 1
        session.pending.add(mine)
        return { key, session, mine }
      }),
      ({ mine, session }) => session.turn.withPermit(takeTurn(operation, subject, session, mine)),
      ({ key, mine, session }) =>
        Effect.sync(() => {
          session.pending.delete(mine)
          session.users -= 1
          if (session.users === 0) sessions.delete(key)
        })
    )
}
