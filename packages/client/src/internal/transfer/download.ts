/**
 * Downloads: streams bytes over as many connections as necessary, and checks their size and hash.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Digest } from "../../Digest.ts"
import type { Hash } from "../../Hasher.ts"
import { InvalidResponse, type Reason, Refused, RegistryError, Unavailable } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import { HeldResponseBytes } from "../../ScopedHttpClient.ts"
import * as Distribution from "../api/distribution.ts"
import { statedBytes } from "../http/body.ts"
import { cut } from "../http/connection.ts"
import { maxRedirects } from "../http/origin.ts"
import { byteCounter, noteRepeat } from "../http/telemetry.ts"
import type { Conversation } from "./conversation.ts"
import * as Idle from "./idle.ts"
import * as Mismatch from "./mismatch.ts"
import * as Patience from "./patience.ts"
import type { OnProgress } from "./options.ts"
import { isPassing } from "./recovery.ts"

/** What to download, and how. */
export interface Download {
  readonly repository: RepositoryName
  readonly digest: Digest
  /** The total size in bytes, if the caller knows it. */
  readonly size: number | undefined
  /** The first wanted byte. */
  readonly from: number
  /** The byte after the last wanted one; the end if undefined. */
  readonly to: number | undefined
  /** The hash of the bytes before `from`, if the whole blob is to be verified. */
  readonly hash: Hash | undefined
  /**
   * How much of the content the consumer still uses, as `HeldBytes` of `ScopedHttpClient` counts it; any piece if
   * undefined.
   */
  readonly heldBytes: number | undefined
  readonly idleTimeout: Duration.Duration
  readonly onProgress: OnProgress | undefined
}

const failed = (reason: Reason) => new RegistryError({ operation: "RegistryContent.blob", reason })

const wrongSize = (expected: number, actual: string) =>
  failed(Mismatch.ofSize("the blob does not have the expected size", expected, actual))

const endedEarly = (position: number, end: number) =>
  failed(new Unavailable({ description: `the response ended after ${position} of ${end} bytes`, code: "TRUNCATED" }))

/** The position of an answer's bytes, and the total size. */
interface Extent {
  readonly start: number
  readonly total: number | undefined
}

const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/

export const readExtent = (response: HttpClientResponse.HttpClientResponse): Extent | undefined => {
  if (response.status === 200) return { start: 0, total: statedBytes(response.headers["content-length"]) }
  const range = contentRange.exec(response.headers["content-range"] ?? "")
  if (range === null) return undefined
  return { start: Number(range[1]), total: range[3] === undefined ? undefined : Number(range[3]) }
}

const lengthOf = (pieces: ReadonlyArray<Uint8Array>): number => pieces.reduce((sum, { length }) => sum + length, 0)

/** The bytes after a number of first ones. Mostly that number is 0, and then no piece is touched. */
const after = (pieces: ReadonlyArray<Uint8Array>, bytes: number): ReadonlyArray<Uint8Array> => {
  if (bytes === 0) return pieces
  let left = bytes
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(left)
    left -= piece.length - rest.length
    return rest.length === 0 ? [] : [rest]
  })
}

/** The first bytes: a server without support for ranges sends more than requested. */
const upTo = (pieces: ReadonlyArray<Uint8Array>, bytes: number): ReadonlyArray<Uint8Array> => {
  let left = bytes
  return pieces.flatMap((piece) => {
    const part = piece.subarray(0, Math.max(0, left))
    left -= part.length
    return part.length === 0 ? [] : [part]
  })
}

interface Connection {
  readonly arrivals: Queue.Dequeue<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>
  readonly scope: Scope.Closeable
  /** The bytes before the wanted ones, from a server without support for ranges. */
  skip: number
}

/**
 * Reads an answer one step ahead, in a separate fibre that ends with the scope, and fails when it stalls. The consumer
 * may take any time.
 */
const readAhead = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  { heldBytes, idleTimeout }: Pick<Download, "heldBytes" | "idleTimeout">
) {
  const scope = yield* Effect.scope
  const watch = yield* Idle.watch(idleTimeout, Idle.leastBytesPerSecond)
  const arrivals = yield* Queue.bounded<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>(1)
  const pull = yield* Stream.toPull(response.stream)
  const step = Effect.suspend(() => {
    watch.wait()
    return Effect.flatMap(pull, (pieces) => {
      watch.rest(lengthOf(pieces))
      return Queue.offer(arrivals, pieces)
    })
  })
  // When this pulls the next pieces, one pull waits in the queue, the consumer has another, and still uses a third.
  yield* Effect.forever(step).pipe(
    Effect.provideService(HeldResponseBytes, heldBytes),
    Effect.catch((error) => (Cause.isDone(error) ? Queue.end(arrivals) : Queue.fail(arrivals, failed(cut(error))))),
    Effect.forkIn(scope)
  )
  yield* watch.stalled.pipe(
    Effect.flatMap((reason) => Queue.fail(arrivals, failed(reason))),
    Effect.forkIn(scope)
  )
  return arrivals
})

/** Requests a blob from the registry, and from the storage that it redirects to. */
const open = (
  transport: Conversation,
  { digest, repository }: Pick<Download, "digest" | "repository">,
  range: string | undefined
): Effect.Effect<HttpClientResponse.HttpClientResponse, RegistryError, Scope.Scope> => {
  const from = (
    at: Distribution.SecretLocation | undefined,
    hops: number
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, RegistryError, Scope.Scope> =>
    Effect.flatMap(
      transport.open({
        ...Distribution.getBlob(repository, digest, { endpoint: transport.endpoint, at, range }),
        resends: hops
      }),
      (answer) => {
        if (answer._tag === "Bytes") return Effect.succeed(answer.response)
        return hops < maxRedirects
          ? from(answer.location, hops + 1)
          : failed(new Refused({ description: "the registry redirects too many times" }))
      }
    )
  return from(undefined, 0)
}

/**
 * The size of a blob in bytes, from the answer to a request for its first byte; undefined if it states none. For
 * registries whose answer to a HEAD has no size.
 */
export const statedSize = (
  transport: Conversation,
  blob: Pick<Download, "digest" | "repository">
): Effect.Effect<number | undefined, RegistryError> =>
  Effect.scoped(Effect.map(open(transport, blob, "bytes=0-0"), (response) => readExtent(response)?.total))

/**
 * Streams the bytes of a blob. Succeeds only if they match the size and, with a hash, the digest.
 */
export const run = (transport: Conversation, download: Download): Stream.Stream<Uint8Array, RegistryError> =>
  Stream.fromPull(
    Effect.gen(function* () {
      const { digest, hash, onProgress } = download
      const scope = yield* Effect.scope
      const patience = yield* Patience.make(transport.retry)
      const pace = yield* Idle.pace(Idle.leastBytesPerSecond)
      let total = download.size
      let position = download.from
      let connection: Connection | undefined
      const countBytes = byteCounter(transport.endpoint)
      yield* Effect.addFinalizer(() => countBytes("received", position - download.from))

      const end = (): number | undefined =>
        download.to === undefined ? total : total === undefined ? download.to : Math.min(download.to, total)

      const rangeHeader = (): string | undefined =>
        position === 0 && download.to === undefined
          ? undefined
          : `bytes=${position}-${download.to === undefined ? "" : download.to - 1}`

      const connect = Effect.gen(function* () {
        const own = yield* Scope.fork(scope)
        const response = yield* open(transport, download, rangeHeader()).pipe(
          Effect.provideService(Scope.Scope, own),
          Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(own, exit) : Effect.void))
        )
        const extent = readExtent(response)
        if (extent === undefined || extent.start > position || (extent.start !== 0 && extent.start !== position)) {
          return yield* failed(
            new InvalidResponse({
              description: `the registry sent other bytes than the requested ones from ${position}`
            })
          )
        }
        if (total !== undefined && extent.total !== undefined && extent.total !== total) {
          return yield* wrongSize(total, `${extent.total} bytes`)
        }
        total ??= extent.total
        yield* Effect.logDebug(
          `download: ${digest} from byte ${extent.start}${total === undefined ? "" : ` of ${total}`}`
        )
        if (position > download.from) yield* Effect.annotateCurrentSpan("registry.resumed_bytes", position)
        if (total !== undefined) yield* Effect.annotateCurrentSpan("registry.size", total)
        const arrivals = yield* Effect.provideService(readAhead(response, download), Scope.Scope, own)
        connection = { arrivals, scope: own, skip: position - extent.start }
        return connection
      })

      const disconnect = Effect.suspend(() => {
        const open = connection
        connection = undefined
        return open === undefined ? Effect.void : Scope.close(open.scope, Exit.void)
      })

      /** The next wanted bytes of this connection. */
      const next = (from: Connection): Pull.Pull<ReadonlyArray<Uint8Array>, RegistryError> =>
        Effect.map(Queue.take(from.arrivals), (pieces) => {
          const wanted = after(pieces, from.skip)
          from.skip = Math.max(0, from.skip - lengthOf(pieces))
          return download.to === undefined ? wanted : upTo(wanted, download.to - position)
        })

      const take = (pieces: ReadonlyArray<Uint8Array>): Effect.Effect<void, RegistryError> =>
        Effect.suspend(() => {
          for (const piece of pieces) {
            position += piece.length
            hash?.update(piece)
          }
          const limit = end()
          if (limit !== undefined && position > limit) return wrongSize(limit, "more")
          if (onProgress === undefined) return Effect.void
          return onProgress(limit === undefined ? { doneBytes: position } : { doneBytes: position, totalBytes: limit })
        })

      const verify: Effect.Effect<void, RegistryError> = Effect.suspend(() => {
        if (hash === undefined) return Effect.void
        const mismatch = Mismatch.ofDigest("the blob does not match its digest", digest, hash)
        return mismatch === undefined ? Effect.void : failed(mismatch)
      })

      /** The connection has ended: the blob is complete, or the rest is requested. */
      const atEnd: Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], RegistryError> = Effect.gen(function* () {
        yield* disconnect
        const limit = end()
        if (limit !== undefined && position < limit) return yield* again(endedEarly(position, limit))
        yield* verify
        return yield* Cause.done()
      })

      const again = (error: RegistryError): Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], RegistryError> =>
        Effect.gen(function* () {
          yield* disconnect
          // There are no more bytes. Without a size, only the digest can show whether that is right.
          if (error.response?.status === 416 && position > 0 && end() === undefined) return yield* atEnd
          if (!isPassing(error.reason) && !linkRanOut(error)) return yield* error
          // Nothing is missing, so nothing is requested again.
          if (position > 0 && position === end()) return yield* atEnd
          yield* patience.wait(error)
          yield* noteRepeat(transport.endpoint, `download: resumes at byte ${position}`, error)
          return yield* pull
        })

      /**
       * Storage refuses an expired link, and the registry issues new ones. A refusal of the registry itself is final.
       */
      const linkRanOut = ({ request, response }: RegistryError): boolean =>
        request !== undefined &&
        new URL(request.url).origin !== transport.endpoint &&
        [400, 401, 403, 410].includes(response?.status ?? 0)

      const pull: Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], RegistryError> = Effect.suspend(() => {
        pace.wait()
        if (position > 0 && position === end() && (connection === undefined || download.to !== undefined)) return atEnd
        return Effect.matchEffect(
          Effect.flatMap(connection === undefined ? connect : Effect.succeed(connection), next),
          {
            onFailure: (error) => (Cause.isDone(error) ? atEnd : again(error)),
            onSuccess: ([first, ...rest]) => {
              if (first === undefined) return pull
              const pieces = [first, ...rest] as const
              // Otherwise a server that sends a few bytes on each connection would cause endless requests.
              const taken = pace.rest(lengthOf(pieces)) ? Effect.andThen(take(pieces), patience.renew) : take(pieces)
              return Effect.as(taken, pieces)
            }
          }
        )
      })

      return pull
    })
  ).pipe(Stream.scoped)
