/**
 * Makes the requests of `@azure/identity` abortable.
 *
 * Most of its credentials take an abort signal and ignore it: the request runs until its response. So the signal is set
 * on the requests themselves. An `AsyncLocalStorage` carries it through the calls in between.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import type { HttpClient } from "@azure/core-rest-pipeline"

export interface Abortable {
  /** Sends the requests. */
  readonly httpClient: HttpClient
  /** Runs a call. The signal aborts its requests. */
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
        // The request keeps the signal, so that it also ends the wait before a retry.
        if (signal !== undefined) request.abortSignal = signal
        const { createDefaultHttpClient } = await import("@azure/core-rest-pipeline")
        client ??= createDefaultHttpClient()
        return client.sendRequest(request)
      }
    },
    run: (signal, call) => signals.run(signal, call)
  }
}
