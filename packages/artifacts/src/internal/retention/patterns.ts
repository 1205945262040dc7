/**
 * Compiles the patterns of rules. Each matches the whole text.
 */
import * as Glob from "effect/Glob"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import * as SemVerRange from "effect/SemVerRange"
import { RE2JS } from "re2js"

/** A pattern as rules write it. */
export type Source = string | { readonly regex: string } | { readonly semver: string }

/** The forms that rules accept. */
type Forms = "all" | "globs"

/** A compiled pattern. */
interface Matcher {
  /** The groups of a match; none if the text does not match. Only regular expressions have groups. */
  readonly match: (text: string) => Option.Option<ReadonlyArray<string>>
  /** How many groups it has. */
  readonly groupCount: number
}

/** A leading `v` is common, but not part of a semantic version. */
const withoutPrefix = (tag: string): string => tag.replace(/^v(?=\d)/, "")

/** How semantic versions begin. A quick test, since creating an error for each other tag would take most of the time of a plan. */
const versionStart = /^v?\d+\.\d+\.\d/

/** The tag as a semantic version. A tag cannot contain `+`, so it never has build metadata. */
export const versionOf = (tag: string): Option.Option<SemVer.SemVer> =>
  versionStart.test(tag) ? Result.getSuccess(SemVer.parse(withoutPrefix(tag))) : Option.none()

const noGroups: ReadonlyArray<string> = []

const byTest = (test: (text: string) => boolean): Matcher => ({
  match: (text) => (test(text) ? Option.some(noGroups) : Option.none()),
  groupCount: 0
})

const problemOf = (cause: unknown): string => (Predicate.isError(cause) ? cause.message : String(cause))

/** Matches in linear time: the engine does not backtrack. */
const regex = (source: string): Result.Result<Matcher, string> =>
  Result.try({
    try: () => RE2JS.compile(source),
    catch: (cause) => `the regular expression ${JSON.stringify(source)} cannot be used: ${problemOf(cause)}`
  }).pipe(
    Result.map((compiled) => ({
      groupCount: compiled.groupCount(),
      match: (text) => {
        const matcher = compiled.matcher(text)
        if (!matcher.matches()) return Option.none()
        return Option.some(Array.from({ length: compiled.groupCount() }, (_, index) => matcher.group(index + 1) ?? ""))
      }
    }))
  )

const semver = (source: string): Result.Result<Matcher, string> => {
  if (source.trim() === "") return Result.fail('an empty range would match every version: write "*"')
  return SemVerRange.parse(source).pipe(
    Result.map((range) =>
      byTest((tag) => Option.exists(versionOf(tag), (version) => SemVerRange.matches(range, version)))
    ),
    Result.mapError(({ message }) => `${JSON.stringify(source)} is not a range of semantic versions: ${message}`)
  )
}

/**
 * Finds characters that no name has and that a glob matches literally: most likely a regular expression, an extended glob or a
 * list was meant. An exclusion such as `!(a|b)` would exclude nothing, and what it should protect would be deleted.
 */
const globProblem = (source: string): string | undefined => {
  if (/[()|\\\s]|^[!^]|\$$/.test(source)) return "it has characters that no name has"
  const withoutSets = source.replace(/\[(?:\[:\w+:\]|[^\]])+\]/g, "")
  if (/[[\]]/.test(withoutSets)) return "a bracket has no counterpart"
  let depth = 0
  for (const character of withoutSets) {
    if (character === "{") depth++
    if (character === "}") depth--
    if (depth < 0) break
    if (character === "," && depth === 0) return "it is a list, which only braces can hold"
  }
  return depth === 0 ? undefined : "a brace has no counterpart"
}

const glob = (source: string, forms: Forms): Result.Result<Matcher, string> => {
  if (source === "") return Result.fail("an empty pattern matches nothing")
  const problem = globProblem(source)
  if (problem !== undefined) {
    const advice = forms === "all" ? '; write {"regex": …} for a regular expression' : ""
    return Result.fail(`the glob ${JSON.stringify(source)} cannot be meant: ${problem}${advice}`)
  }
  const compiled = Glob.make(source)
  return Result.succeed(byTest((text) => Glob.match(compiled, text)))
}

/** Compiles a pattern, or returns why it is unusable. */
const compile = (source: Source, forms: Forms): Result.Result<Matcher, string> => {
  if (Predicate.isString(source)) return glob(source, forms)
  return "regex" in source ? regex(source.regex) : semver(source.semver)
}

/** A list of patterns. Globs that begin with `!` exclude; a list of only these matches everything else. */
export interface Patterns {
  /** The groups of the first pattern that a text matches; none if it matches no pattern or is excluded. */
  readonly match: (text: string) => Option.Option<ReadonlyArray<string>>
  /** Each pattern as it is written, and whether it matches a text. */
  readonly each: ReadonlyArray<{ readonly source: Source; readonly matches: (text: string) => boolean }>
  /** The number of groups of each pattern that does not exclude. */
  readonly groupCounts: ReadonlyArray<number>
}

const isExclusion = (source: Source): source is string => Predicate.isString(source) && source.startsWith("!")

/** Compiles a list of patterns, or returns why one of them is unusable. */
export const compileAll = (sources: ReadonlyArray<Source>, forms: Forms = "all"): Result.Result<Patterns, string> =>
  Result.gen(function* () {
    const included: Array<Matcher> = []
    const excluded: Array<Matcher> = []
    const each: Array<Patterns["each"][number]> = []
    for (const source of sources) {
      const matcher = yield* compile(isExclusion(source) ? source.slice(1) : source, forms)
      ;(isExclusion(source) ? excluded : included).push(matcher)
      each.push({ source, matches: (text) => Option.isSome(matcher.match(text)) })
    }
    const find = (text: string): Option.Option<ReadonlyArray<string>> =>
      included.length === 0 ? Option.some(noGroups) : Option.firstSomeOf(included.map(({ match }) => match(text)))
    return {
      match: (text) => (excluded.some(({ match }) => Option.isSome(match(text))) ? Option.none() : find(text)),
      each,
      groupCounts: included.map(({ groupCount }) => groupCount)
    }
  })
