/**
 * The progress of a run as one line.
 */
import type * as MigrationProgress from "@effect-acr/migration/MigrationProgress"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Draw from "../progress/draw.ts"
import type { Shown } from "../progress/progress.ts"
import { artifacts } from "./answers.ts"

const inTotal = ({ totals }: MigrationProgress.Progress, wanted: ReadonlyArray<string>): number =>
  totals.reduce((sum, { count, state }) => (wanted.includes(state) ? sum + count : sum), 0)

/** The parts of the line, the most important one first. */
const partsOf = (progress: MigrationProgress.Progress): ReadonlyArray<string> => {
  const { bytesPerSecond, done, left, listed, pass, phase, sentBytes, timeLeft } = progress
  // The lock of a killed process is waited for.
  if (pass === 0) return ["starting"]
  if (phase !== "copy") return [`listing, pass ${pass}`, `${listed} ${listed === 1 ? "repository" : "repositories"}`]
  const whole = done + left
  const failed = inTotal(progress, ["failed", "refused"])
  return [
    `copying, pass ${pass}`,
    `${done} of ${artifacts(whole)}`,
    ...(whole === 0 ? [] : [Draw.percent(done, whole)]),
    ...(timeLeft === undefined ? [] : [`${Draw.duration(Duration.toSeconds(timeLeft))} left`]),
    ...(bytesPerSecond === undefined ? [] : [`${Draw.size(bytesPerSecond)}/s`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    `${Draw.size(sentBytes)} sent`
  ]
}

export const of = ({ current }: MigrationProgress.Tracker): Shown => ({
  lines: ({ columns }) => Effect.map(current, (progress) => [Draw.fitting(partsOf(progress), columns - 1)]),
  summary: Effect.map(current, (progress) => partsOf(progress).join("  ")),
  done: Effect.map(
    current,
    ({ done, sentBytes }) => `${artifacts(done)} done in this pass, ${Draw.size(sentBytes)} sent`
  )
})
