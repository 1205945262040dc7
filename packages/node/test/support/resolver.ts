/**
 * A scripted DNS: a test decides the addresses of each lookup of a name.
 */
import dns from "node:dns"
import { syncBuiltinESMExports } from "node:module"
import { isIP } from "node:net"
import * as Effect from "effect/Effect"

/**
 * The addresses that each look-up of a name gives. The last entry answers all further look-ups. A look-up of a name that
 * is silent gets no answer.
 */
export interface Names {
  readonly [name: string]: ReadonlyArray<ReadonlyArray<string>> | "silent"
}

const setLookup = (lookup: unknown) =>
  Effect.sync(() => {
    Object.assign(dns, { lookup })
    syncBuiltinESMExports()
  })

/** Replaces the resolver of this process for the lifetime of the scope. Returns the names that were looked up. */
export const resolving = (names: Names) =>
  Effect.gen(function* () {
    const lookedUp: Array<string> = []
    const lookup = (hostname: string, _: unknown, callback: (...result: ReadonlyArray<unknown>) => void) => {
      const answers = names[hostname] ?? []
      if (answers === "silent") return
      const earlier = lookedUp.filter((name) => name === hostname).length
      const addresses = answers[Math.min(earlier, answers.length - 1)]
      lookedUp.push(hostname)
      setImmediate(() =>
        addresses === undefined
          ? callback(new Error(`${hostname} is unknown`), [])
          : callback(
              null,
              addresses.map((address) => ({ address, family: isIP(address) }))
            )
      )
    }
    yield* Effect.acquireRelease(
      Effect.suspend(() => Effect.as(setLookup(lookup), dns.lookup)),
      setLookup
    )
    return lookedUp
  })
