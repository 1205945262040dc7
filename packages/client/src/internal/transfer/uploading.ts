/**
 * What an upload does next: a function from state and event to state and command, without effects. `upload.ts` carries
 * the commands out; `recovery.ts` decides what a fault means and what follows it.
 */
import type { RegistryError } from "../../RegistryError.ts"
import { mostChunkBytes } from "../api/arguments.ts"
import { bufferBytes } from "./buffers.ts"
import { type Fault, faultOf, type Recovery, recoveryFrom, resumptionAt } from "./recovery.ts"

/** Below this size, the size of the chunk is not the problem. */
const leastChunkBytes = 64 * 1024

/**
 * How often a registry may accept less than `leastShare` of a request. One that always does would make the client send
 * everything repeatedly.
 */
const mostParts = 16

/** The share of a request that a registry may accept any number of times. */
const leastShare = 1 / 16

/** Less than this does not count as progress: a registry could accept one byte at a time. */
const leastProgressBytes = 64 * 1024

/** Registries that refuse larger chunks as out of step accept this size, which is GHCR's limit. */
const usualChunkBytes = 4 * 1024 * 1024

/** What stays the same during an upload. */
export interface Plan {
  /** The total size in bytes, if the source states it. */
  readonly totalBytes: number | undefined
  /** The size of chunks in bytes, of the caller or the default. */
  readonly chunkBytes: number
  readonly repeatable: boolean
  /** Whether the last chunk is sent with the commit. */
  readonly commitsLastChunk: boolean
}

/** The current knowledge about the content. */
export interface Content {
  /** The largest offset up to which it has been read. */
  readonly sentBytes: number
  readonly canReadFrom: (offset: number) => boolean
}

/** The state of an upload. */
export interface State {
  readonly doing: "Sending" | "Committing"
  /** The number of bytes that the registry is known to have. */
  readonly confirmedBytes: number
  /** The size of chunks in bytes; undefined while the content is sent in one request. */
  readonly chunkBytes: number | undefined
  /** The failure after which the client requests the offset of the session. */
  readonly failure: RegistryError | undefined
  /**
   * Whether the registry may have other bytes than the client assumes. Then its offset is a hint, and the digest
   * decides. `Settled` once the content is sent again for that reason: then a digest error is final.
   */
  readonly count: "Sure" | "Unsure" | "Settled"
  /** The smallest chunk that the registry takes, in bytes; 0 if it does not say. */
  readonly chunkMinBytes: number
  /** How often the registry accepted only part of a request. */
  readonly parts: number
  /** How the last chunk is sent: with the commit, or before it (`Refused` if sending both together failed). */
  readonly lastChunk: "WithCommit" | "Apart" | "Refused"
}

/** An event of an upload. */
export type Event =
  /** A session was opened, the first or another one. */
  | { readonly _tag: "Opened"; readonly chunkMinBytes: number }
  /** The registry accepted bytes; `lastByte` is the offset of the last one that it states. */
  | {
      readonly _tag: "Accepted"
      readonly from: number
      readonly to: number
      readonly isLast: boolean
      readonly lastByte: number | undefined
    }
  /** The content ended with the previous chunk. */
  | { readonly _tag: "Ended" }
  /** The registry has the blob, all of it up to this offset. */
  | { readonly _tag: "Committed"; readonly to: number }
  /** A request that sends, commits (`commits`), or both, failed. */
  | { readonly _tag: "Failed"; readonly error: RegistryError; readonly commits: boolean }
  | { readonly _tag: "SessionFound"; readonly lastByte: number | undefined }
  | { readonly _tag: "SessionLost" }
  | { readonly _tag: "BlobFound" }
  | { readonly _tag: "BlobMissing" }

/** A command of an upload. */
export type Command =
  /** Send all the rest in one request. */
  | { readonly _tag: "Stream"; readonly offset: number; readonly size: number }
  /** Send the next chunk. If it is the last one and `commits`, the request commits. */
  | { readonly _tag: "Chunk"; readonly offset: number; readonly maxBytes: number; readonly commits: boolean }
  | { readonly _tag: "Commit" }
  | { readonly _tag: "AskStatus" }
  | { readonly _tag: "LookForBlob" }
  /** Open another session, and close this one. */
  | { readonly _tag: "Reopen" }
  /** The blob exists. `isOpen` says whether the session may still be open. */
  | { readonly _tag: "Finish"; readonly isOpen: boolean }
  | { readonly _tag: "Fail"; readonly error: RegistryError }

/** A state and its command. */
export interface Step {
  readonly state: State
  readonly command: Command
  /**
   * The failure that the command recovers from, and how. The retry policy waits first, except before smaller pieces.
   */
  readonly recovery?: { readonly from: RegistryError; readonly by: Exclude<Recovery, "GiveUp"> }
}

/** The first state of an upload. */
export const begin = ({ commitsLastChunk, repeatable, totalBytes, ...plan }: Plan): State => ({
  doing: "Sending",
  confirmedBytes: 0,
  // Content up to the size of a buffer is sent as one piece, which is kept; larger content is streamed if it can be read
  // again.
  chunkBytes: repeatable && totalBytes !== undefined && totalBytes > bufferBytes ? undefined : plan.chunkBytes,
  failure: undefined,
  count: "Sure",
  chunkMinBytes: 0,
  parts: 0,
  lastChunk: commitsLastChunk ? "WithCommit" : "Apart"
})

const unsure = (state: State): State => (state.count === "Sure" ? { ...state, count: "Unsure" } : state)

/** Whether a state has noticeable progress over another. */
export const isFurther = (state: State, other: State): boolean =>
  state.doing === other.doing
    ? state.confirmedBytes >=
      other.confirmedBytes + Math.min(leastProgressBytes, state.chunkBytes ?? leastProgressBytes)
    : state.doing === "Committing"

/** The number of bytes that the registry has, if that is at most `most`: `0-0` also means none. */
const confirmedOf = (lastByte: number | undefined, most: number): number | undefined =>
  lastByte === undefined ? undefined : lastByte === 0 && most !== 1 ? 0 : lastByte + 1

const fail = (state: State, error: RegistryError): Step => ({ state, command: { _tag: "Fail", error } })

const commit = (state: State): Step => ({ state: { ...state, doing: "Committing" }, command: { _tag: "Commit" } })

/** Sends what the registry does not have yet. */
const send = ({ chunkBytes, repeatable, totalBytes }: Plan, state: State): Step => {
  const offset = state.confirmedBytes
  // The registry may refuse both together, so it must be possible to start again.
  const commits = state.lastChunk === "WithCommit" && (repeatable || offset === 0)
  if (totalBytes !== undefined && offset === totalBytes && offset > 0) return commit(state)
  return {
    state: { ...state, doing: "Sending" },
    command:
      state.chunkBytes === undefined && totalBytes !== undefined
        ? { _tag: "Stream", offset, size: totalBytes - offset }
        : { _tag: "Chunk", offset, maxBytes: state.chunkBytes ?? chunkBytes, commits }
  }
}

const opened = (plan: Plan, state: State, chunkMinBytes: number): Step =>
  send(
    plan,
    chunkMinBytes > 0 && chunkMinBytes <= mostChunkBytes
      ? { ...state, chunkMinBytes, chunkBytes: Math.max(chunkMinBytes, state.chunkBytes ?? plan.chunkBytes) }
      : state
  )

/**
 * The registry accepted the bytes, and states how many it has, which may be only a part. Some registries count one too
 * many or too few, only the last chunk, or not at all.
 *
 * OCI distribution specification, "Pushing a blob in chunks": `Range` ends with the last uploaded byte, so the next
 * chunk begins after it. After a second part, which is no accident, the client sends no more than the registry accepts.
 */
const accepted = (
  plan: Plan,
  state: State,
  { from, isLast, lastByte, to }: Extract<Event, { _tag: "Accepted" }>
): Step => {
  const stated = confirmedOf(lastByte, to)
  const isMuch = stated !== undefined && stated - from >= leastShare * (to - from)
  const isPart = stated !== undefined && stated > from && stated < to - 1 && (isMuch || state.parts < mostParts)
  const reached = isPart ? stated : to
  const further = {
    ...(stated === undefined || stated === reached ? state : unsure(state)),
    ...(isPart && state.parts > 0
      ? {
          chunkBytes: Math.min(
            state.chunkBytes ?? plan.chunkBytes,
            Math.max(reached - from, leastChunkBytes, state.chunkMinBytes)
          )
        }
      : {}),
    confirmedBytes: reached,
    parts: isPart ? state.parts + 1 : state.parts
  }
  return reached === to && isLast ? commit(further) : send(plan, further)
}

/** A state with smaller chunks; undefined if they are small already. */
const withSmallerChunks = (plan: Plan, state: State, most = Number.POSITIVE_INFINITY): State | undefined => {
  const chunkBytes = Math.min(most, state.chunkBytes === undefined ? plan.chunkBytes : Math.floor(state.chunkBytes / 2))
  return chunkBytes < leastChunkBytes ? undefined : { ...state, chunkBytes }
}

const smaller = (plan: Plan, state: State, error: RegistryError): Step => {
  const further = withSmallerChunks(plan, state)
  return further === undefined ? fail(state, error) : send(plan, further)
}

/** The faults with which a registry, or a gateway before it, refuses the last chunk together with the commit. */
const refusals: ReadonlyArray<Fault> = ["NotTaken", "OtherContent", "Lost"]

/** After a refusal, both are sent separately. A busy registry refuses anything, so its refusal does not count. */
const afterLast = (state: State, fault: Fault): State =>
  fault === "TurnedAway" ? state : { ...state, lastChunk: refusals.includes(fault) ? "Refused" : "Apart" }

const failed = (
  plan: Plan,
  before: State,
  content: Content,
  { commits, error }: Extract<Event, { _tag: "Failed" }>
): Step => {
  const fault = faultOf(error)
  const isLast = commits && before.doing === "Sending"
  const by = recoveryFrom(isLast ? "SendingLast" : before.doing, fault)
  const state = isLast ? afterLast(before, fault) : before
  if (by === "GiveUp") return fail(state, error)
  const recovery = { from: error, by }
  switch (by) {
    case "BeginAnew":
      if (!content.canReadFrom(0)) return fail(state, error)
      if (isLast) return { ...reopen(state), recovery }
      return state.count === "Unsure" ? { ...reopen({ ...state, count: "Settled" }), recovery } : fail(state, error)
    case "Repeat":
      return { ...(state.doing === "Sending" ? send(plan, state) : commit(state)), recovery }
    case "SmallerPieces": {
      const step = smaller(plan, state, error)
      return step.command._tag === "Fail" ? step : { ...step, recovery }
    }
    case "AskStatus":
    case "LookForBlob":
      return { state: { ...state, failure: error }, command: { _tag: by }, recovery }
  }
}

const reopen = (state: State): Step => ({
  state: { ...state, doing: "Sending", confirmedBytes: 0 },
  command: { _tag: "Reopen" }
})

/** Resumes at the registry's offset, or from the beginning. */
const resumed = (plan: Plan, state: State, content: Content, confirmedBytes: number | undefined): Step => {
  const { doing, failure } = state
  const isElsewhere = confirmedBytes !== undefined && confirmedBytes !== state.confirmedBytes
  if (doing === "Sending" && failure !== undefined && faultOf(failure) === "OutOfStep" && !isElsewhere) {
    // The offset is right: GHCR refuses chunks that are too large like this.
    const further = withSmallerChunks(plan, state, usualChunkBytes)
    if (further === undefined) return fail(state, failure)
    if (confirmedBytes !== undefined) return send(plan, further)
    return content.canReadFrom(0) ? reopen(further) : fail(state, failure)
  }
  switch (resumptionAt(confirmedBytes, content)) {
    case "Continue":
      return send(plan, unsure({ ...state, confirmedBytes: confirmedBytes ?? 0 }))
    case "Restart":
      return reopen(state)
    case "GiveUp":
      return failure === undefined ? commit(state) : fail(state, failure)
  }
}

/** What an upload does after an event. */
export const next = (plan: Plan, state: State, content: Content, event: Event): Step => {
  switch (event._tag) {
    case "Opened":
      return opened(plan, state, event.chunkMinBytes)
    case "Accepted":
      return accepted(plan, state, event)
    case "Ended":
      return commit(state)
    case "Committed":
      return { state: { ...state, confirmedBytes: event.to }, command: { _tag: "Finish", isOpen: false } }
    case "Failed":
      return failed(plan, state, content, event)
    case "SessionFound":
      return resumed(plan, state, content, confirmedOf(event.lastByte, content.sentBytes))
    case "SessionLost":
      return resumed(plan, state, content, undefined)
    case "BlobFound":
      return { state: { ...state, confirmedBytes: content.sentBytes }, command: { _tag: "Finish", isOpen: true } }
    case "BlobMissing":
      return { state, command: { _tag: "AskStatus" } }
  }
}
