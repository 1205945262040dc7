/**
 * The part of the network where each registry was reached, by its origin.
 */
import * as Outbound from "@effect-acr/client/Outbound"
import type { Connection } from "./dial.ts"

export interface Places {
  /** The reach of a registry; `undefined` before the first connection to it. */
  readonly of: (origin: string) => Outbound.Reach | undefined
  /**
   * Remembers that an origin was reached. A connection that is passed is closed as soon as the reach of the registry
   * changes: otherwise it would carry requests to an address that this registry may not lead to.
   */
  readonly reached: (origin: string, reach: Outbound.Reach, connection?: Connection) => void
}

interface Open {
  readonly origin: string
  readonly reach: Outbound.Reach
  readonly connection: Connection
}

export const make = (): Places => {
  const places = new Map<string, Outbound.Reach>()
  const connections = new Set<Open>()

  return {
    of: (origin) => places.get(origin),
    reached: (origin, reach, connection) => {
      if (connection !== undefined) {
        const open = { origin, reach, connection }
        connections.add(open)
        connection.once("close", () => connections.delete(open))
      }
      const now = Outbound.reachAfter(places.get(origin), reach)
      places.set(origin, now)
      for (const open of connections) {
        if (open.origin === origin && open.reach !== now) {
          open.connection.destroy(new Error(`${origin} has moved: connections to its ${open.reach} address are closed`))
        }
      }
    }
  }
}
