/**
 * Retention plans: what they delete, and the file that stores them between `--plan` and `--apply`.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionPlan from "@effect-acr/artifacts/RetentionPlan"
import type * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import { printable } from "@effect-acr/client/Printable"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Answer from "./answer.ts"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import { Unsafe, WrongCall } from "./problem.ts"
import * as Output from "./output.ts"
import { expectFolder, isThere } from "./overwrite.ts"

type Plan = RetentionPlan.Plan

/** The plans of a call, which a file stores between `--plan` and `--apply`. */
export const plansDocument = Answer.document({ plans: Schema.Array(RetentionPlan.Plan) })

const PlansFile = Schema.fromJsonString(plansDocument)

export const read = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* files.readFileString(file)
  const { plans } = yield* Effect.mapError(
    Schema.decodeEffect(PlansFile)(text),
    ({ message }) => new WrongCall({ description: `${file} holds no plan of this version of eacr: ${message}` })
  )
  return plans
})

const isDeleted = ({ verdict }: { readonly verdict: "keep" | "delete" }): boolean => verdict === "delete"

/** How many tags and manifests a plan deletes. */
export const deletions = ({ manifests, tags }: Plan): number =>
  tags.filter(isDeleted).length + manifests.filter(isDeleted).length

/** The names of all that a plan deletes. */
const doomed = ({ manifests, tags }: Plan): ReadonlyArray<string> => [
  ...tags.filter(isDeleted).map(({ name }) => name),
  ...manifests.filter(isDeleted).map(({ digest }) => digest)
]

/**
 * Applies the rules to a plan from a file again, because the file may have been edited. Fails if it deletes what its rules
 * keep. It may keep what its rules delete.
 */
export const judgedAgain = Effect.fnUntraced(function* (plan: Plan) {
  const again = yield* Effect.fromResult(Retention.plan({ ...plan, isLocked: false }, plan.rules))
  const allowed = new Set(doomed(again))
  const [first] = doomed(plan).filter((name) => !allowed.has(name))
  if (first !== undefined) {
    const description = `the plan of ${plan.repository} was edited: it deletes ${first}, which its rules keep`
    return yield* new Unsafe({ description })
  }
  const frees = {
    tags: plan.tags.filter(isDeleted).length,
    manifests: plan.manifests.filter(isDeleted).length,
    atMostBytes: plan.manifests.filter(isDeleted).reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0)
  }
  return { ...plan, frees }
})

const isOfTags = ({ of }: RetentionRules.Rule): boolean => of.every((candidate) => candidate === "tags")

const isByAge = ({ olderThan }: RetentionRules.Rule): boolean => olderThan !== undefined

/** Whether the registry shows less than the rules judge: no manifests without a tag, or no times. */
const isBlind = ({ coverage, manifests, rules, tags }: Plan): boolean => {
  if (coverage !== "tagged") return coverage === "partial"
  return (
    rules.rules.some((rule) => rule.action === "delete" && !isOfTags(rule)) ||
    [...tags, ...manifests].some(
      ({ by, updatedOn }) => updatedOn === undefined && (by === "age" || rules.rules.some(isByAge))
    )
  )
}

/** The exit code of plans: `partly` if the registry shows too little. */
export const codeOf = (plans: ReadonlyArray<Plan>): ExitCode =>
  plans.some(isBlind) ? exitCodes.partly : exitCodes.done

export const answerOf = (plans: ReadonlyArray<Plan>): Answer.Answer =>
  Answer.make(
    plansDocument,
    { plans },
    {
      text: () => plans.flatMap((plan, index) => [...(index === 0 ? [] : [""]), Retention.format(plan)]),
      quiet: plans.flatMap(({ manifests }) => manifests.filter(isDeleted).map(({ digest }) => digest)),
      // Such a plan cannot be applied.
      code: plans.some(({ exceeds }) => exceeds.length > 0) ? exitCodes.unsafe : codeOf(plans)
    }
  )

/** Writes plans to a temporary file and renames it, so that the file is either complete or unchanged. */
export const write = Effect.fnUntraced(function* (file: string, plans: ReadonlyArray<Plan>) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* expectFolder(file)
  if (yield* isThere(file)) yield* read(file)
  const folder = yield* files.makeTempDirectoryScoped({ directory: path.dirname(path.resolve(file)), prefix: ".eacr-" })
  const temporary = path.join(folder, path.basename(file))
  const answer = answerOf(plans)
  yield* files.writeFileString(temporary, `${yield* answer.json}\n`)
  yield* files.rename(temporary, file)
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  const command = `eacr purge --apply ${printable(file)}${canPrompt ? "" : " --yes"}`
  yield* Output.tell(
    plans.some(({ exceeds }) => exceeds.length > 0)
      ? `the plan is in ${printable(file)}. It cannot be applied, because it exceeds its limits`
      : `the plan is in ${printable(file)}. Within an hour, this applies it: ${command}`
  )
  yield* Answer.print(answer)
})
