/**
 * Changes of one subject's list of referrers: within a service they are made one after another, and all waiting ones
 * together.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type * as Digest from "../../Digest.ts"
import type { RegistryError } from "../../RegistryError.ts"
import * as Index from "./referrersIndex.ts"
import type { Settle, Subject } from "./referrersTag.ts"

/** A waiting change. */
interface Pending {
  readonly change: Index.Change
  /** The outcome, if the turn of another change made it. */
  outcome: Result.Result<void, RegistryError> | undefined
}

/** The changes of one subject in progress. */
interface Session {
  readonly turn: Semaphore.Semaphore
  readonly pending: Set<Pending>
  /** Entries that were added in the session and that other programs may still overwrite, by manifest. */
  readonly own: Map<Digest.Digest, Index.Change>
  users: number
}

/** Whether the change itself is at fault, so that others can be made without it. */
const isOfChange = ({ reason: { _tag } }: RegistryError): boolean =>
  _tag === "InvalidRequest" || _tag === "NotFound" || _tag === "TooLarge"

/** Makes a function that changes the list of a subject's referrers. */
export const make = (settle: Settle) => {
  const sessions = new Map<string, Session>()

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

  const makeChanges = (operation: string, subject: Subject, { own }: Session, batch: ReadonlyArray<Pending>) =>
    Effect.map(
      settle(
        operation,
        subject,
        batch.map(({ change }) => change),
        own
      ),
      (isSafe) => {
        for (const one of batch) {
          one.outcome = Result.void
          // A removal that took effect is not repeated: another program may add the manifest again.
          if (isSafe || one.change._tag === "Remove") own.delete(Index.digestOf(one.change))
          else own.set(Index.digestOf(one.change), one.change)
        }
      }
    )

  /** Makes all waiting changes, unless an earlier turn has made this one. */
  const takeTurn = (operation: string, subject: Subject, session: Session, mine: Pending) =>
    Effect.suspend(() => {
      if (mine.outcome !== undefined) return Effect.fromResult(mine.outcome)
      const batch = Array.from(session.pending).filter(({ outcome }) => outcome === undefined)
      return makeChanges(operation, subject, session, batch).pipe(
        Effect.catch((error) => {
          // A fault of one change must not fail the others. A fault of the registry does.
          if (batch.length > 1 && isOfChange(error)) return makeChanges(operation, subject, session, [mine])
          for (const one of batch) one.outcome = Result.fail(error)
          return Effect.fail(error)
        })
      )
    })

  return (operation: string, subject: Subject, change: Index.Change): Effect.Effect<void, RegistryError> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const { key, session } = sessionOf(subject)
        const mine: Pending = { change, outcome: undefined }
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
