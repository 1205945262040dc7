/**
 * The part of a conversation that belongs to one operation of the service: what that sends are operations of their own,
 * but to the caller their errors are those of the whole.
 */
import * as Effect from "effect/Effect"
import { RegistryError } from "../../RegistryError.ts"
import type * as Transport from "../../Transport.ts"

/** What uploads and downloads need of a conversation. */
export type Conversation = Pick<Transport.Service, "endpoint" | "retry" | "execute" | "open">

export const within = ({ endpoint, execute, open, retry }: Transport.Service, operation: string): Conversation => {
  const named = (error: RegistryError) => new RegistryError({ ...error, operation })
  return {
    endpoint,
    retry,
    execute: (part) => Effect.mapError(execute(part), named),
    open: (part) => Effect.mapError(open(part), named)
  }
}
