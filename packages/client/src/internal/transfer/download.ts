/**
 * Downloads: streams bytes over as many connections as necessary, and checks their size and hash.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Digest } from "../../Digest.ts"
import type { Hash } from "../../Hasher.ts"
import { InvalidResponse, type Reason, Refused, RegistryError, Unavailable } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import { isPulledResponse } from "../../ScopedHttpClient.ts"
import * as Distribution from "../api/distribution.ts"
import { pullBody, statedBytes } from "../http/body.ts"
import { cut } from "../http/connection.ts"
import { maxRedirects } from "../http/origin.ts"
import { attributesOf, noteRepeat, showFailure } from "../http/telemetry.ts"
import type { Conversation } from "./conversation.ts"
import * as Idle from "./idle.ts"
import * as Lent from "./lent.ts"
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
   * How many bytes of the content the consumer may still use when it pulls again, as in `BlobSource`; any if undefined.
   */
  readonly heldBytes: number | undefined
  readonly idleTimeout: Duration.Duration
  readonly onProgress: OnProgress | undefined
}

const wrongSize = (expected: number, actual: string): Reason =>
  Mismatch.ofSize("the blob does not have the expected size", expected, actual)

const endedEarly = (position: number, end: number): Reason =>
  new Unavailable({ description: `the response ended after ${position} of ${end} bytes`, code: "TRUNCATED" })

const failedIn =
  ({ operation }: Conversation) =>
  (reason: Reason) =>
    new RegistryError({ operation, reason })

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

type Pieces = Arr.NonEmptyReadonlyArray<Uint8Array>

interface Connection {
  readonly arrivals: Queue.Dequeue<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>
  readonly scope: Scope.Closeable
  /** The chunks that the consumer may still use. */
  readonly lent: Lent.Lent
  /** The bytes before the wanted ones, from a server without support for ranges. */
  skip: number
}

/**
 * Reads an answer one step ahead, in a separate fibre that ends with the scope, and fails when it stalls. The consumer
 * may take any time.
 */
const readAhead = Effect.fnUntraced(function* (
  response: HttpClientResponse.HttpClientResponse,
  { idleTimeout }: Pick<Download, "idleTimeout">,
  failed: (reason: Reason) => RegistryError
) {
  const scope = yield* Effect.scope
  const watch = yield* Idle.watch(idleTimeout, { bytesPerSecond: Idle.leastBytesPerSecond })
  const arrivals = yield* Queue.bounded<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>(1)
  const pull = yield* pullBody(response)
  const step = Effect.suspend(() => {
    watch.wait()
    return Effect.flatMap(pull, (pieces) => {
      watch.rest(lengthOf(pieces))
      return Queue.offer(arrivals, pieces)
    })
  })
  yield* Effect.forever(step, { disableYield: true }).pipe(
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
          : failedIn(transport)(new Refused({ description: "the registry redirects too many times" }))
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
  Stream.fromChannel(
    Channel.fromTransformBracket((_upstream, _outer, scope) => Scope.provide(begin(transport, download), scope))
  )

/**
 * Returns the pull of a download whose connections and span end with the scope. Only connecting needs the services of a
 * request, so a pull of arrived bytes provides none.
 */
const begin = (
  transport: Conversation,
  download: Download
): Effect.Effect<Pull.Pull<Pieces, RegistryError>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { digest, hash, onProgress, repository } = download
    const { countBytes, endpoint, server } = transport
    const failed = failedIn(transport)
    const scope = yield* Effect.scope
    const span = yield* Effect.makeSpanScoped("RegistryContent.blob", {
      attributes: { ...server, ...attributesOf({ repository, digest }) }
    })
    const inSpan = Effect.provideService(Tracer.ParentSpan, span)
    const patience = Patience.make(transport.retry)
    const pace = yield* Idle.pace(Idle.leastBytesPerSecond)
    let total = download.size
    let position = download.from
    let connection: Connection | undefined
    // `Effect.addFinalizer` would copy the context of the fiber.
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() => countBytes("received", position - download.from))
    )

    const end = (): number | undefined =>
      download.to === undefined ? total : total === undefined ? download.to : Math.min(download.to, total)

    const rangeHeader = (): string | undefined =>
      position === 0 && download.to === undefined
        ? undefined
        : `bytes=${position}-${download.to === undefined ? "" : download.to - 1}`

    const connect = Effect.gen(function* () {
      const own = yield* Scope.fork(scope)
      const response = yield* open(transport, download, rangeHeader()).pipe(
        Scope.provide(own),
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
        return yield* failed(wrongSize(total, `${extent.total} bytes`))
      }
      total ??= extent.total
      yield* Effect.logDebug(
        `download: ${digest} from byte ${extent.start}${total === undefined ? "" : ` of ${total}`}`
      )
      if (position > download.from) span.attribute("registry.resumed_bytes", position)
      if (total !== undefined) span.attribute("registry.size", total)
      const arrivals = yield* Scope.provide(readAhead(response, download, failed), own)
      const lent = Lent.make(download.heldBytes, isPulledResponse(response) ? response.release : undefined)
      connection = { arrivals, scope: own, lent, skip: position - extent.start }
      return connection
    })

    const disconnect = Effect.suspend(() => {
      const open = connection
      connection = undefined
      return open === undefined ? Effect.void : Scope.close(open.scope, Exit.void)
    })

    /** The wanted ones of the bytes that a connection brings. */
    const wantedOf = (from: Connection, arrived: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
      const wanted = after(arrived, from.skip)
      if (from.skip > 0) from.skip = Math.max(0, from.skip - lengthOf(arrived))
      return download.to === undefined ? wanted : upTo(wanted, download.to - position)
    }

    const take = (from: Connection, arrived: ReadonlyArray<Uint8Array>): Pull.Pull<Pieces, RegistryError> => {
      const pieces = wantedOf(from, arrived)
      // Bytes that the consumer does not get must not count as those that it holds.
      if (pieces === arrived) from.lent.lend(arrived)
      if (!Arr.isReadonlyArrayNonEmpty(pieces)) return pull
      const before = position
      for (const piece of pieces) {
        position += piece.length
        hash?.update(piece)
      }
      // Otherwise a server that sends a few bytes on each connection would cause endless requests.
      if (pace.rest(position - before)) patience.renew()
      const limit = end()
      if (limit !== undefined && position > limit) return failed(wrongSize(limit, "more"))
      if (onProgress === undefined) return Effect.succeed(pieces)
      const progress = { doneBytes: position, ...(limit === undefined ? {} : { totalBytes: limit }) }
      return Effect.as(inSpan(onProgress(progress)), pieces)
    }

    const verify: Effect.Effect<void, RegistryError> = Effect.suspend(() => {
      if (hash === undefined) return Effect.void
      const mismatch = Mismatch.ofDigest("the blob does not match its digest", digest, hash)
      return mismatch === undefined ? Effect.void : failed(mismatch)
    })

    /** The connection has ended: the blob is complete, or the rest is requested. */
    const atEnd: Pull.Pull<Pieces, RegistryError> = Effect.gen(function* () {
      yield* disconnect
      const limit = end()
      if (limit !== undefined && position < limit) return yield* again(failed(endedEarly(position, limit)))
      yield* verify
      return yield* Cause.done()
    })

    const again = (error: RegistryError): Pull.Pull<Pieces, RegistryError> =>
      Effect.gen(function* () {
        yield* disconnect
        // There are no more bytes. Without a size, only the digest can show whether that is right.
        if (error.response?.status === 416 && position > 0 && end() === undefined) return yield* atEnd
        if (!isPassing(error.reason) && !linkRanOut(error)) return yield* error
        // Nothing is missing, so nothing is requested again.
        if (position > 0 && position === end()) return yield* atEnd
        yield* patience.wait(error)
        yield* inSpan(noteRepeat(endpoint, `download: resumes at byte ${position}`, error))
        return yield* pull
      })

    /**
     * Storage refuses an expired link, and the registry issues new ones. A refusal of the registry itself is final.
     */
    const linkRanOut = ({ request, response }: RegistryError): boolean =>
      request !== undefined &&
      new URL(request.url).origin !== endpoint &&
      [400, 401, 403, 410].includes(response?.status ?? 0)

    const next = (from: Connection): Pull.Pull<Pieces, RegistryError> =>
      Effect.matchEffect(Queue.take(from.arrivals), {
        onFailure: (error) => (Cause.isDone(error) ? atEnd : again(error)),
        onSuccess: (arrived) => take(from, arrived)
      })

    const pull: Pull.Pull<Pieces, RegistryError> = Effect.suspend(() => {
      pace.wait()
      connection?.lent.takeBack()
      if (position > 0 && position === end() && (connection === undefined || download.to !== undefined)) return atEnd
      if (connection !== undefined) return next(connection)
      return Effect.matchEffect(inSpan(connect), { onFailure: again, onSuccess: next })
    })

    // A failure of the consumer, which also ends the span, is no failure of the download.
    const shown: typeof pull = Effect.tapCause(pull, (cause) =>
      Pull.isDoneCause(cause) ? Effect.void : inSpan(showFailure(true)(cause))
    )
    return shown
  })
