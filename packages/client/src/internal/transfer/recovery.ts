/**
 * What an upload does after a fault: a table without effects, written out in docs/uploads.md.
 */
import type { Reason, RegistryError } from "../../RegistryError.ts"

/** What an upload was doing: sending bytes, sending the last ones with the commit, or committing alone. */
export type Doing = "Sending" | "SendingLast" | "Committing"

/**
 * What a failed request means to an upload.
 *
 * - `TurnedAway`: the registry did nothing yet (429, 503).
 * - `Lost`: nobody knows how far it came (reset, stall, 408, 5xx).
 * - `OutOfStep`: the session is somewhere else than the client thinks (416).
 * - `Unknown`: the session, or its location, is not known any more (404).
 * - `TooLarge`: so many bytes are not taken at once (413).
 * - `OtherContent`: the bytes that arrived are not those of the digest (`DIGEST_INVALID`).
 * - `NotTaken`: something on the way does not take such a request (any other 4xx, 501, or a success that no blob comes of).
 * - `Final`: everything that another request does not mend.
 */
export type Fault = "TurnedAway" | "Lost" | "OutOfStep" | "Unknown" | "TooLarge" | "OtherContent" | "NotTaken" | "Final"

/**
 * What to do next.
 *
 * - `Repeat`: the same request again.
 * - `AskStatus`: ask the session how far it has come, and go on from there.
 * - `LookForBlob`: see whether the blob is there; if not, ask the session.
 * - `SmallerPieces`: go on in chunks, or in smaller ones.
 * - `BeginAnew`: send everything once more in another session, if the registry may have lost count in this one.
 * - `GiveUp`: fail.
 */
export type Recovery = "Repeat" | "AskStatus" | "LookForBlob" | "SmallerPieces" | "BeginAnew" | "GiveUp"

/**
 * Whether a transfer that fails so may resume. A connection that fails at the first contact with the registry is as final
 * here as it is for other operations.
 */
export const isPassing = (reason: Reason): boolean =>
  reason._tag === "Throttled" || (reason._tag === "Unavailable" && reason.isRetryable && reason.firstContact !== true)

/** Whether the registry itself says that the caller may not. A firewall has pages of its own. */
const isDenied = ({ reason, response }: RegistryError): boolean =>
  (reason._tag === "Forbidden" || reason._tag === "Unauthenticated") && (response?.errors.length ?? 0) > 0

/** Reads the meaning out of an error. */
export const faultOf = (error: RegistryError): Fault => {
  const { reason, response } = error
  const has = (...codes: ReadonlyArray<string>) => response?.errors.some(({ code }) => codes.includes(code)) === true
  if (has("BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")) return "Unknown"
  switch (response?.status) {
    case 404:
      return "Unknown"
    case 413:
      return "TooLarge"
    case 416:
      return "OutOfStep"
    case 429:
    case 503:
      return "TurnedAway"
    default:
      if (isPassing(reason)) return "Lost"
      if (has("DIGEST_INVALID")) return "OtherContent"
      return reason._tag === "InvalidResponse" || (response !== undefined && !isDenied(error)) ? "NotTaken" : "Final"
  }
}

const table: { readonly [D in Doing]: { readonly [F in Fault]: Recovery } } = {
  Sending: {
    TurnedAway: "Repeat",
    Lost: "AskStatus",
    OutOfStep: "AskStatus",
    Unknown: "AskStatus",
    TooLarge: "SmallerPieces",
    OtherContent: "GiveUp",
    NotTaken: "GiveUp",
    Final: "GiveUp"
  },
  SendingLast: {
    TurnedAway: "Repeat",
    Lost: "LookForBlob",
    OutOfStep: "AskStatus",
    Unknown: "LookForBlob",
    TooLarge: "SmallerPieces",
    OtherContent: "BeginAnew",
    NotTaken: "AskStatus",
    Final: "GiveUp"
  },
  Committing: {
    TurnedAway: "Repeat",
    Lost: "LookForBlob",
    OutOfStep: "LookForBlob",
    Unknown: "LookForBlob",
    TooLarge: "GiveUp",
    OtherContent: "BeginAnew",
    NotTaken: "GiveUp",
    Final: "GiveUp"
  }
}

/** What an upload does after a fault. */
export const recoveryFrom = (doing: Doing, fault: Fault): Recovery => table[doing][fault]

/**
 * Where an upload goes on, once the session has told how far it has come, or is gone.
 *
 * - `Continue`: in the same session, from there.
 * - `Restart`: in a new session, from the first byte.
 * - `GiveUp`: the content can't be read from there again.
 */
export type Resumption = "Continue" | "Restart" | "GiveUp"

/**
 * With no byte confirmed a new session is as good as the old one, and better: `0-0` may mean one byte as well. So is a session
 * that claims more bytes than were ever sent.
 */
export const resumptionAt = (
  confirmedBytes: number | undefined,
  content: { readonly sentBytes: number; readonly canReadFrom: (offset: number) => boolean }
): Resumption => {
  const isPlausible = confirmedBytes !== undefined && confirmedBytes > 0 && confirmedBytes <= content.sentBytes
  if (isPlausible && content.canReadFrom(confirmedBytes)) return "Continue"
  return content.canReadFrom(0) ? "Restart" : "GiveUp"
}
