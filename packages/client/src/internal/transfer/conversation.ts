/**
 * The part of a conversation that belongs to one operation of the service, whose name all its errors have.
 */
import * as Effect from "effect/Effect"
import type * as Transport from "../../Transport.ts"
import { named } from "../http/named.ts"

/** What uploads and downloads need of a conversation. */
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
