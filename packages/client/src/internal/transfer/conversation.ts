/**
 * The part of a transport that one operation of the service uses. All its errors have the name of that operation.
 */
import * as Effect from "effect/Effect"
import type * as Transport from "../../Transport.ts"
import { named } from "../http/named.ts"
import { byteCounter, type Server, serverAt } from "../http/telemetry.ts"

/** The parts of a transport that uploads and downloads need. */
export interface Conversation extends Pick<Transport.Service, "endpoint" | "retry" | "execute" | "open"> {
  /** The name of the operation. */
  readonly operation: string
  /** The attributes of the registry in spans. */
  readonly server: Server
  readonly countBytes: ReturnType<typeof byteCounter>
}

/** Makes the conversations of a transport, by operation. */
export const make = ({ endpoint, execute, open, retry }: Transport.Service) => {
  const server = serverAt(new URL(endpoint))
  const countBytes = byteCounter(endpoint)
  return (operation: string): Conversation => ({
    operation,
    endpoint,
    retry,
    server,
    countBytes,
    execute: (part) => Effect.mapError(execute(part), named(operation)),
    open: (part) => Effect.mapError(open(part), named(operation))
  })
}
