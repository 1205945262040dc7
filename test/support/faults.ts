/**
 * Faults, systematically: one for each request of an operation, each kind, each position in a body.
 */
import type * as Fault from "@effect-acr/emulator/Fault"
import type { JournalEntry } from "@effect-acr/emulator/Journal"

/** A request of the undisturbed operation, and how many bytes go each way with it. */
export interface Step {
  /** How many requests come before it. */
  readonly index: number
  readonly server: JournalEntry["server"]
  readonly method: string
  readonly path: string
  readonly requestBytes: number
  readonly responseBytes: number
}

/** An operation that meets a fault. */
export interface Case {
  readonly name: string
  readonly kind: string
  readonly step: Step
  readonly consequence: Fault.Consequence
}

const answer = (status: number, headers: { readonly [name: string]: string } = {}): Fault.Consequence => ({
  _tag: "Answer",
  status,
  headers,
  body: JSON.stringify({ errors: [{ code: "TEST", message: "a fault" }] })
})

/** What can happen to any request. */
const everywhere = (challenge: string): ReadonlyArray<readonly [string, Fault.Consequence]> => [
  ["reset", { _tag: "Reset" }],
  ["stall", { _tag: "Stall" }],
  ["lost answer", { _tag: "LostAnswer" }],
  ["429", answer(429)],
  ["429 with Retry-After", answer(429, { "Retry-After": "1" })],
  ["500", answer(500)],
  ["502", answer(502)],
  ["503", answer(503)],
  ["503 with Retry-After", answer(503, { "Retry-After": "1" })],
  ["401", answer(401, { "WWW-Authenticate": challenge })]
]

/** The beginning, the middle and the end of a body. */
const positions = (bytes: number): ReadonlyArray<number> =>
  bytes === 0 ? [] : Array.from(new Set([0, Math.floor(bytes / 2), bytes - 1]))

/** What can happen to a body, at a byte of it. */
const inBodies = ({
  requestBytes,
  responseBytes
}: Step): ReadonlyArray<readonly [kind: string, position: number, Fault.Consequence]> => [
  ...positions(requestBytes).flatMap((at) => [
    ["reset of the request", at, { _tag: "ResetRequest", afterBytes: at }] as const,
    ["stall of the request", at, { _tag: "StallRequest", afterBytes: at }] as const
  ]),
  ...positions(responseBytes).flatMap((at) => [
    ["truncation", at, { _tag: "CutBody", afterBytes: at }] as const,
    ["stall of the answer", at, { _tag: "StallBody", afterBytes: at }] as const,
    ["corruption", at, { _tag: "CorruptBody", atByte: at }] as const
  ])
]

/** All faults of all steps. */
export const casesOf = (steps: ReadonlyArray<Step>, challenge: string): ReadonlyArray<Case> =>
  steps.flatMap((step) => {
    const where = `request ${step.index + 1}, ${step.method} ${step.path.replace(/[0-9a-f-]{30,}/g, "…")}`
    return [
      ...everywhere(challenge).map(([kind, consequence]) => ({
        name: `${kind} at ${where}`,
        kind,
        step,
        consequence
      })),
      ...inBodies(step).map(([kind, position, consequence]) => ({
        name: `${kind} at byte ${position} of ${where}`,
        kind,
        step,
        consequence
      }))
    ]
  })
