/**
 * Why a copy failed, and on which side.
 *
 * @since 0.1.0
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Data from "effect/Data"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/**
 * The store at which a copy failed: the one that it reads from, or the one that it writes to.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = "source" | "target"

/**
 * The reason of an error: its `reason` if it has one, as `RegistryError` does, otherwise the error itself.
 *
 * @category models
 * @since 0.1.0
 */
export type ReasonOf<E> = E extends {
  /** Why the operation failed. */
  readonly reason: infer Reason
}
  ? Reason
  : E

/** Reporters of tests replace an error by an object without a prototype, which has its message, and cannot become a text. */
const messageOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "message") && Predicate.isString(cause.message)
    ? cause.message
    : Inspectable.toStringUnknown(cause)

/**
 * A copy failed.
 *
 * **Details**
 *
 * `reason` is the reason of the store's error, so that `Effect.catchReason("CopyError", "Forbidden", …)` handles a reason of
 * `RegistryError`. `cause` is the error itself.
 *
 * @category errors
 * @since 0.1.0
 */
export class CopyError<out E = unknown> extends Data.TaggedError("CopyError")<{
  /** The side that failed. */
  readonly side: Side
  /** The manifest or the blob that was being copied; none if the error concerns the artifact as a whole. */
  readonly node: Option.Option<Digest.Digest>
  readonly reason: unknown
  readonly cause: unknown
}> {
  /** The reason of the store's error, or the error itself if it has none. */
  declare readonly reason: ReasonOf<E>
  /** The error of the store, or of the copy itself. */
  declare readonly cause: E

  /** Whether the same copy may succeed later, with nothing changed by the caller. */
  get isRetryable(): boolean {
    return Predicate.hasProperty(this.cause, "isRetryable") && this.cause.isRetryable === true
  }

  override get message(): string {
    const at = Option.match(this.node, { onNone: () => "", onSome: (digest) => ` at ${digest}` })
    return `the copy failed at the ${this.side}${at}: ${messageOf(this.cause)}`
  }
}

/**
 * Wraps the error of one side.
 *
 * @category constructors
 * @since 0.1.0
 */
export const at =
  (side: Side, node: Option.Option<Digest.Digest> = Option.none()) =>
  <E>(cause: E): CopyError<E> =>
    new CopyError<E>({ side, node, reason: Predicate.hasProperty(cause, "reason") ? cause.reason : cause, cause })
