/**
 * The journal of a retention run, so that an interrupted run can be resumed.
 *
 * @since 0.1.0
 */
import { Digest } from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { RetentionError } from "./RetentionError.ts"
import { Plan } from "./RetentionPlan.ts"
import { Outcome } from "./RetentionReport.ts"

/**
 * Records the outcome of each action of a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetentionJournal {
  /**
   * Begins or resumes the run of a plan, and returns the outcomes recorded so far. Fails with `OtherPlan` if the journal belongs
   * to another plan.
   */
  readonly begin: (plan: Plan) => Effect.Effect<ReadonlyArray<Outcome>, RetentionError>
  /** Records the outcome of an action. The run continues once it is written. */
  readonly record: (outcome: Outcome) => Effect.Effect<void, RetentionError>
}

/** The first line. */
const Header = Schema.Struct({
  registry: Schema.String,
  repository: Schema.String,
  plan: Digest
})

const encodePlan = Schema.encodeEffect(Schema.fromJsonString(Plan))
const headerLine = Schema.fromJsonString(Header)
const outcomeLine = Schema.fromJsonString(Outcome)
const encodeHeader = Schema.encodeEffect(headerLine)
const encodeOutcome = Schema.encodeEffect(outcomeLine)
const decodeHeader = Schema.decodeUnknownOption(headerLine)
const decodeOutcome = Schema.decodeUnknownOption(outcomeLine)

const otherPlan = (path: string) =>
  Effect.fail(
    new RetentionError({
      problem: "OtherPlan",
      description: `the journal ${path} belongs to another plan: resume that plan, or use another file`
    })
  )

const failed =
  (path: string) =>
  ({ message }: PlatformError | Schema.SchemaError): RetentionError =>
    new RetentionError({ problem: "JournalFailed", description: `the journal ${path} failed: ${message}` })

const encoder = new TextEncoder()

const headerOf = (plan: Plan) =>
  Effect.gen(function* () {
    const { registry, repository } = plan
    const bytes = encoder.encode(yield* encodePlan(plan))
    return { registry, repository, plan: Hasher.digest(yield* Hasher.Hasher, "sha256", bytes) }
  })

/**
 * Opens a journal in a file: one line of JSON for the plan, and one for each action. The file is created if it does not exist,
 * and is closed with the scope.
 *
 * **When to use**
 *
 * Use as the option `journal` of `Retention.apply` for long runs that may be interrupted.
 *
 * **Details**
 *
 * A line that a crash truncated is ignored: the resumed run checks the object again and finds it gone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = (
  path: string
): Effect.Effect<RetentionJournal, RetentionError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const file = yield* files.open(path, { flag: "a+" })
    const oneAtATime = yield* Semaphore.make(1)

    /** Not synced: if a crash of the machine loses a line, the resumed run only checks that object again. */
    const write = (line: string) => oneAtATime.withPermit(file.writeAll(encoder.encode(`${line}\n`)))

    return {
      begin: (plan) =>
        Effect.gen(function* () {
          const header = yield* headerOf(plan)
          const text = yield* files.readFileString(path)
          const [first = "", ...lines] = text.split("\n")
          const written = decodeHeader(first)
          if (Option.isNone(written)) {
            if (text.includes("\n")) return yield* otherPlan(path)
            // The file is empty, or has a truncated header.
            yield* file.truncate(0)
            yield* write(yield* encodeHeader(header))
            return []
          }
          if (written.value.plan !== header.plan) return yield* otherPlan(path)
          // After a truncated line, the next record begins on its own line.
          if (!text.endsWith("\n")) yield* write("")
          return lines.flatMap((line) => Option.toArray(decodeOutcome(line)))
        }).pipe(Effect.catchTag(["PlatformError", "SchemaError"], (error) => Effect.fail(failed(path)(error)))),
      record: (outcome) => Effect.mapError(Effect.flatMap(encodeOutcome(outcome), write), failed(path))
    } satisfies RetentionJournal
  }).pipe(Effect.catchTag("PlatformError", (error) => Effect.fail(failed(path)(error))))
