/**
 * Copies between stores, as `cp`, `import` and `export` make them: with their progress, their events and their report.
 */
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Answer from "./answer.ts"
import type { StoreError } from "./failure.ts"
import * as Output from "./output.ts"
import * as Draw from "./progress/draw.ts"
import * as Progress from "./progress/progress.ts"
import { ofCopy, together } from "./progress/state.ts"
import { settings } from "./settings.ts"
import { table } from "./table.ts"

/** One artifact to copy. */
export interface Job {
  readonly source: Reader<StoreError>
  readonly target: ContentStore<StoreError>
  readonly reference: string
  readonly options: Copy.Options
}

type Failed = CopyError<StoreError | Copy.Fault>

/** The JSON document of verbs that copy: a report for each artifact. */
export const document = Answer.document({ reports: Schema.Array(Copy.Report) })

const encodeEvent = Schema.encodeUnknownEffect(Schema.fromJsonString(Copy.Event))

/** The events of copies, one after the other. */
const eventsOf = (jobs: ReadonlyArray<Job>, { note }: Progress.Progress): Stream.Stream<Copy.Event, Failed> =>
  Stream.fromIterable(jobs).pipe(
    Stream.flatMap(({ options, reference, source, target }) => Copy.events(source, target, reference, options)),
    Stream.tap((event) => Option.match(ofCopy(event), { onNone: () => Effect.void, onSome: note }))
  )

const isFinished = ({ _tag }: Copy.Event): boolean => _tag === "Finished"

const reportOf = (event: Copy.Event): ReadonlyArray<Copy.Report> => (event._tag === "Finished" ? [event.report] : [])

const totalsLine = (reports: ReadonlyArray<Copy.Report>): string => {
  const prefix = reports.some(({ isDryRun }) => isDryRun) ? "dry run; " : ""
  return `${prefix}${Draw.totals(together(reports.map(Copy.totals)))}`
}

const rowsOf = ({ root, tags }: Copy.Report): ReadonlyArray<ReadonlyArray<string>> =>
  tags.length === 0 ? [[root]] : tags.map(({ outcome, tag }) => [root, tag, outcome])

/** What a verb answers after copies. */
const answerOf = (reports: ReadonlyArray<Copy.Report>): Answer.Answer =>
  Answer.make(
    document,
    { reports },
    {
      text: (view) => table(view, ["DIGEST", "TAG", "OUTCOME"], reports.flatMap(rowsOf)),
      quiet: reports.map(({ root }) => root)
    }
  )

/** Copies, and prints the events as lines of JSON. */
const printEvents = (jobs: ReadonlyArray<Job>) =>
  Progress.during(Progress.printsEvents, (progress) =>
    Output.printAll(
      Stream.mapEffect(eventsOf(jobs, progress), (event) =>
        Effect.map(Effect.orDie(encodeEvent(event)), (line) => `${line}\n`)
      )
    )
  )

/** Copies, and returns the reports. */
const runAll = (jobs: ReadonlyArray<Job>) =>
  Progress.during(Progress.continues, (progress) =>
    Effect.map(Stream.runCollect(Stream.filter(eventsOf(jobs, progress), isFinished)), (events) =>
      events.flatMap(reportOf)
    )
  )

/** Copies, and prints in the format that the flags choose. */
export const printCopies = Effect.fnUntraced(function* (jobs: ReadonlyArray<Job>) {
  const { format } = yield* settings
  if (format === "jsonl") return yield* printEvents(jobs)
  const reports = yield* runAll(jobs)
  yield* Answer.print(answerOf(reports))
  if (format === "text") yield* Output.tell(totalsLine(reports))
})
