/**
 * Faults in downloads and uploads.
 */
import type { Fault } from "./fault.ts"

const folder = "packages/client/src/internal/transfer"

const downloads: ReadonlyArray<Fault> = [
  {
    wrong: "a download is not verified by its digest",
    file: `${folder}/download.ts`,
    find: "      return mismatch === undefined ? Effect.void : failed(mismatch)\n",
    replace: "      return mismatch === undefined ? Effect.void : Effect.void\n"
  },
  {
    wrong: "Content-Range is not checked",
    file: `${folder}/download.ts`,
    find: "if (extent === undefined || extent.start > position || (extent.start !== 0 && extent.start !== position)) {",
    replace: "if (extent === undefined) {"
  },
  {
    wrong: "a resumed download is not verified",
    file: `${folder}/download.ts`,
    find: "if (hash === undefined) return Effect.void",
    replace: "if (hash === undefined || download.from > 0) return Effect.void"
  },
  {
    wrong: "the registry's own 403 counts as an expired link",
    file: `${folder}/download.ts`,
    find: "      new URL(request.url).origin !== endpoint &&\n",
    replace: ""
  },
  {
    wrong: "an expired link is not renewed",
    file: `${folder}/download.ts`,
    find: "[400, 401, 403, 410].includes(response?.status ?? 0)",
    replace: "response?.status === 410"
  },
  {
    wrong: "a download that stalls hangs",
    file: `${folder}/download.ts`,
    find: "  yield* watch.stalled.pipe(\n",
    replace: "  yield* Effect.andThen(Effect.never, watch.stalled).pipe(\n"
  },
  {
    wrong: "a download reads ahead without limit, however slow its consumer is",
    file: `${folder}/download.ts`,
    find: "yield* Queue.bounded<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>(1)",
    replace: "yield* Queue.unbounded<ReadonlyArray<Uint8Array>, RegistryError | Cause.Done>()"
  },
  {
    wrong: "a download keeps its broken connections until it ends",
    file: `${folder}/download.ts`,
    find: "        yield* disconnect\n        // There are no more bytes.",
    replace: "        connection = undefined\n        // There are no more bytes."
  },
  {
    wrong: "an answer that ends too early is not resumed",
    file: `${folder}/download.ts`,
    find: "return yield* again(failed(endedEarly(position, limit)))",
    replace: "return yield* failed(endedEarly(position, limit))"
  },
  {
    wrong: "a download that was cut requests all its bytes again",
    file: `${folder}/download.ts`,
    find: ": `bytes=${position}-${",
    replace: ": `bytes=${download.from}-${"
  },
  {
    wrong: "a download gives up after as many faults as the policy allows, however far it came in between",
    file: `${folder}/download.ts`,
    find: "if (pace.rest(position - before)) patience.renew()",
    replace: ""
  },
  {
    wrong: "a registry that sends a byte on each connection is asked without end",
    file: `${folder}/download.ts`,
    find: "if (pace.rest(position - before)) patience.renew()",
    replace: "patience.renew()"
  },
  {
    wrong: "a download accepts more bytes than the blob has",
    file: `${folder}/download.ts`,
    find: 'if (limit !== undefined && position > limit) return failed(wrongSize(limit, "more"))',
    replace: ""
  },
  {
    wrong: "a server that ignores ranges has its first bytes taken for the ones requested",
    file: `${folder}/download.ts`,
    find: "const wanted = after(arrived, from.skip)",
    replace: "const wanted = arrived"
  },
  {
    wrong: "redirects are followed without end",
    file: `${folder}/download.ts`,
    find: "return hops < maxRedirects",
    replace: "return hops >= 0"
  },
  {
    wrong: "a connection that drips bytes does not count as stalled",
    file: `${folder}/download.ts`,
    find: "Idle.watch(idleTimeout, { bytesPerSecond: Idle.leastBytesPerSecond })",
    replace: "Idle.watch(idleTimeout)"
  },
  {
    wrong: "bytes that came fast at first excuse a drip later",
    file: `${folder}/idle.ts`,
    find: "          moved = 0\n          waited = -waiting\n",
    replace: "          waited = -waiting\n"
  },
  {
    wrong: "the time of a slow consumer counts as a stall of the registry",
    file: `${folder}/idle.ts`,
    find: "waited += clock.currentTimeMillisUnsafe() - since\n        since = undefined\n      },\n      stalled",
    replace: "waited += clock.currentTimeMillisUnsafe() - since\n      },\n      stalled"
  },
  {
    wrong: "a transfer waits as long as the registry asks, beyond the limit of the policy",
    file: `${folder}/patience.ts`,
    find: "if (askedWait(error) > Duration.toMillis(Duration.fromInputUnsafe(policy.maxRetryAfter))) {",
    replace: "if (askedWait(error) === Number.POSITIVE_INFINITY) {"
  }
]

const files: ReadonlyArray<Fault> = [
  {
    wrong: "a downloaded file is renamed before its bytes are on the disk",
    file: `${folder}/file.ts`,
    find: "            yield* own.file.sync\n",
    replace: ""
  },
  {
    wrong: "a copy of a downloaded file is renamed before its bytes are on the disk",
    file: `${folder}/file.ts`,
    find: "        yield* second.file.sync\n",
    replace: ""
  },
  {
    wrong: "the partial file of another user is resumed",
    file: `${folder}/file.ts`,
    find: "  info.uid.value === Option.getOrUndefined(own.info.uid) &&\n",
    replace: ""
  },
  {
    wrong: "a link in place of a partial file is followed",
    file: `${folder}/file.ts`,
    find: '{ flag: "r+", noFollow: true }',
    replace: '{ flag: "r+" }'
  },
  {
    wrong: "a download writes over a file that is already there",
    file: `${folder}/file.ts`,
    find: '{ flag: "wx+" }',
    replace: '{ flag: "w+" }'
  },
  {
    wrong: "a failed download leaves its partial file behind",
    file: `${folder}/file.ts`,
    find: "Exit.isFailure(exit) && (own.path !== shared || isMismatch(exit)) ?",
    replace: "isMismatch(exit) ?"
  },
  {
    wrong: "a partial file with wrong bytes is kept, so that every later download fails as well",
    file: `${folder}/file.ts`,
    find: "(own.path !== shared || isMismatch(exit)) ?",
    replace: "own.path !== shared ?"
  },
  {
    wrong: "downloads to one target do not take the lock, and fail each other",
    file: `${folder}/file.ts`,
    find: "if (yield* placing.withPermit(rename(files, own, path))) return",
    replace: "if (yield* rename(files, own, path)) return"
  },
  {
    wrong: "what arrived before a fault is not written, and has to be downloaded again",
    file: `${folder}/file.ts`,
    find: "      Effect.ensuring(Effect.ignore(flush)),\n",
    replace: ""
  },
  {
    wrong: "a partial file that is larger than the blob is resumed",
    file: `${folder}/file.ts`,
    find: "if (left === undefined || left.size > (size ?? left.size)) return 0",
    replace: "if (left === undefined) return 0"
  },
  {
    wrong: "the partial file of an earlier download is left beside the finished one",
    file: `${folder}/file.ts`,
    find: "      yield* Effect.ignore(Effect.andThen(files.lstat(shared), files.remove(shared, { force: true })))\n",
    replace: ""
  },
  {
    wrong: "a download reports success although another file has its name",
    file: `${folder}/file.ts`,
    find: "    return yield* isAt(files, own, path)\n",
    replace: "    return true\n"
  },
  {
    wrong: "the copy of a downloaded file is not verified",
    file: `${folder}/file.ts`,
    find: "        if (mismatch !== undefined) {\n",
    replace: "        if (mismatch !== undefined && size < 0) {\n"
  }
]

const uploads: ReadonlyArray<Fault> = [
  {
    wrong: "a lost response to a commit is not queried",
    file: `${folder}/recovery.ts`,
    find: 'Committing: {\n    TurnedAway: "Repeat",\n    Lost: "LookForBlob"',
    replace: 'Committing: {\n    TurnedAway: "Repeat",\n    Lost: "GiveUp"'
  },
  {
    wrong: "bytes that the registry may already have are sent again",
    file: `${folder}/recovery.ts`,
    find: 'Lost: "AskStatus"',
    replace: 'Lost: "Repeat"'
  },
  {
    wrong: "an upload resumes where the registry says, beyond all that was ever sent",
    file: `${folder}/recovery.ts`,
    find: "&& confirmedBytes > 0 && confirmedBytes <= content.sentBytes",
    replace: "&& confirmedBytes > 0"
  },
  {
    wrong: "a chunk that is too large for the registry is not made smaller",
    file: `${folder}/recovery.ts`,
    find: 'Unknown: "AskStatus",\n    TooLarge: "SmallerPieces"',
    replace: 'Unknown: "AskStatus",\n    TooLarge: "GiveUp"'
  },
  {
    wrong: "a download retries a registry that has never answered",
    file: `${folder}/recovery.ts`,
    find: "reason.isRetryable && reason.firstContact !== true",
    replace: "reason.isRetryable"
  },
  {
    wrong: "a session that has nothing counts as having a byte",
    file: `${folder}/uploading.ts`,
    find: "lastByte === undefined ? undefined : lastByte === 0 && most !== 1 ? 0 : lastByte + 1",
    replace: "lastByte === undefined ? undefined : lastByte + 1"
  },
  {
    wrong: "a registry that takes a byte of each request is sent all the rest each time",
    file: `${folder}/uploading.ts`,
    find: "(isMuch || state.parts < mostParts)",
    replace: "(isMuch || state.parts < Number.MAX_SAFE_INTEGER)"
  },
  {
    wrong: "an upload commits although the registry took only a part of the last chunk",
    file: `${folder}/uploading.ts`,
    find: "return reached === to && isLast ? commit(further)",
    replace: "return isLast ? commit(further)"
  },
  {
    wrong: "chunks are smaller than the registry's least size",
    file: `${folder}/uploading.ts`,
    find: "Math.max(chunkMinBytes, state.chunkBytes ?? plan.chunkBytes)",
    replace: "(state.chunkBytes ?? plan.chunkBytes)"
  },
  {
    wrong: "the registry decides how much memory a chunk takes",
    file: `${folder}/uploading.ts`,
    find: "chunkMinBytes > 0 && chunkMinBytes <= mostChunkBytes",
    replace: "chunkMinBytes > 0"
  },
  {
    wrong: "a chunk that is too large is sent again as it is, without end",
    file: `${folder}/uploading.ts`,
    find: "Math.floor(state.chunkBytes / 2)",
    replace: "state.chunkBytes"
  },
  {
    wrong: "an upload that never gets further is retried without end",
    file: `${folder}/upload.ts`,
    find: "if (Uploading.isFurther(step.state, furthest)) {",
    replace: "if (step.state !== furthest) {"
  },
  {
    wrong: "a source that ends too early is uploaded as if it were whole",
    file: `${folder}/outgoing.ts`,
    find: "if (stated !== undefined && position !== stated) {",
    replace: "if (stated !== undefined && position > stated) {"
  },
  {
    wrong: "bytes that are read again are hashed again, so that the digest is wrong",
    file: `${folder}/outgoing.ts`,
    find: "const fresh = position + piece.length - hashed",
    replace: "const fresh = piece.length"
  },
  {
    wrong: "a source that is opened again stays open until the upload ends",
    file: `${folder}/outgoing.ts`,
    find: "    if (reader !== undefined) yield* Scope.close(reader.scope, Exit.void)\n",
    replace: ""
  },
  {
    wrong: "a session is left open when an upload fails or is interrupted",
    file: `${folder}/upload.ts`,
    find: "        if (Exit.isFailure(exit)) yield* session.close\n",
    replace: ""
  },
  {
    wrong: "a session is left open where a blob cannot be mounted",
    file: `${folder}/upload.ts`,
    find: "      yield* session.close\n      return opened === undefined",
    replace: "      return opened === undefined"
  },
  {
    wrong: "a session is left open when the response to a commit was lost",
    file: `${folder}/upload.ts`,
    find: "  if (step.command.isOpen) yield* session.close\n",
    replace: ""
  },
  {
    wrong: "the client deletes whatever the registry names as its upload session",
    file: `${folder}/upload.ts`,
    find: "isUploadSession(repository, Redacted.value(location).path)\n",
    replace: "location !== undefined\n"
  },
  {
    wrong: "to close a session may take forever",
    file: `${folder}/upload.ts`,
    find: "Effect.timeoutOption(cancelTime), ",
    replace: ""
  },
  {
    wrong: "an upload commits without a look at the digest that the caller expects",
    file: `${folder}/upload.ts`,
    find: "return expected === undefined || digest === expected\n",
    replace: "return expected === undefined || digest !== undefined\n"
  },
  {
    wrong: "a registry that stored other content goes unnoticed",
    file: `${folder}/upload.ts`,
    find: "const actual = Distribution.otherThan(digest, answer.digest)",
    replace: "const actual = Distribution.otherThan(digest, undefined)"
  },
  {
    wrong: "the source is blamed for other content that a registry stored",
    file: `${folder}/upload.ts`,
    find: "reason, response })",
    replace: "reason })"
  },
  {
    wrong: "an upload continues after the registry has stored other content",
    file: `${folder}/recovery.ts`,
    find: '      if (reason._tag === "ContentMismatch") return "Final"\n',
    replace: ""
  },
  {
    wrong: "a streamed upload that stalls hangs",
    file: `${folder}/upload.ts`,
    find: "body: HttpBody.stream(body, octetStream, size), stalled }",
    replace: "body: HttpBody.stream(body, octetStream, size), stalled: Effect.andThen(stalled, Effect.never) }"
  },
  {
    wrong: "a registry that does not take the last chunk with the commit is sent it so again and again",
    file: `${folder}/uploading.ts`,
    find: '? "Refused" : "Apart" }',
    replace: '? "WithCommit" : "Apart" }'
  },
  {
    wrong: "each upload finds out anew that a registry does not take the last chunk with the commit",
    file: `${folder}/upload.ts`,
    find: "services.dialect.refusals += 1",
    replace: "services.dialect.refusals += 0"
  },
  {
    wrong: "an upload is given up where the registry drops the bytes that come with the commit",
    file: `${folder}/uploading.ts`,
    find: "      if (isLast) return { ...reopen(state), recovery }\n",
    replace: ""
  },
  {
    wrong: "a chunk that the HTTP client never takes hangs",
    file: `${folder}/upload.ts`,
    find: "Idle.watch(idle, { total: slow })",
    replace: "Idle.watch(idle)"
  },
  {
    wrong: "a commit without a response hangs",
    file: `${folder}/upload.ts`,
    find: "Effect.sync(() => Idle.stall(time)),\n        time\n",
    replace: "Effect.sync(() => Idle.stall(time)),\n        Duration.infinity\n"
  },
  {
    wrong: "Content-Range names one byte too many",
    file: `${folder}/upload.ts`,
    find: "contentRange: `${offset}-${end - 1}`",
    replace: "contentRange: `${offset}-${end}`"
  },
  {
    wrong: "an upload goes on at the location that the last response replaced",
    file: `${folder}/upload.ts`,
    find: '    session.moved(answer)\n    return { _tag: "Accepted"',
    replace: '    return { _tag: "Accepted"'
  },
  {
    wrong: "a slow source counts as a stall of the registry",
    file: `${folder}/upload.ts`,
    find: "          watch.rest()\n",
    replace: ""
  }
]

const source = "packages/client/src"

const mounts: ReadonlyArray<Fault> = [
  {
    wrong: "an upload fails where the registry answers every mount with 500",
    file: `${source}/internal/api/shortcut.ts`,
    find: 'reason._tag === "Unavailable" ? response !== undefined : ',
    replace: ""
  },
  {
    wrong: "an upload begins where the connection was lost at the mount",
    file: `${source}/internal/api/shortcut.ts`,
    find: '"Unavailable" ? response !== undefined : ',
    replace: '"Unavailable" ? response === response : '
  },
  {
    wrong: "an upload begins where the registry throttles the mount",
    file: `${source}/internal/api/shortcut.ts`,
    find: '!isOutage(reason) && reason._tag !== "ContentMismatch"',
    replace: 'reason._tag !== "ContentMismatch"'
  },
  {
    wrong: "content is sent to a registry that says it mounted other content",
    file: `${source}/internal/api/shortcut.ts`,
    find: ' && reason._tag !== "ContentMismatch"',
    replace: ""
  },
  {
    wrong: "a mount of other content counts as one of the blob",
    file: `${source}/internal/api/distribution.ts`,
    find: 'if (actual === undefined) return Effect.succeed({ _tag: "Mounted" })',
    replace: 'if (actual === undefined || actual !== undefined) return Effect.succeed({ _tag: "Mounted" })'
  },
  {
    wrong: "a mount whose answer names a digest of another algorithm fails",
    file: `${source}/internal/api/distribution.ts`,
    find: "stated !== digest && Digest.algorithm(stated) === Digest.algorithm(digest)",
    replace: "stated !== digest"
  },
  {
    wrong: "the session that a registry opens instead of a mount stays open, and another one receives the content",
    file: `${folder}/upload.ts`,
    find: "    Effect.catchIf(isNotMounted, ",
    replace:
      "    Effect.flatMap((opened) => opened === undefined ? Effect.undefined : session.open(undefined)),\n    Effect.catchIf(isNotMounted, "
  },
  {
    wrong: "nothing says why a blob was not mounted",
    file: `${folder}/upload.ts`,
    find: "Effect.andThen(notMounted(from, error.message), session.open(undefined))",
    replace: "session.open(undefined)"
  },
  {
    wrong: "a mounted blob is reported as sent",
    file: `${folder}/upload.ts`,
    find: 'outcome: "mounted" as const',
    replace: 'outcome: "sent" as const'
  },
  {
    wrong: "putBlob opens a session although its source has another size than the blob",
    file: `${source}/internal/content/blobs.ts`,
    find: "if (stated === undefined || stated === size) return",
    replace: "if (stated === undefined || stated !== undefined) return"
  },
  {
    wrong: "putBlob takes any size of a source that does not state its own",
    file: `${source}/internal/content/blobs.ts`,
    find: "return { ...source, sizeBytes: Effect.succeed(size) }",
    replace: "return source"
  },
  {
    wrong: "putBlob asks the source of a blob that is there for its size",
    file: `${source}/internal/content/blobs.ts`,
    find: "(size ?? (yield* source.sizeBytes))",
    replace: "yield* source.sizeBytes"
  },
  {
    wrong: "a blob of another size counts as the one that is put",
    file: `${source}/internal/content/blobs.ts`,
    find: "if (wanted === undefined || wanted === found.value.size) return found.value",
    replace: "return found.value"
  },
  {
    wrong: "content that its source verifies is hashed twice",
    file: `${source}/internal/content/blobs.ts`,
    find: "expected === undefined ? sized : { ...sized, ...sized.unverified }",
    replace: "sized"
  }
]

export const transfers = [...downloads, ...files, ...uploads, ...mounts]
