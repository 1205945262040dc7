/**
 * Processes that migrate.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as Effect from "effect/Effect"
import { delayed } from "../../../../test/bench/servers.ts"
import { formatOrder, type Order } from "./migrate.ts"

const program = fileURLToPath(new URL("migrate.ts", import.meta.url))

/** Starts a process, which is killed when the scope closes. */
export const start = (order: Order) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const argument = yield* formatOrder(order)
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, argument], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      let printed = ""
      const waiting = new Set<() => void>()
      const look = () => {
        for (const one of waiting) one()
      }
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text
        look()
      })
      let isClosed = false
      child.on("close", () => {
        isClosed = true
        look()
      })
      const wait = (until: () => boolean): Effect.Effect<string> =>
        Effect.callback((resume) => {
          const one = () => {
            if (!until()) return
            waiting.delete(one)
            resume(Effect.succeed(printed))
          }
          waiting.add(one)
          one()
          return Effect.sync(() => waiting.delete(one))
        })
      return {
        child,
        /** What it has printed once it has printed such a line, or has ended. */
        until: (line: RegExp) => wait(() => line.test(printed) || isClosed),
        /** What it has printed once it has ended. */
        ended: wait(() => isClosed)
      }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

export type Process = Effect.Success<ReturnType<typeof start>>

/** Registries as a process reaches them by wires on which a round trip takes so many milliseconds. */
export const slowly = (roundTripMillis: number, ...emulators: ReadonlyArray<AcrEmulator.Service>) =>
  Effect.forEach(emulators, ({ endpoint, loginServer }) =>
    Effect.map(delayed(new URL(endpoint).port, roundTripMillis), (port) => ({
      endpoint: `http://127.0.0.1:${port}`,
      loginServer
    }))
  )

/** Numbers from 0 to 1 that are the same in each run: Park and Miller's generator. */
export const randoms = (seed: number) => {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
