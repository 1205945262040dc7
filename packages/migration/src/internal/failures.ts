/**
 * Classifies errors of a copy, for an artifact and for the run.
 */
import type { Fault } from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import { GraphError } from "@effect-acr/artifacts/Graph"
import * as Option from "effect/Option"
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import { MigrationError } from "../MigrationError.ts"
import type { State } from "../MigrationReport.ts"
import type { Place } from "../MigrationRules.ts"
import { nameOf } from "./names.ts"
import type { PlaceError } from "./places.ts"

/** What the system says of a file. */
const systemMessage = (error: unknown): string | undefined => {
  if (error instanceof PlatformError) {
    const { cause } = error.reason
    return cause instanceof Error ? cause.message : undefined
  }
  const inner = Predicate.hasProperty(error, "reason") ? error.reason : error
  return Predicate.hasProperty(inner, "cause") ? systemMessage(inner.cause) : undefined
}

/** The message of an error, and what the system says, which errors of the platform leave out. */
export const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const why = systemMessage(error)
  return why === undefined || message.includes(why) ? message : `${message}: ${why}`
}

/** The tag of the reason of an error, or of the error itself. */
const tagOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "reason") && Predicate.hasProperty(error.reason, "_tag")) {
    return String(error.reason._tag)
  }
  return Predicate.hasProperty(error, "_tag") ? String(error._tag) : ""
}

const denials: ReadonlySet<string> = new Set(["Unauthenticated", "CredentialUnavailable"])

/** Whether a registry refuses the login, so that all other requests would fail too. */
export const isDenied = (error: unknown): boolean => denials.has(tagOf(error))

type Side = "source" | "target"

export const denied = (side: Side, place: Place, description: string): MigrationError =>
  new MigrationError({ problem: "Denied", description, deniedBy: { side, registry: nameOf(place) } })

export const loginRefused = (side: Side, place: Place, error: unknown): MigrationError =>
  denied(side, place, `the ${side} ${nameOf(place)} refuses the login: ${messageOf(error)}`)

const unlisted: ReadonlySet<string> = new Set(["Forbidden", "NotFound", "Unsupported", "Unauthenticated"])

/** Whether a place does not list its content, as opposed to one that cannot be reached. */
export const isUnlisted = (error: unknown): boolean => !(error instanceof PlatformError) && unlisted.has(tagOf(error))

const permissions: ReadonlySet<string> = new Set(["Forbidden", "Unauthenticated"])

/** Whether a place may accept the same request with another login. */
export const isUnpermitted = (error: unknown): boolean => permissions.has(tagOf(error))

const absences: ReadonlySet<string> = new Set(["Unavailable", "Throttled"])

/** Whether a place cannot be reached now, or throttles requests. */
export const isUnavailable = (error: unknown): boolean => absences.has(tagOf(error))

/** https://www.man7.org/linux/man-pages/man3/errno.3.html: no space is left on the device, or in the quota of the user. */
const fullCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"])

/** Whether the disk of a folder is full, so that nothing else could be written to it either. */
export const isDiskFull = (error: unknown): boolean =>
  (Predicate.hasProperty(error, "code") && fullCodes.has(error.code)) ||
  (Predicate.hasProperty(error, "reason") && isDiskFull(error.reason)) ||
  (Predicate.hasProperty(error, "cause") && isDiskFull(error.cause))

const refusals: ReadonlySet<string> = new Set(["Locked", "Refused", "TooLarge", "InvalidRequest", "Unsupported"])

const damages: ReadonlySet<string> = new Set(["ContentMismatch", "ContentDiffers", "InvalidResponse", "Damaged"])

/** Whether content is missing or does not match its digest. */
export const isDamaged = (error: PlaceError): boolean =>
  (error.reason._tag === "NotFound" && "resource" in error.reason && error.reason.resource === "blob") ||
  error.reason._tag === "ContentMismatch" ||
  error.reason._tag === "ContentMissing" ||
  error.reason._tag === "ContentDiffers"

export interface Failure {
  readonly state: State
  readonly class: string
  readonly detail: string
}

/** The outcome of an artifact whose copy failed. */
export const classify = (error: CopyError<PlaceError | MigrationError | Fault>): Failure => {
  const { cause, node, side } = error
  const detail = messageOf(error)
  const tag = tagOf(cause)
  const isRoot = Option.isNone(node) && side === "source"
  if (isRoot && cause instanceof GraphError && cause.problem === "Missing" && cause.path.length === 0) {
    return { state: "vanished", class: "gone", detail }
  }
  // As the rules say: nothing has failed.
  if (tag === "PlatformNotFound") return { state: "skipped", class: "platform", detail: messageOf(cause) }
  // The target wants what the rules leave out, such as the other platforms of a sparse index.
  if (side === "target" && tag === "MissingContent") return { state: "refused", class: "refused", detail }
  if (tag === "TagExists") return { state: "failed", class: "exists", detail }
  if (error.isRetryable) return { state: "failed", class: "transient", detail }
  if (side === "target" && refusals.has(tag)) return { state: "refused", class: "refused", detail }
  if (tag === "Forbidden") return { state: "failed", class: "forbidden", detail }
  if (cause instanceof GraphError && cause.problem !== "Missing") return { state: "failed", class: "content", detail }
  if (tag === "GraphError" || tag === "MissingContent" || tag === "NotFound" || tag === "ContentMissing") {
    return { state: "failed", class: "gone", detail }
  }
  return { state: "failed", class: damages.has(tag) ? "content" : "other", detail }
}
