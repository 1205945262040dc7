/**
 * Rules that say which tags and manifests of a repository stay and which go, as data that reads from JSON.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Patterns from "./internal/retention/patterns.ts"
import { RetentionError } from "./RetentionError.ts"

/**
 * A pattern for a tag, a repository or another name. It matches the whole text.
 *
 * **Details**
 *
 * - A string is a glob: `*` is any text without `/`, `?` one character, `[a-z]` one of a set, `{a,b}` one of several. `**`
 *   between slashes is any number of levels: `shop/**` matches `shop`, `shop/api` and `shop/api/v2`. With a leading `!` it
 *   excludes what the other patterns of the list match. A glob with characters that no name has, such as `!(a|b)`, is refused.
 * - `regex` is a regular expression in RE2's syntax, which has no backreferences and matches in linear time. Its groups make
 *   the groups of `newest`.
 * - `semver` is a range as in package.json, for tags that are semantic versions, with or without a leading `v`. As there, it
 *   matches a pre-release only if a bound of the range is a pre-release of the same version: `>=2.0.0-0` matches `2.0.0-rc.1`
 *   and not `2.1.0-rc.1`. No range matches all pre-releases: name them by `regex`, such as `v?\d+\.\d+\.\d+-.+`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Pattern = Schema.Union([
  Schema.String,
  Schema.Struct({ regex: Schema.String }),
  Schema.Struct({ semver: Schema.String })
])

/**
 * One pattern.
 *
 * @category models
 * @since 0.1.0
 */
export type Pattern = typeof Pattern.Type

const patternProblem = (patterns: ReadonlyArray<Pattern>): string | undefined =>
  Result.match(Patterns.compileAll(patterns), { onFailure: (problem) => problem, onSuccess: () => undefined })

const patterns = Schema.NonEmptyArray(Pattern).check(Schema.makeFilter(patternProblem))

const aDuration = { expected: 'a duration of at least a millisecond, such as "30 days" or "36 hours"' }

const readDuration = Schema.decodeOption(Schema.DurationFromString)

/** A duration as text: `30 days`. Zero, negative and infinite ones are errors: none of them may come to mean "everything". */
const age = Schema.String.annotate(aDuration)
  .check(Schema.makeFilter((text) => Option.isSome(readDuration(text)), aDuration))
  .pipe(Schema.decodeTo(Schema.DurationFromString))
  .check(Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.toMillis(duration) >= 1, aDuration))

const text = Schema.NonEmptyString
const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * What a rule judges.
 *
 * **Details**
 *
 * - `tags`: tags, except signature tags and fallback tags whose subject is there.
 * - `untagged`: manifests that have no tag, that no index names, and that are no referrers.
 * - `orphans`: referrers without a tag whose subject is gone, and signature and fallback tags whose subject is gone.
 *
 * What is not judged follows: images of an index, referrers and their tags go with what they belong to.
 * So does an untagged list of referrers that a client left behind when it replaced the list under the fallback tag, unless a rule
 * deletes it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Candidates = Schema.Literals(["tags", "untagged", "orphans"])

/**
 * One sort of candidates.
 *
 * @category models
 * @since 0.1.0
 */
export type Candidates = typeof Candidates.Type

/**
 * What a candidate is.
 *
 * **Details**
 *
 * - `image`: an image manifest with the configuration of an image.
 * - `index`: an OCI index or a Docker manifest list.
 * - `artifact`: an image manifest with another configuration, such as a Helm chart, or an artifact type.
 * - `referrer`: a manifest that names a subject, whatever else it is.
 * - `signatureTag`: a tag such as `sha256-<digest>.sig`, by which cosign attaches signatures.
 * - `fallbackTag`: a tag `sha256-<digest>`, which lists referrers where the registry does not.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["image", "index", "artifact", "referrer", "signatureTag", "fallbackTag"])

/**
 * One kind.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = typeof Kind.Type

/**
 * A point of time in the life of a candidate.
 *
 * **Details**
 *
 * `update`: when the tag was last moved, or the manifest last changed. `push`: when the manifest was pushed first. `pull`:
 * when it was last pulled, or pushed if that is later. No registry tells the time of pulls: the program supplies it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Since = Schema.Literals(["update", "push", "pull"])

/**
 * One point of time.
 *
 * @category models
 * @since 0.1.0
 */
export type Since = typeof Since.Type

const ruleFields = {
  /** Its name in the plan and the report. */
  name: text,
  /** The reason, for people who read the plan. */
  because: text,
  /** What it judges. */
  of: Schema.NonEmptyArray(Candidates),
  /** The repositories that it is for. Defaults to all that the rules are for. */
  repositories: Schema.optionalKey(patterns),
  /** The tags. Defaults to all. What has no tag does not match. */
  tags: Schema.optionalKey(patterns),
  /** The kinds. Defaults to all. */
  kinds: Schema.optionalKey(Schema.NonEmptyArray(Kind)),
  /** The artifact types, or else the media types of configurations. Defaults to all. */
  artifactTypes: Schema.optionalKey(patterns),
  /** The states of quarantine: `Failed`. Manifests without a state do not match. Defaults to all. */
  quarantine: Schema.optionalKey(patterns),
  /** Whether a manifest that it names is missing, at any depth. Defaults to either. */
  isBroken: Schema.optionalKey(Schema.Boolean),
  /**
   * The name of a list of digests that the program supplies: what is in it, or names something that is in it, matches. An empty
   * list matches nothing.
   */
  digests: Schema.optionalKey(text),
  /** The least age. Defaults to any. */
  olderThan: Schema.optionalKey(age),
  /** The greatest age. Defaults to any. */
  youngerThan: Schema.optionalKey(age),
  /** What ages are counted from. Defaults to `update`. */
  since: Schema.optionalKey(Since),
  /** Of those that match so far, the newest alone, and what has no time, as that may be newer. */
  newest: Schema.optionalKey(
    Schema.Struct({
      /** How many. */
      count,
      /** Counted in the repository, or for each value of the groups of the tag's regular expression. Defaults to `repository`. */
      per: Schema.optionalKey(Schema.Literals(["repository", "group"])),
      /** What newer means. `version` is the order of semantic versions, in which other tags have no place. Defaults to `update`. */
      by: Schema.optionalKey(Schema.Literals(["update", "push", "pull", "version"]))
    })
  ),
  /** Of those that match so far, the newest of each period (UTC, weeks from Monday), for some time back. */
  onePer: Schema.optionalKey(
    Schema.Struct({
      /** The period. */
      period: Schema.Literals(["day", "week", "month"]),
      /** How far back. */
      for: age
    })
  ),
  /**
   * What becomes of it. `delete` deletes a tag, and its manifest unless something else keeps that. `untag` deletes the tag
   * alone.
   */
  action: Schema.Literals(["keep", "delete", "untag"])
}

const RuleFields = Schema.Struct(ruleFields)
type RuleFields = typeof RuleFields.Type

const hasGroups = (sources: RuleFields["tags"]): boolean =>
  sources !== undefined &&
  Result.match(Patterns.compileAll(sources), {
    onFailure: () => true,
    onSuccess: ({ groupCounts }) => groupCounts.length > 0 && groupCounts.every((groups) => groups > 0)
  })

/** What a rule may not say, since it would not mean what it seems to. */
const ruleProblem = ({ because, name, newest, of, onePer, action, tags }: RuleFields): string | undefined => {
  if (name.trim() === "" || because.trim() === "") return "a rule needs a name and a reason"
  if (action !== "keep" && (newest !== undefined || onePer !== undefined)) {
    return "newest and onePer stand on rules that keep: keep those by a rule before the one that deletes"
  }
  if (newest !== undefined && onePer !== undefined) return "a rule has newest or onePer, not both"
  if (action === "untag" && of.some((candidates) => candidates !== "tags"))
    return 'untag is for tags alone: of must be ["tags"]'
  if (tags !== undefined && of.includes("untagged"))
    return "what is untagged has no tags to match: write a rule of its own for untagged, without tags"
  if (newest?.by === "version" && of.some((candidates) => candidates !== "tags")) {
    return 'newest by version is for tags alone: of must be ["tags"]'
  }
  if (newest?.per === "group" && !hasGroups(tags))
    return 'newest per group needs tags that are all regular expressions with a group, such as "(main|dev)-.*"'
  return undefined
}

/**
 * A rule. All its conditions hold for what it matches.
 *
 * **Details**
 *
 * In JSON, a duration is a number with a unit, from `millis` to `weeks`: `"14 days"`, `"8 weeks"`.
 *
 * **Gotchas**
 *
 * A registry without ACR's API tells no times. There, `newest` cannot tell which is newer, and keeps any `count` of those that
 * match, unless it is by version.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rule = RuleFields.check(Schema.makeFilter(ruleProblem))

/**
 * One rule.
 *
 * @category models
 * @since 0.1.0
 */
export type Rule = typeof Rule.Type

const Default = Schema.Struct({
  /** What becomes of candidates that no rule matches. */
  action: Schema.Literals(["keep", "delete"]),
  /** The reason, for people who read the plan. */
  because: text
})

/** Rules without the names that are known: the decoder of `Rules` refuses others. */
const RulesFields = Schema.Struct({
  /** The repositories that the rules are for. `isFor` and `Retention.unmatched` read it; a plan is made for any repository. */
  repositories: patterns,
  /** What becomes of candidates that no rule matches. It has to be written down. */
  defaults: Schema.Struct({ tags: Default, untagged: Default, orphans: Default }),
  /** The rules, in order: the first that matches a candidate decides. */
  rules: Schema.Array(Rule),
  /** The age under which nothing is deleted, whatever the rules say. Defaults to one day. */
  safetyAge: Schema.optionalKey(Schema.Union([Schema.Literal("none"), age])),
  /**
   * What becomes of locked tags and manifests. `include` judges them as the others; a run has to allow that as well. Defaults
   * to `keep`.
   */
  locked: Schema.optionalKey(Schema.Literals(["keep", "include"])),
  /** Limits of harm, per repository. A plan that exceeds one is not carried out. */
  limits: Schema.optionalKey(
    Schema.Struct({
      /** How many manifests and tags may be deleted. Defaults to any number. */
      maxDeletions: Schema.optionalKey(Schema.Natural),
      /** Which part of the manifests, and which part of the tags, may be deleted: 0 to 1. Defaults to 0.5. */
      maxFraction: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
      /** How many tags stay at least, if tags are deleted; signature and fallback tags do not count. Defaults to 1. */
      minRemaining: Schema.optionalKey(Schema.Natural)
    })
  )
})

type RulesFields = typeof RulesFields.Type

const uniqueNames = Schema.makeFilter<RulesFields>(
  ({ rules }) => new Set(rules.map(({ name }) => name)).size === rules.length,
  { expected: "rules with different names" }
)

const StrictRules = RulesFields.check(uniqueNames)

const decodeStrict = Schema.decodeUnknownEffect(StrictRules, { onExcessProperty: "error", errors: "all" })
const encodeStrict = Schema.encodeEffect(StrictRules)

/**
 * Rules for repositories.
 *
 * **Details**
 *
 * Candidates are judged one by one. The first rule that matches decides, and later rules do not see what earlier ones
 * decided: `newest` counts what is left to its rule. If no rule matches, the default of the candidates decides.
 *
 * Whatever the rules say, these stay: what is locked, what is younger than the safety age or has no time, and all that is
 * needed by something that stays: the images of an index, referrers, subjects, signature tags and fallback tags.
 *
 * Decoding refuses names that it does not know: a misspelt condition would otherwise match everything.
 *
 * **Example** (Rules in a file)
 *
 * ```ts
 * import { RetentionRules } from "@effect-acr/artifacts"
 * import { Schema } from "effect"
 *
 * const decode = Schema.decodeUnknownEffect(RetentionRules.Rules)
 *
 * export const rules = decode({
 *   repositories: ["shop/**", "!shop/base"],
 *   defaults: {
 *     tags: { action: "keep", because: "no rule names it" },
 *     untagged: { action: "keep", because: "no rule names it" },
 *     orphans: { action: "keep", because: "no rule names it" }
 *   },
 *   rules: [
 *     { name: "releases", because: "customers run them", of: ["tags"], tags: [{ semver: ">=1" }], action: "keep" },
 *     {
 *       name: "branches",
 *       because: "to go back by two",
 *       of: ["tags"],
 *       tags: [{ regex: "(main|dev)-[0-9]+" }],
 *       newest: { count: 3, per: "group" },
 *       action: "keep"
 *     },
 *     { name: "builds", because: "they cost", of: ["tags", "untagged"], olderThan: "30 days", action: "delete" }
 *   ],
 *   limits: { maxDeletions: 500 }
 * })
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rules = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.toType(StrictRules), {
    decode: SchemaGetter.transformEffect((input: unknown) =>
      Effect.mapError(decodeStrict(input), ({ issue }) => issue)
    ),
    encode: SchemaGetter.transformEffect((rules: RulesFields) =>
      Effect.mapError(encodeStrict(rules), ({ issue }) => issue)
    )
  })
)

/**
 * Rules for repositories.
 *
 * @category models
 * @since 0.1.0
 */
export type Rules = typeof Rules.Type

const decodeRules = Schema.decodeUnknownEffect(Rules)

const invalid = (problem: string) =>
  new RetentionError({ problem: "InvalidRules", description: `the rules cannot be used: ${problem}` })

/** The value that a text of JSON holds. The engine's error says where the text is wrong, which Schema's does not. */
const readJson = (json: string): Effect.Effect<unknown, RetentionError> =>
  Effect.try({
    try: () => JSON.parse(json),
    catch: (error) => invalid(`they are not JSON: ${error instanceof Error ? error.message : String(error)}`)
  })

/**
 * Reads rules from the text of a JSON file. Fails with `InvalidRules`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (json: string): Effect.Effect<Rules, RetentionError> =>
  Effect.flatMap(readJson(json), (value) => Effect.mapError(decodeRules(value), ({ message }) => invalid(message)))

/**
 * Tells whether rules are for a repository.
 *
 * **Example** (The repositories of a registry that the rules are for)
 *
 * ```ts
 * import { RetentionRules } from "@effect-acr/artifacts"
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { Effect, Stream } from "effect"
 *
 * export const repositories = (rules: RetentionRules.Rules) =>
 *   Stream.unwrap(Effect.map(ContainerRegistry.ContainerRegistry, (registry) => registry.repositories())).pipe(
 *     Stream.filter((repository) => RetentionRules.isFor(rules, repository))
 *   )
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const isFor = ({ repositories }: Pick<Rules, "repositories">, repository: string): boolean =>
  Result.match(Patterns.compileAll(repositories), {
    onFailure: () => false,
    onSuccess: ({ match }) => Option.isSome(match(repository))
  })
