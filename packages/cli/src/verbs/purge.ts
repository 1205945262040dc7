/**
 * Deletes tags and manifests by rules, and keeps all that remaining tags need.
 */
import * as NamePatterns from "@effect-acr/artifacts/NamePatterns"
import * as Retention from "@effect-acr/artifacts/Retention"
import { RetentionError } from "@effect-acr/artifacts/RetentionError"
import type * as RetentionPlan from "@effect-acr/artifacts/RetentionPlan"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import { printable } from "@effect-acr/client/Printable"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Age from "../age.ts"
import * as Answer from "../answer.ts"
import { confirm, yesFlag } from "../confirm.ts"
import { dryRunFlag } from "../dryRun.ts"
import { exitCodes } from "../exitCode.ts"
import { NotThere, Unsafe, WrongCall } from "../problem.ts"
import { readingOf } from "../reading.ts"
import * as InTurn from "../inTurn.ts"
import * as Output from "../output.ts"
import * as Place from "../place.ts"
import * as PlanFile from "../planFile.ts"
import * as Program from "../program.ts"
import * as PurgeLimits from "../purgeLimits.ts"
import { rulesOf, type Wish } from "../purgeRules.ts"
import * as Verb from "../verb.ts"

export { plansDocument } from "../planFile.ts"

/** The outcomes of the plans. */
export const document = Answer.document({
  reports: Schema.Array(RetentionReport.Report),
  /** Plans that failed or were not reached, if there were several. */
  failed: Schema.Array(Schema.Struct({ repository: Schema.String, problem: Schema.String }))
})

type Plan = RetentionPlan.Plan

const ageFlag = Flag.String("older-than").pipe(
  Flag.withMetavar("AGE"),
  Flag.withDescription(
    "With --untagged or --tags: delete only what last changed longer ago than this, such as 30d or 2w. Anything younger than one day is always kept, unless --rules FILE sets another safetyAge"
  ),
  Flag.filterMap(Age.parse, (text) => `Expected an age of at least a minute, such as 30d, 2w or 12h, got ${text}`),
  Flag.optional
)

const flags = {
  rules: Flag.String("rules").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "A JSON file with rules, the least age (safetyAge), limits and repositories. Described in docs/retention.md"
    ),
    Flag.optional
  ),
  untagged: Flag.Boolean("untagged").pipe(
    Flag.withDescription("Delete manifests that have no tag and that no tagged manifest needs"),
    Flag.withoutNegation,
    Flag.withDefault(false)
  ),
  tags: Flag.String("tags").pipe(
    Flag.withMetavar("PATTERN"),
    Flag.withDescription(
      "Delete tags that match, such as build-*, and the images that no remaining tag needs. It can be repeated"
    ),
    Flag.atLeast(0)
  ),
  keep: Flag.Int("keep").pipe(
    Flag.withMetavar("COUNT"),
    Flag.withDescription("With --tags: keep this many of the matching tags, the newest"),
    Flag.filter(
      (count) => count >= 0,
      (count) => `Expected 0 or more, got ${count}`
    ),
    Flag.optional
  ),
  olderThan: ageFlag,
  maxFraction: Flag.Finite("max-fraction").pipe(
    Flag.withMetavar("FRACTION"),
    Flag.withDescription(
      "With --untagged or --tags: refuse to delete more than this fraction of the tags or of the manifests, from 0 to 1. Defaults to 0.5. At least one tag must remain, unless --rules FILE sets another minRemaining"
    ),
    Flag.filter(
      (fraction) => fraction >= 0 && fraction <= 1,
      (fraction) => `Expected a fraction from 0 to 1, such as 0.8, got ${fraction}`
    ),
    Flag.optional
  ),
  plan: Flag.String("plan").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Write the plan to a file, and delete nothing. An existing plan is replaced"),
    Flag.optional
  ),
  apply: Flag.String("apply").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Apply the plan in a file, at most one hour old. What changed since then is kept"),
    Flag.optional
  ),
  dryRun: dryRunFlag,
  yes: yesFlag
}

interface Given extends Wish {
  readonly rules: Option.Option<string>
}

const wrong = (description: string) => new WrongCall({ description })

/** Whether flags select what to delete. */
const isWish = ({ keep, maxFraction, olderThan, tags, untagged }: Wish): boolean =>
  untagged || tags.length > 0 || [keep, maxFraction, olderThan].some((flag) => Option.isSome<unknown>(flag))

/** The rules of a call: from its file, or from its flags. */
const rulesFor = Effect.fnUntraced(function* ({ rules, ...wish }: Given) {
  const own = rulesOf(wish)
  if (Option.isSome(rules) && isWish(wish)) return yield* wrong("rules are in a file or in flags, and not in both")
  if (Option.isSome(wish.keep) && wish.tags.length === 0) return yield* wrong("--keep belongs to --tags PATTERN")
  if (Option.isSome(rules)) {
    const files = yield* FileSystem.FileSystem
    return yield* RetentionRules.parse(yield* files.readFileString(rules.value))
  }
  if (Option.isSome(own)) {
    yield* Effect.mapError(Effect.fromResult(NamePatterns.compile({ include: wish.tags })), (problem) =>
      wrong(`${problem}\n--tags takes globs; regular expressions belong in --rules FILE`)
    )
    yield* Effect.mapError(Schema.encodeEffect(RetentionRules.Rules)(own.value), ({ message }) => wrong(message))
    return own.value
  }
  return yield* wrong("say what to delete: --untagged, --tags PATTERN, or --rules FILE")
})

/** The repositories of a registry that the rules apply to. */
const repositoriesOf = (registry: string, rules: RetentionRules.Rules) =>
  Effect.gen(function* () {
    const registries = yield* Registries.Registries
    const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(registry))
    return yield* content.repositories().pipe(
      Stream.filter((repository) => RetentionRules.isFor(rules, repository)),
      Stream.map((repository) => `${registry}/${repository}`),
      Stream.runCollect
    )
  })

/** Fails for the name of an artifact: a plan covers a whole repository. */
const expectRepository = (place: string) =>
  Place.isArtifact(place)
    ? Effect.fail(wrong(`${place} names an artifact. purge takes a repository; eacr rm deletes one artifact`))
    : Effect.void

const planFor = Effect.fnUntraced(function* (repository: string, rules: RetentionRules.Rules) {
  const target = yield* Retention.open(repository)
  return yield* Effect.fromResult(Retention.plan(yield* Retention.inventory(target), rules))
})

const planRepository = Effect.fnUntraced(function* (place: string, rules: RetentionRules.Rules) {
  yield* expectRepository(place)
  const plan = yield* planFor(place, rules)
  if (plan.tags.length > 0 || plan.manifests.length > 0) return [plan]
  return yield* new NotThere({ description: `${place} has no tags and no manifests: does it exist?` })
})

const planRegistry = Effect.fnUntraced(function* (registry: string, rules: RetentionRules.Rules) {
  return yield* Effect.forEach(yield* repositoriesOf(registry, rules), (repository) => planFor(repository, rules))
})

const planAll = Effect.fnUntraced(function* (place: string, given: Given) {
  const rules = yield* rulesFor(given)
  const isRegistry = Place.isRegistry(place)
  if (isRegistry && Option.isNone(given.rules)) {
    return yield* wrong(`${place} is a whole registry, for which --rules FILE says which repositories are meant`)
  }
  const plans = yield* isRegistry ? planRegistry(place, rules) : planRepository(place, rules)
  for (const pattern of Retention.unmatched(rules, plans)) yield* Output.tell(`warning: ${pattern}`)
  return plans
})

const outcomeLine = ({ detail, digest, outcome, tag }: RetentionReport.Outcome): string =>
  [outcome, ...(tag === undefined ? [] : [tag]), digest, ...(detail === undefined ? [] : [detail])].join("\t")

interface FailedPlan {
  readonly repository: string
  readonly problem: string
}

const nameOf = ({ registry, repository }: Pick<Plan, "registry" | "repository">): string => `${registry}/${repository}`

const statusOf = (report: RetentionReport.Report): string =>
  report.outcomes.length === 0 ? "nothing to delete" : RetentionReport.status(report)

const reportAnswer = (
  plans: ReadonlyArray<Plan>,
  reports: ReadonlyArray<RetentionReport.Report>,
  failed: ReadonlyArray<FailedPlan>
): Answer.Answer =>
  Answer.make(
    document,
    { reports, failed },
    {
      text: () => [
        ...reports.flatMap((report) => [
          `${nameOf(report)}\t${statusOf(report)}`,
          ...report.outcomes.map(outcomeLine),
          ...(report.stopped === undefined ? [] : [`stopped\t${report.stopped}`])
        ]),
        ...failed.map(({ problem, repository }) => `${repository}\tfailed\t${problem}`)
      ],
      quiet: reports.flatMap(({ outcomes }) =>
        outcomes.filter(({ outcome }) => outcome === "done").map(({ digest }) => digest)
      ),
      code: reports.every((report) => RetentionReport.status(report) === "done")
        ? PlanFile.codeOf(plans)
        : exitCodes.partly
    }
  )

/** The reason for keeping something, without details, so that equal reasons can be counted. */
const reasonOf = ({ because, by }: Pick<RetentionPlan.PlannedManifest, "because" | "by">): string =>
  by === "tag" ? "a tag that stays names it" : because

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? "" : "s"}`

/** Counts what is kept by reason, the most frequent reason first. */
const keptFor = (things: Plan["tags"] | Plan["manifests"], thing: string): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const reason of things.map(reasonOf)) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const reasons = Array.from(counts).toSorted(([, one], [, other]) => other - one)
  const rest = reasons.slice(mostReasons).reduce((sum, [, count]) => sum + count, 0)
  return [
    ...reasons.slice(0, mostReasons).map(([reason, count]) => `kept: ${counted(count, thing)}: ${reason}`),
    ...(rest === 0 ? [] : [`kept: ${counted(rest, thing)} for other reasons, which --dry-run shows`])
  ]
}

const mostReasons = 5

/** Reports why a plan deletes nothing. */
const tellKept = ({ manifests, tags, warnings }: Plan) =>
  Effect.forEach(
    [...keptFor(tags, "tag"), ...keptFor(manifests, "manifest"), ...warnings.map((line) => `warning: ${line}`)],
    (line) => Output.tell(printable(line)),
    { discard: true }
  )

/** Why there is no report of a plan. */
const problemOf = (fate: InTurn.Fate<RetentionReport.Report>, isReported: boolean): string | undefined => {
  switch (fate._tag) {
    case "Done":
      return undefined
    case "Failed":
      return readingOf(fate.problem).why
    case "Unknown":
      return isReported ? undefined : "it was interrupted before anything was deleted"
    case "NotReached":
      return "it was not reached"
  }
}

/** Warns if nothing of a plan was there. The report cannot tell a plan for another repository from one that was applied before. */
const tellGone = (report: RetentionReport.Report) =>
  report.outcomes.length > 0 && report.outcomes.every(({ outcome }) => outcome === "gone")
    ? Output.tell(
        `warning: nothing that the plan deletes is in ${nameOf(report)}: it was deleted before, or the plan is for another repository`
      )
    : Effect.void

/** Adds what helps to the refusal of a plan that exceeds its limits. */
const advised =
  (origin: PurgeLimits.Origin, plan: Plan) =>
  <A, E extends { readonly _tag: string }, R>(applying: Effect.Effect<A, E | RetentionError, R>) =>
    Effect.mapError(applying, (error) =>
      error instanceof RetentionError && error.problem === "LimitExceeded"
        ? new Unsafe({ description: error.message, help: PurgeLimits.help(origin, plan) })
        : error
    )

/** Applies plans, one repository after the other, even if some fail. */
const apply = Effect.fnUntraced(function* (plans: ReadonlyArray<Plan>, origin: PurgeLimits.Origin) {
  const interrupted: Array<RetentionReport.Report> = []
  const onInterrupt = (report: RetentionReport.Report) => Effect.sync(() => void interrupted.push(report))
  yield* Effect.forEach(
    plans.filter((plan) => PlanFile.deletions(plan) === 0),
    tellKept,
    { discard: true }
  )
  const steps = plans.map((plan) => ({
    what: `purge ${nameOf(plan)}`,
    act: Effect.flatMap(Retention.open(nameOf(plan)), (target) =>
      Retention.apply(target, plan, plan.rules, { onInterrupt }).pipe(advised(origin, plan), Effect.tap(tellGone))
    )
  }))
  yield* InTurn.run(steps, (fates) => {
    const reports = fates.flatMap((fate) => (fate._tag === "Done" ? [fate.value] : []))
    const failed = fates.flatMap((fate, index): ReadonlyArray<FailedPlan> => {
      const plan = plans[index]
      const problem = problemOf(fate, interrupted.length > 0)
      return plan === undefined || problem === undefined ? [] : [{ repository: nameOf(plan), problem }]
    })
    return reportAnswer(plans, [...reports, ...interrupted], failed)
  })
})

/** Shows plans and asks. */
const confirmed = Effect.fnUntraced(function* (
  plans: ReadonlyArray<Plan>,
  origin: PurgeLimits.Origin,
  isSure: boolean
) {
  const count = plans.reduce((sum, plan) => sum + PlanFile.deletions(plan), 0)
  const isConfirmed =
    count === 0 || (yield* confirm(isSure, plans.map(Retention.format), `Delete ${count} tags and manifests?`))
  if (isConfirmed) return yield* apply(plans, origin)
  return yield* Answer.print({ ...PlanFile.answerOf(plans), code: exitCodes.no })
})

const originOf = ({ rules }: Given): PurgeLimits.Origin =>
  Option.match(rules, { onNone: () => ({ _tag: "Flags" }), onSome: (file) => ({ _tag: "Rules", file }) })

type Purpose = "apply" | "show" | { readonly file: string }

const purposeOf = (planned: Option.Option<string>, dryRun: boolean): Purpose => {
  if (Option.isSome(planned)) return { file: planned.value }
  return dryRun ? "show" : "apply"
}

const program = (place: Option.Option<string>, { rules, ...wish }: Given, purpose: Purpose): Program.Program => {
  const reading = Option.match(rules, {
    onSome: (file): Program.Program => ({
      imports: { [Program.artifacts]: ["RetentionRules"], [Program.effect]: ["FileSystem"] },
      lines: [
        "const files = yield* FileSystem.FileSystem",
        `const rules = yield* RetentionRules.parse(yield* files.readFileString(${Program.literal(file)}))`
      ]
    }),
    onNone: (): Program.Program => ({
      imports: { [Program.artifacts]: ["RetentionRules"] },
      lines: [`const rules = yield* RetentionRules.parse(${Program.text(jsonOf(wish))})`]
    })
  })
  const planning: Program.Program = {
    imports: { [Program.artifacts]: ["Retention"], [Program.effect]: ["Console"] },
    lines: [
      `const target = yield* Retention.open(${Program.literal(Option.getOrElse(place, () => ""))})`,
      "const inventory = yield* Retention.inventory(target)",
      "const plan = yield* Effect.fromResult(Retention.plan(inventory, rules))",
      "yield* Console.log(Retention.format(plan))"
    ]
  }
  return Program.join(reading, planning, endOf(purpose))
}

const plansLine = "const Plans = Schema.fromJsonString(Schema.Struct({ plans: Schema.Array(RetentionPlan.Plan) }))"

const endOf = (purpose: Purpose): Program.Program => {
  if (purpose === "show") return { imports: {}, lines: [] }
  if (purpose === "apply") return { imports: {}, lines: ["yield* Retention.apply(target, plan, rules)"] }
  return {
    imports: { [Program.artifacts]: ["RetentionPlan"], [Program.effect]: ["FileSystem", "Schema"] },
    lines: [
      plansLine,
      "const text = yield* Schema.encodeEffect(Plans)({ plans: [plan] })",
      `yield* (yield* FileSystem.FileSystem).writeFileString(${Program.literal(purpose.file)}, text)`
    ]
  }
}

const encodeRules = Schema.encodeOption(RetentionRules.Rules)

/** The rules of the flags, as a file would have them. The verb refuses flags without rules when it runs. */
const jsonOf = (wish: Wish): string =>
  Option.match(Option.flatMap(rulesOf(wish), encodeRules), {
    onNone: () => "{}",
    onSome: (rules) => JSON.stringify(rules, undefined, 2)
  })

const applyProgram = (file: string): Program.Program => ({
  imports: { [Program.artifacts]: ["Retention", "RetentionPlan"], [Program.effect]: ["FileSystem", "Schema"] },
  lines: [
    plansLine,
    "const files = yield* FileSystem.FileSystem",
    `const { plans } = yield* Schema.decodeEffect(Plans)(yield* files.readFileString(${Program.literal(file)}))`,
    "for (const plan of plans) {",
    "  const target = yield* Retention.open(`${plan.registry}/${plan.repository}`)",
    "  yield* Retention.apply(target, plan, plan.rules)",
    "}"
  ]
})

export const purge = Command.make(
  "purge",
  {
    place: Argument.String("repository").pipe(
      Argument.withDescription("registry/repository, or with --rules a whole registry. None with --apply"),
      Argument.optional
    ),
    ...flags
  },
  ({ apply: applied, dryRun, place, plan: planned, yes, ...given }) =>
    Verb.run(
      {
        what: `purge ${Option.getOrElse(
          Option.orElse(place, () => applied),
          () => "a repository"
        )}`,
        isDryRun: Option.isSome(applied) && dryRun,
        program: Option.isSome(applied)
          ? applyProgram(applied.value)
          : program(place, given, purposeOf(planned, dryRun))
      },
      Effect.gen(function* () {
        if (Option.isSome(applied)) {
          if (Option.isSome(place) || Option.isSome(planned) || Option.isSome(given.rules) || isWish(given)) {
            return yield* wrong(
              "--apply takes everything from the file: leave out the repository, rules, limits and --plan"
            )
          }
          const plans = yield* Effect.forEach(yield* PlanFile.read(applied.value), PlanFile.judgedAgain)
          return dryRun
            ? yield* Answer.print(PlanFile.answerOf(plans))
            : yield* confirmed(plans, { _tag: "Plan", file: applied.value }, yes)
        }
        if (Option.isNone(place)) return yield* wrong("say which repository: registry/repository")
        if (Option.isSome(planned) && dryRun) {
          return yield* wrong("--plan deletes nothing, so it does not combine with --dry-run")
        }
        const plans = yield* planAll(place.value, given)
        if (Option.isSome(planned)) return yield* PlanFile.write(planned.value, plans)
        if (dryRun) return yield* Answer.print(PlanFile.answerOf(plans))
        return yield* confirmed(plans, originOf(given), yes)
      })
    )
).pipe(
  Verb.described({
    does: "Delete tags and manifests by rules, and keep all that remaining tags need",
    examples: [
      {
        command: "eacr purge myregistry.azurecr.io/shop/api --untagged --older-than 30d --dry-run",
        description: "Show which manifests without a tag would be deleted"
      },
      {
        command: "eacr purge myregistry.azurecr.io/shop/api --tags 'build-*' --keep 10 --plan plan.json",
        description: "Write a plan to review"
      },
      { command: "eacr purge --apply plan.json --yes", description: "Apply the plan" }
    ]
  })
)
