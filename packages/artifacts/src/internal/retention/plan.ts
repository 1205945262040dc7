/**
 * Decides about each tag and manifest of an inventory.
 *
 * An object is kept for its own sake by a rule, a lock or its age. Everything that it needs is kept with it: the children of an
 * index, referrers, subjects (a registry deletes referrers with their subject), and what tags attach by name. Everything else is
 * deleted.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { RetentionError } from "../../RetentionError.ts"
import type { Inventory, Manifest, Tag } from "../../RetentionInventory.ts"
import type { By, Plan, PlannedManifest, PlannedTag } from "../../RetentionPlan.ts"
import { isFor, type Rules } from "../../RetentionRules.ts"
import * as Candidates from "./candidates.ts"
import * as Graph from "./graph.ts"
import * as Judge from "./judge.ts"
import { exceeded } from "./limits.ts"

/** The decision, as in a plan. */
interface Decision {
  readonly by: By
  readonly rule?: string
  readonly because: string
  readonly of?: Digest.Digest
}

const defaultSafetyAge = Duration.days(1)

const byJudgement = ({ because, rule }: Judge.Judgement): Decision =>
  rule === undefined ? { by: "default", because } : { by: "rule", rule, because }

const needed = (by: By, of: Digest.Digest, because: string): Decision => ({ by, because, of })

/** Why a tag or a manifest is kept regardless of the rules, if it is. */
type Pin = (thing: Pick<Manifest, "isLocked" | "updatedOn" | "createdOn">) => Decision | undefined

const pins = (
  { at, isLocked: isRepositoryLocked }: Inventory,
  { locked, safetyAge = defaultSafetyAge }: Rules
): Pin => {
  const latest = safetyAge === "none" ? undefined : DateTime.toEpochMillis(at) - Duration.toMillis(safetyAge)
  return ({ createdOn, isLocked, updatedOn }) => {
    if (isRepositoryLocked) return { by: "lock", because: "the repository is locked" }
    if (isLocked && locked !== "include") return { by: "lock", because: "it is locked" }
    if (latest === undefined) return undefined
    const times = [createdOn, updatedOn].flatMap((time) => Candidates.millisOf(time) ?? [])
    if (times.length === 0) return { by: "age", because: "it has no time" }
    return Math.max(...times) > latest ? { by: "age", because: "it is younger than the safety age" } : undefined
  }
}

/** Why a manifest is kept regardless of its tags and the rules, if it is. */
const pinOf = ({ manifest }: Graph.Node, { coverage }: Inventory, pin: Pin): Decision | undefined => {
  if (coverage === "partial") return { by: "unread", because: "not all that could need it is known" }
  if (manifest.kind === "unknown") return { by: "unread", because: "it could not be read" }
  if (manifest.hiddenTags !== undefined) {
    return { by: "hidden", because: `it has tags that are not listed: ${manifest.hiddenTags.join(", ")}` }
  }
  return pin(manifest)
}

/** The decisions so far. */
interface Decisions {
  /** Manifests to keep. */
  readonly kept: Map<Graph.Node, Decision>
  /** Tags to keep. */
  readonly keptTags: Map<Tag, Decision>
  /** Tags to delete by a rule. */
  readonly deletedTags: Map<Tag, Decision>
  /** Untagged manifests to delete by a rule. */
  readonly deleted: Map<Graph.Node, Decision>
}

/**
 * Manifests that follow only one another, such as an index that has its own subject as a child: no rule judges any of them.
 */
const unjudged = (graph: Graph.Graph, candidates: Iterable<Candidates.Candidate>): ReadonlyArray<Graph.Node> => {
  const judged = new Set<Graph.Node>()
  // A rule that keeps an earlier list of referrers is ignored, so that the list judges nothing.
  for (const { node, tag } of candidates) if (tag !== undefined || !graph.formerLists.has(node)) judged.add(node)
  // Iterating a set also visits items that are added meanwhile.
  for (const node of judged) {
    for (const child of node.children) judged.add(child)
    for (const referrer of node.referrers) judged.add(referrer)
    for (const list of graph.formerListsOf(node)) judged.add(list)
    for (const { digest } of node.attached) {
      const named = graph.nodes.get(digest)
      if (named !== undefined) judged.add(named)
    }
  }
  return Array.from(graph.nodes.values()).filter((node) => !judged.has(node))
}

/** Finds what is kept for its own sake, and what the rules delete. */
const decide = (inventory: Inventory, rules: Rules, setting: Judge.Setting): Decisions => {
  const { graph } = setting
  const decisions: Decisions = { kept: new Map(), keptTags: new Map(), deletedTags: new Map(), deleted: new Map() }
  const pin = pins(inventory, rules)
  // A rule that keeps does so at any age, so that the age is not the reason.
  const isDecided = (before: Decision | undefined): boolean => before !== undefined && before.by !== "age"
  const keep = (node: Graph.Node, decision: Decision) => {
    if (!isDecided(decisions.kept.get(node))) decisions.kept.set(node, decision)
  }
  const keepTag = (tag: Tag, node: Graph.Node, decision: Decision) => {
    decisions.keptTags.set(tag, decision)
    keep(node, { by: "tag", because: `the tag ${tag.name} is kept` })
  }
  for (const node of graph.nodes.values()) {
    const pinned = pinOf(node, inventory, pin)
    if (pinned !== undefined) keep(node, pinned)
    for (const tag of node.tags) {
      const pinnedTag =
        pin(tag) ?? (pinned?.by === "lock" ? { ...pinned, because: "its manifest is locked" } : undefined)
      if (pinnedTag !== undefined) keepTag(tag, node, pinnedTag)
    }
  }
  // Candidates share the decision object of a rule, and so do tags and manifests.
  const known = new Map<Judge.Judgement, Decision>()
  const decisionOf = (judgement: Judge.Judgement): Decision => {
    const decision = known.get(judgement) ?? byJudgement(judgement)
    known.set(judgement, decision)
    return decision
  }
  const candidates = Candidates.all(graph)
  for (const node of unjudged(graph, candidates)) {
    keep(node, { by: "default", because: "no rule judges it: it belongs only to what belongs to it" })
  }
  for (const [candidate, judgement] of Judge.judge(rules, inventory.repository, candidates, setting)) {
    const { node, tag } = candidate
    const decision = decisionOf(judgement)
    if (tag === undefined) {
      if (judgement.action !== "keep") decisions.deleted.set(node, decision)
      // It would keep the manifest whose referrers it lists, and clients use a newer list.
      else if (!graph.formerLists.has(node)) keep(node, decision)
    } else if (judgement.action === "keep") {
      if (!isDecided(decisions.keptTags.get(tag))) keepTag(tag, node, decision)
    } else if (!decisions.keptTags.has(tag)) {
      decisions.deletedTags.set(tag, decision)
      if (judgement.action === "untag")
        keep(node, { ...decision, because: `${tag.name} is only untagged: ${decision.because}` })
    }
  }
  return decisions
}

/** Keeps everything that kept objects need. */
const close = ({ formerListsOf, nodes }: Graph.Graph, { deleted, kept, keptTags }: Decisions): void => {
  const keep = (node: Graph.Node, decision: Decision) => {
    if (!kept.has(node)) kept.set(node, decision)
  }
  // Iterating a map also visits entries that are added meanwhile.
  for (const [node] of kept) {
    const { attached, children, manifest, referrers, subject } = node
    const { digest } = manifest
    for (const child of children) keep(child, needed("child", digest, `${digest}, which is kept, needs it`))
    for (const referrer of referrers) keep(referrer, needed("referrer", digest, `it refers to the kept ${digest}`))
    if (subject !== undefined) keep(subject, needed("subject", digest, `${digest}, which is kept, refers to it`))
    for (const list of formerListsOf(node)) {
      if (!deleted.has(list)) keep(list, needed("attached", digest, `it lists referrers of ${digest}, which is kept`))
    }
    for (const tag of attached) {
      if (keptTags.has(tag)) continue
      keptTags.set(tag, needed("attached", digest, `it belongs to ${digest}, which is kept`))
      const named = nodes.get(tag.digest)
      if (named !== undefined)
        keep(named, needed("attached", digest, `${tag.name} belongs to ${digest}, which is kept`))
    }
  }
}

/** Why a manifest is deleted: by a tag, by a rule of its own, or with what it belongs to. */
const reasonToGo = (node: Graph.Node, graph: Graph.Graph, { deleted, deletedTags }: Decisions): Decision => {
  const own = deleted.get(node)
  if (own !== undefined) return own
  for (const tag of node.tags) {
    const decision = deletedTags.get(tag)
    if (decision !== undefined) return decision
  }
  const attachedTo = node.tags.flatMap(({ name }) => graph.attachments.get(name)?.node ?? [])
  const about = node.subject ?? graph.formerLists.get(node)
  const [owner] = [...node.parents, ...(about === undefined ? [] : [about]), ...attachedTo]
  const digest = owner?.manifest.digest ?? node.manifest.digest
  return needed("follows", digest, `it belongs to ${digest}, which is deleted`)
}

const planTag =
  (graph: Graph.Graph, { deletedTags, keptTags }: Decisions) =>
  (tag: Tag): PlannedTag => {
    const kept = keptTags.get(tag)
    if (kept !== undefined) return { ...tag, verdict: "keep", ...kept }
    const subject = graph.attachments.get(tag.name)?.node?.manifest.digest ?? tag.digest
    const follows = needed("follows", subject, `it belongs to ${subject}, which is deleted`)
    return { ...tag, verdict: "delete", ...(deletedTags.get(tag) ?? follows) }
  }

/** Most manifests have no tag. */
const noTags: ReadonlyArray<string> = []

const planManifest =
  (graph: Graph.Graph, decisions: Decisions) =>
  (node: Graph.Node): PlannedManifest => {
    const kept = decisions.kept.get(node)
    return {
      ...node.manifest,
      tags: node.tags.length === 0 ? noTags : node.tags.map(({ name }) => name),
      verdict: kept === undefined ? "delete" : "keep",
      ...(kept ?? reasonToGo(node, graph, decisions))
    }
  }

/** The lists and pull times that rules need and the program did not supply. */
const unsupplied = (rules: Rules, { digests = {}, pulls }: Judge.Supplied): ReadonlyArray<string> =>
  rules.rules.flatMap(({ digests: list, name, newest, since }) => [
    ...(list !== undefined && !Object.hasOwn(digests, list)
      ? [`the rule ${JSON.stringify(name)} asks for the list ${JSON.stringify(list)}, which is not supplied`]
      : []),
    ...(pulls === undefined && (since === "pull" || newest?.by === "pull")
      ? [`the rule ${JSON.stringify(name)} asks for the time of pulls, which is not supplied`]
      : [])
  ])

const timeless = ({ manifests, tags }: Inventory, { safetyAge }: Rules): ReadonlyArray<string> => {
  const count = [...manifests, ...tags].filter(({ updatedOn }) => Candidates.millisOf(updatedOn) === undefined).length
  if (count === 0) return []
  const effect =
    safetyAge === "none"
      ? "rules by age do not delete them, and newest keeps all of them, except by version"
      : "they stay, since nothing without an age is deleted unless safetyAge is none"
  return [`${count} tags and manifests have no time: ${effect}`]
}

const isDeleted = ({ verdict }: Pick<PlannedTag, "verdict">): boolean => verdict === "delete"

export const make = (
  inventory: Inventory,
  rules: Rules,
  supplied: Judge.Supplied
): Result.Result<Plan, RetentionError> => {
  if (!isFor(rules, inventory.repository)) {
    const description = `the rules are not for the repository ${inventory.repository}`
    return Result.fail(new RetentionError({ problem: "OtherRepository", description }))
  }
  const problems = unsupplied(rules, supplied)
  if (problems.length > 0) {
    return Result.fail(new RetentionError({ problem: "UnknownList", description: problems.join("; ") }))
  }
  const { at, coverage, registry, repository } = inventory
  const graph = Graph.make(inventory)
  const setting = { at, graph, isPartial: coverage === "partial", supplied }
  const decisions = decide(inventory, rules, setting)
  close(graph, decisions)
  const tags = inventory.tags.map(planTag(graph, decisions))
  const nodes = inventory.manifests.flatMap(({ digest }) => graph.nodes.get(digest) ?? [])
  const manifests = nodes.map(planManifest(graph, decisions))
  const gone = manifests.filter(isDeleted)
  return Result.succeed({
    version: 1,
    registry,
    repository,
    at,
    coverage,
    rules,
    tags,
    manifests,
    broken: nodes
      .filter(({ missing }) => missing.length > 0)
      .map(({ manifest, missing }) => ({ digest: manifest.digest, missing })),
    frees: {
      tags: tags.filter(isDeleted).length,
      manifests: gone.length,
      atMostBytes: Math.min(
        gone.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0),
        Number.MAX_SAFE_INTEGER
      )
    },
    exceeds: exceeded(tags, manifests, rules),
    unmatched: Judge.unmatchedOf(
      rules,
      repository,
      tags.map(({ name }) => name)
    ),
    warnings: [...inventory.warnings, ...timeless(inventory, rules), ...Judge.emptyListsOf(rules, repository, setting)]
  })
}
