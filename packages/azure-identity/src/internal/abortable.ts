/**
 * Lets requests of `@azure/identity` be aborted.
 *
 * Most of its credentials take an abort signal and leave it at that: the request goes on until it is answered. So the
 * signal is handed to the requests themselves, through whatever calls lie in between.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import type { HttpClient } from "@azure/core-rest-pipeline"

export interface Abortable {
  /** Sends the requests. */
  readonly httpClient: HttpClient
  /** Runs a call, whose requests end with the signal. */
  readonly run: <A>(signal: AbortSignal, call: () => Promise<A>) => Promise<A>
}

export const make = (): Abortable => {
  // Loaded with the first request, as `@azure/identity` is: it takes long.
  let client: HttpClient | undefined
  const signals = new AsyncLocalStorage<AbortSignal>()
  return {
    httpClient: {
      sendRequest: async (request) => {
        const signal = signals.getStore()
        // It stays with the request, so that a wait for the next attempt ends too.
        if (signal !== undefined) request.abortSignal = signal
        const { createDefaultHttpClient } = await import("@azure/core-rest-pipeline")
        client ??= createDefaultHttpClient()
        return client.sendRequest(request)
      }
    },
    run: (signal, call) => signals.run(signal, call)
  }
}
