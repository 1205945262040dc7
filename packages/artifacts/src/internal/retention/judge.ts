/**
 * Judges candidates by rules: the first rule that matches decides.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import type { Rule, Rules, Since } from "../../RetentionRules.ts"
import * as Candidates from "./candidates.ts"
import type { Candidate } from "./candidates.ts"
import { type Graph, type Node, withParents } from "./graph.ts"
import * as Patterns from "./patterns.ts"

/**
 * Data that rules may need and registries do not have.
 *
 * @category options
 * @since 0.1.0
 */
export interface Supplied {
  /**
   * Lists of digests, by the name that rules use for them; for example, the images that clusters run. Not an iterator, since each
   * rule reads its list again.
   */
  readonly digests?: { readonly [list: string]: ReadonlyArray<Digest.Digest> | ReadonlySet<Digest.Digest> }
  /** The last pull of each manifest. A manifest that is not listed counts as not pulled since its push. */
  readonly pulls?: Candidates.Pulls
}

/** The data by which rules are judged. */
export interface Setting {
  readonly at: DateTime.Utc
  readonly graph: Graph
  /** Whether manifests are known to be missing from the inventory, so that none can be called broken. */
  readonly isPartial: boolean
  readonly supplied: Supplied
}

/** The verdict of the rules on a candidate. */
export interface Judgement {
  readonly action: Rule["action"]
  /** The rule; none if it is the default. */
  readonly rule: string | undefined
  readonly because: string
}

/** A candidate that matches a rule, with the groups of its tag's pattern. */
interface Match {
  readonly candidate: Candidate
  readonly groups: ReadonlyArray<string>
}

type Condition = (candidate: Candidate) => boolean

const always: Condition = () => true

/** Decoding the rules has compiled the patterns, so that this cannot fail. A pattern that fails would match nothing. */
const compiled = (sources: ReadonlyArray<Patterns.Source>): Patterns.Patterns =>
  Result.getOrElse(Patterns.compileAll(sources), () => ({ match: () => Option.none(), each: [], groupCounts: [] }))

const matching = (
  sources: ReadonlyArray<Patterns.Source> | undefined,
  textOf: (candidate: Candidate) => string | undefined
): Condition => {
  if (sources === undefined) return always
  const { match } = compiled(sources)
  return (candidate) => {
    const text = textOf(candidate)
    return text !== undefined && Option.isSome(match(text))
  }
}

/** Whether the age of a candidate is within the bounds of a rule. */
const ofAge = ({ olderThan, since = "update", youngerThan }: Rule, { at, supplied }: Setting): Condition => {
  const now = DateTime.toEpochMillis(at)
  const least = olderThan === undefined ? -Infinity : Duration.toMillis(olderThan)
  const most = youngerThan === undefined ? Infinity : Duration.toMillis(youngerThan)
  if (least === -Infinity && most === Infinity) return always
  return (candidate) => {
    const age = now - Candidates.timeOf(candidate, since, supplied.pulls)
    return age > least && age < most
  }
}

const nodesOf = ({ nodes }: Graph, digests: Iterable<Digest.Digest>): ReadonlyArray<Node> =>
  Array.from(digests).flatMap((digest) => nodes.get(digest) ?? [])

const brokenNodes = ({ nodes }: Graph): ReadonlySet<Node> =>
  withParents(Array.from(nodes.values()).filter(({ missing }) => missing.length > 0))

/** All conditions of a rule except `newest` and `onePer`, which compare matches. */
const conditionOf = (rule: Rule, setting: Setting): Condition => {
  const { graph, isPartial, supplied } = setting
  const { artifactTypes, digests, isBroken, kinds, of, quarantine } = rule
  const listed = digests === undefined ? undefined : withParents(nodesOf(graph, supplied.digests?.[digests] ?? []))
  const broken = isBroken === undefined ? undefined : brokenNodes(graph)
  const conditions: ReadonlyArray<Condition> = [
    ({ of: candidates }) => of.includes(candidates),
    ({ kind }) => kinds === undefined || (kind !== "unknown" && kinds.includes(kind)),
    matching(artifactTypes, ({ node }) => node.manifest.artifactType),
    matching(quarantine, ({ node }) => node.manifest.quarantineState),
    ({ node }) => broken === undefined || (broken.has(node) ? isBroken === true && !isPartial : isBroken === false),
    ({ node }) => listed === undefined || listed.has(node),
    ofAge(rule, setting)
  ]
  return (candidate) => conditions.every((condition) => condition(candidate))
}

const noGroups: ReadonlyArray<string> = []

const matchesOf = (rule: Rule, setting: Setting, candidates: ReadonlyArray<Candidate>): ReadonlyArray<Match> => {
  const condition = conditionOf(rule, setting)
  const tags = rule.tags === undefined ? undefined : compiled(rule.tags)
  return candidates.filter(condition).flatMap((candidate) => {
    if (tags === undefined) return [{ candidate, groups: noGroups }]
    if (candidate.tag === undefined) return []
    return Option.toArray(Option.map(tags.match(candidate.tag.name), (groups) => ({ candidate, groups })))
  })
}

const versionOf = ({ candidate }: Match): Option.Option<SemVer.SemVer> =>
  candidate.tag === undefined ? Option.none() : Patterns.versionOf(candidate.tag.name)

/** Breaks ties. */
const byId = Order.combine(
  Order.mapInput(Order.String, ({ candidate }: Match) => String(candidate.node.manifest.digest)),
  Order.mapInput(Order.String, ({ candidate }: Match) => candidate.tag?.name ?? "")
)

const newestFirst = (by: "update" | "push" | "pull" | "version", { supplied }: Setting): Order.Order<Match> =>
  Order.combine(
    by === "version"
      ? Order.flip(Order.mapInput(Option.makeOrder(SemVer.Order), versionOf))
      : Order.flip(
          Order.mapInput(Order.Number, ({ candidate }: Match) => Candidates.timeOf(candidate, by, supplied.pulls))
        ),
    byId
  )

/** A match without a time may be the newest of all: it is selected without being counted. */
const withoutTime = (
  matches: ReadonlyArray<Match>,
  since: Since,
  { supplied }: Setting
): readonly [timed: ReadonlyArray<Match>, timeless: ReadonlyArray<Match>] =>
  Arr.partition(matches, (match) =>
    Candidates.timeOf(match.candidate, since, supplied.pulls) === Infinity ? Result.fail(match) : Result.succeed(match)
  )

const selectNewest = (
  matches: ReadonlyArray<Match>,
  { by = "update", count, per = "repository" }: NonNullable<Rule["newest"]>,
  setting: Setting
): ReadonlyArray<Match> => {
  // A tag that is not a version cannot be ordered.
  const [ranked, timeless] =
    by === "version"
      ? [matches.filter((match) => Option.isSome(versionOf(match))), []]
      : withoutTime(matches, by, setting)
  const groups = Arr.groupBy(ranked, (match) => (per === "group" ? JSON.stringify(match.groups) : ""))
  const order = newestFirst(by, setting)
  return [...timeless, ...Object.values(groups).flatMap((group) => Arr.take(Arr.sort(group, order), count))]
}

/** The day, the Monday of the week, or the month of a time, in UTC. */
const periodOf = (time: number, period: NonNullable<Rule["onePer"]>["period"]): string =>
  DateTime.formatIsoDateUtc(DateTime.startOf(DateTime.makeUnsafe(time), period, { weekStartsOn: 1 }))

const selectOnePer = (
  matches: ReadonlyArray<Match>,
  { for: length, period }: NonNullable<Rule["onePer"]>,
  since: Since = "update",
  setting: Setting
): ReadonlyArray<Match> => {
  const first = DateTime.toEpochMillis(setting.at) - Duration.toMillis(length)
  const timeOf = ({ candidate }: Match) => Candidates.timeOf(candidate, since, setting.supplied.pulls)
  const [timed, timeless] = withoutTime(
    matches.filter((match) => timeOf(match) >= first),
    since,
    setting
  )
  const groups = Arr.groupBy(timed, (match) => periodOf(timeOf(match), period))
  const order = newestFirst(since, setting)
  return [...timeless, ...Object.values(groups).flatMap((group) => Arr.take(Arr.sort(group, order), 1))]
}

const select = (rule: Rule, setting: Setting, candidates: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> => {
  const matches = matchesOf(rule, setting, candidates)
  const { newest, onePer, since } = rule
  const selected =
    newest !== undefined
      ? selectNewest(matches, newest, setting)
      : onePer !== undefined
        ? selectOnePer(matches, onePer, since, setting)
        : matches
  return selected.map(({ candidate }) => candidate)
}

const rulesFor = ({ rules }: Rules, repository: string): ReadonlyArray<Rule> =>
  rules.filter(
    ({ repositories }) => repositories === undefined || Option.isSome(compiled(repositories).match(repository))
  )

export const judge = (
  rules: Rules,
  repository: string,
  candidates: ReadonlyArray<Candidate>,
  setting: Setting
): ReadonlyMap<Candidate, Judgement> => {
  const judgements = new Map<Candidate, Judgement>()
  let left = candidates
  for (const rule of rulesFor(rules, repository)) {
    const judgement = { action: rule.action, rule: rule.name, because: rule.because }
    for (const candidate of select(rule, setting, left)) judgements.set(candidate, judgement)
    left = left.filter((candidate) => !judgements.has(candidate))
  }
  const { orphans, tags, untagged } = rules.defaults
  const defaults = {
    tags: { ...tags, rule: undefined },
    untagged: { ...untagged, rule: undefined },
    orphans: { ...orphans, rule: undefined }
  }
  for (const candidate of left) judgements.set(candidate, defaults[candidate.of])
  return judgements
}

/** The patterns for tags that match no tag, by rule. */
export const unmatchedOf = (
  rules: Rules,
  repository: string,
  tags: ReadonlyArray<string>
): ReadonlyArray<{ readonly rule: string; readonly pattern: Patterns.Source }> =>
  rulesFor(rules, repository).flatMap(({ name, tags: sources = [] }) =>
    compiled(sources)
      .each.filter(({ matches }) => !tags.some(matches))
      .map(({ source }) => ({ rule: name, pattern: source }))
  )

/** The lists of digests that have no manifest of a repository. A failed query may return an empty list. */
export const emptyListsOf = (rules: Rules, repository: string, { graph, supplied }: Setting): ReadonlyArray<string> =>
  rulesFor(rules, repository).flatMap(({ digests, name }) =>
    digests === undefined || nodesOf(graph, supplied.digests?.[digests] ?? []).length > 0
      ? []
      : [`the list ${JSON.stringify(digests)} of the rule ${JSON.stringify(name)} has nothing of this repository`]
  )
