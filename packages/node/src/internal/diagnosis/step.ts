/**
 * What a step of a diagnosis finds.
 */
import { RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import * as Duration from "effect/Duration"

/**
 * The steps, in their order: the name in the DNS; the connection with TLS; the registry's API and how it wants callers to log
 * in; the clock of this machine; the login; an access token for the repository; and the rights to list repositories, to list
 * tags, to pull and to push.
 *
 * @category models
 * @since 0.1.0
 */
export type StepName =
  | "name"
  | "connection"
  | "api"
  | "clock"
  | "login"
  | "token"
  | "repositories"
  | "tags"
  | "pull"
  | "push"

/**
 * What a step found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  /** What was checked. */
  readonly name: StepName
  /** `skipped` if an earlier step failed that this one needs, or if nothing asks for it. */
  readonly outcome: "ok" | "failed" | "skipped"
  /** What was found, for people: addresses, the names of the certificate, rights. */
  readonly facts: ReadonlyArray<string>
  /** Why it failed or was skipped. */
  readonly why?: string
  /** What to do. */
  readonly advice?: string
  /** The error of the request that failed, if it was one. */
  readonly error?: RegistryError
}

/** What became of a step. */
export type Outcome = Omit<Step, "name">

export const ok = (...facts: ReadonlyArray<string>): Outcome => ({ outcome: "ok", facts })
export const skipped = (why: string): Outcome => ({ outcome: "skipped", facts: [], why })
export const failed = (why: string, advice: string, facts: ReadonlyArray<string> = []): Outcome => ({
  outcome: "failed",
  facts,
  why,
  advice
})

export const refused = (error: RegistryError, advice: string): Outcome => ({
  ...failed(error.reason.message, advice),
  error
})

/** A server that accepts connections and never answers is found out by the time that a step takes. */
export const tooLate = (limit: Duration.Duration, advice: string): Outcome =>
  refused(
    new RegistryError({
      operation: "Diagnosis.steps",
      reason: new Unavailable({
        description: `it timed out: no answer within ${Duration.format(limit)}`,
        code: "TIMEOUT"
      })
    }),
    advice
  )
