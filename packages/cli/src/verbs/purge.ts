/**
 * Deletes tags and manifests by rules, and nothing that what stays needs.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionPlan from "@effect-acr/artifacts/RetentionPlan"
import * as RetentionReport from "@effect-acr/artifacts/RetentionReport"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import * as Reference from "@effect-acr/client/Reference"
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
import { WrongCall } from "../failure.ts"
import * as Output from "../output.ts"
import * as Program from "../program.ts"
import { rulesOf, type Wish } from "../purgeRules.ts"
import * as Verb from "../verb.ts"

/** The plans of a call, which a file keeps between `--plan` and `--apply`. */
export const plansDocument = Answer.document({ plans: Schema.Array(RetentionPlan.Plan) })

/** What became of the plans. */
export const document = Answer.document({ reports: Schema.Array(RetentionReport.Report) })

type Plan = RetentionPlan.Plan

const ageFlag = Flag.String("older-than").pipe(
  Flag.withMetavar("AGE"),
  Flag.withDescription("Delete only what was last changed longer ago than this: 30d, 2w, 12h"),
  Flag.filterMap(Age.parse, (text) => `Expected an age as 30d, 2w or 12h, got ${text}`),
  Flag.optional
)

const flags = {
  rules: Flag.String("rules").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("A JSON file with rules"),
    Flag.optional
  ),
  untagged: Flag.Boolean("untagged").pipe(
    Flag.withDescription("Delete manifests that have no tag and that nothing with a tag needs"),
    Flag.withoutNegation,
    Flag.withDefault(false)
  ),
  tags: Flag.String("tags").pipe(
    Flag.withMetavar("PATTERN"),
    Flag.withDescription("Delete tags that match, such as build-*. It can be repeated"),
    Flag.atLeast(0)
  ),
  keep: Flag.Int("keep").pipe(
    Flag.withMetavar("COUNT"),
    Flag.withDescription("Keep this many of the tags that match, the newest"),
    Flag.optional
  ),
  olderThan: ageFlag,
  plan: Flag.String("plan").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Write the plan into a file, and delete nothing"),
    Flag.optional
  ),
  apply: Flag.String("apply").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Carry out the plan in a file. What changed since then stays"),
    Flag.optional
  ),
  dryRun: dryRunFlag,
  yes: yesFlag
}

interface Given extends Wish {
  readonly rules: Option.Option<string>
}

const wrong = (description: string) => new WrongCall({ description })

/** The rules of a call: those of a file, or those that the flags stand for. */
const rulesFor = Effect.fnUntraced(function* ({ rules, ...wish }: Given) {
  const own = rulesOf(wish)
  if (Option.isSome(rules)) {
    if (Option.isSome(own)) return yield* wrong("rules are in a file or in flags, and not in both")
    const files = yield* FileSystem.FileSystem
    return yield* RetentionRules.parse(yield* files.readFileString(rules.value))
  }
  if (Option.isSome(own)) {
    yield* Effect.mapError(Schema.encodeEffect(RetentionRules.Rules)(own.value), ({ message }) => wrong(message))
    return own.value
  }
  return yield* wrong("it has to be said what to delete: --untagged, --tags PATTERN, or --rules FILE")
})

/** The repositories that an argument names: one, or those of a registry that the rules are for. */
const repositoriesOf = (place: string, rules: RetentionRules.Rules) =>
  Schema.is(Reference.Registry)(place)
    ? Effect.gen(function* () {
        const registries = yield* Registries.Registries
        const content = yield* Effect.provide(RegistryContent.RegistryContent, registries.layerFor(place))
        return yield* content.repositories().pipe(
          Stream.filter((repository) => RetentionRules.isFor(rules, repository)),
          Stream.map((repository) => `${place}/${repository}`),
          Stream.runCollect
        )
      })
    : Effect.succeed([place])

const planFor = Effect.fnUntraced(function* (repository: string, rules: RetentionRules.Rules) {
  const target = yield* Retention.open(repository)
  return yield* Effect.fromResult(Retention.plan(yield* Retention.inventory(target), rules))
})

const planAll = Effect.fnUntraced(function* (place: string, given: Given) {
  const rules = yield* rulesFor(given)
  const plans = yield* Effect.forEach(yield* repositoriesOf(place, rules), (repository) => planFor(repository, rules))
  for (const pattern of Retention.unmatched(rules, plans)) yield* Output.tell(`warning: ${pattern}`)
  return plans
})

const PlansFile = Schema.fromJsonString(plansDocument)

const readPlans = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* files.readFileString(file)
  const { plans } = yield* Effect.mapError(Schema.decodeEffect(PlansFile)(text), ({ message }) =>
    wrong(`${file} holds no plan of this version of eacr: ${message}`)
  )
  return plans
})

const deletions = ({ frees }: Plan): number => frees.tags + frees.manifests

const planAnswer = (plans: ReadonlyArray<Plan>): Answer.Answer =>
  Answer.make(
    plansDocument,
    { plans },
    {
      text: () => plans.flatMap((plan, index) => [...(index === 0 ? [] : [""]), Retention.format(plan)]),
      quiet: plans.flatMap(({ manifests }) =>
        manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => digest)
      )
    }
  )

const outcomeLine = ({ detail, digest, outcome, tag }: RetentionReport.Outcome): string =>
  [outcome, ...(tag === undefined ? [] : [tag]), digest, ...(detail === undefined ? [] : [detail])].join("\t")

const reportAnswer = (reports: ReadonlyArray<RetentionReport.Report>): Answer.Answer =>
  Answer.make(
    document,
    { reports },
    {
      text: () =>
        reports.flatMap((report) => [
          `${report.registry}/${report.repository}\t${RetentionReport.status(report)}`,
          ...report.outcomes.map(outcomeLine),
          ...(report.stopped === undefined ? [] : [`stopped\t${report.stopped}`])
        ]),
      quiet: reports.flatMap(({ outcomes }) =>
        outcomes.filter(({ outcome }) => outcome === "done").map(({ digest }) => digest)
      ),
      code: reports.every((report) => RetentionReport.status(report) === "done") ? exitCodes.done : exitCodes.partly
    }
  )

/** Carries out plans, one repository after the other, so that what goes wrong in one is seen before the next. */
const apply = (plans: ReadonlyArray<Plan>) =>
  Effect.map(
    Effect.forEach(plans, (plan) =>
      Effect.flatMap(Retention.open(`${plan.registry}/${plan.repository}`), (target) =>
        Retention.apply(target, plan, plan.rules)
      )
    ),
    reportAnswer
  )

const confirmed = Effect.fnUntraced(function* (plans: ReadonlyArray<Plan>, isSure: boolean) {
  const count = plans.reduce((sum, plan) => sum + deletions(plan), 0)
  if (count === 0) return yield* apply(plans)
  const isConfirmed = yield* confirm(isSure, plans.map(Retention.format), `Delete ${count} tags and manifests?`)
  return isConfirmed ? yield* apply(plans) : { ...planAnswer(plans), code: exitCodes.no }
})

const writePlans = Effect.fnUntraced(function* (file: string, plans: ReadonlyArray<Plan>) {
  const files = yield* FileSystem.FileSystem
  const answer = planAnswer(plans)
  yield* files.writeFileString(file, `${yield* answer.json}\n`)
  return answer
})

const program = (place: Option.Option<string>, { rules, ...wish }: Given): Program.Program => {
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
  return Program.join(reading, {
    imports: { [Program.artifacts]: ["Retention"], [Program.effect]: ["Console"] },
    lines: [
      `const target = yield* Retention.open(${Program.literal(Option.getOrElse(place, () => ""))})`,
      "const inventory = yield* Retention.inventory(target)",
      "const plan = yield* Effect.fromResult(Retention.plan(inventory, rules))",
      "yield* Console.log(Retention.format(plan))",
      "yield* Retention.apply(target, plan, rules)"
    ]
  })
}

const encodeRules = Schema.encodeOption(RetentionRules.Rules)

/** The rules that the flags stand for, as a file would hold them. Flags that stand for none are refused when the verb runs. */
const jsonOf = (wish: Wish): string =>
  Option.match(Option.flatMap(rulesOf(wish), encodeRules), {
    onNone: () => "{}",
    onSome: (rules) => JSON.stringify(rules, undefined, 2)
  })

const applyProgram = (file: string): Program.Program => ({
  imports: { [Program.artifacts]: ["Retention", "RetentionPlan"], [Program.effect]: ["FileSystem", "Schema"] },
  lines: [
    "const Plans = Schema.fromJsonString(Schema.Struct({ plans: Schema.Array(RetentionPlan.Plan) }))",
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
      Argument.withDescription("registry/repository, or a registry with --rules. None with --apply"),
      Argument.optional
    ),
    ...flags
  },
  ({ apply: applied, dryRun, place, plan: planned, yes, ...given }) =>
    Verb.answer(
      {
        what: `purge ${Option.getOrElse(
          Option.orElse(place, () => applied),
          () => "a repository"
        )}`,
        program: Option.isSome(applied) ? applyProgram(applied.value) : program(place, given)
      },
      Effect.gen(function* () {
        if (Option.isSome(applied)) {
          if (
            Option.isSome(place) ||
            Option.isSome(planned) ||
            Option.isSome(given.rules) ||
            Option.isSome(rulesOf(given))
          ) {
            return yield* wrong(
              "--apply carries out what the file says: no repository, no rules and no --plan go with it"
            )
          }
          const plans = yield* readPlans(applied.value)
          // The plan was looked at between the two calls.
          return dryRun ? planAnswer(plans) : yield* apply(plans)
        }
        if (Option.isNone(place)) return yield* wrong("it has to be said which repository: registry/repository")
        const plans = yield* planAll(place.value, given)
        if (Option.isSome(planned)) return yield* writePlans(planned.value, plans)
        return dryRun ? planAnswer(plans) : yield* confirmed(plans, yes)
      })
    )
).pipe(
  Verb.described({
    does: "Delete tags and manifests by rules, and nothing that what stays needs",
    examples: [
      {
        command: "eacr purge myregistry.azurecr.io/shop/api --untagged --older-than 30d --dry-run",
        description: "See which manifests without a tag would go"
      },
      {
        command: "eacr purge myregistry.azurecr.io/shop/api --tags 'build-*' --keep 10 --plan plan.json",
        description: "Write a plan to look at"
      },
      { command: "eacr purge --apply plan.json", description: "Carry it out" }
    ]
  })
)
