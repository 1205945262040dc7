/**
 * The copies of `cp`, `import` and `export`: their progress, their events and their report.
 */
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import type * as Registries from "@effect-acr/client/Registries"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Answer from "./answer.ts"
import { tagOutcome } from "./dryRun.ts"
import { exitCodes } from "./exitCode.ts"
import { Failure, format } from "./failure.ts"
import { Ended, movesTags, Refused, type StoreError } from "./problem.ts"
import { readingOf } from "./reading.ts"
import * as LeftBehind from "./leftBehind.ts"
import * as Locks from "./locks.ts"
import * as Output from "./output.ts"
import * as Place from "./place.ts"
import * as Draw from "./progress/draw.ts"
import * as Progress from "./progress/progress.ts"
import { ofCopy, together } from "./progress/state.ts"
import { settings } from "./settings.ts"
import { table } from "./table.ts"
import { tagIn } from "./target.ts"

/** One artifact to copy. */
export interface Job {
  readonly source: Reader<StoreError>
  readonly target: ContentStore<StoreError>
  readonly reference: string
  readonly options: Copy.Options
}

type Problem = CopyError<StoreError | Copy.Fault>

/** The JSON document of verbs that copy: a report for each artifact. */
export const document = Answer.document({
  reports: Schema.Array(Copy.Report),
  /** The artifacts that could not be copied, if there were several. */
  failed: Schema.Array(Schema.Struct({ reference: Schema.String, problem: Schema.String }))
})

/** One of several copies failed. */
const Failed = Schema.TaggedStruct("Failed", { reference: Schema.String, problem: Schema.String })

/** A line of `--jsonl`. */
export const Line = Schema.Union([Copy.Event, Failed])

const encodeLine = Schema.encodeUnknownEffect(Schema.fromJsonString(Line))

/** One of several copies failed, and why. */
interface FailedCopy {
  readonly _tag: "Failed"
  readonly reference: string
  readonly error: Problem
}

type Event = Copy.Event | FailedCopy

/** The events of copies, one after the other. A failure of one does not end the others. */
const eventsOf = (jobs: ReadonlyArray<Job>, { note }: Progress.Progress): Stream.Stream<Event, Problem> =>
  Stream.fromIterable(jobs).pipe(
    Stream.flatMap(({ options, reference, source, target }) => {
      const events: Stream.Stream<Event, Problem> = Copy.events(source, target, reference, options).pipe(
        Stream.tap((event) => Option.match(ofCopy(event), { onNone: () => Effect.void, onSome: note }))
      )
      return jobs.length === 1
        ? events
        : Stream.catch(events, (error) => Stream.make<[FailedCopy]>({ _tag: "Failed", reference, error }))
    })
  )

const reportOf = (event: Event): ReadonlyArray<Copy.Report> => (event._tag === "Finished" ? [event.report] : [])

const failedOf = (event: Event): ReadonlyArray<FailedCopy> => (event._tag === "Failed" ? [event] : [])

const problemOf = ({ error, reference }: FailedCopy) => ({ reference, problem: readingOf(error).why })

const lineOf = (event: Event): typeof Line.Type =>
  event._tag === "Failed" ? { _tag: "Failed", ...problemOf(event) } : event

/** A copy does not look at the blobs of an image that the target has, unless `--verify` is set. */
const uncounted = (jobs: ReadonlyArray<Job>, reports: ReadonlyArray<Copy.Report>): string => {
  const isThere = reports.some(({ nodes }) =>
    nodes.some(({ kind, outcome }) => kind === "manifest" && outcome === "present")
  )
  return isThere && jobs.some(({ options }) => options.trust !== "walk") ? " (images without their blobs)" : ""
}

const totalsLine = (jobs: ReadonlyArray<Job>, reports: ReadonlyArray<Copy.Report>): string => {
  const prefix = reports.some(({ isDryRun }) => isDryRun) ? "dry run, would be " : ""
  return `${prefix}${Draw.totals(together(reports.map(Copy.totals)), uncounted(jobs, reports))}`
}

/** What a tag of the target names after the copy. A tag that was kept names something else. */
const namedBy = ({ root }: Copy.Report, { outcome, previous = root }: Copy.Report["tags"][number]): string =>
  outcome === "kept" ? previous : root

const rowsOf = (report: Copy.Report): ReadonlyArray<ReadonlyArray<string>> =>
  report.tags.length === 0
    ? [[report.root]]
    : report.tags.map((tag) => [namedBy(report, tag), tag.tag, tagOutcome(report.isDryRun, tag.outcome)])

const digestsOf = (report: Copy.Report): ReadonlyArray<string> =>
  report.tags.length === 0 ? [report.root] : Array.from(new Set(report.tags.map((tag) => namedBy(report, tag))))

/** The answer of a verb that copies. */
const answerOf = (reports: ReadonlyArray<Copy.Report>, failed: ReadonlyArray<FailedCopy>): Answer.Answer =>
  Answer.make(
    document,
    { reports, failed: failed.map(problemOf) },
    {
      text: (view) =>
        table(
          view,
          ["DIGEST", "TAG", "OUTCOME"],
          [...reports.flatMap(rowsOf), ...failed.map(({ reference }) => ["", reference, "failed"])]
        ),
      quiet: reports.flatMap(digestsOf)
    }
  )

/** Reports why copies failed. If all failed, the first error is the failure of the verb. */
const tellFailed = Effect.fnUntraced(function* (isAny: boolean, failed: ReadonlyArray<FailedCopy>) {
  const [first] = failed
  if (first !== undefined && !isAny) return yield* first.error
  yield* Effect.forEach(
    failed,
    ({ error, reference }) => Output.tell(format(new Failure({ what: `copy ${reference}`, ...readingOf(error) }))),
    { discard: true }
  )
})

/** Ends with the exit code for partial success if copies failed. */
const endWith = (failed: ReadonlyArray<FailedCopy>) =>
  failed.length === 0 ? Effect.void : Effect.fail(new Ended({ code: exitCodes.partly }))

/** The tags that the copies set or move, or would with `--dry-run`. */
const setBy = (reports: ReadonlyArray<Copy.Report>): ReadonlyArray<string> =>
  reports
    .flatMap(({ tags }) => tags)
    .filter(({ outcome }) => outcome === "set" || outcome === "moved")
    .map(({ tag }) => tag)

/** With `--dry-run`, fails as the copies would if a lock of the target forbids them. */
const foresee = (registry: Option.Option<Registries.Opened>, reports: ReadonlyArray<Copy.Report>) => {
  const tags = setBy(reports.filter(({ isDryRun }) => isDryRun))
  return tags.length === 0 ? Effect.void : Locks.expectWritable(registry, tags)
}

/** Reports what belongs to the artifacts and is not copied. A copy within one repository leaves nothing behind. */
const tellLeftBehind = Effect.fnUntraced(function* (
  [job]: ReadonlyArray<Job>,
  reports: ReadonlyArray<Copy.Report>,
  takesCosignTags: string
) {
  if (job === undefined || job.options.referrers === false || Place.isSame(job.source, job.target)) return
  const { options, source } = job
  const ofReport = Effect.fnUntraced(function* (report: Copy.Report) {
    if (report.root === report.source && options.cosignTags === true) return []
    const tags = yield* LeftBehind.cosignTags(source, [report.source])
    return report.root === report.source
      ? LeftBehind.cosignLine(tags, takesCosignTags)
      : LeftBehind.indexLine(yield* LeftBehind.referrers(source, report.source), tags, report.source)
  })
  yield* LeftBehind.tell(Effect.map(Effect.forEach(reports, ofReport), (lines) => [...new Set(lines.flat())]))
})

/** Copies, and prints the events as lines of JSON. Returns the reports. */
const printEvents = Effect.fnUntraced(function* (jobs: ReadonlyArray<Job>, registry: Option.Option<Registries.Opened>) {
  const failed: Array<FailedCopy> = []
  const reports: Array<Copy.Report> = []
  yield* Progress.during(Progress.printsEvents, (progress) =>
    Output.printAll(
      Stream.mapEffect(eventsOf(jobs, progress), (event) => {
        failed.push(...failedOf(event))
        reports.push(...reportOf(event))
        return Effect.map(Effect.orDie(encodeLine(lineOf(event))), (line) => `${line}\n`)
      })
    )
  )
  yield* tellFailed(failed.length < jobs.length, failed)
  yield* foresee(registry, reports)
  return { failed, reports }
})

/** Copies, and returns the reports and the failures. */
const runAll = (jobs: ReadonlyArray<Job>) =>
  Progress.during(Progress.continues, (progress) =>
    Stream.runFold(
      eventsOf(jobs, progress),
      (): { readonly reports: ReadonlyArray<Copy.Report>; readonly failed: ReadonlyArray<FailedCopy> } => ({
        reports: [],
        failed: []
      }),
      ({ failed, reports }, event) => ({
        reports: [...reports, ...reportOf(event)],
        failed: [...failed, ...failedOf(event)]
      })
    )
  )

/** Why a copy may not set its tags, if so. */
const conflictOf = ({ options, reference, source, target }: Job) =>
  Effect.gen(function* () {
    const named = yield* Effect.forEach(options.tags ?? [reference, tagIn(reference)], target.resolve)
    if (named.every(Option.isNone)) return Option.none<string>()
    // A copy looks at its tags before it reads the graph.
    return yield* Copy.run(source, target, reference, { ...options, isDryRun: true }).pipe(
      Effect.as(Option.none<string>()),
      Effect.catchIf(
        ({ cause }) => cause._tag === "TagExists",
        ({ cause }) => Effect.succeedSome(cause.message)
      )
    )
  })

const lookupsAtOnce = 8

/** With `--on-tag fail`, checks all tags before the first of several artifacts is copied. */
const expectFree = Effect.fnUntraced(function* (jobs: ReadonlyArray<Job>) {
  const careful = jobs.length === 1 ? [] : jobs.filter(({ options }) => options.onTag === "fail")
  const conflicts = Arr.getSomes(yield* Effect.forEach(careful, conflictOf, { concurrency: lookupsAtOnce }))
  if (conflicts.length === 0) return
  return yield* new Refused({ description: ["nothing was copied:", ...conflicts].join("\n"), help: movesTags })
})

/** Copies, and prints one answer for all. Returns the reports. */
const printReports = Effect.fnUntraced(function* (
  jobs: ReadonlyArray<Job>,
  registry: Option.Option<Registries.Opened>
) {
  const { format: chosen } = yield* settings
  const { failed, reports } = yield* runAll(jobs)
  yield* tellFailed(reports.length > 0, failed)
  yield* foresee(registry, reports)
  yield* Answer.print(answerOf(reports, failed))
  if (chosen === "text") yield* Output.tell(totalsLine(jobs, reports))
  return { failed, reports }
})

/** The two sides of the copies. */
interface Sides {
  /** The registry of the target, to read its locks. Defaults to none, for a layout. */
  readonly registry?: Option.Option<Registries.Opened>
  /** How to include the tags of cosign that stay behind. Leave it out if the call copies all tags. */
  readonly takesCosignTags?: string
}

/** Copies, and prints the answer in the format of the flags. */
export const printCopies = Effect.fnUntraced(function* (
  jobs: ReadonlyArray<Job>,
  { registry = Option.none(), takesCosignTags }: Sides
) {
  const { format: chosen } = yield* settings
  yield* expectFree(jobs)
  const { failed, reports } = yield* chosen === "jsonl" ? printEvents(jobs, registry) : printReports(jobs, registry)
  if (takesCosignTags !== undefined) yield* tellLeftBehind(jobs, reports, takesCosignTags)
  yield* endWith(failed)
})
