/**
 * The recovery of uploads from faults: a table without effects, which docs/uploads.md documents.
 */
import type { Reason, RegistryError } from "../../RegistryError.ts"

/** The current step of an upload: sending bytes, sending the last ones with the commit, or committing without bytes. */
export type Doing = "Sending" | "SendingLast" | "Committing"

/**
 * The meaning of a failed request for an upload.
 *
 * - `TurnedAway`: the registry did not process the request (429, 503).
 * - `Lost`: it is unknown how many bytes arrived (reset, stall, 408, 5xx).
 * - `OutOfStep`: the session is at another offset than the client assumes (416).
 * - `Unknown`: the registry no longer knows the session or its location (404).
 * - `TooLarge`: the registry does not accept so many bytes at once (413).
 * - `OtherContent`: the bytes that arrived do not match the digest (`DIGEST_INVALID`).
 * - `NotTaken`: the registry or a proxy does not accept such a request (any other 4xx, 501, or a success without a
 *   blob).
 * - `Final`: any failure that another request does not help.
 */
export type Fault = "TurnedAway" | "Lost" | "OutOfStep" | "Unknown" | "TooLarge" | "OtherContent" | "NotTaken" | "Final"

/**
 * What to do next.
 *
 * - `Repeat`: send the same request again.
 * - `AskStatus`: request the offset of the session, and resume from there.
 * - `LookForBlob`: check whether the blob exists; if not, request the offset of the session.
 * - `SmallerPieces`: continue in chunks, or in smaller ones.
 * - `BeginAnew`: send everything again in another session, if the registry may have lost count in this one.
 * - `GiveUp`: fail.
 */
export type Recovery = "Repeat" | "AskStatus" | "LookForBlob" | "SmallerPieces" | "BeginAnew" | "GiveUp"

/**
 * Whether a transfer that fails like this may resume. A connection that fails at the first contact with the registry is
 * final here as well as in other operations.
 */
export const isPassing = (reason: Reason): boolean =>
  reason._tag === "Throttled" || (reason._tag === "Unavailable" && reason.isRetryable && reason.firstContact !== true)

/** Whether the registry itself denies the request. Firewalls answer with other pages. */
const isDenied = ({ reason, response }: RegistryError): boolean =>
  (reason._tag === "Forbidden" || reason._tag === "Unauthenticated") && (response?.errors.length ?? 0) > 0

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
      if (reason._tag === "ContentMismatch") return "Final"
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
 * Where an upload resumes, once the offset of the session is known, or the session no longer exists.
 *
 * - `Continue`: in the same session, from its offset.
 * - `Restart`: in a new session, from the first byte.
 * - `GiveUp`: the content cannot be read from there again.
 */
export type Resumption = "Continue" | "Restart" | "GiveUp"

/**
 * Without a confirmed byte, a new session is better than the old one, because `0-0` may also mean one byte. The same
 * holds for a session that claims more bytes than were ever sent.
 */
export const resumptionAt = (
  confirmedBytes: number | undefined,
  content: { readonly sentBytes: number; readonly canReadFrom: (offset: number) => boolean }
): Resumption => {
  const isPlausible = confirmedBytes !== undefined && confirmedBytes > 0 && confirmedBytes <= content.sentBytes
  if (isPlausible && content.canReadFrom(confirmedBytes)) return "Continue"
  return content.canReadFrom(0) ? "Restart" : "GiveUp"
}
