/**
 * What an upload does next: a function from state and event to state and command, without effects. `upload.ts` carries
 * the commands out; what a fault means, and what follows it, stands in `recovery.ts`.
 */
import type { RegistryError } from "../../RegistryError.ts"
import { mostChunkBytes } from "../api/arguments.ts"
import { type Fault, faultOf, type Recovery, recoveryFrom, resumptionAt } from "./recovery.ts"

/** Content up to this size goes out as one piece that is kept; more is streamed if it can be read again. */
const smallBytes = 2 * 1024 * 1024

/** Below this size a chunk is not the problem. */
const leastChunkBytes = 64 * 1024

/** A registry that takes less than it is sent does so now and then. One that does it each time would have it all sent again. */
const mostParts = 16

/** Less than this is no progress: a registry could ask for one byte at a time. */
const leastProgressBytes = 64 * 1024

/** Registries that refuse larger chunks as out of step take these: GHCR's limit. */
const usualChunkBytes = 4 * 1024 * 1024

/** What stays the same during an upload. */
export interface Plan {
  /** Bytes in all, if the source states them. */
  readonly totalBytes: number | undefined
  /** The size of chunks in bytes, as the caller or the default has it. */
  readonly chunkBytes: number
  readonly repeatable: boolean
  /** Whether the last chunk goes out with the commit. */
  readonly commitsLastChunk: boolean
}

/** What is known of the content at the moment. */
export interface Content {
  /** How far it has been read, at most. */
  readonly sentBytes: number
  readonly canReadFrom: (offset: number) => boolean
}

/** Where an upload is. */
export interface State {
  readonly doing: "Sending" | "Committing"
  /** How many bytes the registry has, as far as is known. */
  readonly confirmedBytes: number
  /** The size of chunks in bytes; undefined while the content goes out in one request. */
  readonly chunkBytes: number | undefined
  /** The failure after which the registry is asked how far the upload has come. */
  readonly failure: RegistryError | undefined
  /**
   * Whether the registry may have other bytes than the client believes: what it says of them is a hint, and the digest
   * decides. `Settled` once the content is sent anew for that: then the digest is believed.
   */
  readonly count: "Sure" | "Unsure" | "Settled"
  /** How often the registry took a part of a request only. */
  readonly parts: number
  /** How the last chunk goes out: with the commit, or before, whether or not that failed because the two came together. */
  readonly lastChunk: "WithCommit" | "Apart" | "Refused"
}

/** What happened. */
export type Event =
  /** A session was opened, the first or another one. */
  | { readonly _tag: "Opened"; readonly chunkMinBytes: number }
  /** Bytes were taken; `lastByte` is the offset of the last one that the registry says it has. */
  | {
      readonly _tag: "Accepted"
      readonly from: number
      readonly to: number
      readonly isLast: boolean
      readonly lastByte: number | undefined
    }
  /** The content ended where the last chunk did. */
  | { readonly _tag: "Ended" }
  /** The registry has the blob, all of it up to this offset. */
  | { readonly _tag: "Committed"; readonly to: number }
  /** A request failed that sends, or that `commits`, or both. */
  | { readonly _tag: "Failed"; readonly error: RegistryError; readonly commits: boolean }
  | { readonly _tag: "SessionFound"; readonly lastByte: number | undefined }
  | { readonly _tag: "SessionLost" }
  | { readonly _tag: "BlobFound" }
  | { readonly _tag: "BlobMissing" }

/** What to do. */
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
  /** The blob is there. `isOpen` tells whether the session may still be open. */
  | { readonly _tag: "Finish"; readonly isOpen: boolean }
  | { readonly _tag: "Fail"; readonly error: RegistryError }

/** A state, and what to do in it. */
export interface Step {
  readonly state: State
  readonly command: Command
  /** The failure that the command is to mend, and how. The retry policy waits first, but for smaller pieces. */
  readonly recovery?: { readonly from: RegistryError; readonly by: Exclude<Recovery, "GiveUp"> }
}

/** Where an upload begins. */
export const begin = ({ commitsLastChunk, repeatable, totalBytes, ...plan }: Plan): State => ({
  doing: "Sending",
  confirmedBytes: 0,
  chunkBytes: repeatable && totalBytes !== undefined && totalBytes > smallBytes ? undefined : plan.chunkBytes,
  failure: undefined,
  count: "Sure",
  parts: 0,
  lastChunk: commitsLastChunk ? "WithCommit" : "Apart"
})

const unsure = (state: State): State => (state.count === "Sure" ? { ...state, count: "Unsure" } : state)

/** Whether a state is noticeably nearer to the end than another. */
export const isFurther = (state: State, other: State): boolean =>
  state.doing === other.doing
    ? state.confirmedBytes >=
      other.confirmedBytes + Math.min(leastProgressBytes, state.chunkBytes ?? leastProgressBytes)
    : state.doing === "Committing"

/** How many bytes the registry has, when it has at most `most`: `0-0` also stands for none. */
const confirmedOf = (lastByte: number | undefined, most: number): number | undefined =>
  lastByte === undefined ? undefined : lastByte === 0 && most !== 1 ? 0 : lastByte + 1

const fail = (state: State, error: RegistryError): Step => ({ state, command: { _tag: "Fail", error } })

const commit = (state: State): Step => ({ state: { ...state, doing: "Committing" }, command: { _tag: "Commit" } })

/** Sends what the registry does not have yet. */
const send = ({ chunkBytes, repeatable, totalBytes }: Plan, state: State): Step => {
  const offset = state.confirmedBytes
  // Where the two may be refused together, it must be possible to begin anew.
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
  send(plan, {
    ...state,
    chunkBytes:
      chunkMinBytes > 0 && chunkMinBytes <= mostChunkBytes
        ? Math.max(chunkMinBytes, state.chunkBytes ?? plan.chunkBytes)
        : state.chunkBytes
  })

/**
 * The registry took the bytes, and says how many it has: that may be a part of them. Some count one too many or too few, the
 * last chunk alone, or not at all.
 */
const accepted = (
  plan: Plan,
  state: State,
  { from, isLast, lastByte, to }: Extract<Event, { _tag: "Accepted" }>
): Step => {
  const stated = confirmedOf(lastByte, to)
  const isPart = stated !== undefined && stated > from && stated < to - 1 && state.parts < mostParts
  const reached = isPart ? stated : to
  const further = {
    ...(stated === undefined || stated === reached ? state : unsure(state)),
    confirmedBytes: reached,
    parts: isPart ? state.parts + 1 : state.parts
  }
  return reached === to && isLast ? commit(further) : send(plan, further)
}

/** A state with smaller chunks; none if they are small already. */
const withSmallerChunks = (plan: Plan, state: State, most = Number.POSITIVE_INFINITY): State | undefined => {
  const chunkBytes = Math.min(most, state.chunkBytes === undefined ? plan.chunkBytes : Math.floor(state.chunkBytes / 2))
  return chunkBytes < leastChunkBytes ? undefined : { ...state, chunkBytes }
}

const smaller = (plan: Plan, state: State, error: RegistryError): Step => {
  const further = withSmallerChunks(plan, state)
  return further === undefined ? fail(state, error) : send(plan, further)
}

/** The faults by which a registry, or a gateway before it, does not take the last chunk with the commit. */
const refusals: ReadonlyArray<Fault> = ["NotTaken", "OtherContent", "Lost"]

/** What was refused together is not sent together again. A registry that is busy refuses anything. */
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

/** Resumes where the registry is, or from the beginning. */
const resumed = (plan: Plan, state: State, content: Content, confirmedBytes: number | undefined): Step => {
  const { doing, failure } = state
  const isElsewhere = confirmedBytes !== undefined && confirmedBytes !== state.confirmedBytes
  if (doing === "Sending" && failure !== undefined && faultOf(failure) === "OutOfStep" && !isElsewhere) {
    // It is in step: GHCR refuses chunks that are too large so.
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
