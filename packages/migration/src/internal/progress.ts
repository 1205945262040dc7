/**
 * Computes progress from the events of a run. The state is mutable, since a run has a million events.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { FailureCount, State, Summary } from "../MigrationReport.ts"
import type { Event } from "./driver.ts"
import { notAtTarget } from "./store/states.ts"

interface OfRepository {
  readonly source: string
  readonly target: string
  artifacts: number
  sentBytes: number
  millis: number
}

/** The progress at a time in milliseconds. */
interface Sample {
  readonly at: number
  readonly done: number
  readonly bytes: number
}

export interface Tally {
  readonly startedAt: number
  pass: number
  phase: Summary["phase"]
  listed: number
  done: number
  left: number
  sentBytes: number
  readonly counts: Map<State, number>
  readonly failures: Map<string, FailureCount>
  problems: Summary["problems"]
  /** The newest copy that failed and is tried again, until an artifact is done. */
  retrying: Pick<Extract<Event, { readonly _tag: "AttemptFailed" }>, "source" | "target" | "detail"> | undefined
  readonly repositories: Map<string, OfRepository>
  /** Samples of this phase, the oldest first. */
  samples: ReadonlyArray<Sample>
}

export const make = (startedAt: number): Tally => ({
  startedAt,
  pass: 0,
  phase: "inventory",
  listed: 0,
  done: 0,
  left: 0,
  sentBytes: 0,
  counts: new Map(),
  failures: new Map(),
  problems: [],
  retrying: undefined,
  repositories: new Map(),
  samples: []
})

const second = 1000
const minute = 60 * second

/** The maximum number of samples. In a long phase, they are further apart. */
const mostSamples = 600

const sampled = (tally: Tally, now: number): void => {
  const last = tally.samples.at(-1)
  if (last !== undefined && now - last.at < second) return
  const samples = [...tally.samples, { at: now, done: tally.done, bytes: tally.sentBytes }]
  const isRecent = ({ at }: Sample): boolean => now - at <= 2 * minute
  tally.samples =
    samples.length <= mostSamples ? samples : samples.filter((one, index) => index % 2 === 0 || isRecent(one))
}

const keyOf = (failure: Pick<FailureCount, "class" | "state">): string => `${failure.state} ${failure.class}`

/** Takes the totals from the database, which also has those of earlier calls. */
const reconcile = (tally: Tally, { failures, problems, totals }: Summary): void => {
  tally.counts.clear()
  for (const { count, state } of totals) tally.counts.set(state, count)
  tally.failures.clear()
  for (const failure of failures) tally.failures.set(keyOf(failure), failure)
  tally.problems = problems
}

const added = (counts: Map<State, number>, state: State, count: number): void => {
  counts.set(state, Math.max(0, (counts.get(state) ?? 0) + count))
}

const noteArtifact = (tally: Tally, event: Extract<Event, { readonly _tag: "ArtifactDone" }>, now: number): void => {
  const { class: kind, millis, sentBytes, source, state, target } = event
  tally.retrying = undefined
  tally.done += 1
  tally.left = Math.max(0, tally.left - 1)
  tally.sentBytes += sentBytes
  added(tally.counts, "planned", -1)
  added(tally.counts, state, 1)
  if (kind !== undefined && notAtTarget.includes(state)) {
    const key = keyOf({ state, class: kind })
    tally.failures.set(key, { state, class: kind, count: (tally.failures.get(key)?.count ?? 0) + 1 })
  }
  const name = `${source}\n${target}`
  const repository = tally.repositories.get(name) ?? { source, target, artifacts: 0, sentBytes: 0, millis: 0 }
  repository.artifacts += 1
  repository.sentBytes += sentBytes
  repository.millis += millis
  tally.repositories.set(name, repository)
  sampled(tally, now)
}

const order: Readonly<Record<Summary["phase"], number>> = { inventory: 0, copy: 1, done: 2 }

/** Takes the progress of all processes. One from before this process got further is left out. */
const noteCounted = (tally: Tally, summary: Summary, now: number): void => {
  const { pass, phase, repositories, totals } = summary
  const isSamePass = pass === tally.pass
  if (pass < tally.pass || (isSamePass && order[phase] < order[tally.phase])) return
  const left = phase === "copy" ? (totals.find(({ state }) => state === "planned")?.count ?? 0) : 0
  const isSamePhase = isSamePass && phase === tally.phase
  if (isSamePhase) {
    tally.done = Math.max(tally.done, tally.done + tally.left - left)
  } else {
    tally.pass = pass
    tally.phase = phase
    tally.done = phase === "done" && isSamePass ? tally.done : 0
    tally.samples = []
  }
  tally.left = left
  if (phase !== "inventory") tally.listed = repositories
  if (phase === "copy") sampled(tally, now)
  if (phase !== "inventory") reconcile(tally, summary)
}

export const note = (tally: Tally, event: Event, now: number): void => {
  switch (event._tag) {
    case "PassBegan":
      tally.pass = event.pass
      tally.phase = "inventory"
      tally.listed = 0
      tally.retrying = undefined
      tally.done = 0
      tally.left = 0
      tally.samples = []
      return
    case "Listed":
      tally.listed += 1
      return
    case "Planned":
      tally.pass = event.pass
      tally.phase = "copy"
      tally.done = 0
      tally.left = event.artifacts
      tally.samples = []
      sampled(tally, now)
      reconcile(tally, event.summary)
      return
    case "ArtifactDone":
      noteArtifact(tally, event, now)
      return
    case "AttemptFailed":
      tally.retrying = { source: event.source, target: event.target, detail: event.detail }
      return
    case "BatchDone":
      return
    case "Counted":
      noteCounted(tally, event.summary, now)
      return
    case "RunDone":
      tally.phase = "done"
      tally.retrying = undefined
      tally.left = 0
      reconcile(tally, event.summary)
  }
}

/** The rate per second over a window that ends now, or over the whole phase if that is shorter. */
const rateWithin = (
  { done, samples, sentBytes }: Tally,
  window: number,
  now: number
): { readonly artifacts: number; readonly bytes: number } | undefined => {
  const first = samples.findLast(({ at }) => now - at >= window) ?? samples.at(0)
  if (first === undefined || now - first.at < second) return undefined
  const seconds = (now - first.at) / second
  return { artifacts: (done - first.done) / seconds, bytes: (sentBytes - first.bytes) / seconds }
}

const timeLeft = (tally: Tally, now: number): number | undefined => {
  const began = tally.samples.at(0)?.at ?? now
  // A phase is slow at first, while shared blobs are sent. The rate of the last minute alone would jump.
  const rate = rateWithin(tally, Math.max(minute, (now - began) / 2), now)
  return rate === undefined || rate.artifacts <= 0 ? undefined : (tally.left / rate.artifacts) * second
}

const mostSlow = 10

const slowest = ({ repositories }: Tally): ReadonlyArray<OfRepository> => {
  let found: ReadonlyArray<OfRepository> = []
  for (const repository of repositories.values()) {
    if (found.length === mostSlow && repository.millis <= (found.at(-1)?.millis ?? 0)) continue
    found = [...found, repository].toSorted((one, other) => other.millis - one.millis).slice(0, mostSlow)
  }
  return found
}

/** The progress as `MigrationProgress.Progress`. */
export const current = (tally: Tally, now: number) => {
  const rate = tally.phase === "copy" ? rateWithin(tally, minute, now) : undefined
  const left = tally.phase === "copy" ? timeLeft(tally, now) : undefined
  return {
    startedAt: DateTime.makeUnsafe(tally.startedAt),
    at: DateTime.makeUnsafe(now),
    pass: tally.pass,
    phase: tally.phase,
    listed: tally.listed,
    done: tally.done,
    left: tally.left,
    sentBytes: tally.sentBytes,
    ...(rate === undefined ? {} : { artifactsPerMinute: rate.artifacts * 60, bytesPerSecond: rate.bytes }),
    ...(tally.retrying === undefined ? {} : { retrying: tally.retrying }),
    ...(left === undefined ? {} : { timeLeft: Duration.millis(Math.round(left)) }),
    totals: Array.from(tally.counts, ([state, count]) => ({ state, count })).filter(({ count }) => count > 0),
    failures: Array.from(tally.failures.values()).toSorted((one, other) => other.count - one.count),
    problems: tally.problems,
    slowest: slowest(tally).map(({ millis, ...repository }) => ({
      ...repository,
      copyTime: Duration.millis(Math.round(millis))
    }))
  }
}
