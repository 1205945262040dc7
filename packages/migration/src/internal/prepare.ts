/**
 * Prepares a pass: lists and compares both places, and makes batches of what is left to copy.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { MigrationError } from "../MigrationError.ts"
import { type Route, targetName } from "../MigrationRules.ts"
import { arrived, compare, type Doubted, extraTags, newTags, otherTags, toReadBack } from "./compare.ts"
import { isDenied, isDiskFull, isUnavailable, loginRefused, messageOf } from "./failures.ts"
import * as Inventories from "./inventory.ts"
import * as LeftOut from "./leftOut.ts"
import { isOfName, nameOf, nameProblems, nestedNames } from "./names.ts"
import { patiently } from "./patience.ts"
import type { PlaceError } from "./places.ts"
import { makeSample, readSample, type Sampling } from "./sample.ts"
import { compile, nothingSelected, select } from "./selection.ts"
import type { Known, NewRepository, Repository } from "./store/store.ts"

/** The result of listing a repository. */
interface Listed {
  readonly repository: Repository
  readonly artifacts: number
  readonly planned: number
  /** Whether the rules select a tag. */
  readonly hasTags: boolean
  /** The number of tags of artifacts to copy that the target lacks. */
  readonly newTags: number
  readonly extraTags: ReadonlyArray<string>
  readonly otherTags: number
  readonly unknownTags: number
}

export interface Preparing extends Sampling {
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Whether nothing is copied afterwards. */
  readonly isPlan: boolean
  /** The shards of the processes that copy. */
  readonly shards: number
  readonly onListed: (listed: Listed) => Effect.Effect<void>
}

/** The number of repositories that are listed concurrently. Their lists are in memory; most are short. */
const repositoriesAtOnce = 16

const defaultBatch = 1000

/** The number of tags of a repository whose digests a plan requests where the target lists none. */
const mostRequested = 1000

const keyOf = (route: number, source: string): string => `${route} ${source}`

/**
 * Adds the repositories that are new since the last pass. Repositories that are no longer listed stay, since a page may miss them,
 * except those that were never copied because of their names: they are no obstacle for others.
 */
const findRepositories = ({ places, rules, run, store }: Preparing): Effect.Effect<void, MigrationError> =>
  Effect.gen(function* () {
    const before = yield* store.repositories(run.id)
    const history = { isNew: before.length === 0, begun: yield* store.begun(run.id) }
    const listed = new Map<string, Pick<Repository, "route" | "source">>()
    for (const [index, route] of rules.routes.entries()) {
      const { leftOut, names } = yield* select(places, route, index, history)
      yield* store.during(run, store.setLeftOut(run.id, index, leftOut))
      for (const source of names) listed.set(keyOf(index, source), { route: index, source })
    }
    for (const { id, problem, route, source } of before) {
      if (isOfName(problem) && !listed.has(keyOf(route, source))) yield* store.during(run, store.forget(id))
    }
    const known = yield* store.repositories(run.id)
    const all = new Map([
      ...known.map(({ route, source }) => [keyOf(route, source), { route, source }] as const),
      ...listed
    ])
    const named = Array.from(all.values()).flatMap(({ route, source }) => {
      const found = rules.routes[route]
      return found === undefined
        ? []
        : [{ route, source, from: found.from, to: found.to, target: targetName(found, source) }]
    })
    const problems = nameProblems(named)
    const ids = new Map(known.map(({ id, route, source }) => [keyOf(route, source), id]))
    const [added, there]: [Array<NewRepository>, Array<Pick<Repository, "id" | "problem" | "detail">>] = [[], []]
    for (const [index, { route, source, target }] of named.entries()) {
      const { detail = null, problem = null } = problems.get(index) ?? {}
      const id = ids.get(keyOf(route, source))
      if (id === undefined) added.push({ route, source, target, problem, detail })
      else there.push({ id, problem, detail })
    }
    yield* store.during(run, store.addRepositories(run.id, added, there))
  })

/** Collects facts about repositories for the pass as a whole. */
interface Notes {
  /** Returns the artifacts to read back, as far as they are known now. */
  readonly onCopied: (copied: ReadonlyArray<Doubted>) => ReadonlySet<Digest.Digest>
  /** Called if a registry refuses the login. */
  readonly onDenied: (error: MigrationError) => void
}

/**
 * The tags whose digests are requested if the target lists none: for a plan, whose artifacts are not copied, and in later calls, as
 * another program may have moved the tags of what earlier ones copied. Copies that look for referrers check the tags anyway.
 */
const tagsToCheck = (
  { isFirst, isPlan, rules }: Preparing,
  { isOfTags, manifests }: Inventories.Inventory,
  known: ReadonlyMap<Digest.Digest, Known>
): ReadonlyArray<string> => {
  const isLookedAt = isOfTags === true && rules.referrers !== false
  if (!isPlan && (!isFirst || isLookedAt)) return []
  const isThere = (digest: Digest.Digest) => arrived.has(known.get(digest)?.state ?? "planned")
  const wanted = Array.from(manifests).flatMap(([digest, { tags }]) => (isPlan || isThere(digest) ? tags : []))
  return isPlan ? wanted.slice(0, mostRequested) : wanted
}

/** The untagged manifests that earlier calls copied, and that later ones ask the target for if it does not list them. */
const untaggedToCheck = (
  { isFirst, isPlan }: Preparing,
  { manifests }: Inventories.Inventory,
  known: ReadonlyMap<Digest.Digest, Known>
): ReadonlyArray<Digest.Digest> =>
  isFirst && !isPlan
    ? Array.from(known).flatMap(([digest, { root = digest, state }]) =>
        arrived.has(state) && manifests.get(digest)?.tags.length === 0 ? [root] : []
      )
    : []

/** Lists both sides of a repository, and writes the plan for its artifacts. None if one side does not list it. */
const planRepository = (
  preparing: Preparing,
  repository: Repository,
  route: Route,
  inside: ReadonlySet<string>,
  { onCopied, onDenied }: Notes
): Effect.Effect<Option.Option<Listed>, MigrationError> =>
  Effect.gen(function* () {
    const { isFirst, isLast, isPlan, places, rules, run, store } = preparing
    const setProblem = (problem: string, detail: string) =>
      store.during(run, store.setProblem(repository.id, problem, detail))
    const listing = <A>(
      effect: Effect.Effect<A, PlaceError | PlatformError>,
      problem: "notListed" | "targetNotListed"
    ) =>
      effect.pipe(
        patiently,
        Effect.asSome,
        Effect.catch((error) => {
          if (isDenied(error)) {
            const [side, place] =
              problem === "notListed" ? (["source", route.from] as const) : (["target", route.to] as const)
            onDenied(loginRefused(side, place, error))
          }
          const found = isUnavailable(error) ? "unavailable" : problem
          return Effect.as(setProblem(found, messageOf(error)), Option.none<A>())
        })
      )
    const source = yield* listing(
      LeftOut.counting(
        Effect.flatMap(places.source(route.from, repository.source), (opened) =>
          Inventories.read(opened, compile(route.tags))
        )
      ),
      "notListed"
    )
    if (Option.isNone(source)) return Option.none()
    const [found, leftOut] = source.value
    if (leftOut > 0) {
      yield* setProblem("leftOut", LeftOut.detailOf(leftOut, "its lists"))
    }
    const known = yield* store.known(repository.id)
    // Registries list repositories whose tags were all deleted. But a name from the rules may be misspelt.
    const isNamed = route.repositories !== undefined && "names" in route.repositories
    if (isNamed && Option.isNone(found) && known.size === 0) {
      yield* setProblem("notListed", "the source has no such repository, or no tags in it")
      return Option.none()
    }
    // A deleted repository is empty: all artifacts that it had before are `vanished`.
    const inventory = Option.getOrElse(found, (): Inventories.Inventory => ({ manifests: new Map() }))
    const target = yield* listing(
      LeftOut.ofTarget(
        Effect.gen(function* (): Effect.fn.Return<Inventories.Holdings, PlaceError | PlatformError> {
          if (yield* places.isUnbegun(route.to, repository.target, inside)) return { tags: new Map() }
          const opened = yield* places.target(route.to, repository.target)
          const held = yield* Inventories.holdings(opened)
          const tagged = yield* Inventories.withDigests(opened, held, tagsToCheck(preparing, inventory, known))
          return yield* Inventories.withLacking(opened, tagged, untaggedToCheck(preparing, inventory, known))
        })
      ),
      "targetNotListed"
    )
    if (Option.isNone(target)) return Option.none()
    const possibleReferrers = yield* Inventories.possibleReferrers(inventory, target.value, rules)
    const comparison = {
      source: inventory,
      target: target.value,
      known,
      rules,
      isFirst,
      isLast,
      isPlan,
      isLater: run.pass > 1,
      possibleReferrers,
      lookedFor: repository.lookedFor ?? undefined
    }
    const compared = compare(comparison)
    const sampled = onCopied(toReadBack(comparison, compared))
    // They become `verified` after they are read back: if this process ends before, the next one reads them.
    const planned = compared.map((one) =>
      sampled.has(one.digest) && one.state === "verified" ? { ...one, state: "copied" as const } : one
    )
    yield* store.during(run, store.setPlan(repository.id, planned, known))
    // The copies of this plan look for referrers, also those of the next call.
    if (!isLast && possibleReferrers !== undefined && possibleReferrers !== comparison.lookedFor) {
      yield* store.during(run, store.setLookedFor(repository.id, possibleReferrers))
    }
    if (planned.every(({ state }) => state !== "planned")) {
      yield* Effect.catch(places.seal(route.to, repository.target), (error) => {
        const detail = `the archive of ${repository.target} cannot be written: ${messageOf(error)}`
        return isDiskFull(error)
          ? Effect.fail(new MigrationError({ problem: "PlaceFailed", description: detail }))
          : setProblem("notWritten", detail)
      })
    }
    const { others, unknown } = otherTags(comparison)
    return Option.some({
      repository,
      otherTags: others,
      unknownTags: unknown,
      artifacts: planned.length,
      planned: planned.filter(({ state }) => state === "planned").length,
      hasTags: planned.some(({ tags }) => tags.length > 0),
      newTags: newTags(comparison, planned),
      extraTags: extraTags(comparison, compile(route.tags))
    })
  })

/** Fails if the globs for tags match none: the rules have a mistake. Unlisted repositories make a run incomplete anyway. */
const requireTags = (
  { rules: { routes }, run, store }: Preparing,
  matched: ReadonlySet<number>
): Effect.Effect<void, MigrationError> =>
  Effect.gen(function* () {
    if (run.pass > 1) return
    const unlisted = new Set(
      (yield* store.repositories(run.id)).flatMap((one) => (one.problem === null ? [] : [one.route]))
    )
    const index = routes.findIndex(({ tags }, at) => tags !== undefined && !matched.has(at) && !unlisted.has(at))
    const route = routes[index]
    if (route === undefined) return
    return yield* nothingSelected(`routes[${index}].tags matches no tag of the repositories of ${nameOf(route.from)}`)
  })

/** Prepares a pass. Returns the number of artifacts to copy. */
export const prepare = (preparing: Preparing): Effect.Effect<number, MigrationError> =>
  Effect.gen(function* () {
    const { onListed, rules, run, store } = preparing
    yield* findRepositories(preparing)
    const repositories = yield* store.repositories(run.id)
    const nested = nestedNames(repositories.map(({ target }) => target))
    const sample = makeSample(rules)
    const refused: Array<MigrationError> = []
    /** The routes with a tag. */
    const matched = new Set<number>()
    yield* Effect.forEach(
      repositories.filter(({ problem }) => problem === null),
      (repository) => {
        const route = rules.routes[repository.route]
        return route === undefined
          ? Effect.void
          : Effect.flatMap(
              planRepository(preparing, repository, route, nested(repository.target), {
                onCopied: (copied) =>
                  sample.add(
                    repository.id,
                    copied.map((one) => ({ ...one, repository, route }))
                  ),
                onDenied: (error) => refused.push(error)
              }),
              Option.match({
                onNone: () => Effect.void,
                onSome: (listed) => {
                  if (listed.hasTags) matched.add(repository.route)
                  return onListed(listed)
                }
              })
            )
      },
      { concurrency: repositoriesAtOnce, discard: true }
    )
    // Some registries respond like this for one missing repository. If all are refused, the login is at fault.
    const [first] = refused
    if (first !== undefined && refused.length === repositories.filter(({ problem }) => problem === null).length) {
      return yield* first
    }
    yield* requireTags(preparing, matched)
    yield* Effect.forEach(sample.all(), (one) => readSample(preparing, one), { discard: true })
    yield* Effect.forEach(
      sample.held,
      ([repository, digests]) => store.during(run, store.verify(repository, Array.from(digests))),
      { discard: true }
    )
    return yield* store.during(
      run,
      store.makeBatches(run.id, run.pass, rules.limits?.batch ?? defaultBatch, preparing.shards)
    )
  })
