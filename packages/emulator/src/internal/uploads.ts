/**
 * Upload sessions: OCI distribution specification, "Pushing a blob in chunks", with the state that ACR keeps in the
 * query of its locations.
 */
import { randomBytes } from "node:crypto"
import { isDigest } from "@effect-acr/client/Digest"
import type { Modes } from "../Modes.ts"
import { type Answer, empty, error } from "./answer.ts"
import * as Contents from "./contents.ts"
import { blobOf, holdBlob, openRepository, type Store } from "./store.ts"

interface Session {
  readonly repository: string
  readonly incoming: Contents.Incoming
  readonly startedAt: string
  /** The only valid `_state` of the next request: each answer replaces it. */
  state: string
  /** The running step. A step with a broken connection may still be writing the received bytes. */
  busy: Promise<unknown>
  /** When a client last used it, in milliseconds since 1970. */
  usedMillis: number
  /** The number of steps that are running or waiting. */
  steps: number
}

const uploadUnknown = error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
const uploadInvalid = error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
const digestMismatch = "provided digest did not match uploaded content"

/** The refusal of content with another digest, or of an invalid digest. */
const digestInvalid = (digest: string): Answer =>
  error(400, "DIGEST_INVALID", digestMismatch, isDigest(digest) ? undefined : "digest parsing failed")
const tooLarge = error(413, "SIZE_INVALID", "the request body is larger than this registry takes at once")

/** `0-1238`: no unit and no total (OCI distribution specification, "Pushing a blob in chunks"). */
const contentRange = /^(\d+)-(\d+)$/

const created = (name: string, digest: string): Answer =>
  empty(201, { Location: `/v2/${name}/blobs/${digest}`, "Docker-Content-Digest": digest })

/** The parts of a request that the handlers of uploads need. */
export interface UploadRequest {
  readonly query: URLSearchParams
  readonly contentRange: string | undefined
  readonly contentLength: string | undefined
  readonly body: AsyncIterable<Uint8Array>
  readonly stamp: string
}

/** How long an upload may be idle. No source says when ACR discards one. */
const abandonedMillis = 24 * 60 * 60_000

export const make = (options: {
  readonly store: Store
  readonly now: () => number
  readonly modes: () => Pick<Modes, "maxRequestBodySize" | "chunkMinLength">
}) => {
  const { now, store } = options
  /** Those that are idle the longest come first. */
  const sessions = new Map<string, Session>()

  /** Makes a session the last one to be discarded. */
  const use = (session: Session): void => {
    session.usedMillis = now()
    sessions.delete(session.incoming.id)
    sessions.set(session.incoming.id, session)
  }

  const renew = (session: Session): void => {
    const facts = {
      Name: session.repository,
      UUID: session.incoming.id,
      Offset: session.incoming.size,
      StartedAt: session.startedAt
    }
    session.state = Buffer.concat([randomBytes(32), Buffer.from(JSON.stringify(facts))]).toString("base64url")
  }

  const maxRequestBodyBytes = (): number => options.modes().maxRequestBodySize ?? Number.POSITIVE_INFINITY

  const progress = (status: number, session: Session): Answer => {
    const { chunkMinLength } = options.modes()
    return empty(status, {
      Location: `/v2/${session.repository}/blobs/uploads/${session.incoming.id}?_nouploadcache=false&_state=${session.state}`,
      Range: `0-${Math.max(0, session.incoming.size - 1)}`,
      "Docker-Upload-Uuid": session.incoming.id,
      ...(chunkMinLength === null ? {} : { "OCI-Chunk-Min-Length": String(chunkMinLength) })
    })
  }

  /** Runs a step of a session after the running one. */
  const onSession = (name: string, id: string, then: (session: Session) => Promise<Answer>): Promise<Answer> => {
    const session = sessions.get(id)
    if (session?.repository !== name) return Promise.resolve(uploadUnknown)
    session.steps += 1
    const turn = session.busy.then(() => (sessions.has(id) ? then(session) : uploadUnknown))
    session.busy = turn
      .catch(() => undefined)
      .then(() => {
        session.steps -= 1
        if (sessions.has(id)) use(session)
      })
    return turn
  }

  /** Adds content to the registry if the digest matches. */
  const take = async (
    repository: string,
    incoming: Contents.Incoming,
    digest: string,
    stamp: string
  ): Promise<Answer | undefined> =>
    Contents.matches(incoming, digest)
      ? Contents.take(store, incoming, digest, () => {
          store.commit([...openRepository(store, repository, stamp), ...holdBlob(repository, digest, incoming.size)])
          return created(repository, digest)
        })
      : undefined

  const forget = (session: Session): Promise<void> => {
    sessions.delete(session.incoming.id)
    return Contents.discard(session.incoming)
  }

  /** Runs one step of a session, for the holder of its newest location. */
  const step = (
    name: string,
    id: string,
    request: UploadRequest,
    then: (session: Session) => Promise<Answer>
  ): Promise<Answer> =>
    onSession(name, id, async (session) => {
      if (request.query.get("_state") !== session.state) return uploadInvalid
      if (request.contentRange !== undefined) {
        const range = contentRange.exec(request.contentRange)
        if (range === null) return error(400, "RANGE_INVALID", "the Content-Range header format is invalid")
        const [first, last] = [Number(range[1]), Number(range[2])]
        if (first !== session.incoming.size || last < first) {
          return { ...error(416, "RANGE_INVALID", "invalid content range"), headers: progress(416, session).headers }
        }
        if (request.contentLength !== undefined && Number(request.contentLength) !== last - first + 1) {
          return error(400, "SIZE_INVALID", "provided length did not match content length")
        }
      }
      try {
        const outcome = await Contents.append(session.incoming, request.body, maxRequestBodyBytes())
        return outcome === "too large" ? tooLarge : await then(session)
      } catch (cause) {
        // The received bytes are kept, so the offset in the location is outdated.
        renew(session)
        throw cause
      }
    })

  /** Receives a blob in one request. The client gets no location to continue at. */
  const atOnce = async (name: string, digest: string, request: UploadRequest): Promise<Answer> => {
    const incoming = await Contents.start(store.directory)
    try {
      const outcome = await Contents.append(incoming, request.body, maxRequestBodyBytes())
      if (outcome === "too large") return tooLarge
      return (await take(name, incoming, digest, request.stamp)) ?? digestInvalid(digest)
    } finally {
      await Contents.discard(incoming)
    }
  }

  return {
    start: async (name: string, request: UploadRequest): Promise<Answer> => {
      const digest = request.query.get("digest")
      if (digest !== null) return atOnce(name, digest, request)
      const session: Session = {
        repository: name,
        incoming: await Contents.start(store.directory),
        startedAt: request.stamp,
        state: "",
        busy: Promise.resolve(),
        usedMillis: now(),
        steps: 0
      }
      renew(session)
      use(session)
      // The client has no location to continue or to cancel the upload.
      return { ...progress(202, session), undelivered: () => forget(session) }
    },

    /** Mounts a blob of another repository. */
    mount: (name: string, digest: string, from: string, stamp: string): Answer | undefined => {
      const blob = blobOf(store, store.repositories.get(from), digest)
      if (blob === undefined) return undefined
      store.commit([...openRepository(store, name, stamp), ...holdBlob(name, digest, blob.size)])
      store.touch(name, digest)
      return created(name, digest)
    },

    chunk: (name: string, id: string, request: UploadRequest): Promise<Answer> =>
      step(name, id, request, async (session) => {
        renew(session)
        return progress(202, session)
      }),

    commit: (name: string, id: string, request: UploadRequest): Promise<Answer> =>
      step(name, id, request, async (session) => {
        const digest = request.query.get("digest") ?? ""
        const taken = await take(name, session.incoming, digest, request.stamp)
        if (taken === undefined) {
          renew(session)
          return digestInvalid(digest)
        }
        sessions.delete(id)
        return taken
      }),

    status: (name: string, id: string): Promise<Answer> =>
      onSession(name, id, (session) => Promise.resolve(progress(204, session))),

    cancel: (name: string, id: string): Promise<Answer> =>
      onSession(name, id, async (session) => {
        await forget(session)
        return empty(204, { "Docker-Upload-Uuid": id })
      }),

    /** Discards all uploads. */
    clear: async (): Promise<void> => {
      await Promise.all(Array.from(sessions.values(), forget))
    },

    /** The number of uploads that a client can continue. */
    count: (): number => sessions.size,

    /** Discards the uploads that have been idle for a day. */
    sweep: async (): Promise<void> => {
      const abandoned: Array<Session> = []
      for (const session of sessions.values()) {
        // The clock was set back since. The sessions behind must not wait for this one.
        if (session.usedMillis > now()) continue
        if (session.usedMillis + abandonedMillis > now()) break
        // A body may take any time to arrive.
        if (session.steps === 0) abandoned.push(session)
      }
      await Promise.all(abandoned.map(forget))
    }
  }
}

export type Uploads = ReturnType<typeof make>
