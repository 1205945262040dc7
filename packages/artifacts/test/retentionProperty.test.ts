/**
 * Retentions at random: of any registry, by any rules, interrupted anywhere, while others push. Kept images can be pulled with everything,
 * and only what the plan deletes is gone.
 */
import { assert, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Retention from "../src/Retention.ts"
import * as RetentionJournal from "../src/RetentionJournal.ts"
import type { Plan } from "../src/RetentionPlan.ts"
import type { Outcome, Report } from "../src/RetentionReport.ts"
import type * as RetentionRules from "../src/RetentionRules.ts"
import type { TestRegistry } from "./support/retention.ts"
import { filled, isCyclic, isSettledBy, rulesFor, Situation, suppliedFor } from "./support/retentionCases.ts"
import { layer as platform } from "./support/layouts.ts"
import { Event, Fault, make, type World } from "./support/retentionWorld.ts"

const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)

/** Another seed or more cases: `FUZZ_SEED=7 FUZZ_RUNS=100000`. */
const runs = (count: number) => ({
  arbitrary: { seed: setting("FUZZ_SEED", 1), runs: setting("FUZZ_RUNS", count), size: 12, maxShrinks: 3000 },
  timeout: 3_600_000
})

const Concurrency = Schema.Literals([1, 2, 3, 8])

const memoryJournal = (): RetentionJournal.RetentionJournal => {
  const outcomes: Array<Outcome> = []
  return {
    begin: () => Effect.sync(() => [...outcomes]),
    record: (outcome) => Effect.sync(() => void outcomes.push(outcome))
  }
}

/** Applies a plan, as far as it goes. */
const attempt = (
  world: World,
  plan: Plan,
  rules: RetentionRules.Rules,
  options: Retention.ApplyOptions,
  moves: { readonly events: ReadonlyArray<Event>; readonly fault: Fault | undefined; readonly yields: boolean }
): Effect.Effect<Exit.Exit<Report, unknown>> =>
  Effect.gen(function* () {
    let running: Fiber.Fiber<unknown, unknown> | undefined = undefined
    world.begin({ ...moves, interrupt: () => running?.interruptUnsafe() })
    const fiber = yield* Effect.forkChild(
      Effect.andThen(Effect.yieldNow, Retention.apply(world.target, plan, rules, options))
    )
    running = fiber
    return yield* Fiber.await(fiber)
  })

/** What a case is, and what came of it, for people to read. */
const fail = (world: World, rules: RetentionRules.Rules, plan: Plan, problems: ReadonlyArray<string>) => {
  const { nameOf } = world
  const reasons = [
    ...plan.manifests.map(({ because, digest, verdict }) => `${verdict} ${nameOf(digest)}: ${nameOf(because)}`),
    ...plan.tags.map(({ because, name, verdict }) => `${verdict} tag ${nameOf(name)}: ${nameOf(because)}`)
  ]
  return assert.fail(
    [...problems, "rules:", JSON.stringify(rules), "plan:", ...reasons, "story:", ...world.story].join("\n")
  )
}

const deletes = new Set(["deleteTag", "deleteManifest", "unlock"])
const within = new Set([...deletes, "relock"])

/** Deletions with anything between the last look and them. */
const loose = ({ nameOf, requests }: World, isOneAtATime: boolean): ReadonlyArray<string> =>
  requests.flatMap(({ fiber, name, subject }, at) => {
    if (name !== "deleteManifest" && (name !== "deleteTag" || !isOneAtATime)) return []
    const [last, second] = requests
      .slice(0, at)
      .filter((request) => (isOneAtATime || request.fiber === fiber) && !within.has(request.name))
      .toReversed()
    // What a tag attaches to is looked for in the same moment.
    const look = name === "deleteTag" && last?.name === "look" ? second : last
    return look?.subject === subject && look.name === (name === "deleteTag" ? "tag" : "look")
      ? []
      : [`${name} ${nameOf(subject)} comes after ${last?.name} ${nameOf(last?.subject ?? "")}`]
  })

const doubles = ({ nameOf, requests }: World, acknowledged: ReadonlySet<string>): ReadonlyArray<string> =>
  requests.flatMap(({ name, subject }) =>
    acknowledged.has(`${name} ${subject}`) ? [`${name} ${nameOf(subject)} was sent again`] : []
  )

/** What was locked, is there, and is not locked any more. */
const unlockedOf = (plan: Plan, held: TestRegistry, { isRefused, nameOf }: World): ReadonlyArray<string> => {
  const isThere = held.digests()
  const tags = held.tags()
  return [
    ...plan.manifests.map(({ digest, isLocked }) => ({ what: String(digest), isLocked })),
    ...plan.tags.map(({ isLocked, name }) => ({ what: name, isLocked }))
  ].flatMap(({ isLocked, what }) =>
    isLocked && !held.isLocked(what) && (isThere.has(what) || tags.has(what)) && !isRefused.has(what)
      ? [`${nameOf(what)} stays unlocked`]
      : []
  )
}

const Case = Schema.Struct({
  situation: Situation,
  events: Schema.Array(Event).check(Schema.isMaxLength(6)),
  /** Whether others begin with the inventory. */
  isEarly: Schema.Boolean,
  fault: Schema.UndefinedOr(Fault),
  concurrency: Concurrency,
  yields: Schema.Boolean
})

const check = (
  { concurrency, events, fault, isEarly, situation, yields }: typeof Case.Type,
  journal: RetentionJournal.RetentionJournal = memoryJournal()
) =>
  Effect.gen(function* () {
    const { cast, held, story } = yield* filled(situation)
    const { datesAgain, locked } = situation
    const world = make(held, cast, story, { datesAgain })
    const rules = yield* rulesFor(situation)
    const supplied = suppliedFor(cast)
    const options = { allowLocked: locked === "include", concurrency, journal }

    world.begin({ events: isEarly ? events : [], fault: undefined, interrupt: () => {}, yields })
    const inventory = yield* Effect.orDie(Retention.inventory(world.target))
    const plan = yield* Effect.orDie(Effect.fromResult(Retention.plan(inventory, rules, supplied)))
    yield* world.require(plan)
    const red = (problems: ReadonlyArray<string>) =>
      problems.length === 0 ? undefined : fail(world, rules, plan, problems)

    story.push("run:")
    const first = yield* attempt(world, plan, rules, options, { events: isEarly ? [] : events, fault, yields })
    if (Exit.isFailure(first) && Cause.hasDies(first.cause)) fail(world, rules, plan, [Cause.pretty(first.cause)])
    red(world.missing())
    const forbidden = world.forbidden()
    if (forbidden !== undefined && deletes.has(forbidden)) {
      red(Exit.isSuccess(first) && first.value.stopped !== undefined ? [] : ["the run goes on though it is forbidden"])
    }
    if (!world.isDisturbed()) red(unlockedOf(plan, held, world))
    yield* world.finish
    const acknowledged = new Set(world.acknowledged)
    const settled = (yield* Effect.orDie(journal.begin(plan))).filter(({ outcome }) => outcome === "done")
    const sent = world.requests.length

    story.push("second run:")
    const second = yield* attempt(world, plan, rules, options, { events: [], fault: undefined, yields })
    if (Exit.isFailure(second)) return fail(world, rules, plan, [Cause.pretty(second.cause)])
    const { outcomes } = second.value
    red(world.missing())
    red(doubles({ ...world, requests: world.requests.slice(sent) }, acknowledged))
    red(loose(world, concurrency === 1))
    red(
      settled.flatMap(({ digest, tag }) =>
        outcomes.some((one) => one.digest === digest && one.tag === tag && one.outcome === "done")
          ? []
          : [`${world.nameOf(tag ?? digest)} was deleted, and the second run does not say so`]
      )
    )
    red(
      outcomes.flatMap(({ digest, outcome, tag }) =>
        outcome === "failed" || outcome === "notReached" ? [`${world.nameOf(tag ?? digest)} is ${outcome}`] : []
      )
    )
    if (world.isDisturbed()) return
    // What attaches things in a circle stays.
    if (isCyclic(plan) && outcomes.some(({ outcome }) => outcome === "needed")) return

    const isThere = held.digests()
    const tags = held.tags()
    red([
      ...plan.manifests.flatMap(({ digest, verdict }) =>
        isThere.has(digest) === (verdict === "keep") ? [] : [`${verdict} ${world.nameOf(digest)} was not done`]
      ),
      ...plan.tags.flatMap(({ name, verdict }) =>
        tags.has(name) === (verdict === "keep") ? [] : [`${verdict} tag ${world.nameOf(name)} was not done`]
      )
    ])
    if (!isSettledBy(rules)) return
    const again = yield* Effect.orDie(Retention.inventory(held.target))
    const next = yield* Effect.orDie(Effect.fromResult(Retention.plan({ ...again, at: plan.at }, rules, supplied)))
    red(
      [
        ...next.manifests.map((one) => ({ what: String(one.digest), verdict: one.verdict })),
        ...next.tags.map((one) => ({ what: one.name, verdict: one.verdict }))
      ].flatMap(({ verdict, what }) =>
        verdict === "delete" ? [`a plan after the run deletes ${world.nameOf(what)}`] : []
      )
    )
  })

it.effect.prop(
  "a random retention keeps what its plan keeps and what was pushed since, and does the rest when it runs again",
  { one: Case },
  ({ one }) => check(one),
  runs(1000)
)

layer(platform)("a retention at random", (it) => {
  it.effect.prop(
    "that is interrupted continues where its journal in a file ends",
    { one: Case },
    ({ one }) =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-retention-" })
        yield* check(one, yield* RetentionJournal.file(path.join(folder, "journal")))
      }).pipe(Effect.scoped),
    runs(100)
  )
})
