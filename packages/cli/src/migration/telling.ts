/**
 * What a run tells on standard error while it works, besides its progress.
 */
import type { Event } from "@effect-acr/migration/Migration"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Output from "../output.ts"
import * as Answers from "./answers.ts"

/** The time between two lines about copies that are tried again. */
const retriesToldEvery = Duration.minutes(1)

/**
 * Makes a function that tells why an artifact is not at the target, once for each reason, which copies are tried again, and which
 * repositories have a problem: a run may work for hours before its answer says so.
 */
export const make = Effect.gen(function* () {
  const told = yield* Ref.make<ReadonlySet<string>>(new Set())
  const nextRetry = yield* Ref.make(0)
  const tellReason = Effect.fnUntraced(function* (event: Answers.ArtifactDone) {
    const line = Answers.missingLine(event)
    if (line === undefined) return
    const reason = `${event.state} ${event.class}`
    const isNew = yield* Ref.modify(told, (before) => [!before.has(reason), new Set(before).add(reason)])
    if (isNew) yield* Output.tell(line)
  })
  const tellRetry = Effect.fnUntraced(function* (event: Answers.AttemptFailed) {
    const now = yield* Clock.currentTimeMillis
    if (now < (yield* Ref.get(nextRetry))) return
    yield* Ref.set(nextRetry, now + Duration.toMillis(retriesToldEvery))
    yield* Output.tell(Answers.retryLine(event))
  })
  const problemsTold = yield* Ref.make(0)
  const tellProblems = Effect.fnUntraced(function* ({ artifacts, summary: { problems } }: Answers.Planned) {
    const before = yield* Ref.getAndSet(problemsTold, problems.length)
    const line = Answers.problemsLine(problems)
    // Where nothing is left to copy, the answer follows at once.
    if (line !== undefined && artifacts > 0 && problems.length !== before) yield* Output.tell(line)
  })
  return (event: Event) => {
    if (event._tag === "ArtifactDone") return tellReason(event)
    if (event._tag === "Planned") return tellProblems(event)
    return event._tag === "AttemptFailed" ? tellRetry(event) : Effect.void
  }
})
