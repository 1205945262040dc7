/**
 * The actions of a plan, in an order in which the remaining artifacts are never broken.
 *
 * An index goes before its children, and a subject before its referrers and what tags attach to it. A skipped object keeps what
 * it needs.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Arr from "effect/Array"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as AttachedTags from "../attachedTags.ts"
import * as Graph from "./graph.ts"
import type { Tag } from "../../RetentionInventory.ts"
import type { Plan, PlannedManifest } from "../../RetentionPlan.ts"
import type { Action } from "../../RetentionReport.ts"

/** An action, with what it depends on. */
export interface Step extends Action {
  /** Its key in a journal. */
  readonly key: string
  /** Manifests that must be deleted before it. */
  readonly after: ReadonlyArray<Digest.Digest>
  /**
   * What it belongs to, as referrers tags, which are also known for missing manifests. If one of these is pushed, also again, the
   * object is needed.
   */
  readonly owners: ReadonlySet<string>
  /**
   * What the registry may delete along with it, its referrers and theirs, and what needs these: checked together. Computed on
   * demand: in a long chain of referrers, each would hold all that follow it.
   */
  readonly together: () => ReadonlyArray<Digest.Digest>
  /** The locked objects: its tags, and itself. Only if the rules include locked objects. */
  readonly locked: ReadonlyArray<string>
}

type Dependencies = Pick<Step, "after" | "owners" | "together" | "locked">

/** Unique, since a digest has no space. */
export const keyOf = ({ digest, tag }: Pick<Action, "digest" | "tag">): string =>
  tag === undefined ? digest : `${digest} ${tag}`

/** A manifest, and what the registry deletes along with it: its referrers, and theirs. */
const withReferrers = <A>(one: A, referrersOf: (one: A) => Iterable<A>): ReadonlySet<A> => {
  const found = new Set([one])
  // Iterating a set also visits items that are added meanwhile.
  for (const other of found) for (const referrer of referrersOf(other)) found.add(referrer)
  return found
}

const referrersOfNode = ({ referrers }: Graph.Node): ReadonlyArray<Graph.Node> => referrers

/** At module level: a closure within a function would keep the graph in memory as long as the steps, for the whole run. */
const referrersBelow =
  (referrers: ReadonlyMap<Digest.Digest, ReadonlyArray<Digest.Digest>>, digest: Digest.Digest) => () =>
    Array.from(withReferrers(digest, (one) => referrers.get(one) ?? [])).filter((other) => other !== digest)

/** For a manifest that is deleted alone: nothing else is checked with it. */
export const alone = constant<ReadonlyArray<Digest.Digest>>([])

/** Manifests that have a property themselves, or whose referrers, or theirs, have it. */
const withSubjects = (nodes: Iterable<Graph.Node>): ReadonlySet<Graph.Node> => {
  const found = new Set(nodes)
  // Iterating a set also visits items that are added meanwhile.
  for (const { subject } of found) if (subject !== undefined) found.add(subject)
  return found
}

const digestOf = ({ manifest }: Graph.Node): Digest.Digest => manifest.digest

/** What a manifest belongs to by its content and its tags, as referrers tags. */
const statedOwners = (subject: Digest.Digest | undefined, tags: ReadonlyArray<Pick<Tag, "name">>) => [
  ...(subject === undefined ? [] : [Referrer.tag(subject)]),
  ...tags.flatMap(({ name }) => Option.toArray(Option.map(AttachedTags.parse(name), ({ list }) => list)))
]

const ruleOf = ({ rule }: { readonly rule?: string }) => (rule === undefined ? {} : { rule })

/** Orders the steps so that each comes after its dependencies. Takes linear time, even for deeply nested indexes. */
const sorted = (steps: ReadonlyArray<Step>): ReadonlyArray<ReadonlyArray<Step>> => {
  const isPlanned = new Set(steps.flatMap(({ digest, tag }) => (tag === undefined ? [digest] : [])))
  const places = new Map(steps.map((step, place) => [step, place]))
  const counts = new Map<Step, number>()
  const dependents = new Map<Digest.Digest, Array<Step>>()
  for (const step of steps) {
    const before = step.after.filter((digest) => isPlanned.has(digest))
    counts.set(step, before.length)
    for (const digest of before) {
      const others = dependents.get(digest)
      if (others === undefined) dependents.set(digest, [step])
      else others.push(step)
    }
  }
  const levels: Array<ReadonlyArray<Step>> = []
  const left = new Set(steps)
  const byPlace = Order.mapInput(Order.Number, (step: Step) => places.get(step) ?? 0)
  let next = steps.filter((step) => counts.get(step) === 0)
  while (left.size > 0) {
    // An index may have its own subject as a child, so that neither comes first.
    const level = next.length > 0 ? Arr.sort(next, byPlace) : Array.from(left)
    levels.push(level)
    for (const step of level) left.delete(step)
    next = []
    for (const { digest, tag } of level) {
      for (const step of tag === undefined ? (dependents.get(digest) ?? []) : []) {
        const count = (counts.get(step) ?? 0) - 1
        counts.set(step, count)
        if (count === 0 && left.has(step)) next.push(step)
      }
    }
  }
  return levels
}

/** The locked objects of a manifest: tags, and itself. */
const lockedOf = ({ manifest, tags }: Graph.Node): ReadonlyArray<string> => [
  ...tags.filter(({ isLocked }) => isLocked).map(({ name }) => name),
  ...(manifest.isLocked ? [manifest.digest] : [])
]

const isGoing = (manifest: PlannedManifest | undefined): boolean => manifest?.verdict === "delete"

export const levels = (plan: Plan): ReadonlyArray<ReadonlyArray<Step>> => {
  const graph = Graph.make(plan)
  const planned = new Map(plan.manifests.map((manifest) => [manifest.digest, manifest]))
  const attachedTo = (tags: ReadonlyArray<Pick<Tag, "name">>): ReadonlyArray<Graph.Node> =>
    tags.flatMap(({ name }) => graph.attachments.get(name)?.node ?? [])
  const isPlanned = (digest: Digest.Digest) => isGoing(planned.get(digest))
  const going = (nodes: Iterable<Graph.Node>) => Array.from(nodes, digestOf).filter(isPlanned)
  /** What must be deleted before a manifest, besides its subject. */
  const otherOwnersOf = (node: Graph.Node): ReadonlyArray<Graph.Node> => {
    const listed = graph.formerLists.get(node)
    return [...node.parents, ...(listed === undefined ? [] : [listed]), ...attachedTo(node.tags)]
  }
  const ownersOf = (node: Graph.Node): ReadonlyArray<Graph.Node> =>
    node.subject === undefined ? otherOwnersOf(node) : [node.subject, ...otherOwnersOf(node)]
  const followersOf = (node: Graph.Node): ReadonlyArray<Graph.Node> => [
    ...node.attached.flatMap(({ digest }) => graph.nodes.get(digest) ?? []),
    ...graph.formerListsOf(node)
  ]
  const all = Array.from(graph.nodes.values())
  const isAttached = ({ tags }: Graph.Node) => tags.some(({ name }) => graph.attachments.has(name))
  const isEntangled = withSubjects(
    all.filter((node) => isAttached(node) || otherOwnersOf(node).length > 0 || lockedOf(node).length > 0)
  )
  const goingReferrers = new Map(
    all.flatMap((node) => (node.referrers.length === 0 ? [] : [[digestOf(node), going(node.referrers)] as const]))
  )

  /** The dependencies of a deletion, if what is deleted along with it belongs only to its subject. */
  const simple = ({ manifest, referrers, subject }: Graph.Node): Dependencies => ({
    after: subject === undefined ? [] : going([subject]),
    owners: new Set(statedOwners(manifest.subject, [])),
    together: referrers.length === 0 ? alone : referrersBelow(goingReferrers, manifest.digest),
    locked: []
  })

  const entangled = (node: Graph.Node): Dependencies => {
    const cascade = withReferrers(node, referrersOfNode)
    // A list of its referrers is deleted after it, although the list names what the registry deletes along with it.
    const followers = new Set(Array.from(cascade).flatMap(followersOf))
    const own = new Set(cascade)
    // Iterating a set also visits items that are added meanwhile.
    for (const one of own) for (const owner of ownersOf(one)) if (followers.has(owner)) own.add(owner)
    const after = going(
      new Set(
        Array.from(own)
          .flatMap(ownersOf)
          .filter((owner) => !own.has(owner))
      )
    )
    const lists = new Set(Array.from(own, (one) => String(Referrer.tag(digestOf(one)))))
    const together = going(own).filter((other) => other !== digestOf(node))
    const stated = Array.from(own).flatMap((one) => statedOwners(one.manifest.subject, one.tags))
    return {
      after,
      owners: new Set([...after.map(Referrer.tag), ...stated].filter((owner) => !lists.has(owner))),
      together: together.length === 0 ? alone : constant(together),
      // What the registry deletes along with it must be unlocked as well.
      locked: Array.from(cascade).flatMap(lockedOf)
    }
  }

  const manifests = plan.manifests.filter(isGoing).flatMap((manifest): ReadonlyArray<Step> => {
    const node = graph.nodes.get(manifest.digest)
    if (node === undefined) return []
    const { digest, tags } = manifest
    return [{ key: digest, digest, tags, ...ruleOf(manifest), ...(isEntangled.has(node) ? entangled : simple)(node) }]
  })
  const tags = plan.tags
    .filter(({ digest, verdict }) => verdict === "delete" && !isGoing(planned.get(digest)))
    .map((tag): Step => {
      const { digest, isLocked, name } = tag
      const action = { digest, tag: name, tags: [], ...ruleOf(tag) }
      return {
        ...action,
        key: keyOf(action),
        after: going(attachedTo([tag])),
        // A tag made of the digest of its own manifest belongs to nothing.
        owners: new Set(statedOwners(undefined, [tag]).filter((owner) => owner !== Referrer.tag(digest))),
        together: alone,
        locked: isLocked ? [name] : []
      }
    })
  return sorted([...tags, ...manifests])
}
