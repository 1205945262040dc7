/**
 * Selects the repositories of a source by the rules.
 */
import * as NamePatterns from "@effect-acr/artifacts/NamePatterns"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import { MigrationError } from "../MigrationError.ts"
import { type Patterns, type Route, type Rules, targetName } from "../MigrationRules.ts"
import { denied, isDenied, isUnlisted, isUnpermitted, messageOf } from "./failures.ts"
import * as LeftOut from "./leftOut.ts"
import { isSamePlace, nameOf, renamingOf } from "./names.ts"
import { patiently } from "./patience.ts"
import type { Places } from "./places.ts"
import type { Pair } from "./store/store.ts"

/** Compiles the patterns of decoded rules. */
export const compile = (patterns: Patterns = {}): ((name: string) => boolean) =>
  Result.getOrElse(
    NamePatterns.compile({
      ...(patterns.include === undefined ? {} : { include: patterns.include }),
      ...(patterns.exclude === undefined ? {} : { exclude: patterns.exclude })
    }),
    // Cannot fail: decoding the rules has compiled the same globs.
    () => () => false
  )

const wholePatterns = ({ exclude = [], include = [] }: Patterns = {}) => ({ include, exclude })

const wholeRoute = ({ rename = [], repositories = {}, tags, ...route }: Route): Route => ({
  ...route,
  repositories: "names" in repositories ? repositories : wholePatterns(repositories),
  tags: wholePatterns(tags),
  rename
})

/**
 * What rules copy, with all defaults: equal for rules that copy the same. `limits` and `verify` are not part of it, since they
 * affect only how fast, and how many copies are read back.
 */
export const selectionOf = ({ routes: [first, ...others], ...rules }: Rules): Rules => ({
  index: "rewrite",
  referrers: true,
  cosignTags: false,
  untagged: false,
  onTag: "overwrite",
  ...Struct.omit(rules, ["limits", "verify"]),
  routes: [wholeRoute(first), ...others.map(wholeRoute)]
})

export const nothingSelected = (description: string) => new MigrationError({ problem: "NothingSelected", description })

/** What helps if a source does not list its repositories. */
const hintOf = (error: unknown): string => {
  if (!isUnlisted(error)) return ""
  const login = isUnpermitted(error) ? "log in with the permission to list them, or " : ""
  return `; ${login}name them in the rules (routes[].repositories.names)`
}

const listed = (places: Places, { from }: Route) =>
  places.repositories(from).pipe(
    Stream.runCollect,
    // A list that begins again counts anew.
    LeftOut.counting,
    patiently,
    Effect.mapError((error) => {
      const description = `the repositories of the source ${nameOf(from)} cannot be listed: ${messageOf(error)}${hintOf(error)}`
      if (isDenied(error)) return denied("source", from, description)
      const connection = error.reason._tag === "Unavailable" ? error.reason.problem : undefined
      return new MigrationError({
        problem: "PlaceFailed",
        description,
        ...(connection === undefined ? {} : { connection })
      })
    })
  )

/**
 * Leaves out the route's own copies if it copies within one place: each pass would copy the copies of the one before. A name that
 * stays the same is not a copy, and may collide, and so may a name that another entry of `rename` changes.
 */
const withoutCopies = (route: Route, names: ReadonlyArray<string>, begun: ReadonlyArray<Pair>) => {
  const { from, rename = [], to } = route
  if (!isSamePlace(from, to)) return names
  const made = new Set(begun.flatMap(({ source, target }) => (source === target ? [] : [target])))
  const renamings = new Map(names.map((name) => [targetName(route, name), renamingOf(rename, name)]))
  const isCopy = (name: string): boolean => {
    const renaming = renamingOf(rename, name)
    return renaming !== undefined && renamings.get(name) === renaming && targetName(route, name) !== name
  }
  return names.filter((name) => !made.has(name) && !isCopy(name))
}

/**
 * Fails if an entry of `rename` applies to none of the names: a misspelt prefix would copy the repositories under the names that
 * they have.
 */
const requireRenamed = ({ rename = [] }: Route, index: number, names: ReadonlyArray<string>) => {
  const applied = new Set(names.map((name) => renamingOf(rename, name)))
  const at = rename.findIndex((renaming) => !applied.has(renaming))
  const unused = rename[at]
  if (unused === undefined) return Effect.void
  const prefix = JSON.stringify(unused.prefix)
  const reason = names.some((name) => name.startsWith(unused.prefix))
    ? `an entry before it matches all that begin with ${prefix}`
    : `none begins with ${prefix}`
  return Effect.fail(nothingSelected(`routes[${index}].rename[${at}] renames no repository of the route: ${reason}`))
}

/**
 * Fails if a glob of `include` matches none of the names: a misspelt one among others would leave repositories behind. Those of
 * `exclude` may be a precaution.
 */
const requireMatched = ({ include = [] }: Patterns, { from }: Route, index: number, names: ReadonlyArray<string>) => {
  const at = include.findIndex((glob) => !glob.startsWith("!") && !names.some(compile({ include: [glob] })))
  if (at === -1) return Effect.void
  const description = `routes[${index}].repositories.include[${at}] matches none of the ${names.length} repositories of ${nameOf(from)}`
  return Effect.fail(nothingSelected(`${description}: ${JSON.stringify(include[at])}`))
}

/** The repositories of a route, and how many records of their list cannot be read. */
export interface Selected {
  readonly names: ReadonlySet<string>
  readonly leftOut: number
}

/** What a run knows before a pass. */
interface History {
  /** Whether it has no repositories yet, of any route. */
  readonly isNew: boolean
  /** The repositories that it has listed, and may have copied. */
  readonly begun: ReadonlyArray<Pair>
}

/**
 * The repositories that a route selects now. Fails if there are none, or if a glob or an entry of `rename` applies to none, and the
 * run is new: the rules have a mistake, or the login may not see any.
 */
export const select = (
  places: Places,
  route: Route,
  index: number,
  { begun, isNew }: History
): Effect.Effect<Selected, MigrationError> =>
  Effect.gen(function* () {
    const { from, repositories = {} } = route
    if ("names" in repositories) {
      if (isNew) yield* requireRenamed(route, index, repositories.names)
      return { names: new Set(repositories.names), leftOut: 0 }
    }
    // A name may be on several pages.
    const [found, leftOut] = yield* listed(places, route)
    const all = Array.from(new Set(found))
    const names = all.filter(compile(repositories))
    if (isNew && names.length > 0) {
      yield* requireMatched(repositories, route, index, all)
      yield* requireRenamed(route, index, names)
    }
    if (names.length > 0 || !isNew) {
      const own = begun.filter((repository) => repository.route === index)
      return { names: new Set(withoutCopies(route, names, own)), leftOut }
    }
    return yield* nothingSelected(
      all.length === 0
        ? `${nameOf(from)} lists no repositories`
        : `routes[${index}].repositories matches none of the ${all.length} repositories of ${nameOf(from)}`
    )
  })
