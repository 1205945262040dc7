/**
 * Operations that consist of several: to the caller their errors are those of the whole, and a trace shows them in it.
 */
import * as Effect from "effect/Effect"
import { RegistryError } from "../../RegistryError.ts"
import type { Transport } from "../../Transport.ts"

/** The part of a conversation that belongs to one operation of the service. */
export const within = (
  transport: Transport["Service"],
  operation: string
): Pick<Transport["Service"], "endpoint" | "retry" | "execute" | "open"> => {
  const named = (error: RegistryError) => new RegistryError({ ...error, operation })
  return {
    endpoint: transport.endpoint,
    retry: transport.retry,
    execute: (part) => Effect.mapError(transport.execute(part), named),
    open: (part) => Effect.mapError(transport.open(part), named)
  }
}

export type Conversation = ReturnType<typeof within>
