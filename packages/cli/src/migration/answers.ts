/**
 * The answers of the verbs of migrations: plans, states of runs and reports.
 */
import { printable } from "@effect-acr/client/Printable"
import type { Event } from "@effect-acr/migration/Migration"
import * as MigrationPlan from "@effect-acr/migration/MigrationPlan"
import * as MigrationReport from "@effect-acr/migration/MigrationReport"
import type * as MigrationRules from "@effect-acr/migration/MigrationRules"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Answer from "../answer.ts"
import { exitCodes } from "../exitCode.ts"
import * as Draw from "../progress/draw.ts"
import { size } from "../size.ts"
import { pairs, type View } from "../table.ts"

const { leastDuration: _, ...planFields } = MigrationPlan.Plan.fields

/** What a run would do. */
export const planDocument = Answer.document({
  ...planFields,
  /** How long the requests take at least, within the limits of the rules, in milliseconds. */
  leastMillis: Schema.optionalKey(Schema.Natural)
})

/** How far a run is. */
export const statusDocument = Answer.document({
  /** The name of the run. */
  name: Schema.String,
  /** Whether everything is at the target. */
  isComplete: Schema.Boolean,
  ...MigrationReport.Summary.fields
})

/** The outcome of each artifact. */
export const reportDocument = Answer.document({ outcomes: Schema.Array(MigrationReport.Outcome) })

export type ArtifactDone = Extract<Event, { readonly _tag: "ArtifactDone" }>

export type AttemptFailed = Extract<Event, { readonly _tag: "AttemptFailed" }>

export type Planned = Extract<Event, { readonly _tag: "Planned" }>

type Entry = readonly [name: string, values: string | ReadonlyArray<string>]

/** A repository by its names on both sides. */
const named = (source: string, target: string): string => (source === target ? source : `${source} -> ${target}`)

export const artifacts = (count: number): string => `${count} ${count === 1 ? "artifact" : "artifacts"}`

const counted = (view: View, count: number, bytes: number): string =>
  bytes === 0 ? artifacts(count) : `${artifacts(count)} of ${size(view, bytes)}${view.isTerminal ? "" : " bytes"}`

/** An entry, or none if it has no values. */
const some = (name: string, values: ReadonlyArray<string>): ReadonlyArray<Entry> =>
  values.length === 0 ? [] : [[name, values]]

type Problem = MigrationReport.RepositoryProblem

/** Problems with one cause for many repositories, which share a line. The others each need a change of the rules. */
const shared: Readonly<Partial<Record<Problem["problem"], string>>> = {
  notListed: "are not listed by the source",
  targetNotListed: "are not listed by the target",
  unavailable: "cannot be reached now",
  leftOut: "have lists with records that cannot be read"
}

const problemLine = ({ detail, source, target }: Problem): string => `${named(source, target)}: ${detail}`

const problemLines = (problems: ReadonlyArray<Problem>): ReadonlyArray<string> =>
  Object.values(Arr.groupBy(problems, ({ problem }) => problem)).flatMap((alike) => {
    const [first] = alike
    const what = shared[first.problem]
    return what === undefined || alike.length === 1
      ? alike.map(problemLine)
      : [`${alike.length} repositories ${what}, the first is ${problemLine(first)}`]
  })

/** The problems of repositories, as a line while a run works. None if there are none. */
export const problemsLine = (problems: ReadonlyArray<Problem>): string | undefined => {
  const [first, ...others] = problems
  if (first === undefined) return undefined
  const all = others.length === 0 ? "" : `${problems.length} repositories, the first is `
  return printable(`not copied so far: ${all}${problemLine(first)}`)
}

/**
 * The exit code of an incomplete run or plan: `unavailable` if all that failed may work later. If nothing failed, artifacts are
 * left to copy, for example since the target confirms what it does not keep.
 */
export const codeOf = (problems: ReadonlyArray<Problem>, failures: ReadonlyArray<MigrationReport.FailureCount>) => {
  const failed = failures.filter(({ state }) => state !== "skipped" && state !== "vanished")
  const mayWorkLater =
    problems.every(({ problem }) => problem === "unavailable") &&
    failed.every(({ class: kind }) => kind === "transient")
  return mayWorkLater && problems.length + failed.length > 0 ? exitCodes.unavailable : exitCodes.partly
}

const requestLine = ({ loginServer, read, referrers, write }: MigrationPlan.Requests): string =>
  `${loginServer}: about ${read} reads, ${write} writes, ${referrers} lists of referrers`

/** Why the least time may be short beside the estimated numbers of requests. */
const leastCounts = "the requests of one minute may be sent at once, and those for blobs are not counted"

const leastTime = (leastDuration: Duration.Duration | undefined): string =>
  leastDuration === undefined
    ? "as long as the bytes take: the rules limit no requests (limits.registries)"
    : `${Draw.duration(Duration.toSeconds(leastDuration))}, by the limits of requests alone: ${leastCounts}`

const tags = (count: number, one: string, several: string): string =>
  count === 1 ? `1 tag of the target ${one}` : `${count} tags of the target ${several}`

type OnTag = Exclude<MigrationRules.Rules["onTag"], undefined>

/** What becomes of tags of the target that name something else. */
const becomes = (onTag: OnTag, count: number): string => {
  const them = count === 1 ? "it" : "them"
  const whichOnTag: Readonly<Record<OnTag, string>> = {
    overwrite: `moves ${them}`,
    keep: `leaves ${them}`,
    fail: `leaves ${them}, and the run incomplete`
  }
  return `onTag is ${onTag}, which ${whichOnTag[onTag]}`
}

/** What may happen to tags that the target has. */
const tagLines = ({ otherTags, unknownTags }: Pick<MigrationPlan.Plan, "otherTags" | "unknownTags">, onTag: OnTag) => [
  ...(otherTags === 0 ? [] : [`${tags(otherTags, "names", "name")} something else: ${becomes(onTag, otherTags)}`]),
  ...(unknownTags === 0 ? [] : [`${tags(unknownTags, "may name", "may name")} something else, which it does not list`])
]

/** The answer of a plan. If a run would not copy everything, the exit code says so. */
export const ofPlan = (
  { leastDuration, ...plan }: MigrationPlan.Plan,
  { onTag = "overwrite" }: MigrationRules.Rules
): Answer.Answer => {
  const failsTags = onTag === "fail" && plan.otherTags > 0
  const least = leastDuration === undefined ? {} : { leastMillis: Math.ceil(Duration.toMillis(leastDuration)) }
  return Answer.make(
    planDocument,
    { ...plan, ...least },
    {
      text: (view) =>
        pairs(view, [
          ["repositories", String(plan.repositories)],
          ["to copy", counted(view, plan.artifacts, plan.bytes)],
          ["there already", artifacts(plan.present)],
          ...some("tags", tagLines(plan, onTag)),
          ["takes at least", leastTime(leastDuration)],
          ...some("requests", plan.requests.map(requestLine)),
          ...some("not copied", problemLines(plan.problems))
        ]),
      code: failsTags ? exitCodes.partly : plan.problems.length === 0 ? exitCodes.done : codeOf(plan.problems, [])
    }
  )
}

const phases: Readonly<Record<MigrationReport.Summary["phase"], string>> = {
  inventory: "listing and comparing",
  copy: "copying",
  done: "done"
}

const states: Readonly<Record<MigrationReport.State, string>> = {
  planned: "to copy",
  copied: "copied",
  present: "there already",
  verified: "verified",
  failed: "failed",
  refused: "refused",
  skipped: "skipped",
  vanished: "vanished"
}

const notThere: ReadonlySet<MigrationReport.State> = new Set(["failed", "refused", "skipped"])

/** Why an artifact is not at the target, as a line while a run works. None if it is there. */
export const missingLine = (artifact: ArtifactDone): string | undefined => {
  const { class: kind, detail, digest, source, state, target } = artifact
  if (kind === undefined || !notThere.has(state)) return undefined
  const why = [kind, detail].filter((part) => part !== undefined).join(": ")
  return printable(`${states[state]} ${named(source, target)}@${digest}: ${why} (printed once for each reason)`)
}

/** A copy that failed and is tried again, as a line while a run works. */
export const retryLine = ({ detail, digest, source, target }: AttemptFailed): string =>
  printable(`trying again ${named(source, target)}@${digest}: ${detail} (printed once a minute at most)`)

/** How far a run is. */
export const ofStatus = (name: string, summary: MigrationReport.Summary): Answer.Answer =>
  Answer.make(
    statusDocument,
    { name, isComplete: MigrationReport.isComplete(summary), ...summary },
    {
      text: (view) =>
        pairs(view, [
          ["run", name],
          ["phase", `${phases[summary.phase]}, pass ${summary.pass}`],
          ["repositories", String(summary.repositories)],
          ...summary.totals.map(({ bytes, count, state }): Entry => [states[state], counted(view, count, bytes)]),
          ...some(
            "why",
            summary.failures.map(({ class: kind, count, state }) => `${artifacts(count)} ${states[state]}: ${kind}`)
          ),
          ...some("not copied", problemLines(summary.problems)),
          ["complete", MigrationReport.isComplete(summary) ? "yes" : "no"]
        ])
    }
  )

/** An artifact by its repository and digest, those of the target only where they differ. */
const artifactOf = ({ digest, source, target, targetDigest }: MigrationReport.Outcome): string =>
  targetDigest === undefined ? `${named(source, target)}@${digest}` : `${source}@${digest} -> ${target}@${targetDigest}`

/** An artifact as a line: its outcome, its names on both sides, its tags, and the reason. */
export const lineOf = (outcome: MigrationReport.Outcome): string => {
  const { class: kind, detail, state, tags } = outcome
  const why = [kind, detail].filter((part) => part !== undefined).join(": ")
  return [state, artifactOf(outcome), tags.join(","), why].map(printable).join("\t").trimEnd()
}
