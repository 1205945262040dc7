/**
 * Uploads: a state machine, opened → sending(offset) → committing → committed. What follows a fault stands in
 * `recovery.ts`; this is what carries it out.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpBody from "effect/http/HttpBody"
import type { BlobSource } from "../../BlobSource.ts"
import { type Algorithm, algorithm, type Digest } from "../../Digest.ts"
import type { Start } from "../../Hasher.ts"
import { octetStream } from "../../MediaType.ts"
import type { OnProgress } from "../../Progress.ts"
import { ContentMismatch, InvalidResponse, type Reason, RegistryError } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import { mostChunkBytes } from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import { isUploadSession } from "../http/authority.ts"
import { countBytes, noteRepeat } from "../http/telemetry.ts"
import type { Conversation } from "./conversation.ts"
import * as Idle from "./idle.ts"
import * as Outgoing from "./outgoing.ts"
import * as Patience from "./patience.ts"
import { faultOf, recoveryFrom, resumptionAt } from "./recovery.ts"

/** Content up to this size goes out as one piece that is kept; more is streamed if it can be read again. */
const smallBytes = 1024 * 1024

/** Below this size a chunk is not the problem. */
const leastChunkBytes = 64 * 1024

/** A connection that is slower than this counts as stalled. */
const leastBytesPerSecond = 16 * 1024

/** At which rate a registry reads a blob once more when it closes a session. */
const leastHashedBytesPerSecond = 16 * 1024 * 1024

/** How long giving up a session may take. */
const cancelTime = Duration.seconds(5)

/** What is to be uploaded, and how. */
export interface Upload<E, R> {
  readonly repository: RepositoryName
  readonly source: BlobSource<E, R>
  /** What the content must be. */
  readonly expected: Digest | undefined
  /** The digest by which the blob is to be known. */
  readonly algorithm: Algorithm
  /** The repository to take the blob from, if it has it. */
  readonly mount: Distribution.Mount | undefined
  readonly chunkBytes: number
  readonly idleTimeout: Duration.Duration
  readonly onProgress: OnProgress | undefined
}

/** What uploads need of their surroundings. */
export interface Services {
  readonly transport: Conversation
  readonly startHash: Start
}

/** A blob that the registry has. */
export interface Uploaded {
  readonly digest: Digest
  /** In bytes, as far as it is known: of a blob of another repository it is not. */
  readonly size: number | undefined
}

type State =
  | { readonly _tag: "Sending"; readonly offset: number }
  | { readonly _tag: "Committing" }
  | { readonly _tag: "Committed" }

const sending = (offset: number): State => ({ _tag: "Sending", offset })
const committing: State = { _tag: "Committing" }
const committed: State = { _tag: "Committed" }

const positionOf = (state: State): number => (state._tag === "Sending" ? state.offset : Number.POSITIVE_INFINITY)

const isFurther = (state: State, other: State): boolean => positionOf(state) > positionOf(other)

const failed = (reason: Reason) => new RegistryError({ operation: "RegistryContent.uploadBlob", reason })

const mismatch = (expected: Digest, actual: string) =>
  failed(new ContentMismatch({ description: "the content is not what its digest names", expected, actual }))

/** How much later than `base` so many bytes are done at a rate. */
const allowance = (base: Duration.Duration, bytes: number, bytesPerSecond: number): Duration.Duration =>
  Duration.sum(base, Duration.seconds(bytes / bytesPerSecond))

/** How many bytes the registry has, when it has at most `most`. */
const confirmedOf = (lastByte: number | undefined, most: number): number | undefined =>
  lastByte === undefined ? undefined : lastByte === 0 && most !== 1 ? 0 : lastByte + 1

/** Cancels a session. One whose path may be anything else is left to expire: it is not deleted. */
const cancel = (transport: Conversation, repository: RepositoryName, { location }: Distribution.SessionAnswer) =>
  isUploadSession(repository, Redacted.value(location).path)
    ? transport
        .execute(Distribution.cancelUpload(repository, location))
        .pipe(Effect.interruptible, Effect.timeoutOption(cancelTime), Effect.ignore)
    : Effect.logDebug("upload: the session is left to expire, as its path is not that of an upload")

/** The session of an upload: at most one is open, and none is left behind. */
const makeSession = (transport: Conversation, repository: RepositoryName) => {
  let current: Distribution.SessionAnswer | undefined

  const close = Effect.suspend(() => {
    const open = current
    current = undefined
    return open === undefined ? Effect.void : cancel(transport, repository, open)
  })

  const open = (from: Distribution.Mount | undefined): Effect.Effect<boolean, RegistryError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.map(
        restore(transport.execute(Distribution.openUpload(transport.endpoint, repository, from))),
        (answer) => {
          current = Option.getOrUndefined(answer)
          return current !== undefined
        }
      )
    )

  return {
    /** Opens it, unless the blob could be taken from elsewhere. */
    open,
    restart: Effect.andThen(close, open(undefined)),
    close,
    /** The registry has closed it itself. */
    done: () => {
      current = undefined
    },
    /** Runs a request on the session, and keeps what it says of itself. */
    on: <A>(request: (session: Distribution.SessionAnswer) => Effect.Effect<A, RegistryError>) =>
      Effect.suspend(() => (current === undefined ? Effect.die("no session is open") : request(current))),
    moved: (answer: Distribution.SessionAnswer) => {
      current = answer
    }
  }
}

/**
 * Uploads a blob.
 */
export const run = <E, R>(services: Services, upload: Upload<E, R>): Effect.Effect<Uploaded, RegistryError | E, R> =>
  Effect.scoped(
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const session = makeSession(services.transport, upload.repository)
        const exit = yield* Effect.exit(
          restore(
            Effect.gen(function* () {
              const opened = yield* session.open(upload.mount)
              if (!opened && upload.mount !== undefined) return { digest: upload.mount.digest, size: undefined }
              return yield* transfer(services, upload, session)
            })
          )
        )
        if (Exit.isFailure(exit)) yield* session.close
        return yield* exit
      })
    )
  )

/**
 * Takes a blob over from another repository, and tells whether that went. Where it did not, the session that the
 * registry opened instead is closed.
 */
export const mount = (
  transport: Conversation,
  repository: RepositoryName,
  from: Distribution.Mount
): Effect.Effect<boolean, RegistryError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const session = makeSession(transport, repository)
      const opened = yield* restore(session.open(from))
      yield* session.close
      return !opened
    })
  )

const transfer = Effect.fnUntraced(function* <E, R>(
  { startHash, transport }: Services,
  upload: Upload<E, R>,
  session: ReturnType<typeof makeSession>
): Effect.fn.Return<Uploaded, RegistryError | E, R | Scope.Scope> {
  const { expected, idleTimeout, repository, source } = upload
  const content = yield* Outgoing.make({
    source,
    algorithm: expected === undefined ? upload.algorithm : algorithm(expected),
    startHash,
    onProgress: upload.onProgress
  })
  const patience = yield* Patience.make(transport.retry)
  const total = content.sizeBytes()
  let digest: Digest | undefined
  /** The size of chunks; none while the content is streamed in one request. */
  let chunkBytes: number | undefined =
    source.repeatable && total !== undefined && total > smallBytes ? undefined : upload.chunkBytes

  const respectLeastChunk = ({ chunkMinBytes }: Distribution.SessionAnswer) => {
    if (chunkMinBytes > 0 && chunkMinBytes <= mostChunkBytes) {
      chunkBytes = Math.max(chunkMinBytes, chunkBytes ?? upload.chunkBytes)
    }
  }

  const send = (options: Parameters<typeof Distribution.sendBytes>[2]) =>
    session.on(({ location }) => transport.execute(Distribution.sendBytes(repository, location, options)))

  /** How many bytes the registry has, as far as it is known. */
  let taken = 0
  const take = (bytes: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const more = Math.max(0, bytes - taken)
      taken = bytes
      return countBytes("sent", more)
    })

  /** How far an accepted request has brought the upload. */
  const advanced = (answer: Distribution.SessionAnswer, from: number, to: number) =>
    Effect.suspend(() => {
      session.moved(answer)
      const reached = confirmedOf(answer.lastByte, to) ?? to
      return reached > from && reached <= to
        ? take(reached).pipe(
            Effect.andThen(
              Effect.logDebug(`upload: the registry has ${reached}${total === undefined ? "" : ` of ${total}`} bytes`)
            ),
            Effect.as(reached)
          )
        : failed(
            new InvalidResponse({
              description: `the registry took bytes ${from} to ${to} and says that it has ${reached}`
            })
          )
    })

  /** All the rest in one request. */
  const stream = (offset: number, size: number) =>
    Effect.gen(function* () {
      const watch = yield* Idle.watch(idleTimeout)
      // While the source is read the registry keeps nobody waiting.
      const body = Stream.transformPull(content.stream(offset), (pull) =>
        Effect.succeed(
          Effect.suspend(() => {
            watch.rest()
            return Effect.tap(pull, () => Effect.sync(watch.wait))
          })
        )
      ).pipe(Stream.ensuring(Effect.sync(watch.wait)))
      const answer = yield* send({
        body: HttpBody.stream(body, octetStream, size - offset),
        contentRange: undefined,
        stalled: watch.stalled
      })
      const reached = yield* advanced(answer, offset, size)
      return reached === size ? committing : sending(reached)
    })

  /** The next chunk, if there is one. */
  const sendChunk = (offset: number, maxBytes: number) =>
    Effect.gen(function* () {
      const { bytes, last } = yield* content.chunk(offset, maxBytes)
      if (bytes.length === 0) return committing
      const end = offset + bytes.length
      const slow = allowance(idleTimeout, bytes.length, leastBytesPerSecond)
      const answer = yield* send({
        body: HttpBody.uint8Array(bytes, octetStream),
        contentRange: `${offset}-${end - 1}`,
        stalled: Effect.delay(Effect.succeed(Idle.stall(slow)), slow)
      })
      const reached = yield* advanced(answer, offset, end)
      return reached === end && last ? committing : sending(reached)
    })

  const commit = Effect.gen(function* () {
    digest ??= content.digest()
    if (expected !== undefined && digest !== expected) return yield* mismatch(expected, digest)
    const named = digest
    const time = allowance(idleTimeout, content.sentBytes(), leastHashedBytesPerSecond)
    const stalled = Effect.delay(Effect.succeed(Idle.stall(time)), time)
    const stated = yield* session.on(({ location }) =>
      transport.execute(Distribution.commitUpload(repository, location, named, stalled))
    )
    session.done()
    yield* Effect.logDebug(`upload: ${named} is there`)
    if (stated !== undefined && stated !== named && algorithm(stated) === algorithm(named)) {
      return yield* mismatch(named, stated)
    }
    return committed
  })

  const step = (state: State): Effect.Effect<State, RegistryError | typeof Outgoing.sourceFailed> => {
    if (state._tag !== "Sending") return commit
    if (total !== undefined && state.offset === total && state.offset > 0) return Effect.succeed(committing)
    return chunkBytes === undefined && total !== undefined
      ? stream(state.offset, total)
      : sendChunk(state.offset, chunkBytes ?? upload.chunkBytes)
  }

  /** Goes on from where the registry is, or from the beginning. */
  const resume = (error: RegistryError): Effect.Effect<State, RegistryError> =>
    Effect.gen(function* () {
      const status = yield* Effect.result(
        session.on(({ location }) => transport.execute(Distribution.uploadStatus(repository, location)))
      )
      if (Result.isFailure(status) && faultOf(status.failure) !== "Unknown") return yield* status.failure
      const confirmed = Result.isSuccess(status) ? confirmedOf(status.success.lastByte, content.sentBytes()) : undefined
      if (Result.isSuccess(status)) session.moved(status.success)
      switch (resumptionAt(confirmed, { sentBytes: content.sentBytes(), canReadFrom: content.canReadFrom })) {
        case "Continue":
          yield* take(confirmed ?? 0)
          yield* Effect.annotateCurrentSpan("registry.resumed_bytes", confirmed ?? 0)
          yield* Effect.logDebug(`upload: goes on at byte ${confirmed ?? 0}`)
          return sending(confirmed ?? 0)
        case "Restart":
          yield* Effect.logDebug("upload: begins anew")
          yield* take(0)
          yield* session.restart
          return sending(0)
        case "GiveUp":
          return yield* error
      }
    })

  const recover = (state: State, error: RegistryError): Effect.Effect<State, RegistryError> =>
    Effect.gen(function* () {
      const recovery = recoveryFrom(state._tag === "Sending" ? "Sending" : "Committing", faultOf(error))
      if (recovery === "GiveUp") {
        const refused = error.response?.errors.some(({ code }) => code === "DIGEST_INVALID") === true
        return yield* refused && digest !== undefined ? mismatch(digest, "other content, says the registry") : error
      }
      yield* noteRepeat(`upload: ${recovery}`, error)
      switch (recovery) {
        case "Repeat":
          yield* patience.wait(error)
          return state
        case "SmallerPieces": {
          const smaller = chunkBytes === undefined ? upload.chunkBytes : Math.floor(chunkBytes / 2)
          if (smaller < leastChunkBytes) return yield* error
          chunkBytes = smaller
          return state
        }
        case "AskStatus":
          yield* patience.wait(error)
          return yield* resume(error)
        case "LookForBlob": {
          yield* patience.wait(error)
          if (digest === undefined || Option.isNone(yield* find(transport, repository, digest))) {
            return yield* resume(error)
          }
          // Whoever brought it there: this session may still be open.
          yield* session.close
          return committed
        }
      }
    })

  yield* session.on((opened) => Effect.sync(() => respectLeastChunk(opened)))
  let state = sending(0)
  let furthest = state
  while (state._tag !== "Committed") {
    const before = state
    const outcome = yield* Effect.result(step(before))
    if (Result.isSuccess(outcome)) {
      state = outcome.success
      // To come again to where it was before is no progress.
      if (isFurther(state, furthest)) {
        furthest = state
        yield* patience.renew
      }
      continue
    }
    const failure = content.failure()
    if (failure !== undefined) return yield* Effect.failCause(failure)
    state = outcome.failure === Outgoing.sourceFailed ? before : yield* recover(before, outcome.failure)
  }
  session.done()
  return { digest: digest ?? content.digest(), size: content.sizeBytes() }
})

/** The blob in a repository, if it is there, with its size in bytes as far as the registry tells. */
export const find = (
  transport: Conversation,
  repository: RepositoryName,
  digest: Digest
): Effect.Effect<Option.Option<Uploaded>, RegistryError> =>
  transport.execute(Distribution.headBlob("RegistryContent.headBlob", repository, digest)).pipe(
    Effect.map((size) => Option.some({ digest, size })),
    Effect.catchReason("RegistryError", "NotFound", () => Effect.succeedNone)
  )
