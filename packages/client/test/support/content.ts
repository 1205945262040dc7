/**
 * `RegistryContent` with a scripted registry.
 */
import { createHash } from "node:crypto"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as RegistryContent from "../../src/RegistryContent.ts"
import type { RetryPolicy } from "../../src/RetryPolicy.ts"
import { registry, type Script } from "./registry.ts"

/** A number of attempts without progress, with no wait in between. */
export const patient: RetryPolicy = {
  schedule: Schedule.recurs(3),
  maxRetryAfter: "1 minute",
  attemptTimeout: "30 seconds"
}

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`

export const content = (script: Script, retry: RetryPolicy = patient) =>
  RegistryContent.layerTransport().pipe(Layer.provideMerge(registry(script, { retry })))
