/**
 * Requests on their way to who answers them: each meets with the faults that were injected, and stands in the journal.
 */
import { randomUUID } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"
import { type Consequence, type Fault, fits } from "../Fault.ts"
import type { JournalEntry } from "../Journal.ts"
import { type Answer, internalError } from "./answer.ts"
import type { Listener } from "./listener.ts"

/** A request as it comes. */
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

/** The values that would let a reader of the journal go on with somebody's request. */
const strikeOut = (query: string): string => query.replace(/\b(_state|sig)=[^&]*/g, "$1=redacted")

const schemeOf = (authorization: string | undefined): JournalEntry["authorization"] =>
  authorization === undefined ? "none" : /^basic /i.test(authorization) ? "basic" : "bearer"

export const make = () => {
  const journal: Array<JournalEntry> = []
  const faults: Array<{ readonly fault: Fault; seen: number }> = []

  const faultFor = (request: { readonly method: string; readonly path: string }): Consequence | undefined => {
    for (const entry of faults) {
      const { consequence, skip = 0, times = 1 } = entry.fault
      if (!fits(entry.fault, request)) continue
      entry.seen += 1
      if (entry.seen > skip && entry.seen <= skip + times) return consequence
    }
    return undefined
  }

  return {
    journal: (): ReadonlyArray<JournalEntry> => [...journal],
    clearJournal: (): void => {
      journal.length = 0
    },
    inject: (fault: Fault): void => {
      faults.push({ fault, seen: 0 })
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
        const [path = "", query = ""] = (request.url ?? "/").split("?", 2)
        const correlationId = randomUUID()
        return {
          fault: faultFor({ method, path }),
          answer: async (body) => {
            // One whose request broke off fails too: nobody hears that answer.
            const incoming = {
              method,
              path,
              query: new URLSearchParams(query),
              headers: flatten(request.headers),
              body
            }
            const given = await answering(incoming).catch(() => internalError)
            return { ...given, headers: { ...given.headers, "X-Ms-Correlation-Request-Id": correlationId } }
          },
          done: (status) =>
            journal.push({
              server,
              method,
              path,
              query: strikeOut(query),
              authorization: schemeOf(request.headers.authorization),
              status,
              correlationId
            })
        }
      })
  }
}
