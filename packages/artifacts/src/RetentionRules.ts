/**
 * Rules that decide which tags and manifests of a repository to keep and which to delete, as data that can be read from JSON.
 *
 * @since 0.1.0
 */
import { documentProblems, duration, jsonProblem } from "@effect-acr/client/Printable"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Patterns from "./internal/retention/patterns.ts"
import { RetentionError } from "./RetentionError.ts"

/**
 * A pattern for a tag, a repository or another name. It must match the whole text.
 *
 * **Details**
 *
 * - A string is a glob: `*` is any text without `/`, `?` one character, `[a-z]` one of a set, `{a,b}` one of several. `**`
 *   between slashes is any number of levels: `shop/**` matches `shop`, `shop/api` and `shop/api/v2`. A leading `!` excludes what
 *   the other patterns of the list match. A glob with characters that no name can have, such as `!(a|b)`, is refused.
 * - `regex` is a regular expression in RE2's syntax, which has no backreferences and matches in linear time. `newest` per group
 *   uses its groups.
 * - `semver` is a range as in package.json, for tags that are semantic versions, with or without a leading `v`. As there, it
 *   matches a pre-release only if a bound of the range is a pre-release of the same version: `>=2.0.0-0` matches `2.0.0-rc.1`
 *   and not `2.1.0-rc.1`. No range matches all pre-releases: match them by `regex`, such as `v?\d+\.\d+\.\d+-.+`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Pattern = Schema.Union([
  Schema.String,
  Schema.Struct({ regex: Schema.String }),
  Schema.Struct({ semver: Schema.String })
])

export type Pattern = typeof Pattern.Type

const patternProblem = (patterns: ReadonlyArray<Pattern>): string | undefined =>
  Result.match(Patterns.compileAll(patterns), { onFailure: (problem) => problem, onSuccess: () => undefined })

const patterns = Schema.NonEmptyArray(Pattern).check(Schema.makeFilter(patternProblem))

const aDuration = { expected: 'a duration of at least a millisecond, such as "30 days" or "36 hours"' }

const readDuration = Schema.decodeOption(Schema.DurationFromString)

/** A duration as text: `30 days`. Zero, negative and infinite durations are errors: none of them may silently mean "everything". */
const age = Schema.String.annotate(aDuration)
  .check(Schema.makeFilter((text) => Option.isSome(readDuration(text)), aDuration))
  .pipe(
    Schema.decodeTo(Schema.Duration, {
      decode: SchemaTransformation.durationFromString.decode,
      encode: SchemaGetter.transform(duration)
    })
  )
  .check(Schema.makeFilter((duration) => Duration.isFinite(duration) && Duration.toMillis(duration) >= 1, aDuration))

const text = Schema.NonEmptyString
const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * The candidates that a rule judges.
 *
 * **Details**
 *
 * - `tags`: tags, except signature tags and fallback tags whose subject is there.
 * - `untagged`: manifests without a tag that no index names and that are not referrers.
 * - `orphans`: referrers without a tag whose subject is gone, and signature and fallback tags whose subject is gone.
 *
 * Everything else is kept or deleted with what it belongs to: images with their index, and referrers and their tags with their
 * subject. The same holds for an untagged list of referrers that a client left behind when it replaced the list under the
 * fallback tag, unless a rule deletes that list.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Candidates = Schema.Literals(["tags", "untagged", "orphans"])

export type Candidates = typeof Candidates.Type

/**
 * The kind of a candidate.
 *
 * **Details**
 *
 * - `image`: an image manifest with the configuration of an image.
 * - `index`: an OCI index or a Docker manifest list.
 * - `artifact`: an image manifest with another configuration, such as a Helm chart, or with an artifact type.
 * - `referrer`: a manifest of any kind that names a subject.
 * - `signatureTag`: a tag such as `sha256-<digest>.sig`, by which cosign attaches signatures.
 * - `fallbackTag`: a tag `sha256-<digest>`, whose index lists referrers on registries without the referrers API.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["image", "index", "artifact", "referrer", "signatureTag", "fallbackTag"])

export type Kind = typeof Kind.Type

/**
 * The event from which an age is counted.
 *
 * **Details**
 *
 * `update`: the last update of the tag or the manifest. `push`: the first push of the manifest. `pull`: the last pull of the
 * manifest, or its push if that is later. No registry returns pull times: the program supplies them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Since = Schema.Literals(["update", "push", "pull"])

export type Since = typeof Since.Type

const ruleFields = {
  /** The name of the rule in the plan and the report. */
  name: text,
  /** The reason, for people who read the plan. */
  because: text,
  /** The candidates that it judges. */
  of: Schema.NonEmptyArray(Candidates),
  /** The repositories that it applies to. Defaults to all repositories of the rules. */
  repositories: Schema.optionalKey(patterns),
  /** The tags that match. Candidates without a tag do not match. Defaults to all candidates. */
  tags: Schema.optionalKey(patterns),
  /** The kinds that match. Defaults to all. */
  kinds: Schema.optionalKey(Schema.NonEmptyArray(Kind)),
  /** The artifact types that match; if a manifest states none, the media type of its configuration counts. Defaults to all. */
  artifactTypes: Schema.optionalKey(patterns),
  /** The quarantine states that match, such as `Failed`. Manifests without a state do not match. Defaults to all. */
  quarantine: Schema.optionalKey(patterns),
  /** Whether a manifest that the candidate names, at any depth, is missing. Defaults to matching both. */
  isBroken: Schema.optionalKey(Schema.Boolean),
  /**
   * The name of a list of digests that the program supplies. A candidate matches if it, or a manifest that it names, is in the
   * list. An empty list matches nothing.
   */
  digests: Schema.optionalKey(text),
  /** The minimum age. Defaults to any age. */
  olderThan: Schema.optionalKey(age),
  /** The maximum age. Defaults to any age. */
  youngerThan: Schema.optionalKey(age),
  /** The event from which ages are counted. Defaults to `update`. */
  since: Schema.optionalKey(Since),
  /** Of the candidates that match the other conditions, only the newest, and those without a time, since they may be newer. */
  newest: Schema.optionalKey(
    Schema.Struct({
      /** How many to select. */
      count,
      /** Whether to count in the repository, or for each value of the groups in the tag's regular expression. Defaults to `repository`. */
      per: Schema.optionalKey(Schema.Literals(["repository", "group"])),
      /** The order. `version` orders by semantic version and does not select other tags. Defaults to `update`. */
      by: Schema.optionalKey(Schema.Literals(["update", "push", "pull", "version"]))
    })
  ),
  /**
   * Of the candidates that match the other conditions, the newest of each period, for some time back. Periods are in UTC; weeks
   * begin on Monday.
   */
  onePer: Schema.optionalKey(
    Schema.Struct({
      /** The period. */
      period: Schema.Literals(["day", "week", "month"]),
      /** How far back. */
      for: age
    })
  ),
  /**
   * What to do with a match. `delete` deletes a tag, and its manifest unless something else keeps the manifest. `untag` deletes
   * only the tag.
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

/** Why a rule is invalid: it would not do what it seems to. */
const ruleProblem = ({ because, name, newest, of, onePer, action, tags }: RuleFields): string | undefined => {
  if (name.trim() === "" || because.trim() === "") return "a rule needs a name and a reason"
  if (action !== "keep" && (newest !== undefined || onePer !== undefined)) {
    return "newest and onePer are only for rules with the action keep: keep the newest by a rule before the one that deletes"
  }
  if (newest !== undefined && onePer !== undefined) return "a rule can have newest or onePer, not both"
  if (action === "untag" && of.some((candidates) => candidates !== "tags"))
    return 'untag is only for tags: of must be ["tags"]'
  if (tags !== undefined && of.includes("untagged"))
    return "untagged manifests have no tags to match: write a separate rule for untagged, without tags"
  if (newest?.by === "version" && of.some((candidates) => candidates !== "tags")) {
    return 'newest by version is only for tags: of must be ["tags"]'
  }
  if (newest?.per === "group" && !hasGroups(tags))
    return 'newest per group needs tags that are all regular expressions with a group, such as "(main|dev)-.*"'
  return undefined
}

/**
 * A rule. It matches a candidate if all of its conditions hold.
 *
 * **Details**
 *
 * In JSON, a duration is a number with a unit, from `millis` to `weeks`: `"14 days"`, `"8 weeks"`.
 *
 * **Gotchas**
 *
 * A registry without ACR's API returns no times. There, `newest` selects every candidate that matches, unless it is by version.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rule = RuleFields.check(Schema.makeFilter(ruleProblem))

export type Rule = typeof Rule.Type

const Default = Schema.Struct({
  /** What to do with candidates that no rule matches. */
  action: Schema.Literals(["keep", "delete"]),
  /** The reason, for people who read the plan. */
  because: text
})

/** The fields of `Rules`, whose decoder refuses any others. */
const RulesFields = Schema.Struct({
  /** The repositories that the rules are for. `isFor` tells whether a repository is one of them, and `Retention.plan` refuses others. */
  repositories: patterns,
  /** What to do with candidates that no rule matches. Required, so that the choice is explicit. */
  defaults: Schema.Struct({ tags: Default, untagged: Default, orphans: Default }),
  /** The rules, in order: the first that matches a candidate decides. */
  rules: Schema.Array(Rule),
  /** The age below which nothing is deleted, regardless of the rules. Defaults to one day. */
  safetyAge: Schema.optionalKey(Schema.Union([Schema.Literal("none"), age])),
  /**
   * What to do with locked tags and manifests. `include` judges them like others; the run must then set `allowLocked` too.
   * Defaults to `keep`.
   */
  locked: Schema.optionalKey(Schema.Literals(["keep", "include"])),
  /** Safety limits, per repository. A plan that exceeds a limit is not carried out. */
  limits: Schema.optionalKey(
    Schema.Struct({
      /** How many manifests and tags may be deleted. Defaults to no limit. */
      maxDeletions: Schema.optionalKey(Schema.Natural),
      /** The fraction of the manifests, and of the tags, that may be deleted, from 0 to 1. Defaults to 0.5. */
      maxFraction: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
      /** How many tags must remain if any are deleted; signature and fallback tags do not count. Defaults to 1. */
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

const decodeStrict = SchemaParser.decodeUnknownEffect(StrictRules, { onExcessProperty: "error", errors: "all" })
const encodeStrict = SchemaParser.encodeEffect(StrictRules)

/**
 * Rules for repositories.
 *
 * **Details**
 *
 * Candidates are judged one by one. The first rule that matches decides, and later rules do not see what earlier ones
 * decided: `newest` counts what is left to its rule. If no rule matches, the default of the candidates decides.
 *
 * Regardless of the rules, these are kept: locked objects, objects younger than the safety age or without a time, and everything
 * that a kept object needs: the images of an index, referrers, subjects, signature tags and fallback tags.
 *
 * Decoding refuses unknown fields: a misspelt condition would otherwise match everything.
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
    decode: SchemaGetter.transformEffect((input: unknown) => decodeStrict(input)),
    encode: SchemaGetter.transformEffect((rules: RulesFields) => encodeStrict(rules))
  })
)

export type Rules = typeof Rules.Type

const decodeRules = Schema.decodeUnknownEffect(Rules)

const invalid = (problem: string) =>
  new RetentionError({ problem: "InvalidRules", description: `the rules cannot be used: ${problem}` })

/**
 * Reads rules from the text of a JSON file. Fails with `InvalidRules`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (json: string): Effect.Effect<Rules, RetentionError> =>
  Effect.try({
    try: (): unknown => JSON.parse(json),
    catch: () => invalid(`they are not JSON: ${jsonProblem(json)}`)
  }).pipe(Effect.flatMap((value) => Effect.mapError(decodeRules(value), (error) => invalid(documentProblems(error)))))

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
