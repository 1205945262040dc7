/**
 * Passes requests to the servers, applies injected faults, and writes the journal.
 */
import { randomUUID } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import * as DateTime from "effect/DateTime"
import { type Consequence, type Fault, fits, type Injected } from "../Fault.ts"
import type { JournalEntry } from "../Journal.ts"
import { type Answer, internalError } from "./answer.ts"
import type { Listener } from "./listener.ts"

/** A request as it was received. */
export interface Incoming {
  readonly method: string
  /** Percent-encoded as it was sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: AsyncIterable<Uint8Array>
}

const flatten = (headers: IncomingHttpHeaders): Incoming["headers"] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value])
  )

/**
 * Redacts the values that would let a reader of the journal continue another client's request. Logins belong in bodies
 * and headers, but a client under test may send them in the query by mistake.
 */
const strikeOut = (query: string): string =>
  query.replace(/(^|&)(_state|sig|password|access_token|refresh_token|client_secret)=[^&]*/g, "$1$2=redacted")

/** A query may have more question marks. */
const splitTarget = (target: string): readonly [path: string, query: string] => {
  const at = target.indexOf("?")
  return at === -1 ? [target, ""] : [target.slice(0, at), target.slice(at + 1)]
}

const schemeOf = (authorization: string | undefined): JournalEntry["authorization"] =>
  authorization === undefined ? "none" : /^basic /i.test(authorization) ? "basic" : "bearer"

/** How many of the requests that a fault matches it affects. */
const hits = ({ skip = 0, times = 1 }: Fault, seen: number): number =>
  Math.max(0, Math.min(seen - skip, times === "always" ? seen : times))

/** The journal entry of a running request. The counts grow until the answer is sent. */
interface Recorded {
  readonly facts: Omit<JournalEntry, "requestBytes" | "responseBytes" | "durationMillis">
  readonly counts: { requestBytes: number; responseBytes: number; durationMillis: number | undefined }
}

const entryOf = ({ counts: { durationMillis, ...bytes }, facts }: Recorded): JournalEntry => ({
  ...facts,
  ...bytes,
  ...(durationMillis === undefined ? {} : { durationMillis })
})

/**
 * Requests of both servers of an emulator.
 */
export const make = (options: {
  /** The number of requests that the journal keeps, the most recent ones. */
  readonly journalSize: number
  /** The emulator's clock. */
  readonly nowMillis: () => number
  /** A clock that cannot be set. */
  readonly elapsedMillis: () => number
  /** Called with each request when it has ended. */
  readonly onRequest: (entry: JournalEntry) => void
}) => {
  const { elapsedMillis, journalSize, nowMillis, onRequest } = options
  const journal: Array<Recorded> = []
  const faults: Array<{ readonly id: number; readonly fault: Fault; seen: number }> = []
  let requests = 0
  let faultIds = 0

  const record = (recorded: Recorded): void => {
    journal.push(recorded)
    // Twice the size, so that not every request moves all entries.
    if (journal.length >= 2 * journalSize) journal.splice(0, journal.length - journalSize)
  }

  const faultFor = (request: { readonly method: string; readonly path: string }): Consequence | undefined => {
    for (const entry of faults) {
      if (!fits(entry.fault, request)) continue
      const before = hits(entry.fault, entry.seen)
      entry.seen += 1
      if (hits(entry.fault, entry.seen) > before) return entry.fault.consequence
    }
    return undefined
  }

  return {
    journal: (after: number): ReadonlyArray<JournalEntry> =>
      journal.slice(-journalSize).flatMap((recorded) => (recorded.facts.sequence > after ? [entryOf(recorded)] : [])),
    clearJournal: (): void => {
      journal.length = 0
    },
    inject: (fault: Fault): number => {
      faultIds += 1
      faults.push({ id: faultIds, fault, seen: 0 })
      return faultIds
    },
    faults: (): ReadonlyArray<Injected> =>
      faults.map(({ fault, id, seen }) => ({ id, fault, seen, hit: hits(fault, seen) })),
    /** Whether there was such a fault. */
    removeFault: (id: number): boolean => {
      const index = faults.findIndex((entry) => entry.id === id)
      if (index !== -1) faults.splice(index, 1)
      return index !== -1
    },
    clearFaults: (): void => {
      faults.length = 0
    },
    serve: (
      server: JournalEntry["server"],
      listener: Listener,
      answering: (request: Incoming) => Promise<Answer>
    ): void =>
      listener.serve((request) => {
        const method = request.method ?? "GET"
        const [path, query] = splitTarget(request.url ?? "/")
        const correlationId = randomUUID()
        const came = { nowMillis: nowMillis(), elapsedMillis: elapsedMillis() }
        const counts: Recorded["counts"] = { requestBytes: 0, responseBytes: 0, durationMillis: undefined }
        let user: string | undefined
        let recorded: Recorded | undefined
        return {
          fault: faultFor({ method, path }),
          answer: async (body) => {
            // A request whose body broke off fails too: its answer is not sent.
            const incoming = {
              method,
              path,
              query: new URLSearchParams(query),
              headers: flatten(request.headers),
              body
            }
            const given = await answering(incoming).catch(() => internalError)
            user = given.user
            return { ...given, headers: { ...given.headers, "X-Ms-Correlation-Request-Id": correlationId } }
          },
          done: (status) => {
            requests += 1
            const facts = {
              sequence: requests,
              time: DateTime.makeUnsafe(came.nowMillis),
              server,
              method,
              path,
              query: strikeOut(query),
              authorization: schemeOf(request.headers.authorization),
              ...(user === undefined ? {} : { user }),
              status,
              correlationId
            }
            recorded = { facts, counts }
            record(recorded)
          },
          read: (bytes) => {
            counts.requestBytes += bytes
          },
          wrote: (bytes) => {
            counts.responseBytes += bytes
          },
          over: () => {
            counts.durationMillis = elapsedMillis() - came.elapsedMillis
            if (recorded !== undefined) onRequest(entryOf(recorded))
          }
        }
      })
  }
}
