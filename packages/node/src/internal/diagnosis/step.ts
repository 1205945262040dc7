/**
 * The results of the steps of a diagnosis.
 */
import { type ConnectionProblem, RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import * as Duration from "effect/Duration"

/**
 * The steps in order: the name in the DNS; the connection with TLS; the registry's API and its kind of login; the clock
 * of this machine; the login; an access token for the repository; and the rights to list repositories, to list tags, to
 * pull and to push.
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
 * The result of a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  /** The step. */
  readonly name: StepName
  /** `skipped` if a step that this one needs has failed, or if the options do not request it. */
  readonly outcome: "ok" | "failed" | "skipped"
  /** The findings, as texts for humans: addresses, the names of the certificate, rights. */
  readonly facts: ReadonlyArray<string>
  /** Why it failed or was skipped. */
  readonly why?: string
  /** What the user can do about it. */
  readonly advice?: string
  /** The error of the failed request or connection, if there was one. */
  readonly error?: RegistryError
}

/** The result of a step, without its name. */
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

/** The error of a step that found the server unavailable. */
export const unavailable = (
  description: string,
  { code, problem }: { readonly code: string; readonly problem?: ConnectionProblem | undefined }
): RegistryError =>
  new RegistryError({
    operation: "Diagnosis.steps",
    reason: new Unavailable({
      description,
      ...(code === "" ? {} : { code }),
      ...(problem === undefined ? {} : { problem })
    })
  })

/** The outcome of a step that timed out, such as with a server that accepts connections and never responds. */
export const tooLate = (limit: Duration.Duration, advice: string): Outcome =>
  refused(unavailable(`it timed out: no response within ${Duration.format(limit)}`, { code: "TIMEOUT" }), advice)
