/**
 * A benchmark: who does what on which server, and what is made of it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Job } from "./job.ts"
import type { Figure } from "./report.ts"
import {
  type Contestants,
  does,
  median,
  type Name,
  type Outcomes,
  perRound,
  type Rounds,
  type Script
} from "./turns.ts"

export const mebibyte = 1024 * 1024

/** Lets contestants have their turns, in as many rounds as were asked for. */
export type Turns = (contestants: Contestants) => Effect.Effect<Rounds, unknown, Scope.Scope>

export interface Case {
  readonly name: string
  readonly title: string
  readonly run: (turns: Turns) => Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope>
  /** Whether it runs only if it is named: it takes long. */
  readonly isAlone?: boolean
  /** The programs without which there is nothing to measure. */
  readonly needs?: ReadonlyArray<string>
  /** The programs that take part where they are there. */
  readonly wants?: ReadonlyArray<string>
}

export const bareLoops = ["undici", "node:https"] as const

/** The same job for several contestants, each after the same preparation. */
export const everyone = (
  names: ReadonlyArray<Script>,
  job: Job,
  before: Effect.Effect<unknown> = Effect.void
): Contestants => Object.fromEntries(names.map((name) => [name, () => Effect.andThen(before, does(name, job))]))

const titles: { readonly [name in Name]: string } = {
  ours: "ours",
  lessMemory: "ours with less memory",
  azure: "Azure SDK",
  effect: "Effect alone",
  undici: "bare loop",
  "node:https": "bare loop",
  eacr: "eacr",
  executable: "executable",
  skopeo: "skopeo",
  crane: "crane",
  oras: "oras",
  regctl: "regctl"
}

/** How many times as fast as another contestant one was, in each round. */
export const ratio = (took: Rounds, one: Name, other: Name, before = ""): Figure => ({
  what: `${before}${titles[one]} ÷ ${titles[other]}`,
  values: perRound(took[other], took[one], (theirs, own) => theirs.seconds / own.seconds),
  unit: "×"
})

/** The same for this library, with its goal. */
export const speed = (took: Rounds, other: Name, atLeast?: number, before = ""): Figure => ({
  ...ratio(took, "ours", other, before),
  ...(atLeast === undefined ? {} : { atLeast })
})

/** The bare loop, whichever took part and was the faster one in this run. */
const fasterLoop = (took: Rounds): Name => {
  const secondsOf = (name: Name) => median((took[name] ?? []).map(({ seconds }) => seconds))
  const [first, second] = bareLoops
  return secondsOf(second) < secondsOf(first) ? second : first
}

/** The same against the bare loop. */
export const bareSpeed = (took: Rounds, atLeast?: number, before = ""): Figure =>
  speed(took, fasterLoop(took), atLeast, before)

/** How near a program on Effect comes to the bare loop, without this library. */
export const effectSpeed = (took: Rounds, before = ""): Figure => ratio(took, "effect", fasterLoop(took), before)

/** How far anybody could get ahead of the Azure SDK on this machine. */
export const limitSpeed = (took: Rounds, before = ""): Figure => ratio(took, fasterLoop(took), "azure", before)

/** The most memory that the processes of a contestant held. */
export const memory = (outcomes: Outcomes = [], what: string): Figure => ({
  what,
  values: outcomes.map(({ peakRssBytes }) => peakRssBytes / mebibyte),
  unit: "MiB"
})
