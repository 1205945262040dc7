/**
 * The part of a transport that one operation of the service uses. All its errors have the name of that operation.
 */
import * as Effect from "effect/Effect"
import type * as Transport from "../../Transport.ts"
import { named } from "../http/named.ts"

/** The parts of a transport that uploads and downloads need. */
export interface Conversation extends Pick<Transport.Service, "endpoint" | "retry" | "execute" | "open"> {
  /** The name of the operation. */
  readonly operation: string
}

export const within = ({ endpoint, execute, open, retry }: Transport.Service, operation: string): Conversation => ({
  operation,
  endpoint,
  retry,
  execute: (part) => Effect.mapError(execute(part), named(operation)),
  open: (part) => Effect.mapError(open(part), named(operation))
})
