/**
 * Repositories and rules at random, as data that shrinks and has names that people can read.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Retention from "../../src/Retention.ts"
import type { Plan } from "../../src/RetentionPlan.ts"
import type * as RetentionRules from "../../src/RetentionRules.ts"
import { config, rawOf } from "./artifacts.ts"
import { image, index, referrer, registry, rulesOf, start, type TestRegistry } from "./retention.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const atMost = <S extends Schema.Constraint>(item: S, count: number) =>
  Schema.Array(item).check(Schema.isMaxLength(count))

/** One of what is there, counted round. */
export const Ref = upTo(23)

/** A tag: an ordinary one, or one that attaches to a manifest by its name. */
export const TagOf = Schema.Union([
  Schema.Literals(["latest", "v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0-rc.1", "main-1", "main-2", "hidden"]),
  Schema.Struct({ attachedTo: Ref, suffix: Schema.Literals(["", ".sig", ".att"]) })
])

export type TagOf = typeof TagOf.Type

/** What a manifest is, and what it names. */
export const Shape = Schema.Struct({
  shape: Schema.Literals([
    "image",
    "index",
    "referrer",
    "signature",
    "list",
    "index about",
    "artifact",
    // Most artifacts of registries are these.
    "an index",
    "a referrer"
  ]),
  of: atMost(Ref, 3)
})

export type Shape = typeof Shape.Type

const Node = Schema.Struct({
  ...Shape.fields,
  tags: atMost(TagOf, 2),
  age: Schema.Literals([40, 90, 5, 0.4, 0.01]),
  /** Most have nothing odd. `absent` is named by others, and is not there. */
  oddity: Schema.Literals([
    "none",
    "nothing",
    "usual",
    "absent",
    "missing",
    "locked",
    "locked tags",
    "hidden tag",
    "quarantined"
  ])
})

type Node = typeof Node.Type

const Candidates = Schema.Literals(["tags", "untagged", "orphans"])

const RuleDraft = Schema.Struct({
  of: atMost(Candidates, 3),
  action: Schema.Literals(["delete", "keep", "untag"]),
  tags: Schema.UndefinedOr(
    atMost(
      Schema.Union([
        Schema.Literals(["v*", "latest", "{main,dev}-*", "!v1*", "sha256-*", "nothing"]),
        Schema.Struct({ regex: Schema.Literals(["(main|dev)-[0-9]+", "v([0-9]+)[.].*"]) }),
        Schema.Struct({ semver: Schema.Literals([">=1.2", "<2", ">=2.0.0-0"]) })
      ]),
      2
    )
  ),
  kinds: Schema.UndefinedOr(
    atMost(Schema.Literals(["image", "index", "artifact", "referrer", "signatureTag", "fallbackTag"]), 3)
  ),
  condition: Schema.Literals(["none", "always", "isBroken", "isWhole", "artifactTypes", "quarantine", "digests"]),
  age: Schema.Literals(["any", "all", "older 10", "older 60", "younger 10", "younger 60"]),
  since: Schema.Literals(["update", "push", "pull"]),
  pick: Schema.UndefinedOr(
    Schema.Union([
      Schema.Struct({
        count: Schema.Literals([1, 2, 3]),
        per: Schema.Literals(["repository", "group"]),
        by: Schema.Literals(["update", "push", "pull", "version"])
      }),
      Schema.Struct({ period: Schema.Literals(["day", "week", "month"]), days: Schema.Literals([30, 100]) })
    ])
  )
})

type RuleDraft = typeof RuleDraft.Type

const DefaultAction = Schema.Literals(["delete", "go", "keep"])

/** A registry with its rules. */
export const Situation = Schema.Struct({
  cascades: Schema.Boolean,
  datesAgain: Schema.Boolean,
  nodes: Schema.Array(Node).check(Schema.isMinLength(1), Schema.isMaxLength(12)),
  rules: atMost(RuleDraft, 4),
  defaults: Schema.Struct({ tags: DefaultAction, untagged: DefaultAction, orphans: DefaultAction }),
  safetyAge: Schema.Literals(["none", "default", "3 days"]),
  locked: Schema.Literals(["keep", "include"])
})

export type Situation = typeof Situation.Type

/** All manifests that there are or may be, in the order in which they were made, with a name for each. */
export interface Cast {
  readonly manifests: Array<Manifest.Raw>
  readonly names: Map<string, string>
}

const pick = ({ manifests }: Cast, ref: number): Manifest.Raw | undefined => manifests[ref % manifests.length]

const pickAll = (cast: Cast, refs: ReadonlyArray<number>): ReadonlyArray<Manifest.Raw> =>
  Array.from(new Set(refs.flatMap((ref) => pick(cast, ref) ?? [])))

export const tagName = (cast: Cast, tag: TagOf): string => {
  if (typeof tag === "string") return tag
  const subject = pick(cast, tag.attachedTo)
  return subject === undefined ? "alone" : `${Referrer.tag(subject.descriptor.digest)}${tag.suffix}`
}

const artifact = (name: string): Manifest.Raw =>
  rawOf(
    MediaType.ociImageManifest,
    Manifest.format(
      Manifest.image({
        config,
        layers: [],
        artifactType: MediaType.MediaType.make("application/vnd.example"),
        annotations: { name }
      })
    )
  )

/** The referrers of a subject among all. */
const referrersIn = ({ manifests }: Cast, subject: Digest.Digest): ReadonlyArray<Manifest.Raw> =>
  manifests.filter((one) => JSON.parse(new TextDecoder().decode(one.bytes)).subject?.digest === subject)

/** A manifest of some shape over others, and the tags that its shape brings. */
export const make = (
  cast: Cast,
  name: string,
  { of, shape }: Shape
): { readonly manifest: Manifest.Raw; readonly tags: ReadonlyArray<string> } => {
  const others = pickAll(cast, of)
  const [first, ...rest] = others
  const made = (manifest: Manifest.Raw, text: string, tags: ReadonlyArray<string> = []) => {
    const about = (one: Manifest.Raw) => cast.names.get(one.descriptor.digest)?.split(" ")[0] ?? "?"
    const named = others.map(about).join(", ")
    cast.manifests.push(manifest)
    cast.names.set(manifest.descriptor.digest, `${name} ${text}(${text === "image" ? "" : named})`.replace("()", ""))
    return { manifest, tags }
  }
  if (shape === "index" || shape === "an index") return made(index(name, others), "index")
  if (shape === "artifact") return made(artifact(name), "artifact")
  if (shape === "image" || first === undefined) return made(image(name), "image")
  const list = Referrer.tag(first.descriptor.digest)
  switch (shape) {
    case "referrer":
    case "a referrer":
      return made(referrer(name, first), "referrer")
    case "signature":
      return made(image(name), "signature", [`${list}.sig`])
    case "list":
      return made(index(name, referrersIn(cast, first.descriptor.digest)), "list", [list])
    case "index about":
      return made(index(name, rest, first), "index about")
  }
}

/** The digest that a tag attaches something to, if it does. */
export const attachedBy = (tag: string): string => tag.replace("-", ":").replace(/[.].*/, "")

/** A registry that holds what a situation says, and the names of everything. */
export const filled = ({
  cascades,
  datesAgain,
  nodes
}: Situation): Effect.Effect<{ readonly held: TestRegistry; readonly cast: Cast; readonly story: Array<string> }> =>
  Effect.gen(function* () {
    const held = registry({ cascades, datesAgain })
    held.hide("hidden")
    const cast: Cast = { manifests: [], names: new Map() }
    const made = nodes.map((node, at) => ({ node, ...make(cast, `n${at}`, node) }))
    const story: Array<string> = []
    for (const { manifest, node, tags: own } of made) {
      const { age, oddity } = node
      const tags = Array.from(new Set([...own, ...node.tags.map((tag) => tagName(cast, tag))]))
      const { digest } = manifest.descriptor
      const isAbsent = oddity === "absent" || oddity === "missing"
      story.push(`${cast.names.get(digest)} ${tags.join(" ")} ${age} d ${isAbsent ? "absent" : oddity}`)
      if (isAbsent) continue
      yield* Effect.orDie(
        held.push({
          manifest,
          tags,
          age,
          isLocked: oddity === "locked",
          lockedTags: oddity === "locked tags" ? tags : [],
          ...(oddity === "quarantined" ? { quarantineState: "Failed" } : {})
        })
      )
      if (oddity === "hidden tag") for (const tag of tags.slice(0, 1)) held.hide(tag)
    }
    return { held, cast, story }
  })

const conditions: { readonly [name in RuleDraft["condition"]]: { readonly [field: string]: unknown } } = {
  none: {},
  always: {},
  isBroken: { isBroken: true },
  isWhole: { isBroken: false },
  artifactTypes: { artifactTypes: ["application/vnd.{example,oci.image.config.v1+json}", "application/spdx**"] },
  quarantine: { quarantine: ["Failed"] },
  digests: { digests: "used" }
}

const ageOf = (age: RuleDraft["age"]): { readonly [field: string]: unknown } => {
  const [bound = "", days = ""] = age.split(" ")
  return days === "" ? {} : { [`${bound}Than`]: `${days} days` }
}

const hasGroups = (tags: RuleDraft["tags"]): boolean =>
  tags !== undefined && tags.length > 0 && tags.every((tag) => typeof tag !== "string" && "regex" in tag)

/** A rule as a file has it: what a rule may not say is left out. */
const ruleOf = ({ action, age, condition, kinds = [], of, pick, since, tags = [] }: RuleDraft) => {
  const candidates = action === "untag" || of.length === 0 ? ["tags"] : Array.from(new Set(of))
  const isOfTags = candidates.every((one) => one === "tags")
  const patterns = candidates.includes("untagged") ? [] : tags
  const newest = (by: string, per: string, count: number) => ({
    newest: {
      count,
      by: by === "version" && !isOfTags ? "update" : by,
      per: hasGroups(patterns) ? per : "repository"
    }
  })
  return {
    of: candidates,
    action,
    since,
    ...conditions[condition],
    ...ageOf(age),
    ...(patterns.length === 0 ? {} : { tags: patterns }),
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(action !== "keep" || pick === undefined
      ? {}
      : "count" in pick
        ? newest(pick.by, pick.per, pick.count)
        : { onePer: { period: pick.period, for: `${pick.days} days` } })
  }
}

const byDefault = (action: "keep" | "delete" | "go") => ({
  action: action === "keep" ? "keep" : "delete",
  because: "no rule names it"
})

/** The rules of a situation. */
export const rulesFor = ({
  defaults: { orphans, tags, untagged },
  locked,
  rules,
  safetyAge
}: Situation): Effect.Effect<RetentionRules.Rules> =>
  rulesOf(rules.map(ruleOf), {
    defaults: { tags: byDefault(tags), untagged: byDefault(untagged), orphans: byDefault(orphans) },
    locked,
    ...(safetyAge === "default" ? {} : { safetyAge })
  })

/** What rules may ask for: every fifth manifest runs somewhere, and every third was pulled lately. */
export const suppliedFor = ({ manifests }: Cast): Retention.Supplied => {
  const digests = manifests.map(({ descriptor }) => descriptor.digest)
  const pulledOn = DateTime.subtractDuration(start, Duration.days(2))
  return {
    digests: { used: digests.filter((_, at) => at % 5 === 4) },
    pulls: new Map(digests.filter((_, at) => at % 3 === 2).map((digest) => [digest, pulledOn] as const))
  }
}

/** Whether the same rules find nothing to delete once more: nothing that was deleted makes a candidate of what is left. */
export const isSettledBy = ({ rules }: RetentionRules.Rules): boolean =>
  rules.every(
    ({ action, newest, of, onePer }) =>
      action !== "untag" &&
      ((newest === undefined && onePer === undefined) || of.every((candidates) => candidates === "tags"))
  )

const reached = (from: Iterable<string>, next: (one: string) => Iterable<string>): ReadonlySet<string> => {
  const found = new Set(from)
  for (const one of found) for (const other of next(one)) found.add(other)
  return found
}

/**
 * Whether what a plan deletes has no order, since names of tags attach things round in a circle. What a registry deletes along with
 * a manifest counts as one with it.
 */
export const isCyclic = ({ manifests, tags }: Plan): boolean => {
  const referrers = (digest: string) => manifests.filter(({ subject }) => subject === digest).map((one) => one.digest)
  const owners = (digest: string): ReadonlyArray<string> => [
    ...manifests.filter(({ children }) => children.some((child) => child === digest)).map((one) => one.digest),
    ...manifests.flatMap((one) => (one.digest === digest && one.subject !== undefined ? [one.subject] : [])),
    ...tags.flatMap((tag) => (tag.digest === digest ? [attachedBy(tag.name)] : []))
  ]
  const ownersOfAll = (digest: string) => {
    const own = reached([digest], referrers)
    return Array.from(own)
      .flatMap(owners)
      .filter((owner) => !own.has(owner))
  }
  return [owners, ownersOfAll].some((before) =>
    manifests.some(({ digest }) => reached(before(digest), before).has(digest))
  )
}
