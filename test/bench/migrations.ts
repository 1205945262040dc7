/**
 * Migrations by processes: killed, and several at once.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { randoms } from "../../packages/migration/test/support/process.ts"
import { type End, rehearse } from "../../packages/migration/test/support/rehearsal.ts"
import * as Postgres from "../support/postgres.ts"
import { type Case, mebibyte } from "./case.ts"
import type { Figure } from "./report.ts"

const seed = 20_261_128

/** What must be as after a process that nothing has disturbed. */
const figuresOf = (
  { artifacts, differences, isComplete, neededBytes, sentBytes }: End,
  { bytesInFlight, images, kills }: { readonly bytesInFlight: number; readonly images: number; readonly kills: number }
): ReadonlyArray<Figure> => [
  { what: "runs that say that all is at the target", values: [isComplete ? 1 : 0], unit: "", atLeast: 1 },
  { what: "artifacts that are at the target", values: [artifacts], unit: "", atLeast: images },
  { what: "tags that differ or name something broken", values: [differences.length], unit: "", atMost: 0 },
  { what: "bytes that are needed", values: [neededBytes / mebibyte], unit: "MiB" },
  {
    what: "bytes sent beyond those",
    values: [(sentBytes - neededBytes) / mebibyte],
    unit: "MiB",
    atMost: (kills * bytesInFlight) / mebibyte
  }
]

const secondsSince = (started: number) => Effect.map(Clock.currentTimeMillis, (now) => (now - started) / 1000)

const killedAlone: Case = {
  name: "migration-kills",
  title: "a migration that works alone, with SQLite, killed a hundred times at random",
  isAlone: true,
  run: Effect.fnUntraced(function* () {
    const [kills, images, longestLifeMillis] = [100, 500, 500]
    const limits = { batch: 50, copies: 4, bytesInFlight: mebibyte }
    const { broken, end, startAlone } = yield* rehearse({
      images,
      repositories: 20,
      layerBytes: 100_000,
      limits,
      roundTripMillis: 40
    })
    const random = randoms(seed)
    const started = yield* Clock.currentTimeMillis
    let done = 0
    let brokenTags = 0
    for (let time = 0; time < kills; time++) {
      const { child, ended, until } = yield* startAlone
      yield* until(/^began/m)
      yield* Effect.sleep(random() * longestLifeMillis)
      if (child.exitCode === null) done++
      child.kill("SIGKILL")
      yield* ended
      // The suite looks after each kill. Here, looking would take longer than what is looked at.
      if (time % 10 === 9) brokenTags += (yield* broken).length
    }
    yield* (yield* startAlone).ended
    return [
      { what: "kills", values: [done], unit: "", atLeast: kills },
      { what: "tags of broken content after each tenth kill", values: [brokenTags], unit: "", atMost: 0 },
      ...figuresOf(yield* end, { bytesInFlight: limits.bytesInFlight, images, kills }),
      { what: "time", values: [yield* secondsSince(started)], unit: "s" }
    ]
  })
}

const killedTogether: Case = {
  name: "migration-runner-kills",
  title: "a migration by three processes with PostgreSQL, of which one is killed and replaced every few seconds",
  isAlone: true,
  needs: ["postgresql"],
  run: Effect.fnUntraced(function* () {
    const images = 1000
    const limits = { batch: 10, copies: 2, bytesInFlight: mebibyte }
    const { broken, end, startTogether } = yield* rehearse({
      images,
      repositories: 30,
      layerBytes: 100_000,
      limits,
      roundTripMillis: 40,
      url: yield* Postgres.start
    })
    const random = randoms(seed)
    const started = yield* Clock.currentTimeMillis
    const runners = [yield* startTogether(), yield* startTogether(), yield* startTogether()]
    let kills = 0
    let brokenTags = 0
    while (runners.every(({ child }) => child.exitCode === null)) {
      yield* Effect.sleep(3000 + random() * 4000)
      const victim = Math.floor(random() * runners.length)
      const killed = runners[victim]
      if (killed === undefined || killed.child.exitCode !== null) break
      killed.child.kill("SIGKILL")
      kills++
      if (kills % 10 === 0) brokenTags += (yield* broken).length
      runners[victim] = yield* startTogether()
    }
    yield* Effect.forEach(runners, ({ ended }) => ended, { concurrency: "unbounded" })
    return [
      { what: "kills", values: [kills], unit: "", atLeast: 5 },
      { what: "tags of broken content after each tenth kill", values: [brokenTags], unit: "", atMost: 0 },
      ...figuresOf(yield* end, { bytesInFlight: limits.bytesInFlight, images, kills: kills + runners.length }),
      { what: "time", values: [yield* secondsSince(started)], unit: "s" }
    ]
  })
}

/** The seconds that so many processes take to copy, from the plan to the next pass. */
const secondsOf = Effect.fnUntraced(function* (processes: number, images: number, url: string) {
  const { end, startTogether } = yield* rehearse({
    images,
    repositories: 24,
    layerBytes: 1000,
    limits: { batch: 5, copies: 8, bytesInFlight: mebibyte },
    roundTripMillis: 200,
    url
  })
  const runners = yield* Effect.all(Array.from({ length: processes }, () => startTogether()))
  const until = (line: RegExp) =>
    Effect.andThen(
      Effect.raceAll(
        runners.map(({ until }) =>
          Effect.flatMap(until(line), (printed) => (line.test(printed) ? Effect.void : Effect.never))
        )
      ),
      Clock.currentTimeMillis
    )
  const [planned, copied] = [yield* until(/^planned 1 /m), yield* until(/^began 2/m)]
  yield* Effect.forEach(runners, ({ ended }) => ended, { concurrency: "unbounded" })
  const { artifacts } = yield* end
  return { artifacts, seconds: (copied - planned) / 1000 }
})

const together: Case = {
  name: "migration-runners",
  title: "a migration by one process and by three, with PostgreSQL, where a round trip takes 200 ms",
  isAlone: true,
  needs: ["postgresql"],
  run: Effect.fnUntraced(function* () {
    const images = 720
    const one = yield* Effect.scoped(Effect.flatMap(Postgres.start, (url) => secondsOf(1, images, url)))
    const three = yield* Effect.scoped(Effect.flatMap(Postgres.start, (url) => secondsOf(3, images, url)))
    return [
      { what: "artifacts that both have copied", values: [one.artifacts, three.artifacts], unit: "", atLeast: images },
      { what: "time of one", values: [one.seconds], unit: "s" },
      { what: "time of three", values: [three.seconds], unit: "s" },
      { what: "work of three ÷ work of one", values: [one.seconds / three.seconds], unit: "×", atLeast: 2.7 }
    ]
  })
}

export const migrations: ReadonlyArray<Case> = [killedAlone, killedTogether, together]
