/**
 * Uploads: carries out what `uploading.ts` decides, in one session at a time, and leaves no open session.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
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
import { ContentMismatch, InvalidResponse, type Reason, Refused, RegistryError } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import * as Distribution from "../api/distribution.ts"
import { isNotMounted, isOfStorage, orLongWay } from "../api/shortcut.ts"
import { isUploadSession } from "../http/authority.ts"
import { maxRedirects } from "../http/origin.ts"
import { noteRepeat } from "../http/telemetry.ts"
import type { Buffers } from "./buffers.ts"
import type { Conversation } from "./conversation.ts"
import * as Download from "./download.ts"
import * as Idle from "./idle.ts"
import * as Outgoing from "./outgoing.ts"
import * as Patience from "./patience.ts"
import { faultOf } from "./recovery.ts"
import * as Uploading from "./uploading.ts"
import type { BlobOutcome, OnProgress } from "./options.ts"

/** The minimum rate at which a registry reads a blob again when it closes a session. */
const leastHashedBytesPerSecond = 16 * 1024 * 1024

/** How long cancelling a session may take. */
const cancelTime = Duration.seconds(5)

/** What to upload, and how. */
export interface Upload<E, R> {
  readonly repository: RepositoryName
  readonly source: BlobSource<E, R>
  /** The digest that the content must have. */
  readonly expected: Digest | undefined
  /** The algorithm of the blob's digest. */
  readonly algorithm: Algorithm
  /** The repository to mount the blob from, if it has the blob. */
  readonly mount: Distribution.Mount | undefined
  readonly chunkBytes: number
  readonly idleTimeout: Duration.Duration
  readonly onProgress: OnProgress | undefined
}

/** The services that uploads need. */
export interface Services {
  readonly transport: Conversation
  readonly startHash: Start
  readonly buffers: Buffers
  readonly dialect: Dialect
}

/** What uploads have learnt about a registry. */
export interface Dialect {
  /** How many uploads in a row succeeded only once the last chunk was sent separately from the commit. */
  refusals: number
}

/** Two, because a single one may be due to a fault. */
const enoughRefusals = 2

/** An uploaded or existing blob. */
export interface Uploaded {
  readonly digest: Digest
  /** The size in bytes, if it is known: for a blob of another repository it is not. */
  readonly size: number | undefined
  readonly outcome: BlobOutcome
}

const failed = ({ operation }: Conversation, reason: Reason) => new RegistryError({ operation, reason })

const otherContent = (expected: Digest, actual: string) =>
  new ContentMismatch({ description: "the content does not match its digest", expected, actual })

/** Keeps the request and the response, which show that the registry found the mismatch. */
const refused = (error: RegistryError, digest: Digest) =>
  new RegistryError({ ...error, reason: otherContent(digest, "other content, according to the registry") })

/** The duration `base` plus the time of a number of bytes at a rate. */
const allowance = (base: Duration.Duration, bytes: number, bytesPerSecond: number): Duration.Duration =>
  Duration.sum(base, Duration.seconds(bytes / bytesPerSecond))

/** Cancels a session. If the path may not be that of a session, it is not deleted, and the session expires. */
const cancel = (transport: Conversation, repository: RepositoryName, { location }: Distribution.SessionAnswer) =>
  isUploadSession(repository, Redacted.value(location).path)
    ? transport
        .execute(Distribution.cancelUpload(repository, location))
        .pipe(Effect.interruptible, Effect.timeoutOption(cancelTime), Effect.ignore)
    : Effect.logDebug("upload: the session is left to expire, as its path is not that of an upload")

/** The session of an upload: at most one is open, and none remains. */
const makeSession = (transport: Conversation, repository: RepositoryName) => {
  let current: Distribution.SessionAnswer | undefined

  const close = Effect.suspend(() => {
    const open = current
    current = undefined
    return open === undefined ? Effect.void : cancel(transport, repository, open)
  })

  /** Waits for the answer to a request that was sent before an interruption, to close the session that it opens. */
  const settle = (opening: Fiber.Fiber<Distribution.OpenAnswer, RegistryError>) =>
    Effect.gen(function* () {
      const exit = yield* Effect.timeoutOption(Effect.interruptible(Fiber.await(opening)), cancelTime)
      if (Option.isNone(exit)) return yield* Fiber.interrupt(opening)
      if (Exit.isSuccess(exit.value) && exit.value.value._tag === "Session") current = exit.value.value.session
    })

  /** Opens the session, or mounts the blob, which leaves no session. */
  const open = (
    mount: Distribution.Mount | undefined,
    at?: Distribution.SecretLocation,
    hops = 0
  ): Effect.Effect<Distribution.SessionAnswer | undefined, RegistryError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const { endpoint } = transport
        const operation = Distribution.openUpload(repository, { endpoint, at, mount })
        const opening = yield* Effect.forkChild(transport.execute({ ...operation, resends: hops }))
        const answer = yield* Effect.onInterrupt(restore(Fiber.join(opening)), () => settle(opening))
        if (answer._tag === "Elsewhere") {
          return hops < maxRedirects
            ? yield* restore(open(mount, answer.location, hops + 1))
            : yield* failed(transport, new Refused({ description: "the registry redirects too many times" }))
        }
        current = answer._tag === "Session" ? answer.session : undefined
        return current
      })
    )

  return {
    open,
    close,
    /** The registry has closed the session itself. */
    done: () => {
      current = undefined
    },
    /** Runs a request on the session, and stores the new state of the session. */
    on: <A>(request: (location: Distribution.SecretLocation) => Effect.Effect<A, RegistryError>) =>
      Effect.suspend(() => (current === undefined ? Effect.die("no session is open") : request(current.location))),
    moved: (answer: Distribution.SessionAnswer) => {
      current = answer
    }
  }
}

type Session = ReturnType<typeof makeSession>

const notMounted = ({ digest, from }: Distribution.Mount, why: string) =>
  Effect.logDebug(`upload: ${digest} is not mounted from ${from}: ${why}`)

/** Mounts a blob, which leaves no session, or opens a session for its content if the registry does not mount it. */
const openOrMount = (session: Session, from: Distribution.Mount) =>
  session.open(from).pipe(
    Effect.tap((opened) => (opened === undefined ? Effect.void : notMounted(from, "the registry opened an upload"))),
    Effect.catchIf(isNotMounted, (error) => Effect.andThen(notMounted(from, error.message), session.open(undefined)))
  )

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
              const opened = yield* upload.mount === undefined
                ? session.open(undefined)
                : openOrMount(session, upload.mount)
              if (opened !== undefined) return yield* transfer(services, upload, session, opened)
              return upload.mount === undefined
                ? yield* Effect.die("a session is opened where nothing is mounted")
                : { digest: upload.mount.digest, size: undefined, outcome: "mounted" as const }
            })
          )
        )
        if (Exit.isFailure(exit)) yield* session.close
        return yield* exit
      })
    )
  )

/**
 * Mounts a blob from another repository, and returns whether that succeeded. If not, it closes the session that the
 * registry opened instead.
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
      return opened === undefined
    })
  )

/** The requests of an upload: the event that follows each sending command. */
const makeRequests = <E, R>(
  { dialect, transport }: Services,
  { expected, idleTimeout, repository }: Pick<Upload<E, unknown>, "expected" | "idleTimeout" | "repository">,
  session: Session,
  content: Outgoing.Outgoing<E, R>
) => {
  type Sent = Effect.Effect<Uploading.Event, RegistryError | typeof Outgoing.sourceFailed, R>

  /** How long the registry may take to close the session: it may read the blob again. */
  const closing = (bytes: number) => allowance(idleTimeout, bytes, leastHashedBytesPerSecond)

  const send = Effect.fnUntraced(function* (
    { from, isLast, to }: { readonly from: number; readonly to: number; readonly isLast: boolean },
    bytes: Distribution.SentBytes
  ) {
    const answer = yield* session.on((location) =>
      transport.execute(Distribution.sendBytes(repository, location, bytes))
    )
    session.moved(answer)
    return { _tag: "Accepted", from, to, isLast, lastByte: answer.lastByte } as const
  })

  /** Closes the session with the last bytes, or with none: then the registry has all bytes up to an offset. */
  const close = Effect.fnUntraced(function* (digest: Digest, to: number, bytes: Distribution.SentBytes) {
    const answer = yield* session.on((location) =>
      transport.execute(Distribution.commitUpload(repository, location, digest, bytes))
    )
    if (Distribution.isDoubtful(answer, digest) && Option.isNone(yield* find(transport, repository, digest))) {
      const description = "the registry accepted the blob, but does not have it"
      return yield* failed(transport, new InvalidResponse({ description }))
    }
    session.done()
    yield* Effect.logDebug(`upload: ${digest} is complete`)
    const actual = Distribution.otherThan(digest, answer.digest)
    if (actual !== undefined) {
      const reason = new ContentMismatch({
        description: "the registry accepted another blob",
        expected: digest,
        actual
      })
      // With the response: the registry is at fault, and not the source.
      const response = { status: answer.status, errors: [] }
      return yield* new RegistryError({ operation: transport.operation, reason, response })
    }
    return { _tag: "Committed", to } as const
  })

  /** The digest of all read content, which must be the expected one. */
  const digestRead = Effect.suspend(() => {
    const digest = content.digest()
    return expected === undefined || digest === expected
      ? Effect.succeed(digest)
      : failed(transport, otherContent(expected, digest))
  })

  /** Sends the rest in one request. */
  const stream = Effect.fnUntraced(function* (offset: number, size: number) {
    const watch = yield* Idle.watch(idleTimeout)
    let isUnderWay = false
    // Neither the time of reading the source nor that of waiting for a permit counts as the registry's.
    const body = Stream.transformPull(content.stream(offset), (pull) =>
      Effect.succeed(
        Effect.suspend(() => {
          isUnderWay = true
          watch.rest()
          return Effect.tap(pull, () => Effect.sync(watch.wait))
        })
      )
    ).pipe(Stream.ensuring(Effect.sync(watch.wait)))
    const stalled = Effect.suspend(() => {
      if (!isUnderWay) watch.wait()
      return watch.stalled
    })
    const sent = { body: HttpBody.stream(body, octetStream, size), stalled }
    return yield* send({ from: offset, to: offset + size, isLast: true }, sent)
  })

  /** Sends the next chunk, if there is one. The last one closes the session if it `commits`. */
  const chunk = Effect.fnUntraced(function* (offset: number, maxBytes: number, commits: boolean, onCommit: () => void) {
    const { bytes, last } = yield* content.chunk(offset, maxBytes)
    if (bytes.length === 0) return { _tag: "Ended" } as const
    const end = offset + bytes.length
    const isCommit = commits && last
    const idle = isCommit ? closing(end) : idleTimeout
    const slow = allowance(idle, bytes.length, Idle.leastBytesPerSecond)
    // The registry's turn begins when the HTTP client takes the first part. If the client does not report that, only the
    // limit of the whole chunk applies.
    const watch = yield* Idle.watch(idle, { total: slow })
    watch.rest()
    const sent: Distribution.SentBytes = {
      body: HttpBody.uint8Array(bytes, octetStream),
      // A blob in one request is not a chunk.
      ...(isCommit && offset === 0 ? {} : { contentRange: `${offset}-${end - 1}` }),
      onSent: (heldBytes) => {
        content.taken(heldBytes)
        watch.wait()
      },
      stalled: watch.stalled
    }
    if (!isCommit) return yield* send({ from: offset, to: end, isLast: last }, sent)
    const digest = yield* digestRead
    onCommit()
    const committed = yield* close(digest, end, sent)
    dialect.refusals = 0
    return committed
  })

  const commit = Effect.gen(function* () {
    const digest = yield* digestRead
    const to = content.sentBytes()
    const time = closing(to)
    return yield* close(digest, to, {
      body: HttpBody.uint8Array(new Uint8Array(), octetStream),
      stalled: Effect.delay(
        Effect.sync(() => Idle.stall(time)),
        time
      )
    })
  })

  const askStatus = session
    .on((location) => transport.execute(Distribution.uploadStatus(repository, location)))
    .pipe(
      Effect.map((answer): Uploading.Event => {
        session.moved(answer)
        return { _tag: "SessionFound", lastByte: answer.lastByte }
      }),
      (status) => orLongWay(status, Effect.succeed<Uploading.Event>({ _tag: "SessionLost" }))
    )

  const lookForBlob = Effect.suspend(() =>
    Effect.map(find(transport, repository, content.digest()), (blob): Uploading.Event => ({
      _tag: Option.isSome(blob) ? "BlobFound" : "BlobMissing"
    }))
  )

  const reopen = Effect.andThen(
    session.close,
    Effect.map(session.open(undefined), (answer): Uploading.Event => ({
      _tag: "Opened",
      chunkMinBytes: answer?.chunkMinBytes ?? 0
    }))
  )

  /** A failure here is a fault from which the upload may recover; a failure of the recovery's own requests is final. */
  const recoverable = (request: Sent, isCommit: () => boolean): Sent =>
    Effect.catchIf(
      request,
      (error): error is RegistryError => error !== Outgoing.sourceFailed,
      (error) => Effect.succeed<Uploading.Event>({ _tag: "Failed", error, commits: isCommit() })
    )

  return (command: Exclude<Uploading.Command, { _tag: "Finish" | "Fail" }>): Sent => {
    switch (command._tag) {
      case "Stream":
        return recoverable(stream(command.offset, command.size), () => false)
      case "Chunk": {
        let isCommit = false
        const sent = chunk(command.offset, command.maxBytes, command.commits, () => {
          isCommit = true
        })
        return recoverable(sent, () => isCommit)
      }
      case "Commit":
        return recoverable(commit, () => true)
      case "AskStatus":
        return askStatus
      case "LookForBlob":
        return lookForBlob
      case "Reopen":
        return reopen
    }
  }
}

/** Logs the progress of an upload, and where it resumes. */
const report = (event: Uploading.Event, { command, state }: Uploading.Step, totalBytes: number | undefined) => {
  const bytes = state.confirmedBytes
  switch (event._tag) {
    case "Accepted":
      return Effect.logDebug(
        `upload: the registry has ${bytes}${totalBytes === undefined ? "" : ` of ${totalBytes}`} bytes`
      )
    case "SessionFound":
    case "SessionLost":
      return command._tag === "Reopen"
        ? Effect.logDebug("upload: starts again")
        : Effect.andThen(
            Effect.annotateCurrentSpan("registry.resumed_bytes", bytes),
            Effect.logDebug(`upload: resumes at byte ${bytes}`)
          )
    default:
      return Effect.void
  }
}

/** Carries out what `Uploading.next` decides, until the blob exists. */
const transfer = Effect.fnUntraced(function* <E, R>(
  services: Services,
  upload: Upload<E, R>,
  session: Session,
  opened: Distribution.SessionAnswer
): Effect.fn.Return<Uploaded, RegistryError | E, R | Scope.Scope> {
  const { expected, source } = upload
  const content = yield* Outgoing.make({
    operation: services.transport.operation,
    source,
    algorithm: expected === undefined ? upload.algorithm : algorithm(expected),
    startHash: services.startHash,
    buffers: services.buffers,
    onProgress: upload.onProgress
  })
  const { countBytes, endpoint, retry } = services.transport
  const patience = Patience.make(retry)
  const request = makeRequests(services, upload, session, content)
  const plan: Uploading.Plan = {
    totalBytes: content.sizeBytes(),
    chunkBytes: upload.chunkBytes,
    repeatable: source.repeatable,
    commitsLastChunk: services.dialect.refusals < enoughRefusals
  }

  let furthest = Uploading.begin(plan)
  const follow = (state: Uploading.State, event: Uploading.Event) =>
    Uploading.next(plan, state, { sentBytes: content.sentBytes(), canReadFrom: content.canReadFrom }, event)

  let step = follow(furthest, { _tag: "Opened", chunkMinBytes: opened.chunkMinBytes })
  while (step.command._tag !== "Finish") {
    if (step.command._tag === "Fail") {
      const { error } = step.command
      return yield* faultOf(error) === "OtherContent" ? refused(error, content.digest()) : error
    }
    if (step.recovery !== undefined) {
      const { by, from } = step.recovery
      if (by !== "SmallerPieces") yield* patience.wait(from)
      yield* noteRepeat(endpoint, `upload: ${by}`, from)
    }
    const outcome = yield* Effect.result(request(step.command))
    const failure = content.failure()
    if (failure !== undefined) return yield* Effect.failCause(failure)
    if (Result.isFailure(outcome)) {
      if (outcome.failure === Outgoing.sourceFailed) return yield* Effect.die("a source fails with a cause")
      return yield* outcome.failure
    }
    const { confirmedBytes } = step.state
    step = follow(step.state, outcome.success)
    yield* report(outcome.success, step, plan.totalBytes)
    yield* countBytes("sent", Math.max(0, step.state.confirmedBytes - confirmedBytes))
    // Reaching an earlier offset again is not progress.
    if (Uploading.isFurther(step.state, furthest)) {
      furthest = step.state
      patience.renew()
    }
  }
  if (plan.commitsLastChunk && step.state.lastChunk === "Refused") services.dialect.refusals += 1
  if (step.command.isOpen) yield* session.close
  session.done()
  content.free()
  return { digest: content.digest(), size: content.sizeBytes(), outcome: "sent" }
})

/** The blob in a repository, if it exists, with its size in bytes if the registry states it. */
export const find = (
  transport: Conversation,
  repository: RepositoryName,
  digest: Digest
): Effect.Effect<Option.Option<Uploaded>, RegistryError> =>
  transport.execute(Distribution.findBlob(repository, digest)).pipe(
    // Storage that signs its links only for GET needs a GET. If it does not know the blob, it may refuse as well.
    Effect.catchIf(isOfStorage(transport.endpoint), () =>
      Effect.map(Download.statedSize(transport, { repository, digest }), (size) => Option.some({ size }))
    ),
    (found) => orLongWay(found, Effect.succeedNone),
    Effect.map((found) => Option.map(found, ({ size }): Uploaded => ({ digest, size, outcome: "present" })))
  )
